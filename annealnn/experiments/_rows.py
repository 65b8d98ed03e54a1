"""Tables of what was measured beside its target."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """A line of the table; without a target it is information."""

    what: str
    target: str
    ours: str
    good: bool | None = None


def print_rows(title: str, rows: Sequence[Row]) -> bool:
    """Print a table of rows; return whether all targets are met."""
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("what", "target", "ours", ""):
        table.add_column(heading)
    for row in rows:
        table.add_row(row.what, row.target, row.ours, "" if row.good is None else "pass" if row.good else "MISS")
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
    return all(row.good is not False for row in rows)


def say_line(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def folder_or_temporary(given: Path | None) -> Iterator[Path]:
    """Give the folder, or one that goes at the end."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
