"""Losses of quantum Boltzmann machines against brute force and central differences."""

from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm

from annealnn.datasets import make_bernoulli_mixture
from annealnn.experiments.quantum import mixture_distribution
from annealnn.learning.quantum import (
    QuantumParameters,
    bound_loss,
    clamped_moments,
    exact_loss,
    fit_quantum_machine,
    pure_state_loss,
    visible_distribution,
    visible_probabilities,
)
from annealnn.models import Structure, bits_to_spins
from annealnn.models._exact import basis_spins

pytestmark = pytest.mark.usefixtures("one_blas_thread")

X, Z = np.array([[0.0, 1], [1, 0]]), np.diag([1.0, -1])

RESTRICTED = Structure(7, [(i, j) for i in range(4) for j in range(4, 7)])
SEMI_RESTRICTED = Structure(5, [(0, 1), (1, 2), (0, 3), (1, 3), (2, 4), (0, 4)])  # hidden 3, 4

# graph, visible units
MACHINES = [
    pytest.param(Structure.complete(4), 4, id="all visible"),
    pytest.param(Structure.complete(5), 3, id="hidden units coupled"),
    pytest.param(RESTRICTED, 4, id="restricted"),
    pytest.param(SEMI_RESTRICTED, 3, id="semi-restricted"),
    pytest.param(Structure(3, [(0, 2)]), 2, id="an isolated unit"),
    pytest.param(Structure(2, []), 0, id="no visible units"),
]
LARGE = [
    pytest.param(Structure.complete(8), 8, id="8 visible"),
    pytest.param(Structure.complete(8), 5, id="5 visible, 3 hidden"),
    pytest.param(Structure(10, [(i, j) for i in range(6) for j in range(6, 10)]), 6, id="6 visible, 4 hidden"),
]


def draw(structure, num_visible, seed=0, low=0.2):
    """Return random parameters and a random distribution with some zeros."""
    rng = np.random.default_rng(seed)
    n, m = structure.num_variables, structure.num_edges
    parameters = QuantumParameters(rng.normal(0, 0.7, n), rng.normal(0, 0.5, m), rng.uniform(low, 2.0, n))
    q = rng.random(2**num_visible) * (rng.random(2**num_visible) < 0.7) + 1e-3 * (np.arange(2**num_visible) == 0)
    return parameters, q / q.sum()


def hamiltonian(structure, parameters):
    """Return H of Eq. (1) by Kronecker products."""

    def place(**at):
        return reduce(np.kron, [at.get(f"q{k}", np.eye(2)) for k in range(structure.num_variables)], np.eye(1))

    H = -sum(h * place(**{f"q{i}": Z}) for i, h in enumerate(parameters.fields))
    H = H - sum(g * place(**{f"q{i}": X}) for i, g in enumerate(parameters.gamma))
    for (i, j), weight in zip(structure.edges, parameters.couplings, strict=True):
        H = H - weight * place(**{f"q{i}": Z, f"q{j}": Z})
    return H


def slope_along(loss, structure, parameters, q, direction, step=1e-5):
    sides = [
        loss(structure, QuantumParameters(*(p + s * d for p, d in zip(parameters, direction, strict=True))), q)[0]
        for s in (step, -step)
    ]
    return (sides[0] - sides[1]) / (2 * step)


def directions(structure):
    """Yield each parameter's unit vector."""
    sizes = [structure.num_variables, structure.num_edges, structure.num_variables]
    for unit in np.eye(sum(sizes)):
        yield QuantumParameters(*np.split(unit, np.cumsum(sizes)[:-1]))


@pytest.mark.parametrize(("structure", "num_visible"), MACHINES)
def test_visible_probabilities_equal_brute_force(structure, num_visible):
    parameters, _ = draw(structure, num_visible)
    rho = expm(-hamiltonian(structure, parameters))
    expected = np.diag(rho).reshape(2**num_visible, -1).sum(axis=1) / np.trace(rho)
    np.testing.assert_allclose(visible_probabilities(structure, parameters, num_visible), expected, atol=1e-12)


@pytest.mark.parametrize("loss", [exact_loss, bound_loss])
@pytest.mark.parametrize(("structure", "num_visible"), MACHINES)
def test_gradient_equals_central_differences(loss, structure, num_visible):
    parameters, q = draw(structure, num_visible)
    found = np.concatenate(loss(structure, parameters, q)[1])
    expected = [slope_along(loss, structure, parameters, q, d) for d in directions(structure)]
    np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("loss", [exact_loss, bound_loss])
@pytest.mark.parametrize(("structure", "num_visible"), LARGE)
def test_gradient_of_larger_machines(loss, structure, num_visible):
    parameters, q = draw(structure, num_visible, seed=1)
    gradient = loss(structure, parameters, q)[1]
    rng = np.random.default_rng(2)
    direction = QuantumParameters(*(rng.normal(size=len(part)) / 10 for part in parameters))
    expected = slope_along(loss, structure, parameters, q, direction)
    found = sum(float(g @ d) for g, d in zip(gradient, direction, strict=True))
    assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("loss", [exact_loss, bound_loss])
@pytest.mark.parametrize("structure", [Structure.complete(4), SEMI_RESTRICTED])
def test_gradient_where_levels_coincide(loss, structure):
    zero = QuantumParameters(
        *(np.zeros(k) for k in (structure.num_variables, structure.num_edges, structure.num_variables))
    )
    _, q = draw(structure, 3)
    for parameters in (zero, zero._replace(gamma=zero.gamma + 0.7), zero._replace(fields=zero.fields + 0.7)):
        found = np.concatenate(loss(structure, parameters, q)[1])
        expected = [slope_along(loss, structure, parameters, q, d) for d in directions(structure)]
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_a_shared_gamma_has_the_sum_of_the_derivatives():
    structure = Structure.complete(5)
    parameters, q = draw(structure, 3)
    parameters = parameters._replace(gamma=np.full(5, 0.8))
    gradient = exact_loss(structure, parameters, q)[1]
    shared = QuantumParameters(np.zeros(5), np.zeros(10), np.ones(5))
    assert gradient.gamma.sum() == pytest.approx(slope_along(exact_loss, structure, parameters, q, shared), abs=1e-8)


@pytest.mark.parametrize("scale", [30.0, 300.0])
def test_large_parameters_stay_finite(scale):
    parameters, q = draw(Structure.complete(5), 3)
    large = QuantumParameters(*(scale * part for part in parameters))
    for loss in (exact_loss, bound_loss):
        value, gradient = loss(Structure.complete(5), large, q)
        assert np.isfinite(value)
        assert np.isfinite(np.concatenate(gradient)).all()


@pytest.mark.parametrize(("structure", "num_visible"), MACHINES)
@pytest.mark.parametrize("seed", range(5))
def test_bound_is_never_below_the_loss(structure, num_visible, seed):
    parameters, q = draw(structure, num_visible, seed)
    loss, bound = (f(structure, parameters, q)[0] for f in (exact_loss, bound_loss))
    assert bound >= loss - 1e-12
    # without transverse fields on visible units H_v and the rest commute
    free = parameters._replace(gamma=np.where(np.arange(structure.num_variables) < num_visible, 0, parameters.gamma))
    assert bound_loss(structure, free, q)[0] == pytest.approx(exact_loss(structure, free, q)[0], abs=1e-10)
    if num_visible:
        assert bound > loss + 1e-4


@pytest.mark.parametrize(("structure", "num_visible"), MACHINES)
def test_descent_of_the_bound_lowers_visible_gamma(structure, num_visible):
    parameters, q = draw(structure, num_visible)
    assert (bound_loss(structure, parameters, q)[1].gamma[:num_visible] > 0).all()


def test_clamped_moments_equal_brute_force():
    structure = Structure.complete(5)
    parameters, _ = draw(structure, 2)
    rows = np.array([[1, -1], [1, 1], [1, -1]])
    H = hamiltonian(structure, parameters._replace(gamma=parameters.gamma * (np.arange(5) >= 2)))
    expected = np.zeros(5 + 10 + 5)
    for row in rows:
        first = 8 * int((1 - row[0]) + (1 - row[1]) // 2)  # of the 8 basis states with these visible spins
        rho = np.zeros((32, 32))
        rho[first : first + 8, first : first + 8] = expm(-H[first : first + 8, first : first + 8])
        rho /= np.trace(rho)
        slopes = [hamiltonian(structure, d) for d in directions(structure)]
        expected += [-np.trace(rho @ slope) / 3 for slope in slopes]
    found = clamped_moments(structure, parameters, rows)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-12)


def test_clamped_moments_in_closed_form_equal_those_by_diagonalisation():
    parameters, _ = draw(RESTRICTED, 4)
    parameters = parameters._replace(gamma=np.array([0.3, 0, 1, 2, 0, 0.5, 1.5]))
    rows = basis_spins(4)[[3, 7, 7, 12]]
    coupled = Structure(7, np.vstack([RESTRICTED.edges, [(5, 6)]]))
    wider = parameters._replace(couplings=np.append(parameters.couplings, 0.0))
    found, expected = clamped_moments(RESTRICTED, parameters, rows), clamped_moments(coupled, wider, rows)
    np.testing.assert_allclose(found.spins, expected.spins, atol=1e-12)
    np.testing.assert_allclose(found.pairs, expected.pairs[:-1], atol=1e-12)
    np.testing.assert_allclose(found.transverse, expected.transverse, atol=1e-12)
    assert (found.transverse[:4] == 0).all()


def test_clamped_moments_of_many_units():
    n, m = 60, 40
    structure = Structure(n + m, [(i, n + j) for i in range(n) for j in range(m)])
    rng = np.random.default_rng(0)
    parameters = QuantumParameters(rng.normal(size=n + m), rng.normal(size=n * m), np.zeros(n + m))
    rows = rng.choice([-1, 1], (200, n))
    found = clamped_moments(structure, parameters, rows)
    mean = np.tanh(parameters.fields[n:] + rows @ parameters.couplings.reshape(n, m))  # classical at gamma = 0
    np.testing.assert_allclose(found.spins[n:], mean.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.pairs.reshape(n, m), rows.T @ mean / 200, atol=1e-12)


def test_pure_state_loss():
    structure = Structure.complete(4)
    parameters, q = draw(structure, 4)
    rho = expm(-hamiltonian(structure, parameters))
    levels, vectors = np.linalg.eigh(rho / np.trace(rho))
    psi = vectors.T @ np.sqrt(q)
    value, gradient = pure_state_loss(structure, parameters, q)
    assert value == pytest.approx(-float(psi**2 @ np.log(levels)), abs=1e-10)
    expected = [slope_along(pure_state_loss, structure, parameters, q, d) for d in directions(structure)]
    np.testing.assert_allclose(np.concatenate(gradient), expected, atol=1e-8)


def test_relative_entropy_to_a_pure_state_learns_gamma_of_a_thermal_machine():
    structure = Structure.complete(4)
    _, q = draw(structure, 4)
    found = fit_quantum_machine(
        structure, q + 0.01 / 16 - 0.01 * q, pure_state_loss, gamma=np.full(4, 0.5), learn_gamma=True
    )
    assert found.slope < 1e-6
    assert (found.parameters.gamma > 0).all()


def test_visible_distribution_counts_rows():
    rows = np.array([[1, 1, -1], [1, 1, -1], [-1, 1, 1], [-1, -1, -1]])
    expected = np.zeros(8)
    expected[[1, 4, 7]] = 0.5, 0.25, 0.25
    np.testing.assert_array_equal(visible_distribution(rows), expected)
    np.testing.assert_array_equal(visible_distribution(basis_spins(3)), np.full(8, 1 / 8))


def test_distributions_of_the_datasets_are_this_one_reversed():
    X, _, p = make_bernoulli_mixture(40_000, 3, 2, 0.8, random_state=0, return_distribution=True)
    counted = visible_distribution(bits_to_spins(X))
    assert np.abs(counted - p[::-1]).max() < 5 * np.sqrt(0.25 / 40_000)  # five standard errors at most
    assert np.abs(counted - p).max() > 0.05


def test_hidden_units_help():
    q = mixture_distribution(5, 1)
    bare = fit_quantum_machine(Structure.complete(5), q, exact_loss, learn_gamma=True)
    wider = fit_quantum_machine(Structure.complete(6), q, exact_loss, learn_gamma=True)
    assert wider.loss < bare.loss - 1e-3


@pytest.mark.parametrize("structure", [Structure.complete(4), Structure.complete(5)])
def test_data_that_leave_out_states_are_learned(structure):
    q = np.zeros(16)
    q[[0, 3, 5, 10, 12, 15]] = 1 / 6
    found = fit_quantum_machine(structure, q, exact_loss, learn_gamma=True)
    assert found.loss - np.log(6) < 1e-6
    assert np.isfinite(fit_quantum_machine(structure, q, bound_loss, gamma=2.0).loss)


def test_errors_say_what_to_do():
    structure = Structure.complete(3)
    parameters, q = draw(structure, 3)
    with pytest.raises(ValueError, match=r"probabilities .* add up to 1; got .* sum of 2"):
        exact_loss(structure, parameters, 2 * q)
    with pytest.raises(ValueError, match=r"one probability for each basis state .* got shape \(7,\)"):
        exact_loss(structure, parameters, q[:7])
    with pytest.raises(ValueError, match=r"one probability for each basis state .* got shape \(16,\)"):
        bound_loss(structure, parameters, np.full(16, 1 / 16))
    with pytest.raises(ValueError, match=r"shapes \[.*\] on this graph; got \[\(2,\)"):
        exact_loss(structure, parameters._replace(fields=np.zeros(2)), q)
    with pytest.raises(ValueError, match="diagonalisation reaches 12 variables; got 13"):
        exact_loss(Structure(13, []), QuantumParameters(np.zeros(13), np.zeros(0), np.zeros(13)), q)
    with pytest.raises(ValueError, match="no hidden units"):
        pure_state_loss(structure, parameters, np.full(4, 0.25))
    with pytest.raises(ValueError, match=r"drives the transverse field .* Choose gamma"):
        fit_quantum_machine(structure, q, bound_loss, learn_gamma=True)
    with pytest.raises(ValueError, match=r"one for each unit, shape \(3,\); got shape \(2,\)"):
        fit_quantum_machine(structure, q, exact_loss, gamma=np.ones(2))
    with pytest.raises(ValueError, match=r"rows of spins, -1 or \+1"):
        visible_distribution(np.array([[0, 1]]))
    with pytest.raises(ValueError, match=r"of 3 units; got shape \(1, 4\)"):
        clamped_moments(structure, parameters, np.ones((1, 4)))
