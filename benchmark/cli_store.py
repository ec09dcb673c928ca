"""`soberlook compact`: keeping a store in order."""

from typing import Annotated

import typer


def compact(
    where: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder of results.")],
):
    """Merge the many files of a folder of results into few, which are read faster.

    Nothing that can be asked changes, also while this is at work, and a study may go on meanwhile.
    """
    from soberlook.results.compact import compact
    from soberlook.results.store import Store

    before, after = compact(Store(where))
    typer.echo(f"{where}: {before:,} files are now {after:,}")
