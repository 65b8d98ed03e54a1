"""How two are compared: run in turn, one thread each, and the median of the ratios of neighbours is what counts."""

import contextlib
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
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


def table(rows):
    """Return rows as the lines of a Markdown table, padded so that it reads well as text."""
    cells = [("work", "peer", "ours", "peer's", "unit", "ratio", "target", "as good: ours, peer's", "note")]
    for r in rows:
        target = "" if r.target is None else f"{r.target:g}, missed" if r.missed else f"{r.target:g}"
        good = f"{r.evidence.ours:.4f}, {r.evidence.peers:.4f} (+-{r.evidence.error:.4f})" if r.evidence else ""
        cells.append(
            (r.work, r.peer, f"{r.ours:.3g}", f"{r.peers:.3g}", r.unit, f"{r.ratio:.1f}", target, good, r.note)
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, tuple("-" * width for width in widths))
    return ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]


def processor():
    """Return the processor's name, where Linux tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def keep(path, rows, packages, more):
    """Write rows {name: Row} to a file, with the processor, the releases of `packages`, and what else `more` has."""
    about = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
        **more,
    }
    kept = [
        {"name": name} | r._asdict() | {"evidence": r.evidence and r.evidence._asdict()} for name, r in rows.items()
    ]
    path.write_text(json.dumps({"about": about, "rows": kept}, indent=2) + "\n")


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
