"""Running a plan: what is there is not run again, and what is done is on the disk."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Protocol

from annealnn._log import logger
from annealnn._progress import Wanted, seconds_bar
from annealnn._secrets import hide_secrets
from annealnn.benchmark._forecast import Forecast
from annealnn.benchmark._pool import WorkerPool, lost
from annealnn.benchmark._results import ResultsFile
from annealnn.benchmark._task import Record, Task

# tasks that came to an end of their own; the others may fare better another time
_ENDED = ("done", "refused", "wrong energies")


class Executor(Protocol):
    """Whoever runs tasks: `WorkerPool` here, a cluster elsewhere."""

    def submit(self, task: Task, /) -> Future[Record]:
        """Take a task on. Its future has a record; one that raises is recorded as failed."""


def run_tasks(
    tasks: Iterable[Task],
    results: str | os.PathLike[str],
    *,
    executor: Executor | None = None,
    num_workers: int = 1,
    timeout_s: float = 600.0,
    progress: Wanted = "auto",
    retry: bool = False,
) -> list[Record]:
    """Run the tasks that have no record yet, and return the records of all.

    A record is on the disk before the next one is waited for. A run that is stopped, by whatever, goes on where it was
    when it is started again with the same file; only what was under way is run again. An interrupt is raised when the
    workers are gone.

    Contestants that are timed should have the machine to themselves: with more than one worker they share its caches
    and memory, and with more workers than cores its cores, and times mean less. Tasks that only count successes, and
    certificates, may run side by side.

    Parameters
    ----------
    tasks : iterable of Task
        In the order to run them; see `plan_tasks`. One that comes twice runs once.
    results : path
        Of a file of results; see `ResultsFile`. Two runs at once with one file lose nothing, and run what neither had
        recorded twice.
    executor : Executor, optional
        What runs the tasks, with time limits of its own. Worker processes of this machine if None.
    num_workers : int
        Of those.
    timeout_s : float
        What a task may take, seconds; longer ones are stopped and recorded as timed out.
    progress : "auto" or bool
        Whether to show a bar with the time left, by what such tasks took so far; "auto": on a terminal, in a notebook.
    retry : bool
        Whether tasks that failed or timed out before are run again.

    Returns
    -------
    list of Record
        One for each task, in their order, with the labels and powers that these tasks state.

    Raises
    ------
    ResultsError
        If the file is none of results, has another format or is damaged.
    ValueError
        If a number breaks its rule.
    """
    wanted = {task.key: task for task in tasks}
    file = ResultsFile(results)
    found = {record.key: record for record in file.read()}
    pending = [task for key, task in wanted.items() if _is_due(found.get(key), retry=retry)]
    logger.info("%d of %d tasks are to be run; %s has the others", len(pending), len(wanted), file.path)
    if pending:
        file.begin()
        # what failed before is replaced, and says nothing of how long it takes
        forecast = Forecast(pending, [record for record in found.values() if record.status in _ENDED])
        with (
            _executor(executor, num_workers, timeout_s) as worker,
            closing(_records(worker, pending)) as records,
            _bar(pending, forecast, progress) as show,
        ):
            for record in records:
                file.append(record)
                found[record.key] = record
                forecast.done(record)
                show(record)
    # labels and stated powers may have changed since: they are those of now
    return [replace(found[key], task=task) for key, task in wanted.items()]


def _is_due(record: Record | None, *, retry: bool) -> bool:
    return record is None or (retry and record.status not in _ENDED)


@contextmanager
def _executor(given: Executor | None, num_workers: int, timeout_s: float) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    with WorkerPool(num_workers, timeout_s=timeout_s) as pool:
        yield pool


def _records(executor: Executor, tasks: Sequence[Task]) -> Generator[Record]:
    """Give records as they come; what is left when this is closed is cancelled."""
    futures = {executor.submit(task): task for task in tasks}
    try:
        for future in as_completed(futures):
            try:
                yield future.result()
            except Exception as error:
                yield lost(futures[future], "failed", hide_secrets(f"{type(error).__name__}: {error}"))
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def _bar(tasks: Sequence[Task], forecast: Forecast, progress: Wanted) -> Iterator[Callable[[Record], None]]:
    waiting = {task.key: task for task in tasks}
    spent = 0.0
    with seconds_bar("benchmark", wanted=progress) as move:

        def show(seconds: float) -> None:
            nonlocal spent
            spent += seconds
            # tasks begin in their order, so the first that is not done is running
            running = next((_described(task) for task in waiting.values()), "")
            move(spent, forecast.left_s, f"{len(tasks) - len(waiting)}/{len(tasks)} {running}")

        def done(record: Record) -> None:
            del waiting[record.key]
            show(record.wall_s)

        show(0.0)
        yield done


def _described(task: Task) -> str:
    what = task.contestant.label if task.contestant is not None else "certificate"
    effort = "" if task.effort is None else f" at {task.effort:g}"
    return f"{what}{effort}: {task.instance.group}, size {task.instance.size}"
