"""The command line. Heavy things are imported inside the commands, so that help comes at once."""

import sys
import traceback
import warnings
from contextlib import nullcontext
from typing import Annotated

import typer

from soberlook.registry import BadInput, unknown

from . import cli_claims, cli_data, cli_results, cli_status, cli_store
from .options import PluginOption, SetOption
from .terminal import err, number, out, say, table

app = typer.Typer(
    help="Train many runs of many methods at once, score them, and see what is left of a "
    "method's advantage once every seed is counted.\n\n"
    "Start with: soberlook run quick",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

KINDS = ("models", "metrics", "datasets", "studies")
OPTIONAL = {"--ray": "local", "--watch": "5"}  # options whose value may be left out

app.add_typer(cli_data.app, name="data")


def main():
    """Run the command line; bad input becomes one line and exit code 2.

    A store that cannot be written or read any more becomes one line, too, and exit code 1.
    """
    warnings.showwarning = lambda message, *_: say(f"warning: {message}")
    try:
        app(arguments_of(sys.argv))
    except BadInput as error:
        say(f"error: {error}")
        sys.exit(2)
    except Exception as error:
        from soberlook.results.store import StoreError  # heavy, and here already where it is needed

        if not isinstance(error, StoreError):
            raise
        say(f"error: {error}; what is finished is kept, and the same command goes on from there")
        sys.exit(1)


def arguments_of(argv: list[str]) -> list[str]:
    """What follows the program's name, with the values that may be left out (`OPTIONAL`)."""
    arguments = list(argv[1:])
    for i in reversed(range(len(arguments))):
        value = OPTIONAL.get(arguments[i])
        if value and not [a for a in arguments[i + 1 : i + 2] if a[:1] != "-"]:
            arguments.insert(i + 1, value)
    return arguments


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="The study's name; see: soberlook list studies")],
    where: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="Where results go. [runs/STUDY]")
    ] = "",
    seeds: Annotated[
        str, typer.Option(metavar="SEEDS", help="How many (5), a range (5-9), or a list (0,3,7).")
    ] = "",
    models: Annotated[
        str, typer.Option(metavar="NAMES", help="Only these models, by comma; any registered ones.")
    ] = "",
    datasets: Annotated[
        str, typer.Option(metavar="NAMES", help="Only these datasets, by comma.")
    ] = "",
    metrics: Annotated[
        str, typer.Option(metavar="NAMES", help="Only these metrics, by comma.")
    ] = "",
    settings: SetOption = [],  # noqa: B006
    updates: Annotated[
        str, typer.Option(metavar="N", help="Train for N updates instead of the study's.")
    ] = "",
    evaluate_at: Annotated[
        str,
        typer.Option(
            metavar="SHARES", help="Also score after these shares of the updates: .1,.25,.5,1."
        ),
    ] = "",
    draws: Annotated[
        str,
        typer.Option(metavar="N", help="Score every run on N draws of cells, and of noise. [1]"),
    ] = "",
    ray: Annotated[
        str,
        typer.Option(
            metavar="[ADDRESS]",
            help="Run on a Ray cluster: at this address, on the one this machine is part of "
            "(auto), or on one started here (no address).",
        ),
    ] = "",
    takes: Annotated[
        str,
        typer.Option(
            "--resources",
            metavar="KIND=N",
            help="What a cohort takes of the cluster, like cpu=1,gpu=.5 or tpu=4. "
            "[a TPU host's chips, or a GPU, or a CPU core]",
        ),
    ] = "",
    keep: Annotated[
        str,
        typer.Option(
            metavar="[none|best|all]",
            help="Keep what runs have learnt: of every setting the best, or of all. [none]",
        ),
    ] = "none",
    checkpoints: Annotated[
        str,
        typer.Option(
            "--checkpoint-every",
            metavar="SECONDS",
            help="Keep where a cohort stands, to go on from there; 0 never. [300]",
        ),
    ] = "",
    width: Annotated[
        str, typer.Option(metavar="N", help="Train at most N runs as one program. [64]")
    ] = "",
    no_cache: Annotated[
        bool,
        typer.Option(
            "--no-cache", help="Do not keep compiled programs beside FOLDER, in .compiled."
        ),
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Also train again what failed; not what diverged."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be done, and what that would take, and stop."
        ),
    ] = False,
    plugin: PluginOption = [],  # noqa: B006
):
    """Run a study: train, score, store and report every run that is not there yet.

    Runs that the folder already has are not trained again, so the same command goes on after an
    interruption, and with more seeds or models it adds what is missing.
    """
    from soberlook.results.store import Store

    from . import arguments
    from .cohort import MAX_WIDTH
    from .compiled import beside, kept_programs
    from .keep import tidy
    from .plan import make_plan

    arguments.load_plugins(plugin)
    wanted = arguments.find_study(study).narrowed(
        models=arguments.names(models),
        datasets=arguments.names(datasets),
        metrics=arguments.names(metrics),
        seeds=arguments.seeds(seeds),
        fields=arguments.settings(settings),
        updates=arguments.whole_number("--updates", updates),
        evaluate_at=arguments.shares("--evaluate-at", evaluate_at),
        draws=arguments.whole_number("--draws", draws, low=1),
    )
    where = where or f"runs/{wanted.name}"
    keeping = arguments.keeping(keep, checkpoints)
    resources = arguments.resources(takes, ray)
    store = Store(where)
    width = arguments.whole_number("--width", width, low=1) or MAX_WIDTH
    plan = make_plan(wanted, store, width, retry_failed)
    if dry_run:
        show_plan(plan, store, where)
        return
    programs = "" if no_cache else beside(where)
    with kept_programs(programs, parents=True):
        if plan.left:
            carry_out(plan, store, where, keeping, ray, resources, plugin, programs)
        else:
            say(f"all {len(plan.runs)} runs are in {where} already: nothing to train")
        tidy(store)
        store.forget_failures()
        add_bounds(plan, store, where)
    conclude(plan, where)


@app.command()
def evaluate(
    where: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder of results.")],
    metrics: Annotated[str, typer.Option(metavar="NAMES", help="By comma.")],
    draws: Annotated[
        str, typer.Option(metavar="N", help="On N draws of cells, and of noise. [1]")
    ] = "",
    plugin: PluginOption = [],  # noqa: B006
):
    """Score trained runs by more metrics, from the parameters that were kept (run --keep).

    What was scored already, by the study or by this command, is not scored again.
    """
    from . import arguments
    from .again import evaluate_kept

    arguments.load_plugins(plugin)
    draws = arguments.whole_number("--draws", draws, low=1) or 1
    evaluate_kept(where, arguments.names(metrics), draws)


@app.command()
def report(
    where: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder of results.")],
    figures: Annotated[
        str,
        typer.Option(metavar="DIR", help="Also write each figure there, as SVG, PDF and CSV."),
    ] = "",
):
    """Write report.html from what a folder of results holds, also half-way through a study."""
    from soberlook.results.report import write_report

    typer.echo(write_report(where, figures))


@app.command()
def findings(
    where: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder of results.")],
    file: Annotated[str, typer.Option("--to", metavar="FILE.md", help="Write it there.")] = "",
):
    """Say what a study found beside what the paper did, as Markdown."""
    from soberlook.results.report import write_findings

    text = write_findings(where, file)
    typer.echo(file if file else text)


app.command()(cli_claims.reproduce)
app.command()(cli_status.status)
app.command()(cli_results.query)
app.command()(cli_results.compare)
app.command()(cli_store.compact)


@app.command("metrics")
def score_file(
    file: Annotated[str, typer.Argument(metavar="FILE.npz", help="The codes, and their factors.")],
    metrics: Annotated[
        str, typer.Option(metavar="NAMES", help="By comma, or all. [the usual ones]")
    ] = "",
    seed: Annotated[str, typer.Option(metavar="N", help="Of the points or cells drawn. [0]")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print {metric: {name: value}} instead of a table.")
    ] = False,
):
    """Score codes of your own.

    FILE.npz holds codes [n, z] and either factors [n, f] of the same points, whole numbers where
    they are classes, or factor_sizes where the codes are those of a whole grid in C order, the last
    factor varying fastest. For the metrics there are: soberlook list metrics.
    """
    from . import arguments
    from .scoring import score_file

    seed = arguments.whole_number("--seed", seed, low=0) or 0
    score_file(file, arguments.names(metrics), seed, as_json)


@app.command()
def bench(
    networks: Annotated[str, typer.Option(metavar="NAMES", help="By comma. [conv,mlp]")] = "",
    models: Annotated[
        str, typer.Option(metavar="NAMES", help="By comma. [all that PyTorch has here, too]")
    ] = "",
    widths: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Models trained at once. [1,8]")
    ] = "",
    settings: SetOption = [],  # noqa: B006
    rounds: Annotated[str, typer.Option(metavar="N", help="Turns of each contestant. [5]")] = "",
    seconds: Annotated[str, typer.Option(metavar="N", help="What a turn takes. [2]")] = "",
    json_file: Annotated[
        str, typer.Option("--json", metavar="FILE", help="Also write everything to FILE.")
    ] = "",
):
    """Measure how fast models train here, beside PyTorch where it is installed.

    Contestants take turns; what a row says is medians, and the ratio is ours over the best of
    PyTorch's. The floor is what the products alone would take at the speed of a large one. For
    PyTorch: pip install soberlook[bench].
    """
    from . import arguments
    from .bench_table import run_bench

    run_bench(
        networks=arguments.names(networks),
        models=arguments.names(models),
        widths=arguments.numbers("--widths", widths),
        settings=arguments.settings(settings),
        rounds=arguments.whole_number("--rounds", rounds, low=1) or 5,
        seconds=arguments.whole_number("--seconds", seconds, low=1) or 2,
        json_file=json_file,
    )


@app.command("list")
def list_things(
    kind: Annotated[
        str, typer.Argument(metavar="[models|metrics|datasets|studies]", help="One kind; or all.")
    ] = "",
    plugin: PluginOption = [],  # noqa: B006
):
    """List the models, metrics, datasets and studies there are."""
    from . import arguments, listing

    if kind and kind not in KINDS:
        raise unknown("kind of thing", kind, KINDS)
    arguments.load_plugins(plugin)
    for i, name in enumerate((kind,) if kind else KINDS):
        out.print("\n" * min(i, 1), end="")
        out.print(getattr(listing, name)())


def show_plan(plan, store, where):
    """What `run` would do, and what that would take, as a table and a few lines."""
    from .estimate import duration, estimate, said

    found = estimate(plan, store)
    cohorts = table("cohort", "runs", "updates", "batch", "training", "scoring")
    for cohort, seconds in zip(plan.cohorts, found.cohorts, strict=True):
        sizes = len(cohort.runs), cohort.budget.updates, cohort.budget.batch_size
        times = seconds[:2] if seconds else ()
        times = [duration(time) for time in times] or ["unknown"] * 2
        cohorts.add_row(cohort.title, *(f"{size:,}" for size in sizes), *times)
    out.print(cohorts)
    typer.echo(
        f"{plan.left:,} of {len(plan.runs):,} runs to train, cohorts: {len(plan.cohorts)}, "
        f"images: {plan.images:,}, into {where}"
    )
    for line in said(found, plan.left):
        typer.echo(line)


def carry_out(plan, store, where, keeping, ray, takes, plugins, programs):
    """Train what a plan has left. An interruption says what is kept and ends the process."""
    from .inline import run_inline
    from .progress import Progress
    from .ray_executor import cluster, run_on_ray

    with cluster(ray) if ray else nullcontext() as connection, Progress(plan, err) as progress:
        say(f"{plan.left} of {len(plan.runs)} runs to train, into {where}")
        try:
            if ray:
                about = {"plugins": plugins, "programs": programs, "takes": takes}
                run_on_ray(plan, store, progress, connection, keeping=keeping, **about)
            else:
                run_inline(plan, store, progress, keeping)
        except KeyboardInterrupt:
            kept = len(plan.runs) - plan.left + progress.runs_done
            say(
                f"stopped: {kept} of {len(plan.runs)} runs are kept in {where}; "
                "the same command goes on from there"
            )
            raise typer.Exit(130) from None


def add_bounds(plan, store, where):
    """Score floors and ceilings that are not there yet. An interruption ends the process.

    Whatever else goes wrong with them is said, and the study is concluded without.
    """
    from soberlook.results.store import StoreError

    from .bounds import keep_bounds

    try:
        keep_bounds(store, plan)
        store.remove("failures/bounds.txt")
    except StoreError:
        raise
    except KeyboardInterrupt:
        say(
            f"stopped: all {len(plan.runs)} runs are kept in {where}, but not all floors and "
            "ceilings; the same command goes on from there"
        )
        raise typer.Exit(130) from None
    except Exception as error:
        place = store.put_text("failures/bounds.txt", "".join(traceback.format_exception(error)))
        say(f"not all floors and ceilings are there, {type(error).__name__}: see {place}")


def conclude(plan, where):
    """The summary and the report of everything in the store; exit code 1 where runs were lost."""
    from soberlook import results
    from soberlook.results.report import write_report
    from soberlook.results.summary import summarize

    runs = results.load(where)
    summary = table(
        "dataset", "model", "setting", "runs", "lost", "MIG", "range", "reconstruction", "KL"
    )
    for row in summarize(runs).to_dict("records"):
        low, high = row.get("mig_min"), row.get("mig_max")
        summary.add_row(
            row["dataset"],
            row["model"],
            row["label"],
            str(row["runs"]),
            str(row["lost"]),
            number(row.get("mig_median"), ".3f"),
            " to ".join(filter(None, (number(low, ".3f"), number(high, ".3f")))),
            number(row.get("reconstruction"), ".2f"),
            number(row.get("kl"), ".2f"),
        )
    out.print(summary)
    typer.echo(f"report: {write_report(where)}")
    wanted = runs["run_id"].isin([run.id for run in plan.runs])
    lost = int((wanted & (runs["status"] != "done")).sum())
    if lost:
        say(f"{lost} of {len(plan.runs)} runs failed or diverged: soberlook status {where}")
        raise typer.Exit(1)
