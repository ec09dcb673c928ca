"""The metric contract, and what a metric may be given."""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Float, Int, Num, PRNGKeyArray

from soberlook.registry import Registry

METRICS = Registry("metric")
Numbers = float | Float[np.ndarray, "..."]  # of one run, or an array of the runs
Of = Literal["codes", "split", "representation", "interventions", "trained", "setting"]
Codes = Literal["mean", "sampled", "rotated"]  # "rotated": see `rotation`


class Metric(NamedTuple):
    """A registered metric: a function, what it takes, and on how many cells."""

    name: str
    function: Callable[..., dict[str, float]]
    of: Of
    version: int  # raised when the numbers change: rows of other versions are computed again
    points: int  # cells drawn with replacement, for "codes" and to train on in "split"
    test_points: int  # further cells to test on, for "split"
    suffix: str  # of the names of its numbers, where sizes, cells or codes are not the study's
    codes: Codes  # which codes of a run it is called with
    disjoint: bool  # whether no cell is both trained on and tested on, for "split"
    batched: bool  # whether codes may have a leading axis of runs, which numbers then have
    continuous: bool  # whether factors may be any real numbers, not only classes
    threaded: bool  # whether it uses all cores by itself: runs are then computed in turn
    factors: bool  # whether it looks at the factors that it is given
    attributes: bool  # whether it is given, for factors, what a dataset measures in its images

    @property
    def needs_factors(self) -> bool:
        """Whether it means nothing for data without factors."""
        return self.factors and self.of in ("codes", "split", "interventions")


class Representation(NamedTuple):
    """A trained run over its dataset's whole grid, n cells in C order."""

    mean: Float[np.ndarray, "n z"]  # the posterior mean: the codes that the study scores
    kl: Float[np.ndarray, "n any"]  # KL(q(z_j|x) ‖ p(z_j)) in nats; a one-hot of K codes has one
    reconstruction: Float[np.ndarray, " n"]  # −log p(x|z) in nats, z one sample of q(z|x)
    factor_sizes: tuple[int, ...]
    sampled: Float[np.ndarray, "n z"] | None = None  # that sample of q(z|x)
    nuisance_sizes: tuple[int, ...] = ()  # of axes behind the factors' that no metric asks for
    held_out: Int[np.ndarray, " m"] | None = None  # cells that the run was not trained on, if any
    measured: Float[np.ndarray, "n a"] | None = None  # attributes; None where they are the factors

    @property
    def grid(self) -> tuple[int, ...]:
        """The sizes of all axes."""
        return self.factor_sizes + self.nuisance_sizes

    def factors(self, cells: Int[np.ndarray, "..."]) -> Int[np.ndarray, "... f"]:
        """The factors' values of these cells, whole numbers from 0."""
        values = np.unravel_index(cells, self.grid)[: len(self.factor_sizes)]
        return np.stack(values, axis=-1)

    def attributes(self, cells: Int[np.ndarray, "..."]) -> Num[np.ndarray, "... a"]:
        """What the dataset measures in the images of these cells; else their factors' values."""
        return self.factors(cells) if self.measured is None else self.measured[cells]


@runtime_checkable
class Posterior(Protocol):
    """q(z|x) of the images of a batch: a NamedTuple of arrays [b, …]."""

    mean: Float[Array, "b z"]

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """One code of every image."""

    def log_ratio(self, z: Float[Array, "b z"]) -> Float[Array, " b"]:
        """log p(z) − log q(z|x) in nats; NaN where there is no density."""

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """Codes of the prior p(z); NaN where there is none."""


class Trained(NamedTuple):
    """A trained run that can be asked: for metrics of what it makes of images and of codes.

    Images are [b, h, w, c] in [0, 1], codes [b, z]; arrays of JAX, on the device. `size`
    cells in C order. Functions may be called with any number of cells, and under `jax.jit`.
    """

    representation: Representation
    observe: Callable  # (cells [b], key) → images; the key is for the dataset's noise, if any
    encode: Callable  # images → q(z|x), see `Posterior`
    decode: Callable  # codes → images: the mean of p(x|z)
    log_likelihood: Callable  # (images, codes) → log p(x|z) [b] in nats
    parts: dict[int, slice] = {}  # the part of a code that is to hold a factor, if any is; by axis


def register(
    name: str,
    *,
    of: Of,
    version: int = 1,
    points: int = 10_000,
    test_points: int = 5_000,
    suffix: str = "",
    codes: Codes = "mean",
    disjoint: bool = False,
    batched: bool = False,
    continuous: bool = False,
    threaded: bool = False,
    factors: bool = True,
    attributes: bool = False,
):
    """Function decorator: enter a metric under `name`. Sizes and codes are the study's by default.

    It is called, according to `of`, with what follows, and gives numbers by name:
    "codes" (codes [n, z], factors [n, f]) of drawn cells;
    "split" the same twice, (codes, factors, test_codes, test_factors);
    "representation" (representation);
    "interventions" (representation, rng), for metrics that draw cells by a rule of their own;
    "trained" (trained, rng), for metrics of images and of the decoder;
    "setting" (codes [m, n, z], kl [m, any]) of the m runs of one setting, at the same drawn cells;
    its numbers are arrays [m].
    """

    def decorate(function):
        sizes = version, points, test_points, suffix
        kinds = codes, disjoint, batched, continuous, threaded, factors, attributes
        metric = Metric(name, function, of, *sizes, *kinds)
        METRICS.add(name, metric)
        return function

    return decorate


def numbers(values: np.floating | Float[np.ndarray, "..."]) -> Numbers:
    """A float for one run, the array where there are axes of runs."""
    return float(values) if np.ndim(values) == 0 else np.asarray(values)


def check_codes(codes, name="codes"):
    """codes [..., n, z] as an array, or a ValueError that names the array at fault."""
    codes = _table(codes, name, runs=True)
    if not np.issubdtype(codes.dtype, np.number) or np.iscomplexobj(codes):
        raise ValueError(f"{name} must be real numbers, found {codes.dtype}")
    if not np.isfinite(codes).all():
        rows = tuple(range(codes.ndim - 1))
        column = int(np.argmin(np.isfinite(codes).all(axis=rows)))
        raise ValueError(f"{name} must be finite, found NaN or infinity in column {column}")
    return codes


def check_codes_and_factors(codes, factors, of="", whole=True):
    """(codes [..., n, z], factors [n, f]) as arrays, or a ValueError that names the array at fault.

    `of` goes before the names in messages: "test " for the test half of a split. Factors must be
    whole numbers, or where not `whole` any finite real ones.
    """
    codes, factors = check_codes(codes, f"{of}codes"), _table(factors, f"{of}factors")
    if codes.shape[-2] != len(factors):
        lengths = f"{codes.shape[-2]} and {len(factors)}"
        raise ValueError(f"{of}codes and factors must be as long, found {lengths}")
    if len(factors) < 2:
        raise ValueError(f"{of}codes and factors must be two samples at least, found one")
    if not whole:
        factors = check_codes(factors, f"{of}factors")
    elif not np.issubdtype(factors.dtype, np.integer):
        raise ValueError(f"{of}factors must be whole numbers, found {factors.dtype}")
    for column, values in enumerate(factors.T):
        found = len(np.unique(values))
        if found == 1:
            raise ValueError(f"{of}factors must vary, found one value in column {column}")
        if whole and found == len(values):
            sizes = f"{found} classes of {found} samples in column {column}"
            raise ValueError(f"{of}factors must have fewer classes than samples, found {sizes}")
    return codes, factors


def check_split(codes, factors, test_codes, test_factors, whole=True):
    """Both halves as arrays of as many columns, or a ValueError that names the array at fault."""
    train = check_codes_and_factors(codes, factors, whole=whole)
    test = check_codes_and_factors(test_codes, test_factors, of="test ", whole=whole)
    for name, a, b in zip(("codes", "factors"), train, test, strict=True):
        if a.shape[-1] != b.shape[-1]:
            columns = f"{a.shape[-1]} and {b.shape[-1]}"
            raise ValueError(f"{name} and test {name} must have as many columns, found {columns}")
    return *train, *test


def _table(array, name, runs=False):
    array = np.asarray(array)
    if (array.ndim < 2 if runs else array.ndim != 2) or 0 in array.shape:
        raise ValueError(f"{name} must be a table [n, columns], found shape {array.shape}")
    return array
