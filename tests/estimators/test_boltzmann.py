"""What the fully visible machine learns."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from annealnn import BoltzmannMachine, SamplerSpec
from annealnn.models import IsingModel, Structure, bits_to_spins


def test_it_finds_the_maximum_likelihood_of_small_data(mixture):
    machine = BoltzmannMachine(sampler="exact", n_particles=1, n_iter=1500, learning_rate=0.3, random_state=0).fit(
        mixture
    )
    data = Structure.complete(6).moments_of(bits_to_spins(mixture))
    exact = machine.model_.exact().moments
    np.testing.assert_allclose(exact.spins, data.spins, atol=1e-5)
    np.testing.assert_allclose(exact.pairs, data.pairs, atol=1e-5)
    by_hand = -machine.model_.energy(bits_to_spins(mixture)) - machine.model_.exact().log_z
    np.testing.assert_allclose(machine.score_samples(mixture), by_hand, atol=1e-9)


NEAL = SamplerSpec("neal", {"num_sweeps": 30, "beta_range": (0.1, 1.0), "proposal_acceptance_criteria": "Gibbs"})


@pytest.mark.parametrize("sampler", [None, "anneal", NEAL], ids=["gibbs", "anneal", "neal"])
def test_samplers_come_near_it(mixture, sampler):
    best = BoltzmannMachine(sampler="exact", n_particles=1, n_iter=1500, learning_rate=0.3).fit(mixture).score(mixture)
    n_iter = 150 if sampler is NEAL else 300
    machine = BoltzmannMachine(sampler=sampler, n_particles=1000, n_iter=n_iter, learning_rate=0.1, random_state=0).fit(
        mixture
    )
    assert best - 0.02 < machine.score(mixture) <= best + 1e-9
    untrained = IsingModel(np.zeros(6), np.zeros((6, 6)))
    assert best > -untrained.exact().log_z + 0.5


def test_an_annealer_by_name_learns_at_a_fixed_temperature(mixture):
    by_name = BoltzmannMachine(sampler="neal", n_particles=300, n_iter=80, learning_rate=0.1, random_state=0).fit(
        mixture
    )
    untrained = -6 * np.log(2)
    assert by_name.score(mixture) > untrained + 0.5


def test_sparse_graph_is_kept(mixture):
    ring = [(k, (k + 1) % 6) for k in range(6)]
    machine = BoltzmannMachine(ring, sampler="exact", n_particles=1, n_iter=500, learning_rate=0.3).fit(mixture)
    assert machine.model_.structure.num_edges == 6
    complete = BoltzmannMachine(sampler="exact", n_particles=1, n_iter=1500, learning_rate=0.3).fit(mixture)
    assert machine.score(mixture) < complete.score(mixture)


def test_reconstruction_is_the_conditional(bars):
    X, _ = bars
    machine = BoltzmannMachine(sampler="exact", n_particles=1, n_iter=300, learning_rate=0.2, random_state=0).fit(X)
    known = np.arange(9) < 6
    found = machine.reconstruct_proba(X[3:5], known, n_reads=20_000)
    rest = ((np.arange(8)[:, None] >> np.arange(3)) & 1).astype(np.int8)
    for row, p in zip(X[3:5], found, strict=True):
        rows = np.hstack([np.tile(row[:6], (8, 1)), rest])
        weights = np.exp(machine.score_samples(rows))
        np.testing.assert_allclose(p[6:], weights @ rest / weights.sum(), atol=0.02)  # 5.6 standard errors


@pytest.fixture(scope="module")
def optdigits_machine(optdigits46):
    return BoltzmannMachine(n_iter=1000, random_state=0).fit(optdigits46.X, optdigits46.y)


def test_optdigits_likelihood_and_accuracy(optdigits46, optdigits_machine):
    _, _, X_test, y_test = optdigits46
    assert optdigits_machine.log_partition_.standard_error < 0.03
    assert optdigits_machine.score(X_test, y_test) > -14.65
    assert accuracy_score(y_test, optdigits_machine.predict(X_test)) >= 0.945


def test_optdigits_check_has_teeth(optdigits46):
    X, y, X_test, y_test = optdigits46
    shuffled = BoltzmannMachine(n_iter=200, random_state=0).fit(X, np.random.default_rng(0).permutation(y))
    assert accuracy_score(y_test, shuffled.predict(X_test)) < 0.5
    few = BoltzmannMachine(n_iter=50, random_state=0).fit(X, y)
    assert few.score(X_test, y_test) < -14.65
