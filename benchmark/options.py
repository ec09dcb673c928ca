"""Options that several commands have."""

from typing import Annotated

import typer

PluginOption = Annotated[
    list[str],
    typer.Option(
        "--plugin",
        metavar="FILE.py",
        help="Import a file that registers models or data of your own; repeatable.",
    ),
]
SetOption = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting for every model, like beta=1,4; repeatable.",
    ),
]
