"""A job of a processor: what is sent, what names it in the journal, and what comes back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, final

import numpy as np

from annealnn.typing import Floats, Indices, Spins

# changes whenever the same request would have another key
_KEY_FORMAT = 1


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class JobRequest:
    """All that shapes one submission to a solver, in dimod's sign: low energy is likely.

    Parameters
    ----------
    solver : str
        Identity of the solver, its name and the version of its working graph: "name;graph_id=01d204".
    qubits : array of int, (num_qubits,)
        Active qubits.
    fields : array of float, (num_qubits,)
        Linear biases of the active qubits.
    couplers : array of int, (num_couplers, 2)
        Pairs of active qubits; all other couplers are 0.
    couplings : array of float, (num_couplers,)
        Quadratic biases.
    parameters : mapping
        What the solver is told beside the problem, as JSON can hold it: `num_reads`, `annealing_time`, ...
    experiment : str
        Which experiment the reads are drawn for. Another name draws other reads.
    draw : tuple of int
        Tells apart requests that are the same but for their reads: a seed, the numbers of the gauge and of the part.
    estimated_us : float
        QPU access time that is expected, microseconds. Not part of the key.
    """

    solver: str
    qubits: Indices
    fields: Floats
    couplers: Indices
    couplings: Floats
    parameters: Mapping[str, Any] = field(default_factory=dict)
    experiment: str = ""
    draw: tuple[int, ...] = ()
    estimated_us: float = 0.0

    @cached_property
    def key(self) -> str:
        """The job's name in the journal and its label on the service: a hash of all that shapes it."""
        head = {
            "format": _KEY_FORMAT,
            "solver": self.solver,
            "parameters": dict(self.parameters),
            "experiment": self.experiment,
            "draw": list(self.draw),
            "num_qubits": len(self.qubits),
        }
        digest = hashlib.sha256(json.dumps(head, sort_keys=True, separators=(",", ":")).encode())
        for numbers, kind in (
            (self.qubits, "<i8"),
            (self.fields, "<f8"),
            (self.couplers, "<i8"),
            (self.couplings, "<f8"),
        ):
            digest.update(np.ascontiguousarray(numbers, dtype=kind).tobytes())
        return f"annealnn-{digest.hexdigest()[:40]}"

    @property
    def num_reads(self) -> int:
        """Reads that are asked for."""
        return int(self.parameters.get("num_reads", 1))


class JobAnswer(NamedTuple):
    """What a solver answered."""

    spins: Spins  #: (num_reads, num_qubits), in the order of the request's `qubits`; merged reads unfolded
    energies: Floats  #: (num_reads,), dimod's sign, without an offset
    timing: Mapping[str, float]  #: the service's own, microseconds: `qpu_access_time` is what is billed
    problem_id: str
    solver: str  #: identity of the solver that answered
    client_s: Mapping[str, float] = {}  #: the client's seconds: `encode_s`, `submit_s`, `wait_s`, `decode_s`
    replayed: bool = False  #: it came from the journal, and nothing was sent
