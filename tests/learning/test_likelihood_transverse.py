"""Likelihoods under a transverse field, against the system of as many slices and against diagonalisation."""

import numpy as np
import pytest

from annealnn import IsingModel, TransverseIsing
from annealnn.learning.likelihood import (
    Estimate,
    log_likelihood,
    log_partition,
    transverse_log_likelihood,
    transverse_log_partition,
)
from annealnn.models import Parameters, Structure
from annealnn.models._exact import basis_energies, basis_spins


def machine(num_variables, seed=0):
    """Return a Sherrington-Kirkpatrick problem with fields."""
    structure, rng = Structure.complete(num_variables), np.random.default_rng(seed)
    couplings = rng.normal(0, num_variables**-0.5, structure.num_edges)
    return structure, Parameters(rng.normal(0, 0.5, num_variables), couplings)


def sliced(structure, parameters, gammas, num_slices, num_visible):
    """Return ln Z and ln P of all visible rows, of the system of `num_slices` slices, by products of matrices."""
    hop = np.ones((1, 1))
    for gamma in gammas / num_slices:
        hop = np.kron(hop, [[np.cosh(gamma), np.sinh(gamma)], [np.sinh(gamma), np.cosh(gamma)]])
    slice_ = np.exp(-basis_energies(structure, parameters) / num_slices)[:, None] * hop
    diagonal = np.diag(np.linalg.matrix_power(slice_, num_slices))
    return np.log(diagonal.sum()), np.log(diagonal.reshape(2**num_visible, -1).sum(axis=1) / diagonal.sum())


CASES = [(4, 0.5, 4, 3), (7, 2.0, 8, 5), (10, 1.0, 16, 10), (6, "mixed", 5, 4)]


@pytest.mark.parametrize(("num_variables", "gamma", "num_slices", "num_visible"), CASES)
def test_runs_agree_with_the_sliced_system(num_variables, gamma, num_slices, num_visible):
    structure, parameters = machine(num_variables)
    gammas = np.linspace(0, 2, num_variables) if gamma == "mixed" else np.full(num_variables, gamma)
    log_z, log_p = sliced(structure, parameters, gammas, num_slices, num_visible)
    options = {"num_slices": num_slices, "exact": False, "start_means": np.linspace(-0.6, 0.9, num_variables)}
    found = transverse_log_partition(structure, parameters, gammas, num_runs=500, num_steps=200, seed=1, **options)
    # false alarm 6e-7
    assert 0 < found.standard_error < 0.05
    assert abs(found.value - log_z) < 5 * found.standard_error
    which = np.random.default_rng(3).choice(2**num_visible, min(64, 2**num_visible), replace=False)
    rows = transverse_log_likelihood(
        structure, parameters, gammas, basis_spins(num_visible)[which], log_z=Estimate(log_z, 0.0, "exact"),
        num_row_runs=64, num_row_steps=100, seed=2, **options,
    )  # fmt: skip
    z = (rows.values - log_p[which]) / rows.standard_errors
    assert rows.standard_errors.max() < 0.1
    assert abs(z.mean()) < 5 / len(z) ** 0.5
    assert 0.5 < z.std() < 1.6
    # as it must not with another field
    other, wrong = sliced(structure, parameters, gammas + 0.4, num_slices, num_visible)
    assert abs(found.value - other) > 5 * found.standard_error
    assert np.abs((rows.values - wrong[which]) / rows.standard_errors).mean() > 1.5


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_the_error_of_slices_falls_by_four_as_they_double(gamma):
    structure, parameters = machine(6)
    gammas, rows = np.full(6, gamma), basis_spins(4)
    exact = transverse_log_likelihood(structure, parameters, gamma, rows)
    assert exact.method == "diagonalisation"
    assert np.exp(exact.values).sum() == pytest.approx(1, rel=1e-12)
    log_z = transverse_log_partition(structure, parameters, gamma).value
    by_matrix = TransverseIsing.of(IsingModel.from_parameters(structure, parameters), gammas).exact()
    assert log_z == by_matrix.log_z
    errors = np.array(
        [
            np.append(*reversed([np.abs(part - want) for part, want in zip(found, (log_z, exact.values), strict=True)]))
            for found in (sliced(structure, parameters, gammas, m, 4) for m in (16, 32, 64))
        ]
    )
    ratios = errors[:-1].sum(axis=1) / errors[1:].sum(axis=1)
    np.testing.assert_allclose(ratios, 4.0, atol=0.1)
    # and runs come near to what slices leave
    found = transverse_log_likelihood(
        structure, parameters, gamma, rows, exact=False, num_slices=32, num_steps=200, num_row_runs=64
    )
    mean = found.mean()
    assert abs(mean.value - exact.values.mean()) < 5 * mean.standard_error + errors[1].mean()


@pytest.mark.parametrize("num_visible", [4, 6])
def test_no_field_is_the_classical_machine(num_visible):
    structure, parameters = machine(6)
    rows = basis_spins(num_visible)
    classical = log_likelihood(structure, parameters, rows)
    log_z = log_partition(structure, parameters)
    assert transverse_log_partition(structure, parameters, 0.0) == log_z
    np.testing.assert_array_equal(transverse_log_likelihood(structure, parameters, 0.0, rows).values, classical.values)
    runs = transverse_log_likelihood(structure, parameters, 0.0, rows, exact=False, log_z=log_z, num_row_runs=100)
    if num_visible == 6:
        # every worldline is pinned and straight
        np.testing.assert_allclose(runs.values, classical.values, atol=1e-4)
    else:
        z = (runs.values - classical.values) / runs.standard_errors
        assert abs(z.mean()) < 5 / len(z) ** 0.5
    # a field that hardly acts changes hardly anything
    weak = transverse_log_likelihood(structure, parameters, 1e-6, rows)
    np.testing.assert_allclose(weak.values, classical.values, atol=1e-6)


def test_free_spins_under_a_field_have_no_error():
    structure = Structure(12, np.zeros((0, 2), int))
    fields, gammas = np.linspace(-1, 1, 12), np.linspace(0, 2, 12)
    parameters, d = Parameters(fields, np.zeros(0)), np.hypot(fields, gammas)
    means = fields / d * np.tanh(d)
    options = {"num_slices": 256, "start_means": means, "num_runs": 8, "num_steps": 4}
    found = transverse_log_partition(structure, parameters, gammas, **options)
    # runs start where they end: the start has these means
    assert found.value == pytest.approx(np.log(2 * np.cosh(d)).sum(), abs=1e-3)
    assert found.standard_error < 1e-3
    rows = np.array([[1] * 12, [-1] * 12])
    likelihoods = transverse_log_likelihood(structure, parameters, gammas, rows, num_row_steps=4, **options)
    np.testing.assert_allclose(likelihoods.values, np.log((1 + rows * means) / 2).sum(axis=1), atol=2e-3)


def test_what_cannot_be_done_is_said():
    structure, parameters = machine(12)
    with pytest.raises(ValueError, match="diagonalisation reaches 10 variables here; got 12"):
        transverse_log_partition(structure, parameters, 1.0, exact=True)
    with pytest.raises(ValueError, match="diagonalisation reaches 10 variables here; got 12"):
        transverse_log_likelihood(structure, parameters, 1.0, np.ones((1, 12)), exact=True)
    with pytest.raises(ValueError, match="transverse field is finite and at least 0; got -1"):
        transverse_log_partition(structure, parameters, -1.0)
    with pytest.raises(ValueError, match="num_slices is a whole number of at least 2; got 1"):
        transverse_log_partition(structure, parameters, 1.0, num_slices=1)
