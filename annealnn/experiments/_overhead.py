"""What the way to a processor took, job by job, from the journal."""

import os
from typing import Any, NamedTuple

import numpy as np

from annealnn.learning import Estimate
from annealnn.qpu import Journal
from annealnn.qpu._dispatcher import REPLAY_VARIABLE

#: of a job, seconds: what they are, in the order in which they happen
PARTS = {
    "encode_s": "encode: the problem into the solver's format",
    "submit_s": "network: to the service, and the answer back",
    "wait_s": "queue: at the service, its run included",
    "decode_s": "decode: the answer into spins",
}


class Overhead(NamedTuple):
    """Jobs of an experiment that were answered, and what they took."""

    num_jobs: int
    num_reads: int
    solvers: tuple[str, ...]  #: name and version of the working graph, in the order in which they were met
    simulated: bool  #: times of QPU access are made up
    access_us: Estimate  #: QPU access time of a job, microseconds, as billed
    total_access_us: float
    client_s: dict[str, Estimate]  #: mean over jobs of each of `PARTS`, seconds

    def table(self) -> list[tuple[str, Estimate, float]]:
        """Return of each part of a job: its name, its mean in milliseconds, and the seconds of all jobs."""
        parts = [(words, self.client_s[name], 1e3) for name, words in PARTS.items()]
        access = f"QPU access time{', SIMULATED' if self.simulated else ''}, as billed"
        parts.append((access, self.access_us, 1e-3))
        return [
            (
                words,
                Estimate(to_ms * each.value, to_ms * each.standard_error, each.method),
                1e-3 * to_ms * each.value * self.num_jobs,
            )
            for words, each, to_ms in parts
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        plain = self._asdict() | {"access_us": self.access_us._asdict()}
        return plain | {"client_s": {name: value._asdict() for name, value in self.client_s.items()}}


def measure_overhead(journal: Journal, experiment: str) -> Overhead | None:
    """Return what an experiment's jobs took, None if none was answered."""
    records = [record for record in journal.jobs(experiment) if record.answered_at is not None]
    if not records:
        return None
    seconds: dict[str, list[float]] = {name: [] for name in PARTS}
    for record in records:
        (answer,) = journal.answers([journal.request(record.key)]).values()
        for name, values in seconds.items():
            values.append(answer.client_s.get(name, 0.0))
    solvers = tuple(dict.fromkeys(record.solver for record in records))
    billed = [record.billed_us for record in records]
    return Overhead(
        num_jobs=len(records),
        num_reads=sum(record.num_reads for record in records),
        solvers=solvers,
        simulated=any(definition.simulated for definition in journal.definitions(experiment)),
        access_us=_mean(billed),
        total_access_us=float(sum(billed)),
        client_s={name: _mean(values) for name, values in seconds.items()},
    )


def job_journal(path: str | None) -> Journal:
    """Open the journal that a job's answers are in: that of a replay, the one that is named, or the user's own."""
    chosen = os.environ.get(REPLAY_VARIABLE) or path
    return Journal.open_default() if chosen is None else Journal(chosen)


def _mean(values: list[float]) -> Estimate:
    error = float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0
    return Estimate(float(np.mean(values)), error, f"mean of {len(values)} jobs, its standard error")
