"""Pauli strings as operators on basis states, and relative-entropy training of H = - sum_k theta_k O_k of any of them.

A string has one letter of I, X, Y, Z for each qubit, qubit 0 first and most significant. On a basis state it flips
digits and gives a phase, O|b> = phase(b) |b xor flip>; no matrix of it is made.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations, product
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from annealnn.learning.quantum._minimise import Minimum, minimise
from annealnn.models._transverse import MAX_DIAGONALISED
from annealnn.typing import AnyArray, Floats, Indices

Complexes: TypeAlias = NDArray[np.complex128]


class PauliOperators(NamedTuple):
    """Pauli strings, compiled; num_states = 2**num_qubits."""

    flips: Indices  #: basis digits that each flips, as a mask, (num_operators,)
    phases: Complexes  #: of each on each basis state, (num_operators, num_states)

    @classmethod
    def of(cls, strings: Sequence[str]) -> "PauliOperators":
        """Return the operators of strings such as "XIZ", all of one length of at most 12.

        Raises
        ------
        ValueError
            If there are none, their lengths differ, or there are other letters.
        """
        lengths = {len(string) for string in strings}
        if len(lengths) != 1 or not 1 <= max(lengths) <= MAX_DIAGONALISED or not set("".join(strings)) <= set("IXYZ"):
            msg = (
                f"operators are strings of I, X, Y and Z, all of one length from 1 to {MAX_DIAGONALISED}; "
                f"got {list(strings)!r:.200}"
            )
            raise ValueError(msg)
        n = max(lengths)
        digits = (np.arange(2**n) >> np.arange(n - 1, -1, -1)[:, None]) & 1
        signs = {"I": np.ones(2), "X": np.ones(2), "Y": np.array([1j, -1j]), "Z": np.array([1, -1])}
        flips, phases = np.zeros(len(strings), dtype=np.intp), np.ones((len(strings), 2**n), dtype=np.complex128)
        for k, string in enumerate(strings):
            for i, letter in enumerate(string):
                flips[k] += (letter in "XY") << (n - 1 - i)
                phases[k] *= signs[letter][digits[i]]
        return cls(flips, phases)

    def hamiltonian(self, theta: Floats) -> AnyArray:
        """Return H = - sum_k theta_k O_k for `theta` (num_operators,): (num_states, num_states), real if it is so."""
        states = np.arange(self.phases.shape[1])
        matrix = np.zeros((len(states), len(states)), dtype=np.complex128)
        for flip, phase, weight in zip(self.flips, self.phases, theta, strict=True):
            matrix[states ^ flip, states] -= weight * phase
        return matrix if matrix.imag.any() else matrix.real

    def means(self, density_matrix: AnyArray) -> Floats:
        """Return Tr[rho O_k] of a Hermitian matrix (num_states, num_states): (num_operators,)."""
        states = np.arange(self.phases.shape[1])
        return np.asarray((density_matrix[states, states ^ self.flips[:, None]] * self.phases).sum(axis=1).real)


def pauli_strings(num_qubits: int, *, max_weight: int = 2, letters: Iterable[str] = "XYZ") -> list[str]:
    """Return every Pauli string of 1 to `max_weight` letters other than I."""
    strings = []
    for weight in range(1, max_weight + 1):
        for places in combinations(range(num_qubits), weight):
            for chosen in product(letters, repeat=weight):
                string = ["I"] * num_qubits
                for place, letter in zip(places, chosen, strict=True):
                    string[place] = letter
                strings.append("".join(string))
    return strings


def pauli_gibbs_state(operators: PauliOperators, theta: Floats) -> tuple[AnyArray, float]:
    """Return rho = exp(-H) / Z, (num_states, num_states), and ln Z, for `theta` (num_operators,)."""
    levels, vectors = np.linalg.eigh(operators.hamiltonian(theta))
    log_z = float(logsumexp(-levels))
    return (vectors * np.exp(-levels - log_z)) @ vectors.conj().T, log_z


def pure_state(distribution: Floats) -> Floats:
    """Return `|psi><psi|` with amplitudes sqrt(distribution), (num_states, num_states) (Kappen 2020)."""
    amplitudes = np.sqrt(distribution)
    return np.outer(amplitudes, amplitudes)


def relative_entropy_loss(operators: PauliOperators, theta: Floats, targets: Floats) -> tuple[float, Floats]:
    """Return -Tr[eta ln rho] = ln Z - theta . targets and its gradient `<O_k>_rho - <O_k>_eta`; convex in theta.

    The relative entropy S(eta||rho) less the entropy of eta, which no parameter moves (Kieferova & Wiebe 2017, with
    the sign of theta of Eq. (1)). `targets` (num_operators,) are the moments of eta, `operators.means(eta)`.
    """
    rho, log_z = pauli_gibbs_state(operators, theta)
    return log_z - float(theta @ targets), operators.means(rho) - targets


def fit_relative_entropy(operators: PauliOperators, targets: Floats, start: Floats | None = None) -> Minimum[Floats]:
    """Return the minimum of the relative entropy by BFGS, from `start` (num_operators,) or zero.

    The minimum is unique if the operators are independent and the targets are those of a state of full rank. For
    others, such as most pure states, it lies at infinity: the search ends where the slope has become small.
    """
    first = np.zeros(len(targets)) if start is None else np.asarray(start, dtype=np.float64)
    return minimise(lambda theta: relative_entropy_loss(operators, theta, targets), first)
