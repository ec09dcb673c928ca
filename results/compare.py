"""What changed between two studies, or between two versions of the code: A and B.

Settings that are in both are compared, seed by seed where that helps, and every difference stands
beside what luck alone would give. That nothing changed is said only where every interval lies
within a margin: an interval that merely contains 0 is silent about it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from soberlook.registry import BadInput, unknown

from .compare_methods import FEWEST_PAIRS
from .grid import check, floored
from .interval import LEVEL
from .multiplicity import holm
from .summary import SCORES, labelled, scores_of
from .sweeps import NO_SPREAD, ONE_SEED

MARGIN = 0.5  # standard deviations between the seeds of a setting: less does not matter
SETTING = ["dataset", "model", "label"]
SIDES = ("a", "b")
SUFFIXES = ("_a", "_b")
ANY = "any"  # metric
BOTH = ("both", "both, other id")
PROVENANCE = ("soberlook", "git_revision", "jax", "python", "device", "mapping")
BUDGET = ("updates", "batch_size")
GROUPS = {"method": ["dataset", "model"], "setting": SETTING}


class Comparison(NamedTuple):
    """What A and B have in common, and what not."""

    settings: pd.DataFrame
    differences: pd.DataFrame
    same_runs: pd.DataFrame
    provenance: pd.DataFrame
    findings: list[str]  # plain sentences, the last of which is the verdict


def compare(
    a: pd.DataFrame,
    b: pd.DataFrame,
    scores: Sequence[str] | None = None,
    *,
    by: str = "method",
    margin: float = MARGIN,
    says: Sequence[str] = (),
    bounds: pd.DataFrame | None = None,
) -> Comparison:
    """All of it, of any two frames with a row per run, as `results.load` gives them.

    `scores` are those of disentanglement that both have, unless given; `by` is "method" or
    "setting"; `margin` is in standard deviations between seeds. `says` names the columns that are
    settings, for what differs between settings that are named alike. `bounds` say the floors of
    scores, in A and in B: what random codes score, 0 elsewhere.
    """
    if scores is None:
        scores = [score for score in scores_of(a) if score in scores_of(b)]
    for runs in (a, b):
        check(runs, scores)
    if by not in GROUPS:
        raise unknown("grouping", by, GROUPS)
    if not margin > 0:
        raise BadInput(f"the margin must be more than 0 standard deviations, found {margin}")
    settings = match(a, b, says)
    same = same_runs(a, b, scores)
    found = differences(a, b, settings, scores, by=by, margin=margin, bounds=bounds)
    findings = [_say_settings(settings), _say_same(same), _say_verdict(found, by, margin)]
    return Comparison(settings, found, same, provenance(a, b), findings)


def match(a: pd.DataFrame, b: pd.DataFrame, says: Sequence[str] = ()) -> pd.DataFrame:
    """Every setting of A and B, a row each: dataset, model, label, where, the runs of either and
    how many of them are lost (failed or diverged), their ids there, and `changes`.

    `where` is "both", where the ids are equal; "both, other id", where dataset, model and label
    are: a version was raised, or something beside the strength changed, and `changes` says what;
    or "A", or "B".
    """
    a, b = (runs.reset_index(drop=True) for runs in (a, b))
    sides = [_settings(runs) for runs in (a, b)]
    alike = sides[0].index.intersection(sides[1].index)
    pairs = [(setting, setting, "both") for setting in alike]
    rest = [side.drop(alike) for side in sides]
    named = [_by_label(runs, part) for runs, part in zip((a, b), rest, strict=True)]
    for name in [name for name in named[0] if name in named[1]]:
        pairs.append((named[0].pop(name), named[1].pop(name), "both, other id"))
    pairs += [(setting, None, "A") for setting in named[0].values()]
    pairs += [(None, setting, "B") for setting in named[1].values()]
    rows = []
    for *ids, where in pairs:
        known = [side.loc[i] for side, i in zip(sides, ids, strict=True) if i is not None]
        row = known[0][[*SETTING, "strength"]].to_dict() | {"where": where}
        for name, side, i in zip(SIDES, sides, ids, strict=True):
            row |= {f"runs_{name}": 0 if i is None else int(side.loc[i, "runs"])}
            row |= {f"lost_{name}": 0 if i is None else int(side.loc[i, "lost"])}
            row |= {f"setting_{name}": i}
        firsts = [one["first"] for one in known]
        row["changes"] = _changes(a, b, firsts, says) if where == "both, other id" else ""
        rows.append(row)
    columns = [*SETTING, "strength", "where"]
    columns += [f"{what}_{side}" for what in ("runs", "lost", "setting") for side in SIDES]
    table = pd.DataFrame(rows, columns=[*columns, "changes"])
    table = table.sort_values(["dataset", "model", "strength", "label"], kind="stable")
    return table.drop(columns="strength").reset_index(drop=True)


def differences(
    a: pd.DataFrame,
    b: pd.DataFrame,
    settings: pd.DataFrame,
    scores: Sequence[str],
    *,
    by: str = "method",
    margin: float = MARGIN,
    bounds: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """By how much B's scores are higher than A's, over the settings that are in both.

    A row per dataset, model (and label) and metric. `value` is mean_b − mean_a, each the mean over
    settings of the mean over seeds. Runs that diverged have the floor of a score (`grid.floored`
    with `bounds`); of other metrics, and of scores that a run was never given, only those count
    that have a number. Seeds are what is drawn: the interval comes from leaving each of them out.
    Seeds that both have are left out of both at once (`paired`), where what they do in A and in B
    goes together, as in `compare_methods`; but there all seeds must be the same, here B may be A
    with seeds added. Elsewhere the variances add up, with Welch's degrees of freedom. `p` is of no
    difference, `p_holm` is adjusted for all rows.

    `sd` is between the seeds of a setting, of A and B pooled. `verdict`: "changed", where p_holm is
    under 5 %; "same", where the interval lies within `margin` of these; else "cannot tell", and
    `why` where there is no interval.
    """
    groups = settings[settings["where"].isin(BOTH)].groupby(GROUPS[by], sort=False)
    ids = settings["setting_a"], settings["setting_b"]
    tables = [_table(*side, scores, bounds) for side in zip((a, b), ids, strict=True)]
    rows = []
    for keys, part in groups:
        for k, score in enumerate(scores):
            own = [(seeds, values[k, part.index]) for seeds, values in tables]
            rows.append(dict(zip(GROUPS[by], keys, strict=True), metric=score) | _difference(*own))
    columns = ["mean_a", "mean_b", "median_a", "median_b", "value", "low", "high", "sd", "paired"]
    columns += ["settings", "seeds_a", "seeds_b", "p", "p_holm", "verdict", "why", "error", "df"]
    found = pd.DataFrame(rows, columns=[*GROUPS[by], "metric", *columns])
    found = found.astype({"seeds_a": "Int64", "seeds_b": "Int64"})  # missing without a number
    error, df = found.pop("error").to_numpy(float), found.pop("df").to_numpy(float)
    exact = (found["value"] == 0) & (error == 0)  # the same runs
    reach = np.where(exact, 0, stats.t.ppf(0.5 + LEVEL / 2, df) * error)
    found["low"], found["high"] = found["value"] - reach, found["value"] + reach
    t = np.divide(found["value"].abs(), error, out=np.zeros(len(found)), where=error > 0)
    found["p"] = np.where(exact, 1.0, 2 * stats.t.sf(t, df))
    found["p_holm"] = holm(found["p"].to_numpy(float))
    within = found[["low", "high"]].abs().max(axis=1, skipna=False) <= margin * found["sd"]
    verdict = np.where(within, "same", "cannot tell")
    found["verdict"] = np.where(found["p_holm"] < 1 - LEVEL, "changed", verdict)
    return found


def same_runs(a: pd.DataFrame, b: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """Of the runs with one id in A and B, a row per metric, then one of "any" of them: how many
    `runs`, how many of them have another number (`changed`), by how much at most (`largest`), and
    how many have a number in `one_only`."""
    both = a.merge(b, on="run_id", suffixes=SUFFIXES) if {"run_id"} <= {*a} & {*b} else a[:0]
    shape = len(scores), len(both)
    sides = [[f"{score}{suffix}" for score in scores] for suffix in SUFFIXES]
    one, other = (
        both.reindex(columns=names).to_numpy(float, na_value=np.nan).T.reshape(shape)
        for names in sides
    )
    gaps = np.abs(one - other)
    only = np.isnan(one) != np.isnan(other)
    table = pd.DataFrame({"metric": [*scores, ANY], "runs": len(both)})
    table["changed"] = [*(gaps > 0).sum(axis=1), (gaps > 0).any(axis=0).sum()]
    largest = np.nan_to_num(gaps).max(axis=1, initial=0)
    table["largest"] = [*largest, largest.max(initial=0)]
    table["one_only"] = [*only.sum(axis=1), only.any(axis=0).sum()]
    return table


def provenance(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """What runs of A and B were made with, where that differs: `what`, `a`, `b`."""
    rows = []
    for what in (name for name in PROVENANCE if name in a and name in b):
        found = [sorted(runs[what].dropna().unique()) for runs in (a, b)]
        if found[0] != found[1]:
            rows.append((what, *(", ".join(map(str, values)) for values in found)))
    return pd.DataFrame(rows, columns=["what", "a", "b"], dtype=str)


def _settings(runs):
    """Setting → what is known of it; `first` is the index of one of its runs."""
    runs = labelled(runs)
    groups = runs.assign(first=runs.index, lost=runs["status"] != "done").groupby("setting")
    table = groups[[*SETTING, "strength", "first"]].first()
    return table.assign(runs=groups.size(), lost=groups["lost"].sum())


def _by_label(runs, settings):
    """(dataset, model, label) → setting, of these settings alone."""
    some = labelled(runs[runs["setting"].isin(settings.index)])
    some = some.drop_duplicates("setting")
    keys = some[SETTING].itertuples(index=False, name=None)
    return dict(zip(keys, some["setting"], strict=True))


def _changes(a, b, firsts, says):
    one, other = a.loc[firsts[0]], b.loc[firsts[1]]
    found = []
    for name in dict.fromkeys([*BUDGET, *says]):
        old, new = one.get(name), other.get(name)
        if old != new and not (pd.isna(old) and pd.isna(new)):
            found.append(
                f"{name} {'none' if pd.isna(old) else old} → {'none' if pd.isna(new) else new}"
            )
    return ", ".join(found) or "a version"


def _table(runs, settings, scores, bounds):
    """seeds [s], and [scores, settings, s] of these settings in their order."""
    runs = floored(runs, [score for score in scores if score in SCORES], bounds)
    seeds, column = np.unique(runs["seed"].to_numpy(), return_inverse=True)
    values = np.full((len(scores), len(settings), len(seeds)), np.nan)
    place = pd.Series(range(len(settings)), index=settings).loc[lambda s: s.index.notna()]
    row = runs["setting"].map(place)
    there = row.notna().to_numpy()
    numbers = runs[list(scores)].to_numpy(float, na_value=np.nan).T
    values[:, row[there].astype(int), column[there]] = numbers[:, there]
    return seeds, values


def _difference(one, other):
    """Of (seeds, [settings, seeds]) of A and B."""
    about, parts = {"why": ""}, []
    counts = [(~np.isnan(values)).sum(axis=1) for _, values in (one, other)]
    enough = (counts[0] > 1) & (counts[1] > 1)
    used = enough if enough.any() else (counts[0] > 0) & (counts[1] > 0)
    about["settings"] = int(used.sum())
    if not used.any():
        return about | {"why": "no setting has a number in both", "paired": False}
    for name, (seeds, values) in zip(SIDES, (one, other), strict=True):
        values = values[used]
        there = ~np.isnan(values).all(axis=0)
        seeds, values = seeds[there], values[:, there]
        about[f"median_{name}"] = np.median(values[~np.isnan(values)])
        about[f"mean_{name}"] = np.nanmean(values, axis=1).mean()
        about[f"seeds_{name}"] = len(seeds)
        parts.append((seeds, values))
    about["value"] = about["mean_b"] - about["mean_a"]
    if not enough.any():
        return about | {"why": ONE_SEED, "paired": False}
    spread = [np.nanvar(values, axis=1, ddof=1).mean() for _, values in parts]
    about["sd"] = np.sqrt(np.mean(spread))
    error, df, about["paired"] = _standard_error(*parts)
    size = max(abs(about["mean_a"]), abs(about["mean_b"]))
    if error > 1e-12 * size:
        return about | {"error": error, "df": df}
    if abs(about["value"]) > 1e-12 * size:
        return about | {"why": NO_SPREAD}
    return about | {"value": 0.0, "error": 0.0, "df": df}


def _standard_error(one, other):
    """Of the difference of means; degrees of freedom; whether seeds are paired."""
    parts, n = [], []
    for _, values in (one, other):
        left = _left_out(values)
        n.append(len(left))
        parts.append(np.sqrt(1 - 1 / len(left)) * (left - left.mean()))
    variances = np.array([part @ part for part in parts])
    _, i, j = np.intersect1d(one[0], other[0], assume_unique=True, return_indices=True)
    together = parts[0][i] @ parts[1][j]
    alike = np.array_equal(one[1], other[1], equal_nan=True) and len(i) == n[0] == n[1]
    if together > 0 and (len(i) >= FEWEST_PAIRS or alike):
        return np.sqrt(max(variances.sum() - 2 * together, 0)), min(n) - 1, True
    df = variances**2 / (np.array(n) - 1)
    df = variances.sum() ** 2 / df.sum() if df.any() else sum(n) - 2
    return np.sqrt(variances.sum()), df, False


def _left_out(values):
    """The mean over settings of means over seeds [settings, seeds], each seed left out: [seeds]."""
    there = ~np.isnan(values)
    total, count = np.nansum(values, axis=1, keepdims=True), there.sum(axis=1, keepdims=True)
    return ((total - np.where(there, values, 0)) / (count - there)).mean(axis=0)


def _say_settings(settings):
    where = settings["where"].value_counts()
    both, other = where.get("both", 0), where.get("both, other id", 0)
    text = f"{both + other} settings are in both, {where.get('A', 0)} only in A, "
    text += f"{where.get('B', 0)} only in B."
    if other:
        text += f" {other} of those in both are named alike, but are not the same."
    lost = [int(settings[f"lost_{side}"].sum()) for side in SIDES]
    if any(lost):
        text += f" Runs that failed or diverged: {lost[0]} in A, {lost[1]} in B."
    return text


def _say_same(same):
    *each, whole = same.to_dict("records")
    count = whole["runs"]
    if not count:
        return "No run is in both."
    text = f"{count:,} runs are in both, and "
    only = f" {whole['one_only']:,} have a score in one only." if whole["one_only"] else ""
    if not whole["changed"]:
        same = "have the same scores to the last digit." if each else "no score is in both."
        return f"{text}{'where both have scores they are the same.' if only else same}{only}"
    worst = max(each, key=lambda row: row["largest"])
    return (
        f"{text}{whole['changed']:,} of them have other scores, {worst['metric']} by up to "
        f"{worst['largest']:.2g}: the code, a metric's version, how many draws a score is of, a "
        f"library or the device is not the same.{only}"
    )


def _say_verdict(found, by, margin):
    told = found[found["why"].isin(["", ONE_SEED])]
    untold = found.drop(told.index)["why"].value_counts()
    rest = "".join(f" Of {n} nothing can be said: {why}." for why, n in untold.items())
    if told.empty:
        rest = rest or " No setting with a score is in both."
        return f"Cannot tell whether anything changed.{rest}"
    verdicts, m = told["verdict"].value_counts(), len(told)
    if verdicts.get("changed", 0):
        changed = told[told["verdict"] == "changed"]
        worst = changed.loc[(changed["value"].abs() / changed["sd"]).idxmax()]
        at = " ".join(str(worst[key]) for key in GROUPS[by])
        return (
            f"{len(changed)} of {m} differences are beyond luck, the largest in deviations that "
            f"of {worst['metric']} of {at}: {worst['value']:+.3g} "
            f"[{worst['low']:.3g} to {worst['high']:.3g}].{rest}"
        )
    if verdicts.get("same", 0) == m:
        return (
            f"Nothing changed beyond luck: all {m} differences lie within {margin:g} standard "
            f"deviations between seeds.{rest}"
        )
    return (
        f"Cannot tell: none of {m} differences is beyond luck, but {m - verdicts.get('same', 0)} "
        f"may be larger than {margin:g} standard deviations between seeds. More seeds would say."
        f"{rest}"
    )
