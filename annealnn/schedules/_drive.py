"""The coefficients of the two terms of H(t) against time: what a solver integrates."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from annealnn._validation import check_number, check_real
from annealnn.schedules._checks import ByValue, check_lengths, check_rising, real_numbers
from annealnn.typing import Floats


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drive(ByValue):
    """H(t) = -transverse(t) sum_i gamma_i X_i + problem(t) E(Z), hbar = 1: linear between knots.

    E is the energy of Eq. (1)'s diagonal part, -sum J_ij Z_i Z_j - sum h_i Z_i. Coefficients may have any sign.

    Parameters
    ----------
    times : array of shape (num_knots,)
        Rising, the first 0.
    transverse, problem : arrays of shape (num_knots,)
        1/time, once the model's own numbers are pure: energy over hbar.

    Raises
    ------
    ValueError
        If times do not rise from 0, the arrays differ in length, or a number is complex or not finite.
    """

    times: Floats
    transverse: Floats
    problem: Floats

    def __post_init__(self) -> None:
        for name in ("times", "transverse", "problem"):
            object.__setattr__(self, name, real_numbers(name, getattr(self, name)))
        check_lengths(times=self.times, transverse=self.transverse, problem=self.problem)
        if self.times[0] != 0:
            msg = f"times begin at 0; got {self.times[0]:g}"
            raise ValueError(msg)
        check_rising("times", self.times)

    @classmethod
    def constant(cls, duration: float, *, transverse: float, problem: float) -> "Drive":
        """Return the drive of a Hamiltonian that does not change: what follows a quench."""
        check_number("duration", duration, low=0.0, open_low=True)
        return cls(times=[0.0, duration], transverse=[transverse] * 2, problem=[problem] * 2)  # type: ignore[arg-type]

    @property
    def duration(self) -> float:
        """Time of the last knot."""
        return float(self.times[-1])

    def at(self, time: Any) -> tuple[Any, Any]:
        """Return (transverse, problem) at `time`, a number or an array of any shape, from 0 to the duration."""
        times = check_real("time", time)
        if not ((times >= 0) & (times <= self.duration)).all():
            msg = f"time is from 0 to {self.duration:g}, the drive's duration; got {time!r}"
            raise ValueError(msg)
        return np.interp(times, self.times, self.transverse), np.interp(times, self.times, self.problem)

    def between(self, start: float, stop: float) -> "Drive":
        """Return the drive from `start` to `stop`, its time beginning at 0: what is left, after a state was kept.

        Raises
        ------
        ValueError
            If these are not two times of the drive, the first before the second.
        """
        check_number("start", start, low=0.0)
        if not check_number("stop", stop, low=0.0, high=self.duration) > start:
            msg = f"stop is after start; got {start:g} and {stop:g}"
            raise ValueError(msg)
        times = np.unique([start, *self.times[(self.times > start) & (self.times < stop)], stop])
        transverse, problem = self.at(times)
        return Drive(times=times - start, transverse=transverse, problem=problem)
