"""The journal: every job on disk before it leaves, every answer before it is used."""

import json
import os
import platform
import sqlite3
import sys
import threading
import time
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self, final

from annealnn._log import logger
from annealnn.exceptions import JournalError
from annealnn.qpu import _records
from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.qpu._journal_file import Owner, is_alive, open_database, sweep_owners
from annealnn.qpu._records import Claim, JobRecord, RunRecord, Spending, State


def default_journal() -> Path:
    """Return where the journal is kept: `$ANNEALNN_JOURNAL`, else a folder for the user's data."""
    named = os.environ.get("ANNEALNN_JOURNAL")
    if named:
        return Path(named)
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return folder / "annealnn" / "journal.sqlite"


@final
class Journal:
    """The jobs that were sent to solvers and what became of them: one SQLite file, for any number of processes.

    A job is named by its request's key and is in one state:

    - prepared: on disk, about to leave or gone; whether the service has it, its label tells;
    - accepted: the service gave it an id;
    - answered: its reads are here;
    - failed, cancelled: it came to nothing, and costs nothing;
    - in-doubt: it left, and whether the service has it could not be found out.

    Threads may share a journal. After a fork the child works on it under its own name.

    Parameters
    ----------
    path : path
        The file; made if it is not there.

    Raises
    ------
    JournalError
        If the file is no journal, is damaged or has another format; it is left as it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self._open()
        _JOURNALS.add(self)

    @classmethod
    def open_default(cls) -> Self:
        """Open the journal at `$ANNEALNN_JOURNAL`, else the one in the user's data folder."""
        return cls(default_journal())

    def _open(self) -> None:
        for journal in list(_JOURNALS):
            journal._leave_to_parent()
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._database = open_database(self.path)
        self._database.row_factory = sqlite3.Row
        self._owner: Owner | None = None
        self._is_left = False
        self._run: int | None = None
        # keys that threads of this process work on
        self._held: set[str] = set()
        self._closing = weakref.finalize(self, _close, self._database, self._process)

    def _leave_to_parent(self) -> None:
        """In a forked child, close the parent's handles.

        SQLite counts a process's locks by file: it would take the parent's for the child's, which has none, and another
        process could remove the log that the child writes to.
        """
        if self._process == os.getpid() or self._is_left or not self._closing.alive:
            return
        self._is_left = True
        # for good, even where they cannot be closed: a thread of the parent was at work when it forked
        _LEFT.append((self._database, self._owner))
        if self._lock.acquire(blocking=False):
            try:
                if not self._database.in_transaction:
                    self._database.close()
                if self._owner is not None:
                    self._owner.leave_to_parent()
            finally:
                self._lock.release()

    def close(self) -> None:
        """Close the file. What is not answered stays as it is, for the next to collect."""
        with self._lock:
            self._closing()
            if self._owner is not None:
                self._owner.close()
                self._owner = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def __reduce__(self) -> tuple[type, tuple[Path]]:
        return Journal, (self.path,)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():
            # a forked child: the parent's lock is not ours either
            self._open()
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                msg = f"the journal {self.path} cannot be used: {error}"
                raise JournalError(msg) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on disk when it ends, or nothing."""
        with self._reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    # what a dispatcher does

    def answers(self, requests: Iterable[JobRequest]) -> dict[str, JobAnswer]:
        """Return the answers that are here, by key.

        Raises
        ------
        JournalError
            If one of them is damaged.
        """
        widths = {request.key: len(request.qubits) for request in requests}
        found = {}
        with self._reading() as database:
            for key, width in widths.items():
                row = database.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    found[key] = _records.unpack_answer(row, width)
        return found

    def claim(self, requests: Sequence[JobRequest], *, budget_us: float | None = None) -> list[Claim]:
        """Say of each request what is to be done, and take it on; what is to be sent is on disk when this returns.

        A job that a living process or thread works on is to be waited for. One that was left behind is taken over.

        Parameters
        ----------
        requests : sequence of JobRequest
        budget_us : float, optional
            What the request's experiment may cost in all, microseconds: billed, and expected of what is under way.
        """
        with self._lock:
            with self._writing() as database:
                owner, run = self._sign(database)
                claims = [self._claim(database, owner, run, request, budget_us) for request in requests]
            # only now: it is on disk
            self._run = run
            taken = zip(requests, claims, strict=True)
            self._held.update(request.key for request, claim in taken if claim.step in ("send", "look-up", "collect"))
        return claims

    def _claim(
        self, database: sqlite3.Connection, owner: str, run: int, request: JobRequest, budget_us: float | None
    ) -> Claim:
        key = request.key
        row = database.execute("SELECT state, owner, problem_id FROM jobs WHERE key = ?", (key,)).fetchone()
        if row is not None and row["state"] == "answered":
            return Claim("answered", row["problem_id"])
        if row is not None and row["state"] in ("prepared", "accepted"):
            ours = row["owner"] == owner
            if key in self._held if ours else is_alive(self.path, row["owner"]):
                return Claim("wait")
        now = time.time()
        if row is None or row["state"] in ("failed", "cancelled"):
            if budget_us is not None:
                spent = self._spending(database, request.experiment)
                if sum(spent) + request.estimated_us > budget_us:
                    return Claim("over-budget")
            claim = Claim("send")
        else:
            claim = Claim("look-up" if row["problem_id"] is None else "collect", row["problem_id"])
        if row is None:
            self._insert(database, owner, run, request, now)
        else:
            state = "prepared" if claim.problem_id is None else "accepted"
            database.execute(
                "UPDATE jobs SET state = ?, owner = ?, problem_id = ?, note = '' WHERE key = ?",
                (state, owner, claim.problem_id, key),
            )
            if claim.step == "send":
                database.execute("UPDATE jobs SET sent_at = ? WHERE key = ?", (now, key))
            spent_ids = database.execute("SELECT problem_id FROM attempts WHERE key = ?", (key,))
            claim = claim._replace(spent_ids=frozenset(each["problem_id"] for each in spent_ids))
        return claim

    def _insert(self, database: sqlite3.Connection, owner: str, run: int, request: JobRequest, now: float) -> None:
        graph, *parts = _records.pack_graph(request)
        # most jobs of an experiment share one
        if database.execute("SELECT 1 FROM graphs WHERE digest = ?", (graph,)).fetchone() is None:
            database.execute("INSERT INTO graphs VALUES (?, ?, ?)", (graph, *map(zlib.compress, parts)))
        database.execute(
            "INSERT INTO jobs (key, experiment, solver, run, state, owner, graph, biases, parameters, draw, "
            "estimated_us, prepared_at, sent_at) VALUES (?, ?, ?, ?, 'prepared', ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                request.key,
                request.experiment,
                request.solver,
                run,
                owner,
                graph,
                _records.pack_biases(request),
                json.dumps(dict(request.parameters)),
                json.dumps(list(request.draw)),
                float(request.estimated_us),
                now,
                now,
            ),
        )

    def _sign(self, database: sqlite3.Connection) -> tuple[str, int]:
        """Return a name for this process, that others can see to be alive, and its run's number; in a transaction."""
        if self._owner is None:
            sweep_owners(self.path)
            self._owner = Owner(self.path)
            weakref.finalize(self, self._owner.close)
        if self._run is not None:
            return self._owner.name, self._run
        row = database.execute(
            "INSERT INTO runs (command, versions, host, started_at) VALUES (?, ?, ?, ?)",
            (*_records.provenance(), platform.node(), time.time()),
        )
        return self._owner.name, int(row.lastrowid or 0)

    def release(self, keys: Iterable[str]) -> None:
        """Let others take over what is not answered of these jobs."""
        with self._lock:
            self._held.difference_update(keys)

    def sending(self, keys: Sequence[str]) -> None:
        """Note that jobs, claimed before, are about to leave once more."""
        with self._writing() as database:
            database.executemany(
                "UPDATE jobs SET state = 'prepared', problem_id = NULL, sent_at = ? WHERE key = ?",
                [(time.time(), key) for key in keys],
            )

    def accepted(self, problem_ids: Mapping[str, str]) -> None:
        """Note under which ids the service knows jobs, by key."""
        with self._writing() as database:
            for key, problem_id in problem_ids.items():
                database.execute(
                    "UPDATE jobs SET state = 'accepted', problem_id = ?, accepted_at = ? WHERE key = ?",
                    (problem_id, time.time(), key),
                )

    def answered(self, answers: Mapping[str, JobAnswer]) -> None:
        """Keep answers, by key; an answer that is already here stays."""
        rows = {key: (key, *_records.pack_answer(answer)) for key, answer in answers.items()}
        with self._writing() as database:
            for key, row in rows.items():
                database.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                billed = float(answers[key].timing.get("qpu_access_time", 0.0))
                database.execute(
                    "UPDATE jobs SET state = 'answered', problem_id = ?, answered_at = ?, billed_us = ?, note = '' "
                    "WHERE key = ? AND state != 'answered'",
                    (answers[key].problem_id, time.time(), billed, key),
                )

    def spent(self, key: str, problem_id: str, state: State) -> None:
        """Note that an attempt came to nothing: the service knows it under this id as failed or cancelled."""
        with self._writing() as database:
            database.execute(
                "INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?)", (problem_id, key, state, time.time())
            )
            database.execute("UPDATE jobs SET state = 'prepared', problem_id = NULL WHERE key = ?", (key,))

    def ended(self, key: str, state: State, note: str) -> None:
        """Note that a job has failed, was cancelled or is in doubt, and why."""
        logger.warning("job %s is %s: %s", key, state, note)
        with self._writing() as database:
            database.execute("UPDATE jobs SET state = ?, note = ? WHERE key = ?", (state, note, key))

    # what it knows

    def remember(self, definition: SolverDefinition) -> None:
        """Keep what a solver says of itself, so that its jobs can be replayed without it."""
        with self._writing() as database:
            database.execute(
                "INSERT INTO solvers VALUES (?, ?, ?) ON CONFLICT (solver) DO UPDATE SET "
                "definition = excluded.definition, seen_at = excluded.seen_at",
                (definition.solver, _records.pack_definition(definition), time.time()),
            )

    def definitions(self, experiment: str | None = None) -> list[SolverDefinition]:
        """Return the solvers of an experiment, by default of the newest job's, in the order of their first use."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT solvers.solver, definition FROM jobs JOIN solvers ON jobs.solver = solvers.solver "
                "WHERE experiment = ifnull(?, (SELECT experiment FROM jobs ORDER BY number DESC LIMIT 1)) "
                "GROUP BY solvers.solver ORDER BY MIN(number)",
                (experiment,),
            ).fetchall()
        return [_records.unpack_definition(row["solver"], row["definition"]) for row in rows]

    def state(self, key: str) -> State | None:
        """Return the state of a job, None if it is not here."""
        with self._reading() as database:
            row = database.execute("SELECT state FROM jobs WHERE key = ?", (key,)).fetchone()
        return None if row is None else row["state"]

    def spending(self, experiment: str) -> Spending:
        """Return what an experiment has cost, and what is expected of its jobs that are under way, microseconds."""
        with self._reading() as database:
            return self._spending(database, experiment)

    def _spending(self, database: sqlite3.Connection, experiment: str) -> Spending:
        row = database.execute(
            "SELECT TOTAL(CASE WHEN state = 'answered' THEN billed_us END), "
            "TOTAL(CASE WHEN state IN ('prepared', 'accepted', 'in-doubt') THEN estimated_us END) "
            "FROM jobs WHERE experiment = ?",
            (experiment,),
        ).fetchone()
        return Spending(*row)

    def jobs(self, experiment: str | None = None) -> list[JobRecord]:
        """Return the jobs, of one experiment or all, in the order in which they were prepared."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT jobs.*, (SELECT COUNT(*) FROM attempts WHERE attempts.key = jobs.key) AS attempts FROM jobs "
                "WHERE ?1 IS NULL OR experiment = ?1 ORDER BY number",
                (experiment,),
            ).fetchall()
        return [
            JobRecord(
                num_reads=int(json.loads(row["parameters"]).get("num_reads", 1)),
                **{name: row[name] for name in JobRecord._fields if name != "num_reads"},
            )
            for row in rows
        ]

    def client_s(self, experiment: str | None = None) -> list[dict[str, float]]:
        """Return the client's seconds of each answered job, in order: encode, submit, wait, decode."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT client_s FROM answers JOIN jobs ON answers.key = jobs.key "
                "WHERE ?1 IS NULL OR experiment = ?1 ORDER BY number",
                (experiment,),
            ).fetchall()
        return [json.loads(row["client_s"]) for row in rows]

    def request(self, key: str) -> JobRequest:
        """Return what was sent.

        Raises
        ------
        JournalError
            If no job has this key.
        """
        with self._reading() as database:
            row = database.execute(
                "SELECT * FROM jobs JOIN graphs ON jobs.graph = graphs.digest WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            msg = f"the journal {self.path} has no job {key}"
            raise JournalError(msg)
        return _records.unpack_request(row)

    def runs(self) -> list[RunRecord]:
        """Return the programs that sent jobs, the first one first."""
        with self._reading() as database:
            rows = database.execute("SELECT * FROM runs ORDER BY run").fetchall()
        return [
            RunRecord(
                run=row["run"],
                command=json.loads(row["command"]),
                versions=json.loads(row["versions"]),
                host=row["host"],
                started_at=row["started_at"],
            )
            for row in rows
        ]


# those that are open; and the handles of a parent's, after a fork
_JOURNALS: "weakref.WeakSet[Journal]" = weakref.WeakSet()
_LEFT: list[object] = []


def _close(database: sqlite3.Connection, process: int) -> None:
    # a forked child leaves its parent's alone
    if process == os.getpid():
        database.close()
