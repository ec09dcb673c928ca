"""Putting claims to the test: train what they ask for, and say what came out."""

import subprocess
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from soberlook import results
from soberlook.registry import BadInput
from soberlook.results import verdict
from soberlook.results.store import Store

from .claim import CLAIMS, FILES, Claim
from .cohort import cohorts
from .inline import run_inline
from .plan import Plan
from .progress import Progress
from .ray_executor import cluster, run_on_ray
from .terminal import err, number, out, say, table

FEWER = "no verdict"  # on fewer runs than the claim asks for


class Commit(NamedTuple):
    """When a claim last changed, by the history of its file."""

    revision: str
    seconds: float  # since 1970


class Outcome(NamedTuple):
    """What the runs that are there say of a claim."""

    claim: Claim
    answers: pd.DataFrame  # `verdict.answers`
    verdict: str
    why: str
    p: float
    runs: pd.DataFrame  # a row per finished run that the claim asks for
    missing: int  # how many more it asks for
    commit: Commit | None  # None: not committed, or no history here


def find_claims(names: Iterable[str] = ()) -> list[Claim]:
    """The claims of these names; all there are for none."""
    from .studies import claims as _  # noqa: F401  registers them

    wanted = [CLAIMS.find(name) for name in dict.fromkeys(names)]
    return wanted or [CLAIMS[name] for name in sorted(CLAIMS)]


def train_claims(claims: list[Claim], where: str, *, quick=False, ray="", plugins=(), programs=""):
    """Train what these claims have left, a store each in the folder `where`.

    Everything is checked before anything is trained; what is finished is kept, also when this is
    interrupted, and is not trained again.
    """
    plans = [(claim, *_plan(claim, where, quick)) for claim in claims]
    left = sum(plan.left for *_, plan in plans)
    say(f"{len(claims)} claims, {left:,} runs to train, into {where}")
    if not left:
        return
    with cluster(ray) if ray else nullcontext() as connection:
        for claim, store, plan in plans:
            if not plan.left:
                continue
            say(f"{claim.name}: {claim.sentence}")
            if not quick and commit_of(claim) is None:
                say(f"note: {claim.name} is not committed, so nothing shows that it came first")
            with Progress(plan, err) as progress:
                if ray:
                    about = {"plugins": plugins, "programs": programs}
                    run_on_ray(plan, store, progress, connection, **about)
                else:
                    run_inline(plan, store, progress)


def outcome_of(claim: Claim, where: str, quick: bool = False) -> Outcome | None:
    """What its store in the folder `where` says of a claim; None where there is nothing yet.

    Of a `quick` look there is no verdict.
    """
    labelled = claim.expand(quick)
    wanted = {place.run.id for place in labelled}
    try:
        runs = results.load(f"{where}/{claim.name}")
    except BadInput:
        return None
    runs = runs[runs["run_id"].isin(wanted)]
    if runs.empty:
        return None
    # A run that raised says nothing of the claim: what is wrong there is to be mended.
    failed = runs["status"] == "failed"
    runs = runs[~failed]
    answers = claim.answers(runs, labelled)
    missing = len(wanted) - len(runs)
    told = verdict.conclude(answers)
    if quick:
        told = FEWER, "a few seeds are a look", float("nan")
    elif missing:
        why = f"{missing:,} of {len(wanted):,} runs are missing"
        why += f", {failed.sum():,} of them failed" if failed.any() else ""
        told = FEWER, why, float("nan")
    return Outcome(claim, answers, *told, runs, missing, commit_of(claim))


def tell(outcomes: list[Outcome]) -> pd.DataFrame:
    """The verdicts (`verdict`, `why`, `p`, `p_holm`) as those of some of all the claims there are:
    a row each."""
    alone = [{"verdict": one.verdict, "why": one.why, "p": one.p} for one in outcomes]
    return verdict.adjusted(pd.DataFrame(alone, columns=["verdict", "why", "p"]), len(CLAIMS))


def show(outcome: Outcome, told):
    """A claim's answers as a table, and as a line what `tell` tells of it."""
    shown = table(
        "", "dataset", "network", "says", "value", "interval", "margin", "lost", "verdict"
    )
    for row in outcome.answers.to_dict("records"):
        ends = [number(row[end], ".3g") for end in ("low", "high")]
        shown.add_row(
            *(row[key] for key in ("role", "dataset", "network", "says")),
            number(row["value"], ".3g"),
            " to ".join(filter(None, ends)),
            f"{row['margin']:g}",
            str(row["seeds"]) + (f", {row['lost']} lost" if row["lost"] else ""),
            row["verdict"] if row["verdict"] != verdict.UNKNOWN else row["why"],
        )
    out.print(shown)
    why = f": {told.why}" if told.why else ""
    out.print(f"{outcome.claim.name}: {told.verdict}{why}", soft_wrap=True)


def show_claims(where: str):
    """All claims with what they take, and their verdicts where there are any, as a table."""
    shown = table("claim", "source", "runs", "what is claimed", "verdict")
    claims = find_claims()
    outcomes = [found for claim in claims if (found := outcome_of(claim, where))]
    names = [one.claim.name for one in outcomes]
    told = dict(zip(names, tell(outcomes)["verdict"], strict=True))
    for claim in claims:
        runs = len({place.run.id for place in claim.expand()})
        verdict_here = told.get(claim.name, "")
        shown.add_row(claim.name, claim.source, f"{runs:,}", claim.sentence, verdict_here)
    out.print(shown)


def commit_of(claim: Claim) -> Commit | None:
    """The commit that last changed the file of a claim; None where there is none, or the file is
    not as it was committed."""
    if not (file := FILES.get(claim.name)):
        return None

    def git(*arguments):
        command = ["git", "-C", str(Path(file).parent), *arguments, "--", file]
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return found.stdout.strip()

    try:
        if git("status", "--porcelain"):
            return None
        revision, _, when = git("log", "-1", "--format=%h %cI").partition(" ")
        return Commit(revision, datetime.fromisoformat(when).timestamp()) if when else None
    except (OSError, subprocess.SubprocessError):
        return None


def _plan(claim, where, quick):
    """The store of a claim, and what it has left to train."""
    store = Store(f"{where}/{claim.name}")
    store.check(claim.name)
    runs = {place.run.id: place.run for place in claim.expand(quick)}
    rows = store.read("runs", ["run_id", "status"]).to_pylist()
    failed = {row["run_id"] for row in rows if row["status"] == "failed"}
    finished = store.finished() - failed
    whole = cohorts(claim.name, runs.values(), claim.metrics)
    left = [part for cohort in whole if (part := cohort.without(finished)) is not None]
    return store, Plan(claim, list(runs.values()), left)
