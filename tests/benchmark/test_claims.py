"""Claims: written as data, trained once, told by rule, and on a page."""

import re
import subprocess
from pathlib import Path

import pytest

from soberlook.benchmark import reproduce, reproductions, worker
from soberlook.benchmark.claim import CLAIMS, FILES, Arm, Claim
from soberlook.benchmark.cohort import Cohort
from soberlook.benchmark.reproduce import Commit, find_claims, outcome_of, tell, train_claims
from soberlook.benchmark.study import Budget
from soberlook.benchmark.worker import run_row
from soberlook.registry import BadInput
from soberlook.results import verdict
from soberlook.results.verdict import Contrast, Trend

FIELDS = {
    "name": "tiny",
    "sentence": "A larger | weight of the KL costs reconstruction.",
    "source": "Nobody, 2026",
    "about": "Two strengths.\n\nNothing was chosen.",
    "arms": {
        "weak": Arm("beta_vae", {"beta": 1}),
        "strong": Arm("beta_vae", {"beta": 400}),
    },
    "datasets": ("digits", ("mini_xysquares", {"spacing": 1})),
    "networks": {"linear": 4},
    "fields": {"learning_rate": 1e-2},
    "budget": Budget(updates=40, batch_size=32),
    "metrics": ("kl", "reconstruction"),
    "parts": (
        Contrast(metric="reconstruction", arm="strong", against="weak", margin=0.0, higher=True),
    ),
    "negative": (Contrast(metric="reconstruction", arm="weak", against="strong", margin=0.0),),
    "positive": (Trend(metric="kl", along=("weak", "strong"), higher=False, margin=0.0),),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    claim, where = Claim(**FIELDS), str(tmp_path_factory.mktemp("claims"))
    train_claims([claim], where)
    return claim, where


def test_every_arm_is_on_every_dataset_network_and_seed():
    half = {"half": Arm("beta_vae", {"beta": 1}, share=0.5)}
    networks = {"mlp": 4, "linear": 2}
    claim = Claim(**FIELDS | {"arms": FIELDS["arms"] | half, "networks": networks})
    labelled = claim.expand()
    assert len(labelled) == 3 * 2 * (4 + 2)
    assert {place.dataset for place in labelled} == {"digits", "mini_xysquares(spacing=1)"}
    assert {place.run.budget.updates for place in labelled if place.arm == "half"} == {20}
    quick = claim.expand(quick=True)
    assert len(quick) == 3 * 2 * (3 + 1)
    assert not {place.run.id for place in quick} & {place.run.id for place in labelled}
    assert {place.run.seed for place in quick} == {1000, 1001, 1002}
    assert {place.run.seed for place in labelled} == {100, 101, 102, 103}


def test_an_arm_may_differ_by_dataset():
    place = "mini_xysquares(spacing=1)"
    arms = FIELDS["arms"] | {"weak": Arm("beta_vae", {"beta": 1}, on={place: {"beta": 2}})}
    labelled = Claim(**FIELDS | {"arms": arms}).expand()
    found = {(one.arm, one.dataset): one.run.model.beta for one in labelled}
    assert found["weak", place] == 2 and found["weak", "digits"] == 1
    with pytest.raises(BadInput, match="unknown dataset of arm 'weak' of 'tiny' 'digit'"):
        arm = Arm("beta_vae", {"beta": 1}, on={"digit": {"beta": 2}})
        Claim(**FIELDS | {"arms": FIELDS["arms"] | {"weak": arm}})


def test_a_claim_is_trained_and_told(tiny):
    outcome = outcome_of(*tiny)
    assert outcome.missing == 0 and len(outcome.runs) == 16
    found = outcome.answers.set_index(["role", "dataset", "network"])
    own = outcome.runs.query("dataset == 'digits'")
    by = own.pivot(index="seed", columns="beta", values="reconstruction")
    value = found.loc[("part", "digits", "linear"), "value"]
    assert value == pytest.approx((by[400.0] - by[1.0]).mean(), rel=1e-6) and value > 0
    assert found.loc[("part", "digits", "linear"), "seeds"] == 4
    assert outcome.verdict in ("holds here", "cannot tell")


def test_what_is_there_is_not_trained_again(tiny, monkeypatch, capsys):
    monkeypatch.setattr(reproduce, "run_inline", lambda *_: pytest.fail("trained again"))
    train_claims([tiny[0]], tiny[1])
    assert "0 runs to train" in capsys.readouterr().err


def test_a_look_and_half_a_claim_have_no_verdict(tiny, tmp_path):
    claim, _ = tiny
    assert outcome_of(*tiny, quick=True) is None  # a look's seeds are no others'
    train_claims([claim], tmp_path, quick=True)
    quick = outcome_of(claim, tmp_path, quick=True)
    assert quick.verdict == "no verdict" and quick.answers["seeds"].max() == 3
    assert outcome_of(claim, tmp_path) is None
    more = Claim(**FIELDS | {"networks": {"linear": 5}})
    assert outcome_of(more, tiny[1]).why == "4 of 20 runs are missing"
    assert outcome_of(more, tiny[1] + "/nowhere") is None


def test_what_failed_is_missing_and_is_tried_again(tmp_path, monkeypatch):
    """A cohort that raised must not be left out of a verdict, whichever arm it was of."""
    claim, real = Claim(**FIELDS), worker.train

    def fails(cohort, *rest):
        if cohort.dataset.name == "digits":
            raise RuntimeError("out of luck")
        return real(cohort, *rest)

    monkeypatch.setattr(worker, "train", fails)
    train_claims([claim], tmp_path)
    found = outcome_of(claim, tmp_path)
    assert found.verdict == "no verdict" and found.missing == 8
    assert found.why == "8 of 16 runs are missing, 8 of them failed"
    monkeypatch.setattr(worker, "train", real)
    train_claims([claim], tmp_path)
    found = outcome_of(claim, tmp_path)
    assert found.missing == 0 and len(found.runs) == 16
    assert found.answers.groupby("dataset").size().to_dict() == {
        "digits": 3,
        "mini_xysquares(spacing=1)": 3,
    }


def test_a_claim_is_told_as_one_of_all(tiny):
    told = tell([outcome_of(*tiny)])
    assert told["p_holm"].item() == pytest.approx(min(1, told["p"].item() * len(CLAIMS)))
    assert tell([]).empty


def test_the_page_says_what_came_first(tiny):
    outcome = outcome_of(*tiny)
    began = outcome.runs["begun"].min()
    for commit, says in (
        (None, "nothing shows that it came before"),
        (Commit("abc1234", began - 60), "as of commit abc1234, before its first run"),
        (Commit("abc1234", began + 60), "**after its first run**"),
    ):
        page = reproductions.page([outcome._replace(commit=commit)], "command")
        assert says in page
    assert "> A larger | weight" in page and "nan" not in page
    assert all(line.count("|") == 10 for line in page.splitlines() if line.startswith("| part"))


def test_commits_are_of_the_claims_own_file(tmp_path, monkeypatch):
    file = tmp_path / "tiny.py"
    file.write_text("one")
    claim = Claim(**FIELDS)
    assert reproduce.commit_of(claim) is None  # not registered
    monkeypatch.setitem(FILES, "tiny", str(file))
    assert reproduce.commit_of(claim) is None  # no repository

    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    first = reproduce.commit_of(claim)
    assert first.revision and first.seconds > 0
    file.write_text("two")
    assert reproduce.commit_of(claim) is None  # not as it was committed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": ("digits",)}, "datasets must be two at least"),
        ({"parts": ()}, "parts must be at least one, found none"),
        ({"negative": ()}, "negative must be at least one, found none"),
        (
            {"positive": (Trend(metric="kl", along=("weak", "storng"), margin=0),)},
            "unknown arm of claim 'tiny' 'storng': did you mean 'strong'",
        ),
    ],
)
def test_a_claim_that_lacks_something_is_one_clear_line(changes, message):
    with pytest.raises(BadInput, match=message):
        Claim(**FIELDS | changes)


def test_an_arm_has_one_strength():
    arms = FIELDS["arms"] | {"weak": Arm("beta_vae")}
    with pytest.raises(BadInput, match="arm 'weak' must say one value of its strength, found 6"):
        Claim(**FIELDS | {"arms": arms}).expand()


def test_unknown_claims_name_the_nearest():
    with pytest.raises(BadInput, match="unknown claim 'beta_va': did you mean 'beta_vae'"):
        find_claims(["beta_va"])


find_claims()


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_every_claim_can_be_trained(name):
    claim = CLAIMS[name]
    assert Path(FILES[name]).parent.name == "claims"
    labelled = claim.expand()
    # Fifty seeds, or as many as its `about` says that it can afford.
    seeds = max(claim.networks.values())
    assert seeds >= 50 or f"{seeds} seeds" in claim.about
    # Arms that are compared have equal budgets, in images that models see or in images that they
    # take gradients of, as a population does on all its copies. A positive control is whatever is
    # known.
    compared = {arm for part in (*claim.parts, *claim.negative) for arm in part.arms}
    runs = [place.run for place in labelled if place.arm in compared]
    seen = [run_row(Cohort(name, (run,), ()), run)["images_seen"] for run in runs]
    trained = [run.budget.updates * run.budget.batch_size * run.model.copies for run in runs]
    assert any(max(images) <= 1.02 * min(images) for images in (seen, trained)), (seen, trained)
    assert len(claim.sentence) > 20 and any(c.isdigit() for c in claim.source)


def test_the_documented_claim_can_be_trained(monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "claims.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.setitem(CLAIMS, "stronger_is_better", None)  # gone again afterwards
    del CLAIMS["stronger_is_better"]
    exec(code, {})
    assert len(CLAIMS["stronger_is_better"].expand()) == 2 * 2 * (50 + 20)
    statistics = set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    assert statistics == {cls.__name__ for cls in all_statistics(verdict.Statistic)}


def all_statistics(cls):
    for own in cls.__subclasses__():
        yield own
        yield from all_statistics(own)


def test_the_command(tmp_path, monkeypatch, soberlook):
    plugin = tmp_path / "own_claim.py"
    plugin.write_text(
        """
from soberlook.benchmark.claim import Arm, Claim, register
from soberlook.benchmark.study import Budget
from soberlook.results.verdict import Contrast

differ = Contrast(metric="kl", arm=1, against=99, margin=0.0)
register(Claim(
    name="own", sentence="A larger weight of the KL makes it smaller.", source="Us, 2026",
    about="One pair.",
    arms={beta: Arm("beta_vae", {"beta": beta}) for beta in (1, 99)},
    datasets=("digits", "mini_xysquares"), networks={"linear": 2}, metrics=("kl",),
    budget=Budget(updates=2, batch_size=8),
    parts=(differ,), negative=(differ,), positive=(differ,),
))
"""
    )

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(CLAIMS, "own", None)  # gone again afterwards
    del CLAIMS["own"]
    code, out, err = soberlook(
        "reproduce", "own", "--plugin", str(plugin), "--to", "page.md", "--out", "there"
    )
    assert code == 0 and "own is not committed" in err
    assert "## own" in (tmp_path / "page.md").read_text() and "own: " in out
    code, out, _ = soberlook("reproduce", "--list", "--out", "there")
    assert code == 0 and "own" in out and "beta_vae" in out
    for arguments, message in (
        (["own", "--all"], "takes names of claims, or --all"),
        ([], "takes names of claims, or --all"),
        (["own", "--quick", "--to", "x.md"], "--to writes verdicts, of which --quick has none"),
        (["onw"], "did you mean 'own'"),
        (["own", "--to", "nowhere/x.md"], "--to nowhere/x.md: its folder must be there"),
    ):
        code, _, err = soberlook("reproduce", *arguments)
        assert code == 2 and message in err and err.count("\n") == 1
