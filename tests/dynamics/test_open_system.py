"""Open evolutions against QuTiP, closed forms, and independent integrators."""

import os
import subprocess
import sys

import numpy as np
import pytest
import qutip
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._dephasing import evolve_dephasing
from annealnn.dynamics._master_equation import evolve_open
from annealnn.dynamics._open import DenseModel
from annealnn.models import IsingModel
from annealnn.schedules import AnnealSchedule, Drive

ONE = IsingModel([0.7], {})
TWO = IsingModel([0.7, -0.3], {(0, 1): 0.9})
THREE = IsingModel([0.7, -0.3, 0.1], {(0, 1): 0.9, (1, 2): -0.4})
TRIANGLE = IsingModel([0.0] * 3, {(0, 1): -1.0, (1, 2): -1.0, (0, 2): -1.0})
RING = IsingModel([0.0] * 4, {(0, 1): 1.0, (1, 2): 1.0, (2, 3): 1.0, (0, 3): 1.0})
BATH = OhmicBath(beta=1.3, coupling=1e-2, cutoff=5.0)
STILL = Drive.constant(6.0, transverse=0.6, problem=0.4)
RAMP = Drive(times=[0.0, 3.0, 8.0], transverse=[1.0, 0.7, 0.2], problem=[0.1, 0.3, 1.0])


def trace_distance(a, b):
    return np.abs(np.linalg.eigvalsh(a - b)).sum() / 2


def some_density(size, seed=0):
    real, imaginary = np.random.default_rng(seed).normal(size=(2, size, size))
    out = (real + 1j * imaginary) @ (real + 1j * imaginary).conj().T
    return out / np.trace(out)


def by_qutip(problem, drive, bath, rho):
    """Bloch and Redfield's equation, all that turns left out: Davies' where no two frequencies agree."""
    model = DenseModel.of(problem, 1.0)
    still = (drive.transverse[0], drive.problem[0]) == (drive.transverse[-1], drive.problem[-1])
    pieces = [
        [qutip.Qobj(-model.flips), lambda t: float(drive.at(min(t, drive.duration))[0])],
        [qutip.Qobj(np.diag(model.energies)), lambda t: float(drive.at(min(t, drive.duration))[1])],
    ]
    found = qutip.brmesolve(
        qutip.Qobj(model.hamiltonian(drive.transverse[0], drive.problem[0])) if still else qutip.QobjEvo(pieces),
        qutip.Qobj(rho),
        [0, drive.duration],
        # by the name of its argument, w, QuTiP knows a spectrum from a function of time
        a_ops=[[qutip.Qobj(np.diag(sign)), lambda w: float(bath.rates(w))] for sign in model.signs],
        sec_cutoff=1e-9,
        options={"atol": 1e-8, "rtol": 1e-7, "nsteps": 100_000, "progress_bar": ""},
    )
    return found.states[-1].full()


@pytest.mark.parametrize("drive", [STILL, RAMP], ids=["still", "ramp"])
@pytest.mark.parametrize("problem", [ONE, TWO], ids=["one", "two"])
def test_master_equation_is_qutips(problem, drive):
    rho = some_density(2 ** len(problem.h))
    found = evolve_open(problem, drive, BATH, initial_state=rho, tolerance=1e-5)
    expected = by_qutip(problem, drive, BATH, rho)
    assert trace_distance(found.states[-1], expected) < 1e-5
    # another temperature, coupling or sign of energy would show
    for other in (OhmicBath(beta=1.0, coupling=1e-2, cutoff=5.0), OhmicBath(beta=1.3, coupling=9e-3, cutoff=5.0)):
        assert trace_distance(evolve_open(problem, drive, other, initial_state=rho).states[-1], expected) > 1e-4


@pytest.mark.parametrize("coupled", [False, True])
def test_error_is_below_the_tolerance(coupled):
    bath = OhmicBath(beta=1.0, coupling=1e-2 if coupled else 0.0)
    drive = AnnealSchedule.linear(10.0).drive()
    fine = evolve_open(THREE, drive, bath, tolerance=1e-6)
    coarse = evolve_open(THREE, drive, bath, tolerance=1e-3)
    true = trace_distance(fine.states[-1], coarse.states[-1])
    assert true < coarse.error < 1.1e-3
    assert true > fine.error, "as good as the fine one: the check sees nothing"
    assert coarse.num_steps < fine.num_steps / 3


def test_error_falls_as_the_steps_do(monkeypatch):
    # fourth order without a bath: half the step, a sixteenth of the error
    drive, lonely = AnnealSchedule.linear(4.0).drive(), OhmicBath(beta=1.0, coupling=0.0)
    exact = evolve_open(THREE, drive, lonely, tolerance=1e-10).states[-1]
    errors = []
    for parts in (16, 32):
        monkeypatch.setattr("annealnn.dynamics._master_equation._FIRST", 1 / parts)
        monkeypatch.setattr("annealnn.dynamics._master_equation._SHORTEST", 1.0)
        monkeypatch.setattr("annealnn.dynamics._master_equation._GROWTH", 1.0)
        found = evolve_open(THREE, drive, lonely, tolerance=0.1).states[-1]
        errors.append(trace_distance(found, exact))
    assert 13 < errors[0] / errors[1] < 19


def test_without_coupling_evolution_is_unitary():
    psi = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8, 2)).view(complex)[..., 0])[0][0]
    model = DenseModel.of(THREE, [1.0, 0.5, 1.5])
    found = evolve_open(
        THREE, RAMP, OhmicBath(beta=1.0, coupling=0.0), gamma=[1.0, 0.5, 1.5], initial_state=psi, tolerance=1e-7
    )
    expected = solve_ivp(
        lambda t, y: -1j * (model.hamiltonian(*RAMP.at(min(t, RAMP.duration))) @ y),
        (0, 8),
        psi,
        rtol=1e-9,
        atol=1e-11,
        max_step=0.5,
    ).y[:, -1]
    np.testing.assert_allclose(found.states[-1], np.outer(expected, expected.conj()), atol=1e-7)
    still = evolve_open(THREE, STILL, OhmicBath(beta=1.0, coupling=0.0), initial_state=psi)
    expected = expm(-6j * DenseModel.of(THREE, 1.0).hamiltonian(0.6, 0.4)) @ psi
    np.testing.assert_allclose(still.states[-1], np.outer(expected, expected.conj()), atol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 2.0])
@pytest.mark.parametrize("problem", [TWO, TRIANGLE, RING], ids=["two", "triangle", "ring"])
def test_slow_anneal_ends_at_the_temperature_of_the_bath(problem, beta):
    # at rest for long under both terms; then a look
    drive = Drive(times=[0.0, 5.0, 2000.0], transverse=[1.0, 0.6, 0.6], problem=[0.0, 0.8, 0.8])
    bath = OhmicBath(beta=beta, coupling=1e-2)
    found = evolve_open(problem, drive, bath, tolerance=1e-3)
    gibbs = expm(-beta * DenseModel.of(problem, 1.0).hamiltonian(0.6, 0.8))
    gibbs /= np.trace(gibbs)
    assert trace_distance(found.states[-1], gibbs) < 1e-3
    weights = np.exp(-beta * found.levels[-1])
    np.testing.assert_allclose(found.populations[-1], weights / weights.sum(), atol=1e-3)


def test_report_over_time():
    times = [0.0, 1.0, 3.0, 8.0]
    found = evolve_open(THREE, RAMP, BATH, times=times)
    np.testing.assert_array_equal(found.times, times)
    assert found.populations[0][0] == pytest.approx(1)
    model = DenseModel.of(THREE, 1.0)
    for k, time in enumerate(times):
        hamiltonian, rho = model.hamiltonian(*RAMP.at(time)), found.states[k]
        np.testing.assert_allclose(found.levels[k], np.linalg.eigvalsh(hamiltonian), atol=1e-12)
        assert found.energy[k] == pytest.approx(np.trace(hamiltonian @ rho).real)
        assert found.energy[k] == pytest.approx(found.levels[k] @ found.populations[k])
        assert found.purity[k] == pytest.approx(np.trace(rho @ rho).real)
        assert abs(np.trace(rho) - 1) < 1e-11
        assert np.linalg.eigvalsh(rho)[0] > -1e-12
    np.testing.assert_allclose(found.probabilities, found.states[-1].diagonal().real, atol=1e-12)
    # the state at the end does not depend on who looks on the way
    assert trace_distance(evolve_open(THREE, RAMP, BATH).states[-1], found.states[-1]) < 2e-6


def test_spins_begin_where_they_say():
    # qubit 0 most significant, basis digit 0 is spin +1
    found = evolve_open(THREE, RAMP, BATH, initial_state=[1, -1, -1], times=[0.0])
    assert found.probabilities.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    named = evolve_open(THREE, RAMP, BATH, initial_state={0: 1, 2: -1, 1: -1}, times=[0.0])
    np.testing.assert_array_equal(named.states, found.states)
    degenerate = evolve_open(RING, Drive.constant(1.0, transverse=0.0, problem=1.0), BATH, times=[0.0])
    np.testing.assert_allclose(degenerate.probabilities[[0, -1]], 0.5)
    # degenerate levels share what is in any of them
    aligned = evolve_open(RING, Drive.constant(1.0, transverse=0.0, problem=1.0), BATH, initial_state=[1] * 4)
    np.testing.assert_allclose(aligned.populations[0][:3], [0.5, 0.5, 0], atol=1e-9)


def test_one_qubit_dephases_as_on_paper():
    # no transverse field: a coherence turns with twice the field, and decays
    rho = np.array([[0.6, 0.3 + 0.1j], [0.3 - 0.1j, 0.4]])
    drive = Drive(times=[0.0, 1.0, 4.0], transverse=[0.0] * 3, problem=[0.0, 1.0, 1.0])
    found = evolve_dephasing(ONE, drive, 0.2, initial_state=rho, tolerance=1e-9)
    turned = 2 * 0.7 * (0.5 + 3.0)
    assert found.states[-1][0, 1] == pytest.approx((0.3 + 0.1j) * np.exp(1j * turned - 0.2 * 4), abs=1e-7)
    np.testing.assert_allclose(found.probabilities, [0.6, 0.4], atol=1e-9)
    # along X: relaxes to the equal mixture, at the rate of Z's jumps
    across = evolve_dephasing(IsingModel([0.0], {}), Drive.constant(3.0, transverse=1.0, problem=0.0), 0.2)
    assert across.states[-1][0, 1] == pytest.approx(0.5 * np.exp(-0.2 * 3), abs=1e-7)


def test_two_qubits_dephase_as_by_another_integrator():
    model, rho = DenseModel.of(TWO, [1.0, 0.6]), some_density(4)
    flips = np.array([[(a ^ b).bit_count() for b in range(4)] for a in range(4)])

    def flow(t, y):
        state, hamiltonian = y.reshape(4, 4), model.hamiltonian(*RAMP.at(min(t, 8.0)))
        return (-1j * (hamiltonian @ state - state @ hamiltonian) - 0.1 * flips * state).ravel()

    expected = solve_ivp(flow, (0, 8), rho.ravel(), rtol=1e-9, atol=1e-11, max_step=0.5).y[:, -1].reshape(4, 4)
    found = evolve_dephasing(TWO, RAMP, 0.1, gamma=[1.0, 0.6], initial_state=rho, times=[2.0, 8.0])
    np.testing.assert_allclose(found.states[-1], expected, atol=1e-6)
    assert found.error is None
    assert found.num_steps == 3
    other = evolve_dephasing(TWO, RAMP, 0.11, gamma=[1.0, 0.6], initial_state=rho)
    assert np.abs(other.states[-1] - expected).max() > 1e-3


def test_both_solvers_agree_without_noise():
    a = evolve_dephasing(THREE, RAMP, 0.0)
    b = evolve_open(THREE, RAMP, OhmicBath(beta=1.0, coupling=0.0))
    assert trace_distance(a.states[-1], b.states[-1]) < 2e-6


def test_qutip_is_loaded_when_asked_for():
    code = (
        "import sys, annealnn.dynamics._dephasing, annealnn.dynamics._open_annealers\nassert 'qutip' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


def test_missing_qutip_says_what_to_install(monkeypatch):
    from annealnn.exceptions import MissingDependencyError

    monkeypatch.setitem(sys.modules, "qutip", None)
    with pytest.raises(MissingDependencyError, match=r"not installed: pip install annealnn\[dynamics\]"):
        evolve_dephasing(ONE, STILL, 0.1)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ([1, 0, 1], "initial_state, as one value for each variable, holds spins, -1 or +1; got [1, 0, 1]"),
        (np.ones(8), "amplitudes have norm 1; got 2.82843. Divide them by it"),
        (np.eye(4), "a density matrix holds finite numbers, shape (8, 8); got shape (4, 4)"),
        (np.eye(8), "a density matrix has trace 1; got 8. Divide by it"),
        (np.diag([1.5, -0.5, 0, 0, 0, 0, 0, 0]), "a density matrix has no negative eigenvalue; got -0.5"),
        (np.diag([0.5j, *[0] * 7]) + np.eye(8) / 8, "a density matrix is Hermitian; got one that differs from its"),
    ],
)
def test_bad_states_are_refused(state, text):
    for run in (
        lambda: evolve_open(THREE, RAMP, BATH, initial_state=state),
        lambda: evolve_dephasing(THREE, RAMP, 0.1, initial_state=state),
    ):
        with pytest.raises(ValueError) as caught:
            run()
        assert text in str(caught.value)


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"tolerance": 0.0}, "tolerance is a finite number, at least 1e-10 and at most 0.1; got 0.0"),
        ({"times": [-1.0, 2.0]}, "times are from 0 to 8, the drive's duration; got -1 to 2"),
        ({"times": [2.0, 9.0]}, "times are from 0 to 8, the drive's duration; got 2 to 9"),
        ({"times": [2.0, 2.0]}, "times rise from each point to the next; got 2 and then 2"),
        ({"gamma": -1.0}, "gamma is a finite number, at least 0"),
        ({"gamma": [1.0, 2.0]}, "gamma is one number or one per variable, shape (3,); got shape (2,)"),
        ({"gamma": 1j}, "gamma is a finite number"),
    ],
)
def test_bad_arguments_are_refused(keywords, text):
    with pytest.raises(ValueError) as caught:
        evolve_open(THREE, RAMP, BATH, **keywords)
    assert text in str(caught.value)


def test_other_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="bath is an OhmicBath; got float"):
        evolve_open(THREE, RAMP, 1.0)
    with pytest.raises(ValueError, match=r"dephasing_rate is a finite number, at least 0; got -0\.1"):
        evolve_dephasing(THREE, RAMP, -0.1)


def test_nine_qubits_are_refused_with_their_price(monkeypatch):
    nine = IsingModel([0.1] * 10, {})
    said = r"up to 8 qubits; got 10, where one takes 0\.0156 GiB and a step of the master equation 10 s"
    for run in (lambda: evolve_open(nine, RAMP, BATH), lambda: evolve_dephasing(nine, RAMP, 0.1)):
        with pytest.raises(ValueError, match=said):
            run()
    monkeypatch.setattr("annealnn._memory.available_bytes", lambda: 1 << 20)
    with pytest.raises(MemoryError, match="density matrices of 3 qubits need about"):
        evolve_open(THREE, RAMP, BATH, times=np.linspace(0, 8, 50_000))
