"""Estimates of how slow an anneal must be, against anneals propagated densely."""

import numpy as np
import pytest
from scipy.linalg import eigh

from annealnn.dynamics._adiabatic import adiabatic_estimate, locally_adiabatic
from annealnn.dynamics._spectrum import spectrum
from annealnn.models import IsingModel, TransverseIsing
from annealnn.models._exact import basis_energies
from annealnn.schedules import AnnealSchedule, EnergyScales

pytestmark = pytest.mark.usefixtures("one_blas_thread")

# two triangles, one pulled down by its fields until the other has the better argument: the gap is 0.124 at s = 0.672
TRIANGLES = IsingModel(
    [-0.3] * 3 + [1.0] * 3, {(0, 1): 1, (0, 2): 1, (1, 2): 1, (3, 4): 1, (3, 5): 1, (4, 5): 1, (0, 3): 1}
)
RING = IsingModel([0.0] * 6, {(i, (i + 1) % 6): 1.0 for i in range(6)})
PAIR = IsingModel([0.5, 0.0], {(0, 1): 1.0})


def success(problem, schedule, *, max_step=0.2):
    """The probability to end in a ground state, by exact exponentials at the middle of short steps."""
    n = problem.structure.num_variables
    diagonal = basis_energies(problem.structure, problem.parameters)
    driver = TransverseIsing([0.0] * n, {}, 1.0).hamiltonian()
    drive, state = schedule.drive(), np.full(2**n, 2 ** (-n / 2), complex)
    for start, stop in zip(drive.times[:-1], drive.times[1:], strict=True):
        num_steps = int(np.ceil((stop - start) / max_step))
        step = (stop - start) / num_steps
        for k in range(num_steps):
            transverse, coefficient = drive.at(start + (k + 0.5) * step)
            levels, vectors = eigh(transverse * driver + coefficient * np.diag(diagonal))
            state = vectors @ (np.exp(-1j * step * levels) * (vectors.T @ state))
    return float((np.abs(state[diagonal <= diagonal.min() + 1e-9]) ** 2).sum())


def test_two_levels_in_closed_form():
    # one spin: H = -(1 - s) X - s h Z, gap^2 = 4 ((1 - s)^2 + h^2 s^2), <1| dH/ds |0> = 2 h / gap
    h, s = 0.2, np.linspace(0, 1, 11)
    found = adiabatic_estimate(IsingModel([h], {}), s=s, k=2)
    gap = 2 * np.hypot(1 - s, h * s)
    np.testing.assert_allclose(found.gaps[:, 0], gap, atol=1e-12)
    np.testing.assert_allclose(found.conditions, 2 * h / gap**3, atol=1e-12)
    least = 2 * h / np.hypot(1, h)
    assert (found.crossing_s, found.crossing_gap) == pytest.approx((1 / (1 + h**2), least), abs=1e-7)
    assert found.crossing_slope == pytest.approx(2 * 2 * h / least, abs=1e-7)
    time = found.annealing_time(0.9)
    assert time == pytest.approx(-np.log(0.1) * 2 * found.crossing_slope / (np.pi * least**2))
    assert found.success_probability(time) == pytest.approx(0.9)


def test_matrix_elements_are_those_of_any_derivative():
    s, step = np.array([0.3, 0.67]), 1e-5
    scales = EnergyScales(s=[0, 0.5, 1], transverse=[2, 0.8, 0], problem=[0, 0.3, 2])
    found = adiabatic_estimate(TRIANGLES, s=s, k=64, scales=scales)

    def hamiltonian(at):
        transverse, coefficient = scales.at(at)
        return TransverseIsing(coefficient * TRIANGLES.h, coefficient * TRIANGLES.J, float(transverse)).hamiltonian()

    for row, at in enumerate(s):
        levels, vectors = np.linalg.eigh(hamiltonian(at))
        slope = (hamiltonian(at + step) - hamiltonian(at - step)) / (2 * step)
        elements = np.abs(vectors.T @ slope @ vectors[:, 0])[1:]
        conditions = elements / (levels[1:] - levels[0]) ** 2
        assert found.conditions[row] == pytest.approx(np.linalg.norm(conditions), rel=1e-6)
        # of few levels, the others counted at the highest: a bound from above
        few = adiabatic_estimate(TRIANGLES, s=[at], k=3, scales=scales)
        assert found.conditions[row] <= few.conditions[0] <= 2 * found.conditions[row]
        assert few.matrix_elements[0, 0] == pytest.approx(elements[0], rel=1e-6)


@pytest.mark.parametrize("problem", [TRIANGLES, PAIR, RING], ids=["triangles", "pair", "ring"])
def test_time_for_a_success_probability(problem):
    time = adiabatic_estimate(problem).annealing_time(0.9)
    # within a factor of two of the time that gives it
    assert success(problem, AnnealSchedule.linear(time / 2)) < 0.9 < success(problem, AnnealSchedule.linear(2 * time))


@pytest.mark.parametrize("problem", [PAIR, RING], ids=["pair", "ring"])
def test_far_above_the_time_scale_is_adiabatic(problem):
    scale = adiabatic_estimate(problem).time_scale
    fast, slow = (success(problem, AnnealSchedule.linear(factor * scale)) for factor in (0.5, 10))
    assert fast < 0.9
    assert slow > 0.99


def test_free_ring_is_judged_by_what_an_anneal_reaches():
    estimate = adiabatic_estimate(RING)
    assert estimate.crossing_s == pytest.approx(0.5, abs=1e-6)
    assert estimate.crossing_gap == pytest.approx(4 * np.sin(np.pi / 12), abs=1e-9)
    assert np.isfinite(estimate.conditions).all()


@pytest.mark.parametrize("problem", [TRIANGLES, PAIR, RING], ids=["triangles", "pair", "ring"])
def test_locally_adiabatic_beats_linear(problem):
    time = adiabatic_estimate(problem).annealing_time(0.9)
    path = locally_adiabatic(problem, annealing_time=time)
    assert path.duration == pytest.approx(time)
    assert len(path.points) == 65
    slow, even = success(problem, path), success(problem, AnnealSchedule.linear(time))
    assert 1 - slow < (1 - even) / 3


def test_locally_adiabatic_path_in_closed_form():
    # one spin, pace proportional to gap^3: t proportional to the integral of ((1 - s)^2 + h^2 s^2)^(-3/2)
    h = 0.1
    path = locally_adiabatic(IsingModel([h], {}), annealing_time=7.0, num_points=257, k=2)
    s = np.linspace(0, 1, 200001)
    pace = ((1 - s) ** 2 + (h * s) ** 2) ** -1.5
    times = np.concatenate([[0], np.cumsum((pace[1:] + pace[:-1]) / 2)])
    np.testing.assert_allclose(path.s_at(7 * times[::1000] / times[-1]), s[::1000], atol=2e-3)


def test_crossing_levels_take_forever():
    # no transverse field on one qubit: levels of its two directions cross
    estimate = adiabatic_estimate(IsingModel([0.3], {}), k=2, gamma=0.0)
    assert estimate.time_scale == 0
    assert estimate.success_probability(1.0) == 1


def test_bad_input():
    with pytest.raises(ValueError, match="so k is at least 4, where there are so many states; got 3 of 4"):
        adiabatic_estimate(IsingModel([0.0] * 3, {(0, 1): 1, (1, 2): 1, (0, 2): -1}), k=3)
    with pytest.raises(ValueError, match="annealing_time is a finite number, above 0; got -1"):
        locally_adiabatic(PAIR, annealing_time=-1)
    with pytest.raises(ValueError, match="num_points is a whole number of at least 5; got 4"):
        locally_adiabatic(PAIR, annealing_time=1, num_points=4)
    with pytest.raises(ValueError, match="success is below 1"):
        adiabatic_estimate(PAIR).annealing_time(1.0)
    with pytest.raises(TypeError, match="problem is an IsingModel; got None"):
        adiabatic_estimate(None)
    assert spectrum(PAIR, k=2).num_ground == 1
