"""Scoring anybody's codes: points with their factors, or codes over a whole grid."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from .compute import compute, rng_of
from .metric import METRICS, Metric, Representation, check_codes, check_codes_and_factors

# What codes are scored by where nobody says: the study's metrics, and others that take seconds.
USUAL = (
    "beta_vae_score",
    "factor_vae_score",
    "mig",
    "dci",
    "modularity",
    "sap",
    "explicitness",
    "irs",
    "unsupervised",
)


class Scores(NamedTuple):
    """What metrics say of some codes, and why others say nothing."""

    numbers: dict[str, dict[str, float]]  # by metric, then by name
    reasons: dict[str, str]


def score(
    codes,
    factors=None,
    *,
    factor_sizes: Sequence[int] | Int[np.ndarray, " f"] | None = None,
    metrics: Iterable[str] | None = None,
    seed: int = 0,
    on_metric: Callable[[str], None] = lambda name: None,
) -> Scores:
    """Score codes [n, z] of points with factors [n, f], or of a grid of `factor_sizes` in C order.

    On a grid metrics draw cells as in a study. Points are taken as they are: as many as a metric
    asks for, drawn by `seed` where there are more, all where there are fewer, and where it tests a
    third of them for that; metrics that draw cells of their own need a grid. `metrics` are names;
    without them the usual ones that apply. `on_metric` hears what is computed next. Raises
    ValueError for arrays that no metric could read.
    """
    if (factors is None) == (factor_sizes is None):
        raise ValueError("expected either factors or factor_sizes")
    if factors is None:
        codes, sizes = check_codes(codes), tuple(int(size) for size in factor_sizes)
        if codes.ndim != 2 or int(np.prod(sizes)) != len(codes):
            grid = " × ".join(map(str, sizes))
            raise ValueError(f"codes of a grid of {grid} must have its cells, found {codes.shape}")
        unknown = np.full_like(codes, np.nan, dtype=np.float32)
        representation = Representation(codes, unknown, unknown[:, 0], sizes, codes)
    else:
        codes, factors = check_codes_and_factors(codes, factors, whole=False)
        if codes.ndim != 2:
            raise ValueError(f"codes must be a table [n, columns], found shape {codes.shape}")
    numbers, reasons = {}, {}
    chosen = [METRICS.find(name) for name in (USUAL if metrics is None else metrics)]
    for metric in chosen:
        if reason := _lacks(metric, factors):
            if metrics is not None:
                reasons[metric.name] = reason
            continue
        on_metric(metric.name)
        try:
            if factors is None:
                (found,) = compute(metric, [representation], seed=seed)
            else:
                found = metric.function(*_points(metric, codes, factors, rng_of(metric, seed)))
                found = {key + metric.suffix: value for key, value in found.items()}
        except ValueError as error:
            found = error
        if isinstance(found, ValueError):
            reasons[metric.name] = str(found)
        else:
            numbers[metric.name] = {key: float(value) for key, value in found.items()}
    return Scores(numbers, reasons)


def _lacks(metric: Metric, factors) -> str:
    """What this metric needs and does not get; empty where it can be computed."""
    if metric.of not in ("codes", "split", "interventions"):
        return "needs a trained run"
    if metric.codes == "sampled":
        return "needs sampled codes beside the mean ones"
    if factors is not None and (metric.of == "interventions" or metric.disjoint):
        return "needs codes over a grid and its factor_sizes"
    if factors is not None and not (metric.continuous or np.issubdtype(factors.dtype, np.integer)):
        return f"factors must be whole numbers, found {factors.dtype}"
    return ""


def _points(metric, codes, factors, rng):
    """What the metric is called with."""
    asked = metric.points + metric.test_points * (metric.of == "split")
    if metric.suffix and len(codes) < asked:
        raise ValueError(f"needs {asked:,} points, found {len(codes):,}")
    order = rng.permutation(len(codes))[:asked] if len(codes) > asked else np.arange(len(codes))
    if metric.of == "codes":
        return codes[order], factors[order]
    order = rng.permutation(order)
    border = metric.points if len(order) == asked else max(1, round(2 * len(order) / 3))
    train, test = order[:border], order[border:]
    return codes[train], factors[train], codes[test], factors[test]
