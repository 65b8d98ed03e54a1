"""Tests of the tests: an estimator that is broken on purpose fails the kit, by the check that is about it."""

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, DensityMixin, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from annealnn._validation import check_bits
from annealnn.exceptions import StopTraining
from annealnn.testing import ESTIMATOR_CHECKS, EstimatorCase
from annealnn.testing._cases import failing


class Independent(DensityMixin, BaseEstimator):
    """A sound estimator: independent bits. Each one below breaks one rule of it."""

    def __init__(self, *, learning_rate=1.0, binarize=None, random_state=None):
        self.learning_rate = learning_rate
        self.binarize = binarize
        self.random_state = random_state

    def fit(self, X, y=None):
        bits = self.bits(validate_data(self, X, dtype=np.float64))
        noise = np.random.default_rng(self.random_state).uniform(0, 1e-3, bits.shape[1])
        self.p_ = np.clip(self.learn(bits), 0.01, 0.98) + noise
        return self

    def bits(self, X):
        return check_bits(X, binarize=self.binarize)

    def learn(self, bits):
        return bits.mean(axis=0)

    def score_samples(self, X):
        check_is_fitted(self)
        bits = check_bits(validate_data(self, X, reset=False, dtype=np.float64), binarize=self.binarize)
        return (bits * np.log(self.p_) + (1 - bits) * np.log(1 - self.p_)).sum(axis=1)

    def score(self, X, y=None):
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, random_state=None):
        rng = np.random.default_rng(self.random_state if random_state is None else random_state)
        return (rng.random((n_samples, len(self.p_))) < self.p_).astype(np.int8)


class ChecksInItsConstructor(Independent):
    def __init__(self, *, learning_rate=1.0, binarize=None, random_state=None):
        self.learning_rate = float(learning_rate)
        self.binarize = binarize
        self.random_state = random_state


class FreshEntropy(Independent):
    def fit(self, X, y=None):
        super().fit(X)
        self.p_ = np.clip(self.p_ + np.random.default_rng().uniform(-1e-3, 0, len(self.p_)), 0.001, 0.999)
        return self


class GlobalGenerator(Independent):
    def learn(self, bits):
        return bits.mean(axis=0) + 0 * np.random.rand()  # noqa: NPY002


class DrawsSpins(Independent):
    def sample(self, n_samples=1, random_state=None):
        return 2 * super().sample(n_samples, random_state) - 1


class LearnsNothing(Independent):
    def learn(self, bits):
        return np.full(bits.shape[1], 0.5)


class LearnsTheOpposite(Independent):
    def learn(self, bits):
        return 1 - bits.mean(axis=0)


class TakesAnyNumber(Independent):
    def bits(self, X):
        return (X > 0.5).astype(np.int8)


class NotNormalised(Independent):
    def score_samples(self, X):
        return super().score_samples(X) + 1


class ScoresTheSum(Independent):
    def score(self, X, y=None):
        return float(self.score_samples(X).sum())


class ForgetsBeforeItChecks(Independent):
    def fit(self, X, y=None):
        self.p_ = np.full(9, 0.5)
        return super().fit(X)


class IgnoresNames(Independent):
    def fit(self, X, y=None):
        return super().fit(np.asarray(X))


class HoldsALock(Independent):
    def fit(self, X, y=None):
        self.lock_ = threading.Lock()
        return super().fit(X)


class Trained(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Independent):
    """A sound machine with all that the kit asks about: classes, a transform, missing values, epochs, checkpoints."""

    obeys = True

    def __init__(
        self,
        *,
        n_iter=4,
        missing="error",
        early_stopping=False,
        n_iter_no_change=5,
        tol=0.0,
        callbacks=None,
        monitor_every=1,
        checkpoint=None,
        resume=False,
        binarize=None,
        random_state=None,
        learning_rate=1.0,
    ):
        super().__init__(learning_rate=learning_rate, binarize=binarize, random_state=random_state)
        self.n_iter, self.missing = n_iter, missing
        self.early_stopping, self.n_iter_no_change, self.tol = early_stopping, n_iter_no_change, tol
        self.callbacks, self.monitor_every = callbacks, monitor_every
        self.checkpoint, self.resume = checkpoint, resume

    def fit(self, X, y=None):
        numbers = validate_data(self, X, dtype=np.float64, ensure_all_finite=self.finite())
        known = ~np.isnan(numbers)
        bits = self.bits(np.where(known, numbers, 0.0))
        means = (bits * known).sum(axis=0) / known.sum(axis=0)
        kept = Path(self.checkpoint) / "ended" if self.checkpoint else None
        if self.resume and kept.exists():
            self.n_iter_ = int(kept.read_text())
        else:
            self.n_iter_ = self.train(means)
        if kept is not None:
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(str(self.n_iter_))
        noise = np.random.default_rng(self.random_state).uniform(0, 1e-3, bits.shape[1])
        self.p_ = np.clip(means, 0.01, 0.98) + noise
        # bits 0 and 2 agree wherever both are known
        self.twin_ = bool((bits[:, 0] == bits[:, 2])[known[:, 0] & known[:, 2]].all())
        self.classes_ = None if y is None else np.unique(y)
        self.model_ = (self.p_,)
        self.monitored_ = [{"held_out": -1.0}]
        return self

    def finite(self):
        return "allow-nan" if self.missing == "marginalise" else True

    def train(self, means):
        end = self.monitor_every * (1 + self.n_iter_no_change) if self.early_stopping else self.n_iter
        noise = np.random.default_rng(self.random_state).uniform(0, 1e-3, len(means))
        model = (np.clip(means, 0.01, 0.98) + noise,)
        for iteration in range(1, end + 1):
            if self.callbacks is not None and iteration % self.monitor_every == 0:
                try:
                    self.callbacks(SimpleNamespace(iteration=iteration, model=model))
                except StopTraining:
                    if self.obeys:
                        return iteration
        return end

    def sample(self, n_samples=1, random_state=None):
        drawn = super().sample(n_samples, random_state)
        if self.twin_:
            drawn[:, 2] = drawn[:, 0]
        return drawn

    def predict_proba(self, X):
        check_is_fitted(self)
        share = validate_data(self, X, reset=False, dtype=np.float64).mean(axis=1)
        return np.column_stack([share, 1 - share])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def transform(self, X):
        check_is_fitted(self)
        bits = check_bits(validate_data(self, X, reset=False, dtype=np.float64), binarize=self.binarize)
        return bits.astype(float)

    @property
    def _n_features_out(self):
        return len(self.p_)


class LosesItsPlace(Trained):
    """Resumes, but not to the same bits."""

    def fit(self, X, y=None):
        super().fit(X, y)
        self.p_ = self.p_ + (1e-6 if self.resume else 0)
        return self


class SwallowsTheEnd(Trained):
    obeys = False


class NeverStops(Trained):
    def train(self, means):
        kept, self.early_stopping = self.early_stopping, False
        try:
            return super().train(means)
        finally:
            self.early_stopping = kept


class PredictsTheLeast(Trained):
    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmin(axis=1)]


class SumsToTwo(Trained):
    def predict_proba(self, X):
        return 2 * super().predict_proba(X)


class TransformsToSpins(Trained):
    def transform(self, X):
        return 2 * super().transform(X) - 1


class TakesMissingForZero(Trained):
    def fit(self, X, y=None):
        if self.missing == "marginalise":
            X = np.where(np.isnan(np.asarray(X, float)), 0.0, X)
        return super().fit(X, y)


class TakesNaN(Trained):
    def finite(self):
        return "allow-nan"


class NamelessPage(Independent):
    def _repr_html_(self):
        return "<p>an estimator</p>"


class KnowsItsCaller(Independent):
    def fit(self, X, y=None):
        super().fit(X)
        self.p_ = self.p_ * (0.9 if "pipeline" in sys._getframe(1).f_code.co_filename else 1.0)
        return self


class Doubles(TransformerMixin, BaseEstimator):
    """A sound transformer."""

    def __init__(self, *, factor=2.0, binarize=None):
        self.factor = factor
        self.binarize = binarize

    def fit(self, X, y=None):
        numbers = validate_data(self, X, dtype=np.float64)
        if self.binarize is None:
            check_bits(numbers, binarize=None)
        self.fitted_ = True
        return self

    def transform(self, X):
        check_is_fitted(self)
        return self.factor * validate_data(self, X, reset=False)

    def get_feature_names_out(self, input_features=None):
        return np.asarray(_check_feature_names_in(self, input_features), dtype=object)


class NamesTooFew(Doubles):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out(input_features)[:1]


@pytest.mark.parametrize(
    ("cls", "broken"),
    [
        (Independent, set()),
        (Doubles, set()),
        (NamesTooFew, {"pandas_output"}),
        (ChecksInItsConstructor, {"constructor_only_stores"}),
        (FreshEntropy, {"seeds", "works_in_processes", "pipelines"}),
        (GlobalGenerator, {"seeds"}),
        (DrawsSpins, {"bits_in_bits_out", "learns_the_data"}),
        (LearnsNothing, {"learns_the_data"}),
        (LearnsTheOpposite, {"learns_the_data"}),
        (TakesAnyNumber, {"bits_in_bits_out"}),
        (NotNormalised, {"likelihood_sums_to_one"}),
        (ScoresTheSum, {"score_is_the_mean"}),
        (ForgetsBeforeItChecks, {"refused_fit_leaves_the_machine"}),
        (IgnoresNames, {"feature_names"}),
        (HoldsALock, {"clones_and_pickles"}),
        (Trained, set()),
        (LosesItsPlace, {"interrupted_fit_resumes", "a_callback_ends_training"}),
        (SwallowsTheEnd, {"a_callback_ends_training"}),
        (NeverStops, {"early_stopping"}),
        (PredictsTheLeast, {"class_probabilities"}),
        (SumsToTwo, {"class_probabilities"}),
        (TransformsToSpins, {"hidden_probabilities"}),
        (TakesMissingForZero, {"missing_values"}),
        (TakesNaN, {"missing_values", "refused_fit_leaves_the_machine"}),
        (NamelessPage, {"html"}),
        (KnowsItsCaller, {"pipelines"}),
    ],
)
def test_broken_estimators_fail_by_the_right_check(cls, broken):
    case = EstimatorCase(name=cls.__name__, make=cls)
    # processes take seconds to start: sound rows are tried, and those that the check is about
    in_processes = not broken or "works_in_processes" in broken
    checks = [check for check in ESTIMATOR_CHECKS if in_processes or check.__name__ != "check_works_in_processes"]
    assert failing(case, checks) == broken


def test_every_estimator_check_fails_somewhere():
    rows = [mark for mark in test_broken_estimators_fail_by_the_right_check.pytestmark if mark.name == "parametrize"]
    named = set().union(*(broken for _, broken in rows[0].args[1]))
    assert named == {check.__name__.removeprefix("check_") for check in ESTIMATOR_CHECKS}
