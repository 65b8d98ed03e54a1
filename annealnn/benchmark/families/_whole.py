"""Couplings that are whole numbers of one unit, so that sums of them are exact."""

from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annealnn.models import Parameters

# the units of the field's couplings: RAN-k has 1/k, Sidon couplings 1/28, a weak cell's field 1/25
_MAX_DENOMINATOR = 1000
# of rounding a quotient, relative to its size
_ROUNDING = 4 * np.finfo(np.float64).eps


class Whole(NamedTuple):
    """Parameters in units."""

    fields: NDArray[np.int64]  #: (num_variables,)
    couplings: NDArray[np.int64]  #: (num_edges,)
    total: int  #: no energy is larger


def whole(parameters: Parameters) -> Whole | None:
    """Return parameters in the largest unit of which all are whole numbers, or None if there is none above 1/1000."""
    values = np.concatenate(parameters)
    distinct, where = np.unique(values, return_inverse=True)
    # of random reals each is distinct: the first few tell
    near = []
    for value in distinct.tolist():
        fraction = Fraction(value).limit_denominator(_MAX_DENOMINATOR)
        if abs(float(fraction) - value) > _ROUNDING * abs(value):
            return None
        near.append(fraction)
    denominator = lcm(*(each.denominator for each in near))
    numbers = [int(each * denominator) for each in near]
    if denominator > _MAX_DENOMINATOR or max(map(abs, numbers), default=0) > 2**40:
        return None
    unit = gcd(*numbers) or 1
    counted = np.array([each // unit for each in numbers], dtype=np.int64)[where]
    num_fields = len(parameters.fields)
    return Whole(counted[:num_fields], counted[num_fields:], int(np.abs(counted).sum()))
