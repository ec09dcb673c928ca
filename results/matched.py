"""The settings that several datasets share, which is what carrying over is asked of."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from .grid import grid


class Matched(NamedTuple):
    """Scores by dataset, setting and seed. A setting's id contains its dataset; here a setting is
    its model and its label, the same wherever these are."""

    datasets: list[str]
    settings: pd.DataFrame  # model and label, from weak to strong within a model
    seeds: np.ndarray  # [seeds], rising
    values: np.ndarray  # [datasets, scores, settings, seeds]; NaN where there is no number


def matched(runs: pd.DataFrame, scores: list[str]) -> Matched:
    """These scores of runs, every dataset's settings in the same places."""
    settings, seeds, values = grid(runs, scores)
    order = ["model", "strength", "label"]
    shared = settings.sort_values(order, kind="stable")[["model", "label"]].drop_duplicates()
    place = pd.MultiIndex.from_frame(shared)
    datasets = list(dict.fromkeys(settings["dataset"]))
    found = np.full((len(datasets), len(scores), len(shared), len(seeds)), np.nan)
    for d, dataset in enumerate(datasets):
        own = settings[settings["dataset"] == dataset]
        at = place.get_indexer(pd.MultiIndex.from_frame(own[["model", "label"]]))
        found[d][:, at] = values[:, own.index]
    return Matched(datasets, shared.reset_index(drop=True), seeds, found)
