"""The low levels of an annealer's Hamiltonian along its path, and its gap."""

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from scipy.optimize import minimize_scalar

from annealnn._progress import Wanted, late_progress_bar
from annealnn._validation import check_count
from annealnn.dynamics._levels import LevelPath, SectorName
from annealnn.models import IsingModel
from annealnn.samplers._gamma import Gamma
from annealnn.schedules import EnergyScales
from annealnn.schedules._checks import check_rising, real_numbers
from annealnn.typing import Floats

# to how much of s a minimum is brought; its gap is off by the square of it
_S_TOLERANCE = 1e-9


class MinimumGap(NamedTuple):
    """Where along the path the gap is least, and how large it is there."""

    s: float
    gap: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """Low levels of H(s) = -transverse(s) sum_i gamma_i X_i + problem(s) E(Z).

    `gap` is to the lowest level that is not a ground level of the problem: where `num_ground` states of it share the
    least energy, so many levels come together at s = 1, and a passage among them does no harm.
    """

    model: IsingModel
    gamma: Floats  #: transverse fields, (num_variables,)
    scales: EnergyScales
    sector: SectorName | None
    seed: int
    s: Floats  #: (num_s,)
    transverse: Floats  #: coefficient at each s, (num_s,)
    problem: Floats  #: coefficient at each s, (num_s,)
    levels: Floats  #: rising, (num_s, k), in the scales' unit of energy (hbar = 1)
    num_ground: int  #: states of least problem energy in the sector

    @property
    def gap(self) -> Floats:
        """From the lowest level to the one above the ground levels of s = 1, (num_s,): `gap_to(num_ground)`.

        Raises
        ------
        ValueError
            If k does not reach above the ground levels.
        """
        return self.gap_to(self._level(None))

    def gap_to(self, level: int) -> Floats:
        """Return how far `level`, from 1 to k - 1, is above the lowest, (num_s,)."""
        return self.levels[:, self._level(level)] - self.levels[:, 0]

    def minimum_gap(self, level: int | None = None) -> MinimumGap:
        """Return where the gap is least, between the points of `s` too, to 1e-8 of the gap.

        Each minimum among the points that is at most twice the least one is refined between its neighbours. One that
        lies between two points and shows at neither is not found: take more points where levels approach fast.

        Parameters
        ----------
        level : int, optional
            To which the gap is; that of `gap` if None.

        Raises
        ------
        ValueError
            If there is no such level.
        """
        level = self._level(level)
        gaps = self.gap_to(level)
        path = LevelPath(self.model, self.gamma, self.scales, self.sector, level + 1, self.seed)
        return refine_minimum(path, self.s, gaps, level)

    def _level(self, level: int | None) -> int:
        highest = self.levels.shape[1] - 1
        if level is None and self.num_ground > highest:
            msg = (
                f"{self.num_ground} states share the problem's least energy, so the gap is to level {self.num_ground}: "
                f"k is at least {self.num_ground + 1}; got {highest + 1}. Or take gap_to(level)"
            )
            raise ValueError(msg)
        number = self.num_ground if level is None else check_count("level", level)
        if number > highest:
            msg = f"level is from 1 to k - 1 = {highest}; got {level}"
            raise ValueError(msg)
        return number


def spectrum(
    problem: IsingModel,
    *,
    s: Any = None,
    k: int | None = None,
    gamma: Gamma = 1.0,
    scales: EnergyScales | None = None,
    sector: SectorName | None = None,
    seed: int = 0,
    progress: Wanted = "auto",
) -> Spectrum:
    """Return the lowest `k` levels of H(s) along the path: exact, to about 20 variables.

    By dense diagonalisation of few states; by restarted Lanczos of many, without a matrix, each s from the states of
    the last. Degenerate levels are counted: Lanczos runs again on what is orthogonal to the levels found until nothing
    lower is left. At both ends of a linear path H is classical, and its levels are looked up. On one core a point takes
    one or two seconds with 16 qubits, and about half a minute with 20; more where k cuts through levels close together.

    Parameters
    ----------
    problem : IsingModel
        At least one variable; its offset does not enter. Memory goes as 40 vectors of 2**num_variables.
    s : array of shape (num_s,), optional
        Rising, from 0 to 1; 101 even points if None.
    k : int, optional
        Levels, at most as many as there are states; four of them, or all, if None.
    gamma : float, or mapping from label to float, or array of shape (num_variables,)
        Weight of each X_i, at least 0.
    scales : EnergyScales, optional
        transverse = 1 - s and problem = s if None.
    sector : "even", "odd" or None
        Without fields, flipping all spins is a symmetry; an anneal from the transverse ground state stays among even
        states. None takes all.
    seed : int
        Of the start vectors: the same seed gives the same levels.
    progress : "auto" or bool
        A bar on terminals and in notebooks, once the run has lasted a second.

    Raises
    ------
    ValueError
        If `s` leaves [0, 1] or does not rise, there are fewer than k states, fields are complex or negative, or a
        sector is asked for of a problem with fields.
    MemoryError
        If the vectors do not fit, before any is made.

    Examples
    --------
    >>> from annealnn import IsingModel
    >>> pair = spectrum(IsingModel([0.5, 0.0], {(0, 1): 1.0}), k=2)
    >>> found = pair.minimum_gap()
    >>> print(f"{found.gap:.3f} at s = {found.s:.3f}")
    0.658 at s = 0.626
    """
    points = path_points(s)
    scales = scales or EnergyScales.linear()
    path = LevelPath(problem, gamma, scales, sector, k, seed)
    levels = np.empty((len(points), path.k))
    with late_progress_bar("levels", wanted=progress) as show:
        for number, at in enumerate(points):
            levels[number] = path.levels(float(at))
            show((number + 1) / len(points))
    levels.setflags(write=False)
    transverse, coefficient = scales.at(points)
    return Spectrum(
        model=problem,
        gamma=path.gamma,
        scales=scales,
        sector=sector,
        seed=seed,
        s=points,
        transverse=transverse,
        problem=coefficient,
        levels=levels,
        num_ground=path.num_ground,
    )


def path_points(s: Any) -> Floats:
    """Return `s` as checked points of [0, 1], (num_s,); 101 even ones if None."""
    points = real_numbers("s", np.linspace(0, 1, 101) if s is None else s, at_least=1)
    check_rising("s", points)
    if points[0] < 0 or points[-1] > 1:
        msg = f"s is from 0 to 1; got {points[0] if points[0] < 0 else points[-1]:g}"
        raise ValueError(msg)
    return points


def refine_minimum(path: LevelPath, s: Floats, gaps: Floats, level: int) -> MinimumGap:
    """Return the least gap to `level` between the neighbours of each minimum among points s (num_s,)."""
    padded = np.concatenate([[np.inf], gaps, [np.inf]])
    is_low = (gaps <= padded[:-2]) & (gaps <= padded[2:]) & (gaps <= 2 * gaps.min())
    least = int(gaps.argmin())
    found = [MinimumGap(float(s[least]), float(gaps[least]))]

    def square(at: float) -> float:
        # of two levels that avoid each other it is a parabola, however close they come
        levels = path.levels(at)
        return float((levels[level] - levels[0]) ** 2)

    for number in np.flatnonzero(is_low).tolist():
        low, high = float(s[max(number - 1, 0)]), float(s[min(number + 1, len(s) - 1)])
        if low < high:
            best = minimize_scalar(square, bounds=(low, high), method="bounded", options={"xatol": _S_TOLERANCE})
            found.append(MinimumGap(float(best.x), float(np.sqrt(best.fun))))
    return min(found, key=lambda one: one.gap)
