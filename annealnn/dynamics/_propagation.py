"""Propagation of a state vector by splitting H(t) into its two terms, with steps of controlled error.

A step is a product of rotations about X and of phases, each over a part of the step. It agrees with the exact evolution
to order 6 (Blanes & Moan 2002, J. Comput. Appl. Math. 142, 313, method S10). The integral of a coefficient over its
part takes the place of coefficient times length: each term then runs on a clock of its own, and the order holds for a
Hamiltonian that changes.
"""

from collections.abc import Callable
from typing import TypeAlias, final

import numpy as np

from annealnn._memory import check_memory
from annealnn._parallel import available_threads, side_by_side
from annealnn._validation import check_count, check_number
from annealnn.kernels.statevector import NUM_LOW, rotate_columns, run_stages, turn_and_rotate_blocks
from annealnn.models import IsingModel
from annealnn.models._exact import basis_energies
from annealnn.schedules import Drive
from annealnn.typing import AnyArray, Floats

# told the time that is reached; True asks to stop
Watch: TypeAlias = Callable[[float], bool]

# of the rotations and phases of a step, in turns; the rest by symmetry, and so that each adds up to 1
_ROTATIONS = [0.0502627644003922, 0.413514300428344, 0.0450798897943977, -0.188054853819569, 0.541960678450780]
_PHASES = [0.148816447901042, -0.132385865767784, 0.067307604692185, 0.432666402578175]
_ROTATIONS = [*_ROTATIONS, 1 - 2 * sum(_ROTATIONS), *_ROTATIONS[::-1]]
_PHASES = [*_PHASES, 0.5 - sum(_PHASES)]
_PHASES = [*_PHASES, *_PHASES[::-1]]
_ORDER = 6
# where the parts of a step end, as shares of it
_ROTATED, _PHASED = np.cumsum([0.0, *_ROTATIONS]), np.cumsum([0.0, *_PHASES])

# differences below it are rounding
_ROUND_OFF = 1e-14
# change of a coefficient's slope, times a step, over its largest value
_KINK = 0.01
# steps are shorter by this than what they are allowed
_CAUTION = 0.8
# steps of which the first is measured, and fewer where their error may have grown by more
_STRETCH, _GROWN = 20, 2.0
# amplitudes times stages of one uninterrupted call: about 0.1 s
_CALL = 10_000_000
# from so many qubits on, two threads take less time than one
_THREADED = NUM_LOW + 3
# of the state, the two copies that measure a step, and the energies, in bytes per basis state
_BYTES = 3 * 16 + 8


def check_qubits(num_qubits: int) -> None:
    """Check that the state of so many qubits fits in memory, before any of it is allocated.

    Raises
    ------
    MemoryError
        If it does not.
    """
    check_memory(
        f"The states of {num_qubits} qubits, 2^{num_qubits} amplitudes, three times, and their energies",
        _BYTES * 2**num_qubits,
        "Take a smaller problem, or sample by path integral",
    )


@final
class Propagator:
    """The state of a problem's qubits under a drive, moved on in time.

    Parameters
    ----------
    problem : IsingModel
    gamma : array of shape (num_variables,)
        Weight of each X_i.
    drive : Drive
    tolerance : float
        Bound on the norm of the state's error at the end, as the steps that are measured tell. Errors of steps add up
        at most, for exact steps preserve the norm; each step may add the share of the tolerance that its length is.
    num_threads : int, optional

    Raises
    ------
    MemoryError
        If the state does not fit in memory.
    """

    def __init__(
        self, problem: IsingModel, gamma: Floats, drive: Drive, *, tolerance: float, num_threads: int | None = None
    ) -> None:
        self.num_qubits = problem.structure.num_variables
        check_qubits(self.num_qubits)
        self._tolerance = check_number("tolerance", tolerance, low=1e-12, high=0.1)
        threads = check_count("num_threads", num_threads) if num_threads is not None else available_threads()
        self._threads = threads if self.num_qubits >= _THREADED else 1
        self.energies = basis_energies(problem.structure, problem.parameters)
        self._drive = drive
        # by bit, the least significant first
        self._gamma = np.asarray(gamma, dtype=np.float64)[::-1]
        self._length = self._first = self._first_length(problem)
        self._kinks = _kinks(drive, self._length)
        self._until_measured = 0
        self.parts = np.zeros((2, 2**self.num_qubits))
        self._copies = np.empty((2, *self.parts.shape))
        self.time, self.error, self.num_steps = 0.0, 0.0, 0

    def _first_length(self, problem: IsingModel) -> float:
        """Return a step of about 0.3 over the fastest precession of one qubit; the first measured step mends it."""
        structure, parameters = problem.structure, problem.parameters
        local = np.abs(parameters.fields) + np.abs(structure.dense(parameters.couplings)).sum(axis=0)
        rate = max(
            float(np.abs(self._drive.transverse).max() * self._gamma.max(initial=0.0)),
            float(np.abs(self._drive.problem).max() * local.max(initial=0.0)),
        )
        return min(self._drive.duration, 0.3 / rate) if rate > 0 else self._drive.duration

    @property
    def amplitudes(self) -> AnyArray:
        """A copy of the state, (2**num_qubits,) complex."""
        out = np.empty(self.parts.shape[1], dtype=np.complex128)
        out.real, out.imag = self.parts
        return out

    @property
    def duration(self) -> float:
        """Time of the drive's end."""
        return self._drive.duration

    def begin(self, state: AnyArray | int | None) -> None:
        """Set the state: all qubits along +X if None, a basis state by its number, or amplitudes."""
        self.parts[:] = 0.0
        if state is None:
            self.parts[0] = 2 ** (-self.num_qubits / 2)
        elif isinstance(state, int):
            self.parts[0, state] = 1.0
        else:
            self.parts[0], self.parts[1] = np.real(state), np.imag(state)

    def probabilities(self) -> Floats:
        """Return those of the basis states, (2**num_qubits,): in an array that the next step overwrites."""
        out: Floats = self._copies[0, 0]
        other = self._copies[0, 1]
        np.multiply(self.parts[0], self.parts[0], out=out)
        np.multiply(self.parts[1], self.parts[1], out=other)
        out += other
        return out

    def transverse_moments(self) -> Floats:
        """Return `<X_i>`, (num_qubits,): 2 Re sum psi*(z) psi(z with bit i flipped) over half of z."""
        out = np.empty(self.num_qubits)
        for i in range(self.num_qubits):
            halves = self.parts.reshape(2, 2**i, 2, -1)
            out[i] = 2 * np.einsum("pzx,pzx->", halves[:, :, 0], halves[:, :, 1])
        return out

    def finish(self) -> None:
        """Give back the memory of the copies: no step follows."""
        self._copies = np.empty((0, 0, 0))

    def advance(self, time: float, watch: Watch | None = None) -> bool:
        """Move the state to `time`. Returns True if `watch`, told the time now and then, asked to stop before."""
        while self.time < time:
            if self.time in self._kinks:
                self._until_measured = 0
            later = self._kinks[self._kinks > self.time]
            ends = self._ends(min(time, later[0]) if len(later) else time)
            if self._until_measured <= 0:
                self._measured_step(self._measured_end(ends))
            else:
                affordable = max(1, _CALL // (len(_PHASES) * self.parts.shape[1]))
                ends = ends[: 1 + min(self._until_measured, affordable)]
                growth = self._growth(ends[1:])
                count = int(np.searchsorted(growth, _GROWN, side="right"))
                if not count:
                    self._until_measured = 0
                    continue
                ends = ends[: 1 + count]
                self._run(self.parts, ends)
                self.error += self._rate * float(growth[:count] @ np.diff(ends))
                self._until_measured -= count
                self._took(count, ends[-1])
            if watch is not None and watch(self.time) and self.time < time:
                return True
        return False

    def _took(self, steps: int, time: float) -> None:
        self.num_steps += steps
        self.time = float(time)

    def _ends(self, time: float) -> Floats:
        """Return where the next steps begin and end, (num_steps + 1,): none goes past a knot of the drive or `time`."""
        knots = self._drive.times
        last = np.searchsorted(knots, time)
        stops = [*knots[np.searchsorted(knots, self.time, side="right") : last], time]
        ends, start = [np.array([self.time])], self.time
        for stop in stops:
            count = max(1, int(np.ceil((stop - start) / self._length - 1e-9)))
            # of the millions that a long anneal has, those of one stretch
            number = np.arange(1, min(count, _STRETCH + 1) + 1)
            ends.append(np.where(number == count, stop, start + (stop - start) / count * number))
            if count > _STRETCH or sum(map(len, ends)) > _STRETCH + 1:
                break
            start = float(stop)
        return np.concatenate(ends)

    def _growth(self, times: Floats) -> Floats:
        """Return by how much the error of steps up to `times` (num_times,) may exceed that of the measured one.

        It is made of products of seven coefficients, both terms among them.
        """
        now, then = (np.abs(self._drive.at(t)) for t in (times, self._measured_at))
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = now / then[:, None]
            # not a number: a term that was off and still is, which makes no error
            return np.maximum.accumulate(np.fmax(1.0, a * b * np.maximum(a, b) ** 5))

    def _measured_end(self, ends: Floats) -> float:
        """Return where the two halves of a measured step end: after two steps, or after one that knots enclose."""
        alike = len(ends) > 2 and np.isclose(ends[2] - ends[1], ends[1] - ends[0], rtol=1e-6, atol=0)
        return float(ends[2] if alike and ends[1] not in self._drive.times else ends[1])

    def _measured_step(self, end: float) -> None:
        """Make two steps, and one of their length, see how far they part, and choose the next length.

        Halving divides the error of one step by 2**6: what the halves add up to is 1/63 of the difference, and is
        taken for four times as much, for terms of higher order.
        """
        coarse, before = self._copies
        length = float(end) - self.time
        before[:] = coarse[:] = self.parts
        self._run(coarse, np.array([self.time, end]))
        self._run(self.parts, np.array([self.time, self.time + length / 2, end]))
        coarse -= self.parts
        apart = float(np.sqrt(np.vdot(coarse, coarse)))
        allowed = self._tolerance / self._drive.duration
        rate = apart / length
        factor = 2.0 if rate == 0 else float(np.clip(_CAUTION * (allowed / rate) ** (1 / _ORDER), 0.1, 2.0))
        if apart < _ROUND_OFF:
            # no shorter step would do better; one that a short stretch of the drive has left behind may be far longer.
            # `length` is of two steps
            factor = 2.0 if length < 0.01 * self._first else max(0.5, factor)
        safety = factor
        if length < 0.99 * self._length:
            # a knot has cut it short, and may do so again
            safety, factor = min(factor, 2.0), min(factor, 1.0)
        self._length = length * factor
        error = 4 * apart / (2**_ORDER - 1)
        if error > 2.5 * allowed * length and apart > _ROUND_OFF:
            self.parts[:] = before
            return
        self.error += error
        # at the new length, and twice that, for states differ; one that may have grown more is measured again at once
        self._rate, self._measured_at = 2 * rate * safety**_ORDER, self.time + length / 2
        self._until_measured = _STRETCH if factor < 2 else 0
        self._took(2, end)

    def _run(self, parts: Floats, ends: Floats) -> None:
        """Make steps that end at `ends[1:]`. The last rotation of a step and the first of the next are one."""
        starts, lengths = ends[:-1, None], np.diff(ends)[:, None]

        def integrals(shares: Floats, which: int) -> Floats:
            middles = starts + lengths * (shares[1:] + shares[:-1]) / 2
            # a coefficient is linear within a step
            integrated: Floats = np.asarray(self._drive.at(middles)[which]) * lengths * np.diff(shares)
            return integrated

        turned, phased = integrals(_ROTATED, 0), integrals(_PHASED, 1)
        angles = np.concatenate([[0.0], turned[:, 1:].ravel()])
        angles[0] = turned[0, 0]
        angles[len(_PHASES) : -1 : len(_PHASES)] += turned[1:, 0]
        phases = np.concatenate([[0.0], phased.ravel()])
        each = angles[:, None] * self._gamma
        self._stages(parts, phases, np.cos(each), np.sin(each))

    def _stages(self, parts: Floats, phases: Floats, cosines: Floats, sines: Floats) -> None:
        re, im = parts
        if self._threads == 1:
            run_stages(re, im, self.energies, phases, cosines, sines)
            return
        size = 2**NUM_LOW
        rows_re, rows_im = re.reshape(-1, size), im.reshape(-1, size)
        for phase, cosine, sine in zip(phases, cosines, sines, strict=True):

            def blocks(first: int, last: int, phase=phase, cosine=cosine, sine=sine) -> None:  # type: ignore[no-untyped-def]
                turn_and_rotate_blocks(re, im, self.energies, phase, cosine, sine, first, last)

            def columns(first: int, last: int, cosine=cosine, sine=sine) -> None:  # type: ignore[no-untyped-def]
                rotate_columns(rows_re, rows_im, cosine, sine, first, last)

            side_by_side(blocks, len(rows_re), self._threads)
            side_by_side(columns, size, self._threads)


def _kinks(drive: Drive, length: float) -> Floats:
    """Return the times of knots where a coefficient's slope changes by so much that the steps' error may too."""
    if len(drive.times) < 3:
        return np.empty(0)
    values = np.stack([drive.transverse, drive.problem])
    slopes = np.diff(values) / np.diff(drive.times)
    largest = np.abs(values).max(axis=1, keepdims=True)
    turns = np.abs(np.diff(slopes)) * length > _KINK * largest
    knots: Floats = drive.times[1:-1][turns.any(axis=0)]
    return knots
