"""Calling metrics for many runs: the cells that they see are drawn once; the runs that a metric can
take together it gets in one call, others are computed side by side."""

import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .boosting import THREADS
from .metric import Metric, Representation, Trained
from .rotation import rotate

Outcome = dict[str, float] | ValueError


def compute(
    metric: Metric,
    representations: Sequence[Representation],
    *,
    seed: int = 0,
    trained: Sequence[Trained] = (),
) -> list[Outcome]:
    """The numbers of one metric for each of these runs of one dataset, or why it has none.

    Equal seeds draw equal cells, whatever the run and whatever else is computed. `trained` are the
    same runs, for metrics that ask for them.
    """
    if metric.of == "trained":
        return [_called(metric, run, rng_of(metric, seed)) for run in trained]
    runs = [of_codes(metric, run, seed) for run in representations]
    if metric.of == "representation":
        return [_called(metric, run) for run in runs]
    if metric.of == "interventions":
        return _side_by_side(metric, [(run, rng_of(metric, seed)) for run in runs])
    try:
        draws = draw_cells(metric, len(runs[0].mean), rng_of(metric, seed))
    except ValueError as error:
        return [error] * len(runs)
    look = runs[0].attributes if metric.attributes else runs[0].factors
    factors = [look(cells) for cells in draws]
    codes = [[run.mean[cells] for run in runs] for cells in draws]
    if metric.of == "setting":
        kl = np.stack([run.kl.mean(axis=0, dtype=np.float64) for run in runs])
        return _together(metric, np.stack(codes[0]), kl)
    if metric.batched and all(np.isfinite(own).all() for own in codes[0]):
        return _together(metric, *_alternating(map(np.stack, codes), factors))
    return _side_by_side(metric, [_alternating(own, factors) for own in zip(*codes, strict=True)])


def draw_cells(metric: Metric, size: int, rng) -> list[np.ndarray]:
    """The cells that a metric of codes sees, with replacement: one array, or two for a split.

    The halves of a disjoint split are drawn from two parts of the grid, as large as they are.
    """
    counts = [metric.points] + [metric.test_points] * (metric.of == "split")
    if not metric.disjoint:
        return [rng.integers(size, size=count) for count in counts]
    order = rng.permutation(size)
    border = round(size * metric.points / sum(counts))
    parts = order[:border], order[border:]
    if 0 in map(len, parts):
        raise ValueError(f"{metric.name} needs two cells at least, found {size}")
    return [rng.choice(part, size=count) for part, count in zip(parts, counts, strict=True)]


def of_codes(metric: Metric, representation: Representation, seed: int) -> Representation:
    """The run with the codes that this metric is called with in the place of the mean."""
    if metric.codes == "mean":
        return representation
    if metric.codes == "rotated":
        return representation._replace(mean=rotate(representation.mean, seed))
    return representation._replace(mean=representation.sampled)


def rng_of(metric, seed):
    return np.random.default_rng([seed, zlib.crc32(metric.name.encode())])


def _alternating(codes, factors):
    return [array for pair in zip(codes, factors, strict=True) for array in pair]


def _together(metric, codes, *others) -> list[Outcome]:
    """All runs in one call; where it fails they fail together."""
    found = _called(metric, codes, *others)
    if isinstance(found, ValueError):
        return [found] * len(codes)
    return [{key: float(v[i]) for key, v in found.items()} for i in range(len(codes))]


def _side_by_side(metric, calls) -> list[Outcome]:
    """One call a run, as many at a time as there are cores."""
    pool = ThreadPoolExecutor(1 if metric.threaded else min(THREADS, len(calls)))
    # Metrics ignore this warning, each for itself. But filters belong to the process: without this
    # one, a thread that ends would take away another's.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            return list(pool.map(lambda arguments: _called(metric, *arguments), calls))
        finally:
            pool.shutdown(cancel_futures=True)  # an interruption does not wait for all runs


def _called(metric, *arguments):
    """The numbers of one run, or of all in one call; or the error."""
    try:
        found = metric.function(*arguments)
    except ValueError as error:
        return error
    return {key + metric.suffix: value for key, value in found.items()}
