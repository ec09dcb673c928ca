"""Scoring trained runs again, from the parameters that were kept: `soberlook evaluate`."""

from typing import NamedTuple

import jax
import numpy as np

from soberlook import datasets, metrics, models
from soberlook.registry import BadInput
from soberlook.results.checkpoint import about_of, check_version, leaves_of
from soberlook.results.store import Store

from .evaluate import asks, draws_of, represent, rows_of, score
from .progress import Counting
from .study import digest
from .terminal import err, say
from .worker import load


class Scored(NamedTuple):
    """A run, as far as scoring asks."""

    id: str
    setting: str


def evaluate_kept(where: str, names: list[str], draws: int):
    """Score all runs whose parameters are kept at a place by what they were not scored by yet.

    What is finished is kept, also when this is interrupted.
    """
    store = Store(where)
    if store.about() is None:
        raise BadInput(f"{where}: expected a folder of results, found none")
    if not store.names("parameters"):
        raise BadInput(
            f"{where}: no parameters were kept there: run with --keep best or --keep all"
        )
    left = missing(store, tuple(names), draws)
    runs = {file: len(about_of(store, file)["runs"]) for file in left}
    if not left:
        say(f"all runs whose parameters are in {where} are scored by {', '.join(names)} already")
        return
    done, total = 0, sum(runs.values())
    with Counting(err, "runs scored", total) as progress:
        for file, own in left.items():
            evaluate_again(store, file, own, draws)
            progress.update(done := done + runs[file])
    say(f"{total} runs scored by {', '.join(names)}")


def missing(store: Store, names: tuple[str, ...], draws: int) -> dict[str, list[str]]:
    """File of parameters → those of these metrics that its runs were not scored by so far, on so
    many draws."""
    for name in names:
        metrics.METRICS.find(name)
    planned = {}
    for cohort in store.plans():
        of_study = cohort.get("metrics", ()) if cohort.get("draws", 1) >= draws else ()
        planned |= {run["id"]: {*of_study} for run in cohort["runs"]}
    there, left = {*store.names("rows", ".parquet")}, {}
    for file in store.names("parameters"):
        ids = [run["id"] for run in about_of(store, file)["runs"]]
        done = set.intersection(*(planned.get(run_id, set()) for run_id in ids))
        left[file] = [n for n in names if n not in done and _file(file, n, draws) not in there]
    return {file: own for file, own in left.items() if own}


def evaluate_again(store: Store, file: str, names: list[str], draws: int):
    """Score the runs of a file of parameters by these metrics, and keep the rows.

    What one metric says of them is a file of its own, so that asking twice, or from two places at
    once, keeps nothing twice. Raises BadInput where a class or the dataset is not what it was.
    """
    about, leaves = about_of(store, file), leaves_of(store, file)
    runs, step = [Scored(run["id"], run["setting"]) for run in about["runs"]], about["step"]
    dataset = _dataset(about)
    try:
        stacked = _stacked(about, leaves)
    except ValueError as error:
        raise BadInput(f"{store.where}/parameters/{file}: {error}") from None
    data, draws_here = load(dataset), draws_of(dataset, draws)
    learnt = {}
    for member, run in enumerate(runs):
        where = *stacked, member, data
        own = [represent(*where, dataset, draw) for draw in draws_here]
        learnt[run] = own, (*where, dataset) if asks(names) else ()
    for name in names:
        rows = []
        for run, draw, numbers, _ in score([name], learnt, draws_here):
            rows.extend(rows_of(run, step, draw, numbers))
        store.write_rows(_file(file, name, draws), rows)


def _file(file, name, draws):
    """What a metric says of a cohort is among the cohort's rows: `<cohort>-<number>`."""
    asked = digest([name, metrics.METRICS[name].version, draws])
    return f"{file}-{int(asked, 16)}"


def _dataset(about):
    """The dataset that the runs were trained on."""
    run = about["runs"][0]
    dataset = datasets.make(run["dataset"], **run["dataset_settings"])
    if dataset.version != run["dataset_version"]:
        raise BadInput(
            f"run {run['id']} was trained on version {run['dataset_version']} of {dataset.name}, "
            f"here is version {dataset.version}"
        )
    if reason := dataset.missing():
        raise BadInput(reason)
    return dataset


def _stacked(about, leaves):
    """(models, seeds, states) of the runs, stacked as they were trained."""
    members = []
    for place, run in enumerate(about["runs"]):
        model = check_version(models.make(run["model"], **run["settings"]), run)
        own = {name: leaf[place] for name, leaf in leaves.items()}
        state = models.restored(model, about["batch"], own)
        model = jax.tree.map(np.float32, model)
        members.append((model, np.uint32(run["seed"]), state))
    return jax.tree.map(lambda *leaves: np.stack(leaves), *members)
