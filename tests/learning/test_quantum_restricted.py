"""Semi-quantum restricted Boltzmann machines against the partial trace and enumeration."""

from functools import reduce

import numpy as np
import pytest
from scipy.special import entr

from annealnn.learning.quantum import (
    QuantumParameters,
    SemiQuantumParameters,
    clamped_moments,
    fit_semi_quantum_machine,
    semi_quantum_log_probabilities,
    semi_quantum_log_weights,
    semi_quantum_loss,
    semi_quantum_moments,
    semi_quantum_sweeps,
)
from annealnn.models import Structure
from annealnn.models._exact import basis_spins
from annealnn.samplers import SamplerState, streams_from_seed
from annealnn.testing._statistics import chi_square_pvalue

pytestmark = pytest.mark.usefixtures("one_blas_thread")

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed
PAULIS = {
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0 + 0j, -1]),
}


def draw(num_visible, num_hidden, num_paulis=3, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    shapes = ((num_visible,), (num_paulis, num_hidden), (num_paulis, num_visible, num_hidden))
    return SemiQuantumParameters(*(rng.normal(0, scale, shape) for shape in shapes))


def partial_trace(parameters, letters):
    """Return ln Tr_hidden exp(-H), the diagonal over visible basis states, from H as one matrix."""
    n, m = len(parameters.fields), parameters.hidden_fields.shape[1]

    def place(**at):
        return reduce(np.kron, [at.get(f"q{k}", np.eye(2)) for k in range(n + m)])

    H = -sum(a * place(**{f"q{i}": PAULIS["Z"]}) for i, a in enumerate(parameters.fields))
    for p, letter in enumerate(letters):
        for j in range(m):
            P = {f"q{n + j}": PAULIS[letter]}
            H = H - parameters.hidden_fields[p, j] * place(**P)
            for i in range(n):
                H = H - parameters.weights[p, i, j] * place(**P, **{f"q{i}": PAULIS["Z"]})
    levels, vectors = np.linalg.eigh(H)
    diagonal = np.abs(vectors) ** 2 @ np.exp(-levels)
    return np.log(diagonal.reshape(2**n, -1).sum(axis=1))


@pytest.mark.parametrize(
    ("num_visible", "num_hidden", "letters"),
    [(1, 1, "XYZ"), (3, 2, "XYZ"), (4, 3, "XYZ"), (6, 2, "XYZ"), (4, 2, "ZX"), (4, 2, "Z")],
)
def test_closed_form_equals_the_partial_trace(num_visible, num_hidden, letters):
    parameters = draw(num_visible, num_hidden, len(letters))
    found = semi_quantum_log_weights(parameters, basis_spins(num_visible))
    np.testing.assert_allclose(found, partial_trace(parameters, letters), atol=1e-10)


def test_one_pauli_is_a_classical_machine():
    parameters = draw(5, 3, num_paulis=1)
    rows = basis_spins(5)
    structure = Structure(8, [(i, 5 + j) for i in range(5) for j in range(3)])
    classical = QuantumParameters(
        np.append(parameters.fields, parameters.hidden_fields[0]), parameters.weights[0].ravel(), np.zeros(8)
    )
    found, expected = semi_quantum_moments(parameters, rows), clamped_moments(structure, classical, rows)
    np.testing.assert_allclose(np.append(found.fields, found.hidden_fields[0]), expected.spins, atol=1e-12)
    np.testing.assert_allclose(found.weights[0].ravel(), expected.pairs, atol=1e-12)


@pytest.mark.parametrize("num_paulis", [1, 2, 3])
def test_gradient_equals_central_differences(num_paulis):
    parameters = draw(4, 2, num_paulis, scale=0.8)
    q = np.random.default_rng(1).dirichlet(np.ones(16))
    _, gradient = semi_quantum_loss(parameters, q)
    for k, part in enumerate(parameters):
        for index in np.ndindex(part.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = [array.copy() for array in parameters]
                moved[k][index] += step
                sides.append(semi_quantum_loss(SemiQuantumParameters(*moved), q)[0])
            assert gradient[k][index] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-8)


def test_gradient_at_zero_is_finite():
    zero = SemiQuantumParameters(np.zeros(3), np.zeros((3, 2)), np.zeros((3, 3, 2)))
    value, gradient = semi_quantum_loss(zero, np.full(8, 1 / 8))
    assert value == pytest.approx(3 * np.log(2))
    assert all((part == 0).all() for part in gradient)


def counts(parameters, num_particles=20_000, num_sweeps=40, seed=3):
    n = len(parameters.fields)
    streams = streams_from_seed(seed, num_particles)
    state = SamplerState(np.ones((num_particles, n), dtype=np.int8), streams)
    rows = semi_quantum_sweeps(parameters, state, num_sweeps).spins
    states = (rows < 0) @ (1 << np.arange(n - 1, -1, -1))
    return np.bincount(states, minlength=2**n).astype(np.float64)


def test_sweeps_draw_from_the_machine():
    parameters = draw(5, 3, seed=4, scale=0.5)
    observed = counts(parameters)
    expected = np.exp(semi_quantum_log_probabilities(parameters)) * observed.sum()
    assert chi_square_pvalue(observed, expected) > FALSE_ALARM
    wrong = parameters._replace(weights=0.93 * parameters.weights)
    assert chi_square_pvalue(observed, np.exp(semi_quantum_log_probabilities(wrong)) * observed.sum()) < FALSE_ALARM
    # one Pauli left out
    wrong = SemiQuantumParameters(parameters.fields, parameters.hidden_fields[:2], parameters.weights[:2])
    assert chi_square_pvalue(observed, np.exp(semi_quantum_log_probabilities(wrong)) * observed.sum()) < FALSE_ALARM


def test_sweeps_leave_their_state_and_go_on_from_it():
    parameters = draw(4, 2)
    state = SamplerState(np.ones((50, 4), dtype=np.int8), streams_from_seed(0, 50))
    before = [state.spins.copy(), state.streams.copy()]
    whole = semi_quantum_sweeps(parameters, state, 5)
    np.testing.assert_array_equal(state.spins, before[0])
    np.testing.assert_array_equal(state.streams, before[1])
    halves = semi_quantum_sweeps(parameters, semi_quantum_sweeps(parameters, state, 2), 3)
    np.testing.assert_array_equal(whole.spins, halves.spins)
    fewer = semi_quantum_sweeps(parameters, SamplerState(state.spins[:7], state.streams[:7]), 5)
    np.testing.assert_array_equal(whole.spins[:7], fewer.spins)


def test_a_machine_is_recovered_by_itself_and_by_a_classical_one_of_three_times_the_hidden_units():
    log_q = semi_quantum_log_probabilities(draw(4, 1, seed=0))
    q = np.exp(log_q)
    for num_hidden, num_paulis in ((1, 3), (3, 1)):
        fits = (fit_semi_quantum_machine(q, num_hidden, num_paulis=num_paulis, seed=seed) for seed in range(20))
        assert any(fit.loss - entr(q).sum() < 2e-3 for fit in fits)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match=r"enumeration reaches 16 visible units; got 17. Sample"):
        semi_quantum_log_probabilities(draw(17, 1))
    with pytest.raises(ValueError, match="num_paulis is 1, 2 or 3; got 4"):
        fit_semi_quantum_machine(np.full(4, 0.25), 1, num_paulis=4)
    with pytest.raises(ValueError, match="over 3 visible units; got 4 probabilities"):
        semi_quantum_loss(draw(3, 1), np.full(4, 0.25))
