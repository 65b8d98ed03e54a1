"""Relative-entropy training with Pauli strings: moments, convexity, recovery, and what it does with parity."""

from functools import reduce

import numpy as np
import pytest

from annealnn.learning.quantum import (
    PauliOperators,
    QuantumParameters,
    fit_relative_entropy,
    pauli_gibbs_state,
    pauli_strings,
    pure_state,
    pure_state_loss,
    relative_entropy_loss,
)
from annealnn.models import Structure

pytestmark = pytest.mark.usefixtures("one_blas_thread")

MATRICES = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def matrix(string):
    return reduce(np.kron, [MATRICES[letter] for letter in string])


def test_operators_equal_kronecker_products():
    strings = ["XYZ", "IYI", "ZZI", "YYX", "IIX", "III"]
    operators = PauliOperators.of(strings)
    rng = np.random.default_rng(0)
    theta = rng.normal(size=len(strings))
    expected = -sum(t * matrix(s) for t, s in zip(theta, strings, strict=True))
    np.testing.assert_allclose(operators.hamiltonian(theta), expected, atol=1e-14)
    R = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    R = R + R.conj().T
    np.testing.assert_allclose(operators.means(R), [np.trace(R @ matrix(s)).real for s in strings], atol=1e-13)


def test_strings_of_up_to_two_letters():
    strings = pauli_strings(4)
    assert len(strings) == len(set(strings)) == 3 * 4 + 9 * 6
    assert pauli_strings(3, max_weight=1, letters="Z") == ["ZII", "IZI", "IIZ"]


def gibbs_target(num_qubits, seed):
    operators = PauliOperators.of(pauli_strings(num_qubits))
    theta = np.random.default_rng(seed).normal(0, 0.5, len(operators.flips))
    return operators, theta, operators.means(pauli_gibbs_state(operators, theta)[0])


def test_gradient_equals_central_differences():
    operators, theta, _ = gibbs_target(3, 0)
    targets = np.random.default_rng(1).uniform(-0.5, 0.5, len(theta))
    _, gradient = relative_entropy_loss(operators, theta, targets)
    for k, unit in enumerate(1e-5 * np.eye(len(theta))):
        sides = [relative_entropy_loss(operators, theta + s * unit, targets)[0] for s in (1, -1)]
        assert gradient[k] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-8)


def test_convex():
    operators, theta, targets = gibbs_target(3, 0)
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = rng.normal(0, 2, (2, len(theta)))
        ends = [relative_entropy_loss(operators, point, targets)[0] for point in (a, b)]
        assert relative_entropy_loss(operators, (a + b) / 2, targets)[0] < sum(ends) / 2


@pytest.mark.parametrize("num_qubits", [2, 4, 6])
def test_recovers_a_gibbs_state_from_any_start(num_qubits):
    operators, theta, targets = gibbs_target(num_qubits, num_qubits)
    rng = np.random.default_rng(9)
    starts = [None, *rng.normal(0, 1, (2 if num_qubits < 6 else 1, len(theta)))]
    for start in starts:
        found = fit_relative_entropy(operators, targets, start)
        reached = operators.means(pauli_gibbs_state(operators, found.parameters)[0])
        np.testing.assert_allclose(reached, targets, atol=1e-6)
        np.testing.assert_allclose(found.parameters, theta, atol=1e-4)


def test_the_pure_state_loss_is_this_one():
    structure, rng = Structure.complete(3), np.random.default_rng(2)
    parameters = QuantumParameters(*(rng.normal(size=3) for _ in range(3)))
    q = rng.dirichlet(np.ones(8))
    operators = PauliOperators.of(["ZII", "IZI", "IIZ", "ZZI", "ZIZ", "IZZ", "XII", "IXI", "IIX"])
    value, gradient = relative_entropy_loss(operators, np.concatenate(parameters), operators.means(pure_state(q)))
    expected_value, expected = pure_state_loss(structure, parameters, q)
    assert value == pytest.approx(expected_value, abs=1e-12)
    np.testing.assert_allclose(gradient, np.concatenate(expected), atol=1e-12)


def even_parity(num_qubits):
    even = np.array([bin(state).count("1") % 2 == 0 for state in range(2**num_qubits)])
    return even / even.sum()


def divergence_from_parity(operators, theta, q):
    p = np.diagonal(pauli_gibbs_state(operators, theta)[0]).real
    return float(q[q > 0] @ np.log(q[q > 0] / p[q > 0]))


@pytest.mark.parametrize("num_qubits", [3, 4])
def test_two_local_relative_entropy_does_not_learn_parity(num_qubits):
    """Kappen (2020) reports parity learned without hidden units: not by this loss with one- and two-local Paulis."""
    q = even_parity(num_qubits)
    strings = pauli_strings(num_qubits)
    rng = np.random.default_rng(0)
    for start in (None, rng.normal(0, 0.5, len(strings))):
        operators = PauliOperators.of(strings)
        found = fit_relative_entropy(operators, operators.means(pure_state(q)), start)
        assert found.slope < 1e-6
        assert divergence_from_parity(operators, found.parameters, q) == pytest.approx(np.log(2), abs=1e-4)
    # the operator that parity is
    operators = PauliOperators.of([*strings, "Z" * num_qubits])
    found = fit_relative_entropy(operators, operators.means(pure_state(q)))
    assert divergence_from_parity(operators, found.parameters, q) < 1e-6


def test_two_local_states_near_parity_exist_and_are_far_in_relative_entropy():
    """XX bonds and a weak field at low temperature: the states are there, the loss does not lead to them."""
    q, strings = even_parity(3), pauli_strings(3)
    operators = PauliOperators.of(strings)
    theta = np.array([1e4 * (s.count("X") == 2) + 1e3 * (s.count("Z") == 1 and s.count("I") == 2) for s in strings])
    assert divergence_from_parity(operators, theta, q) < 0.01
    assert relative_entropy_loss(operators, theta, operators.means(pure_state(q)))[0] > 10


@pytest.mark.parametrize("strings", [[], ["XX", "X"], ["XA"], [""], ["X" * 13]])
def test_strings_are_checked(strings):
    with pytest.raises(ValueError, match="operators are strings of I, X, Y and Z"):
        PauliOperators.of(strings)
