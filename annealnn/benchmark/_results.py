"""Results on disk: one record a line, none lost but the one that was being written."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, final

from annealnn._files_io import write_bytes
from annealnn._log import logger
from annealnn.benchmark._canonical import canonical
from annealnn.benchmark._task import Record
from annealnn.exceptions import ResultsError

if sys.platform != "win32":
    import fcntl

#: of the lines; another one is refused
VERSION = 1
_NAME = "annealnn benchmark results"
_HEADER = canonical({"file": _NAME, "format": VERSION}).encode() + b"\n"
#: the first that a task has stands. A claim that was wrong once is not forgotten for one that was right
RANKS = ("wrong energies", "done", "refused", "timed out", "failed")


@final
class ResultsFile:
    """Records as JSON lines, after a line that says what the file is.

    A line is on the disk when `append` returns. A writer that is killed leaves at most an unfinished last line: readers
    pass over it, and the next writer takes it away. Several processes may append at once (on Windows: one).

    Parameters
    ----------
    path : path
        The file; the first `append` makes it, and the folders above it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"ResultsFile({str(self.path)!r})"

    def read(self) -> list[Record]:
        """Return one record for each task, in the order of the tasks' first lines; none if there is no file.

        Where a task has several records, a run that came to its end stands for it, else the first. A second run, made
        elsewhere or at the same time, replaces no first one.

        Raises
        ------
        ResultsError
            If the file is none of results, has another format, or a line but the last is damaged.
        """
        return _settle(self._records())

    def begin(self) -> None:
        """Make the file, or see that records can be added to it, before there is one that could be lost.

        Raises
        ------
        ResultsError
            If the file is none of results or has another format; it is left as it is.
        OSError
            If it cannot be written.
        """
        self._append(b"")

    def append(self, record: Record) -> None:
        """Write a record.

        Raises
        ------
        ResultsError
            If the file is none of results or has another format; it is left as it is.
        ValueError
            If a number in the record is not finite.
        OSError
            If it cannot be written; the file is then as it was.
        """
        self._append(_line_of(record))

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        try:
            with _locked(file):
                begun = self._begun(file)
                size = os.fstat(file).st_size
                try:
                    _write(file, begun + line)
                except BaseException as error:
                    os.ftruncate(file, size)
                    if isinstance(error, OSError):
                        # a full disk is told of with the file that was on it
                        error.filename = str(self.path)
                    raise
        finally:
            os.close(file)

    def _begun(self, file: int) -> bytes:
        """Take an unfinished last line away, and return what is to be written before the next."""
        head = os.read(file, 4 * len(_HEADER))
        if not head or (_HEADER.startswith(head) and head != _HEADER):
            os.ftruncate(file, 0)
            return _HEADER
        self._check_header(head.partition(b"\n")[0])
        os.lseek(file, -1, os.SEEK_END)
        if os.read(file, 1) == b"\n":
            return b""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if _parsed(content[whole:]) is not None:
            return b"\n"
        os.ftruncate(file, whole)
        return b""

    def _records(self) -> Iterator[Record]:
        content = self.path.read_bytes() if self.path.exists() else b""
        header, *lines = content.split(b"\n")
        if not lines and _HEADER.startswith(header):
            return
        self._check_header(header)
        for number, line in enumerate(lines, start=2):
            given = _parsed(line)
            if given is not None:
                yield self._record(number, given)
            elif number <= len(lines):
                msg = f"line {number} of {self.path} is damaged: it holds no record. Take the line out to read the rest"
                raise ResultsError(msg)
            elif line:
                logger.warning("line %d of %s, the last, is unfinished and not read", number, self.path)

    def _record(self, number: int, given: dict[str, Any]) -> Record:
        try:
            record = Record.from_dict(given)
            key = given["key"]
        except (KeyError, TypeError, ValueError) as error:
            msg = f"line {number} of {self.path} is damaged: its parts make no record ({type(error).__name__}: {error})"
            raise ResultsError(msg) from error
        if record.key != key:
            msg = f"line {number} of {self.path} was changed: its task has the key {record.key}, and it says {key!r}"
            raise ResultsError(msg)
        return record

    def _check_header(self, line: bytes) -> None:
        given = _parsed(line) or {}
        if given.get("file") != _NAME:
            msg = f"{self.path} holds no results of a benchmark. Nothing in it was changed; give another path"
            raise ResultsError(msg)
        if given.get("format") != VERSION:
            msg = (
                f"this release reads results of format {VERSION}; {self.path} has format {given.get('format')!r}. "
                "Nothing in it was changed: use the release that wrote it, or begin a new file"
            )
            raise ResultsError(msg)


def merge_results(paths: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> list[Record]:
    """Write the records of several files into one, one for each task, and return them.

    Where files have a task in common, the rule of `ResultsFile.read` holds for their lines together; "first" is then by
    the time in the records, so that the order of the paths decides nothing but the order of the lines.

    Parameters
    ----------
    paths : sequence of path
        Files of results.
    out : path
        A new file, or one of `paths`. It is written beside and then renamed; nobody should append to it meanwhile.

    Raises
    ------
    ResultsError
        If a file is damaged, two files have different problems for one instance, or `out` is there and not one of
        `paths`.
    FileNotFoundError
        If one of `paths` is not there.
    """
    files, target = [Path(path) for path in paths], Path(out)
    for path in files:
        if not path.exists():
            msg = f"files that are there can be merged; got {path}"
            raise FileNotFoundError(msg)
    if target.exists() and not any(target.samefile(path) for path in files):
        msg = f"a merge makes a new file, or replaces one of those merged; got {target}, which has something else in it"
        raise ResultsError(msg)
    records = _settle(record for path in files for record in ResultsFile(path)._records())
    _check_problems(records)
    write_bytes(target, _HEADER + b"".join(map(_line_of, records)))
    return records


def _settle(records: Iterable[Record]) -> list[Record]:
    """Return one record for each task."""
    found: dict[str, Record] = {}
    for record in records:
        held = found.setdefault(record.key, record)
        if (RANKS.index(record.status), record.at) < (RANKS.index(held.status), held.at):
            found[record.key] = record
    return list(found.values())


def _check_problems(records: Iterable[Record]) -> None:
    seen: dict[str, Record] = {}
    for record in records:
        if not record.model:
            continue
        first = seen.setdefault(record.task.instance.key, record)
        if first.model["digest"] != record.model["digest"]:
            msg = (
                f"an instance is one problem; got two for {record.task.instance.to_dict()}: {first.model['digest']} "
                f"under {dict(first.task.code)} and {record.model['digest']} under {dict(record.task.code)}. "
                "Merge only results of one version of the family"
            )
            raise ResultsError(msg)


def _line_of(record: Record) -> bytes:
    given = record.to_dict()
    for where, value in _numbers(given, ""):
        if not isfinite(value):
            msg = f"records hold finite numbers; got {value} as {where} of {record.key}. Write None instead"
            raise ValueError(msg)
    return canonical(given).encode() + b"\n"


def _numbers(value: Any, where: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield where, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _numbers(part, f"{where}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _numbers(part, where)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the mapping that a line holds, None if it holds none: no beginning of a mapping's text is one's text."""
    try:
        given = json.loads(line)
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


@contextmanager
def _locked(file: int) -> Iterator[None]:
    """Wait until no other process holds the file; closing it lets go, however the process ends."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX)
    yield
