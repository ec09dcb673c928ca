"""Numbers of a run that need no labels."""

import pandas as pd

UNSUPERVISED = {  # and their names in a report
    "reconstruction": "reconstruction",
    "kl": "KL",
    "elbo": "ELBO",
    "gaussian_total_correlation": "TC of mean codes",
    "gaussian_total_correlation_sampled": "TC of sampled codes",
    "mutual_information_score": "MI of mean codes",
    "udr_lasso": "UDR (lasso)",
    "udr_spearman": "UDR (Spearman)",
}


def with_elbo(runs: pd.DataFrame) -> pd.DataFrame:
    """`runs` with the evidence lower bound `elbo` = −reconstruction − KL, in nats, where it is not
    there and both of these are."""
    if "elbo" in runs or not {"reconstruction", "kl"} <= {*runs.columns}:
        return runs
    return runs.assign(elbo=-runs["reconstruction"] - runs["kl"])


def unsupervised_of(runs: pd.DataFrame) -> list[str]:
    """Those of `UNSUPERVISED` that at least one of these runs has."""
    return [name for name in UNSUPERVISED if name in runs and runs[name].notna().any()]
