"""Proofs of optima: against enumeration, in agreement with each other, and wrong ones caught."""

import networkx as nx
import numpy as np
import pytest

from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.benchmark.families import (
    _agreement,
    _planar,
    _prove,
    _tree_optimum,
    anticlusters,
    certify,
    lattice,
    ran,
    sherrington_kirkpatrick,
)
from annealnn.benchmark.families._graphs import column_rank, structure_of, working_graph
from annealnn.benchmark.families._planar import planar_optimum
from annealnn.benchmark.families._prove import prove
from annealnn.benchmark.families._tree_optimum import tree_optimum, tree_order
from annealnn.benchmark.families._whole import whole
from annealnn.benchmark.families._windows import descend_by_windows, windows_of
from annealnn.models import IsingModel, Parameters
from annealnn.models._exact import basis_energies

# lopsided on purpose: a sign slip or a swapped index cannot hide behind a symmetry
LOPSIDED = IsingModel(
    {"a": 0.7, "b": -0.3, "c": 0.1, "d": 0.0}, {("a", "b"): -0.9, ("b", "c"): 0.4, ("a", "d"): 0.25}, offset=2.0
)


def lowest(model):
    return basis_energies(model.structure, model.parameters).min() + model.offset


def random_model(rng, graph, *, fields, kind):
    structure = structure_of(graph)
    draw = {
        "gaussian": rng.standard_normal,
        "whole": lambda n: rng.integers(-3, 4, n).astype(float),
        "sidon": lambda n: rng.choice([-8, 13, 19, 28], n) / 28,
        "huge": lambda n: rng.integers(-40_000, 40_000, n).astype(float),
    }[kind]
    pulls = draw(structure.num_variables) if fields else np.zeros(structure.num_variables)
    return IsingModel.from_parameters(structure, Parameters(pulls, draw(structure.num_edges)), 0.5)


@pytest.mark.parametrize("kind", ["gaussian", "whole", "sidon", "huge"])
@pytest.mark.parametrize("fields", [True, False])
def test_trees_equal_enumeration(kind, fields):
    rng = np.random.default_rng(1)
    for seed in range(20):
        graph = nx.gnp_random_graph(12, 0.05 + 0.03 * seed, seed=seed)
        model = random_model(rng, graph, fields=fields, kind=kind)
        state = tree_optimum(model, tree_order(model.structure))
        assert model.energy(state) == pytest.approx(lowest(model), abs=1e-9)


def planar_graphs():
    yield from (nx.path_graph(7), nx.cycle_graph(9), nx.star_graph(6), nx.grid_2d_graph(3, 4), nx.empty_graph(3))
    yield nx.random_labeled_tree(12, seed=3)
    yield nx.convert_node_labels_to_integers(nx.triangular_lattice_graph(3, 4))
    # in pieces, with isolated variables, pairs and bridges
    yield nx.disjoint_union_all([nx.path_graph(1), nx.path_graph(2), nx.cycle_graph(4), nx.barbell_graph(3, 2)])
    yield nx.convert_node_labels_to_integers(nx.dodecahedral_graph())


@pytest.mark.parametrize("kind", ["gaussian", "whole", "sidon"])
def test_matchings_of_planar_graphs_equal_enumeration(kind):
    rng = np.random.default_rng(2)
    for graph in planar_graphs():
        for _ in range(4):
            model = random_model(rng, graph, fields=False, kind=kind)
            assert model.energy(planar_optimum(model)) == pytest.approx(lowest(model), abs=1e-9)


def test_matchings_take_planar_graphs_without_fields():
    assert planar_optimum(IsingModel([0.0, 0.1], {(0, 1): 1.0})) is None
    complete = {(i, j): 1.0 for i in range(5) for j in range(i)}
    assert planar_optimum(IsingModel(np.zeros(5), complete)) is None
    complete.pop((1, 0))
    assert planar_optimum(IsingModel(np.zeros(5), complete)).tolist() in ([1] * 5, [-1] * 5)


def test_matchings_and_trees_agree_on_a_lattice():
    for couplings in ("sidon", "gaussian"):
        model = lattice(8, periodic=False, couplings=couplings, seed=3).model
        by_tree = tree_optimum(model, tree_order(model.structure))
        assert model.energy(planar_optimum(model)) == pytest.approx(float(model.energy(by_tree)), abs=1e-9)


def test_each_method_has_its_turn(monkeypatch):
    assert prove(lattice(4).model).proof == "exhaustive"
    assert prove(lattice(6, periodic=False).model).proof == "tree decomposition"
    monkeypatch.setattr(_prove, "_FEW_ENTRIES", 8.0)
    assert prove(lattice(6, periodic=False).model).proof == "planar"
    monkeypatch.setattr(_planar, "MAX_PLANAR", 30)
    assert prove(lattice(6, periodic=False).model).proof == "tree decomposition"
    monkeypatch.setattr(_tree_optimum, "MAX_ENTRIES", 8.0)
    assert prove(lattice(6, periodic=False).model) is None


def test_a_tree_too_wide_for_memory_is_refused(monkeypatch):
    structure = lattice(6, periodic=False).model.structure
    assert tree_order(structure) is not None
    monkeypatch.setattr(_tree_optimum, "available_bytes", lambda: 1000)
    assert tree_order(structure) is None


def test_chimera_is_eliminated_at_its_tree_width():
    for size in (2, 4, 6):
        structure = working_graph("chimera", size).structure
        columns = sorted(structure.labels, key=column_rank("chimera", size))
        assert tree_order(structure, [columns]).width == 4 * size
    assert tree_order(structure) is None


@pytest.mark.parametrize("seed", range(3))
def test_chimera_has_one_optimum_by_two_orders(seed):
    for instance in (ran(3, k=2, seed=seed, num_dead=4), anticlusters(3, seed=seed)):
        found = certify(instance)
        assert found.proof == "tree decomposition"
        assert prove(instance.model).energy == pytest.approx(found.energy, abs=1e-9)
        assert instance.model.energy(found.state) == found.energy


def test_units():
    assert whole(Parameters(np.zeros(2), np.array([8, -13, 19]) / 28)).couplings.tolist() == [8, -13, 19]
    found = whole(Parameters(np.array([-0.44, 1.0]), np.array([1.0])))
    assert (found.fields.tolist(), found.couplings.tolist(), found.total) == ([-11, 25], [25], 61)
    assert whole(Parameters(np.zeros(1), np.array([0.5, 1 / np.pi]))) is None
    assert whole(Parameters(np.zeros(3), np.zeros(0))).total == 0


SPEC = InstanceSpec(family="sherrington-kirkpatrick", size=4)


def planted(energy, state, model=LOPSIDED):
    return Instance(spec=SPEC, model=model, optimum=Optimum(energy=energy, proof="planted", state=np.array(state)))


def test_a_right_planting_stands():
    state = prove(LOPSIDED).state
    instance = planted(lowest(LOPSIDED), state)
    assert certify(instance) is instance.optimum
    assert instance.optimum.energy == pytest.approx(-0.45, abs=1e-12)


def test_wrong_plantings_are_caught():
    state = prove(LOPSIDED).state
    with pytest.raises(ValueError, match=r"has the energy that is claimed; it has .*, and -3.0 is claimed"):
        certify(planted(-3.0, state))
    other = state * [1, 1, 1, -1]
    with pytest.raises(ValueError, match=r"flipping variable 'd' changes it by -0.5"):
        certify(planted(float(LOPSIDED.energy(other)), other))
    missing = Instance(spec=SPEC, model=LOPSIDED, optimum=Optimum(energy=1.0, proof="planted"))
    with pytest.raises(ValueError, match="has a state"):
        certify(missing)


def ferromagnet(size):
    """An open square lattice in a field of 0.1."""
    structure = lattice(size, periodic=False).model.structure
    parameters = Parameters(np.full(structure.num_variables, 0.1), np.ones(structure.num_edges))
    return IsingModel.from_parameters(structure, parameters)


@pytest.mark.parametrize("size", [4, 8])
def test_a_local_minimum_is_no_planting(size):
    """A domain turned as a whole in a ferromagnet with a field: no flip lowers it, and it is not the lowest."""
    model = lattice(size, periodic=False, couplings="pm").model
    model = IsingModel.from_parameters(
        model.structure, Parameters(0.1 + 0 * model.h, 1 + 0 * model.parameters.couplings)
    )
    down = -np.ones(size**2)
    with pytest.raises(ValueError, match=r"is the lowest energy; .* is claimed, and .* is found"):
        certify(planted(float(model.energy(down)), down, model))
    up = -down
    assert certify(planted(float(model.energy(up)), up, model)).proof == "planted"


def test_a_proof_that_comes_with_an_instance_is_made_again():
    model = ferromagnet(8)
    up = np.ones(64, np.int8)
    for state in (up, -up):  # both are local minima
        told = Optimum(energy=float(model.energy(state)), proof="exhaustive", state=state)
        given = Instance(spec=SPEC, model=model, optimum=told)
        if state is up:
            assert certify(given).proof == "tree decomposition"
        else:
            with pytest.raises(ValueError, match=r"is the lowest energy; .* is claimed, and .* is found"):
                certify(given)


def test_a_proof_that_cannot_be_made_again_is_a_claim():
    dense = sherrington_kirkpatrick(40, seed=1)
    found = certify(dense)
    told = Optimum(energy=found.energy, proof="planar", state=found.state)
    claim = certify(Instance(spec=dense.spec, model=dense.model, optimum=told), search=False)
    assert (claim.certified, claim.energy, claim.solvers) == (False, found.energy, ("said to be proven: planar",))


def test_solvers_agree_on_what_is_proven():
    for model in (LOPSIDED, ran(2, seed=1).model):
        found = _agreement.agree(model)
        assert (found.proof, found.certified) == ("agreement", False)
        assert len(found.solvers) >= 2
        assert found.energy == pytest.approx(prove(model).energy, abs=1e-9)
        assert model.energy(found.state) == pytest.approx(found.energy, abs=1e-9)


def test_solvers_that_differ_do_not_agree(monkeypatch):
    """All but one solver stop at a state that a descent cannot leave."""
    model = lattice(4, periodic=False, couplings="pm").model
    model = IsingModel.from_parameters(
        model.structure, Parameters(0.1 + 0 * model.h, 1 + 0 * model.parameters.couplings)
    )
    instance = Instance(spec=InstanceSpec(family="lattice", size=4), model=model)

    def stuck(problem, *_):
        return -np.ones(problem.model.structure.num_variables, dtype=np.int8)

    names = list(_agreement._SOLVERS)
    for name in names[1:]:
        monkeypatch.setitem(_agreement._SOLVERS, name, stuck)
    assert _agreement.agree(instance.model) is None


def test_windows_cover_each_variable_and_never_raise_an_energy():
    instance = ran(4, seed=3, k=2)
    model, size = instance.model, instance.model.structure.num_variables
    windows = windows_of(model.structure)
    assert len(windows) > 1
    assert set(np.concatenate([window.free for window in windows])) == set(range(size))
    rng = np.random.default_rng(0)
    lowest_found = np.inf
    for seed in range(5):
        start = rng.choice([-1, 1], size).astype(np.int8)
        below = descend_by_windows(model, windows, start, seed)
        assert model.energy(below) < model.energy(start)
        lowest_found = min(lowest_found, float(model.energy(below)))
        assert model.energy(descend_by_windows(model, windows, below, seed)) <= model.energy(below) + 1e-9
    assert lowest_found == pytest.approx(certify(instance).energy, abs=1e-9)


def test_search_is_a_choice():
    instance = sherrington_kirkpatrick(40, seed=1)
    assert certify(instance, search=False) is None
    found = certify(instance)
    assert (found.proof, len(found.solvers) >= 2) == ("agreement", True)
    # what solvers agree on is checked, and may come with a file
    again = Instance(spec=instance.spec, model=instance.model, optimum=found)
    assert certify(again, search=False) is found
    wrong = Optimum(energy=found.energy - 1, proof="agreement", state=found.state, solvers=found.solvers)
    with pytest.raises(ValueError, match="the agreement state of"):
        certify(Instance(spec=instance.spec, model=instance.model, optimum=wrong))
