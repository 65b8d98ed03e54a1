"""A progress bar on terminals and in notebooks, silence elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.progress import Progress

Wanted = Literal["auto"] | bool

# seconds that a run lasts before its bar appears
_PATIENCE_S = 1.0
# seconds over which the speed is taken where single steps may last minutes
_MEMORY_S = 3600.0


def is_shown(wanted: Wanted) -> bool:
    """Return whether to show progress: "auto" means on a terminal or in a notebook."""
    if wanted == "auto":
        return sys.stderr.isatty() or "ipykernel" in sys.modules
    return bool(wanted)


@contextmanager
def progress_bar(title: str, total: int, *, done: int = 0, wanted: Wanted = "auto") -> Iterator[Callable[[str], None]]:
    """Give a function that moves the bar by one step and sets the note beside it."""
    if not is_shown(wanted):
        yield lambda _note: None
        return
    with _bar(with_count=True) as bar:
        task = bar.add_task(title, total=total, completed=done, note="")
        yield lambda note: bar.update(task, advance=1, note=note)


@contextmanager
def late_progress_bar(title: str, *, wanted: Wanted = "auto") -> Iterator[Callable[[float], None]]:
    """Give a function that takes how much is done, 0 to 1; under "auto" the bar waits a second, and goes at the end."""
    if not is_shown(wanted):
        yield lambda _fraction: None
        return
    due = time.monotonic() + (_PATIENCE_S if wanted == "auto" else 0.0)
    bar, task = _bar(with_count=False, transient=wanted == "auto"), None

    def show(fraction: float) -> None:
        nonlocal task
        if task is None:
            if time.monotonic() < due:
                return
            task = bar.add_task(title, total=1.0, note="")
            bar.start()
        bar.update(task, completed=fraction)

    try:
        yield show
    finally:
        if task is not None:
            bar.stop()


@contextmanager
def seconds_bar(title: str, *, wanted: Wanted = "auto") -> Iterator[Callable[[float, float, str], None]]:
    """Give a function that takes the seconds of work that are done, those that are left, and the note beside the bar.

    Those left may be a guess that changes, or infinite while there is none. The time left that is shown allows for work
    that goes on side by side.
    """
    if not is_shown(wanted):
        yield lambda _done, _left, _note: None
        return
    with _bar(with_count=False, memory_s=_MEMORY_S) as bar:
        task = bar.add_task(title, total=None, note="")

        def show(done: float, left: float, note: str) -> None:
            # given to `update`, another total would make it forget the speed, and there would never be a time left
            bar.tasks[0].total = done + left if isfinite(left) else None
            bar.update(task, completed=done, note=note)

        yield show


def _bar(*, with_count: bool, transient: bool = False, memory_s: float = 30.0) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn() if with_count else TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=Console(stderr=True), transient=transient, speed_estimate_period=memory_s)
