"""Semi-quantum restricted machines as estimators, against enumeration."""

import pickle

import numpy as np
import pytest
from scipy.special import entr

from annealnn import RestrictedBoltzmannMachine, SemiQuantumRestrictedBoltzmannMachine
from annealnn.estimators import to_graph_rbm
from annealnn.experiments.quantum import mixture_distribution
from annealnn.learning.quantum import (
    CompiledSemiQuantum,
    _training,
    fit_semi_quantum_machine,
    semi_quantum_log_partition,
    semi_quantum_log_probabilities,
    semi_quantum_moments,
    semi_quantum_structure,
    visible_distribution,
)
from annealnn.learning.quantum._semi_quantum import semi_quantum_hidden_means
from annealnn.models import Clamp, Parameters, bits_to_spins, spins_to_bits
from annealnn.models._exact import basis_spins
from annealnn.testing._statistics import chi_square_pvalue

pytestmark = pytest.mark.usefixtures("one_blas_thread")

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed
QUICK = {"n_particles": 100, "n_iter": 20, "learning_rate": 0.1, "progress": False, "random_state": 0}
EVERY = spins_to_bits(basis_spins(5))


@pytest.fixture(scope="module")
def data():
    """Rows of 5 bits, and labels: what their first two bits are."""
    q = mixture_distribution(5, 2)
    rows = np.repeat(EVERY, np.round(500 * q).astype(int), axis=0)
    return rows, np.array(["none", "one", "two"])[rows[:, :2].sum(axis=1)]


@pytest.fixture(scope="module")
def machine(data):
    return SemiQuantumRestrictedBoltzmannMachine(2, weight_scale=0.3, **QUICK | {"n_iter": 60}).fit(data[0])


def random_parameters(num_visible, num_hidden, num_paulis, scale, seed=0):
    rng = np.random.default_rng(seed)
    structure = semi_quantum_structure(num_visible, num_hidden, num_paulis)
    return structure, Parameters(
        rng.normal(0, scale, structure.num_variables), rng.normal(0, scale, structure.num_edges)
    )


def test_one_pauli_is_the_restricted_machine(data):
    X, y = data
    own = SemiQuantumRestrictedBoltzmannMachine(3, n_paulis=1, weight_scale=0.5, **QUICK).fit(X, y)
    classical = RestrictedBoltzmannMachine(3, random_state=0, progress=False)
    classical._set_fitted(5, own._parameters, own.classes_)
    np.testing.assert_array_equal(classical.structure_.edges, own.structure_.edges)
    for of in (
        lambda m: m.score_samples(X, y),
        lambda m: m.score_samples(EVERY),
        lambda m: m.predict_proba(EVERY),
        lambda m: m.transform(EVERY),
        lambda m: m.log_partition_.value,
    ):
        np.testing.assert_allclose(of(own), of(classical), rtol=1e-9, atol=1e-12)
    assert np.ptp(own.predict_proba(EVERY)) > 0.5


def test_three_paulis_do_what_one_cannot(data):
    X, _ = data
    q = visible_distribution(bits_to_spins(X))
    best = {p: -min(fit_semi_quantum_machine(q, 1, num_paulis=p, seed=seed).loss for seed in range(6)) for p in (1, 3)}
    assert -entr(q).sum() > best[3] > best[1] + 0.1
    training = QUICK | {
        "n_particles": 500, "n_iter": 300, "learning_rate": 0.3, "batch_size": None, "average": 0.2, "weight_scale": 0.3
    }  # fmt: skip
    found = {p: SemiQuantumRestrictedBoltzmannMachine(1, n_paulis=p, **training).fit(X).score(X) for p in (1, 3)}
    assert best[1] - 2e-3 < found[1] <= best[1] + 1e-9
    # the best three Paulis have weights that grow without end
    assert best[3] - 0.04 < found[3] <= best[3] + 1e-9


def test_likelihoods_are_those_of_the_closed_form(machine):
    log_p = semi_quantum_log_probabilities(machine.model_)
    np.testing.assert_allclose(machine.score_samples(EVERY), log_p, rtol=1e-9)
    assert machine.log_partition_.method == "enumeration"
    drawn = visible_distribution(bits_to_spins(machine.sample(4000))) * 4000
    assert chi_square_pvalue(drawn, np.exp(log_p) * 4000) > FALSE_ALARM
    one = machine.model_
    wrong = one._replace(hidden_fields=one.hidden_fields * [[1], [1], [0]], weights=one.weights * [[[1]], [[1]], [[0]]])
    assert chi_square_pvalue(drawn, np.exp(semi_quantum_log_probabilities(wrong)) * 4000) < FALSE_ALARM


def test_class_units_are_visible_ones(data):
    X, y = data
    machine = SemiQuantumRestrictedBoltzmannMachine(3, weight_scale=0.3, **QUICK | {"n_iter": 80}).fit(X, y)
    p = np.exp(semi_quantum_log_probabilities(machine.model_)).reshape(32, 2, 2, 2)
    # digit 0 is spin +1: the unit of a class is on, the others' off
    alone = np.stack([p[:, 0, 1, 1], p[:, 1, 0, 1], p[:, 1, 1, 0]], axis=1)
    np.testing.assert_allclose(machine.predict_proba(EVERY), alone / alone.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(machine.score_samples(EVERY), np.log(p.sum(axis=(1, 2, 3))), rtol=1e-9)
    assert (machine.predict(X) == y).mean() > 0.95


def test_transform_gives_every_pauli_of_every_hidden_unit(machine):
    found = machine.transform(EVERY)
    assert found.shape == (32, 6)
    field = machine.model_.hidden_fields[:, None] + basis_spins(5) @ machine.model_.weights
    size = np.sqrt((field**2).sum(axis=0))
    for pauli in range(3):
        for j in range(2):
            mean = field[pauli, :, j] / size[:, j] * np.tanh(size[:, j])
            np.testing.assert_allclose(found[:, 2 * pauli + j], 0.5 * (1 + mean), rtol=1e-9)
    # their means over rows are the moments of the positive phase
    means = semi_quantum_hidden_means(machine.model_, basis_spins(5)).mean(axis=1)
    np.testing.assert_allclose(means, semi_quantum_moments(machine.model_, basis_spins(5)).hidden_fields, atol=1e-12)


def test_log_partition_by_annealing_agrees_with_enumeration(monkeypatch):
    """Over 20 machines: each within 5 standard errors (false alarm 1.2e-5 in all), their z of variance about 1."""
    exact, found, off = [], [], []
    for seed in range(20):
        own = _training.semi_quantum_parameters(random_parameters(6, 3, 3, 0.6, seed)[1], 6, 3)
        exact.append(semi_quantum_log_partition(own).value)
        with monkeypatch.context() as patched:
            patched.setattr(_training, "MAX_ENUMERATED_VISIBLE", 5)
            found.append(semi_quantum_log_partition(own, num_runs=200, num_steps=60, seed=seed))
        off.append(semi_quantum_log_partition(own._replace(weights=1.1 * own.weights)).value)
    values, errors = np.array([(f.value, f.standard_error) for f in found]).T
    assert found[0].method == "annealed importance sampling, 200 runs x 60 steps"
    assert (errors > 0).all()
    assert errors.max() < 0.1
    z = (values - exact) / errors
    assert np.abs(z).max() < 5
    assert 0.4 < (z**2).mean() < 2.2
    assert ((values - off) ** 2 / errors**2).mean() > 5


def test_held_spins_are_held():
    structure, parameters = random_parameters(5, 2, 3, 0.7)
    compiled = CompiledSemiQuantum(structure, 5, 3, num_sweeps=2)
    rng = np.random.default_rng(0)
    values = rng.choice(np.array([-1, 1], np.int8), (40, 2))
    known = rng.random((40, 2)) < 0.5
    start = compiled.init(40, seed=1)
    before = start.spins.copy()
    for mask in (None, known):
        clamp = Clamp(np.array([3, 1]), values, mask)
        after = compiled.advance(parameters, start, 5, clamp).spins
        held = np.ones_like(known) if mask is None else mask
        np.testing.assert_array_equal(after[:, [3, 1]][held], values[held])
        assert (after[:, [0, 2, 4]] != before[:, [0, 2, 4]]).any(axis=0).all()
    assert (after[:, [3, 1]] != values)[~known].any()
    np.testing.assert_array_equal(start.spins, before)


def test_reconstruct_is_the_conditional(machine):
    p = np.exp(semi_quantum_log_probabilities(machine.model_))
    row, known = np.array([1, 0, 0, 1, 0]), np.array([True, False, True, False, False])
    fits = (EVERY[:, known] == row[known]).all(axis=1)
    wanted = p[fits] @ EVERY[fits] / p[fits].sum()
    n = 4000
    found = machine.reconstruct_proba(row[None], known, n_reads=n)[0]
    np.testing.assert_array_equal(found[known], row[known])
    # 3 bits within 5.5 standard errors: false alarm 1e-7
    slack = 5.5 * np.sqrt(wanted * (1 - wanted) / n)[~known]
    assert (np.abs(found - wanted)[~known] < slack).all()
    marginal = p @ EVERY
    assert not (np.abs(found - marginal)[~known] < slack).all()


def test_a_pickled_machine_goes_on(machine, data):
    restored = pickle.loads(pickle.dumps(machine))
    np.testing.assert_array_equal(restored.sample(9), machine.sample(9))
    a, b = restored.partial_fit(data[0]).model_, pickle.loads(pickle.dumps(machine)).partial_fit(data[0]).model_
    np.testing.assert_equal(a, b)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"n_paulis": 4}, r"n_paulis is one of 1, 2, 3; got 4"),
        ({"n_paulis": 0}, "got 0"),
        ({"n_components": 0}, "n_components is a whole number of at least 1; got 0"),
        ({"n_sweeps": 0}, "n_sweeps is a whole number of at least 1; got 0"),
        ({"n_particles": 0}, "n_particles is a whole number of at least 1; got 0"),
    ],
)
def test_bad_arguments_say_the_rule(data, keywords, says):
    with pytest.raises(ValueError, match=says):
        SemiQuantumRestrictedBoltzmannMachine(**QUICK | keywords).fit(data[0])


def test_it_is_no_graph_rbm(machine):
    with pytest.raises(ValueError, match=r"is classical; got SemiQuantumRestrictedBoltzmannMachine"):
        to_graph_rbm(machine)
