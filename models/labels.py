"""What models ask of labels: which they are fed, and that a factor's values fit their classes."""

from soberlook.registry import BadInput

KINDS = ("perfect", "random")  # random ones are a negative control


def labels_view(count: int, kind: str) -> tuple:
    """The view of `count` images with labels, 0 for all. Random ones belong to a cell for good."""
    random = {"kind": "noisy", "noise": 1.0} if kind == "random" else {}
    return "labels", {"count": count, **random}


def check_classes(model, dataset, factor: str, classes: str, exactly: bool = False):
    """Raise `BadInput` unless the field `factor` numbers one of the dataset's factors and the field
    `classes` is no less than its values, or as many."""
    number, found, sizes = getattr(model, factor), getattr(model, classes), dataset.factor_sizes
    if number >= len(sizes):
        raise BadInput(
            f"{model.name}: {factor} must be < {len(sizes)}, the factors of {dataset.name!r}, "
            f"found {number}"
        )
    if found < sizes[number] or (exactly and found != sizes[number]):
        raise BadInput(
            f"{model.name}: {classes} must be {'' if exactly else '≥ '}{sizes[number]}, the values "
            f"of {dataset.factor_names[number]!r} of {dataset.name!r}, found {found}"
        )
