"""The estimators under test, found and not listed."""

from sklearn.base import BaseEstimator

from annealnn.testing._cases import discover, own_packages, strangers
from annealnn.testing._estimator_checks import EstimatorCase

VARIABLE = "ANNEALNN_TEST_ESTIMATORS"

# for those of an estimator's parameters that it has
_QUICK = {"n_iter": 4, "n_particles": 20, "n_reads": 20, "n_ais_runs": 10, "n_ais_steps": 20, "progress": False}


def estimator_cases() -> list[EstimatorCase]:
    """Return the rows: the estimators that `ANNEALNN_TEST_ESTIMATORS` names if it is set, else ours."""
    if (named := strangers(VARIABLE)) is not None:
        return [EstimatorCase(name=path, make=factory, parameters=_QUICK) for path, factory in named.items()]
    return own_estimators()


def own_estimators() -> list[EstimatorCase]:
    """Return every public estimator of this package."""
    found = discover(BaseEstimator, own_packages())
    return [EstimatorCase(name=cls.__name__, make=cls, parameters=_QUICK) for cls in found]
