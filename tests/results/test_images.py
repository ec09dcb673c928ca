import numpy as np
import pandas as pd
from planted import frame_of

from soberlook.results import report
from soberlook.results.report.images import section


def test_each_run_that_is_shown_has_its_pictures_in_one_place():
    values = np.array([0.1, 0.9, 0.3, 0.5, np.nan, 0.7]).reshape(1, 3, 1, 2)
    runs = frame_of({"mig": values})
    study = report.study_of(runs, pd.DataFrame(), report.nothing()[1])
    names = ("traversal", "reconstruction")
    pictures = [
        {"run_id": r, "name": n, "png": f"{n} {r}".encode()} for r in runs["run_id"] for n in names
    ]
    found = section(study, pd.DataFrame(pictures))
    best, median, worst, other = found.images
    assert list(best.pngs.values()) == [b"reconstruction 0-0-0-1", b"traversal 0-0-0-1"]
    assert best.caption.startswith("d0, best: annealed_vae, β = 1, seed 1, MIG 0.90")
    assert [median.caption[:10], worst.caption[:9]] == ["d0, median", "d0, worst"]
    assert "best of its method: beta_vae" not in median.caption + worst.caption
    assert other.caption.startswith("d0, best of its method")
    assert all(alt.startswith(("Reconstructions on d0", "Traversals on d0")) for alt in best.pngs)
    assert found.findings == [
        "On d0 runs score from 0.10 to **0.90**; these are the two, the median, and every method's "
        "best."
    ]


def test_without_pictures_or_scores_it_says_why():
    runs = frame_of({"mig": np.ones((1, 1, 1, 2))})
    pictures, bounds = report.nothing()
    study = report.study_of(runs, pd.DataFrame(), bounds)
    assert section(study, pictures).why == "there are no pictures of these runs"
    assert "no run has a score" in section(study._replace(scores=[]), pictures).why
