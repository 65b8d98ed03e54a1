"""The path s(t) of an anneal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, final

import numpy as np

from annealnn._validation import check_number, check_real
from annealnn.schedules._checks import check_rising, real_numbers
from annealnn.schedules._drive import Drive
from annealnn.schedules._scales import EnergyScales


@final
@dataclass(frozen=True, slots=True)
class AnnealSchedule:
    """An anneal: s against time, linear between points, and the energy scales A(s), B(s).

    Parameters
    ----------
    points : sequence of (time, s)
        Times rise from 0, in the scales' time unit. s is from 0 to 1: it begins at 0 (forward) or 1 (reverse), and
        ends at 1, where the problem is read. Equal s is a pause, a steep rise a quench.
    scales : EnergyScales
        transverse = 1 - s and problem = s unless given.

    Raises
    ------
    ValueError
        If times do not rise from 0, s leaves [0, 1], or an end is missing.
    """

    points: Sequence[tuple[float, float]]
    scales: EnergyScales = field(default_factory=EnergyScales.linear)

    def __post_init__(self) -> None:
        times, s = _columns(self.points)
        scales: object = self.scales
        if not isinstance(scales, EnergyScales):
            msg = f"scales is an EnergyScales; got {type(scales).__name__}"
            raise TypeError(msg)
        object.__setattr__(self, "points", tuple(zip(times.tolist(), s.tolist(), strict=True)))

    @classmethod
    def linear(cls, annealing_time: float, *, scales: EnergyScales | None = None) -> "AnnealSchedule":
        """Return s = t / annealing_time."""
        check_number("annealing_time", annealing_time, low=0.0, open_low=True)
        return cls([(0.0, 0.0), (annealing_time, 1.0)], scales or EnergyScales.linear())

    @classmethod
    def with_pause(
        cls, annealing_time: float, *, s: float, pause_time: float, scales: EnergyScales | None = None
    ) -> "AnnealSchedule":
        """Return a linear anneal of `annealing_time` that rests at `s` for `pause_time` more."""
        check_number("annealing_time", annealing_time, low=0.0, open_low=True)
        check_number("pause_time", pause_time, low=0.0, open_low=True)
        _check_inside("s", s)
        start = s * annealing_time
        points = [(0.0, 0.0), (start, s), (start + pause_time, s), (annealing_time + pause_time, 1.0)]
        return cls(points, scales or EnergyScales.linear())

    @classmethod
    def with_quench(
        cls, annealing_time: float, *, s: float, quench_time: float, scales: EnergyScales | None = None
    ) -> "AnnealSchedule":
        """Return an anneal at the pace of `annealing_time` up to `s`, and from there to 1 in `quench_time`."""
        check_number("annealing_time", annealing_time, low=0.0, open_low=True)
        check_number("quench_time", quench_time, low=0.0, open_low=True)
        _check_inside("s", s)
        start = s * annealing_time
        return cls([(0.0, 0.0), (start, s), (start + quench_time, 1.0)], scales or EnergyScales.linear())

    @classmethod
    def reverse(
        cls, ramp_time: float, *, s: float, hold_time: float = 0.0, scales: EnergyScales | None = None
    ) -> "AnnealSchedule":
        """Return a reverse anneal: from 1 back to `s` in `ramp_time`, `hold_time` there, and to 1 in `ramp_time`."""
        check_number("ramp_time", ramp_time, low=0.0, open_low=True)
        check_number("hold_time", hold_time, low=0.0)
        _check_inside("s", s)
        hold = [(ramp_time + hold_time, s)] if hold_time else []
        end = (2 * ramp_time + hold_time, 1.0)
        return cls([(0.0, 1.0), (ramp_time, s), *hold, end], scales or EnergyScales.linear())

    @property
    def duration(self) -> float:
        """Time of the last point, in the scales' time unit."""
        return self.points[-1][0]

    @property
    def is_reverse(self) -> bool:
        """Whether the anneal begins at s = 1, from a given state."""
        return self.points[0][1] == 1

    def s_at(self, time: Any) -> Any:
        """Return s at `time`, a number or an array of any shape, from 0 to the duration."""
        times = check_real("time", time)
        if not ((times >= 0) & (times <= self.duration)).all():
            msg = f"time is from 0 to {self.duration:g}, the schedule's duration; got {time!r}"
            raise ValueError(msg)
        return np.interp(times, *np.transpose(self.points))

    def drive(self) -> Drive:
        """Return the coefficients against time: exact, for both s(t) and the scales are linear between points."""
        points = np.array(self.points)
        times = [points[:1, 0]]
        for (t0, s0), (t1, s1) in pairwise(points):
            inside = self.scales.s[(self.scales.s > min(s0, s1)) & (self.scales.s < max(s0, s1))]
            passed = np.sort(t0 + (inside - s0) * (t1 - t0) / (s1 - s0)) if s1 != s0 else inside
            times += [passed[(passed > t0) & (passed < t1)], np.array([t1])]
        # two knots that rounding has made one
        knots = np.unique(np.concatenate(times))
        transverse, problem = self.scales.at(self.s_at(knots))
        return Drive(times=knots, transverse=transverse, problem=problem)

    def to_dict(self) -> dict[str, Any]:
        """Return what `info` says of it, for JSON: points, the scales' name and time unit."""
        return {
            "points": [list(point) for point in self.points],
            "scales": self.scales.name,
            "time_unit": self.scales.time_unit,
        }


def _columns(points: Any) -> tuple[Any, Any]:
    try:
        rows = [(time, s) for time, s in points]
    except (TypeError, ValueError):
        msg = f"points are pairs of (time, s); got {points!r}"
        raise ValueError(msg) from None
    times, s = real_numbers("times", [t for t, _ in rows]), real_numbers("s", [value for _, value in rows])
    if times[0] != 0:
        msg = f"a schedule begins at time 0; got {times[0]:g}"
        raise ValueError(msg)
    check_rising("times", times)
    if ((s < 0) | (s > 1)).any():
        where = int(np.flatnonzero((s < 0) | (s > 1))[0])
        msg = f"s is from 0 to 1; got {s[where]:g} at time {times[where]:g}"
        raise ValueError(msg)
    if s[0] not in (0, 1) or s[-1] != 1:
        msg = (
            "s begins at 0 (forward) or 1 (reverse) and ends at 1, where the problem is read; "
            f"got {s[0]:g} to {s[-1]:g}. Drive takes any coefficients"
        )
        raise ValueError(msg)
    return times, s


def _check_inside(name: str, value: float) -> None:
    number = check_number(name, value, low=0.0, open_low=True, high=1.0)
    if number == 1:
        msg = f"{name} is below 1; got {value!r}"
        raise ValueError(msg)
