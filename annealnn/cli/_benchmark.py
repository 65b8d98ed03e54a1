"""`annealnn benchmark`: who solves which problems how fast, and does a processor beat simulated annealing."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from annealnn.benchmark._contestant import ContestantSpec
    from annealnn.experiments import BenchmarkJob, BenchmarkResult

app = typer.Typer(
    name="benchmark",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Compare who solves problems how fast: a processor, simulated annealing, other solvers.",
)
_OUT = Path("benchmark-report")
# reasons of failures that are printed
_TOLD = 5


@app.command("run")
def run(
    out: Annotated[
        Path, typer.Option(help="Folder of results and report; a run that was stopped goes on there.")
    ] = _OUT,
    quick: Annotated[bool, typer.Option("--quick", help="A small one, to see that all of it runs.")] = False,
    profile: Annotated[
        str | None, typer.Option(help="Of D-Wave's configuration: a real processor, which costs. Else a stand-in.")
    ] = None,
    solver: Annotated[str | None, typer.Option(help="With a profile: a solver's name.")] = None,
    budget_us: Annotated[
        float | None, typer.Option(help="With a profile: QPU access time there is, microseconds; it stops before.")
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(help="Compare on these instances instead, such as ran or lattice,dimension=3; repeat it."),
    ] = None,
    size: Annotated[list[int] | None, typer.Option(help="With families: as they count it; repeat it.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="With families: instances of each size.")] = 10,
    contestant: Annotated[
        list[str] | None,
        typer.Option(help="With families: such as neal, standin,embedding=find or package.module:factory."),
    ] = None,
    effort: Annotated[
        list[str] | None,
        typer.Option(help="With families: 8,16,32 for all that have efforts, neal=8,16 for one.  [default: a range]"),
    ] = None,
    reads: Annotated[int, typer.Option(min=1, help="With families: of each run.")] = 100,
    measure: Annotated[
        list[str] | None, typer.Option(help="With families: overlaps, states, effective-beta, valleys, ...; repeat it.")
    ] = None,
    power_w: Annotated[
        list[str] | None, typer.Option(help="Electrical power of a contestant, such as neal=12; repeat it.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that one run may take.")] = 600.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 0,
    retry: Annotated[bool, typer.Option("--retry", help="Run again what failed or timed out before.")] = False,
) -> None:
    """Run the flagship comparison, or one of your own with --family, --size and --contestant.

    What the folder has already is not run again. Stop it with Ctrl-C; the same command goes on.
    """
    from dataclasses import replace

    from annealnn.benchmark._contestant import ContestantSpec
    from annealnn.experiments import flagship, run_benchmark
    from annealnn.experiments._flagship import STANDIN

    powers = _powers(power_w or [])
    processor = STANDIN
    if profile is not None:
        ways = {"profile": profile, "solver": solver, "budget_us": budget_us}
        told = {name: value for name, value in ways.items() if value is not None}
        processor = ContestantSpec(name="qpu", settings=told, power_w=powers.get("qpu"))
    elif solver is not None or budget_us is not None:
        msg = "--solver and --budget-us go with --profile; got one of them without it"
        raise ValueError(msg)
    console = Console(highlight=False)
    if family:
        extra = [processor] if profile is not None else []
        job = _own(
            out, family, size or [], seeds, contestant or [], effort or [], reads, measure or [], powers, seed, extra
        )
    elif size or contestant or effort or measure:
        msg = "--size, --contestant, --effort and --measure make a comparison of your own: give --family too"
        raise ValueError(msg)
    else:
        job = flagship(out=out, processor=processor, quick=quick, seed=seed, powers_w=powers)
    names = {entrant.contestant.name for part in job.parts for entrant in part.entrants}
    if unknown := sorted(set(powers) - names):
        msg = f"--power-w names contestants of this comparison, {', '.join(sorted(names))}; got {unknown[0]!r}"
        raise ValueError(msg)
    try:
        result = run_benchmark(replace(job, timeout_s=timeout, retry=retry), say=console.print)
    except KeyboardInterrupt:
        console.print("interrupted: the same command goes on", style="yellow")
        raise typer.Exit(130) from None
    _show(console, result)
    if not any(record.status == "done" for record in result.records if record.task.kind != "certify"):
        console.print("no contestant came to an end: nothing was measured", style="yellow")
        raise typer.Exit(1)


@app.command("report")
def report(
    results: Annotated[list[Path], typer.Argument(help="Files of results; records of several are put together.")],
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = _OUT,
    processor: Annotated[
        str | None, typer.Option(help="Contestant that the verdict is about.  [default: the one on a processor]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the intervals.")] = 0,
) -> None:
    """Write the report of results that are there."""
    from annealnn.experiments import report_benchmark
    from annealnn.experiments._benchmark import claim_folder, read_results

    records = read_results(results)
    claim_folder(out)
    _show(Console(highlight=False), report_benchmark(records, out, processor=processor, seed=seed))


@app.command("merge")
def merge(
    results: Annotated[list[Path], typer.Argument(help="Files of results, of several machines.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
) -> None:
    """Put results of several machines into one file: each run once."""
    from annealnn.benchmark._results import merge_results
    from annealnn.experiments._benchmark import check_results

    check_results(results)
    records = merge_results(results, out)
    told = f"{len(records)} runs of {len(results)} files in {out}"
    Console(highlight=False).print(told, markup=False, soft_wrap=True)


@app.command("families")
def families() -> None:
    """List the families of problems."""
    from annealnn.benchmark.families import family_names, find_family

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("family", "what it is", "source"):
        table.add_column(heading)
    for name in family_names():
        found = find_family(name)
        table.add_row(name, found.summary, found.source)
    Console(highlight=False).print(table)


@app.command("contestants")
def contestants() -> None:
    """List the contestants, with the library and release of each."""
    from annealnn.benchmark._contestant import ContestantSpec
    from annealnn.benchmark.contestants import contestant_names, contestant_version

    there = contestant_names(installed=True)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("contestant", "version", ""):
        table.add_column(heading)
    for name in contestant_names():
        version = contestant_version(ContestantSpec(name=name))
        table.add_row(name, version, "" if name in there else "its library is not installed")
    Console(highlight=False).print(table)


@app.command("instance")
def instance(
    family: Annotated[str, typer.Argument(help="Such as ran, or lattice,dimension=3.")],
    size: Annotated[int, typer.Argument(help="As the family counts it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file: .bqm is dimod's, .coo or .txt COOrdinate text.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
) -> None:
    """Write an instance to a file for other programs, and what is known of its optimum beside it."""
    from annealnn.benchmark._instance import InstanceSpec
    from annealnn.benchmark.families import build_instance, write_instance

    name, options = _with_settings(family)
    built = build_instance(InstanceSpec(family=name, size=size, seed=seed, options=options))
    written = write_instance(built, out)
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{built.spec.group}, size {size}, seed {seed}: {built.model.structure.num_variables} variables, "
        f"{built.model.structure.num_edges} edges"
    )
    known = built.optimum
    console.print("optimum not planted" if known is None else f"optimum {known.energy:g}, {known.proof}", markup=False)
    console.print(f"written to {written}", markup=False)


def _own(
    out: Path,
    families: list[str],
    sizes: list[int],
    seeds: int,
    contestants: list[str],
    efforts: list[str],
    reads: int,
    measures: list[str],
    powers: dict[str, float],
    seed: int,
    extra: "list[ContestantSpec]",
) -> "BenchmarkJob":
    from annealnn.benchmark._contestant import ContestantSpec
    from annealnn.benchmark._instance import InstanceSpec
    from annealnn.benchmark._plan import Entrant
    from annealnn.benchmark.contestants import open_contestant
    from annealnn.experiments import BenchmarkJob, BenchmarkPart
    from annealnn.experiments._flagship import default_efforts

    specs = list(extra)
    for text in contestants:
        name, settings = _with_settings(text)
        specs.append(ContestantSpec(name=name, settings=settings, label=text, power_w=powers.get(name)))
    if not sizes or not specs:
        msg = "a comparison of your own has one --size or more and one --contestant or more; got none"
        raise ValueError(msg)
    told = _efforts(efforts)
    if unknown := sorted(set(told) - {"", *(spec.name for spec in specs)}):
        msg = f"--effort names contestants of this comparison; got {unknown[0]!r}"
        raise ValueError(msg)
    entrants = []
    for spec in specs:
        opened = open_contestant(spec)
        default = told.get("") if opened.effort_name else None
        chosen = told.get(spec.name) or default or default_efforts(opened)
        entrants.append(Entrant(contestant=spec, efforts=chosen))
    instances = [
        InstanceSpec(family=name, size=size, seed=seed + k, options=options)
        for name, options in map(_with_settings, families)
        for size in sizes
        for k in range(seeds)
    ]
    part = BenchmarkPart(
        instances=tuple(instances), entrants=tuple(entrants), num_reads=reads, measures=tuple(measures)
    )
    return BenchmarkJob(out=out, parts=(part,), seed=seed)


def _show(console: Console, result: "BenchmarkResult") -> None:
    from annealnn.reports._benchmark import ranking
    from annealnn.reports._benchmark_tables import short

    found = result.verdict
    console.print(f"[bold]{found.text}[/bold]", soft_wrap=True)
    for reason in found.reasons:
        console.print(f"- {reason}", markup=False, soft_wrap=True)
    console.print("What would change it:")
    for change in found.what_would_change_it:
        console.print(f"- {change}", markup=False, soft_wrap=True)
    for group in result.analysis.groups:
        if ranks := ranking(result.analysis, group):
            console.print(f"{short(group)}: {ranks}", markup=False, soft_wrap=True)
    if failures := result.analysis.failures:
        console.print(f"{len(failures)} runs gave no reads; the report lists them:", style="yellow")
        told = Counter(f"{row.status}, {row.message}" for row in failures).most_common()
        for said, count in told[:_TOLD]:
            console.print(f"- {count}: {said}", markup=False, soft_wrap=True)
        if len(told) > _TOLD:
            console.print(f"- and {len(told) - _TOLD} other reasons")
    console.print(f"report: {result.page.resolve()}", markup=False, soft_wrap=True)


def _with_settings(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and settings of a text such as "lattice,dimension=3"; values are JSON, or else text."""
    name, *rest = re.split(r",(?=\w+=)", text)
    return name.strip(), dict(_assigned(part) for part in rest)


def _assigned(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _efforts(texts: list[str]) -> dict[str, tuple[float | None, ...]]:
    """Return efforts by contestant's name, "" for all."""
    told: dict[str, tuple[float | None, ...]] = {}
    for text in texts:
        name, equals, values = text.rpartition("=")
        try:
            told[name if equals else ""] = tuple(float(value) for value in values.split(","))
        except ValueError:
            msg = f"--effort is numbers, 8,16,32, or those of a contestant, neal=8,16; got {text!r}"
            raise ValueError(msg) from None
    return told


def _powers(texts: list[str]) -> dict[str, float]:
    told = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            told[name] = float(value)
        except ValueError:
            msg = f"--power-w is a contestant and watts, neal=12; got {text!r}"
            raise ValueError(msg) from None
    return told
