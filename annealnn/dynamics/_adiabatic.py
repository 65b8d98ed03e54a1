"""How slow an anneal must be: the adiabatic condition, Landau and Zener's formula, and a path that heeds the gap."""

import heapq
import math
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from annealnn._progress import Wanted, late_progress_bar
from annealnn._validation import check_count, check_number
from annealnn.dynamics._levels import LevelPath
from annealnn.dynamics._spectrum import path_points, refine_minimum
from annealnn.models import IsingModel
from annealnn.samplers._gamma import Gamma
from annealnn.schedules import AnnealSchedule, EnergyScales
from annealnn.typing import Floats

# matrix elements below this share of the norm of dH/ds |0> are none
_ROUNDING = 1e-8


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdiabaticEstimate:
    """What the low levels say of an anneal s = t / annealing_time. Times are in the scales' unit.

    The adiabatic condition is the folk one (Albash & Lidar 2018, section II): annealing_time is far above `time_scale`.
    It is neither necessary nor sufficient in general: it is blind to what oscillates in resonance with a gap, and
    rigorous bounds ask for the inverse gap's square or cube (Jansen, Ruskai, Seiler 2007). Levels above the highest one
    are counted as if they were there, so `conditions` is an upper bound of the norm over all levels. Landau and Zener's
    formula (Zener 1932) is for two levels alone, which avoid each other once and begin and end far apart.
    """

    s: Floats  #: (num_s,)
    gaps: Floats  #: from the ground level to those above the problem's ground levels, (num_s, num_levels)
    matrix_elements: (
        Floats  #: of dH/ds to the ground level, (num_s, num_levels); of a degenerate level their norm counts
    )
    conditions: Floats  #: norm over levels m of `<m| dH/ds |0> / gap_m^2`, 1/energy, (num_s,); see `time_scale`
    crossing_s: float  #: where the level with the largest condition comes nearest
    crossing_gap: float  #: and its gap there
    crossing_slope: float  #: d(difference of the two diabatic levels)/ds there, twice the matrix element

    @property
    def time_scale(self) -> float:
        """Largest of the conditions: an annealing time far above it is adiabatic."""
        return float(self.conditions.max())

    def success_probability(self, annealing_time: float) -> float:
        """Return the probability to stay in the ground level: 1 - exp(-2 pi (gap/2)^2 annealing_time / slope)."""
        check_number("annealing_time", annealing_time, low=0.0, open_low=True)
        return -math.expm1(-annealing_time * self._rate())

    def annealing_time(self, success: float = 0.99) -> float:
        """Return the annealing time at which the ground level is kept with probability `success`, below 1."""
        if check_number("success", success, low=0.0, open_low=True, high=1.0) == 1:
            msg = f"success is below 1, which takes forever; got {success!r}"
            raise ValueError(msg)
        rate = self._rate()
        return -math.log1p(-success) / rate if rate else math.inf

    def _rate(self) -> float:
        """Return 2 pi (gap/2)^2 / slope, 0 where levels cross, infinite where nothing couples them."""
        return math.pi * self.crossing_gap**2 / (2 * self.crossing_slope) if self.crossing_slope else math.inf


def adiabatic_estimate(
    problem: IsingModel,
    *,
    s: Any = None,
    k: int | None = None,
    gamma: Gamma = 1.0,
    scales: EnergyScales | None = None,
    seed: int = 0,
    progress: Wanted = "auto",
) -> AdiabaticEstimate:
    """Return how slow a linear anneal of `problem` must be, from its `k` lowest levels along the path.

    Without fields they are those of even states, where an anneal from the transverse ground state stays. Levels that
    become ground levels of the problem at s = 1 are left out: to end in one of them is to succeed.

    Parameters
    ----------
    problem : IsingModel
    s : array of shape (num_s,), optional
        Rising, from 0 to 1; 101 even points if None. The nearest approach is refined between them.
    k : int, optional
        Levels, the ground level among them; four, or all, if None.
    gamma, scales, seed, progress
        As in `spectrum`.

    Raises
    ------
    ValueError
        If no level is left, or as `spectrum`.
    MemoryError
        If the vectors do not fit, before any is made.
    """
    points = path_points(s)
    path = _path(problem, gamma, scales, k, seed)
    first = _first_excited(path)
    found = []
    with late_progress_bar("levels", wanted=progress) as show:
        for number, at in enumerate(points):
            found.append(_coupled(path, float(at), first))
            show((number + 1) / len(points))
    gaps, elements, each, conditions = (np.array(values) for values in zip(*found, strict=True))
    worst, level = np.unravel_index(each.argmax(), each.shape)
    near = _descend(gaps[:, level], int(worst))
    around = slice(max(near - 1, 0), near + 2)
    crossing = refine_minimum(path, points[around], gaps[around, level], int(level) + first)
    coupled = _coupled(path, crossing.s, first)
    return AdiabaticEstimate(
        s=points,
        gaps=gaps,
        matrix_elements=elements,
        conditions=conditions,
        crossing_s=crossing.s,
        crossing_gap=crossing.gap,
        crossing_slope=2 * float(coupled.matrix_elements[level]),
    )


def locally_adiabatic(
    problem: IsingModel,
    *,
    annealing_time: float,
    num_points: int = 65,
    k: int | None = None,
    gamma: Gamma = 1.0,
    scales: EnergyScales | None = None,
    seed: int = 0,
    progress: Wanted = "auto",
) -> AnnealSchedule:
    """Return the path that meets the adiabatic condition equally well everywhere, of `annealing_time` in all.

    Its pace is ds/dt proportional to `gap(s)^2 / |<1| dH/ds |0>|` (Roland & Cerf 2002, who bound the matrix element by
    a constant; here it is computed, and the norm is over all levels: `AdiabaticEstimate.conditions`).
    Half of the points are even in s; each other one halves the interval in which the path then stays longest.

    Parameters
    ----------
    problem : IsingModel
    annealing_time : float
        In the scales' time unit.
    num_points : int
        Of the schedule, both ends included; at least 5.
    k : int, optional
        Levels that are told apart, as in `adiabatic_estimate`.
    gamma, scales, seed, progress
        As in `spectrum`.

    Raises
    ------
    ValueError
        If levels that are coupled meet at a point, or an argument breaks its rule.
    MemoryError
        If the vectors do not fit, before any is made.
    """
    check_number("annealing_time", annealing_time, low=0.0, open_low=True)
    check_count("num_points", num_points, minimum=5)
    path = _path(problem, gamma, scales, k, seed)
    first = _first_excited(path)

    def condition(at: float) -> float:
        value = _coupled(path, at, first).condition
        if not np.isfinite(value):
            msg = f"a path heeds a gap that stays open; got levels that meet at s = {at:g}"
            raise ValueError(msg)
        # a path that waits for nothing still goes on
        return max(value, 1e-12)

    with late_progress_bar("levels", wanted=progress) as show:
        even = np.linspace(0, 1, num_points // 2 + 1).tolist()
        conditions = [condition(at) for at in even]
        intervals = [_interval(*ends) for ends in zip(even, even[1:], conditions, conditions[1:], strict=False)]
        heapq.heapify(intervals)
        while len(intervals) < num_points - 1:
            _, low, high, of_low, of_high = intervals[0]
            middle = (low + high) / 2
            of_middle = condition(middle)
            heapq.heapreplace(intervals, _interval(low, middle, of_low, of_middle))
            heapq.heappush(intervals, _interval(middle, high, of_middle, of_high))
            show(len(intervals) / (num_points - 1))
    intervals.sort(key=lambda interval: interval[1])
    times = np.cumsum([0.0, *(-interval[0] for interval in intervals)])
    s = [0.0, *(interval[2] for interval in intervals)]
    return AnnealSchedule(list(zip((times * (annealing_time / times[-1])).tolist(), s, strict=True)), path.scales)


def _interval(low: float, high: float, of_low: float, of_high: float) -> tuple[float, float, float, float, float]:
    """Return minus the share of time in an interval of s, the inverse condition being linear in it; and the rest."""
    ratio = of_low / of_high - 1
    share = (high - low) * of_low * (math.log1p(ratio) / ratio if ratio else 1.0)
    return -share, low, high, of_low, of_high


def _path(problem: IsingModel, gamma: Gamma, scales: EnergyScales | None, k: int | None, seed: int) -> LevelPath:
    """Return the levels that an anneal from the transverse ground state can reach."""
    flips = isinstance(problem, IsingModel) and problem.structure.num_variables > 1 and not problem.h.any()
    return LevelPath(problem, gamma, scales or EnergyScales.linear(), "even" if flips else None, k, seed)


def _first_excited(path: LevelPath) -> int:
    """Return the lowest level that is not a ground level of the problem."""
    num_ground, k = path.num_ground, path.k
    if num_ground >= k:
        msg = (
            f"{num_ground} states that an anneal can reach share the problem's least energy, so k is at least "
            f"{num_ground + 1}, where there are so many states; got {k} of {path.num_states} states"
        )
        raise ValueError(msg)
    return num_ground


class _Coupled(NamedTuple):
    """How the ground level is coupled to the others at one instant."""

    gaps: Floats  #: to the levels that count, (num_levels,)
    matrix_elements: Floats  #: |<m| dH/ds |0>|, (num_levels,)
    conditions: Floats  #: |<m| dH/ds |0>| / gap_m^2, (num_levels,)
    condition: float  #: norm of the conditions, and of that of all higher levels as if they were at the highest one


def _coupled(path: LevelPath, s: float, first: int) -> _Coupled:
    (low,), (sector,) = path.low(s), path.sectors
    pushed = sector.product(*path.slopes(s), low.states[:, 0])
    elements = low.states.T @ pushed
    beyond = float(np.linalg.norm(pushed - low.states @ elements))
    gaps, elements = low.levels[first:] - low.levels[0], np.abs(elements[first:])
    # what a symmetry forbids is rounding; a gap to it may close
    elements[elements < _ROUNDING * np.linalg.norm(pushed)] = 0
    if beyond < _ROUNDING * np.linalg.norm(pushed):
        beyond = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(elements > 0, elements / gaps**2, 0.0)
        rest = np.where(beyond > 0, beyond / gaps[-1] ** 2, 0.0)
    return _Coupled(gaps, elements, each, float(np.hypot(np.linalg.norm(each), rest)))


def _descend(gaps: Floats, number: int) -> int:
    """Return where gaps are least downhill from `number`."""
    while True:
        around = range(max(number - 1, 0), min(number + 2, len(gaps)))
        lowest = min(around, key=lambda k: gaps[k])
        if gaps[lowest] >= gaps[number]:
            return number
        number = lowest
