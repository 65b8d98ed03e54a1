"""Free energies and likelihoods of rows, against sums over all states of the hidden units."""

import numpy as np
import pytest

from annealnn.learning import likelihood
from annealnn.learning.likelihood import (
    Estimate,
    estimate_free_energies,
    free_energies,
    log_likelihood,
    log_partition,
    pseudo_log_likelihood,
)
from annealnn.models import Parameters, Structure
from annealnn.models._exact import basis_spins

NUM_VISIBLE, NUM_HIDDEN = 4, 6
_EVERY = Structure.complete(NUM_VISIBLE + NUM_HIDDEN).edges
_SEEN = (_EVERY < NUM_VISIBLE).sum(axis=1)
# edges between visible and hidden units; visible ones coupled as well; hidden ones in a path, in two parts; all
GRAPHS = {
    "restricted": _EVERY[_SEEN == 1],
    "semi-restricted": _EVERY[_SEEN > 0],
    "sparse": _EVERY[_SEEN == 1][::7],
    "path": _EVERY[(_SEEN == 1) | ((_SEEN == 0) & (_EVERY[:, 1] - _EVERY[:, 0] == 1))],
    "two parts": _EVERY[(_SEEN == 1) | ((_SEEN == 0) & ((_EVERY[:, 0] < 7) == (_EVERY[:, 1] < 7)))],
    "complete": _EVERY,
}


def machine(name, seed=0):
    structure, rng = Structure(NUM_VISIBLE + NUM_HIDDEN, GRAPHS[name]), np.random.default_rng(seed)
    return structure, Parameters(rng.normal(0.2, 0.6, 10), rng.normal(0.1, 0.5, structure.num_edges))


def summed_free_energies(structure, parameters, rows):
    """Return F by summing over all states of the hidden units."""
    num_hidden = structure.num_variables - rows.shape[1]
    hidden = basis_spins(num_hidden)
    whole = np.hstack([np.repeat(rows, len(hidden), axis=0), np.tile(hidden, (len(rows), 1))])
    return -np.logaddexp.reduce(-structure.energies(parameters, whole).reshape(len(rows), -1), axis=1)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("most_numbers", [2**20, 50], ids=["at once", "in chunks"])
def test_free_energies_equal_sums(name, most_numbers, monkeypatch):
    monkeypatch.setattr(likelihood._hidden, "_MOST_NUMBERS", most_numbers)
    structure, parameters = machine(name)
    rows = basis_spins(NUM_VISIBLE)
    want = summed_free_energies(structure, parameters, rows)
    np.testing.assert_allclose(free_energies(structure, parameters, rows), want, rtol=1e-12)


@pytest.mark.parametrize("name", GRAPHS)
def test_likelihoods_of_all_rows_sum_to_one(name):
    structure, parameters = machine(name)
    found = log_likelihood(structure, parameters, basis_spins(NUM_VISIBLE))
    assert np.exp(found.values).sum() == pytest.approx(1, rel=1e-12)
    by = "closed form" if "res" in name or name == "sparse" else "tree decomposition"
    assert found.method == f"free energies: {by}; ln Z: enumeration"
    assert found.mean() == Estimate(pytest.approx(found.values.mean()), 0.0, found.method)


def test_a_machine_of_visible_units_needs_no_sum():
    structure, parameters = machine("complete")
    rows = basis_spins(10)
    np.testing.assert_allclose(free_energies(structure, parameters, rows), structure.energies(parameters, rows))
    assert np.exp(log_likelihood(structure, parameters, rows).values).sum() == pytest.approx(1, rel=1e-12)
    assert estimate_free_energies(structure, parameters, rows[:3]).values == pytest.approx(
        structure.energies(parameters, rows[:3])
    )


@pytest.mark.parametrize("name", ["restricted", "path", "complete"])
def test_estimated_free_energies_agree(name):
    structure, parameters = machine(name)
    parameters = parameters._replace(couplings=1.5 * parameters.couplings)
    rows = np.random.default_rng(1).choice(np.array([-1, 1]), (70, NUM_VISIBLE))  # rows share tiles of runs
    want = summed_free_energies(structure, parameters, rows)
    found = estimate_free_energies(structure, parameters, rows, num_runs=50, num_steps=60, seed=2)
    if name == "restricted":
        # there is nothing to estimate
        np.testing.assert_allclose(found.values, want, rtol=1e-12)
        assert found.method == "closed form"
        assert not found.standard_errors.any()
        return
    z = (found.values - want) / found.standard_errors
    # false alarm 6e-7; the bias of the logarithm, half a squared error, is far below
    assert found.standard_errors.max() < 0.2
    assert abs(z.mean()) < 5 / len(z) ** 0.5
    assert 0.6 < z.std() < 1.5
    wrong = summed_free_energies(structure, parameters._replace(couplings=1.4 * parameters.couplings), rows)
    assert ((found.values - wrong) / found.standard_errors).std() > 2


def test_errors_of_rows_and_of_ln_z_are_kept_apart(monkeypatch):
    monkeypatch.setattr(likelihood._partition, "EXACT_UP_TO", 0)
    monkeypatch.setattr(likelihood._partition, "EXACT_WIDTH", 2)
    monkeypatch.setattr(likelihood._hidden, "EXACT_ROW_WIDTH", 2)
    structure, parameters = machine("complete")
    rows = basis_spins(NUM_VISIBLE)
    with pytest.raises(ValueError, match=r"width at most .*; got Structure\(6 variables, 15 edges\)"):
        free_energies(structure, parameters, rows)
    with pytest.raises(ValueError, match="exact sums reach 0 variables"):
        log_likelihood(structure, parameters, rows, exact=True)
    found = log_likelihood(structure, parameters, rows, num_runs=400, num_steps=100, num_row_runs=20, num_row_steps=40)
    assert found.method.count("annealed importance sampling") == 2
    log_z = log_partition(structure, parameters, num_runs=400, num_steps=100, seed=1)
    assert (found.standard_errors > 0).all()
    assert found.common_error == pytest.approx(log_z.standard_error, rel=0.3)
    mean = found.mean()
    assert found.common_error < mean.standard_error < found.common_error + found.standard_errors.mean() / 4 + 1e-12
    assert np.exp(found.values).sum() == pytest.approx(1, abs=5 * mean.standard_error)
    given = log_likelihood(structure, parameters, rows, log_z=Estimate(1.0, 0.5, "by hand"), num_row_runs=20)
    assert given.common_error == 0.5
    assert given.method.endswith("ln Z: by hand")


def test_runs_may_be_asked_for_where_sums_are_exact():
    structure, parameters = machine("complete")
    rows = basis_spins(NUM_VISIBLE)
    options = {"num_runs": 400, "num_steps": 100, "num_row_runs": 50, "num_row_steps": 50}
    found = log_likelihood(structure, parameters, rows, exact=False, **options).mean()
    assert found.method.count("annealed importance sampling") == 2
    assert abs(found.value - log_likelihood(structure, parameters, rows).mean().value) < 5 * found.standard_error


@pytest.mark.parametrize("name", GRAPHS)
def test_pseudo_log_likelihood_equals_conditionals(name):
    structure, parameters = machine(name)
    rows = basis_spins(NUM_VISIBLE)
    log_p = log_likelihood(structure, parameters, rows).values
    want = np.zeros(len(rows))
    for i in range(NUM_VISIBLE):
        other = np.arange(len(rows)) ^ (1 << (NUM_VISIBLE - 1 - i))
        want += log_p - np.logaddexp(log_p, log_p[other])
    np.testing.assert_allclose(pseudo_log_likelihood(structure, parameters, rows), want, rtol=1e-11)


def test_strong_couplings_lose_no_digits():
    structure = Structure(3, [[0, 2], [1, 2]])
    parameters = Parameters(np.zeros(3), np.array([400.0, 300.0]))
    rows = np.array([[1, 1], [1, -1]])
    np.testing.assert_allclose(free_energies(structure, parameters, rows), [-700.0, -100.0])
    np.testing.assert_allclose(pseudo_log_likelihood(structure, parameters, rows), [0, -1200.0], atol=1e-12)


def test_rows_are_checked():
    structure, parameters = machine("restricted")
    for ask in (free_energies, estimate_free_energies, log_likelihood, pseudo_log_likelihood):
        with pytest.raises(ValueError, match=r"spins, -1 or \+1; got 0"):
            ask(structure, parameters, np.zeros((3, NUM_VISIBLE)))
        with pytest.raises(ValueError, match=r"1 to 10 of them; got 11"):
            ask(structure, parameters, np.ones((3, 11)))
        with pytest.raises(ValueError, match=r"shape \(num_rows, num_visible\); got shape \(4,\)"):
            ask(structure, parameters, np.ones(NUM_VISIBLE))
        with pytest.raises(ValueError, match=r"at least one, .* got shape \(0, 4\)"):
            ask(structure, parameters, np.ones((0, NUM_VISIBLE)))
