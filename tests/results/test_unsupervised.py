import numpy as np
from planted import frame_of

from soberlook.results.unsupervised import unsupervised_of, with_elbo


def test_elbo_is_made_where_it_is_not():
    ones = np.ones((1, 1, 1, 2))
    runs = frame_of({"reconstruction": ones, "kl": 3 * ones})
    assert with_elbo(runs)["elbo"].tolist() == [-4, -4]
    known = runs.assign(elbo=-9.0)
    assert with_elbo(known)["elbo"].tolist() == [-9, -9]
    assert "elbo" not in with_elbo(runs.drop(columns="kl")) and "elbo" not in runs


def test_numbers_that_no_run_has_are_left_out():
    ones = np.ones((1, 1, 1, 2))
    runs = frame_of({"mig": ones, "kl": ones, "reconstruction": ones * np.nan, "udr_lasso": ones})
    assert unsupervised_of(runs) == ["kl", "udr_lasso"]
