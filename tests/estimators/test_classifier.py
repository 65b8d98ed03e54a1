"""Classification: by free energies, by counting reads, and scikit-learn's wrapper."""

import pickle

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chi2
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer
from sklearn.utils.validation import NotFittedError

from annealnn import (
    BoltzmannClassifier,
    BoltzmannMachine,
    DeepBoltzmannMachine,
    EmbeddedBoltzmannMachine,
    RestrictedBoltzmannMachine,
)
from annealnn.testing import FALSE_ALARM

QUICK = {"n_iter": 30, "n_particles": 30, "learning_rate": 0.1, "random_state": 0}


def joint_probabilities(machine, X):
    """P(class | x) by a sum over every setting of all other units, given that one class unit is on."""
    n, f, c = machine.structure_.num_variables, X.shape[1], len(machine.classes_)
    hidden = 2 * ((np.arange(2 ** (n - f - c))[:, None] >> np.arange(n - f - c)) & 1) - 1
    weights = np.zeros((len(X), c))
    for k, setting in enumerate(2 * np.eye(c) - 1):
        for row in range(len(X)):
            units = np.hstack([np.tile([*(2 * X[row] - 1), *setting], (len(hidden), 1)), hidden])
            weights[row, k] = np.logaddexp.reduce(-machine.structure_.energies(machine.model_.parameters, units))
    return softmax(weights, axis=1)


def votes_pvalue(votes, probabilities):
    """The p-value of independent votes (num_rows, n_classes) under the probabilities: a chi-square over rows."""
    expected = votes.sum(axis=1, keepdims=True) * probabilities
    statistic = float(((votes - expected) ** 2 / expected).sum())
    return chi2.sf(statistic, df=votes.shape[0] * (votes.shape[1] - 1))


@pytest.fixture(scope="module")
def fitted():
    """A machine over 6 features, 3 classes and 3 hidden units, its couplings large enough to tell the classes apart."""
    X = (np.random.default_rng(0).random((60, 6)) < 0.5).astype(np.int8)
    y = X[:, 0] + X[:, 1]
    return RestrictedBoltzmannMachine(3, **QUICK).fit(X, y), X


def test_class_probabilities_are_those_of_enumeration(fitted):
    machine, X = fitted
    np.testing.assert_allclose(machine.predict_proba(X), joint_probabilities(machine, X), atol=1e-12)


def test_votes_follow_the_exact_probabilities(fitted):
    machine, X = fitted
    rows = np.unique(X, axis=0)[:24]
    exact, votes = machine.predict_proba(rows), machine._class_votes(rows)
    # enough votes for every cell of a chi-square, all rows of a class setting alone
    assert votes.sum(axis=1).min() > 50
    assert votes_pvalue(votes, exact) > FALSE_ALARM
    assert votes_pvalue(votes, exact[:, ::-1]) < FALSE_ALARM
    blurred = softmax(0.6 * np.log(exact), axis=1)
    assert votes_pvalue(votes, blurred) < FALSE_ALARM


def test_machines_that_cannot_be_summed_count_reads(fitted, bars, monkeypatch):
    machine, X = fitted
    coupled = BoltzmannMachine(n_hidden=30, **QUICK | {"n_iter": 1}).fit(*bars)
    assert machine._sums_hidden
    assert not coupled._sums_hidden
    exact, votes = machine.predict_proba(X[:10]), machine._class_votes(X[:10])
    monkeypatch.setattr(type(machine), "_sums_hidden", False)
    counted = machine.predict_proba(X[:10])
    assert not np.array_equal(counted, exact)
    # five standard errors of a share, at most
    np.testing.assert_allclose(counted, exact, atol=2.5 / np.sqrt(votes.sum(axis=1).min()))
    with pytest.raises(ValueError, match="6 features"):
        machine.predict_proba(X[:, :5])


def test_an_error_is_not_taken_for_a_sum_that_cannot_be_done(fitted, monkeypatch):
    machine, X = fitted

    def broken(*_):
        msg = "broken"
        raise ValueError(msg)

    monkeypatch.setattr(type(machine), "_rows_given", broken)
    with pytest.raises(ValueError, match="broken"):
        machine.predict_proba(X)


@pytest.mark.parametrize(
    "machine",
    [
        None,
        BoltzmannMachine(**QUICK),
        DeepBoltzmannMachine((4, 3), **QUICK),
        EmbeddedBoltzmannMachine(n_iter=3, n_reads=20, random_state=0),
    ],
    ids=lambda machine: type(machine).__name__,
)
def test_any_machine_classifies(machine, bars):
    X, y = bars
    names = np.array(["stripes", "bars"])[y]
    model = BoltzmannClassifier(machine).fit(X, names)
    assert model.classes_.tolist() == ["bars", "stripes"]
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.predict(X), model.classes_[probabilities.argmax(axis=1)])
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities)
    odds = np.log(probabilities[:, 1] / probabilities[:, 0])
    if machine is not None and machine.__class__ is not DeepBoltzmannMachine:
        np.testing.assert_allclose(model.decision_function(X), odds, rtol=1e-9, atol=1e-9)
    assert model.score(X, names) == (model.predict(X) == names).mean()
    assert clone(model).get_params().keys() == model.get_params().keys()


def test_it_learns_what_a_pixel_says(fitted):
    _, X = fitted
    y = X[:, 2]
    model = BoltzmannClassifier(BoltzmannMachine(**QUICK | {"n_iter": 60})).fit(X, y)
    assert model.score(X, y) == 1.0
    assert model.score(1 - X, 1 - y) == 1.0


def test_grid_search_reaches_the_machine(bars):
    X, y = bars
    model = BoltzmannClassifier(RestrictedBoltzmannMachine(4, **QUICK))
    search = GridSearchCV(model, {"machine__learning_rate": [0.01, 0.2]}, cv=2, error_score="raise").fit(X, y)
    assert search.best_estimator_.machine_.learning_rate == search.best_params_["machine__learning_rate"]
    assert not hasattr(search.best_estimator_.machine, "model_")


def test_it_pickles_and_joins_pipelines(bars):
    X, y = bars
    model = BoltzmannClassifier(RestrictedBoltzmannMachine(4, **QUICK)).fit(X, y)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
    piped = make_pipeline(Binarizer(threshold=3.0), clone(model)).fit(6.0 * X, y)
    np.testing.assert_array_equal(piped.predict_proba(6.0 * X), model.predict_proba(X))
    threshold = clone(model).set_params(binarize=3.0).fit(6.0 * X, y)
    np.testing.assert_array_equal(threshold.predict_proba(6.0 * X), model.predict_proba(X))


def test_missing_values_where_the_machine_takes_them(bars):
    X, y = bars
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    machine = RestrictedBoltzmannMachine(4, **QUICK)
    with pytest.raises(ValueError, match="NaN"):
        BoltzmannClassifier(machine).fit(holes, y)
    model = BoltzmannClassifier(machine.set_params(missing="marginalise")).fit(holes, y)
    assert model.predict_proba(holes).shape == (len(X), 2)


def test_wrong_use_says_the_rule(bars):
    X, y = bars
    with pytest.raises(ValueError, match="machine is None or a Boltzmann machine with class units; got 'rbm'"):
        BoltzmannClassifier("rbm").fit(X, y)
    with pytest.raises(NotFittedError):
        BoltzmannClassifier().predict(X)
