"""Electrical energy of a solution."""

from annealnn._validation import check_number
from annealnn.benchmark.statistics._interval import Interval


def energy_per_solution(time_s: Interval, power_w: float) -> Interval:
    """Return joules for a solution: stated power times time to solution, all parts of the time counted.

    Parameters
    ----------
    time_s : Interval
        Wall time to solution, seconds.
    power_w : float
        Of everything that is on meanwhile, watts.

    Raises
    ------
    ValueError
        If the power is not above 0.
    """
    power = check_number("power_w", power_w, low=0.0, open_low=True)
    return time_s.map(lambda seconds: seconds * power)
