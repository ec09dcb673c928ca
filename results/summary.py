"""The study in one table: every setting, its seeds pooled."""

import pandas as pd

SETTING = ["dataset", "model", "label"]
SCORE = "mig"  # what settings are compared by
SCORES = {  # the scores of disentanglement a report shows, in its order, and their names there
    "beta_vae_score": "BetaVAE score",
    "factor_vae_score": "FactorVAE score",
    "mig": "MIG",
    "dci_disentanglement": "DCI",
    "dci_disentanglement_1000": "DCI (1,000 points)",
    "modularity": "Modularity",
    "sap": "SAP",
    "explicitness": "Explicitness",
}
BOUNDS = {  # codes whose worth is known, from floors to ceilings, and their names in a report
    "random": "random codes",
    "rotated": "rotated factors",
    "supervised": "supervised encoder",
    "factors": "true factors",
}


def summarize(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per dataset, model and setting, from one row per run.

    Columns: `label`, `runs` (how many), `lost` (of those, failed or diverged), the score's median,
    minimum and maximum over the runs that have one, and medians of what stands beside it. A column
    that no run has is left out.
    """
    groups = labelled(runs).groupby(SETTING, dropna=False, sort=False)
    table = pd.DataFrame({"runs": groups.size(), "lost": groups["status"].agg(_lost)})
    if SCORE in runs:
        scores = groups[SCORE].agg(["median", "min", "max"])
        table = table.join(scores.rename(columns=lambda how: f"{SCORE}_{how}"))
    for column in ("reconstruction", "kl", "active_units"):
        if column in runs:
            table[column] = groups[column].median()
    return table.reset_index()


def labelled(runs: pd.DataFrame) -> pd.DataFrame:
    """`runs` with a column `label` that tells the settings of a model apart: "β = 4".

    Where the strength does not, because budgets or other settings differ too, the number of
    updates is added, and then the setting's id: runs are never pooled that differ in more than
    the seed.
    """
    strengths = zip(runs["strength_name"], runs["strength"], strict=True)
    label = pd.Series([_strength(*pair) for pair in strengths], index=runs.index, dtype=str)
    for more in (runs["updates"].map("{:,} updates".format), runs["setting"].str[:8]):
        settings = runs["setting"].groupby([runs["dataset"], runs["model"], label])
        label = label.where(settings.transform("nunique") == 1, label + ", " + more.astype(str))
    return runs.assign(label=label)


def _strength(name, value):
    return "default" if pd.isna(name) else f"{symbol(name)} = {value:g}"


def symbol(name: str) -> str:
    """A hyperparameter's name in the letters of its paper: "lambda_od" → "λ_od"."""
    greek = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "lambda": "λ", "sigma": "σ"}
    head, *tail = name.split("_")
    return "_".join([greek.get(head, head), *tail])


def scores_of(runs: pd.DataFrame) -> list[str]:
    """The scores of `SCORES` that at least one of these runs has."""
    return [score for score in SCORES if score in runs and runs[score].notna().any()]


def leading(scores: list[str]) -> str:
    """Of these scores the one that is looked at first: `SCORE`, or the first; "" of none."""
    return SCORE if SCORE in scores else next(iter(scores), "")


def bounds_of(bounds: pd.DataFrame, dataset: str, score: str) -> dict[str, float]:
    """codes → what this score says of them, for those of `BOUNDS` of which it is known."""
    known = bounds[(bounds["dataset"] == dataset) & (bounds["metric"] == score)]
    values = known.set_index("codes")["value"]
    return {codes: float(values[codes]) for codes in BOUNDS if codes in values}


def _lost(status):
    return int((status != "done").sum())
