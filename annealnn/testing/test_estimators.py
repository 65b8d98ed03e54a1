"""Every estimator under test keeps scikit-learn's rules and the kit's: run by `pytest --pyargs annealnn.testing`."""

from collections.abc import Callable
from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from annealnn.testing._cases import Check, parametrize
from annealnn.testing._estimator_checks import ESTIMATOR_CHECKS, EstimatorCase
from annealnn.testing._estimators import estimator_cases

CASES = estimator_cases()


# its data are no bits: a threshold makes them so
@parametrize_with_checks([case.build(binarize=0.0) for case in CASES], xfail_strict=True)
def test_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    """One of scikit-learn's rules, one estimator."""
    check(estimator)


@parametrize(CASES, ESTIMATOR_CHECKS)
def test_estimator(case: EstimatorCase, check: Check) -> None:
    """One of the kit's rules, one estimator."""
    check(case)
