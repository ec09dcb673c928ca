"""Where runs have several likelihoods of images, which are no measure of each other.

A Bernoulli's reconstruction is minus the log of a probability, a Gaussian's of a density, whose
size goes with the unit of a pixel. So neither reconstruction nor ELBO says which run of different
likelihoods is better, or even different.
"""

import pandas as pd

IN_LIKELIHOODS = ("reconstruction", "elbo")  # columns that mean something within one likelihood


def several(runs: pd.DataFrame) -> dict[str, str]:
    """Datasets whose runs have more than one `likelihood`, where there is that column, → why what
    compares their reconstruction has no answer: "its runs have several likelihoods, …"."""
    if "likelihood" not in runs:
        return {}
    known = runs[runs["likelihood"].notna()].groupby("dataset", sort=False)["likelihood"]
    names = {dataset: sorted(map(str, own.unique())) for dataset, own in known}
    return {
        dataset: f"its runs have several likelihoods, {', '.join(some)}"
        for dataset, some in names.items()
        if len(some) > 1
    }


def comparable(runs: pd.DataFrame) -> pd.DataFrame:
    """`runs` without the numbers `IN_LIKELIHOODS` on datasets that have `several`."""
    mixed = runs["dataset"].isin([*several(runs)])
    there = [name for name in IN_LIKELIHOODS if name in runs]
    return runs.assign(**{name: runs[name].mask(mixed) for name in there}) if mixed.any() else runs
