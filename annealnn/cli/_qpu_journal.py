"""`annealnn qpu journal`, `annealnn qpu collect` and `annealnn qpu replay`."""

import os
import shlex
from collections import Counter
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from annealnn.qpu import Journal
    from annealnn.qpu._records import JobRecord

_Path = Annotated[
    Path | None, typer.Option("--journal", help="The file; $ANNEALNN_JOURNAL or the user's own if left out.")
]
# of the way to the solver and back
_PARTS = {
    "encode_s": "encode",
    "submit_s": "go over the network",
    "wait_s": "queue and be solved, as the service says",
    "decode_s": "decode",
}
# argv[0] of our own commands
_OURS = ("annealnn", "annealnn.exe", "__main__.py")


def journal(
    path: _Path = None,
    experiment: Annotated[str | None, typer.Option(help="Only this one, job by job.")] = None,
) -> None:
    """List the jobs that were sent to solvers, what became of them, what they cost and what sent them."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 240  # of a file or a pipe: keys in one piece
    with _open(path) as kept:
        jobs = kept.jobs(experiment)
        if not jobs:
            of = "" if experiment is None else f" of experiment {experiment!r}"
            console.print(f"{kept.path}: no jobs{of}", markup=False, soft_wrap=True)
            return
        console.print(f"{kept.path}: {len(jobs)} jobs", markup=False, soft_wrap=True)
        simulated = {
            definition.solver: definition.simulated
            for name in {job.experiment for job in jobs}
            for definition in kept.definitions(name)
        }
        console.print(_by_experiment(jobs, simulated))
        seconds = kept.client_s(experiment)
        if seconds:
            medians = {part: median(each.get(part, 0.0) for each in seconds) for part in _PARTS}
            console.print(
                "a job takes, at the median, "
                + ", ".join(f"{1e3 * medians[part]:.1f} ms to {what}" for part, what in _PARTS.items())
            )
        if experiment is not None:
            console.print(_by_job(jobs))
        runs = [run for run in kept.runs() if run.run in {job.run for job in jobs}]
        table = _table("run", "begun", "on", "versions", "command")
        table.title, table.title_justify = "sent by", "left"
        last = None
        for run in runs:
            versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
            shown = "the same" if versions == last else versions
            table.add_row(str(run.run), _time(run.started_at), run.host, shown, shlex.join(run.command))
            last = versions
        console.print(table)
    in_doubt = [job for job in jobs if job.state == "in-doubt"]
    if in_doubt:
        console.print(
            f"[bold red]{len(in_doubt)} jobs are in doubt[/]: they were sent, and whether the service has them could "
            "not be found out. `annealnn qpu collect`, or running the experiment again, looks them up; where that "
            "fails, they are sent again only with --resubmit-in-doubt, and may be billed twice:"
        )
        for job in in_doubt:
            console.print(f"  {job.key}: {job.note}", markup=False, soft_wrap=True)


def collect(
    path: _Path = None,
    experiment: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    resubmit_in_doubt: Annotated[
        bool,
        typer.Option(
            "--resubmit-in-doubt", help="Send jobs again that the service does not account for; they may be paid twice."
        ),
    ] = False,
    profile: Annotated[str | None, typer.Option(help="Of D-Wave's configuration file.")] = None,
    solver: Annotated[str | None, typer.Option(help="A solver's name.")] = None,
    region: Annotated[str | None, typer.Option(help="Of Leap.")] = None,
) -> None:
    """Collect the jobs that were sent and not answered yet, without the program that sent them."""
    from annealnn.qpu import Connection, Dispatcher

    console = Console(highlight=False)
    with _open(path) as kept:
        left = [job for job in kept.jobs(experiment) if job.state in ("prepared", "accepted", "in-doubt")]
        if not left:
            console.print(f"{kept.path}: no job waits to be collected", markup=False, soft_wrap=True)
            return
        requests = [kept.request(job.key) for job in left]
        with Connection.open(profile=profile, solver=solver, region=region) as connection:
            answers = Dispatcher(connection, kept, resubmit_in_doubt=resubmit_in_doubt).run(requests)
        billed = sum(answer.timing.get("qpu_access_time", 0.0) for answer in answers)
        mark = " SIMULATED" if connection.simulated else ""
        console.print(f"{len(answers)} jobs collected, {billed / 1e3:.1f} ms of QPU access time{mark}", soft_wrap=True)


def replay(
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(help="An annealnn command, after --; the one that sent the newest job if left out."),
    ] = None,
    path: _Path = None,
) -> None:
    """Run a command again, answered from the journal alone: without network, account or cost."""
    from annealnn.qpu._dispatcher import REPLAY_VARIABLE

    with _open(path) as kept:
        where = kept.path.absolute()
        words = command or _recorded(kept)
    before = os.environ.get(REPLAY_VARIABLE)
    os.environ[REPLAY_VARIABLE] = str(where)
    try:
        context.find_root().command.main(words, prog_name="annealnn", standalone_mode=False)
    finally:
        if before is None:
            del os.environ[REPLAY_VARIABLE]
        else:
            os.environ[REPLAY_VARIABLE] = before


def _open(path: Path | None) -> "Journal":
    from annealnn.exceptions import JournalError
    from annealnn.qpu import Journal, default_journal

    found = path or default_journal()
    if not found.is_file():
        msg = f"there is no journal at {found}; give --journal, or set ANNEALNN_JOURNAL"
        raise JournalError(msg)
    return Journal(found)


def _recorded(kept: "Journal") -> list[str]:
    """Return the words of the command that sent the newest job."""
    from annealnn.exceptions import JournalError
    from annealnn.qpu._dispatcher import REPLAY_VARIABLE

    jobs, runs = kept.jobs(), {run.run: run for run in kept.runs()}
    if not jobs:
        msg = f"a replay needs a journal with jobs; {kept.path} holds none"
        raise JournalError(msg)
    program, *words = runs[jobs[-1].run].command or [""]
    if Path(program).name not in _OURS:
        # a journal may come from others: what it names is not run as it is
        msg = (
            f"only annealnn's own commands are run again from a journal; this one was sent by {program!r}. Run it "
            f"yourself with {REPLAY_VARIABLE}={kept.path}"
        )
        raise JournalError(msg)
    return words


def _by_experiment(jobs: "list[JobRecord]", simulated: dict[str, bool]) -> Table:
    table = _table("experiment", "solver", "jobs", "reads", "QPU access time", "expected yet")
    for name, solver in dict.fromkeys((job.experiment, job.solver) for job in jobs):
        own = [job for job in jobs if (job.experiment, job.solver) == (name, solver)]
        states = ", ".join(f"{number} {state}" for state, number in Counter(job.state for job in own).items())
        mark = " SIMULATED" if simulated.get(solver) else ""
        table.add_row(name or "(none)", f"{solver}{mark}", states, *_costs(own, mark))
    table.add_section()
    for mark, of in ("", False), (" SIMULATED", True):
        own = [job for job in jobs if simulated.get(job.solver, False) is of]
        if own:
            table.add_row(f"all{mark}", "", f"{len(own)}", *_costs(own, mark))
    return table


def _table(*headings: str) -> Table:
    """Return a table that breaks what is too wide, and cuts nothing off: keys and commands are copied from it."""
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in ("state", "reads", "run"))
    return table


def _costs(jobs: "list[JobRecord]", mark: str) -> tuple[str, str, str]:
    reads = sum(job.num_reads for job in jobs if job.state == "answered")
    billed = sum(job.billed_us for job in jobs if job.state == "answered")
    yet = sum(job.estimated_us for job in jobs if job.state in ("prepared", "accepted", "in-doubt"))
    return f"{reads}", f"{billed / 1e3:.1f} ms{mark}", f"{yet / 1e3:.1f} ms{mark}"


def _by_job(jobs: "list[JobRecord]") -> Table:
    failed, noted = any(job.attempts for job in jobs), any(job.note for job in jobs)
    more = ["failed before"] * failed + ["note"] * noted
    table = _table("job", "state", "problem", "prepared", "reads", "QPU access time", "run", *more)
    for job in jobs:
        cost = f"{job.billed_us / 1e3:.1f} ms" if job.state == "answered" else f"about {job.estimated_us / 1e3:.1f} ms"
        numbers = (str(job.num_reads), cost, str(job.run), *[str(job.attempts)] * failed, *[job.note] * noted)
        table.add_row(job.key, job.state, job.problem_id or "", _time(job.prepared_at), *numbers)
    return table


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
