"""`annealnn optdigits`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


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
        str, typer.Option(help="Topology to embed in: zephyr-12, pegasus-16, chimera-12, ...")
    ] = "zephyr-12",
    device_beta: Annotated[
        float, typer.Option(help="Inverse temperature of the local stand-in device; hidden from the learner.")
    ] = 2.0,
    iterations: Annotated[int, typer.Option(help="Iterations of the fully visible machine.")] = 3000,
    embedded_iterations: Annotated[int, typer.Option(help="Iterations of the embedded machine.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints of an interrupted run.")] = False,
) -> None:
    """Learn the distribution of handwritten digits, on the logical graph and embedded in a processor's graph.

    Runs on this machine: no account, no network. Writes a report (index.html, figures, results.json). Stop it with
    Ctrl-C; it goes on with --resume.
    """
    if every:
        _compare(out or Path("optdigits-all-report"), quick, rbms_python, seed, resume)
        return
    from annealnn.experiments import OptDigitsJob, run_optdigits

    out = out or Path("optdigits-report")
    job = OptDigitsJob(
        out=out,
        target=target,
        device_beta=device_beta,
        n_iter=iterations,
        embedded_n_iter=embedded_iterations,
        seed=seed,
        resume=resume,
    )
    console = Console(highlight=False)
    try:
        result = run_optdigits(job, say=console.print)
    except KeyboardInterrupt:
        console.print(
            "interrupted: go on with the same options and --resume (make optdigits ARGS=--resume)", style="yellow"
        )
        raise typer.Exit(130) from None
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
        f"{result.embedded.embedding_.num_qubits} qubits of {target}; {result.wall_s:.0f} s in all"
    )
    console.print(f"report: {(out / 'index.html').resolve()}", soft_wrap=True)


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
