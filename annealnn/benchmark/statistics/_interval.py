"""An estimate with its interval."""

from collections.abc import Callable
from typing import NamedTuple


class Interval(NamedTuple):
    """An estimate and its 95 % interval.

    The ends may be infinite: an instance that no read solves has a time to solution with no known upper end.
    """

    value: float
    low: float
    high: float
    is_bound: bool = False  #: the value is a lower bound: what was measured lies among instances that no read solves

    def map(self, function: Callable[[float], float]) -> "Interval":
        """Return the interval of a rising function of the estimate."""
        return Interval(function(self.value), function(self.low), function(self.high), self.is_bound)

    def __contains__(self, value: object) -> bool:
        """Whether a number lies within the interval, its ends included."""
        return isinstance(value, int | float) and self.low <= value <= self.high
