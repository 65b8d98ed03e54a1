"""Reading answers: the client's own reader is the slow, readable twin."""

import base64

import numpy as np
import pytest
from dwave.cloud.coders import decode_qp_numpy

from annealnn.qpu._answer import decode_response


def text_of(numbers, kind):
    return base64.b64encode(np.asarray(numbers, dtype=kind).tobytes()).decode()


def message(num_reads, qubits, kind="ising"):
    rng = np.random.default_rng([num_reads, *qubits])
    bits = rng.integers(0, 2, size=(num_reads, len(qubits)), dtype=np.uint8)
    return {
        "type": kind,
        "answer": {
            "format": "qp",
            "num_variables": 40,
            "active_variables": text_of(qubits, "<i4"),
            "energies": text_of(rng.normal(size=num_reads), "<f8"),
            "num_occurrences": text_of(rng.integers(1, 4, num_reads), "<i4"),
            "solutions": base64.b64encode(np.packbits(bits, axis=1)).decode(),
            "timing": {"qpu_access_time": 1.0},
        },
    }


def copied(given):
    return {**given, "answer": dict(given["answer"])}


@pytest.mark.parametrize("num_reads", [1, 7])
@pytest.mark.parametrize("qubits", [(3,), tuple(range(1, 9)), tuple(range(2, 11)), (39, 0, 17)])
def test_reads_are_those_of_the_clients_reader(num_reads, qubits):
    given = message(num_reads, qubits)
    expected = decode_qp_numpy(copied(given))
    found = decode_response(given, otherwise=None)
    for name in ("energies", "num_occurrences", "active_variables"):
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_array_equal(found["solutions"], np.asarray(expected["solutions"])[:, list(qubits)])
    assert found["solutions"].dtype == np.int8
    assert found["timing"] == {"qpu_access_time": 1.0}


def test_other_problems_are_left_to_the_client():
    given = message(2, (0, 1), "qubo")
    assert decode_response(given, otherwise=lambda said, answer_data: (said, answer_data)) == (given, None)


def test_an_answer_cut_short_is_refused():
    given = message(4, (0, 1, 2))
    given["answer"]["solutions"] = given["answer"]["solutions"][:4]
    with pytest.raises(ValueError, match="4 reads of 3 qubits take 4 bytes; the answer holds 3"):
        decode_response(given, otherwise=None)
