"""The Davies generator against its readable twin, closed forms, and what must hold of any."""

import numpy as np
import pytest
from scipy.linalg import expm

from annealnn.dynamics import _davies
from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._davies import DaviesGenerator
from annealnn.dynamics._open import DenseModel
from annealnn.models import IsingModel
from annealnn.testing._twins_open import davies_dissipator_reference

LOPSIDED = IsingModel([0.7, -0.3, 0.1], {(0, 1): 0.9, (1, 2): -0.4})
# degenerate momenta, and frequencies that many transitions share
RING = IsingModel([0.0] * 4, {(0, 1): 1.0, (1, 2): 1.0, (2, 3): 1.0, (0, 3): 1.0})
TRIANGLE = IsingModel([0.0] * 3, {(0, 1): -1.0, (1, 2): -1.0, (0, 2): -1.0})
LONELY = IsingModel([0.5, 0.5, 0.5], {})
BATH = OhmicBath(beta=1.3, coupling=1e-2, cutoff=5.0)

CASES = [
    pytest.param(IsingModel([0.7], {}), 0.4, 0.6, id="one qubit"),
    pytest.param(LOPSIDED, 0.4, 0.6, id="lopsided"),
    pytest.param(RING, 0.4, 0.6, id="ring"),
    pytest.param(LONELY, 0.4, 0.6, id="three alike"),
    pytest.param(RING, 0.0, 1.0, id="transverse field alone"),
    pytest.param(RING, 1.0, 0.0, id="problem alone"),
    pytest.param(IsingModel([0.0, 0.0], {}), 1.0, 0.0, id="nothing at all"),
]


def generator(problem, s, transverse, bath=BATH):
    model = DenseModel.of(problem, 1.0)
    return DaviesGenerator.of(model.hamiltonian(transverse, s), model.signs, bath), model


def some_matrix(size, seed=0):
    real, imaginary = np.random.default_rng(seed).normal(size=(2, size, size))
    return (real + 1j * imaginary) @ (real + 1j * imaginary).conj().T


def superoperator(act, size):
    """The matrix of a linear map that takes Hermitian matrices."""
    out = np.zeros((size, size, size, size), complex)
    for a in range(size):
        for b in range(size):
            unit = np.zeros((size, size), complex)
            unit[a, b] = 1
            even, odd = unit + unit.T, 1j * (unit - unit.T)
            out[:, :, a, b] = (act(even) - 1j * act(odd)) / 2
    return out.reshape(size**2, size**2)


@pytest.mark.parametrize("many", [512, 3])
@pytest.mark.parametrize(("problem", "s", "transverse"), CASES)
def test_generator_equals_reference(problem, s, transverse, many, monkeypatch):
    monkeypatch.setattr(_davies, "_MANY", many)
    found, model = generator(problem, s, transverse)
    rho = some_matrix(len(model.energies))
    expected = davies_dissipator_reference(
        found.energies, found.vectors, model.signs, lambda omega: float(BATH.rates(omega)), rho
    )
    np.testing.assert_allclose(found.dissipated(rho), expected, atol=1e-13 * np.abs(rho).max())


@pytest.mark.parametrize(("problem", "s", "transverse"), CASES)
def test_any_eigenvectors_of_degenerate_levels_give_the_same_generator(problem, s, transverse):
    found, model = generator(problem, s, transverse)
    rng, vectors = np.random.default_rng(1), found.vectors.copy()
    first, sizes = _davies.runs(found.energies, 1e-9)
    for k, m in zip(first, sizes, strict=True):
        vectors[:, k : k + m] = vectors[:, k : k + m] @ np.linalg.qr(rng.normal(size=(m, m)))[0]
    other = DaviesGenerator.from_spectrum(found.energies, vectors, model.signs, BATH)
    rho = some_matrix(len(model.energies))
    np.testing.assert_allclose(other.dissipated(rho), found.dissipated(rho), atol=1e-12 * np.abs(rho).max())


def test_secular_pair_by_pair_would_depend_on_the_eigenvectors(monkeypatch):
    # no two frequencies taken as one: the check above must see it
    found, model = generator(RING, 0.4, 0.6)
    monkeypatch.setattr(_davies, "_SAME", -1.0)
    apart = DaviesGenerator.from_spectrum(found.energies, found.vectors, model.signs, BATH)
    rho = some_matrix(16)
    assert np.abs(apart.dissipated(rho) - found.dissipated(rho)).max() > 1e-3


@pytest.mark.parametrize(("problem", "s", "transverse"), [*CASES[:2], CASES[3], CASES[6], (TRIANGLE, 0.4, 0.6)])
def test_map_is_completely_positive_and_keeps_the_trace(problem, s, transverse):
    found, model = generator(problem, s, transverse)
    size = len(model.energies)
    matrix = superoperator(lambda rho: found.evolved(rho, 3.0), size)
    # Choi's matrix: [(a, c), (b, d)] of |a><b| -> coefficient of |c><d|
    choi = matrix.reshape(size, size, size, size).transpose(2, 0, 3, 1).reshape(size**2, size**2)
    assert np.linalg.eigvalsh((choi + choi.conj().T) / 2)[0] > -1e-12
    rho = some_matrix(size)
    assert abs(np.trace(found.evolved(rho, 3.0)) / np.trace(rho) - 1) < 1e-13


@pytest.mark.parametrize(("problem", "s", "transverse"), CASES[1:4])
def test_evolution_is_the_exponential_of_the_generator(problem, s, transverse):
    found, model = generator(problem, s, transverse)
    size, hamiltonian = len(model.energies), model.hamiltonian(transverse, s)
    whole = superoperator(lambda rho: found.dissipated(rho) - 1j * (hamiltonian @ rho - rho @ hamiltonian), size)
    # dissipated takes Hermitian matrices, and the commutator with i is one
    rho = some_matrix(size)
    rho /= np.trace(rho)
    for duration in (0.7, 40.0):
        expected = (expm(duration * whole) @ rho.ravel()).reshape(size, size)
        np.testing.assert_allclose(found.evolved(rho, duration), expected, atol=1e-12)


@pytest.mark.parametrize("beta", [0.2, 1.0, 5.0, 40.0])
@pytest.mark.parametrize(("problem", "s", "transverse"), CASES[1:4])
def test_rates_are_in_detailed_balance(problem, s, transverse, beta):
    found, _ = generator(problem, s, transverse, OhmicBath(beta=beta, coupling=1e-2))
    upwards = np.exp(-beta * np.maximum(found.energies[:, None] - found.energies, 0))
    # k(b -> a) / k(a -> b) = exp(-beta (E_a - E_b)): the way up against the way down
    np.testing.assert_allclose(
        np.tril(found.transfers, -1), np.triu(found.transfers, 1).T * np.tril(upwards, -1), rtol=1e-10, atol=1e-300
    )
    assert found.transfers.max() > 0


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
@pytest.mark.parametrize(("problem", "s", "transverse"), CASES[:4])
def test_gibbs_state_stays_and_all_states_go_there(problem, s, transverse, beta):
    found, model = generator(problem, s, transverse, OhmicBath(beta=beta, coupling=1e-2))
    gibbs = expm(-beta * model.hamiltonian(transverse, s)).astype(complex)
    gibbs /= np.trace(gibbs)
    assert np.abs(found.dissipated(gibbs)).max() < 1e-14
    start = np.zeros_like(gibbs)
    start[-1, -1] = 1
    end = found.evolved(start, 2e3)
    assert np.abs(np.linalg.eigvalsh(end - gibbs)).sum() / 2 < 1e-3


def test_one_qubit_relaxes_and_dephases_as_on_paper():
    # H = -x X - z Z: Z = cos along the field, sin across it
    z, x, time = 0.7, 0.6, 2.5
    gap, found = 2 * np.hypot(x, z), generator(IsingModel([z], {}), 1.0, x)[0]
    cosine, sine = z / np.hypot(x, z), x / np.hypot(x, z)
    down, up, still = (float(BATH.rates(omega)) for omega in (gap, -gap, 0.0))
    relaxation = sine**2 * (down + up)
    start = found.vectors @ np.array([[0.1, 0.2 + 0.1j], [0.2 - 0.1j, 0.9]]) @ found.vectors.T
    end = found.vectors.T @ found.evolved(start, time) @ found.vectors
    settled = down / (down + up)
    assert end[0, 0].real == pytest.approx(settled + (0.1 - settled) * np.exp(-relaxation * time), abs=1e-14)
    decay = relaxation / 2 + 2 * cosine**2 * still
    assert end[0, 1] == pytest.approx((0.2 + 0.1j) * np.exp((1j * gap - decay) * time), abs=1e-14)


@pytest.mark.parametrize("bath", [BATH, OhmicBath(beta=60.0, coupling=0.3, cutoff=1.0), OhmicBath(beta=1e-3)])
def test_bath_obeys_kubo_martin_schwinger(bath):
    omega = np.array([1e-12, 1e-6, 0.1, 1.0, 7.0])
    np.testing.assert_allclose(bath.rates(-omega), np.exp(-bath.beta * omega) * bath.rates(omega), rtol=1e-12)
    assert bath.rates(0.0) == pytest.approx(2 * np.pi * bath.coupling / bath.beta)
    assert bath.rates(1e-12) == pytest.approx(float(bath.rates(0.0)))
    expected = 2 * np.pi * bath.coupling * np.exp(-1 / bath.cutoff) / (1 - np.exp(-bath.beta))
    assert bath.rates(1.0) == pytest.approx(expected)


def test_bath_at_a_temperature():
    # k_B T / h at 20 mK is 0.41673 GHz
    bath = OhmicBath.at_temperature_mk(20.0)
    assert bath.beta == pytest.approx(1 / (2 * np.pi * 0.41673), rel=1e-4)
    assert bath.cutoff == pytest.approx(2 * np.pi * 4)
    assert bath.to_dict() == {
        "kind": "ohmic",
        "beta": bath.beta,
        "coupling": bath.coupling,
        "cutoff": bath.cutoff,
        "time_unit": "ns",
    }


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"beta": 0.0}, "beta is a finite number, above 0; got 0.0"),
        ({"beta": 1.0, "coupling": -1e-3}, "coupling is a finite number, at least 0; got -0.001"),
        ({"beta": 1.0, "cutoff": float("inf")}, "cutoff is a finite number, above 0; got inf"),
        ({"beta": 1.0, "time_unit": "us"}, "time_unit is one of '1/energy', 'ns'; got 'us'"),
    ],
)
def test_bath_says_what_is_wrong(keywords, text):
    with pytest.raises(ValueError) as caught:
        OhmicBath(**keywords)
    assert str(caught.value) == text


def test_memory_is_checked_before_pairs_are_made(monkeypatch):
    monkeypatch.setattr(_davies, "_MANY", 1000)
    monkeypatch.setattr("annealnn._memory.available_bytes", lambda: 1 << 20)
    six = DenseModel.of(IsingModel([0.0] * 6, {}), 1.0)
    with pytest.raises(MemoryError, match=r"pairs of transitions of equal frequency need about"):
        DaviesGenerator.of(six.hamiltonian(1.0, 0.0), six.signs, BATH)
