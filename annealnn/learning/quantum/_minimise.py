"""Minimise a smooth loss with its gradient."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from annealnn.typing import Floats

P = TypeVar("P")


class Minimum(NamedTuple, Generic[P]):
    """Where a search ended."""

    parameters: P
    loss: float  #: nats
    slope: float  #: largest absolute component of the gradient
    num_evaluations: int


def minimise(
    loss: Callable[[Floats], tuple[float, Floats]], start: Floats, *, max_slope: float = 1e-8, max_iter: int = 5000
) -> Minimum[Floats]:
    """Return where BFGS ends: at a slope of `max_slope`, after `max_iter` steps, or where rounding hides descent."""
    # matrices are small: the threads of BLAS would wait for each other, on a busy machine eight times as long
    with threadpool_limits(1, "blas"):
        found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": max_slope, "maxiter": max_iter})
    return Minimum(found.x, float(found.fun), float(np.abs(found.jac).max(initial=0.0)), int(found.nfev))
