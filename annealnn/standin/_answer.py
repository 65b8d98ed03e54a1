"""An answer as it leaves: reads, energies and timing in the solver API's format "qp"."""

import base64

import numpy as np
import orjson

from annealnn.standin._problem import Problem
from annealnn.typing import AnyArray, Spins


def encode_answer(problem: Problem, num_qubits: int, spins: Spins) -> bytes:
    """Return an answer's JSON.

    Parameters
    ----------
    problem : Problem
    num_qubits : int
        Of the whole chip, dead ones included.
    spins : (num_reads, num_active)
        In the order of the problem's qubits.
    """
    packed, counts = np.packbits(spins > 0, axis=1), np.ones(len(spins), dtype=np.int64)
    if problem.parameters["answer_mode"] == "histogram":
        rows = packed.view(f"V{packed.shape[1]}").ravel()
        _, first, counts = np.unique(rows, return_index=True, return_counts=True)
        packed, spins = packed[first], spins[first]
    energies = problem.energies(spins)
    if problem.parameters["answer_mode"] == "histogram":
        order = np.argsort(energies, kind="stable")
        packed, counts, energies = packed[order], counts[order], energies[order]
    kept = slice(problem.parameters.get("max_answers"))
    return orjson.dumps(
        {
            "format": "qp",
            "num_variables": num_qubits,
            "active_variables": _encoded(problem.qubits, "<i4"),
            "energies": _encoded(energies[kept], "<f8"),
            "num_occurrences": _encoded(counts[kept], "<i4"),
            "solutions": _encoded(packed[kept], "u1"),
            "timing": dict(problem.timing),
        }
    )


def _encoded(numbers: AnyArray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, dtype=kind).tobytes()).decode()
