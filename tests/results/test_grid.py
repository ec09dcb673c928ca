import numpy as np
import pandas as pd
import pytest
from planted import frame_of

from soberlook.registry import BadInput
from soberlook.results.grid import floored, grid


def test_runs_become_settings_by_seeds():
    values = np.arange(2 * 2 * 3 * 4.0).reshape(2, 2, 3, 4)
    runs = frame_of({"mig": values, "kl": -values}).sample(frac=1, random_state=0)
    found = grid(runs, ["kl", "mig"])
    assert found.seeds.tolist() == [0, 1, 2, 3]
    assert found.settings["dataset"].tolist() == ["d0"] * 6 + ["d1"] * 6
    assert found.settings["strength"].tolist() == [1, 2, 3] * 4
    assert found.settings["label"].tolist() == ["β = 1", "β = 2", "β = 3"] * 4
    np.testing.assert_array_equal(found.values[1], values.reshape(12, 4))
    np.testing.assert_array_equal(found.values[0], -values.reshape(12, 4))


def test_runs_that_are_missing_are_nan():
    runs = frame_of({"mig": np.ones((1, 1, 2, 3))})
    found = grid(runs.drop(index=4), ["mig"])
    assert np.isnan(found.values[0, 1, 1]) and np.isnan(found.values).sum() == 1


def test_a_column_that_is_not_there_is_one_line():
    runs = frame_of({"mig": np.ones((1, 1, 2, 3))})
    with pytest.raises(BadInput, match="unknown column 'mgi': did you mean 'mig'"):
        grid(runs, ["mgi"])
    with pytest.raises(BadInput, match="unknown column 'seed'"):
        grid(runs.drop(columns="seed"), ["mig"])


def test_runs_that_diverged_have_the_floor_and_failed_ones_do_not_count():
    values = np.full((2, 1, 1, 3), 0.7)
    values[:, 0, 0, 1] = np.nan
    runs = frame_of({"mig": values, "sap": values})
    runs.loc[2, ["status", "mig", "sap"]] = "failed", np.nan, np.nan
    bounds = pd.DataFrame({"dataset": ["d0", "d0"], "codes": ["random", "factors"]})
    bounds = bounds.assign(metric="mig", value=[0.02, 0.9])
    found = floored(runs, ["mig", "sap", "absent"], bounds)
    assert len(found) == 5 and found["mig"].tolist() == [0.7, 0.02, 0.7, 0.0, 0.7]
    assert found["sap"].tolist() == [0.7, 0.0, 0.7, 0.0, 0.7]
    assert floored(runs, ["mig"])["mig"].tolist() == [0.7, 0.0, 0.7, 0.0, 0.7]
    assert np.isnan(runs.loc[1, "mig"])  # what was given stays as it is


def test_a_metric_that_was_never_asked_for_has_no_floor():
    values = np.full((2, 2, 1, 3), 0.7)
    values[:, 0, 0, 1] = np.nan  # diverged
    sap = values.copy()
    sap[1] = np.nan
    runs = frame_of({"mig": values, "sap": sap})
    found = floored(runs, ["mig", "sap"])
    assert found["mig"].notna().all()
    on_d1 = found["dataset"] == "d1"
    assert found.loc[on_d1, "sap"].isna().all() and found.loc[~on_d1, "sap"].notna().all()
    sap[1, 0, 0, 0] = 0.5  # it was, and one run has no number, whatever the reason
    found = floored(frame_of({"mig": values, "sap": sap}), ["sap"])["sap"].to_numpy()
    np.testing.assert_array_equal(found[6:], [0.5, 0.0, np.nan, np.nan, np.nan, np.nan])


def test_a_metric_that_could_not_be_computed_has_the_floor():
    """Where it is written whose fault it was, whole metrics and single numbers."""
    values = np.full((1, 1, 1, 6), 0.7)
    values[..., 1:] = np.nan
    runs = frame_of({"sap": values, "dci_disentanglement_1000": values, "kl": values * 0 + 1})
    runs["status"], runs["reason"] = "done", ""
    runs.loc[1, "reason"] = "train_loss is nan; sap: codes are not finite"
    runs.loc[2, "reason"] = "sap: sap is nan; dci_1000: too few points"
    runs.loc[3, "reason"] = "dci: too few points; sap_rotated: sap_rotated is nan"
    runs.loc[4, "reason"] = "dci_1000: dci_disentanglement_1000 is inf"
    runs.loc[5, "reason"] = None
    found = floored(runs, ["sap", "dci_disentanglement_1000"])
    nan = np.nan
    np.testing.assert_array_equal(found["sap"], [0.7, 0, 0, nan, nan, nan])
    np.testing.assert_array_equal(found["dci_disentanglement_1000"], [0.7, nan, 0, nan, 0, nan])
    assert floored(runs.drop(columns="reason"), ["sap"])["sap"].isna().sum() == 5


def test_where_every_run_diverged_all_have_the_floor():
    runs = frame_of({"mig": np.full((2, 1, 1, 3), np.nan)})
    assert floored(runs, ["mig"])["mig"].tolist() == [0.0] * 6
    assert floored(runs[:0], ["mig"]).empty
