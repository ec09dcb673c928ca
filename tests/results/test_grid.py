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
