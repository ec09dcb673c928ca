"""How far a study is: what is done, what is being trained, what is missing, how fast, how long.

From the table of runs, from what was planned, and from signs of life of those who train. Nobody
is asked, and no rows are read, so that it can be looked at as often as one likes.
"""

import json
import math
import re
import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from soberlook.registry import BadInput

from .store import UNREADABLE, Store, StoreWarning
from .stores import Stores

STATES = ("done", "running", "failed", "diverged", "pending")
SILENCE = 180.0  # seconds without a beat after which whoever trained is taken for dead
CELL = ["dataset", "model"]


class Sign(NamedTuple):
    """A sign of life of whoever trains a cohort, as `running/<cohort>.json` has it."""

    who: str  # host and process
    begun: float  # seconds since 1970, as is
    beat: float  # the last time that it was seen alive
    runs: tuple[str, ...]
    first: int  # updates of all runs together that were there when it began
    updates: int  # that are there now
    of: int  # that there are going to be
    scored: int  # runs, since the last update


class Standing(NamedTuple):
    """How far a study is. Rates and times are None where nothing was trained to know them by."""

    cells: pd.DataFrame  # dataset × model → how many runs are in each of `STATES`
    reasons: list[tuple[int, str]]  # why runs have no numbers, or not all: the most frequent first
    at_work: int  # cohorts that are being trained
    images_per_second: float | None  # both of what was trained while anything was:
    runs_per_hour: float | None  # pauses do not count
    seconds_left: float | None


def standing_of(where: str, now: float) -> Standing:
    """How far the study at this place is, now. Raises `BadInput` where there is none."""
    (store,) = Stores(where).stores
    store.fs.invalidate_cache()  # others write here; object stores remember what they listed
    signs = signs_of_life(store).values()  # first: a run that is done meanwhile counts as that
    runs, plans = Stores(where).runs(), list(store.plans())
    if runs.empty and not plans:
        raise BadInput(f"{where}: no run was planned here yet")
    return standing(runs, plans, signs, now)


def signs_of_life(store: Store) -> dict[str, Sign]:
    """Cohort → the sign of life of whoever trains it. What is no such sign is passed over."""
    found = {}
    for cohort in store.names("running", ".json"):
        name = f"running/{cohort}.json"
        try:
            content = store.get(name)  # None: it was removed just now
            if content is not None:
                found[cohort] = _sign(json.loads(content))
        except (*UNREADABLE, OverflowError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            warnings.warn(f"{store.url(name)} was passed over: {reason}", StoreWarning, 2)
    return found


def standing(
    runs: pd.DataFrame, plans: Iterable[dict], signs: Iterable[Sign], now: float
) -> Standing:
    """How far a study is, from a row per run, the plans of its cohorts, and signs of life.

    A run is running if a cohort with it beat less than `SILENCE` ago, unless it is done, or failed
    or diverged after that cohort began. What a dead worker left is pending.
    """
    every = _every(runs, plans)
    living = [sign for sign in signs if now - sign.beat < SILENCE]
    again = every.index.map({run: sign.begun for sign in living for run in sign.runs})
    again = np.asarray(again, float)
    working = ~np.isnan(again) & ~(again <= every["begun"]) & (every["state"] != "done")
    every.loc[working, "state"] = "running"
    counts = every.groupby([*CELL, "state"]).size().unstack(fill_value=0)
    running = {*every.index[working]}
    living = [sign for sign in living if not running.isdisjoint(sign.runs)]
    spans = pd.concat([_trained(runs), _being_trained(living, every)], ignore_index=True)
    busy = _covered(spans["begun"], spans["seconds"])
    return Standing(
        counts.reindex(columns=list(STATES), fill_value=0).rename_axis(columns=None),
        _grouped(runs["reason"]),
        len(living),
        spans["images"].sum() / busy if busy else None,
        spans["runs"].sum() / busy * 3_600 if busy else None,
        _seconds_left(every, spans, len(living) or spans["seconds"].sum() / (busy or 1)),
    )


def _sign(value: dict) -> Sign:
    """The sign that this JSON is; raises where it is none."""
    sign = Sign(*(value[name] for name in Sign._fields))
    words = [sign.who, *sign.runs]
    counts = [sign.first, sign.updates, sign.of, sign.scored]
    if not (isinstance(sign.runs, list) and all(isinstance(word, str) for word in words)):
        raise ValueError("who and runs must be text")
    if not all(type(count) is int and math.isfinite(count) for count in counts):
        raise ValueError("updates must be whole numbers")
    if not (sign.runs and 0 <= sign.first <= sign.updates <= sign.of and sign.of):
        raise ValueError("updates must be from 0 to all there are")
    if not (math.isfinite(sign.begun) and math.isfinite(sign.beat)):
        raise ValueError("times must be finite")
    return sign._replace(runs=tuple(sign.runs))


def _every(runs, plans):
    """All runs there are or that were planned, by id: dataset, model, state, begun, images."""
    there = runs[["run_id", *CELL, "begun"]].assign(
        state=runs["status"].fillna("pending"), images=_images(runs)
    )
    planned = [
        (run["id"], plan["dataset"]["title"], run["model"], np.nan, "pending", size)
        for plan in plans
        for size in [_size(plan)]
        for run in plan["runs"]
    ]
    every = pd.concat([there, pd.DataFrame(planned, columns=there.columns).astype(there.dtypes)])
    every[CELL] = every[CELL].fillna("")
    every.loc[~every["state"].isin(STATES), "state"] = "failed"
    return every.drop_duplicates("run_id").set_index("run_id")


def _size(plan) -> float:
    """The images that each run of a planned cohort is trained on; 0 where it does not say."""
    try:
        size = float(plan["budget"]["updates"] * plan["budget"]["batch_size"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0.0
    return size if 0 < size < math.inf else 0.0


def _images(runs):
    return (runs["updates"].astype(float) * runs["batch_size"].astype(float)).clip(0).fillna(0)


def _trained(runs):
    """What was trained as one program: cell, begun, seconds, images, runs."""
    seconds = runs["train_seconds"] + runs["evaluate_seconds"].fillna(0)
    found = runs[[*CELL, "begun"]].assign(seconds=seconds, images=_images(runs), runs=1.0)
    whole = np.isfinite(found["begun"]) & np.isfinite(seconds) & (seconds > 0)
    # Each run has its share of the time, and the time that the program began.
    return found[whole].groupby([*CELL, "begun"], as_index=False, dropna=False).sum()


def _being_trained(signs, every):
    """The same of cohorts that are not done yet, and the images that are behind them."""
    found = []
    for sign in signs:
        cell = every.loc[next(run for run in sign.runs if run in every.index)]
        shares = np.array([sign.updates, sign.updates - sign.first]) / sign.of * len(sign.runs)
        over = len(every.loc[every.index.isin(sign.runs) & (every["state"] != "running")])
        behind, now = (shares - over).clip(0)  # halves of a cohort may be done before the others
        seconds = max(0.0, sign.beat - sign.begun)
        images = cell["images"]
        found.append((*cell[CELL], sign.begun, seconds, now * images, now, behind * images))
    columns = [*CELL, "begun", "seconds", "images", "runs", "behind"]
    return pd.DataFrame(found, columns=columns).astype(dict.fromkeys(columns[2:], float))


def _covered(begun, seconds) -> float:
    """The length of time in which at least one of these spans lies."""
    order = np.argsort(begun.to_numpy(float), kind="stable")
    starts, ends = begun.to_numpy(float)[order], (begun + seconds).to_numpy(float)[order]
    reached = np.maximum.accumulate(ends)
    before = np.concatenate([starts[:1], reached[:-1]])
    return float(np.clip(reached - np.maximum(starts, before), 0, None).sum())


def _seconds_left(every, spans, workers) -> float | None:
    """What is left takes as long per image as others of its dataset and model, or as all did."""
    missing = every[every["state"].isin(["pending", "running"])]
    if missing.empty:
        return 0.0
    images, seconds = spans[["images", "seconds"]].sum()
    if not (images and seconds and workers):
        return None
    sums = spans.groupby(CELL)[["seconds", "images", "behind"]].sum()
    speed = (sums["images"] / sums["seconds"]).replace({0: np.nan, np.inf: np.nan})
    left = missing.groupby(CELL)["images"].sum().sub(sums["behind"], fill_value=0).clip(0)
    speed = speed.reindex(left.index).fillna(images / seconds)
    return float((left / speed).sum() / workers)


def _grouped(reasons) -> list[tuple[int, str]]:
    """How often there is which reason. Those that differ in numbers alone are one, a frequent."""
    counts = reasons[reasons.fillna("") != ""].value_counts()
    found = {}
    for reason, count in counts.items():  # the most frequent first
        known, so_far = found.get(alike := re.sub(r"\d+", "0", reason), (reason, 0))
        found[alike] = known, so_far + count
    return sorted(((n, reason) for reason, n in found.values()), reverse=True)
