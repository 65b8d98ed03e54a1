"""Anneals as gates, and gates as anneals, against matrix exponentials."""

import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import expm

from annealnn import _memory
from annealnn.dynamics._gates import Gate, annealing_circuit, apply_gates, history_hamiltonian, history_state
from annealnn.models import IsingModel, TransverseIsing
from annealnn.schedules import AnnealSchedule

pytestmark = pytest.mark.usefixtures("one_blas_thread")

X, Z = np.array([[0, 1], [1, 0]]), np.diag([1, -1])
BELL = [Gate("H", ("a",)), Gate("CNOT", ("a", "b"))]
PROBLEM = IsingModel({"a": 0.5, "b": -0.2}, {("a", "b"): 1.0})
PAUSED = AnnealSchedule([(0.0, 0.0), (1.3, 0.4), (2.3, 0.4), (4.0, 1.0)])


def annealed(problem, schedule, gamma, num_steps=1000):
    """Return the state after the continuous anneal, to about 1e-6."""
    n = problem.structure.num_variables
    drive, state = schedule.drive(), np.full(2**n, 2 ** (-n / 2), complex)
    times = np.union1d(np.linspace(0, drive.duration, num_steps + 1), drive.times)
    for start, stop in pairwise(times):
        transverse, coefficient = drive.at((start + stop) / 2)
        model = TransverseIsing(coefficient * problem.h, coefficient * problem.J, transverse * np.array(gamma))
        state = expm(-1j * (stop - start) * model.hamiltonian()) @ state
    return state


def test_matrices_are_those_of_their_generators():
    for name, generator in [("RX", X), ("RZ", Z), ("RZZ", np.kron(Z, Z))]:
        qubits = tuple(range(len(generator) // 2))
        np.testing.assert_allclose(Gate(name, qubits, 0.7).matrix(), expm(-0.35j * generator), atol=1e-15)


def test_gates_act_on_their_qubits_in_order():
    # the last qubit controls the first one: |001> -> |101>
    state = apply_gates([Gate("CNOT", ("c", "a"))], ["a", "b", "c"], np.eye(8)[1])
    np.testing.assert_array_equal(state, np.eye(8)[5])
    rng = np.random.default_rng(0)
    given = rng.normal(size=8) + 1j * rng.normal(size=8)
    expected = np.kron(np.eye(2), np.kron(expm(-0.2j * X), np.eye(2))) @ given
    np.testing.assert_allclose(apply_gates([Gate("RX", ("b",), 0.4)], "abc", given), expected, atol=1e-14)


def test_circuit_converges_to_the_anneal_as_the_square_of_its_layers():
    gamma = [1.0, 0.7]
    exact = annealed(PROBLEM, PAUSED, gamma)
    layers = [8, 16, 32, 64]
    states = [
        apply_gates(annealing_circuit(PROBLEM, PAUSED, num_layers=m, gamma=gamma), PROBLEM.labels) for m in layers
    ]
    errors = [np.linalg.norm(state - exact) for state in states]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, atol=0.15)
    assert errors[-1] < 1e-3


def test_circuit_of_more_qubits_ends_in_the_ground_state():
    problem = IsingModel([0.2, 0, -0.1, 0], {(0, 1): 1.0, (1, 2): -1.0, (2, 3): 1.0})
    gates = annealing_circuit(problem, AnnealSchedule.linear(60.0), num_layers=200)
    assert {gate.name for gate in gates} == {"H", "RX", "RZ", "RZZ"}
    assert abs(apply_gates(gates, problem.labels)[0b0011]) ** 2 > 0.95  # spins + + - -


def test_history_state_is_the_zero_level():
    initial, final = history_hamiltonian(BELL, "ab")
    history = history_state(BELL, "ab")
    np.testing.assert_allclose(final @ history, 0, atol=1e-15)
    np.testing.assert_array_equal(initial[:, 0], 0)
    for matrix in (initial, final):
        levels = np.linalg.eigvalsh(matrix)
        assert abs(levels[0]) < 1e-14
        assert levels[1] > 0.1
    # at the end of the clock: (|00> + |11>) / sqrt(2), with probability 1/3
    np.testing.assert_allclose(np.sqrt(3) * history[8:], [np.sqrt(0.5), 0, 0, np.sqrt(0.5)], atol=1e-15)


def test_another_gate_has_another_history():
    _, final = history_hamiltonian(BELL, "ab")
    other = history_state([Gate("H", ("b",)), Gate("CNOT", ("a", "b"))], "ab")
    assert np.vdot(other, final @ other).real > 0.1


def test_slow_evolution_computes_the_circuit():
    initial, final = history_hamiltonian(BELL, "ab")
    history, lost = history_state(BELL, "ab"), []
    for time in (10.0, 50.0):
        state, num_steps = np.eye(12, dtype=complex)[0], 500
        for s in (np.arange(num_steps) + 0.5) / num_steps:
            state = expm(-1j * time / num_steps * ((1 - s) * initial + s * final)) @ state
        lost.append(1 - abs(np.vdot(history, state)) ** 2)
    assert lost[0] > 0.1
    assert lost[1] < 0.003


BAD = [
    (lambda: Gate("T", (0,)), "name is one of 'H', 'RX', 'RZ', 'RZZ', 'CNOT'; got 'T'"),
    (lambda: Gate("RZZ", (0, 0), 1.0), "RZZ acts on 2 distinct qubits; got (0, 0)"),
    (lambda: Gate("H", (0,), 1.0), "H has no angle; got 1.0"),
    (lambda: Gate("RX", (0,), 1j), "angle is a finite number, at least -inf; got 1j"),
    (lambda: apply_gates(BELL, "ac"), "gates act on the circuit's qubits, ['a', 'c']; got Gate(name='CNOT'"),
    (lambda: apply_gates(BELL, "aab"), "qubits are distinct labels, at least one; got ['a', 'a', 'b']"),
    (lambda: apply_gates(BELL, "ab", [1, 0]), "a state of 2 qubits has shape (4,); got (2,)"),
    (lambda: history_hamiltonian([], "ab"), "the number of gates is a whole number of at least 1; got 0"),
    (lambda: annealing_circuit(PROBLEM, PAUSED, num_layers=0), "num_layers is a whole number of at least 1; got 0"),
    (lambda: annealing_circuit(PROBLEM, PAUSED, num_layers=1, gamma=1j), "gamma is a finite number"),
    (
        lambda: annealing_circuit(PROBLEM, AnnealSchedule.reverse(1.0, s=0.5), num_layers=1),
        "a circuit begins in the transverse ground state, at s = 0; got a reverse anneal",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=range(len(BAD)))
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_a_drive_is_no_schedule():
    with pytest.raises(TypeError, match="schedule is an AnnealSchedule; got Drive"):
        annealing_circuit(PROBLEM, PAUSED.drive(), num_layers=1)


def test_memory_is_checked_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda: 8 << 30)
    gates = [Gate("H", (0,))]
    with pytest.raises(MemoryError, match=r"states of 30 qubits need about 48\.0 GiB"):
        apply_gates(gates, range(30))
    with pytest.raises(MemoryError, match=r"dense Hamiltonians of 15 qubits need about 256\.0 GiB"):
        history_hamiltonian(gates, range(15))
