"""The command that puts claims to the test."""

from pathlib import Path
from typing import Annotated

import typer

from soberlook.registry import BadInput

from .options import PluginOption
from .terminal import say


def reproduce(
    claims: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Claims, by name.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All the claims there are.")] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="List the claims, and the verdicts that are there.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few seeds of each: a look, and no verdict.")
    ] = False,
    where: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="Where results go.")
    ] = "runs/claims",
    file: Annotated[
        str, typer.Option("--to", metavar="FILE.md", help="Also write everything there.")
    ] = "",
    ray: Annotated[
        str,
        typer.Option(metavar="[ADDRESS]", help="Run on a Ray cluster, as the command run does."),
    ] = "",
    plugin: PluginOption = [],  # noqa: B006
):
    """Put what papers claim of their methods to the test: over seeds, with controls.

    What a claim is, and which numbers decide, was written down before it was run. Runs that FOLDER
    already has are not trained again, so the same command goes on after an interruption.
    """
    from . import arguments
    from .compiled import beside, kept_programs
    from .reproduce import find_claims, outcome_of, show, show_claims, tell, train_claims
    from .reproductions import page

    arguments.load_plugins(plugin)
    if only_list:
        show_claims(where)
        return
    if bool(claims) == every:
        raise BadInput("reproduce takes names of claims, or --all; see: soberlook reproduce --list")
    if file and quick:
        raise BadInput("--to writes verdicts, of which --quick has none: leave one of them out")
    if file and not Path(file).absolute().parent.is_dir():
        raise BadInput(f"--to {file}: its folder must be there, and is not")
    wanted = find_claims(claims or ())
    programs = beside(where)
    with kept_programs(programs, parents=True):
        try:
            train_claims(wanted, where, quick=quick, ray=ray, plugins=plugin, programs=programs)
        except KeyboardInterrupt:
            say(
                f"stopped: what is finished is kept in {where}; the same command goes on from there"
            )
            raise typer.Exit(130) from None
    outcomes = [found for claim in wanted if (found := outcome_of(claim, where, quick))]
    for outcome, told in zip(outcomes, tell(outcomes).itertuples(), strict=True):
        show(outcome, told)
    if file:
        names = "--all" if every else " ".join(claims)
        text = page(outcomes, f"soberlook reproduce {names} --to {file}")
        aside = Path(f"{file}.part")
        aside.write_text(text)
        aside.replace(file)
        typer.echo(file)
