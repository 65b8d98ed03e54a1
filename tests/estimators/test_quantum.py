"""Quantum Boltzmann machines as estimators, against diagonalisation. z-tests: 5 standard errors, false alarm 6e-7."""

import pickle

import numpy as np
import pytest
from scipy.special import entr
from sklearn.base import clone

from annealnn import QuantumBoltzmannMachine, SamplerSpec
from annealnn.estimators import _quantum, to_graph_rbm
from annealnn.exceptions import CheckpointError
from annealnn.experiments.quantum import MIXTURE_TARGETS, mixture_distribution
from annealnn.learning.likelihood import _transverse
from annealnn.learning.quantum import (
    QuantumParameters,
    bound_loss,
    exact_loss,
    fit_quantum_machine,
    pure_state_loss,
    visible_distribution,
    visible_probabilities,
)
from annealnn.models import Structure, bits_to_spins, spins_to_bits
from annealnn.models._exact import basis_spins
from annealnn.testing._statistics import chi_square_pvalue

pytestmark = pytest.mark.usefixtures("one_blas_thread")

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed
QUICK = {"n_iter": 20, "n_particles": 50, "num_slices": 4, "progress": False, "random_state": 0}
FITTED = {"n_iter": 5000, "progress": False, "random_state": 0}


def rows_of(distribution, num_rows):
    """Return rows of bits whose empirical distribution is this one to 1 / num_rows."""
    rows = spins_to_bits(basis_spins(int(np.log2(len(distribution)))))
    return np.repeat(rows, np.round(distribution * num_rows).astype(int), axis=0)


def parameters_of(machine):
    return QuantumParameters(*machine.model_.problem.parameters, machine.gamma_)


@pytest.fixture(scope="module")
def four():
    """The rows and the distribution of a mixture of 4 bits."""
    rows = rows_of(mixture_distribution(4, 1), 500)
    return rows, visible_distribution(bits_to_spins(rows))


LABELS = np.array(["a", "b"])


def labelled(rows):
    """Return the first three bits, and labels that the last one gives."""
    return rows[:, :3], LABELS[rows[:, 3]]


# -- fitted by diagonalisation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "divergence"),
    [
        ({"gamma": 0.0}, "classical"),
        ({"gamma": 2.0}, "bound"),
        ({"gamma": 0.5, "learn_gamma": True, "loss": "likelihood"}, "quantum"),
    ],
)
def test_mixtures_are_learned_as_well_as_the_table_says(keywords, divergence):
    q, target = mixture_distribution(6, 0), MIXTURE_TARGETS[6, 0]
    rows = rows_of(q, 20_000)
    machine = QuantumBoltzmannMachine(**keywords, **FITTED).fit(rows)
    assert -machine.score(rows) - entr(q).sum() == pytest.approx(getattr(target, divergence), abs=2e-3)
    assert machine.history_["slope"][0] < 1e-3
    if divergence == "quantum":
        np.testing.assert_allclose(machine.gamma_, target.gamma, atol=0.1)


LOSSES = {"bound": bound_loss, "likelihood": exact_loss, "relative-entropy": pure_state_loss}


@pytest.mark.parametrize(
    ("loss", "learn_gamma", "gamma", "n_hidden"),
    [
        ("bound", False, 1.5, 0),
        ("bound", False, [0.5, 1.0, 0.0, 2.0, 0.7, 0.1], 2),
        ("likelihood", True, 0.5, 2),
        ("likelihood", True, [0.2, 0.4, 0.6, 0.8], 0),
        ("relative-entropy", True, 1.0, 0),
    ],
)
def test_the_fit_is_that_of_the_loss(four, loss, learn_gamma, gamma, n_hidden):
    rows, q = four
    machine = QuantumBoltzmannMachine(
        loss=loss, learn_gamma=learn_gamma, gamma=gamma, n_hidden=n_hidden, weight_decay=0.01, **FITTED | {"n_iter": 60}
    ).fit(rows)
    found = fit_quantum_machine(
        machine.structure_, q, LOSSES[loss], gamma=gamma, learn_gamma=learn_gamma, weight_decay=0.01, max_iter=60,
        seed=machine._seed,
    )  # fmt: skip
    for ours, theirs in zip(parameters_of(machine), found.parameters, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert machine.history_["loss"] == [found.loss]
    assert machine.n_iter_ == found.num_evaluations
    assert (np.ptp(machine.gamma_) > 0) == (np.ndim(gamma) > 0)
    # hidden units are not coupled to each other
    assert (machine.structure_.edges[:, 0] < 4).all()


def test_rows_are_all_fitted_where_training_cannot_stop_early(four):
    machine = QuantumBoltzmannMachine(gamma=1.0, **QUICK)
    whole, early = machine.fit(four[0]).model_, clone(machine).set_params(early_stopping=True).fit(four[0]).model_
    assert whole == early


def test_what_is_drawn_has_the_transverse_fields_that_were_learned(four):
    rows, _ = four
    machine = QuantumBoltzmannMachine(gamma=2.0, learn_gamma=True, loss="likelihood", **FITTED | {"num_slices": 32})
    machine.fit(rows)
    assert machine.gamma_[0] < 0.5
    drawn = visible_distribution(bits_to_spins(machine.sample(4000))) * 4000
    expected = np.exp(machine.score_samples(spins_to_bits(basis_spins(4))))
    assert chi_square_pvalue(drawn, expected * 4000) > FALSE_ALARM
    at_start = visible_probabilities(
        machine.structure_, parameters_of(machine)._replace(gamma=np.full(4, 2.0)), num_visible=4
    )
    assert chi_square_pvalue(drawn, at_start * 4000) < FALSE_ALARM
    # and a copy goes on from them
    learned = machine.gamma_
    restored = pickle.loads(pickle.dumps(machine))
    np.testing.assert_array_equal(restored.partial_fit(rows).gamma_, learned)
    assert restored.model_ == machine.partial_fit(rows).model_


# -- trained by a sampler ----------------------------------------------------------------------------------------------

DESCENT = {
    "solver": "descent",
    "gamma": 1.5,
    "n_iter": 200,
    "n_particles": 1000,
    "learning_rate": 0.1,
    "average": 0.3,
    "progress": False,
    "random_state": 0,
}


def test_moments_of_the_path_integral_lead_to_the_minimum_of_the_bound(four):
    rows, q = four
    machine = QuantumBoltzmannMachine(**DESCENT).fit(rows)
    # who takes the moments of the classical machine for its own
    ignorant = QuantumBoltzmannMachine(**DESCENT | {"sampler": "gibbs"}).fit(rows)
    data = machine.structure_.moments_of(bits_to_spins(rows))
    least = fit_quantum_machine(machine.structure_, q, bound_loss, gamma=1.5).loss
    above, error = [], []
    for learned in (machine, ignorant):
        moments = learned.model_.exact().moments
        error.append(max(np.abs(ours - theirs).max() for ours, theirs in zip(moments, data, strict=True)))
        above.append(bound_loss(learned.structure_, parameters_of(learned), q)[0] - least)
    # one step's moments have a standard error of 0.032, the averaged 60 steps' less
    assert error[0] < 0.022
    assert error[1] > 0.1
    assert 0 <= above[0] < 2e-3
    assert above[1] > 0.02
    assert machine.score(rows) > ignorant.score(rows) + 0.02


@pytest.mark.parametrize("coupled", [False, True])
def test_hidden_units_are_trained_by_a_sampler(four, coupled):
    rows, q = four
    edges = Structure.complete(6).edges
    graph = edges[(edges[:, 0] < 4) & (edges[:, 1] >= 4)].tolist() + [[4, 5]] * coupled
    decay, structure, gamma = 0.06, Structure(6, graph), np.full(6, 1.5)
    machine = QuantumBoltzmannMachine(
        graph, n_hidden=2, weight_scale=0.2, weight_decay=decay, **DESCENT | {"learning_rate": 0.3}
    ).fit(rows)
    assert machine._learner.positive.draws == coupled
    fits = [
        fit_quantum_machine(structure, q, bound_loss, gamma=1.5, weight_decay=decay, seed=seed).loss
        for seed in range(3)
    ]
    start = bound_loss(structure, QuantumParameters(*structure.zeros(), gamma), q)[0]
    own = parameters_of(machine)
    found = bound_loss(structure, own, q)[0] + 0.5 * decay * (own.couplings**2).sum()
    assert found - min(fits) < 0.1 * (start - min(fits))


def test_a_path_integral_that_is_named_is_completed(four):
    rows, _ = four
    machine = QuantumBoltzmannMachine(solver="descent", gamma=1.3, **QUICK).fit(rows)
    for sampler in ("path-integral", SamplerSpec("path-integral", {"num_slices": 4})):
        assert clone(machine).set_params(sampler=sampler).fit(rows).model_ == machine.model_
    other = clone(machine).set_params(sampler=SamplerSpec("path-integral", {"num_slices": 8})).fit(rows)
    assert other.model_ != machine.model_


def stop_at_ten(snapshot):
    if snapshot.iteration == 10:
        raise KeyboardInterrupt


@pytest.mark.parametrize("gamma", [1.0, np.array([0.5, 1.0, 0.0, 2.0, 0.7])])
def test_an_interrupted_descent_resumes_to_the_same_bits(four, tmp_path, gamma):
    rows, _ = four
    machine = QuantumBoltzmannMachine(solver="descent", n_hidden=1, gamma=gamma, average=0.6, **QUICK)
    broken = clone(machine).set_params(checkpoint=tmp_path, monitor_every=1, callbacks=stop_at_ten)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(rows)
    broken.set_params(resume=True, callbacks=None)
    for changed in ({"gamma": gamma * 1.5}, {"num_slices": 5}, {"n_sweeps": 2}):
        with pytest.raises(CheckpointError, match="has options="):
            clone(broken).set_params(**changed).fit(rows)
    assert broken.fit(rows).model_ == machine.fit(rows).model_
    assert broken.history_ == machine.history_


# -- likelihoods and predictions ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classifying(four):
    X, y = labelled(four[0])
    return QuantumBoltzmannMachine(
        gamma=1.0, n_hidden=1, weight_decay=0.05, n_ais_runs=400, num_slices=48, **FITTED
    ).fit(X, y)


def test_likelihoods_are_those_of_the_density_matrix(classifying, four):
    X, y = labelled(four[0])
    p = visible_probabilities(classifying.structure_, parameters_of(classifying), 5).reshape(8, 2, 2)
    every = spins_to_bits(basis_spins(3))
    np.testing.assert_allclose(np.exp(classifying.score_samples(every)), p.sum(axis=(1, 2)), rtol=1e-9)
    # digit 0 is spin +1: the unit of a class is on, the other's off
    for label, alone in (("a", p[:, 0, 1]), ("b", p[:, 1, 0])):
        np.testing.assert_allclose(np.exp(classifying.score_samples(every, np.full(8, label))), alone, rtol=1e-9)
    shares = np.stack([p[:, 0, 1], p[:, 1, 0]], axis=1)
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifying.predict_proba(every), shares, rtol=1e-9)
    assert classifying.predict(every).tolist() == LABELS[shares.argmax(axis=1)].tolist()
    counts = np.stack([(y == label) @ (X[:, None] == every).all(axis=2) for label in LABELS])
    assert (classifying.predict(X) == y).mean() > counts.max(axis=0).sum() / len(X) - 0.05
    assert classifying.log_likelihood(X, y).method == "joint; diagonalisation"
    assert classifying.log_partition_.value == classifying.model_.exact().log_z


@pytest.fixture
def no_diagonalisation(monkeypatch):
    for module in (_quantum, _transverse):
        monkeypatch.setattr(module, "DIAGONALISED_UP_TO", 0)


@pytest.mark.usefixtures("no_diagonalisation")
def test_likelihoods_of_many_units_agree_with_diagonalisation(classifying, monkeypatch):
    every = spins_to_bits(basis_spins(3))
    p = visible_probabilities(classifying.structure_, parameters_of(classifying), 5).reshape(8, 2, 2)
    joint, marginal = np.log(p[:, 0, 1]), np.log(p.sum(axis=(1, 2)))
    machine = pickle.loads(pickle.dumps(classifying))
    machine._estimates.clear()
    for y, wanted in ((np.full(8, "a"), joint), (None, marginal)):
        found = machine._row_estimates(every, y)
        assert "annealed importance sampling of 48 slices" in found.method
        assert 0 < found.common_error < 0.05
        # 48 slices leave less than 0.01
        slack = 0.01 + 5 * np.hypot(found.standard_errors, found.common_error)
        assert (np.abs(found.values - wanted) < slack).all()
        mean = machine.log_likelihood(every, y)
        assert abs(mean.value - wanted.mean()) < 0.01 + 5 * mean.standard_error
    # as they must not in other transverse fields
    other = parameters_of(machine)._replace(gamma=machine.gamma_ + 0.5)
    wrong = visible_probabilities(machine.structure_, other, 5).reshape(8, 2, 2).sum(axis=(1, 2))
    assert not (np.abs(found.values - np.log(wrong)) < slack).all()


@pytest.mark.usefixtures("no_diagonalisation")
def test_classes_of_many_units_are_counted_in_reads_with_features_held(classifying):
    every = spins_to_bits(basis_spins(3))
    held = parameters_of(classifying)
    # held in all of imaginary time, features have no transverse field
    held = held._replace(gamma=np.where(np.arange(6) < 3, 0.0, held.gamma))
    p = visible_probabilities(classifying.structure_, held, 5).reshape(8, 2, 2)
    alone = np.stack([p[:, 0, 1], p[:, 1, 0]], axis=1)
    num_counted = 200 * alone.sum(axis=1) / p.sum(axis=(1, 2))
    share = alone[:, 1] / alone.sum(axis=1)
    found = classifying.predict_proba(every)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    # half a vote to each class moves shares by less than 1 / num_counted; 6 errors, for the number counted is random
    slack = 6 * np.sqrt(share * (1 - share) / num_counted) + 1.5 / num_counted
    assert (np.abs(found[:, 1] - share) < slack).all()
    assert not (np.abs(found[:, 0] - share) < slack).all()


@pytest.mark.parametrize("coupled", [False, True])
def test_transform_knows_of_transverse_fields(four, coupled):
    rows, _ = four
    machine = QuantumBoltzmannMachine(
        [(0, 4), (1, 4), (1, 5), (2, 5), (3, 5)] + [(4, 5)] * coupled,
        n_hidden=2,
        gamma=[1, 1, 1, 1, 0.8, 0.0],
        solver="bfgs",
        loss="likelihood",
        weight_decay=0.02,
        **FITTED,
    ).fit(rows)
    own = parameters_of(machine)
    some = spins_to_bits(basis_spins(4))
    found, wanted = machine.transform(some), []
    for row in bits_to_spins(some):
        # features held fast: fields of 50 along what they are
        held = own._replace(fields=own.fields + 50.0 * np.append(row, [0, 0]), gamma=own.gamma * (np.arange(6) >= 4))
        p = visible_probabilities(machine.structure_, held, 6).reshape(-1, 2, 2).sum(axis=0)
        wanted.append([p[0].sum(), p[:, 0].sum()])
    np.testing.assert_allclose(found, wanted, atol=0.1 if coupled else 1e-9)
    without = own._replace(gamma=np.zeros(6))
    machine._gamma = without.gamma
    assert np.abs(machine.transform(some) - wanted).max() > 2 * np.abs(found - wanted).max() + 0.02


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"gamma": -1.0}, "at least 0, or one for each of 4 units; got -1.0"),
        ({"gamma": "strong"}, "finite number of at least 0.*got 'strong'"),
        ({"gamma": None}, "got None"),
        ({"gamma": True}, "got True"),
        ({"gamma": np.inf}, "got inf"),
        ({"gamma": [1.0, 2.0]}, r"one for each of 4 units; got \[1.0, 2.0\]"),
        ({"solver": "newton"}, "solver is one of .*'auto', 'bfgs', 'descent'.*got 'newton'"),
        ({"loss": "hinge"}, "loss is one of .*got 'hinge'"),
        ({"learn_gamma": 2}, "learn_gamma is one of .*got 2"),
        ({"solver": "descent", "loss": "likelihood"}, "loss='likelihood', learn_gamma=False for 4 units. Set solver"),
        ({"sampler": "gibbs", "learn_gamma": True}, "moments that the bound needs.*learn_gamma=True"),
        ({"n_hidden": 5, "loss": "likelihood"}, r"for 9 units\. Set solver='bfgs'"),
        ({"learn_gamma": True}, "Choose gamma, or use exact_loss"),
        ({"n_hidden": 1, "loss": "relative-entropy"}, "no hidden units"),
        ({"n_hidden": 9, "solver": "bfgs"}, "reaches 12 variables; got 13"),
        ({"num_slices": 1, "solver": "descent"}, "num_slices is a whole number of at least 2; got 1"),
        ({"sampler": SamplerSpec("path-integral", {"num_slice": 4})}, "got 'num_slice'"),
    ],
)
def test_bad_arguments_say_the_rule(four, keywords, says):
    with pytest.raises(ValueError, match=says):
        QuantumBoltzmannMachine(**QUICK | keywords).fit(four[0])


def test_it_is_no_graph_rbm(classifying):
    with pytest.raises(ValueError, match="is classical; got QuantumBoltzmannMachine"):
        to_graph_rbm(classifying)
