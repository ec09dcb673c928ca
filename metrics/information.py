"""Plug-in information of discrete samples, in nats, and the binning that makes codes discrete.

Leading axes of codes are runs: all are computed in one call.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Num, Shaped
from scipy.special import entr

LARGEST = 2**33  # bytes of joint histograms


def discretize(codes: Num[np.ndarray, "*runs n z"], bins: int) -> Int[np.ndarray, "*runs n z"]:
    """Each code's bin, from 1, among `bins` of equal width between its minimum and maximum.

    Edges are computed in the precision of the codes and the maximum falls into the last bin, as
    in the study's reference code; a constant code has one bin.
    """
    columns = np.moveaxis(codes, -1, -2)
    found = np.stack([_bins(code, bins) for code in columns.reshape(-1, codes.shape[-2])])
    return np.moveaxis(found.reshape(columns.shape), -1, -2)


def mutual_information(
    a: Shaped[np.ndarray, "*runs n a"], b: Shaped[np.ndarray, "... n b"]
) -> Float[np.ndarray, "*runs a b"]:
    """I(a_i; b_j) of every pair of columns, from their joint histogram; ≥ 0.

    Exactly 0 for a constant column, where rounding would leave 1e-17: metrics ask for ratios.
    """
    joint = joint_histogram(a, b)
    of_a, of_b = _entropy(joint.sum(axis=-1)), _entropy(joint.sum(axis=-2))
    of_both = _entropy(joint.reshape(*joint.shape[:-2], -1))
    information = of_a + of_b - of_both
    return np.where(information > 1e-12, information, 0)


def entropy(a: Shaped[np.ndarray, "n a"]) -> Float[np.ndarray, " a"]:
    """H(a_i) of every column, from its histogram."""
    return _entropy(histogram(a))


def histogram(a: Shaped[np.ndarray, "n a"]) -> Float[np.ndarray, "a values"]:
    """How often every column has each of its values; 0 beyond those that it has."""
    counts = [np.unique(column, return_counts=True)[1] for column in a.T]
    return np.stack([np.pad(c, (0, max(map(len, counts)) - len(c))) for c in counts]).astype(float)


def joint_histogram(
    a: Shaped[np.ndarray, "*runs n a"], b: Shaped[np.ndarray, "... n b"]
) -> Float[np.ndarray, "*runs a b u v"]:
    """How often column i of `a` has its u-th value where column j of `b` has its v-th.

    A column's values are numbered in rising order, and counts beyond its last are 0. `b` has the
    runs' axes, or none where it is the same for all.
    """
    runs = a.shape[:-2]
    (a, values_a), (b, values_b) = _numbered(a), _numbered(b)
    if (size := a.shape[0] * a.shape[1] * b.shape[1] * values_a * values_b * 8) > LARGEST:
        columns = f"{a.shape[1]:,} and {b.shape[1]:,} columns"
        raise ValueError(f"joint histograms of {columns} would take {size / 2**30:,.0f} GB")
    counts = np.asarray(_count(a, b, values_a, values_b), np.float64)
    return counts.reshape(*runs, *counts.shape[1:])


@partial(jax.jit, static_argnums=(2, 3))
def _count(a, b, values_a, values_b):
    """Joint histograms [r, a, b, u, v] of numbered columns, [r, a, n] and [r or 1, b, n].

    Products of one-hot codes, exact because fewer than 2²⁴ ones are summed.
    """

    def of_run(run):
        hot_b = jax.nn.one_hot(b[jnp.minimum(run, len(b) - 1)], values_b, dtype=jnp.float32)

        def of_column(column):  # one at a time, so that wide codes fit
            hot_a = jax.nn.one_hot(column, values_a, dtype=jnp.float32)
            return jnp.einsum("nu,bnv->buv", hot_a, hot_b, precision="highest")

        return jax.lax.map(of_column, a[run])

    return jax.lax.map(of_run, jnp.arange(len(a)))


def _entropy(counts):
    """H of histograms along the last axis, added up in order: zeros do not change a rounding."""
    shares = counts / counts.sum(axis=-1, keepdims=True)
    return np.cumsum(entr(shares), axis=-1)[..., -1]


def _numbered(a):
    """Columns [r, a, n] with their values as 0, 1, … in rising order, and how many at most."""
    columns = np.moveaxis(a, -1, -2)
    flat = columns.reshape(-1, a.shape[-2])
    numbers = np.stack([np.unique(column, return_inverse=True)[1] for column in flat])
    return numbers.reshape(-1, *columns.shape[-2:]).astype(np.int32), int(numbers.max()) + 1


def _bins(code, bins):
    try:
        edges = np.histogram_bin_edges(code, bins)[:-1]
    except ValueError:
        # Its range holds fewer numbers than bins, as a collapsed code's may in single precision;
        # the study's code fails. Every number is a bin of its own.
        return np.unique(code, return_inverse=True)[1] + 1
    return np.digitize(code, edges)
