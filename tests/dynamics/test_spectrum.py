"""Low levels and gaps against dense diagonalisation, closed forms and published-style references."""

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from annealnn import _memory
from annealnn.dynamics import _levels
from annealnn.dynamics._levels import Sector
from annealnn.dynamics._spectrum import spectrum
from annealnn.models import IsingModel, TransverseIsing
from annealnn.models._exact import basis_energies
from annealnn.schedules import EnergyScales

TFIM = json.loads((Path(__file__).parents[1] / "data" / "tfim_exact.json").read_text())["instances"]
pytestmark = pytest.mark.usefixtures("one_blas_thread")

SOME_S = [0.0, 0.01, 0.3, 0.5, 0.97, 1.0]


def ring(n, field=0.0):
    return IsingModel([field] * n, {(i, (i + 1) % n): 1.0 for i in range(n)})


def random_problem(n, seed=0, *, fields=True):
    rng = np.random.default_rng(seed)
    J = {(i, j): rng.normal() / np.sqrt(n) for i in range(n) for j in range(i)}
    return IsingModel(rng.normal(size=n) * fields, J, labels=range(n))


def weak_strong_pair():
    J = {(8 * cell + a, 8 * cell + 4 + b): 1.0 for cell in (0, 1) for a in range(4) for b in range(4)}
    J |= {(4 + a, 8 + a): 1.0 for a in range(4)}
    return IsingModel([-0.44] * 8 + [1.0] * 8, J)


def dense_levels(problem, s, gamma=1.0, k=4):
    scaled = IsingModel(s * problem.h, s * problem.J)
    return np.linalg.eigvalsh(TransverseIsing.of(scaled, (1 - s) * np.asarray(gamma)).hamiltonian())[:k]


@pytest.mark.parametrize(
    "problem",
    [
        IsingModel([0.5], {}),
        random_problem(4),
        random_problem(10),  # Lanczos, in the whole space
        random_problem(10, fields=False),  # Lanczos, each parity apart
        ring(10, 0.3),  # degenerate momenta
        IsingModel([1.0] * 10, {}),  # 11 different levels among 1024: Krylov spaces end early
        IsingModel([0.0] * 10, {(0, 1): 1.0}),
    ],
    ids=["one", "four", "random", "no fields", "ring", "alone", "degenerate"],
)
def test_levels_against_dense_diagonalisation(problem):
    k = min(12, 2**problem.structure.num_variables)
    found = spectrum(problem, s=SOME_S, k=k, progress=False)
    expected = [dense_levels(problem, s, k=k) for s in SOME_S]
    np.testing.assert_allclose(found.levels, expected, atol=1e-9)
    np.testing.assert_array_equal(found.problem, SOME_S)


def test_levels_that_a_krylov_space_lacks_are_looked_for(monkeypatch):
    star = IsingModel([0.3] * 10, {(0, i): 1.0 for i in range(1, 10)})  # any two leaves may change places
    expected = dense_levels(star, 0.5, k=6)
    np.testing.assert_allclose(spectrum(star, s=[0.5], k=6, progress=False).levels[0], expected, atol=1e-9)
    monkeypatch.setattr(_levels, "_MISSED", 1e9)
    assert np.abs(spectrum(star, s=[0.5], k=6, progress=False).levels - expected).max() > 1


@pytest.mark.parametrize("instance", TFIM, ids=[str(i["seed"]) for i in TFIM])
def test_gap_of_the_reference_instances(instance):
    J = {(i, j): value for i, j, value in instance["J"]}
    problem = IsingModel(np.array(instance["h"]), J, labels=range(instance["n"]))
    half = spectrum(problem, s=[0.5], k=2, gamma=instance["Gamma"], progress=False)
    thermal = instance["thermal"][0]
    np.testing.assert_allclose(2 * half.levels[0, 0], thermal["E0"], atol=1e-9)
    np.testing.assert_allclose(2 * half.gap_to(1)[0], thermal["gap"], atol=1e-9)


def test_sectors_hold_all_levels_between_them():
    problem, gamma = random_problem(9, fields=False), np.linspace(0.5, 1.5, 9)
    both = [spectrum(problem, s=SOME_S, k=6, gamma=gamma, sector=name, progress=False) for name in ("even", "odd")]
    expected = np.array([dense_levels(problem, s, gamma, k=6) for s in SOME_S])
    together = np.sort(np.concatenate([one.levels for one in both], axis=1), axis=1)[:, :6]
    np.testing.assert_allclose(together, expected, atol=1e-9)
    np.testing.assert_allclose(both[0].levels[:, 0], expected[:, 0], atol=1e-9)  # the ground state is even
    assert both[0].num_ground == both[1].num_ground == 1


@pytest.mark.parametrize("n", [8, 12])
def test_gap_of_a_ring_in_the_even_sector_is_that_of_free_fermions(n):
    at = np.array([0.2, 0.45, 0.5, 0.8])
    found = spectrum(ring(n), s=at, k=3, sector="even", progress=False)
    expected = 4 * np.sqrt((1 - at) ** 2 + at**2 - 2 * at * (1 - at) * np.cos(np.pi / n))
    np.testing.assert_allclose(found.gap, expected, atol=1e-9)
    best = found.minimum_gap()
    assert best == pytest.approx((0.5, 4 * np.sin(np.pi / (2 * n))), abs=1e-8)


def test_gap_of_a_degenerate_problem_is_above_its_ground_levels():
    whole, even = (spectrum(ring(6), k=4, sector=name, progress=False) for name in (None, "even"))
    assert (whole.num_ground, even.num_ground) == (2, 1)
    np.testing.assert_array_equal(whole.gap, whole.gap_to(2))
    assert whole.gap_to(1)[-1] == 0
    assert whole.gap[-1] == even.gap[-1] == 4


def test_a_narrow_avoided_crossing_is_refined():
    # far qubits held by weak couplings: the gap is a hundredth of the spacing of s times the slope
    problem = IsingModel([1.0, -1.02], {(0, 1): 2.0})
    found = spectrum(problem, k=2, gamma=0.02, progress=False).minimum_gap()
    fine = np.linspace(found.s - 1e-4, found.s + 1e-4, 401)
    gaps = [np.diff(dense_levels(problem, s, 0.02, 2))[0] for s in fine]
    assert found.gap == pytest.approx(min(gaps), abs=1e-8)
    assert found.gap <= min(gaps) + 1e-12


def test_minimum_at_an_end_of_the_path():
    alone = spectrum(IsingModel([0.1], {}), s=np.linspace(0, 0.9, 10), k=2, progress=False)
    assert alone.minimum_gap() == pytest.approx((0.9, np.hypot(0.2, 0.18)), abs=1e-7)
    one = spectrum(IsingModel([0.1], {}), s=[0.5], k=2, progress=False)
    assert one.minimum_gap() == (0.5, one.gap[0])


def test_weak_strong_pair():
    found = spectrum(weak_strong_pair(), s=[0.325, 0.327, 0.340], k=2, progress=False)
    np.testing.assert_allclose(found.gap, [0.096392, 0.096091, 0.104132], atol=6e-7)
    assert found.levels[0, 0] < -13


@pytest.mark.slow
def test_minimum_gap_of_the_weak_strong_pair():
    found = spectrum(weak_strong_pair(), s=np.linspace(0.3, 0.36, 7), k=2, progress=False).minimum_gap()
    assert found == pytest.approx((0.3273, 0.0960866), abs=2e-5)


def test_scales_and_gamma():
    problem, gamma = random_problem(4), {0: 0.5, 1: 1.0, 2: 0.0, 3: 2.0}
    scales = EnergyScales(s=[0, 0.5, 1], transverse=[3, 1, 0.25], problem=[0.5, 1, 4])
    found = spectrum(problem, s=[0.25, 1.0], k=3, gamma=gamma, scales=scales, progress=False)
    for levels, a, b in zip(found.levels, [2, 0.25], [0.75, 4], strict=True):
        model = TransverseIsing.of(IsingModel(b * problem.h, b * problem.J), a * np.array(list(gamma.values())))
        np.testing.assert_allclose(levels, np.linalg.eigvalsh(model.hamiltonian())[:3], atol=1e-12)
    np.testing.assert_array_equal(found.transverse, [2, 0.25])


def test_same_seed_same_levels_and_pickle():
    a, b = (spectrum(random_problem(10), s=SOME_S, k=3, seed=4, progress=False) for _ in range(2))
    np.testing.assert_array_equal(a.levels, b.levels)
    again = pickle.loads(pickle.dumps(a))
    np.testing.assert_array_equal(again.gap, a.gap)
    assert again.minimum_gap() == a.minimum_gap()


def test_lanczos_finds_states():
    problem = random_problem(10, fields=False)
    sector = Sector(basis_energies(problem.structure, problem.parameters), np.ones(10), -1)
    low = sector.lowest(0.4, 0.6, 5, np.random.default_rng(0), None)
    np.testing.assert_allclose(sector.product(0.4, 0.6, low.states), low.levels * low.states, atol=1e-7)
    np.testing.assert_allclose(low.states.T @ low.states, np.eye(5), atol=1e-10)


BAD = [
    ({"s": [0.2, 1.2]}, "s is from 0 to 1; got 1.2"),
    ({"s": [-0.1, 0.2]}, "s is from 0 to 1; got -0.1"),
    ({"s": [0.3, 0.3]}, "s rise from each point to the next; got 0.3 and then 0.3"),
    ({"s": [0.3j]}, "s holds real numbers; got complex"),
    ({"k": 0}, "k is a whole number of at least 1; got 0"),
    ({"k": 9}, "levels are at most as many as states, 8; got 9"),
    ({"gamma": 1j}, "gamma is a finite number, at least 0 and at most 1e+30; got 1j"),
    ({"gamma": np.array([1, 1j, 1])}, "gamma is a finite number"),
    ({"gamma": [1.0, 1.0]}, "gamma is one number or one per variable, shape (3,); got shape (2,)"),
    ({"sector": "even"}, "sector goes with a problem without fields"),
    ({"sector": "up"}, "sector is one of None, 'even', 'odd'; got 'up'"),
]


@pytest.mark.parametrize(("keywords", "message"), BAD, ids=range(len(BAD)))
def test_bad_input(keywords, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        spectrum(random_problem(3), **keywords)


def test_bad_levels_and_types():
    found = spectrum(ring(4), s=[0.5], k=2, progress=False)
    with pytest.raises(ValueError, match="2 states share the problem's least energy"):
        found.gap  # noqa: B018
    with pytest.raises(ValueError, match="level is from 1 to k - 1 = 1; got 2"):
        found.gap_to(2)
    with pytest.raises(TypeError, match="problem is an IsingModel; got dict"):
        spectrum({(0, 1): 1.0})
    with pytest.raises(ValueError, match="number of variables is a whole number of at least 1; got 0"):
        spectrum(IsingModel([], {}))


def test_memory_is_checked_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda: 8 << 30)
    with pytest.raises(MemoryError, match=r"4 levels of 40 variables need about 344,064\.0 GiB, and 8\.0 GiB"):
        spectrum(ring(40))


def test_few_states_have_all_their_levels():
    assert spectrum(IsingModel([0.3], {}), s=[0.5]).levels.shape == (1, 2)
    assert spectrum(IsingModel([0.3, 0.1], {}), s=[0.5]).levels.shape == (1, 4)
    assert spectrum(IsingModel([0.3, 0.1, 0.2], {}), s=[0.5]).levels.shape == (1, 4)
