"""causal_model: a table from a structural causal model whose effects are known in closed form.

What a method that estimates effects without the whole causal graph (DCEVAE: Kim et al., AAAI 2021)
can be held against. A confounder c makes the sensitive attribute a and u_r come together; nothing
else does:

    c ~ Bern(½)    a | c ~ Bern(½ + κ (c − ½))    u_r | c ~ N(ρ (2c − 1), 1 − ρ²)
    u_d ~ N(0, 1)  noise ~ N(0, ¼)
    x_r = (1[u_r > 0], 1[|u_r| > τ])              non-descendants of a: which stratum u_r lies in
    x_d = 1[w a + u_d + noise > 0]                a descendant
    y   = 1[v a + p x_d + u_r > 0]                the label

with ρ = 0.8 and τ = 0.7. a is a fair coin, u_r has mean 0 and variance 1, and their correlation is
κρ. Rows show a, x_r, x_d and y.
"""

from math import erf, inf, sqrt

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import setting

from .columns import columns, encode, width
from .dataset import Dataset, register

RHO = 0.8
TAU = 0.7
NOISE = 0.5  # the standard deviation in x_d
# (x_r1, x_r2) of a stratum and the interval of u_r it stands for
STRATA = {(0, 1): (-inf, -TAU), (0, 0): (-TAU, 0.0), (1, 0): (0.0, TAU), (1, 1): (TAU, inf)}


@register("causal_model")
class CausalModel(Dataset):
    """Draws from a structural causal model whose total effect is known: rows (a, x_r, x_d, y)."""

    w: float = setting(1.0, low=-5.0, high=5.0, real=True)  # of a on x_d
    v: float = setting(0.3, low=-5.0, high=5.0, real=True)  # of a on y, directly
    p: float = setting(0.6, low=-5.0, high=5.0, real=True)  # of x_d on y
    confounding: float = setting(0.6, low=0.0, high=1.0, real=True)  # κ; 0: a says nothing of u_r

    columns = columns(a="binary", x_r1="binary", x_r2="binary", x_d="binary", y="binary")
    sensitive, label = "a", "y"
    descendants, non_descendants = ("x_d",), ("x_r1", "x_r2")
    factor_names = ("row",)
    factor_sizes = (32_768,)
    has_factors = False
    image_shape = (width(columns),)

    def load(self):
        causes = self.causes(jax.random.key(0), self.factor_sizes)
        values = {"a": causes["a"]} | self.outcomes(causes, causes["a"])
        return encode(self.columns, [values[column.name] for column in self.columns])

    def observe(self, data, cells, key):
        return data[cells]

    def causes(self, key, shape: tuple[int, ...]) -> dict[str, jax.Array]:
        """Independent draws of c, a, u_r, u_d and the noise: name → [*shape]."""
        key_c, key_a, key_r, key_d, key_noise = jax.random.split(key, 5)
        c = jax.random.bernoulli(key_c, shape=shape).astype(jnp.int32)
        a = jax.random.bernoulli(key_a, 0.5 + self.confounding * (c - 0.5), shape)
        u_r = RHO * (2 * c - 1) + sqrt(1 - RHO**2) * jax.random.normal(key_r, shape)
        u_d, noise = (jax.random.normal(key, shape) for key in (key_d, key_noise))
        return {"c": c, "a": a.astype(jnp.int32), "u_r": u_r, "u_d": u_d, "noise": NOISE * noise}

    def outcomes(self, causes, a) -> dict[str, jax.Array]:
        """What follows from these causes where the attribute is `a`, whole numbers 0 and 1.

        With a = causes["a"] the facts, with 1 − a the counterfactuals, with any constant do(a).
        """
        u_r = causes["u_r"]
        x_d = self.w * a + causes["u_d"] + causes["noise"] > 0
        outcomes = {
            "x_r1": u_r > 0,
            "x_r2": jnp.abs(u_r) > TAU,
            "x_d": x_d,
            "y": self.v * a + self.p * x_d + u_r > 0,
        }
        return {name: value.astype(jnp.int32) for name, value in outcomes.items()}

    def total_effect(self) -> float:
        """E[y | do(a = 1)] − E[y | do(a = 0)]; summed over c and x_d, exactly."""
        return self._label(1, 1 / 2) - self._label(0, 1 / 2)

    def observed_difference(self) -> float:
        """E[y | a = 1] − E[y | a = 0]: what mistaking correlation for effect would report."""
        return self._label(1, _share(self.confounding)) - self._label(0, _share(-self.confounding))

    def stratum_effects(self) -> np.ndarray:
        """E[y(1) − y(0) | x_r] [4], of the strata of `STRATA` in its order."""
        effects = []
        for interval in STRATA.values():
            shares = [_between(*interval, inf, c) for c in (0, 1)]
            change = self._label(1, 1 / 2, interval) - self._label(0, 1 / 2, interval)
            effects.append(change / (sum(shares) / 2))
        return np.array(effects)

    def _label(self, a, share, interval=(-inf, inf)) -> float:
        """P(y = 1, u_r in the interval) where the attribute is set to `a`, and P(c = 1) = share."""
        descendant = _normal(self.w * a / sqrt(1 + NOISE**2))  # P(x_d = 1 | do(a))
        probability = 0.0
        for c, weight in ((0, 1 - share), (1, share)):
            without = _between(*interval, self.v * a, c)
            gain = _between(*interval, self.v * a + self.p, c) - without
            probability += weight * (without + descendant * gain)  # gain 0 where p = 0, exactly
        return probability


def _share(confounding):
    """P(c = 1 | a = 1) where that is κ; P(c = 1 | a = 0) where it is −κ. Bayes, all priors ½."""
    return (1 + confounding) / 2


def _between(low, high, push, c) -> float:
    """P(low < u_r ≤ high and u_r + push > 0 | c)."""
    below = [_normal((edge - RHO * (2 * c - 1)) / sqrt(1 - RHO**2)) for edge in (low, -push, high)]
    return max(below[2] - max(below[0], below[1]), 0.0)


def _normal(x) -> float:
    """Φ(x), the standard normal distribution's."""
    return (1 + erf(x / sqrt(2))) / 2
