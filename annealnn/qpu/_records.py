"""Jobs and answers as rows of the journal, and back."""

import hashlib
import json
import os
import sys
import zlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, NamedTuple

import numpy as np

from annealnn._secrets import without_secrets
from annealnn._version import __version__
from annealnn.exceptions import JournalError
from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._job import JobAnswer, JobRequest

State = Literal["prepared", "accepted", "answered", "failed", "cancelled", "in-doubt"]
#: what to do about a job that is asked for
Step = Literal["send", "look-up", "collect", "answered", "wait", "over-budget"]


class Claim(NamedTuple):
    """What is to be done about one request, and what is known of it."""

    step: Step
    problem_id: str | None = None  #: under which the service knows the job
    spent_ids: frozenset[str] = frozenset()  #: ids of attempts that came to nothing


class JobRecord(NamedTuple):
    """A job as the journal lists it; times in seconds since 1970."""

    key: str
    experiment: str
    solver: str
    state: State
    problem_id: str | None
    num_reads: int
    estimated_us: float
    billed_us: float
    prepared_at: float
    answered_at: float | None
    attempts: int  #: how many came to nothing before
    note: str
    run: int


class RunRecord(NamedTuple):
    """A program that sent jobs."""

    run: int
    command: list[str]
    versions: dict[str, str]
    host: str
    started_at: float


class Spending(NamedTuple):
    """QPU access time of an experiment, microseconds."""

    billed_us: float  #: of the answered jobs
    under_way_us: float  #: expected of those that are not answered yet


def provenance() -> tuple[str, str]:
    """Return, as JSON, the command that runs, credentials in it hidden, and the versions of what runs it."""
    versions = {"annealnn": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
    for package in ("dwave-system", "dwave-cloud-client"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "none"
    command = without_secrets([os.fspath(part) for part in sys.argv])
    return json.dumps(command), json.dumps(versions)


def pack_graph(request: JobRequest) -> tuple[str, bytes, bytes]:
    """Return the digest, the qubits and the couplers of a request, as bytes."""
    qubits = np.asarray(request.qubits, dtype="<i4").tobytes()
    couplers = np.asarray(request.couplers, dtype="<i4").tobytes()
    digest = hashlib.sha256(len(qubits).to_bytes(8, "little") + qubits + couplers).hexdigest()
    return digest, qubits, couplers


def pack_biases(request: JobRequest) -> bytes:
    """Return fields, then couplings."""
    both = np.concatenate([np.asarray(request.fields, dtype="<f8"), np.asarray(request.couplings, dtype="<f8")])
    return zlib.compress(both.tobytes(), 1)


def unpack_request(row: Mapping[str, Any]) -> JobRequest:
    """Return the request of a row of jobs and graphs."""
    qubits = np.frombuffer(zlib.decompress(row["qubits"]), dtype="<i4").astype(np.intp)
    couplers = np.frombuffer(zlib.decompress(row["couplers"]), dtype="<i4").astype(np.intp).reshape(-1, 2)
    biases = np.frombuffer(zlib.decompress(row["biases"]), dtype="<f8").astype(np.float64)
    return JobRequest(
        solver=row["solver"],
        qubits=qubits,
        fields=biases[: len(qubits)],
        couplers=couplers,
        couplings=biases[len(qubits) :],
        parameters=json.loads(row["parameters"]),
        experiment=row["experiment"],
        draw=tuple(json.loads(row["draw"])),
        estimated_us=row["estimated_us"],
    )


def pack_answer(answer: JobAnswer) -> tuple[Any, ...]:
    """Return an answer's row, without its key."""
    spins = np.packbits(answer.spins > 0, axis=1).tobytes()
    energies = np.asarray(answer.energies, dtype="<f8").tobytes()
    timing = json.dumps(dict(answer.timing))
    return (
        len(answer.spins),
        spins,
        energies,
        _checksum(spins, energies, timing),
        timing,
        json.dumps(dict(answer.client_s)),
        answer.problem_id,
        answer.solver,
    )


def _checksum(spins: bytes, energies: bytes, timing: str) -> int:
    return zlib.crc32(timing.encode(), zlib.crc32(energies, zlib.crc32(spins)))


def unpack_answer(row: Mapping[str, Any], num_qubits: int) -> JobAnswer:
    """Return the answer of a row.

    Raises
    ------
    JournalError
        If it is not what was written.
    """
    if _checksum(row["spins"], row["energies"], row["timing"]) != row["checksum"]:
        msg = f"the journal's answer of job {row['key']} is damaged: its checksum is another"
        raise JournalError(msg)
    packed = np.frombuffer(row["spins"], dtype=np.uint8).reshape(row["num_reads"], -1)
    spins = np.unpackbits(packed, axis=1, count=num_qubits).view(np.int8)
    spins *= 2
    spins -= 1
    return JobAnswer(
        spins=spins,
        energies=np.frombuffer(row["energies"], dtype="<f8").astype(np.float64),
        timing=json.loads(row["timing"]),
        problem_id=row["problem_id"],
        solver=row["solver"],
        client_s=json.loads(row["client_s"]),
        replayed=True,
    )


def pack_definition(definition: SolverDefinition) -> bytes:
    """Return what a solver says of itself, compressed."""
    facts = {"properties": dict(definition.properties), "description": definition.description}
    return zlib.compress(json.dumps(facts).encode())


def unpack_definition(solver: str, packed: bytes) -> SolverDefinition:
    """Return the definition of a row."""
    facts = json.loads(zlib.decompress(packed))
    return SolverDefinition(solver=solver, properties=facts["properties"], description=facts["description"])
