"""Fitted machines from other libraries and for them: the same distribution, exactly."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import BernoulliRBM

from annealnn import BoltzmannMachine, RestrictedBoltzmannMachine
from annealnn.estimators import from_bernoulli_rbm, from_graph_rbm, to_bernoulli_rbm, to_graph_rbm

QUICK = {"n_iter": 5, "n_particles": 20, "random_state": 0}
EVERY = (np.arange(64)[:, None] >> np.arange(6)) & 1


@pytest.fixture(scope="module")
def sklearn_rbm(mixture):
    return BernoulliRBM(3, learning_rate=0.3, n_iter=20, random_state=0).fit(mixture)


def bernoulli_log_likelihoods(rbm):
    """ln P of every row of 6 bits, by a sum over all bits (v, h) of exp(v b + h c + h W v)."""
    hidden = (np.arange(8)[:, None] >> np.arange(3)) & 1
    weights = (
        (EVERY @ rbm.intercept_visible_)[:, None]
        + (hidden @ rbm.intercept_hidden_)[None]
        + EVERY @ rbm.components_.T @ hidden.T
    )
    return logsumexp(weights, axis=1) - logsumexp(weights)


def test_a_bernoulli_rbm_becomes_a_machine(sklearn_rbm, mixture):
    machine = from_bernoulli_rbm(sklearn_rbm, **QUICK)
    np.testing.assert_allclose(machine.score_samples(EVERY), bernoulli_log_likelihoods(sklearn_rbm), atol=1e-10)
    np.testing.assert_allclose(machine.transform(EVERY), sklearn_rbm.transform(EVERY), atol=1e-10)
    shifted = machine.score_samples(EVERY) + sklearn_rbm._free_energy(EVERY)
    assert np.ptp(shifted) < 1e-10
    assert machine.get_params()["n_iter"] == 5
    assert machine.n_features_in_ == 6
    assert machine.sample(3).shape == (3, 6)


def test_a_machine_becomes_a_bernoulli_rbm(mixture):
    machine = RestrictedBoltzmannMachine(3, learning_rate=0.1, **QUICK).fit(mixture)
    rbm = to_bernoulli_rbm(machine, batch_size=7)
    np.testing.assert_allclose(bernoulli_log_likelihoods(rbm), machine.score_samples(EVERY), atol=1e-10)
    np.testing.assert_allclose(rbm.transform(EVERY), machine.transform(EVERY), atol=1e-10)
    assert rbm.batch_size == 7


def test_there_and_back_is_the_same_machine(sklearn_rbm):
    back = to_bernoulli_rbm(from_bernoulli_rbm(sklearn_rbm, **QUICK))
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        np.testing.assert_allclose(getattr(back, name), getattr(sklearn_rbm, name), atol=1e-12)


def test_last_columns_are_classes_where_they_are_named(mixture):
    labels = np.array(["x", "y", "z"])
    y = labels[mixture[:, :2].sum(axis=1)]
    rbm = BernoulliRBM(3, learning_rate=0.1, n_iter=30, random_state=0).fit(np.hstack([mixture, y[:, None] == labels]))
    machine = from_bernoulli_rbm(rbm, classes=labels.tolist(), **QUICK)
    assert machine.classes_.tolist() == labels.tolist()
    assert machine.n_features_in_ == 6
    # free energies of the nine columns, by hand
    whole = np.stack([np.hstack([EVERY, np.tile(one_hot, (64, 1))]) for one_hot in np.eye(3)], axis=1)
    minus_energies = whole @ rbm.intercept_visible_ + np.logaddexp(
        0, whole @ rbm.components_.T + rbm.intercept_hidden_
    ).sum(axis=2)
    shares = np.exp(minus_energies - logsumexp(minus_energies, axis=1, keepdims=True))
    np.testing.assert_allclose(machine.predict_proba(EVERY), shares, atol=1e-10)
    assert machine.predict(EVERY).tolist() == labels[minus_energies.argmax(axis=1)].tolist()
    assert np.ptp(shares, axis=0).max() > 0.1
    joint = [machine.score_samples(EVERY, np.full(64, label)) for label in labels]
    assert np.ptp(np.transpose(joint) - minus_energies) < 1e-9
    X, drawn = machine.sample(50, return_y=True)
    assert X.shape == (50, 6)
    assert set(drawn) <= set(labels)
    assert machine.partial_fit(mixture, y).n_iter_ == 1


def test_names_of_class_columns_are_not_those_of_features(mixture):
    frame = pd.DataFrame(mixture, columns=list("abcdef"))
    machine = from_bernoulli_rbm(BernoulliRBM(2, n_iter=1, random_state=0).fit(frame), classes=[0, 1], **QUICK)
    assert machine.feature_names_in_.tolist() == list("abcd")
    assert machine.predict(frame[list("abcd")]).shape == (500,)


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        (["y", "x"], r"sorted and all different.*got \['y', 'x'\]"),
        ([1, 1], r"sorted and all different.*got \[1, 1\]"),
        ([], r"at least one label.*got \[\]"),
        (range(6), "last of 6 columns, and not all of them; got 6 classes"),
        (["a", None], "labels are of one kind"),
    ],
)
def test_classes_that_fit_no_columns_are_refused(sklearn_rbm, classes, says):
    with pytest.raises(ValueError, match=says):
        from_bernoulli_rbm(sklearn_rbm, classes=classes, **QUICK)


def test_both_go_on_learning(sklearn_rbm, mixture):
    machine = from_bernoulli_rbm(sklearn_rbm, **QUICK | {"learning_rate": 0.05})
    before = machine.score(mixture)
    for _ in range(30):
        machine.partial_fit(mixture)
    assert machine.score(mixture) > before
    rbm = to_bernoulli_rbm(machine, random_state=0)
    was = rbm.components_.copy()
    rbm.partial_fit(mixture)
    assert not np.array_equal(rbm.components_, was)
    np.testing.assert_allclose(4.0 * machine.model_.J[6:, :6], was, atol=1e-12)


def test_names_of_features_stay(mixture):
    frame = pd.DataFrame(mixture, columns=list("abcdef"))
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        machine = from_bernoulli_rbm(rbm, **QUICK)
        machine.transform(frame)
        to_bernoulli_rbm(machine).transform(frame)
    assert machine.feature_names_in_.tolist() == list("abcdef")


def test_what_a_bernoulli_rbm_cannot_hold_is_refused(mixture):
    with pytest.raises(ValueError, match=r"(?s)without y; got .*with class units"):
        to_bernoulli_rbm(RestrictedBoltzmannMachine(2, **QUICK).fit(mixture, mixture[:, 0]))
    with pytest.raises(ValueError, match="lateral=False"):
        to_bernoulli_rbm(RestrictedBoltzmannMachine(2, lateral=True, **QUICK).fit(mixture))
    with pytest.raises(ValueError, match="got BoltzmannMachine"):
        to_bernoulli_rbm(BoltzmannMachine(**QUICK).fit(mixture))
    for convert, unfitted in (
        (from_bernoulli_rbm, BernoulliRBM()),
        (to_bernoulli_rbm, RestrictedBoltzmannMachine()),
        (to_graph_rbm, BoltzmannMachine()),
    ):
        with pytest.raises(NotFittedError):
            convert(unfitted)


# nodes 0..4, of which 1 and 3 are hidden; no edge joins them, and edges name their ends in either order
STATE = {
    "_linear": np.array([0.3, -0.2, 0.1, 0.5, -0.4]),
    "_quadratic": np.array([0.7, -0.6, 0.2, 0.4, -0.9]),
    "_edge_idx_i": np.array([0, 2, 3, 4, 2]),
    "_edge_idx_j": np.array([1, 1, 0, 3, 4]),
    "_visible_idx": np.array([0, 2, 4]),
    "_hidden_idx": np.array([1, 3]),
}


def test_a_graph_rbm_becomes_a_machine():
    machine = from_graph_rbm(STATE, **QUICK)
    nodes = 2 * ((np.arange(32)[:, None] >> np.arange(5)) & 1) - 1
    energies = nodes @ STATE["_linear"]
    for bias, i, j in zip(STATE["_quadratic"], STATE["_edge_idx_i"], STATE["_edge_idx_j"], strict=True):
        energies = energies + bias * nodes[:, i] * nodes[:, j]
    units = nodes[:, [0, 2, 4, 1, 3]]
    np.testing.assert_allclose(machine.structure_.energies(machine.model_.parameters, units), energies, atol=1e-12)
    rows = (nodes[:, [0, 2, 4]] + 1) // 2
    every, which = np.unique(rows, axis=0, return_inverse=True)
    log_p = [logsumexp(-energies[which.reshape(-1) == k]) - logsumexp(-energies) for k in range(8)]
    np.testing.assert_allclose(machine.score_samples(every), log_p, atol=1e-10)
    assert machine.partial_fit(every).n_iter_ == 1


def test_a_machine_becomes_a_graph_rbm(mixture):
    for machine in (
        RestrictedBoltzmannMachine(3, **QUICK).fit(mixture, mixture[:, 0]),
        BoltzmannMachine([(0, 1), (4, 2)], **QUICK).fit(mixture),
    ):
        state = to_graph_rbm(machine)
        h, J = machine.model_.parameters
        np.testing.assert_array_equal(state["_linear"], -h)
        np.testing.assert_array_equal(state["_quadratic"], -J)
        back = from_graph_rbm(state, **QUICK)
        assert back.model_ == machine.model_
        assert len(state["_flat_adj"]) == len(state["_flat_j_idx"])


def test_damaged_states_say_the_rule():
    with pytest.raises(ValueError, match="lacks _hidden_idx"):
        from_graph_rbm({name: array for name, array in STATE.items() if name != "_hidden_idx"})
    with pytest.raises(ValueError, match=r"got 5 and 4 for 3 \+ 2 nodes and 5 edges"):
        from_graph_rbm(STATE | {"_quadratic": np.zeros(4)})
    with pytest.raises(ValueError, match=r"3 \+ 1 nodes"):
        from_graph_rbm(STATE | {"_hidden_idx": np.array([1])})
