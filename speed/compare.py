"""How two are compared: run in turn, one thread each, and the median of the ratios of neighbours is what counts."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).parent
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"
PEERS_PYTHON = HERE.parent / ".venv-peers" / SCRIPTS / "python"
PER_UPDATE = "ns an update"


class Effort(NamedTuple):
    """How much is run."""

    reads: int
    sweeps: int
    pairs: int  # of runs, ours and the peer's


class Evidence(NamedTuple):
    """That both are as good: the same quantity from each, and the standard error of the difference."""

    what: str
    ours: float
    peers: float
    error: float

    @classmethod
    def of(cls, what, ours, peers):
        """Compare the means of two sets of independent values."""
        error = np.hypot(np.std(ours) / len(ours) ** 0.5, np.std(peers) / len(peers) ** 0.5)
        return cls(what, float(np.mean(ours)), float(np.mean(peers)), float(error))


class Row(NamedTuple):
    """One comparison. Times are medians; `ratio` is the median over neighbours of the peer's time by ours."""

    work: str
    peer: str
    unit: str
    ours: float
    peers: float
    ratio: float
    target: float | None
    note: str
    evidence: Evidence | None

    @property
    def missed(self):
        """Whether there is a target that the ratio does not reach."""
        return self.target is not None and self.ratio < self.target


def timed(call, clock=time.process_time):
    """Return the seconds that a call takes, and its result.

    Seconds of processor time, over all threads of the process, unless `clock` says otherwise: on a machine that
    others use too, waiting for a core does not count, and threads gain nothing.
    """
    started = clock()
    result = call()
    return clock() - started, result


def in_turn(ours, peer, pairs):
    """Run both `pairs` times, ours, theirs, ours, theirs; both return (seconds, result).

    Returns
    -------
    seconds : (pairs, 2) array
    results : list of pairs
    """
    runs = [(ours(), peer()) for _ in range(pairs)]
    return np.array([[a, b] for (a, _), (b, _) in runs]), [(a, b) for (_, a), (_, b) in runs]


def row(work, peer, seconds, per, target, *, unit=PER_UPDATE, note="", evidence=None):
    """Return the row of seconds (pairs, 2), given in units of `per` seconds: a number, or one for each of the two."""
    ours, peers = (np.median(seconds, axis=0) / per).tolist()
    scaled = seconds / per
    return Row(work, peer, unit, ours, peers, float(np.median(scaled[:, 1] / scaled[:, 0])), target, note, evidence)


@contextlib.contextmanager
def peer_process(script, problem, *, particles, sweeps):
    """Start a peer of the other environment; yields its versions and a call that returns (seconds, energies)."""
    command = [PEERS_PYTHON, HERE / "peers" / script, problem, "--particles", str(particles), "--sweeps", str(sweeps)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603

        def answer():
            line = process.stdout.readline()
            if not line:
                msg = f"{script} answers each line with one; it ended with exit status {process.wait()}"
                raise RuntimeError(msg)
            return json.loads(line)

        def call():
            print("go", file=process.stdin, flush=True)
            found = answer()
            return found["seconds"], found["energies"]

        yield answer(), call
        process.stdin.close()
