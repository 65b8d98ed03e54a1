"""Processes that run tasks, and what is recorded when one of them dies or does not come back."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Self, final

from annealnn._secrets import hide_secrets
from annealnn._validation import check_count, check_number
from annealnn.benchmark._canonical import canonical
from annealnn.benchmark._machine import machine, now
from annealnn.benchmark._task import Record, Status, Task

#: what a worker says when it takes tasks
READY = b"ready\n"
# as the one who asks has it: the modules of his contestants are found, and his own script is not run again
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from annealnn.benchmark._worker import serve; serve()"
)
_START_LIMIT_S = 120.0
_END_LIMIT_S = 5.0
_LONGEST_TAIL = 500


@final
class WorkerPool:
    """Worker processes with one task at a time each; one that died, or was killed, is replaced.

    A worker inherits the environment and `sys.path`. It is a process group of its own, so that what it started ends
    with it, and an interrupt at the keyboard reaches only the one who asks. It ends when that one does.

    Parameters
    ----------
    num_workers : int
    timeout_s : float
        Of each task, from when a worker that is ready takes it. A task that is not done then is "timed out".

    Raises
    ------
    ValueError
        If a number breaks its rule.
    """

    def __init__(self, num_workers: int = 1, *, timeout_s: float = 600.0) -> None:
        self._timeout_s = check_number("timeout_s", timeout_s, low=0.0, open_low=True)
        self._workers = [_Worker() for _ in range(check_count("num_workers", num_workers))]
        self._threads = ThreadPoolExecutor(num_workers, thread_name_prefix="annealnn-benchmark")
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._is_closed = False

    def submit(self, task: Task) -> Future[Record]:
        """Queue a task. Its future has a record, whatever comes of it, unless the pool is closed first."""
        return self._threads.submit(self._run, task)

    def close(self) -> None:
        """End the workers, at once where they are at work, and cancel what is left."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.end()
        self._threads.shutdown()
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, task: Task) -> Record:
        worker = self._idle.get()
        try:
            record = worker.run(task, self._timeout_s)
        finally:
            self._idle.put(worker)
        if self._is_closed:
            raise CancelledError
        return record


@final
class _Worker:
    """One process, started when there is something to do."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the worker
        self._is_busy = self._is_ended = False
        self._lock = threading.Lock()

    def run(self, task: Task, timeout_s: float) -> Record:
        """Run one task; there is a record, whatever comes of it."""
        self._is_busy = True
        try:
            return self._run(task, timeout_s)
        finally:
            self._is_busy = False

    def _run(self, task: Task, timeout_s: float) -> Record:
        try:
            process = self._ready()
        except _EndedError as error:
            return lost(task, "failed", f"the worker could not take the task: it {error}")
        with self._deadline(process, timeout_s) as overdue:
            record = _asked(process, task)
        if record is not None:
            return record
        end = self._buried(process)
        if overdue.is_set():
            return lost(task, "timed out", f"a task takes at most {timeout_s:g} s; this one was stopped", timeout_s)
        return lost(task, "failed", f"the worker {end}")

    def end(self) -> None:
        """End the process for good: at once if it is at work, else when it has cleaned up."""
        with self._lock:
            self._is_ended = True
            process = self._process
        if process is None:
            return
        if self._is_busy:
            _kill(process)
        else:
            with contextlib.suppress(OSError):
                _stream(process.stdin).close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_LIMIT_S)
            _kill(process)
        process.wait()

    def close(self) -> None:
        """Let go of what an ended worker leaves."""
        if self._process is not None:
            _close_pipes(self._process)
        self._errors.close()

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._buried(self._process)
        self._errors.seek(0)
        self._errors.truncate()
        if self._process is not None:
            return self._process
        with self._lock:
            if self._is_ended:
                raise _EndedError
            self._process = process = self._started()
        with self._deadline(process, _START_LIMIT_S):
            # whatever an interpreter prints as it starts comes first
            is_ready = any(line.endswith(READY) for line in iter(_stream(process.stdout).readline, b""))
        if not is_ready:
            raise _EndedError(self._buried(process))
        return process

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own module, with nothing of the task's
            [sys.executable, "-c", _BEGIN, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )

    @contextlib.contextmanager
    def _deadline(self, process: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
        """Kill the process after some seconds, and say so; it is replaced if that comes as it answers."""
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            _kill(process)

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield overdue
        finally:
            timer.cancel()
            timer.join()
            if overdue.is_set():
                process.wait()

    def _buried(self, process: subprocess.Popen[bytes]) -> str:
        """Make sure that a process and its children have ended, and say how it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_LIMIT_S)
        # at once: its number is free for another group when all of this one have ended
        _kill(process)
        code = process.wait()
        _close_pipes(process)
        self._process = None
        end = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
        # the last of what may be gigabytes; longer than what is told, so that no credential is cut in two and shown
        length = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, length - 100 * _LONGEST_TAIL))
        told = hide_secrets(self._errors.read().decode(errors="replace").strip())[-_LONGEST_TAIL:]
        return f"{end}, and said last: {told}" if told else end


class _EndedError(Exception):
    """A worker ended before it could take a task; how."""


def _asked(process: subprocess.Popen[bytes], task: Task) -> Record | None:
    """Return the answer to a task; None if the process ended without one."""
    key = task.key
    try:
        sink = _stream(process.stdin)
        sink.write(canonical(task.to_dict()).encode() + b"\n")
        sink.flush()
        # contestants may write to any file that is open: only this task's record is an answer
        answers = map(_parsed, iter(_stream(process.stdout).readline, b""))
        return next((Record.from_dict(given) for given in answers if given.get("key") == key), None)
    except (OSError, ValueError):
        # its pipe is closed: it has ended
        return None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - both are pipes
    return stream


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            _stream(stream).close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def lost(task: Task, status: Status, message: str, wall_s: float = 0.0) -> Record:
    """Return the record of a task that nobody can tell more of."""
    info: dict[str, Any] = {"seed": task.seed, "machine": machine()}
    return Record(task=task, status=status, message=message, wall_s=wall_s, info=info, at=now())
