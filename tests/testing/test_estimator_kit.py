"""Tests of the tests: an estimator that is broken on purpose fails the kit, by the check that is about it."""

import threading

import numpy as np
import pytest
from sklearn.base import BaseEstimator, DensityMixin, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from annealnn._validation import check_bits
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


class LosesItsPlace(Independent):
    """Resumes, but not to the same bits."""

    def __init__(
        self,
        *,
        n_iter=4,
        monitor=None,
        monitor_every=1,
        checkpoint=None,
        resume=False,
        binarize=None,
        random_state=None,
        learning_rate=1.0,
    ):
        super().__init__(learning_rate=learning_rate, binarize=binarize, random_state=random_state)
        self.n_iter, self.monitor, self.monitor_every = n_iter, monitor, monitor_every
        self.checkpoint, self.resume = checkpoint, resume

    def fit(self, X, y=None):
        for iteration in range(1, self.n_iter + 1):
            if self.monitor is not None and iteration % self.monitor_every == 0:
                self.monitor(iteration, None)
        super().fit(X)
        self.n_iter_, self.p_ = self.n_iter, self.p_ + (1e-6 if self.resume else 0)
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
        (FreshEntropy, {"seeds", "works_in_processes"}),
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
        (LosesItsPlace, {"interrupted_fit_resumes"}),
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
