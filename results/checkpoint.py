"""What a run has learnt, as a model that can be asked again."""

from typing import Any, NamedTuple

import numpy as np

from soberlook.registry import BadInput

from . import arrays
from .store import UNREADABLE, Store, find

SCHEMA = 1  # of the files, raised when one means something else


class Learnt(NamedTuple):
    """A trained model: `model.encode(state, x)`, `model.decode(state, z)`."""

    model: Any
    state: Any  # without its optimizer's part: it is for asking, not for going on


def checkpoint(where, run_id: str) -> Learnt:
    """The model and the state of a run whose parameters were kept (`run --keep best|all`).

    Its class must be registered here, with the version it was trained as. Raises BadInput where
    they were not kept, or are of another class, version or shape; nothing in the file is executed.
    """
    from soberlook import models

    for store in find(where):
        for name in store.names("parameters"):
            about = about_of(store, name)
            places = [i for i, run in enumerate(about["runs"]) if run["id"] == run_id]
            if not places:
                continue
            leaves, run = leaves_of(store, name), about["runs"][places[0]]
            own = {key: leaf[places[0]] for key, leaf in leaves.items()}
            try:
                model = check_version(models.make(run["model"], **run["settings"]), run)
                return Learnt(model, models.restored(model, about["batch"], own))
            except ValueError as error:
                raise BadInput(f"{store.where}: parameters of run {run_id}: {error}") from None
    raise BadInput(f"{where}: the parameters of run {run_id!r} were not kept")


def about_of(store: Store, name: str) -> dict:
    """The header of a file of parameters; BadInput where it is none, or newer than this code."""
    try:
        about = arrays.about(store.get(f"parameters/{name}"))
        schema, runs = int(about["schema"]), list(about["runs"])
        fine = all({"id", "model", "version", "settings"} <= {*run} for run in runs)
        if not fine or not isinstance(about["batch"], dict):
            raise ValueError("its header lacks something")
    except UNREADABLE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BadInput(f"{store.where}/parameters/{name}: {reason}") from None
    if schema > SCHEMA:
        raise BadInput(
            f"{store.where}/parameters/{name} has schema {schema}, this version reads up to "
            f"{SCHEMA}: update soberlook"
        )
    return about


def leaves_of(store: Store, name: str) -> dict[str, np.ndarray]:
    """The arrays of a file of parameters, stacked over its runs, by the leaves' names."""
    try:
        return arrays.from_bytes(store.get(f"parameters/{name}"))[0]
    except UNREADABLE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BadInput(f"{store.where}/parameters/{name}: {reason}") from None


def check_version(model, run: dict):
    """The model, if its class means what it meant when the run was trained."""
    if model.version != run["version"]:
        raise BadInput(
            f"run {run['id']} was trained as version {run['version']} of {model.name}, "
            f"here is version {model.version}"
        )
    return model
