"""Reading a solver's answer straight into an array of spins."""

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.typing import AnyArray, Spins


def decode_response(
    message: Mapping[str, Any], answer_data: Any = None, *, otherwise: Callable[..., dict[str, Any]]
) -> dict[str, Any]:
    """Decode an answer as the client's solvers do, its reads as one array over the active qubits.

    The client makes a list of every read, or an array over all qubits of the chip, by way of several copies.

    Parameters
    ----------
    message : mapping
        The service's, with an `answer` of format "qp": little-endian arrays in base64, reads as rows of bits.
    answer_data : file, optional
        Of other formats.
    otherwise : callable
        What decodes those, and problems that are not Ising: the client's own.

    Returns
    -------
    dict
        The answer; `solutions` is (num_rows, num_active) int8, -1 and +1, in the order of `active_variables`.

    Raises
    ------
    ValueError
        If the arrays do not go together.
    """
    answer = message.get("answer") or {}
    if message.get("type") != "ising" or answer.get("format") != "qp":
        return otherwise(message, answer_data=answer_data)
    energies = _array(answer["energies"], "<f8")
    qubits = _array(answer["active_variables"], "<i4").astype(np.intp)
    decoded = {**answer, "energies": energies, "active_variables": qubits}
    if "num_occurrences" in answer:
        decoded["num_occurrences"] = _array(answer["num_occurrences"], "<i4").astype(np.intp)
    return {**decoded, "solutions": _spins(_array(answer["solutions"], "u1"), len(energies), len(qubits))}


def _array(text: str, kind: str) -> AnyArray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def _spins(packed: AnyArray, num_rows: int, num_qubits: int) -> Spins:
    """Return rows of bits, most significant first, each row padded to a byte, as spins: 1 is +1."""
    width = -(-num_qubits // 8)
    if packed.size != num_rows * width:
        msg = f"{num_rows} reads of {num_qubits} qubits take {num_rows * width} bytes; the answer holds {packed.size}"
        raise ValueError(msg)
    spins = np.unpackbits(packed.reshape(num_rows, width), axis=1, count=num_qubits).view(np.int8)
    spins *= 2
    spins -= 1
    return spins


def read_answer(future: Any, request: JobRequest) -> JobAnswer:
    """Return the answer of a future that is done; its error is raised as it is.

    Raises
    ------
    ValueError
        If the answer does not hold what was asked for.
    """
    result = future.result()
    begun = time.perf_counter()
    spins, qubits = result["solutions"], result["active_variables"]
    if not np.array_equal(qubits, request.qubits):
        missing = np.setdiff1d(request.qubits, qubits)
        if len(missing):
            msg = f"the answer of problem {future.id} lacks qubits {missing[:5].tolist()}"
            raise ValueError(msg)
        order = np.argsort(qubits)
        spins = np.take(spins, order[np.searchsorted(qubits, request.qubits, sorter=order)], axis=1)
    energies = np.asarray(result["energies"], dtype=np.float64)
    occurrences = np.asarray(result.get("num_occurrences", 1), dtype=np.intp)
    if (occurrences != 1).any():
        # merged reads, as answer_mode="histogram" gives them
        spins, energies = np.repeat(spins, occurrences, axis=0), np.repeat(energies, occurrences)
    if len(spins) != request.num_reads and "max_answers" not in request.parameters:
        msg = f"the answer of problem {future.id} holds {len(spins)} reads, where {request.num_reads} were asked for"
        raise ValueError(msg)
    timing = {name: float(value) for name, value in result.get("timing", {}).items() if _is_number(value)}
    decode_s = (future.parse_time or 0.0) + time.perf_counter() - begun
    whole_s = (future.time_resolved - future.time_created).total_seconds()
    queued = future.time_received is not None and future.time_solved is not None
    wait_s = (future.time_solved - future.time_received).total_seconds() if queued else 0.0
    return JobAnswer(
        spins=spins,
        energies=energies,
        timing=timing,
        problem_id=str(future.id),
        solver=request.solver,
        client_s={"submit_s": max(0.0, whole_s - wait_s), "wait_s": wait_s, "decode_s": decode_s},
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
