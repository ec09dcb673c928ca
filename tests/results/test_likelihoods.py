import numpy as np
from planted import frame_of

from soberlook.results.likelihoods import comparable, several


def runs_of(likelihoods):
    ones = np.ones((2, 2, 1, 2))
    runs = frame_of({"reconstruction": ones, "kl": ones, "elbo": -2 * ones})
    return runs.assign(likelihood=likelihoods)


def test_datasets_with_several_likelihoods_are_named():
    mixed = ["bernoulli"] * 6 + ["gaussian"] * 2
    assert several(runs_of(mixed)) == {
        "d1": "its runs have several likelihoods, bernoulli, gaussian"
    }
    assert several(runs_of(["bernoulli"] * 4 + ["gaussian"] * 4)) == {}
    assert several(runs_of([None] * 6 + ["gaussian"] * 2)) == {}  # unknown is not another
    assert several(runs_of(mixed).drop(columns="likelihood")) == {}
    assert several(runs_of(mixed)[:0]) == {}


def test_there_reconstruction_and_elbo_are_no_numbers():
    runs = runs_of(["bernoulli"] * 6 + ["gaussian"] * 2)
    found = comparable(runs)
    lost = found[["reconstruction", "elbo"]].isna().all(axis=1)
    assert lost.tolist() == [False] * 4 + [True] * 4
    assert found["kl"].notna().all() and runs["reconstruction"].notna().all()
    assert comparable(runs[:4]).equals(runs[:4])
    assert comparable(runs.drop(columns=["elbo", "reconstruction"]))["kl"].notna().all()
