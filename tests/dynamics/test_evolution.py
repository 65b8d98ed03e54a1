"""Coherent evolution against dense solutions, QuTiP and the Landau-Zener formula."""

import tracemalloc

import numpy as np
import pytest
import qutip
from scipy.integrate import solve_ivp

from annealnn import IsingModel
from annealnn.dynamics import (
    AdiabaticMasterEquationAnnealer,
    OhmicBath,
    SchrodingerAnnealer,
    evolve,
    evolve_dephasing,
    evolve_open,
)
from annealnn.dynamics import _propagation as propagation
from annealnn.models._transverse import dense_hamiltonian
from annealnn.schedules import AnnealSchedule, Drive

DRIVES = {
    "ramp": AnnealSchedule.linear(5.0).drive(),
    "pause": AnnealSchedule.with_pause(4.0, s=0.4, pause_time=2.0).drive(),
    "quench": AnnealSchedule.with_quench(4.0, s=0.6, quench_time=0.02).drive(),
    "signs": Drive(times=[0, 0.5, 2, 2.1], transverse=[1, -2, 0.3, 0.3], problem=[-1, 0, 1.5, -3]),
}


def random_problem(num_variables, seed=0):
    rng = np.random.default_rng(seed)
    J = np.triu(rng.normal(size=(num_variables, num_variables)), 1)
    return IsingModel(rng.normal(size=num_variables), J)


def dense_terms(problem, gamma):
    """Return -sum gamma X and E(Z) as matrices."""
    zero = IsingModel(np.zeros(len(problem.h)), {})
    transverse = dense_hamiltonian(zero.structure, zero.parameters, gamma)
    return transverse, dense_hamiltonian(problem.structure, problem.parameters, np.zeros(len(problem.h)))


def dense_evolution(problem, drive, gamma, start, times):
    """Return the state at `times`, (num_times, 2**n), by an explicit method of order 8 over dense matrices."""
    transverse, diagonal = dense_terms(problem, gamma)

    def slope(time, psi):
        along, with_problem = drive.at(min(time, drive.duration))
        return -1j * (along * (transverse @ psi) + with_problem * (diagonal @ psi))

    states, psi, now = [], start.astype(complex), 0.0
    for time in times:
        stops = [*drive.times[(drive.times > now) & (drive.times < time)], time]
        for stop in stops:
            psi = solve_ivp(slope, (now, stop), psi, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
            now = stop
        states.append(psi)
    return np.array(states)


def plus(num_variables):
    return np.full(2**num_variables, 2 ** (-num_variables / 2))


@pytest.mark.parametrize("name", DRIVES)
@pytest.mark.parametrize("num_variables", [1, 2, 5])
def test_states_are_those_of_a_dense_solver(name, num_variables):
    problem, drive = random_problem(num_variables), DRIVES[name]
    gamma = np.linspace(0.5, 1.5, num_variables)
    times = drive.duration * np.array([0.1, 0.5, 1.0])
    expected = dense_evolution(problem, drive, gamma, plus(num_variables), times)
    found = evolve(problem, drive, gamma=gamma, times=times, observe=lambda time, psi: psi, tolerance=1e-9)
    apart = np.linalg.norm(np.array(found.observed) - expected, axis=1)
    assert apart.max() < 1e-9
    np.testing.assert_array_equal(found.state, found.observed[-1])
    assert 0 < found.error < 2e-9


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-7, 1e-9, 1e-11])
def test_the_error_is_below_what_is_said_and_near_what_is_asked(tolerance):
    problem, drive = random_problem(6), AnnealSchedule.with_pause(6.0, s=0.5, pause_time=1.0).drive()
    exact = evolve(problem, drive, tolerance=1e-12).state
    found = evolve(problem, drive, tolerance=tolerance)
    apart = np.linalg.norm(found.state - exact)
    assert tolerance / 1000 < apart < found.error + 1e-12
    assert found.error < 1.5 * tolerance


# terms that grow from nothing, that pass through it, and that begin to move after a rest
GROWING = {
    "steep": Drive(times=[0, 2.5], transverse=[0, -12], problem=[-0.05, 0.08]),
    "crossing": Drive(times=[0, 0.4, 2.8], transverse=[0, -0.15, -3], problem=[0, 2.7, -0.15]),
    "resting": Drive(times=[0, 0.05, 0.7, 1.6], transverse=[0.05, 1.1, 1.1, -0.2], problem=[-0.2, 0, 0, -0.4]),
}


@pytest.mark.parametrize("name", GROWING)
@pytest.mark.parametrize("num_variables", [1, 3])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-8])
def test_errors_that_grow_between_measurements_are_bounded(name, num_variables, tolerance):
    problem, drive = random_problem(num_variables, seed=1), GROWING[name]
    exact = dense_evolution(problem, drive, np.ones(num_variables), plus(num_variables), [drive.duration])[0]
    found = evolve(problem, drive, tolerance=tolerance)
    assert np.linalg.norm(found.state - exact) < found.error < 1.5 * tolerance


def test_random_drives_keep_their_tolerance():
    # kinks, quenches of a thousandth, terms that vanish or turn: the worst for steps of which one in twenty is measured
    rng = np.random.default_rng(1)
    exceeded = 0
    for _ in range(60):
        n, num_pieces = int(rng.integers(1, 5)), int(rng.integers(1, 6))
        strength = rng.choice([0.1, 1, 5])
        problem = IsingModel(strength * rng.normal(size=n), strength * np.triu(rng.normal(size=(n, n)), 1))
        times = np.cumsum([0.0, *rng.choice([1e-3, 0.02, 0.3, 1, 4], num_pieces)])
        transverse, with_problem = rng.choice([0, 1, -2, 5], (2, num_pieces + 1)) * rng.random((2, num_pieces + 1))
        drive = Drive(times=times, transverse=transverse, problem=with_problem)
        tolerance = 10 ** rng.uniform(-9, -2)
        found = evolve(problem, drive, tolerance=tolerance)
        apart = np.linalg.norm(found.state - evolve(problem, drive, tolerance=1e-12).state)
        assert apart < tolerance
        exceeded += apart > found.error + 1e-12
    assert exceeded <= 1


def test_short_stretches_of_a_drive_make_no_short_steps_after_them():
    drive = Drive(times=[0, 1e-6, 3, 3.000001, 6], transverse=[1, 1, 0.5, 0.5, 0], problem=[0, 0, 0.5, 0.5, 1])
    assert evolve(random_problem(3), drive, tolerance=1e-9).num_steps < 1500


def test_the_steps_of_a_long_drive_are_not_laid_out_at_once():
    drive = Drive.constant(1e12, transverse=1, problem=1)
    ends = propagation.Propagator(random_problem(2), np.ones(2), drive, tolerance=1e-2)._ends(drive.duration)
    assert len(ends) < 30
    assert 0 < ends[-1] < 10


def test_a_wrong_coefficient_shows(monkeypatch):
    # what tells the order of the steps also tells that they are not of that order
    phased = propagation._PHASED.copy()
    phased[1] += 1e-3
    problem, drive = random_problem(5), DRIVES["ramp"]
    right = evolve(problem, drive, tolerance=1e-9)
    monkeypatch.setattr(propagation, "_PHASED", phased)
    wrong = evolve(problem, drive, tolerance=1e-6)
    assert wrong.num_steps > 10 * right.num_steps
    exact = dense_evolution(problem, drive, np.ones(5), plus(5), [drive.duration])[0]
    assert np.linalg.norm(wrong.state - exact) > 1e-9


def test_amplitudes_are_normalised():
    # as numbers with seven digits may be off
    state = evolve(random_problem(2), DRIVES["ramp"], initial_state=0.5 * np.ones(4) * (1 + 5e-7)).state
    assert np.linalg.norm(state) == pytest.approx(1, abs=1e-12)


def test_measurements_are_those_of_dense_operators():
    problem, drive, n = random_problem(4), DRIVES["pause"], 4
    gamma = np.array([0.5, 1.0, 2.0, 0.0])
    found = evolve(problem, drive, gamma=gamma, times=[1.0, 3.0], observe=lambda time, psi: psi)
    transverse, diagonal = dense_terms(problem, gamma)
    for t, psi in enumerate(found.observed):
        along, with_problem = drive.at(found.times[t])
        matrix = along * transverse + with_problem * diagonal
        assert found.energy[t] == pytest.approx((psi.conj() @ matrix @ psi).real, abs=1e-12)
        assert found.problem_energy[t] == pytest.approx((psi.conj() @ diagonal @ psi).real, abs=1e-12)
        for i in range(n):
            flipped = psi.reshape(2**i, 2, -1)[:, ::-1].ravel()
            assert found.transverse_moments[t, i] == pytest.approx((psi.conj() @ flipped).real, abs=1e-12)
            signs = 1 - 2 * ((np.arange(2**n) >> (n - 1 - i)) & 1)
            assert found.moments.spins[t, i] == pytest.approx((abs(psi) ** 2) @ signs, abs=1e-12)
        assert found.moments.pairs.shape == (2, problem.structure.num_edges)


@pytest.mark.parametrize(("num_variables", "num_levels"), [(3, 8), (5, 4), (9, 3)])
def test_populations_of_levels_are_those_of_dense_eigenvectors(num_variables, num_levels):
    # of 9 variables levels are iterated
    problem, drive = random_problem(num_variables), DRIVES["pause"]
    times = [0.0, 1.0, 3.0, drive.duration]
    found = evolve(problem, drive, times=times, num_levels=num_levels, observe=lambda time, psi: psi)
    transverse, diagonal = dense_terms(problem, np.ones(num_variables))
    for t, psi in enumerate(found.observed):
        along, with_problem = drive.at(times[t])
        levels, vectors = np.linalg.eigh(along * transverse + with_problem * diagonal)
        np.testing.assert_allclose(found.levels[t], levels[:num_levels], atol=1e-8)
        if t:  # at first many levels are one
            populations = np.abs(vectors.T @ psi)[:num_levels] ** 2
            np.testing.assert_allclose(found.populations[t], populations, atol=1e-7)
    assert found.populations[0, 0] == pytest.approx(1)
    if num_levels == 2**num_variables:
        np.testing.assert_allclose(found.populations.sum(axis=1), 1)
    assert evolve(problem, drive).populations.shape == (1, 0)


def test_an_evolution_goes_on_from_a_kept_state():
    problem, drive = random_problem(4), DRIVES["pause"]
    whole = evolve(problem, drive, tolerance=1e-9).state
    kept = evolve(problem, drive.between(0, 2.3), tolerance=1e-9).state
    rest = evolve(problem, drive.between(2.3, drive.duration), initial_state=kept, tolerance=1e-9).state
    assert np.linalg.norm(rest - whole) < 3e-9
    assert np.linalg.norm(kept - whole) > 0.1


def test_states_may_begin_anywhere():
    problem, drive = random_problem(3), DRIVES["signs"]
    spins = np.array([1, -1, -1])
    number = 0b011
    basis = np.zeros(8)
    basis[number] = 1
    by_spins, by_label, by_amplitudes = (
        evolve(problem, drive, initial_state=start, tolerance=1e-10).state
        for start in (spins, dict(enumerate(spins.tolist())), basis)
    )
    np.testing.assert_array_equal(by_spins, by_label)
    np.testing.assert_array_equal(by_spins, by_amplitudes)
    expected = dense_evolution(problem, drive, np.ones(3), basis, [drive.duration])[0]
    assert np.linalg.norm(by_spins - expected) < 1e-9


@pytest.mark.parametrize("rate", np.geomspace(0.1, 100, 10).round(4))
def test_landau_zener(rate):
    # H = -(gap/2) X - (rate t/2) Z from -T to T with gap 1, from one instantaneous ground state to the other
    # so far out that the rest is 1e-5: of the order of rate / energy^3
    half = (25 if rate < 1 else 60 * rate**0.5) / rate
    drive = Drive(times=[0, 2 * half], transverse=[0.5, 0.5], problem=[-rate * half / 2, rate * half / 2])
    grounds = []
    for problem in drive.problem:
        # ground state of -a X - b Z
        matrix = -np.array([[problem, 0.5], [0.5, -problem]])
        grounds.append(np.linalg.eigh(matrix)[1][:, 0])
    found = evolve(IsingModel([1.0], {}), drive, initial_state=grounds[0], tolerance=1e-7)
    stayed = abs(grounds[1] @ found.state) ** 2
    assert 1 - stayed == pytest.approx(np.exp(-np.pi / (2 * rate)), abs=1e-4)


def qutip_state(problem, drive, num_qubits):
    """Return QuTiP's state at the drive's end."""

    def operator(pauli, *where):
        return qutip.tensor([pauli if k in where else qutip.qeye(2) for k in range(num_qubits)])

    transverse = -sum(operator(qutip.sigmax(), i) for i in range(num_qubits))
    diagonal = -sum(field * operator(qutip.sigmaz(), i) for i, field in enumerate(problem.h))
    for (i, j), coupling in zip(problem.structure.edges, problem.parameters.couplings, strict=True):
        diagonal -= coupling * operator(qutip.sigmaz(), i, j)
    # its last step tries times past the end
    along, with_problem = (lambda t, which=which: drive.at(min(t, drive.duration))[which] for which in (0, 1))
    hamiltonian = qutip.QobjEvo([[transverse, along], [diagonal, with_problem]])
    start = qutip.tensor([(qutip.basis(2, 0) + qutip.basis(2, 1)).unit()] * num_qubits)
    options = {"method": "vern9", "atol": 1e-11, "rtol": 1e-9, "nsteps": 100_000, "progress_bar": ""}
    return qutip.sesolve(hamiltonian, start, [0, drive.duration], options=options).states[-1].full().ravel()


@pytest.mark.parametrize("num_qubits", [1, 2, 7])
def test_states_are_those_of_qutip(num_qubits):
    ring = {(i, (i + 1) % num_qubits): 1.0 for i in range(num_qubits if num_qubits > 2 else num_qubits - 1)}
    problem = IsingModel(np.linspace(0.2, -0.4, num_qubits), ring)
    drive = AnnealSchedule.linear(8.0).drive()
    apart = evolve(problem, drive, tolerance=1e-8).state - qutip_state(problem, drive, num_qubits)
    assert np.linalg.norm(apart) < 1e-6


def test_threads_do_not_show():
    problem, drive = random_problem(16), AnnealSchedule.linear(0.2).drive()
    one, two = (evolve(problem, drive, tolerance=1e-2, num_threads=n).state for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert propagation._THREADED <= 16


def test_memory_is_that_of_less_than_four_states():
    problem, drive = random_problem(17), AnnealSchedule.linear(0.05).drive()
    evolve(problem, drive, tolerance=1e-2)
    tracemalloc.start()
    evolve(problem, drive, tolerance=1e-2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 16 * 2**17


def test_nothing_moves_without_a_hamiltonian():
    drive = Drive.constant(3.0, transverse=0.0, problem=0.0)
    found = evolve(random_problem(2), drive)
    np.testing.assert_allclose(found.state, plus(2), atol=1e-15)
    empty = evolve(IsingModel([], {}), AnnealSchedule.linear(1.0).drive(), times=[0.0, 1.0])
    assert empty.moments.spins.shape == (2, 0)
    assert abs(empty.state[0]) == pytest.approx(1)


def test_progress_is_shown(monkeypatch, capsys):
    evolve(random_problem(2), DRIVES["ramp"], progress=True)
    assert "100%" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"times": [1.0, 0.5]}, "times rise from each point to the next; got 1 and then 0.5"),
        ({"times": [-1.0, 0.5]}, "times are from 0 to 5, the drive's duration; got -1 to 0.5"),
        ({"times": [6.0]}, "times are from 0 to 5"),
        ({"times": []}, "times is a sequence of at least 1 numbers"),
        ({"gamma": -1.0}, "gamma is a finite number, at least 0 and at most 1e.30; got -1.0"),
        ({"gamma": [1.0]}, r"gamma is one number or one per variable, shape \(2,\)"),
        ({"gamma": 1j}, "gamma is a finite number, at least 0 and at most 1e.30; got 1j"),
        ({"tolerance": 0.0}, "tolerance is a finite number"),
        ({"tolerance": 1.0}, "tolerance is a finite number"),
        ({"initial_state": [1, 0]}, "holds spins, -1 or .1; got"),
        ({"initial_state": [None, 1, 0, 0]}, "initial_state holds numbers; got"),
        ({"initial_state": ["1", "1"]}, "initial_state holds numbers; got"),
        ({"initial_state": {0: 1}}, "initial_state has a spin for every variable; got none for 1"),
        ({"initial_state": [1, 1, 1]}, r"or 2\^2 amplitudes; got an array of shape \(3,\)"),
        ({"initial_state": [1, 1, 0, 0]}, "amplitudes have norm 1; got 1.41421"),
        ({"num_levels": -1}, "num_levels is a whole number of at least 0; got -1"),
        ({"num_levels": 5}, "levels are at most as many as states, 4; got 5"),
        ({"num_threads": 0}, "num_threads is a whole number of at least 1"),
    ],
)
def test_bad_input_is_refused(keywords, says):
    with pytest.raises(ValueError, match=says):
        evolve(random_problem(2), DRIVES["ramp"], **keywords)


@pytest.mark.parametrize(
    "run",
    [
        evolve,
        lambda problem, drive: evolve_open(problem, drive, OhmicBath(beta=1.0)),
        lambda problem, drive: evolve_dephasing(problem, drive, 0.1),
    ],
)
def test_a_schedule_is_no_drive_and_a_bqm_no_model(run):
    schedule = AnnealSchedule.linear(1.0)
    with pytest.raises(TypeError, match=r"drive is a Drive; got AnnealSchedule\. Of an AnnealSchedule take its drive"):
        run(random_problem(1), schedule)
    with pytest.raises(TypeError, match=r"problem is an IsingModel; got BinaryQuadraticModel\. Of dimod's take"):
        run(random_problem(1).to_bqm(), schedule.drive())


def test_too_many_qubits_are_refused_before_anything_is_allocated():
    problem = IsingModel(np.zeros(45), {})
    tracemalloc.start()
    with pytest.raises(MemoryError, match=r"2\^45 amplitudes, three times, and their energies need about 1,835,008.0"):
        evolve(problem, DRIVES["ramp"])
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_thousands_of_qubits_are_refused_in_words():
    problem, drive = IsingModel(np.zeros(3000), {(0, 1): 1.0}), DRIVES["ramp"]
    with pytest.raises(MemoryError, match=r"energies need about 2\^\d+ GiB"):
        evolve(problem, drive)
    for sampler in (SchrodingerAnnealer(), AdiabaticMasterEquationAnnealer()):
        with pytest.raises(MemoryError, match=r"3000 variables, 2\^3000 states, need about 2\^2975 GiB"):
            sampler.sample(problem.to_bqm())
    with pytest.raises(ValueError, match="evolved up to 8 qubits; got 3000"):
        evolve_open(problem, drive, OhmicBath(beta=1.0))


@pytest.mark.parametrize("make", [lambda: IsingModel([1j], {}), lambda: IsingModel([1.0, 1.0], {(0, 1): 1 + 1j})])
def test_complex_fields_are_refused(make):
    with pytest.raises(ValueError, match=r"holds real numbers; got complex"):
        make()
