"""The metric contract, and what a metric may be given."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from soberlook.registry import Registry

METRICS = Registry("metric")


class Metric(NamedTuple):
    """A registered metric: a function, what it takes, and on how many cells."""

    name: str
    function: Callable[..., dict[str, float]]
    of: Literal["codes", "split", "representation", "interventions"]
    version: int  # raised when the numbers change: rows of other versions are computed again
    points: int  # cells drawn with replacement, for "codes" and to train on in "split"
    test_points: int  # further cells to test on, for "split"
    suffix: str  # of the names of its numbers, where sizes or codes are not the study's
    codes: Literal["mean", "sampled"]  # which codes of a run it is called with


class Representation(NamedTuple):
    """A trained run over its dataset's whole grid, n cells in C order."""

    mean: Float[np.ndarray, "n z"]  # the posterior mean: the codes that the study scores
    kl: Float[np.ndarray, "n z"]  # KL(q(z_j|x) ‖ p(z_j)) in nats
    reconstruction: Float[np.ndarray, " n"]  # −log p(x|z) in nats, z one sample of q(z|x)
    factor_sizes: tuple[int, ...]
    sampled: Float[np.ndarray, "n z"] | None = None  # that sample of q(z|x)

    def factors(self, cells: Int[np.ndarray, " k"]) -> Int[np.ndarray, "k f"]:
        """The factors' values of these cells, whole numbers from 0."""
        return np.stack(np.unravel_index(cells, self.factor_sizes), axis=-1)


def register(
    name: str,
    *,
    of: Literal["codes", "split", "representation", "interventions"],
    version: int = 1,
    points: int = 10_000,
    test_points: int = 5_000,
    suffix: str = "",
    codes: Literal["mean", "sampled"] = "mean",
):
    """Function decorator: enter a metric under `name`. Sizes and codes are the study's by default.

    It is called, according to `of`, with what follows, and gives numbers by name:
    "codes" (codes [n, z], factors [n, f]) of drawn cells;
    "split" the same twice, (codes, factors, test_codes, test_factors);
    "representation" (representation);
    "interventions" (representation, rng), for metrics that draw cells by a rule of their own.
    """

    def decorate(function):
        METRICS.add(name, Metric(name, function, of, version, points, test_points, suffix, codes))
        return function

    return decorate


def compute(metric: Metric, representation: Representation, rng: np.random.Generator) -> dict:
    """The numbers of one metric for one run; `rng` draws the cells it sees."""

    if metric.codes == "sampled":
        representation = representation._replace(mean=representation.sampled)

    def draw(count):
        cells = rng.integers(len(representation.mean), size=count)
        return representation.mean[cells], representation.factors(cells)

    if metric.of == "codes":
        arguments = draw(metric.points)
    elif metric.of == "split":
        arguments = (*draw(metric.points), *draw(metric.test_points))
    elif metric.of == "interventions":
        arguments = (representation, rng)
    else:
        arguments = (representation,)
    return {key + metric.suffix: v for key, v in metric.function(*arguments).items()}


def check_codes(codes, name="codes"):
    """codes [n, z] as an array, or a ValueError that names the array at fault."""
    codes = _table(codes, name)
    if not np.issubdtype(codes.dtype, np.number) or np.iscomplexobj(codes):
        raise ValueError(f"{name} must be real numbers, found {codes.dtype}")
    if not np.isfinite(codes).all():
        column = int(np.argmin(np.isfinite(codes).all(axis=0)))
        raise ValueError(f"{name} must be finite, found NaN or infinity in column {column}")
    return codes


def check_codes_and_factors(codes, factors, of=""):
    """(codes [n, z], factors [n, f]) as arrays, or a ValueError that names the array at fault.

    `of` goes before the names in messages: "test " for the test half of a split.
    """
    codes, factors = check_codes(codes, f"{of}codes"), _table(factors, f"{of}factors")
    if len(codes) != len(factors):
        lengths = f"{len(codes)} and {len(factors)}"
        raise ValueError(f"{of}codes and factors must be as long, found {lengths}")
    if not np.issubdtype(factors.dtype, np.integer):
        raise ValueError(f"{of}factors must be whole numbers, found {factors.dtype}")
    for column, values in enumerate(factors.T):
        if (values == values[0]).all():
            raise ValueError(f"{of}factors must vary, found one value in column {column}")
    return codes, factors


def check_split(codes, factors, test_codes, test_factors):
    """Both halves as arrays of as many columns, or a ValueError that names the array at fault."""
    train = check_codes_and_factors(codes, factors)
    test = check_codes_and_factors(test_codes, test_factors, of="test ")
    for name, a, b in zip(("codes", "factors"), train, test, strict=True):
        if a.shape[1] != b.shape[1]:
            columns = f"{a.shape[1]} and {b.shape[1]}"
            raise ValueError(f"{name} and test {name} must have as many columns, found {columns}")
    return *train, *test


def _table(array, name):
    array = np.asarray(array)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must be a table [n, columns], found shape {array.shape}")
    return array
