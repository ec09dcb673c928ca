"""Where nothing can be said: why, and whether more runs would help."""

import re

from .section import NOT_ENOUGH

# What reasons sound like that more seeds, or runs that have not ended yet, would take away.
CURED = re.compile(
    r"one seed|(fewer than|no setting has) (two|three|\d+) seeds|too few (runs|seeds)"
    r"|seeds give no interval|luck hides"
)


def silent(where: str, why: str) -> str:
    """ "Not enough runs to say on d0: one seed.", or "Nothing can be said on d0: one method." """
    said = NOT_ENOUGH if CURED.search(why) else "Nothing can be said"
    return f"{said} {where}: {why}."


def silence(whys) -> str:
    """These reasons, without those that are "", as the `why` of a section."""
    found = sorted({*whys} - {""})
    why = "; ".join(found)
    return f"{NOT_ENOUGH}: {why}" if any(map(CURED.search, found)) else why
