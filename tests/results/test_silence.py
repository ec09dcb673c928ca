"""What is said where nothing can be said."""

import pytest

from soberlook.results.report.silence import silence, silent


@pytest.mark.parametrize(
    "why",
    ["one seed", "too few runs", "fewer than three seeds", "no setting has two seeds"]
    + ["2 seeds give no interval", "one seed cannot choose and report"]
    + ["luck hides what the settings differ by", "too few seeds for an interval"],
)
def test_more_runs_would_help(why):
    assert silent("on d", why) == f"Not enough runs to say on d: {why}."
    assert silence(["one dataset", why, "", why]).startswith("Not enough runs to say: ")


@pytest.mark.parametrize(
    "why", ["one method", "every seed says the same", "no run has both", "the score never varies"]
)
def test_more_runs_would_not_help(why):
    assert silent("on d", why) == f"Nothing can be said on d: {why}."
    assert silence([why, ""]) == why


def test_no_reason_is_none():
    assert silence([""]) == silence([]) == ""
