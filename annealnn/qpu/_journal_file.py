"""The file of a journal: its format, how it is opened, and how a process shows that it is alive."""

import contextlib
import glob
import os
import sqlite3
import tempfile
import uuid
import weakref
from pathlib import Path

from annealnn.exceptions import JournalError

# the format of the tables; another one is refused
VERSION = 1
# "annl", in SQLite's header: this is a journal of ours
_APPLICATION = 0x616E6E6C
_RIGHTS = 0o600
# seconds that a process waits for another to finish writing
_PATIENCE_S = 60.0

_SCHEMA = """
CREATE TABLE solvers (
    solver TEXT PRIMARY KEY, definition BLOB NOT NULL, seen_at REAL NOT NULL);
CREATE TABLE runs (
    run INTEGER PRIMARY KEY, command TEXT NOT NULL, versions TEXT NOT NULL, host TEXT NOT NULL,
    started_at REAL NOT NULL);
CREATE TABLE graphs (
    digest TEXT PRIMARY KEY, qubits BLOB NOT NULL, couplers BLOB NOT NULL);
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    experiment TEXT NOT NULL,
    solver TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES runs,
    state TEXT NOT NULL
        CHECK (state IN ('prepared', 'accepted', 'answered', 'failed', 'cancelled', 'in-doubt')),
    owner TEXT NOT NULL,
    problem_id TEXT,
    graph TEXT NOT NULL REFERENCES graphs,
    biases BLOB NOT NULL,
    parameters TEXT NOT NULL,
    draw TEXT NOT NULL,
    estimated_us REAL NOT NULL,
    billed_us REAL NOT NULL DEFAULT 0,
    prepared_at REAL NOT NULL,
    sent_at REAL NOT NULL,
    accepted_at REAL,
    answered_at REAL,
    note TEXT NOT NULL DEFAULT '');
CREATE INDEX jobs_of_experiments ON jobs (experiment, state);
CREATE TABLE attempts (
    problem_id TEXT PRIMARY KEY, key TEXT NOT NULL REFERENCES jobs (key), state TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE answers (
    key TEXT PRIMARY KEY REFERENCES jobs (key), num_reads INTEGER NOT NULL, spins BLOB NOT NULL, energies BLOB NOT NULL,
    checksum INTEGER NOT NULL, timing TEXT NOT NULL, client_s TEXT NOT NULL, problem_id TEXT NOT NULL,
    solver TEXT NOT NULL);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the journal's file, or make it.

    Raises
    ------
    JournalError
        If the file is no journal, has another format or is damaged; it is left as it is. Or if it cannot be made.
    """
    try:
        if path.is_file() and path.stat().st_size:
            _check(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
        database = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        msg = f"a journal is a file that can be read and written; got {path}: {error}"
        raise JournalError(msg) from error
    try:
        _prepare(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _make(path: Path) -> None:
    """Make an empty file that its owner alone may read and write, as SQLite then makes those beside it.

    It appears closed, under a name of its own until then: see `_check`.
    """
    handle, name = tempfile.mkstemp(prefix=f"{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        # there already, or a file system without links: SQLite makes it
        with contextlib.suppress(OSError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _check(path: Path) -> None:
    """Refuse a file that is no journal of this format, reading it and nothing else.

    Through SQLite alone: a process that opens and closes the file itself loses its locks on it (POSIX), and the next
    process to close the journal would take away the log that this one writes to.
    """
    if path.with_name(f"{path.name}-journal").exists():
        # being made, or its maker was killed: SQLite waits, or puts it right, on opening
        return
    application = version = 0
    found = []
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            application, version = (
                int(database.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")
            )
            if (application, version) == (_APPLICATION, VERSION):
                found = [row[0] for row in database.execute("PRAGMA quick_check(1)")]
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            msg = f"a journal is an SQLite file; got {path}, which is none or is damaged. Nothing in it was changed"
            raise JournalError(msg) from error
        found = [str(error)]
    else:
        _check_format(path, application, version)
    if found != ["ok"]:
        msg = (
            f"the journal {path} is damaged ({found[0]}). Nothing in it was changed: copy the file, try "
            "`sqlite3 file .recover` on the copy, or begin a new journal"
        )
        raise JournalError(msg)


def _check_format(path: Path, application: int, version: int) -> None:
    if application != _APPLICATION:
        msg = f"{path} is an SQLite file, but no journal of jobs. Nothing in it was changed; give another path"
        raise JournalError(msg)
    if version != VERSION:
        msg = (
            f"this release reads journals of format {VERSION}; {path} has format {version}. Nothing in it was changed: "
            "use the release that wrote it, or begin a new journal"
        )
        raise JournalError(msg)


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    def number(pragma: str) -> int:
        return int(database.execute(f"PRAGMA {pragma}").fetchone()[0])

    try:
        database.execute("PRAGMA foreign_keys = ON")
        if not number("schema_version"):
            # in one transaction, and in the file itself, where the next opening looks for the version
            database.execute("BEGIN EXCLUSIVE")
            if not number("schema_version"):
                for statement in _SCHEMA.split(";\n"):
                    database.execute(statement)
                database.execute(f"PRAGMA application_id = {_APPLICATION}")
                database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute("COMMIT")
        _check_format(path, number("application_id"), number("user_version"))
        mode = database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        # each commit is on the disk before a job leaves
        database.execute("PRAGMA synchronous = FULL")
    except sqlite3.DatabaseError as error:
        msg = f"the journal {path} cannot be opened: {error}"
        raise JournalError(msg) from error
    if mode != "wal":
        msg = f"a journal needs a file system on which SQLite can keep a write-ahead log; {path} is not on one"
        raise JournalError(msg)


class Owner:
    """A process that works on jobs, and its sign of life: a lock that the system lets go of when the process ends."""

    def __init__(self, journal: Path) -> None:
        self.name = uuid.uuid4().hex
        path = _sign(journal, self.name)
        path.touch(mode=_RIGHTS)
        lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        lock.execute("PRAGMA journal_mode = OFF")
        lock.execute("BEGIN EXCLUSIVE")
        self._lock = lock
        # at the latest when the process ends
        self._closing = weakref.finalize(self, _let_go, lock, path, os.getpid())

    def close(self) -> None:
        """Let go of the lock; a forked child leaves its parent's alone."""
        self._closing()

    def leave_to_parent(self) -> None:
        """In a forked child, close the handle; the parent's lock stays."""
        self._lock.close()


def _let_go(lock: sqlite3.Connection, path: Path, process: int) -> None:
    if process == os.getpid():
        lock.close()
        path.unlink(missing_ok=True)


def is_alive(journal: Path, owner: str) -> bool:
    """Return whether the process that signed as `owner` runs."""
    path = _sign(journal, owner)
    if not path.exists():
        return False
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("PRAGMA journal_mode = OFF")
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return True
    return False


def sweep_owners(journal: Path) -> None:
    """Remove the signs of processes that have ended. The caller holds the journal's write lock."""
    for path in journal.parent.glob(f"{glob.escape(journal.name)}-owner-*"):
        name = path.name.rpartition("-")[2]
        if not is_alive(journal, name):
            path.unlink(missing_ok=True)


def _sign(journal: Path, owner: str) -> Path:
    return journal.with_name(f"{journal.name}-owner-{owner}")
