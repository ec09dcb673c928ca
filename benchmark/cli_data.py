"""`soberlook data`: what there is to learn from, on this machine and elsewhere."""

from typing import Annotated

import typer

from .options import PluginOption

app = typer.Typer(
    help="See which datasets are here, bring others here, and check them.\n\n"
    "Datasets that are drawn need no download. Published ones are fetched, or imported from files "
    "you have, once: they then lie in ~/.cache/soberlook, or in the folder that the environment "
    "variable SOBERLOOK_CACHE names.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The dataset's name; see: soberlook data list")
]


@app.command("list")
def list_data(plugin: PluginOption = []):  # noqa: B006
    """List all datasets, and which are here.

    Those that are drawn, or given in a --plugin, take no room and need no download.
    """
    from . import arguments, data
    from .terminal import out

    arguments.load_plugins(plugin)
    out.print(data.listing())


@app.command()
def fetch(name: Name):
    """Download a published dataset.

    Its files are compared with their published checksums, and read into the cache. A download that
    breaks off goes on where it stopped when the same command is given again.
    """
    from . import data

    data.fetch(name)


@app.command("import")
def import_data(
    name: Name,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="The published files, or their folder.")
    ],
    any_version: Annotated[
        bool,
        typer.Option(
            "--any-version", help="Take files whose size or checksum is not the published one."
        ),
    ] = False,
):
    """Read a published dataset from files you have.

    The files are those that fetch would download, as they were published: not unpacked. They are
    read, and stay as they are.
    """
    from . import data

    data.import_files(name, paths, any_version)


@app.command()
def check(
    name: Name,
    picture: Annotated[
        str, typer.Option("--out", metavar="FILE.png", help="Where the picture goes. [NAME.png]")
    ] = "",
    plugin: PluginOption = [],  # noqa: B006
):
    """Look at every image, and picture the factors.

    Says whether what is in the cache is what was written there; how many images differ, and, where
    some do not, how often each factor can be told from an image at most, which no method can beat;
    and draws a row of images for each factor, from its first to its last value, with the others in
    the middle of theirs.
    """
    from . import arguments
    from .check_data import check

    arguments.load_plugins(plugin)
    check(name, picture)
