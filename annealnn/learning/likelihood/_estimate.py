"""Numbers with their errors, and what log-weights of runs come to. Nats throughout."""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from annealnn.typing import Floats


class Estimate(NamedTuple):
    """A number, one standard error of it, and how it was found."""

    value: float
    standard_error: float
    method: str

    def __str__(self) -> str:
        return f"{self.value:.3f} +- {self.standard_error:.3f} ({self.method})"


class RowEstimates(NamedTuple):
    """A number for every row; the errors of rows, which are independent; the error that they share."""

    values: Floats  #: (num_rows,)
    standard_errors: Floats  #: (num_rows,), each row's own, 0 where it is exact
    common_error: float  #: one standard error of what is the same in all rows, such as ln Z
    method: str

    def mean(self) -> Estimate:
        """Return the mean over rows, with the error of these rows' values; how rows vary among themselves is not in it.

        Independent errors fall as rows grow in number, the common one does not.
        """
        own = float(np.sqrt((self.standard_errors**2).sum())) / max(1, len(self.values))
        return Estimate(float(self.values.mean()), float(np.hypot(own, self.common_error)), self.method)


def log_mean_weights(log_weights: Floats) -> tuple[Floats, Floats]:
    """Return ln of the mean weight over the last axis, and its standard error by the delta method.

    The error is std(w) / (mean(w) sqrt(num_runs)). The logarithm of a mean is low on average, by about half the square
    of that error, and by more where few runs carry the weight; the error is then too small as well.
    """
    num_runs = log_weights.shape[-1]
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    values = np.asarray(logsumexp(log_weights, axis=-1)) - np.log(num_runs)
    errors = weights.std(axis=-1, ddof=1) / weights.mean(axis=-1) / np.sqrt(num_runs)
    return values, np.asarray(errors)
