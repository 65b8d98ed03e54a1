"""Anneals as circuits of gates, and circuits as anneals: the two directions of adiabatic universality."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from annealnn._memory import check_memory
from annealnn._validation import check_choice, check_count, check_number
from annealnn.models import IsingModel
from annealnn.samplers._gamma import Gamma, gamma_by_variable
from annealnn.schedules import AnnealSchedule, Drive
from annealnn.typing import Floats

Complexes: TypeAlias = NDArray[np.complex128]

# number of qubits of each gate, and whether it has an angle
_GATES = {"H": (1, False), "RX": (1, True), "RZ": (1, True), "RZZ": (2, True), "CNOT": (2, False)}


@final
@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of a circuit.

    Parameters
    ----------
    name : "H", "RX", "RZ", "RZZ" or "CNOT"
        RX(angle) = exp(-i angle X / 2), and RZ and RZZ in the same way with Z and Z Z.
    qubits : tuple of hashable
        Labels; of CNOT the control first.
    angle : float
        In radians; of H and CNOT 0.

    Raises
    ------
    ValueError
        If there is no such gate, or qubits or angle do not fit it.
    """

    name: str
    qubits: tuple[Hashable, ...]
    angle: float = 0.0

    def __post_init__(self) -> None:
        check_choice("name", self.name, list(_GATES))
        num_qubits, has_angle = _GATES[self.name]
        if len(set(self.qubits)) != num_qubits or len(self.qubits) != num_qubits:
            msg = f"{self.name} acts on {num_qubits} distinct qubits; got {self.qubits!r}"
            raise ValueError(msg)
        if check_number("angle", self.angle, low=-np.inf) and not has_angle:
            msg = f"{self.name} has no angle; got {self.angle!r}"
            raise ValueError(msg)

    def matrix(self) -> Complexes:
        """Return the unitary on the gate's own qubits, the first most significant: (2, 2) or (4, 4)."""
        if self.name == "H":
            return np.array([[1, 1], [1, -1]], np.complex128) * math.sqrt(0.5)
        if self.name == "CNOT":
            return np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], np.complex128)
        if self.name == "RX":
            cosine, sine = np.cos(self.angle / 2), -1j * np.sin(self.angle / 2)
            return np.array([[cosine, sine], [sine, cosine]], np.complex128)
        signs = np.array([1, -1] if self.name == "RZ" else [1, -1, -1, 1])
        return np.array(np.diag(np.exp(-0.5j * self.angle * signs)), np.complex128)


def annealing_circuit(
    problem: IsingModel, schedule: AnnealSchedule, *, num_layers: int, gamma: Gamma = 1.0
) -> tuple[Gate, ...]:
    """Return a forward anneal as gates: H on each qubit, then `num_layers` second-order Trotter steps.

    A layer of duration dt is RX's half, all of RZ and RZZ, RX's half; halves that meet are one gate. Its angles are
    exact integrals of the drive over the layer, and its error is of third order in dt (Suzuki 1976), so that of the
    final state falls as num_layers**-2.

    Parameters
    ----------
    problem : IsingModel
        Its labels are the qubits.
    schedule : AnnealSchedule
        From s = 0, where the transverse ground state is all that H on each qubit makes.
    num_layers : int
        Of equal durations.
    gamma : float, or mapping from label to float, or array of shape (num_variables,)
        Weight of each X_i, at least 0.

    Raises
    ------
    ValueError
        If the schedule is a reverse anneal, or a number breaks its rule.
    TypeError
        If `problem` is no IsingModel, or `schedule` no AnnealSchedule.
    """
    check_count("num_layers", num_layers)
    for name, value, wanted in (("problem", problem, IsingModel), ("schedule", schedule, AnnealSchedule)):
        if not isinstance(value, wanted):
            msg = f"{name} is an {wanted.__name__}; got {type(value).__name__}"
            raise TypeError(msg)
    if schedule.is_reverse:
        msg = "a circuit begins in the transverse ground state, at s = 0; got a reverse anneal, which begins at s = 1"
        raise ValueError(msg)
    fields = gamma_by_variable(gamma, problem.structure)
    transverse, diagonal = _integrals(schedule.drive(), num_layers)
    labels = problem.labels
    halves = np.concatenate([[0.0], transverse, [0.0]]) / 2
    gates = [Gate("H", (label,)) for label in labels]
    for layer in range(num_layers + 1):
        mixing = -2 * (halves[layer] + halves[layer + 1])
        gates += [Gate("RX", (label,), float(mixing * g)) for label, g in zip(labels, fields, strict=True) if g]
        if layer < num_layers:
            angle = -2 * diagonal[layer]
            pairs = zip(problem.structure.edges, problem.parameters.couplings, strict=True)
            gates += [Gate("RZZ", (labels[i], labels[j]), float(angle * J)) for (i, j), J in pairs if J]
            gates += [Gate("RZ", (label,), float(angle * h)) for label, h in zip(labels, problem.h, strict=True) if h]
    return tuple(gates)


def _integrals(drive: Drive, num_layers: int) -> tuple[Floats, Floats]:
    """Return the integrals of both coefficients over each of equal layers, (num_layers,) each; exact."""
    edges = np.linspace(0, drive.duration, num_layers + 1)
    times = np.union1d(edges, drive.times)
    total = [
        np.concatenate([[0.0], np.cumsum(np.diff(times) * (values[1:] + values[:-1]) / 2)])
        for values in drive.at(times)
    ]
    at_edges = np.searchsorted(times, edges)
    return np.diff(total[0][at_edges]), np.diff(total[1][at_edges])


def apply_gates(gates: Sequence[Gate], qubits: Sequence[Hashable], state: Any = None) -> Complexes:
    """Return the state vector after `gates`, (2**num_qubits,).

    Parameters
    ----------
    gates : sequence of Gate
        In the order in which they act.
    qubits : sequence of hashable
        All labels, the first most significant.
    state : array of shape (2**num_qubits,), optional
        All qubits in basis digit 0 if None.

    Raises
    ------
    ValueError
        If a gate acts on another qubit, or the state has another shape.
    MemoryError
        If the vectors do not fit, before any is made.
    """
    axes = _axes(gates, qubits)
    check_memory(f"states of {len(axes)} qubits", 48 * 2 ** len(axes), "Take fewer qubits: each one more doubles it")
    if state is None:
        vector = np.zeros(2 ** len(axes), np.complex128)
        vector[0] = 1
    else:
        vector = np.array(state, np.complex128)
    if vector.shape != (2 ** len(axes),):
        msg = f"a state of {len(axes)} qubits has shape ({2 ** len(axes)},); got {vector.shape}"
        raise ValueError(msg)
    tensor = vector.reshape((2,) * len(axes))
    for gate in gates:
        on = [axes[qubit] for qubit in gate.qubits]
        matrix = gate.matrix().reshape((2,) * (2 * len(on)))
        product = np.tensordot(matrix, tensor, axes=(range(len(on), 2 * len(on)), on))
        tensor = np.moveaxis(product, range(len(on)), on)
    return tensor.reshape(-1)


def history_hamiltonian(gates: Sequence[Gate], qubits: Sequence[Hashable]) -> tuple[Complexes, Complexes]:
    """Return the two ends of an anneal whose outcome holds a circuit's (Aharonov et al. 2004).

    Beside the qubits there is a clock, most significant, that counts the gates done (Feynman 1986; Kitaev, Shen, Vyalyi
    2002). With U_l gate l, and n_i = 1 where qubit i is in basis digit 1::

        H_in = sum_i n_i where the clock is 0
        initial = H_in + (1 where the clock is not 0)
        final = H_in + 1/2 sum_l [ |l><l| + |l-1><l-1| - U_l |l><l-1| - U_l^+ |l-1><l| ]

    Both have one zero level. That of `initial` is all digits 0 at clock 0; that of `final` is the `history_state`. The
    gap of (1 - s) initial + s final falls as the inverse square of the number of gates.

    Parameters
    ----------
    gates : sequence of Gate
    qubits : sequence of hashable
        All labels, the first most significant.

    Returns
    -------
    initial, final : arrays of shape (num_states, num_states)
        num_states = (num_gates + 1) * 2**num_qubits.

    Raises
    ------
    ValueError
        If there is no gate, or one acts on another qubit.
    MemoryError
        If the matrices do not fit, before any is made.
    """
    axes, num_clock = _axes(gates, qubits), len(gates) + 1
    check_count("the number of gates", len(gates))
    num_basis = 2 ** len(axes)
    advice = "Take fewer qubits or fewer gates: a history is for circuits of a few"
    check_memory(f"dense Hamiltonians of {len(axes)} qubits", 64 * (num_clock * num_basis) ** 2, advice)
    one = np.eye(num_basis, dtype=np.complex128)
    clock = np.eye(num_clock)
    ones_digits = [int(number).bit_count() for number in range(num_basis)]
    begin = np.kron(np.outer(clock[0], clock[0]), np.diag(ones_digits)).astype(np.complex128)
    initial = begin + np.kron(np.diag(1 - clock[0]), one)
    final = begin
    for number, gate in enumerate(gates):
        before, after = clock[number], clock[number + 1]
        unitary = np.stack([apply_gates([gate], qubits, column) for column in one], axis=1)
        done = np.kron(np.outer(after, before), unitary)
        stay = np.kron(np.diag(before + after), one)
        final = final + (stay - done - done.conj().T) / 2
    return initial, final


def history_state(gates: Sequence[Gate], qubits: Sequence[Hashable]) -> Complexes:
    """Return the circuit's states after 0, 1, ... gates, side by side with the clock: the zero level of `final`.

    Its norm is 1. Where the clock shows the end, with probability 1 / (num_gates + 1), it is the circuit's outcome.

    Parameters and raises as `history_hamiltonian`; returns an array of shape ((num_gates + 1) * 2**num_qubits,).
    """
    states = [apply_gates(gates[:number], qubits) for number in range(len(gates) + 1)]
    history: Complexes = np.concatenate(states) / np.sqrt(len(states))
    return history


def _axes(gates: Sequence[Gate], qubits: Sequence[Hashable]) -> dict[Hashable, int]:
    axes = {qubit: axis for axis, qubit in enumerate(qubits)}
    if len(axes) != len(qubits) or not axes:
        msg = f"qubits are distinct labels, at least one; got {list(qubits)!r:.200}"
        raise ValueError(msg)
    for gate in gates:
        if unknown := [qubit for qubit in gate.qubits if qubit not in axes]:
            msg = f"gates act on the circuit's qubits, {list(qubits)!r:.200}; got {gate}, on {unknown[0]!r}"
            raise ValueError(msg)
    return axes
