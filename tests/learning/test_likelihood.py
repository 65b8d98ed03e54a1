import numpy as np
import pytest

from annealnn import IsingModel
from annealnn.diagnostics import effective_beta
from annealnn.learning import likelihood, log_partition, pseudo_log_likelihood
from annealnn.models import Parameters, Structure
from annealnn.samplers import ExactSampler

STRUCTURE = Structure.complete(18)
RNG = np.random.default_rng(4)
PARAMETERS = Parameters(RNG.normal(0.3, 0.5, 18), RNG.normal(0.05, 0.25, STRUCTURE.num_edges))
EXACT = IsingModel.from_parameters(STRUCTURE, PARAMETERS).exact()


@pytest.mark.parametrize("start_means", [None, EXACT.moments.spins])
def test_annealed_importance_sampling_brackets_the_exact_value(start_means):
    estimate = log_partition(STRUCTURE, PARAMETERS, num_runs=500, num_steps=1000, start_means=start_means, seed=1)
    assert "annealed importance" in estimate.method
    assert 0 < estimate.standard_error < 0.05
    assert abs(estimate.value - EXACT.log_z) < 5 * estimate.standard_error  # false alarm 6e-7
    wrong = log_partition(STRUCTURE, PARAMETERS._replace(fields=PARAMETERS.fields + 0.05), num_runs=500, seed=1)
    assert abs(wrong.value - EXACT.log_z) > 5 * wrong.standard_error


def test_standard_error_is_honest():
    runs = [log_partition(STRUCTURE, PARAMETERS, num_runs=50, num_steps=100, seed=s) for s in range(100)]
    z = np.array([(run.value - EXACT.log_z) / run.standard_error for run in runs])
    assert abs(z.mean()) < 0.7  # bias of the logarithm included
    assert 0.6 < z.std() < 1.6


def test_few_variables_are_enumerated():
    structure = Structure.complete(5)
    estimate = log_partition(structure, structure.zeros())
    assert estimate == (pytest.approx(5 * np.log(2)), 0.0, "enumeration")
    assert likelihood.EXACT_UP_TO < 18


def test_likelihood_gradient_equals_finite_differences():
    structure = Structure(4, [[0, 1], [1, 2], [0, 3]])
    rng = np.random.default_rng(0)
    theta = rng.normal(size=7)
    spins = rng.choice([-1, 1], (30, 4))

    def mean_log_likelihood(t):
        p = Parameters(t[:4], t[4:])
        return (-structure.energies(p, spins)).mean() - log_partition(structure, p).value

    data = structure.moments_of(spins)
    model = IsingModel.from_parameters(structure, Parameters(theta[:4], theta[4:])).exact().moments
    gradient = np.concatenate([data.spins - model.spins, data.pairs - model.pairs])
    step = 1e-5 * np.eye(7)
    numeric = [(mean_log_likelihood(theta + d) - mean_log_likelihood(theta - d)) / 2e-5 for d in step]
    np.testing.assert_allclose(gradient, numeric, atol=1e-9)


def test_pseudo_log_likelihood_by_hand():
    structure = Structure.complete(3)
    p = Parameters(np.array([0.3, -0.2, 0.7]), np.array([0.5, -0.4, 0.9]))
    spins = np.array([[1, -1, 1], [1, 1, -1]])
    by_hand = []
    for s in spins:
        total = 0.0
        for i in range(3):
            flipped = s.copy()
            flipped[i] *= -1
            e, f = structure.energies(p, np.array([s, flipped]))
            total += -np.log1p(np.exp(e - f))
        by_hand.append(total)
    np.testing.assert_allclose(pseudo_log_likelihood(structure, p, spins), by_hand, atol=1e-12)


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.5])
def test_effective_beta_is_recovered(beta):
    structure = Structure.complete(8)
    rng = np.random.default_rng(1)
    p = Parameters(rng.normal(0, 0.3, 8), rng.normal(0, 0.3, 28))
    compiled = ExactSampler().compile(structure, beta=beta)
    reads = compiled.step(p, compiled.init(5000, 3)).spins
    found, error = effective_beta(structure, p, reads)
    assert 0 < error < 0.05 * max(1, beta)
    assert abs(found - beta) < 5 * error
    assert abs(found - 1.3 * beta) > 5 * error


def test_effective_beta_does_not_depend_on_the_scale():
    structure = Structure.complete(3)
    p = Parameters(np.array([0.3, -0.2, 0.1]), np.array([0.5, 0.4, -0.3]))
    compiled = ExactSampler().compile(structure)
    reads = compiled.step(p, compiled.init(500, 3)).spins
    small = Parameters(1e-4 * p.fields, 1e-4 * p.couplings)
    np.testing.assert_allclose(
        1e-4 * np.array(effective_beta(structure, small, reads)), effective_beta(structure, p, reads)
    )


def test_effective_beta_of_extreme_reads():
    structure = Structure.complete(2)
    p = Parameters(np.zeros(2), np.array([1.0]))
    assert effective_beta(structure, p, np.array([[1, 1]] * 5))[0] == np.inf
    assert effective_beta(structure, p, np.array([[1, -1]] * 5))[0] == 0.0
