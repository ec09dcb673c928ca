"""What there is, as tables: `soberlook list`."""

from rich.table import Table

from .terminal import table


def models() -> Table:
    """Every model with its paper, what it must be fed, its strength and its sweep."""
    listed = table("model", "paper", "needs", "strength", "sweep", "what it is")
    for row in model_rows():
        listed.add_row(*row)
    return listed


def model_rows() -> list[tuple[str, ...]]:
    """The cells of `models`."""
    from soberlook.datasets import make_view
    from soberlook.models import MODELS, strength_name, sweep

    rows = []
    for name, cls in sorted(MODELS.items()):
        values = ", ".join(f"{value:g}" for value in sweep(cls))
        needs = ", ".join(make_view(need).name for need in cls().needs)
        rows.append((name, cls.paper, needs, strength_name(cls) or "", values, _title(cls)))
    return rows


def metrics() -> Table:
    """Every metric, what it is computed from, and on how many cells."""
    from soberlook.metrics import METRICS

    listed = table("metric", "of", "cells", "what it is")
    for name, metric in sorted(METRICS.items()):
        listed.add_row(name, metric.of, _cells(metric), _title(metric.function))
    return listed


def datasets() -> Table:
    """Every dataset with its size, its images and its factors."""
    from soberlook.datasets import DATASETS

    listed = table("dataset", "images", "shape", "factors", "what it is")
    for name, cls in sorted(DATASETS.items()):
        dataset = cls()
        sizes = zip(dataset.factor_names, dataset.factor_sizes, strict=True)
        factors = ", ".join(f"{factor} {size}" for factor, size in sizes)
        shape = "×".join(map(str, dataset.image_shape))
        if dataset.nuisance_sizes:
            hidden = zip(dataset.nuisance_names, dataset.nuisance_sizes, strict=True)
            factors += "; " + ", ".join(f"{nuisance} {size}" for nuisance, size in hidden)
        listed.add_row(name, f"{dataset.size:,}", shape, factors, _title(cls))
    return listed


def studies() -> Table:
    """Every study with its size."""
    from . import studies as _  # noqa: F401  registers them
    from .study import STUDIES

    listed = table("study", "runs", "what it is")
    for name, study in sorted(STUDIES.items()):
        listed.add_row(name, f"{study.size:,}", study.about.partition("\n")[0])
    return listed


def _cells(metric):
    """How many cells a metric of codes sees, and which."""
    if metric.of not in ("codes", "split", "setting"):
        return ""
    sizes = f"{metric.points:,}"
    if metric.of == "split":
        sizes += f" + {metric.test_points:,}"
    return sizes + " disjoint" * metric.disjoint + f" {metric.codes}" * (metric.codes != "mean")


def _title(thing):
    """The first sentence of what it says of itself."""
    return (thing.__doc__ or "").strip().partition("\n")[0]
