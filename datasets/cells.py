"""Which cells a model is trained on: all, all but held-out ones, or cells of correlated factors.

A dataset's grid stays what it is, and runs are scored on all of it. What changes is what `draw`
draws for a batch. Held-out combinations ask whether a method generalises to them (Montero et al.,
ICLR 2021; Schott et al., ICLR 2022), correlated factors whether it finds factors that come together
(Träuble et al., ICML 2021; Roth et al., ICLR 2023).
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import (
    BadInput,
    Registry,
    check_settings,
    construct,
    registering,
    setting,
    settings_of,
    title_of,
)

CELLS = Registry("choice of training cells")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cells(ABC):
    """A distribution over a dataset's cells. Its fields are part of every run's id."""

    name: ClassVar[str]

    def __post_init__(self):
        check_settings(self)

    def check(self, dataset):  # noqa: B027  most have nothing to check
        """Raise `BadInput` where this dataset has no such cells."""

    @abstractmethod
    def draw(self, dataset, key, count: int) -> jax.Array:
        """`count` independent cells, int32."""

    def held_out(self, dataset) -> np.ndarray:
        """The cells that are never drawn, in rising order; of all cells none."""
        return np.zeros(0, np.int32)

    @property
    def title(self) -> str:
        """Its name, with the settings that are not the defaults."""
        return title_of(self.name, self)

    def settings(self) -> dict:
        """Field → value, and its name: what `make_cells` takes back."""
        return {"name": self.name} | settings_of(self)


def register(name: str):
    """Class decorator: make the frozen dataclass and enter it under `name`."""
    return registering(CELLS, name)


def make_cells(value) -> Cells:
    """The choice that a value means: one, its settings with its name, or its name."""
    if isinstance(value, Cells):
        return value
    settings = {"name": value} if isinstance(value, str) else value
    if not isinstance(settings, dict) or "name" not in settings:
        known = ", ".join(CELLS)
        raise BadInput(f"training must be one of {known}, or settings with name, found {value!r}")
    rest = {key: own for key, own in settings.items() if key != "name"}
    return construct(CELLS, settings["name"], rest)


@register("all")
class AllCells(Cells):
    """Every cell, as likely as any other."""

    def draw(self, dataset, key, count):
        return jax.random.randint(key, (count,), 0, dataset.size)


@register("held_out")
class HeldOut(Cells):
    """All cells but about a `share`, chosen by `seed`; each of the rest is as likely as another.

    What is left out is, of the `factors` named (of all factors, where none are):

        random          any cells, of whatever nuisances; factors are not asked
        composition     combinations: all values are seen, some values of all named factors at once
                        are not
        interpolation   values that have smaller and larger neighbours: neither ends nor neighbours
        extrapolation   the largest values

    An interpolation or extrapolation leaves cells out in which any named factor has such a value.
    Of every factor of three (extrapolation: two) values or more one value at least is left out:
    where values are few the share is the nearest that is possible, and where that is less than
    half or more than one and a half of what was asked, `check` refuses.
    """

    kind: str = setting(
        "random", choices=("random", "composition", "interpolation", "extrapolation")
    )
    share: float = setting(0.2, low=0.0, high=0.9, real=True)
    factors: tuple[str, ...] = setting(())
    seed: int = setting(0, low=0)

    def check(self, dataset):
        for name in self.factors:
            dataset.axis(name)
        if self.factors and self.kind == "random":
            raise BadInput(f"held_out: random asks for no factors, found {', '.join(self.factors)}")
        found = len(self.held_out(dataset)) / dataset.size
        if not 0 < found < 1 or not self.share / 2 <= found <= 1.5 * self.share:
            raise BadInput(
                f"held_out: {self.kind} of {self.share:g} of the cells of {dataset.name!r} is not "
                f"possible with these factors, found {found:.3g}: name others"
            )

    def draw(self, dataset, key, count):
        seen = jnp.asarray(_seen(self, dataset.factor_names, dataset.factor_sizes, dataset.size))
        return seen[jax.random.randint(key, (count,), 0, len(seen))]

    def held_out(self, dataset):
        seen = _seen(self, dataset.factor_names, dataset.factor_sizes, dataset.size)
        return np.setdiff1d(np.arange(dataset.size, dtype=np.int32), seen, assume_unique=True)

    def _out(self, names, sizes, size) -> np.ndarray:
        """Which of `size` cells are held out, booleans [size]."""
        rng = np.random.default_rng([self.seed, 0x4E1D])
        if self.kind != "random":
            # All nuisances of a combination go with it.
            out = self._combinations(rng, names, sizes).ravel()
            return np.repeat(out, size // len(out))
        out = np.zeros(size, bool)
        out[rng.permutation(size)[: round(self.share * size)]] = True
        return out

    def _combinations(self, rng, names, sizes):
        """Which of the factors' combinations are held out, a table of booleans [*sizes]."""
        fewest = 3 if self.kind == "interpolation" else 2
        chosen = [
            axis
            for axis, name in enumerate(names)
            if (not self.factors or name in self.factors) and sizes[axis] >= fewest
        ]
        if self.kind == "composition":
            each = self.share ** (1 / max(len(chosen), 1))
            out = np.ones(sizes, bool) if len(chosen) > 1 else np.zeros(sizes, bool)
        else:
            each = 1 - (1 - self.share) ** (1 / max(len(chosen), 1))
            out = np.zeros(sizes, bool)
        for axis in chosen:
            values = np.zeros(sizes[axis], bool)
            values[self._values(rng, sizes[axis], each)] = True
            values = np.expand_dims(values, [other for other in range(len(sizes)) if other != axis])
            out = out & values if self.kind == "composition" else out | values
        return out

    def _values(self, rng, size, share):
        """The values of one factor that are left out."""
        if self.kind == "composition":
            return rng.permutation(size)[: min(max(round(share * size), 1), size - 1)]
        if self.kind == "extrapolation":
            return np.arange(size)[size - min(max(round(share * size), 1), size - 1) :]
        between = np.arange(1, size - 1, 2)  # so that both neighbours of each are seen
        return rng.permutation(between)[: max(round(share * size), 1)]


@register("correlated")
class Correlated(Cells):
    """Factors that come together, with a Pearson correlation of `correlation`.

    `pairs` are "cause>effect", names of factors: one pair; several pairs; or several effects of one
    cause, which is then their confounder. Causes and all other factors are uniform, and given its
    cause a of A values an effect b of B values has

        p(b | a) ∝ exp(−(a / (A − 1) − b / (B − 1))² / 2σ²)

    with the σ that gives the correlation asked for. Träuble et al. (2021, equation 2) have this
    table for p(a, b), and state σ: there the ends of both factors are rarer, and correlations
    differ with the sizes. Where a `condition` names a further factor, effects follow their causes
    in the upper half of its values only, and are uniform in the lower one; the correlation is that
    of the upper half. 0 is the negative control: all cells are equally likely.
    """

    pairs: tuple[str, ...] = setting(())
    correlation: float = setting(0.8, low=0.0, high=0.99, real=True)
    condition: str = setting("")

    def check(self, dataset):
        pairs = self._pairs()
        for name in (*(name for pair in pairs for name in pair), *filter(None, [self.condition])):
            dataset.axis(name)
        effects = [effect for _, effect in pairs]
        causes = {cause for cause, _ in pairs}
        if not pairs or len(set(effects)) < len(effects) or causes & set(effects):
            raise BadInput(
                "correlated: pairs must be one cause>effect at least, an effect of one cause only "
                f"and no cause itself, found {', '.join(self.pairs) or 'none'}"
            )
        if self.condition in causes | set(effects):
            raise BadInput(
                f"correlated: condition must be a factor of no pair, found {self.condition!r}"
            )
        sizes = dict(zip(dataset.factor_names, dataset.factor_sizes, strict=True))
        for cause, effect in pairs:
            if 1 in (sizes[cause], sizes[effect]):
                raise BadInput(f"correlated: {cause}>{effect} has a factor of one value only")
            reached = _correlation(_table(1e-3, sizes[cause], sizes[effect]))
            if self.correlation > reached:
                raise BadInput(
                    f"correlated: {cause}>{effect} can have a correlation of {reached:.3f} at "
                    f"most, found {self.correlation:g}"
                )

    def draw(self, dataset, key, count):
        key_cells, key_effects = jax.random.split(key)
        cells = jax.random.randint(key_cells, (count,), 0, dataset.size)
        values = list(jnp.unravel_index(cells, dataset.grid))
        axis = dataset.axis
        follows = jnp.ones(count, bool)
        if self.condition:
            half = dataset.factor_sizes[axis(self.condition)] / 2
            follows = values[axis(self.condition)] >= half
        for i, (cause, effect) in enumerate(self._pairs()):
            a, b = axis(cause), axis(effect)
            table = _table_of(self.correlation, dataset.factor_sizes[a], dataset.factor_sizes[b])
            shares = jnp.asarray(np.cumsum(table, axis=1)[:, :-1], jnp.float32)
            u = jax.random.uniform(jax.random.fold_in(key_effects, i), (count,))
            drawn = (u[:, None] >= shares[values[a]]).sum(axis=1)
            values[b] = jnp.where(follows, drawn, values[b])
        return jnp.ravel_multi_index(tuple(values), dataset.grid, mode="clip")

    def _pairs(self):
        """(cause, effect) of each pair."""
        pairs = [tuple(pair.split(">")) for pair in self.pairs]
        if any(len(pair) != 2 for pair in pairs):
            raise BadInput(
                f"correlated: pairs must be written cause>effect, found {', '.join(self.pairs)}"
            )
        return pairs


@lru_cache(maxsize=8)
def _seen(held_out: HeldOut, names, sizes, size) -> np.ndarray:
    """The cells that are drawn, in rising order."""
    return np.flatnonzero(~held_out._out(names, sizes, size)).astype(np.int32)


@lru_cache(maxsize=32)
def _table_of(correlation: float, causes: int, effects: int) -> np.ndarray:
    """p(b | a) [causes, effects] with this correlation; σ by bisection, which falls with it."""
    if correlation == 0:
        return np.full((causes, effects), 1 / effects)
    narrow, wide = 1e-3, 1e3
    for _ in range(60):
        sigma = math.sqrt(narrow * wide)
        if _correlation(_table(sigma, causes, effects)) > correlation:
            narrow = sigma
        else:
            wide = sigma
    return _table(sigma, causes, effects)


def _table(sigma, causes, effects):
    a, b = np.linspace(0, 1, causes)[:, None], np.linspace(0, 1, effects)[None]
    log_p = -((a - b) ** 2) / (2 * sigma**2)
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _correlation(table):
    """Pearson's, of a uniform cause and its effect."""
    p = table / len(table)
    a, b = np.arange(table.shape[0])[:, None], np.arange(table.shape[1])[None]
    mean = lambda values: (p * values).sum()  # noqa: E731
    covariance = mean(a * b) - mean(a) * mean(b)
    return covariance / math.sqrt((mean(a**2) - mean(a) ** 2) * (mean(b**2) - mean(b) ** 2))
