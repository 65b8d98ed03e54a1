"""The ring by free fermions, against dense matrices of small rings and the literature's formulas of large ones."""

import itertools
import math
from functools import cache, reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.sparse import csr_array, kron

from annealnn.dynamics import _free_fermions
from annealnn.dynamics._free_fermions import FreeFermionRing
from annealnn.schedules import AnnealSchedule, Drive

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])


def word(num_spins, **letters):
    """The product of Pauli matrices at places: word(4, x=[0], z=[1, 2])."""
    at = {i: {"x": X, "y": Y, "z": Z}[letter] for letter, places in letters.items() for i in places}
    return reduce(kron, [csr_array(at.get(i, np.eye(2))) for i in range(num_spins)]).tocsr()


@cache
def dense_ring(*ring):
    return DenseRing(*ring)


class DenseRing:
    """The even sector of a small ring, as matrices."""

    def __init__(self, num_spins, coupling, gamma):
        self.n, self.coupling, self.gamma = num_spins, coupling, gamma
        half = 2 ** (num_spins - 1)
        # (|z> + |flipped z>) / sqrt 2
        self.even = np.vstack([np.eye(half), np.eye(half)[::-1]]) / math.sqrt(2)
        self.x = self.kept(sum(word(num_spins, x=[i]) for i in range(num_spins)))
        self.zz = self.kept(sum(word(num_spins, z=[i, (i + 1) % num_spins]) for i in range(num_spins)))
        strings = [word(num_spins, x=range(i)) for i in range(num_spins)]
        self.majoranas = [
            [string @ word(num_spins, **{letter: [i]}) for i, string in enumerate(strings)] for letter in "zy"
        ]
        # sparse: these products are many and small
        self.rates = csr_array(1j * self.gamma * self.x), csr_array(1j * self.coupling * self.zz)

    def kept(self, matrix):
        return self.even.T @ (matrix @ self.even)

    def hamiltonian(self, transverse, problem):
        return -transverse * self.gamma * self.x - problem * self.coupling * self.zz

    def rate(self, time, psi, drive):
        transverse, problem = drive.at(time)
        return transverse * (self.rates[0] @ psi) + problem * (self.rates[1] @ psi)

    def ground(self, transverse, problem):
        return np.linalg.eigh(self.hamiltonian(transverse, problem))[1][:, 0]

    def states(self, drive, times, psi):
        """Piece by piece: expm where H rests, else Runge-Kutta of order 8."""
        stops = np.union1d(drive.times, times)
        found = {stops[0]: psi}
        for start, stop in itertools.pairwise(stops):
            middle = drive.at((start + stop) / 2)
            if np.ptp(np.transpose(drive.at([start, stop])), axis=0).max() == 0:
                psi = expm(-1j * (stop - start) * self.hamiltonian(*middle)) @ psi
            else:
                psi = solve_ivp(
                    self.rate, (start, stop), psi.astype(complex), "DOP853", args=[drive], rtol=1e-12, atol=1e-13
                ).y[:, -1]
            found[stop] = psi
        return [found[t] for t in times]

    def excitation_density(self, transverse, problem, psi):
        """By Majorana operators: H = i sum_mn B_m M_mn A_n, and 2p - 1 is the mean of i B A in M's polar frame."""
        bonds = np.eye(self.n, k=1)
        bonds[-1, 0] = -1
        m = transverse * self.gamma * np.eye(self.n) - problem * self.coupling * bonds
        u, _, w = np.linalg.svd(m)
        full = self.even @ psi
        a, b = ([operator @ full for operator in operators] for operators in self.majoranas)
        correlations = np.array([[1j * np.vdot(left, right) for right in a] for left in b]).real
        return (1 + np.sum((u @ w) * correlations) / self.n) / 2

    def observables(self, drive, times, initial):
        first = self.ground(*initial)
        rows = []
        for t, psi in zip(times, self.states(drive, times, first), strict=True):
            now = [float(value) for value in drive.at(t)]
            mean = lambda matrix: np.vdot(psi, matrix @ psi).real  # noqa: B023, E731
            amplitude = np.vdot(first, psi)
            rows.append(
                {
                    "energy": mean(self.hamiltonian(*now)),
                    "defect_density": (1 - np.sign(self.coupling) * mean(self.zz) / self.n) / 2,
                    "transverse_moment": mean(self.x) / self.n,
                    "excitation_density": self.excitation_density(*now, psi),
                    "ground_probability": abs(np.vdot(self.ground(*now), psi)) ** 2,
                    "return_amplitude": amplitude,
                    "loschmidt_rate": -2 * np.log(abs(amplitude)) / self.n,
                }
            )
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}


RINGS = [(4, 1.0, 1.0), (6, -0.7, 1.3), (8, 0.9, -0.8)]
DRIVES = {
    "ramp": (Drive(times=[0, 3.0], transverse=[2.5, 0], problem=[0.2, 1.1]), None),
    "quench": (Drive.constant(2.9, transverse=0.4, problem=1.3), (1.7, 0.3)),
    "knots": (
        Drive(times=[0, 0.7, 1.1, 2.3, 2.8], transverse=[1.4, 0.3, 0.3, -0.6, 0.9], problem=[0.1, 1.2, 1.2, 0.5, -0.8]),
        (0.9, -0.4),
    ),
}


@pytest.mark.parametrize("ring", RINGS, ids=str)
@pytest.mark.parametrize("name", DRIVES)
def test_equals_dense_matrices(ring, name):
    num_spins, coupling, gamma = ring
    drive, initial = DRIVES[name]
    times = [0.0, 0.3, 1.1, 1.9, drive.duration]
    found = FreeFermionRing(num_spins, coupling=coupling, gamma=gamma).evolve(drive, times=times, initial=initial)
    expected = dense_ring(*ring).observables(drive, times, initial or [float(value) for value in drive.at(0)])
    assert_array_equal(found.times, times)
    for observable, values in expected.items():
        assert_allclose(getattr(found, observable), values, rtol=0, atol=1e-9, err_msg=observable)


@pytest.mark.parametrize("ring", RINGS, ids=str)
@pytest.mark.parametrize("coefficients", [(1.0, 0.3), (0.6, 1.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (-0.8, 0.7)])
def test_ground_energy_and_gap_are_the_even_sector_s(ring, coefficients):
    num_spins, coupling, gamma = ring
    levels = np.linalg.eigvalsh(dense_ring(*ring).hamiltonian(*coefficients))
    solved = FreeFermionRing(num_spins, coupling=coupling, gamma=gamma)
    assert_allclose(solved.ground_energy(*coefficients), levels[0], rtol=0, atol=1e-10)
    assert_allclose(solved.gap(*coefficients), levels[1] - levels[0], rtol=0, atol=1e-10)


def test_even_sector_holds_the_ground_state():
    for num_spins in (4, 6):
        x = sum(word(num_spins, x=[i]) for i in range(num_spins))
        zz = sum(word(num_spins, z=[i, (i + 1) % num_spins]) for i in range(num_spins))
        lowest = np.linalg.eigvalsh((-0.5 * x - zz).toarray())[0]
        assert_allclose(FreeFermionRing(num_spins).ground_energy(0.5, 1.0), lowest, rtol=0, atol=1e-10)


def test_coefficients_may_be_arrays():
    ring = FreeFermionRing(12, coupling=0.7)
    transverse, problem = np.random.default_rng(0).normal(size=(2, 3, 2))
    for method in (ring.ground_energy, ring.gap):
        values = method(transverse, problem)
        assert values.shape == (3, 2)
        assert values[2, 1] == method(transverse[2, 1], problem[2, 1])


@pytest.mark.parametrize(("bad", "message"), [(1j, "real numbers; got complex"), (math.nan, "finite numbers; got nan")])
def test_bad_coefficients(bad, message):
    for method in (FreeFermionRing(6).ground_energy, FreeFermionRing(6).gap):
        with pytest.raises(ValueError, match=f"problem holds {message}"):
            method([1.0, 0.5], [0.3, bad])


def test_long_critical_ring_has_pfeuty_s_energy():
    # -4/pi a spin; the correction of a ring is pi/(12 N^2) times the velocity 2, down
    num_spins = 1000
    energy = FreeFermionRing(num_spins).ground_energy(1.0, 1.0) / num_spins
    assert_allclose(energy, -4 / np.pi - np.pi / (6 * num_spins**2), rtol=0, atol=1e-11)
    assert_allclose(FreeFermionRing(num_spins).gap(1.7, 1.0), 4 * 0.7, rtol=1e-4)


# -- accuracy -------------------------------------------------------------------------------------


def test_echo_returns_after_many_steps():
    """H(T + t) = -H(T - t) undoes what came before it: every error that does not cancel would show."""
    tau = 2e3
    half, field, bond = np.array([0, 0.3, 0.5, 1]) * tau, np.array([2, 0.9, 1.1, 0]), np.array([0.2, 1, -0.4, 0])
    mirrored = Drive(
        times=np.append(half, 2 * tau - half[-2::-1]),
        transverse=np.append(field, -field[-2::-1]),
        problem=np.append(bond, -bond[-2::-1]),
    )
    found = FreeFermionRing(10).evolve(mirrored, times=[0.0, tau / 4, 2 * tau])
    assert found.loschmidt_rate[1] > 0.01
    assert_allclose(found.return_amplitude[-1], 1, rtol=0, atol=1e-11)
    assert_allclose(found.loschmidt_rate[-1], 0, atol=1e-14)
    assert_allclose(found.transverse_moment[-1], found.transverse_moment[0], rtol=0, atol=1e-12)


def test_steps_do_not_show(monkeypatch):
    ring, (drive, initial) = FreeFermionRing(40), DRIVES["knots"]
    few = ring.evolve(drive, initial=initial, times=[0.5, 2.8])
    many = ring.evolve(drive, initial=initial, times=np.append(np.linspace(0, 2.7, 55)[1:], 2.8))
    monkeypatch.setattr(_free_fermions, "_REACH", 0.4)
    monkeypatch.setattr(_free_fermions, "_BLOCK", 1)
    short = ring.evolve(drive, initial=initial, times=[0.5, 2.8])
    assert_allclose(few.times[0], many.times[9])
    for name in ("energy", "defect_density", "return_amplitude", "ground_probability"):
        assert_allclose(getattr(few, name), getattr(many, name)[[9, -1]], rtol=1e-12, atol=1e-13)
        assert_allclose(getattr(few, name), getattr(short, name), rtol=1e-12, atol=1e-13)


def test_constant_drive_is_exact_at_any_time():
    # a rotation by 2 eps_k t, at a time that no step could resolve
    duration, (g0, g1) = 1e4, (0.3, 1.4)
    found = FreeFermionRing(6).evolve(
        Drive.constant(duration, transverse=g1, problem=1), times=[duration], initial=(g0, 1)
    )
    assert_allclose(found.loschmidt_rate, quench_rate(6, g0, g1, [duration]), rtol=1e-9)


def test_ground_state_stays():
    ring = FreeFermionRing(2000)
    found = ring.evolve(Drive.constant(50, transverse=0.8, problem=1), times=[0, 3, 50])
    assert_allclose(found.energy, ring.ground_energy(0.8, 1.0), rtol=1e-12)
    assert_allclose(found.excitation_density, 0, atol=1e-20)
    assert_allclose(found.ground_probability, 1, rtol=1e-11)
    assert_allclose(found.loschmidt_rate, 0, atol=1e-13)


# -- known physics --------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [0.1, 0.3])
def test_landau_zener(tau):
    """k = pi/4 and 3 pi/4 of four spins, each swept through its crossing: p = exp(-2 pi tau sin(k)^2) (Zener 1932)."""
    far = 100
    sweep = Drive(times=[0, 2 * far * tau], transverse=[far, -far], problem=[1, 1])
    found = FreeFermionRing(4).evolve(sweep, times=[sweep.duration])
    # the ends of the sweep, not at infinity, are off by an amplitude of 1 / (8 tau far^3)
    assert_allclose(found.excitation_density, math.exp(-math.pi * tau), rtol=0, atol=4 / (8 * tau * far**3))


def test_kibble_zurek():
    """Dziarmaga 2005: g = 1/tau a unit of time leaves n = 1 / (2 pi sqrt(2 tau)) kinks a spin."""
    taus = np.geomspace(4, 128, 6)
    ring = FreeFermionRing(1024)
    kinks = []
    for tau in taus:
        ramp = Drive(times=[0, 3 * tau], transverse=[3, 0], problem=[1, 1])
        end = ring.evolve(ramp, times=[ramp.duration])
        # at g = 0 an excited pair of fermions is a pair of kinks
        assert_allclose(end.defect_density, end.excitation_density, rtol=0, atol=1e-12)
        kinks.append(end.defect_density[0])
    assert abs(np.polyfit(np.log(taus), np.log(kinks), 1)[0] + 0.5) < 0.01
    assert_allclose(kinks * np.sqrt(taus), 1 / (2 * np.pi * np.sqrt(2)), rtol=0.03)


def test_kibble_zurek_of_an_anneal():
    # A = 1 - s, B = s. At s = 1/2 their difference moves by 2/t_a and H is half as large: tau = (1/2)^2 / (2/t_a)
    annealing_time = 800.0
    tau = annealing_time / 8
    found = FreeFermionRing(1024, coupling=-1.0).evolve(AnnealSchedule.linear(annealing_time).drive())
    assert_allclose(found.defect_density[-1], 1 / (2 * np.pi * np.sqrt(2 * tau)), rtol=0.03)


def test_slow_anneal_of_a_short_ring_is_adiabatic():
    found = FreeFermionRing(8).evolve(AnnealSchedule.linear(1000.0).drive(), times=[0, 500, 1000])
    assert (found.ground_probability > 1 - 1e-4).all()
    assert 0 < found.excitation_density[-1] < 1e-6


def quench_rate(num_spins, g0, g1, times):
    """The closed formula, problem = 1: |<psi(0)|psi(t)>|^2 = prod_k>0 1 - sin(angle)^2 sin(eps_k t)^2."""
    k = np.pi * np.arange(1, num_spins, 2) / num_spins
    before, after = (np.array([g - np.cos(k), np.sin(k)]) for g in (g0, g1))
    cosine = np.sum(before * after, axis=0) / np.linalg.norm(before, axis=0) / np.linalg.norm(after, axis=0)
    turns = np.sin(2 * np.linalg.norm(after, axis=0) * np.asarray(times)[:, None])
    return -np.log(1 - (1 - cosine**2) * turns**2).sum(axis=1) / num_spins


def test_loschmidt_rate_has_its_cusps():
    """Heyl, Polkovnikov, Kehrein 2013: at t = (n + 1/2) pi / eps_k*, cos k* = (1 + g0 g1) / (g0 + g1)."""
    num_spins, (g0, g1) = 10_000, (0.5, 2.0)
    critical = 2 * math.sqrt(1 + g1**2 - 2 * g1 * (1 + g0 * g1) / (g0 + g1))
    times = np.linspace(0, 3 * np.pi / critical, 301)
    cusps = [50, 150, 250]
    assert_allclose(times[cusps], (np.arange(3) + 0.5) * np.pi / critical)
    found = FreeFermionRing(num_spins).evolve(
        Drive.constant(times[-1], transverse=g1, problem=1), times=times, initial=(g0, 1)
    )
    assert_allclose(found.loschmidt_rate, quench_rate(num_spins, g0, g1, times), rtol=0, atol=1e-9)
    # the rate bends there, and nowhere else as much
    bend = np.append(0, np.abs(np.diff(found.loschmidt_rate, 2)))
    assert bend[cusps].min() > 2.5 * np.delete(bend, cusps).max()


def test_no_cusp_within_a_phase():
    times = np.linspace(0, 5, 501)
    found = FreeFermionRing(4000).evolve(Drive.constant(5, transverse=2.0, problem=1), times=times, initial=(1.3, 1))
    # a cusp bends by 2e-3 and more in such steps
    assert np.abs(np.diff(found.loschmidt_rate, 2)).max() < 1e-4


# -- edges ----------------------------------------------------------------------------------------


def test_times_are_the_knots_unless_given():
    drive, initial = DRIVES["knots"]
    found = FreeFermionRing(4).evolve(drive, initial=initial)
    assert_array_equal(found.times, drive.times)
    assert found.energy.shape == found.return_amplitude.shape == (5,)


def test_time_zero_alone():
    found = FreeFermionRing(4).evolve(DRIVES["ramp"][0], times=[0])
    assert_allclose(found.ground_probability, [1])
    assert_allclose(found.energy, FreeFermionRing(4).ground_energy(2.5, 0.2))


def test_no_hamiltonian_has_no_ground_state():
    gone = Drive(times=[0, 1], transverse=[1, 0], problem=[0.5, 0])
    found = FreeFermionRing(4).evolve(gone)
    assert np.isnan([found.excitation_density[1], found.ground_probability[1]]).all()
    assert found.energy[1] == 0
    assert_allclose(found.return_amplitude[1].imag, -math.sin(FreeFermionRing(4).ground_energy(1, 0.5) / 2))


def test_amplitude_of_a_long_ring_may_vanish_but_not_its_rate():
    found = FreeFermionRing(100_000).evolve(
        Drive.constant(0.7, transverse=3, problem=0.2), times=[0.7], initial=(0.1, 1)
    )
    assert found.return_amplitude[0] == 0
    assert 0.1 < found.loschmidt_rate[0] < 1


@pytest.mark.parametrize(
    ("num_spins", "keywords", "message"),
    [
        (5, {}, "num_spins is even.*got 5"),
        (2, {}, "num_spins is a whole number of at least 4; got 2"),
        (8, {"coupling": 0.0}, "coupling is not 0.*got 0.0"),
        (8, {"coupling": 1j}, "coupling is a finite number"),
        (8, {"gamma": math.inf}, "gamma is a finite number.*got inf"),
    ],
)
def test_bad_rings(num_spins, keywords, message):
    with pytest.raises(ValueError, match=message):
        FreeFermionRing(num_spins, **keywords)


def test_a_ring_larger_than_memory():
    with pytest.raises(MemoryError, match=r"ring of 1000000000000000 spins need about .* GiB"):
        FreeFermionRing(10**15)


def test_a_drive_of_more_steps_than_memory():
    with pytest.raises(MemoryError, match=r"steps need about .* GiB.* Take a shorter drive"):
        FreeFermionRing(4).evolve(Drive(times=[0, 1e15], transverse=[1, 0], problem=[0, 1]))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"times": [0, 4.0]}, "time is from 0 to 3, the drive's duration"),
        ({"times": [-0.1, 1]}, "time is from 0 to 3"),
        ({"times": [1, 0.5]}, "times rise from each point to the next; got 1 and then 0.5"),
        ({"times": []}, "times is a sequence of at least 1 numbers"),
        ({"times": [1j]}, "times holds real numbers; got complex"),
        ({"initial": (0, 0)}, r"begins in the ground state of an H that is not 0; got .*\(0.0, 0.0\).*Give initial"),
        ({"initial": 1.0}, "initial is a pair of numbers; got 1.0"),
        ({"initial": (1.0, math.nan)}, "initial is a finite number.*got nan"),
    ],
)
def test_bad_evolutions(keywords, message):
    with pytest.raises(ValueError, match=message):
        FreeFermionRing(4).evolve(DRIVES["ramp"][0], **keywords)


def test_a_drive_that_begins_at_nothing_needs_a_state():
    rise = Drive(times=[0, 1], transverse=[0, 1], problem=[0, 0.5])
    with pytest.raises(ValueError, match="Give initial"):
        FreeFermionRing(4).evolve(rise)
    assert np.isfinite(FreeFermionRing(4).evolve(rise, initial=(1, 0)).energy).all()


def test_a_schedule_is_no_drive():
    with pytest.raises(TypeError, match=r"drive is a Drive; got AnnealSchedule\. Of an AnnealSchedule take"):
        FreeFermionRing(4).evolve(AnnealSchedule.linear(1.0))
