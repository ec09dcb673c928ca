"""Which runs are shown: a dataset's best, median and worst, and every method's best."""

import pandas as pd

from .summary import labelled


def showcase(runs: pd.DataFrame, score: str) -> pd.DataFrame:
    """These runs, one row each, by dataset: `which` is best, median, worst or "best of its method".

    Median is the run in the middle of all that have the score, the lower one of two; of runs that
    score alike the lowest seed. A run is shown once, for the first of these reasons.
    """
    if score not in runs:
        return labelled(runs[:0]).assign(which="")
    runs = labelled(runs[runs[score].notna()])
    ranked = runs.sort_values([score, "seed"], ascending=[False, True], kind="stable")
    shown = []
    for _, some in ranked.groupby("dataset", sort=True):
        places = {"best": 0, "median": len(some) // 2, "worst": len(some) - 1}
        shown += [some.iloc[[place]].assign(which=which) for which, place in places.items()]
        methods = some.drop_duplicates("model").sort_values("model")
        shown.append(methods.assign(which="best of its method"))
    found = pd.concat(shown) if shown else ranked.assign(which="")
    return found.drop_duplicates("run_id", ignore_index=True)
