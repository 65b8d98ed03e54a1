"""The ring of spins in a transverse field, solved exactly at any size: free fermions."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from annealnn._memory import check_memory
from annealnn._validation import check_count, check_number, check_pair
from annealnn.schedules import Drive
from annealnn.schedules._checks import check_rising, real_numbers
from annealnn.typing import AnyArray, Floats

Amplitudes: TypeAlias = NDArray[np.complex128]

# the phase, in radians, that a mode turns by in a step at most: a longer step is cheaper and rounds worse
_REACH = 3.0
# steps times modes worked on together: their arrays stay in the processor's cache
_BLOCK = 2**12


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RingEvolution:
    """What a ring went through, one entry a time. All arrays have shape (num_times,).

    Energies are in the units of the drive's coefficients times `coupling` and `gamma`. Entries that tell the ground
    state apart are NaN where H(t) = 0, which has none.
    """

    times: Floats
    energy: Floats  #: `<H(t)>` of the whole ring
    defect_density: Floats  #: bonds that the coupling would have otherwise, (1 - sign(coupling) `<Z_i Z_i+1>`)/2
    transverse_moment: Floats  #: `<X_i>`
    excitation_density: Floats  #: mean over pairs (k, -k) of their probability to be excited, of H(t)'s own pairs
    ground_probability: Floats  #: of the ground state of H(t) in the even sector
    return_amplitude: Amplitudes  #: `<psi(0)|psi(t)>`; of a long ring it may be smaller than the least float
    loschmidt_rate: Floats  #: `-(1/num_spins) ln |<psi(0)|psi(t)>|^2`, at any size; infinite where a mode's is 0


@final
@dataclass(frozen=True, slots=True)
class FreeFermionRing:
    """H(t) = -transverse(t) gamma sum_i X_i - problem(t) coupling sum_i Z_i Z_i+1 on a ring, hbar = 1, exactly.

    Eq. (1) on a ring without fields. The Jordan-Wigner transform makes free fermions of the spins (Pfeuty 1970). In the
    even sector, prod_i X_i = +1, their momenta are k = (2j - 1) pi / num_spins, and each pair (k, -k) is a two-level
    problem of its own (Dziarmaga 2005, Eqs. (8) to (12)). With f = transverse gamma - problem coupling e^(ik) it reads,
    in the basis in which H has no diagonal (amplitudes a and b),

        i da/dt = -2 conj(f) b,    i db/dt = -2 f a,    levels -+ eps_k,    eps_k = 2 abs(f).

    The even sector holds the ground state of a finite ring in a transverse field, and H(t) never leads out of it. At
    transverse field 0 that is the even one of two: both ordered states in superposition.

    Parameters
    ----------
    num_spins : int
        Even, at least 4.
    coupling : float
        J of every bond, not 0; below 0 the ring is an antiferromagnet. Energy units.
    gamma : float
        Transverse field of every spin, of any sign. Energy units.

    Raises
    ------
    ValueError
        If `num_spins` is odd or below 4, `coupling` is 0, or a number is not finite.

    References
    ----------
    P. Pfeuty, Ann. Phys. 57, 79 (1970). J. Dziarmaga, Phys. Rev. Lett. 95, 245701 (2005).
    """

    num_spins: int
    coupling: float = field(default=1.0, kw_only=True)
    gamma: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        if check_count("num_spins", self.num_spins, minimum=4) % 2:
            msg = f"num_spins is even, for the ground state to be in the sector that is solved; got {self.num_spins}"
            raise ValueError(msg)
        if check_number("coupling", self.coupling, low=-math.inf) == 0:
            msg = f"coupling is not 0: spins without bonds are no ring; got {self.coupling!r}"
            raise ValueError(msg)
        check_number("gamma", self.gamma, low=-math.inf)
        check_memory(f"the modes of a ring of {self.num_spins} spins", 256 * self.num_spins, "Take a smaller num_spins")

    def ground_energy(self, transverse: Any, problem: Any) -> Any:
        """Return the lowest energy of H in the even sector, -sum_k>0 eps_k.

        Parameters
        ----------
        transverse, problem : float or arrays of one shape
            Coefficients of H.

        Returns
        -------
        float or array of that shape

        Raises
        ------
        ValueError
            If a coefficient is complex or not finite.
        """
        return -2 * np.abs(self._modes(*_checked(transverse, problem))).sum(axis=-1)

    def gap(self, transverse: Any, problem: Any) -> Any:
        """Return the energy above the ground state of the next state in the even sector, 2 min_k eps_k.

        It is the gap that an evolution sees: two fermions at once. The odd sector has lower states, to which H does not
        lead; in the ordered phase one of them joins the ground state as the ring grows.

        Parameters
        ----------
        transverse, problem : float or arrays of one shape
            Coefficients of H.

        Returns
        -------
        float or array of that shape

        Raises
        ------
        ValueError
            If a coefficient is complex or not finite.
        """
        return 4 * np.abs(self._modes(*_checked(transverse, problem))).min(axis=-1)

    def evolve(self, drive: Drive, *, times: Any = None, initial: tuple[float, float] | None = None) -> RingEvolution:
        """Return the observables of the state that `drive` leads to.

        Between knots f is linear in time, and the power series of a step's propagator obeys a recursion of three terms:
        it is summed to the last bit, over steps in which no mode turns by more than 3 rad. Where f does not change the
        propagator is a rotation, in closed form, for any time.

        Parameters
        ----------
        drive : Drive
            Coefficients of H against time.
        times : sequence of float, (num_times,), optional
            Rising, from 0 to the drive's duration. None takes the drive's knots.
        initial : (transverse, problem), optional
            The state at time 0 is the ground state, in the even sector, of H with these coefficients. None takes those
            with which the drive begins; others make a quench.

        Raises
        ------
        TypeError
            If `drive` is no Drive.
        ValueError
            If a time is outside the drive, times do not rise, or the initial H is 0, which has no ground state.
        MemoryError
            If the drive takes more steps than memory holds.
        """
        given: object = drive
        if not isinstance(given, Drive):
            msg = f"drive is a Drive; got {type(given).__name__}. Of an AnnealSchedule take its drive()"
            raise TypeError(msg)
        times = drive.times if times is None else real_numbers("times", times, at_least=1)
        check_rising("times", times)
        coefficients = drive.at(times)
        started = drive.at(0.0) if initial is None else check_pair("initial", initial)
        f = self._modes(*started)
        if not f.any():
            msg = (
                "an evolution begins in the ground state of an H that is not 0; got transverse, problem = "
                f"{tuple(map(float, started))} with gamma={self.gamma}. Give initial"
            )
            raise ValueError(msg)
        psi = np.stack([np.ones_like(f), f / np.abs(f)]) / np.sqrt(2)
        rows = [
            self._observables(state, psi, *now)
            for state, *now in zip(self._states(psi, drive, times), *coefficients, strict=True)
        ]
        return RingEvolution(times=times, **{name: np.array([row[name] for row in rows]) for name in rows[0]})

    def _modes(self, transverse: Any, problem: Any) -> Amplitudes:
        """Return f, (..., num_spins / 2)."""
        field = np.asarray(transverse)[..., None] * self.gamma
        out: Amplitudes = field - np.asarray(problem)[..., None] * self.coupling * self._phases()
        return out

    def _phases(self) -> Amplitudes:
        """Return e^(ik) of the momenta above 0, (num_spins / 2,)."""
        out: Amplitudes = np.exp(1j * np.pi / self.num_spins * np.arange(1, self.num_spins, 2))
        return out

    def _observables(self, psi: Amplitudes, start: Amplitudes, transverse: float, problem: float) -> dict[str, Any]:
        f = self._modes(transverse, problem)
        flip = psi[0].conj() * psi[1]
        with np.errstate(invalid="ignore"):
            turned = (f / np.abs(f)).conj() * psi[1]
        overlaps = (start.conj() * psi).sum(axis=0)
        bonds = -4 * (flip * self._phases().conj()).real.sum() / self.num_spins
        with np.errstate(divide="ignore"):
            rate = -2 * np.log(np.abs(overlaps)).sum() / self.num_spins
        return {
            "energy": -4 * (flip * f.conj()).real.sum(),
            "defect_density": (1 - math.copysign(1, self.coupling) * bonds) / 2,
            "transverse_moment": 4 * flip.real.sum() / self.num_spins,
            "excitation_density": np.mean(np.abs(psi[0] - turned) ** 2) / 2,
            "ground_probability": np.prod(np.abs(psi[0] + turned) ** 2 / 2),
            "return_amplitude": np.prod(overlaps),
            "loschmidt_rate": rate,
        }

    def _states(self, psi: Amplitudes, drive: Drive, times: Floats) -> Iterator[Amplitudes]:
        """Yield the modes' amplitudes, (2, num_spins / 2), at each of `times`."""
        bounds, wanted = self._steps(drive, times)
        coefficients = np.stack(drive.at(bounds))
        steady = (np.diff(coefficients) == 0).all(axis=0)
        if 0 in wanted:
            yield psi
        at_once = max(1, 2 * _BLOCK // self.num_spins)
        for first in range(0, len(steady), at_once):
            ends = slice(first, first + at_once + 1)
            w = 2j * self._modes(*coefficients[:, ends])
            widths = np.diff(bounds[ends])[:, None]
            propagators = _propagators(w[:-1] * widths, np.diff(w, axis=0) * widths, steady[first : first + at_once])
            for step, (a, b) in enumerate(zip(*propagators, strict=True), start=first + 1):
                psi = np.stack([a * psi[0] - b.conj() * psi[1], b * psi[0] + a.conj() * psi[1]])
                if step in wanted:
                    # rounding moves the norm alike in every step
                    psi /= np.linalg.norm(psi, axis=0)
                    yield psi

    def _steps(self, drive: Drive, times: Floats) -> tuple[Floats, set[int]]:
        """Return the ends of the steps, (num_steps + 1,), and the places of `times` among them."""
        stops = np.union1d(drive.times[drive.times <= times[-1]], times)
        transverse, problem = drive.at(stops)
        gaps = np.diff(stops)
        fastest = 2 * (np.abs(transverse * self.gamma) + np.abs(problem * self.coupling))
        counts = np.ceil(gaps * np.maximum(fastest[1:], fastest[:-1]) / _REACH)
        counts[(np.diff(transverse) == 0) & (np.diff(problem) == 0)] = 1
        check_memory(f"{counts.sum():.3g} steps", int(64 * counts.sum()), "Take a shorter drive, or a weaker one")
        number = np.maximum(counts, 1).astype(np.intp)
        places = np.concatenate([[0], np.cumsum(number)])
        within = np.arange(places[-1]) - np.repeat(places[:-1], number)
        bounds = np.repeat(stops[:-1], number) + within * np.repeat(gaps / number, number)
        return np.append(bounds, stops[-1]), set(places[np.searchsorted(stops, times)].tolist())


def _checked(transverse: Any, problem: Any) -> list[AnyArray]:
    """Return the coefficients of H as finite numbers, in the shapes they came in."""
    given = {"transverse": np.asarray(transverse), "problem": np.asarray(problem)}
    return [real_numbers(name, values.ravel(), at_least=1).reshape(values.shape) for name, values in given.items()]


def _propagators(start: Amplitudes, rise: Amplitudes, steady: AnyArray) -> tuple[Amplitudes, Amplitudes]:
    """Return the first columns (a, b) of the propagators [[a, -conj(b)], [b, conj(a)]] over a unit of time.

    da/dt = -conj(w) b and db/dt = w a with w = start + rise t; rise is 0 where `steady`. All (num_steps, num_modes).
    """
    a, b = np.empty_like(start), np.empty_like(start)
    angle = np.abs(start[steady])
    a[steady], b[steady] = np.cos(angle), start[steady] * np.sinc(angle / np.pi)
    a[~steady], b[~steady] = _series(start[~steady], rise[~steady])
    return a, b


def _series(start: Amplitudes, rise: Amplitudes) -> tuple[Amplitudes, Amplitudes]:
    """Sum the power series of (a, b): n a_n = -conj(start) b_(n-1) - conj(rise) b_(n-2), n b_n = start a_(n-1) + ..."""
    a, b = np.ones_like(start), np.zeros_like(start)
    a_before, b_before = np.zeros_like(start), np.zeros_like(start)
    a_sum, b_sum = a.copy(), b.copy()
    start_conj, rise_conj = -start.conj(), -rise.conj()
    for n in range(1, _num_terms(np.abs(start).max(initial=0.0), np.abs(rise).max(initial=0.0)) + 1):
        a_next = (start_conj * b + rise_conj * b_before) / n
        b_next = (start * a + rise * a_before) / n
        a, a_before, b, b_before = a_next, a, b_next, b
        a_sum += a
        b_sum += b
    return a_sum, b_sum


def _num_terms(start: float, rise: float) -> int:
    """Return how many terms of the series there are above 1e-18: those of exp(start t + rise t^2 / 2) bound them."""
    before, term, n = 0.0, 1.0, 0
    while n < start + rise or before + term > 1e-18:
        n += 1
        before, term = term, (start * term + rise * before) / n
    return n
