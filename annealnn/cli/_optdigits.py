"""`annealnn optdigits`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from annealnn.qpu import Plan


def optdigits(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report.  [default: optdigits-report, or optdigits-all-report]")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Compare every machine and two rivals on all ten digits instead.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --all: a hundredth of the steps, to see that all of it runs.")
    ] = False,
    rbms_python: Annotated[
        str | None, typer.Option(help="With --all: an interpreter that has the package rbms, if this one has not.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="Topology to embed in: zephyr-12, pegasus-16, chimera-12, ...  [default: zephyr-12; the graph of a "
            "processor]"
        ),
    ] = None,
    device_beta: Annotated[
        float, typer.Option(help="Inverse temperature of the local stand-in device; hidden from the learner.")
    ] = 2.0,
    iterations: Annotated[int, typer.Option(help="Iterations of the fully visible machine.")] = 3000,
    embedded_iterations: Annotated[int, typer.Option(help="Iterations of the embedded machine.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints of an interrupted run.")] = False,
    sampler: Annotated[
        Literal["local", "qpu"],
        typer.Option(help="The device: on this machine, or the processor of your D-Wave configuration, which costs."),
    ] = "local",
    profile: Annotated[str | None, typer.Option(help="With qpu: of D-Wave's configuration file.")] = None,
    solver: Annotated[str | None, typer.Option(help="With qpu: a solver's name.")] = None,
    gauges: Annotated[int, typer.Option(help="With qpu: random gauges that reads are shared out among.")] = 1,
    annealing_time: Annotated[
        float | None, typer.Option(help="With qpu: microseconds; the solver's default if left out.")
    ] = None,
    budget_us: Annotated[
        float | None, typer.Option(help="With qpu: QPU access time there is, microseconds; it stops before.")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="With qpu: where jobs are kept; what it answers is not sent again.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With qpu: print the jobs and their QPU access time; send none.")
    ] = False,
    resubmit_in_doubt: Annotated[
        bool,
        typer.Option("--resubmit-in-doubt", help="With qpu: send jobs again that may have been billed already."),
    ] = False,
) -> None:
    """Learn the distribution of handwritten digits, on the logical graph and embedded in a processor's graph.

    Runs on this machine: no account, no network, unless a processor is asked for. Writes a report (index.html, figures,
    results.json). Stop it with Ctrl-C; it goes on with --resume.
    """
    from annealnn.experiments import Processor

    processor = Processor(
        profile=profile,
        solver=solver,
        num_gauges=gauges,
        annealing_time_us=annealing_time,
        budget_us=budget_us,
        journal=None if journal is None else str(journal.resolve()),
        resubmit_in_doubt=resubmit_in_doubt,
    )
    if every and sampler != "local":
        msg = f"the comparison of all machines runs on this machine; got --all with --sampler {sampler}"
        raise ValueError(msg)
    if sampler == "local" and (dry_run or processor != Processor()):
        msg = "options of a processor go with --sampler qpu; got some of them with --sampler local. See --help"
        raise ValueError(msg)
    if every:
        _compare(out or Path("optdigits-all-report"), quick, rbms_python, seed, resume)
        return
    from annealnn.exceptions import QPUError
    from annealnn.experiments import OptDigitsJob, plan_optdigits, run_optdigits

    out = out or Path("optdigits-report")
    job = OptDigitsJob(
        out=out,
        target=target,
        device_beta=device_beta,
        n_iter=iterations,
        embedded_n_iter=embedded_iterations,
        seed=seed,
        resume=resume,
        processor=processor if sampler == "qpu" else None,
    )
    console = Console(highlight=False)
    if dry_run:
        _print_plan(console, plan_optdigits(job), budget_us)
        return
    try:
        result = run_optdigits(job, say=console.print)
    except KeyboardInterrupt:
        console.print(
            "interrupted: go on with the same options and --resume (make optdigits ARGS=--resume)", style="yellow"
        )
        raise typer.Exit(130) from None
    except QPUError:
        console.print("stopped; what was learned is saved: go on with the same options and --resume", style="yellow")
        raise
    console.print(_as_table(result.table))
    for miss in result.misses:
        console.print(f"missed: {miss}", style="yellow")
    best = result.hebbian
    console.print(
        "pair error: of decoded reads, over all pairs; "
        f"the untrained machine is at its best ({best.form}, scale {best.scale:g})"
    )
    q = result.quality
    console.print(
        f"embedded machine: broken chains {_show(q.broken_chains)}, decoded mean error {_show(q.field_error, 4)}, "
        f"{result.embedded.embedding_.num_qubits} qubits of {result.target}; {result.wall_s:.0f} s in all"
    )
    if result.overhead is not None:
        of, made_up = result.overhead, ", SIMULATED" if result.overhead.simulated else ""
        console.print(
            f"{of.solvers[-1]}{made_up}: {of.num_jobs:,} jobs, {of.num_reads:,} reads, "
            f"{of.total_access_us / 1e6:.2f} s of QPU access time{made_up}, in all that the journal has of it",
            soft_wrap=True,
        )
    console.print(f"report: {(out / 'index.html').resolve()}", soft_wrap=True)


def _print_plan(console: Console, plans: "dict[str, Plan]", budget_us: float | None) -> None:
    simulated = ", SIMULATED" if any(plan.simulated for plan in plans.values()) else ""
    table = Table(title=f"What would be sent to the processor{simulated}", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("part")
    for heading in ("steps", "jobs", "reads", "QPU access time, s"):
        table.add_column(heading, justify="right", no_wrap=True)
    total_us = 0.0
    for name, plan in plans.items():
        reads = sum(part.num_reads for part in plan.parts) * plan.num_problems * plan.num_batches
        table.add_row(name, f"{plan.num_steps:,}", f"{plan.num_jobs:,}", f"{reads:,}", f"{plan.total_us / 1e6:.2f}")
        total_us += plan.total_us
    jobs = sum(plan.num_jobs for plan in plans.values())
    table.add_row("in all", "", f"{jobs:,}", "", f"{total_us / 1e6:.2f}", style="bold")
    console.print(table)
    if budget_us is not None:
        verdict = "fits" if total_us <= budget_us else "does not fit: the run would stop before the budget is broken"
        console.print(f"{total_us / budget_us:.1%} of the budget of {budget_us / 1e6:.2f} s; that {verdict}")
    console.print("Nothing was sent. What the journal has already is not counted off.")


def _compare(out: Path, quick: bool, rbms_python: str | None, seed: int, resume: bool) -> None:
    from annealnn.experiments import AllDigitsJob, run_all_digits

    console = Console(highlight=False)
    job = AllDigitsJob(out=out, quick=quick, rbms_python=rbms_python, seed=seed, resume=resume)
    try:
        result = run_all_digits(job, say=console.print)
    except KeyboardInterrupt:
        console.print("interrupted: go on with the same options and --resume", style="yellow")
        raise typer.Exit(130) from None
    table = Table(title="OptDigits, 74 visible units, test file", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("machine")
    for heading in ("log-likelihood, nats", "accuracy"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, scored in sorted(result.chosen.items(), key=lambda item: -item[1].accuracy.value):
        table.add_row(name, _show(scored.log_likelihood, 2), _show(scored.accuracy))
    table.add_row("shuffled labels", _show(result.shuffled.log_likelihood, 2), _show(result.shuffled.accuracy))
    table.add_row("independent units", _show(result.independent, 2), _show(None))
    console.print(table)
    for miss in result.misses:
        console.print(f"not ahead: {miss}", style="yellow")
    console.print(f"report: {(out / 'index.html').resolve()}", soft_wrap=True)


def _as_table(rows: list[dict[str, object]]) -> Table:
    table = Table(title="OptDigits, 46 variables; log-likelihood in nats", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("model")
    for heading in ("LL train", "LL test", "accuracy", "pair error"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row["model"]),
            _show(row["train_log_likelihood"], 2),
            _show(row["test_log_likelihood"], 2),
            _show(row["accuracy"]),
            _show(row["decoded_coupling_error"], 4),
        )
    return table


def _show(estimate: object, digits: int = 3) -> str:
    from annealnn.reports import format_estimate

    return format_estimate(estimate, digits)
