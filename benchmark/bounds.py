"""Floors and ceilings: what the metrics say of codes that know nothing, and of the true factors.

A perfect code does not score 1 under every metric, nor a useless one 0; a score means something
between the two.
"""

import numpy as np

from soberlook import metrics
from soberlook.results.store import Store

from .evaluate import measure
from .study import Run

LATENTS = 10  # of random codes, as many as the study's models have


def keep_bounds(store: Store, runs: list[Run], names: tuple[str, ...]):
    """Score true factors and random codes of every dataset, where the store has no such scores."""
    scored = [metrics.METRICS[name] for name in names]
    scored = [m for m in scored if m.of in ("codes", "split", "interventions")]
    kept = store.read("bounds").to_pylist()
    for dataset in {run.dataset.name: run.dataset for run in runs}.values():
        rows = [row for row in kept if row["dataset"] == dataset.name]
        known = {(row["source"], row["version"]) for row in rows}
        missing = [m.name for m in scored if (m.name, m.version) not in known]
        for codes in ("random", "factors") if missing else ():
            representation = make_representation(codes, dataset.factor_sizes)
            for source in missing:
                about = {"dataset": dataset.name, "codes": codes, "source": source}
                for name, value, version in measure(source, [representation])[0][0]:
                    rows.append(about | {"metric": name, "value": value, "version": version})
        if missing:
            store.write_bounds(dataset.name, rows)


def make_representation(codes: str, factor_sizes: tuple[int, ...]) -> metrics.Representation:
    """Standardised true factors, or ten codes of noise, over the grid."""
    cells = int(np.prod(factor_sizes))
    if codes == "factors":
        grid = np.stack(np.unravel_index(np.arange(cells), factor_sizes), axis=1)
        mean = (grid - grid.mean(axis=0)) / grid.std(axis=0)
    else:
        mean = np.random.default_rng(0).standard_normal((cells, LATENTS))
    mean = mean.astype(np.float32)
    nothing = np.zeros(cells, np.float32)
    return metrics.Representation(mean, np.zeros_like(mean), nothing, factor_sizes, mean)
