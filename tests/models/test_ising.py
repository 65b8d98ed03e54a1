import pickle

import dimod
import numpy as np
import pytest

from annealnn import IsingModel, TransverseIsing
from annealnn.models import (
    Parameters,
    Structure,
    basis_digits_to_spins,
    bits_to_spins,
    spins_to_basis_digits,
    spins_to_bits,
)
from annealnn.models._exact import basis_energies, basis_spins

H, J = {"a": 0.7, "b": -0.3, "c": 0.1}, {("a", "b"): -0.9, ("b", "c"): 0.4}


@pytest.fixture
def model():
    return IsingModel(H, J, offset=0.25)


def all_spins(n):
    return 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)


def test_energy_is_equation_one(model):
    a, b, c = 1, -1, 1
    expected = -(-0.9 * a * b + 0.4 * b * c) - (0.7 * a - 0.3 * b + 0.1 * c) + 0.25
    assert model.energy([a, b, c]) == pytest.approx(expected, abs=1e-15)
    assert model.energy(np.ones((2, 5, 3))).shape == (2, 5)


def test_dimod_has_the_opposite_sign(model):
    bqm = model.to_bqm()
    assert bqm.linear == {"a": -0.7, "b": 0.3, "c": -0.1}
    assert bqm.get_quadratic("a", "b") == 0.9


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_bqm_and_back_keep_every_energy(model, vartype):
    spins = all_spins(3)
    rows = spins if vartype == "SPIN" else spins_to_bits(spins)
    bqm = model.to_bqm(vartype)
    np.testing.assert_allclose(bqm.energies((rows, list("abc"))), model.energy(spins), atol=1e-12)
    back = IsingModel.from_bqm(bqm)
    assert back.labels == model.labels
    np.testing.assert_allclose(back.energy(spins), model.energy(spins), atol=1e-12)


def test_qubo_and_back_keep_every_energy(model):
    Q, offset = model.to_qubo()
    spins = all_spins(3)
    bits = spins_to_bits(spins)
    columns = {v: bits[:, k] for k, v in enumerate("abc")}
    by_hand = offset + sum(w * columns[u] * columns[v] for (u, v), w in Q.items())
    np.testing.assert_allclose(by_hand, model.energy(spins), atol=1e-12)
    back = IsingModel.from_qubo(Q, offset)
    order = [back.labels.index(v) for v in model.labels]
    np.testing.assert_allclose(back.energy(spins[:, np.argsort(order)]), model.energy(spins), atol=1e-12)


def test_matrix_counts_each_pair_once():
    full = IsingModel([0.0, 0.0], [[0, 1.5], [1.5, 0]])
    upper = IsingModel([0.0, 0.0], [[0, 1.5], [0, 0]])
    assert full == upper
    assert full.energy([1, 1]) == -1.5


def test_exact_equals_enumeration_by_hand(model):
    spins = all_spins(3)
    w = np.exp(-0.8 * (model.energy(spins) - model.offset))
    exact = model.exact(0.8)
    assert exact.log_z == pytest.approx(np.log(w.sum()), abs=1e-12)
    p = w / w.sum()
    np.testing.assert_allclose(exact.moments.spins, p @ spins, atol=1e-12)
    pairs = [p @ (spins[:, i] * spins[:, j]) for i, j in model.structure.edges]
    np.testing.assert_allclose(exact.moments.pairs, pairs, atol=1e-12)
    energies = model.energy(spins) - model.offset
    assert exact.energy == pytest.approx(p @ energies, abs=1e-12)
    assert exact.energy_variance == pytest.approx(p @ energies**2 - (p @ energies) ** 2, abs=1e-12)
    assert exact.ground_energy == pytest.approx(energies.min(), abs=1e-12)


def test_basis_order_and_encodings_are_lopsided():
    # one field, one spin up: a swap of encodings or of bit order shows
    structure = IsingModel([0.0, 0.0, 2.0], np.zeros((3, 3)))
    energies = basis_energies(structure.structure, structure.parameters)
    assert energies[0b001] == 2.0  # qubit 2 is the least significant digit; digit 1 is spin -1
    assert energies[0b100] == -2.0
    np.testing.assert_array_equal(basis_spins(3, np.array([0b001])), [[1, 1, -1]])
    np.testing.assert_array_equal(bits_to_spins([1, 0]), [1, -1])
    np.testing.assert_array_equal(basis_digits_to_spins([1, 0]), [-1, 1])
    np.testing.assert_array_equal(spins_to_bits([1, -1]), [1, 0])
    np.testing.assert_array_equal(spins_to_basis_digits([1, -1]), [0, 1])


def test_parameters_keep_the_order_of_their_graph():
    structure = Structure(3, [[1, 2], [0, 1]])
    parameters = Parameters(np.array([0.1, 0.2, 0.3]), np.array([5.0, 7.0]))
    model = IsingModel.from_parameters(structure, parameters)
    np.testing.assert_array_equal(model.parameters.couplings, [5.0, 7.0])
    assert model.J[1, 2] == 5.0
    assert model == IsingModel([0.1, 0.2, 0.3], {(0, 1): 7.0, (2, 1): 5.0})
    assert pickle.loads(pickle.dumps(model)) == model
    with pytest.raises(ValueError, match=r"couplings of shape \(2,\); got \(3,\) and \(1,\)"):
        IsingModel.from_parameters(structure, Parameters(np.zeros(3), np.zeros(1)))


def test_ends_are_the_columns_of_the_edges():
    structure = Structure(4, [[2, 1], [0, 3], [3, 2]])
    for ends, wanted in zip(structure.ends, ([1, 0, 2], [2, 3, 3]), strict=True):
        assert ends.tolist() == wanted
        assert ends.flags.c_contiguous
    assert [len(ends) for ends in Structure(2, np.empty((0, 2), int)).ends] == [0, 0]


def test_models_are_values(model):
    assert pickle.loads(pickle.dumps(model)) == model
    with pytest.raises(ValueError, match="read-only"):
        model.h[0] = 1.0
    transverse = TransverseIsing(H, J, 0.5)
    assert pickle.loads(pickle.dumps(transverse)) == transverse != TransverseIsing(H, J, 0.4)
    assert transverse.labels == model.labels
    assert transverse.to_bqm() == IsingModel(H, J).to_bqm()
    np.testing.assert_array_equal(transverse.J, model.J)
    np.testing.assert_array_equal(transverse.h, model.h)
    assert transverse.energy([1, 1, -1]) == model.energy([1, 1, -1]) - model.offset
    assert IsingModel([], {}).energy(np.zeros((3, 0))).shape == (3,)
    with pytest.raises(AttributeError, match="immutable"):
        transverse.gamma = 1.0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: IsingModel([1.0], [[1.0]]), r"diagonal is zero; got \[1"),
        (lambda: IsingModel([1.0, 0], [[0, 1], [2, 0]]), "neither"),
        (lambda: IsingModel([1.0, np.nan], np.zeros((2, 2))), "finite"),
        (lambda: IsingModel([1.0, 0], np.zeros((3, 3))), r"\(2, 2\); got shape \(3, 3\)"),
        (lambda: IsingModel({"a": 1}, {("a", "a"): 1}), "loop"),
        (lambda: IsingModel({"a": 1}, {("a", "b"): 1, ("b", "a"): 1}), "more than once"),
        (lambda: IsingModel({"a": 1}, {("a", "z"): 1}, labels=["a"]), "'z'"),
        (lambda: IsingModel({"q": 1}, {}, labels=["a"]), "'q'"),
        (lambda: IsingModel([[1.0]], np.zeros((1, 1))), "one field per variable"),
        (lambda: IsingModel([0.0], np.zeros((1, 1))).energy([0]), "spins are -1 or"),
        (lambda: IsingModel([0.0], np.zeros((1, 1))).energy([1, 1]), "1 columns"),
        (lambda: IsingModel(np.zeros(25), np.zeros((25, 25))).exact(), "24 variables; got 25"),
        (lambda: TransverseIsing([0.0], np.zeros((1, 1)), -1.0), "at least 0; got -1.0"),
        (lambda: TransverseIsing([0.0], np.zeros((1, 1)), [1.0, 2.0]), "one per variable"),
        (lambda: TransverseIsing(np.zeros(13), np.zeros((13, 13)), 1.0).exact(), "12 variables; got 13"),
        (lambda: IsingModel([1.0, 2.0], {}, labels="abc"), "3 labels for 2 fields"),
        (lambda: Structure(3, [[0.7, 1.9]]), r"float64 of shape \(1, 2\)"),
        (lambda: Structure(2, [[0, 2]]), r"0..1; got \(0, 2\)"),
        (lambda: Structure(2, [[0, 1]], ("a", "a")), "distinct"),
    ],
)
def test_bad_models_say_the_rule(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_from_bqm_of_dimod_generator():
    bqm = dimod.generators.ran_r(3, 8, seed=1)
    model = IsingModel.from_bqm(bqm)
    spins = all_spins(8)
    np.testing.assert_allclose(model.energy(spins), bqm.energies((spins, list(model.labels))), atol=1e-12)


@pytest.mark.parametrize("num_reads", [1, 300, 7000])
def test_moments_edge_by_edge_are_those_of_the_matrix_product_to_the_last_bit(num_reads):
    rng = np.random.default_rng(num_reads)
    edges = [(v, int(rng.integers(v))) for v in range(1, 700)]
    structure = Structure(700, np.array(edges))
    spins = rng.choice(np.array([-1, 1], np.int8), (num_reads, 700))
    by_edge, by_product = structure.moments_of(spins), structure.moments_of(spins.astype(np.float64))
    np.testing.assert_array_equal(by_edge.spins, by_product.spins)
    np.testing.assert_array_equal(by_edge.pairs, by_product.pairs)
