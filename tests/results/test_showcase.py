import numpy as np
from planted import frame_of

from soberlook.results.showcase import showcase


def test_best_median_worst_and_every_methods_best():
    values = np.array([0.1, 0.9, 0.3, 0.5, np.nan, 0.7]).reshape(1, 3, 1, 2)
    found = showcase(frame_of({"mig": values}), "mig")
    shown = found[["which", "mig"]].itertuples(index=False, name=None)
    # Of five that score the third; beta_vae's best, .7, is below annealed_vae's and shown.
    assert [*shown] == [
        ("best", 0.9),
        ("median", 0.5),
        ("worst", 0.1),
        ("best of its method", 0.7),
    ]


def test_of_equals_the_lowest_seed_and_of_nothing_nothing():
    runs = frame_of({"mig": np.full((2, 1, 1, 3), 0.5)})
    best = showcase(runs, "mig").query("which == 'best'")
    assert best["seed"].tolist() == [0, 0] and best["dataset"].tolist() == ["d0", "d1"]
    assert showcase(runs, "sap").empty
    assert showcase(runs.assign(mig=np.nan), "mig").empty
