"""A progress bar on terminals and in notebooks, silence elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Wanted = Literal["auto"] | bool


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
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, completed=done, note="")
        yield lambda note: bar.update(task, advance=1, note=note)
