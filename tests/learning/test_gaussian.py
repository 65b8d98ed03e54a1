"""The mathematics of real visible units: densities, gradients, coordinates, completions, all against brute force."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from annealnn.learning import GaussianParameters
from annealnn.learning._gaussian import (
    centred_coordinates,
    centred_gradient,
    exact_completions,
    gaussian_free_energies,
    gaussian_gradient,
    hidden_parameters,
    hidden_states,
    negative_statistics,
    plain_coordinates,
    positive_statistics,
    sampled_completions,
    visible_means,
)
from annealnn.models import Moments, Structure
from annealnn.testing import FALSE_ALARM


@pytest.fixture(scope="module")
def machine():
    """5 visible and 3 hidden units, nothing symmetric."""
    rng = np.random.default_rng(0)
    return GaussianParameters(
        rng.normal(2.0, 1.0, 5), rng.normal(size=3), 0.7 * rng.normal(size=(5, 3)), 0.5 * rng.normal(size=5)
    )


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(1).normal(1.0, 1.5, (7, 5))


def log_z(parameters):
    hidden, constant = hidden_parameters(parameters)
    return constant + logsumexp(-Structure.complete(3).energies(hidden, hidden_states(3)))


def mixture_of(parameters):
    """Weights (8,) and means (8, 5) of the mixture of normal distributions that the machine is, by its definition."""
    a, b, W, z = parameters
    states = hidden_states(3)
    # E(v, h) at its minimum over v, with v's normal integral left out of all settings alike
    least = a + states @ W.T
    energies = 0.5 * (least - a) ** 2 @ np.exp(-z) - states @ b - ((least * np.exp(-z)) @ W * states).sum(axis=1)
    return np.exp(-energies - logsumexp(-energies)), least


def moments_of(parameters):
    weights, _ = mixture_of(parameters)
    states = hidden_states(3)
    products = (states.T * weights) @ states
    return Moments(weights @ states, products[np.triu_indices(3, 1)])


def differences(function, parameters):
    """Fourth-order central differences by every entry."""
    out = []
    for part, values in enumerate(parameters):
        slope = np.empty(values.shape)
        for at in np.ndindex(values.shape):

            def moved(step, part=part, at=at):
                parts = [array.copy() for array in parameters]
                parts[part][at] += step
                return function(GaussianParameters(*parts))

            h = 1e-3
            slope[at] = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
        out.append(slope)
    return out


def test_density_is_that_of_the_mixture(machine, rows):
    weights, means = mixture_of(machine)
    log_normals = norm.logpdf(rows[:, None], means, np.exp(0.5 * machine.log_variances)).sum(axis=2)
    expected = logsumexp(np.log(weights) + log_normals, axis=1)
    np.testing.assert_allclose(-gaussian_free_energies(machine, rows) - log_z(machine), expected, atol=1e-10)


def gradient_at(parameters, rows):
    exact = moments_of(parameters)
    return gaussian_gradient(positive_statistics(parameters, rows), negative_statistics(parameters, exact))


def mean_log_likelihood(parameters, rows):
    return float(-gaussian_free_energies(parameters, rows).mean() - log_z(parameters))


def test_gradient_equals_finite_differences(machine, rows):
    found = gradient_at(machine, rows)
    for part, expected in zip(found, differences(lambda p: mean_log_likelihood(p, rows), machine), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-8)


def test_centred_gradient_equals_finite_differences(machine, rows):
    mu, lam = np.random.default_rng(2).normal(size=5), np.array([0.3, -0.5, 0.1])
    centred = centred_coordinates(machine, mu, lam)
    for there, back in zip(machine, plain_coordinates(centred, mu, lam), strict=True):
        np.testing.assert_allclose(back, there, atol=1e-14)
    found = centred_gradient(machine, gradient_at(machine, rows), mu, lam)
    by_hand = differences(lambda p: mean_log_likelihood(plain_coordinates(p, mu, lam), rows), centred)
    for part, expected in zip(found, by_hand, strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-8)


def test_packed_parameters_come_back(machine):
    for there, back in zip(machine, GaussianParameters.unpacked(machine.packed(), 5), strict=True):
        np.testing.assert_array_equal(back, there)


def test_completions_are_conditional_means(machine, rows):
    known = np.random.default_rng(3).random(rows.shape) < 0.5
    known[0], known[1] = True, False
    weights, means = mixture_of(machine)
    log_normals = norm.logpdf(rows[:, None], means, np.exp(0.5 * machine.log_variances))
    logs = np.log(weights) + (log_normals * known[:, None]).sum(axis=2)
    posterior = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    expected = np.where(known, rows, posterior @ means)
    found = exact_completions(machine, np.where(known, rows, np.nan), known)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(expected[1], weights @ means)


def completion_pvalue(machine, rows, known, expected):
    """One chi-square over the unknown values: 40 groups of independent reads give each its own standard error."""
    given = np.where(known, rows, 0.0)
    groups = np.array(
        [sampled_completions(machine, given, known, num_reads=10, num_sweeps=60, seed=k) for k in range(40)]
    )
    errors = groups.std(axis=0, ddof=1)[~known] / np.sqrt(len(groups))
    z = np.abs((groups.mean(axis=0) - expected)[~known] / errors)
    # Bonferroni over values, each a normal test; 40 groups make the tails of t a little heavier
    return min(1.0, 2.0 * norm.sf(0.8 * z.max()) * z.size)


def test_sampled_completions_are_the_exact_ones(rows):
    rng = np.random.default_rng(4)
    mild = GaussianParameters(
        np.array([1.0, -2.0, 0.5, 0.0, 3.0]), np.zeros(3), 0.5 * rng.normal(size=(5, 3)), np.zeros(5)
    )
    mild = mild._replace(hidden=-(mild.visible * mild.precisions) @ mild.weights + [0.4, -0.2, 0.1])
    known = np.array([True, False, True, False, False]) & np.ones(rows.shape, bool)
    expected = exact_completions(mild, rows, known)
    assert completion_pvalue(mild, rows, known, expected) > FALSE_ALARM
    # the twin: the unconditional means
    assert (
        completion_pvalue(mild, rows, known, np.where(known, rows, visible_means(mild, np.zeros((1, 3))))) < FALSE_ALARM
    )
