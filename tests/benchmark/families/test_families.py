"""Families: their recipes, their optima against enumeration, what they refuse."""

import numpy as np
import pytest

from annealnn.benchmark._canonical import model_digest
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark.families import build_instance, certify, find_family
from annealnn.benchmark.families._glasses import SIDON
from annealnn.models._exact import basis_energies

# a family at sizes that enumeration reaches, and options that change what it builds
SMALL = [
    ("ran", 1, {}),
    ("ran", 1, {"k": 3, "fields": True, "normalize": True}),
    ("ran", 2, {"num_dead": 12}),
    ("ran", 2, {"graph": "pegasus", "num_dead": 20}),
    ("ran", 1, {"graph": "zephyr", "num_dead": 30}),
    ("anticlusters", 2, {"num_dead": 12}),
    ("lattice", 4, {}),
    ("lattice", 4, {"periodic": False, "couplings": "pm"}),
    ("lattice", 2, {"dimension": 3, "periodic": False, "couplings": "gaussian"}),
    ("sherrington-kirkpatrick", 10, {}),
    ("sherrington-kirkpatrick", 11, {"couplings": "pm"}),
    ("weak-strong", 1, {}),
    ("learned", 3, {"n_iter": 1}),
]
NAMES = [f"{family}-{k}" for k, (family, _, _) in enumerate(SMALL)]


def spec_of(row, seed=0):
    family, size, options = row
    return InstanceSpec(family=family, size=size, seed=seed, options=options)


@pytest.mark.parametrize("row", SMALL[:-1], ids=NAMES[:-1])
def test_optima_of_twenty_seeds_equal_enumeration(row):
    for seed in range(20):
        instance = build_instance(spec_of(row, seed))
        structure = instance.model.structure
        assert structure.num_variables <= 20
        found = certify(instance)
        lowest = basis_energies(structure, instance.model.parameters).min() + instance.model.offset
        assert found.certified
        assert found.energy == pytest.approx(lowest, abs=1e-9)
        assert instance.model.energy(found.state) == pytest.approx(found.energy, abs=1e-9)


@pytest.mark.parametrize("row", SMALL, ids=NAMES)
def test_a_spec_builds_one_problem(row):
    first, again, other = (build_instance(spec_of(row, seed)) for seed in (3, 3, 4))
    assert model_digest(first.model) == model_digest(again.model)
    assert first.model == again.model
    # a single pair has no bond between strong cells to draw
    assert (model_digest(first.model) == model_digest(other.model)) == (row[0] == "weak-strong")
    assert build_instance(first.spec).model == first.model
    assert build_instance(first.spec).spec == first.spec
    assert find_family(row[0]).source


@pytest.mark.parametrize("row", SMALL, ids=NAMES)
def test_an_optimum_turns_with_the_gauge(row):
    """What a sign slip would break: fields and couplings turned together leave the spectrum as it is."""
    instance = build_instance(spec_of(row, 5))
    signs = np.random.default_rng(2).choice([-1, 1], instance.model.structure.num_variables)
    turned = instance.model.gauged(signs)
    state = certify(instance).state
    assert turned.energy(state * signs) == pytest.approx(instance.model.energy(state), abs=1e-9)


def test_ran_draws_all_whole_numbers_but_zero():
    model = build_instance(InstanceSpec(family="ran", size=4, options={"k": 3, "fields": True})).model
    for values in model.parameters:
        found, counts = np.unique(values, return_counts=True)
        np.testing.assert_array_equal(found, [-3, -2, -1, 1, 2, 3])
        # six cells of about a sixth each: 6 sigma
        assert np.abs(counts - len(values) / 6).max() < 6 * np.sqrt(len(values) * 5 / 36)
    scaled = build_instance(InstanceSpec(family="ran", size=4, options={"k": 3, "fields": True, "normalize": True}))
    np.testing.assert_allclose(3 * scaled.model.h, model.h)


def test_couplings_are_a_sidon_set():
    values = np.rint(28 * SIDON).astype(int).tolist()
    assert values == [8, 13, 19, 28]
    sums = [a + b for k, a in enumerate(values) for b in values[k:]]
    assert len(set(sums)) == len(sums)
    model = build_instance(InstanceSpec(family="lattice", size=10)).model
    np.testing.assert_allclose(np.unique(28 * model.parameters.couplings), sorted([*values, *(-v for v in values)]))


def test_glasses_have_their_variances():
    for options, variance in (({"couplings": "gaussian"}, 1.0), ({"couplings": "pm"}, 1.0)):
        drawn = build_instance(InstanceSpec(family="lattice", size=40, options=options)).model.parameters.couplings
        assert abs(drawn.mean()) < 5 / np.sqrt(len(drawn))
        assert abs(drawn.var() - variance) < 5 * np.sqrt(2 / len(drawn))
        drawn = build_instance(InstanceSpec(family="sherrington-kirkpatrick", size=80, options=options)).model
        assert abs(80 * drawn.parameters.couplings.var() - 1) < 5 * np.sqrt(2 / (80 * 79 / 2))


def test_lattices_have_their_neighbours():
    for dimension in (2, 3):
        torus = build_instance(InstanceSpec(family="lattice", size=4, options={"dimension": dimension})).model.structure
        degrees = np.bincount(torus.edges.ravel())
        np.testing.assert_array_equal(degrees, np.full(4**dimension, 2 * dimension))
        opened = InstanceSpec(family="lattice", size=4, options={"dimension": dimension, "periodic": False})
        assert build_instance(opened).model.structure.num_edges == dimension * 3 * 4 ** (dimension - 1)


def test_anticlusters_are_weak_inside_cells():
    model = build_instance(InstanceSpec(family="anticlusters", size=3, options={"multiplier": 2.5})).model
    inside = model.structure.edges[:, 0] // 8 == model.structure.edges[:, 1] // 8
    np.testing.assert_array_equal(np.abs(model.parameters.couplings), np.where(inside, 1.0, 2.5))


def test_dead_qubits_are_the_same_for_all_seeds():
    labels = [
        build_instance(InstanceSpec(family="ran", size=3, seed=seed, options={"num_dead": 5})).model.labels
        for seed in (0, 1)
    ]
    assert labels[0] == labels[1]
    assert len(labels[0]) == 72 - 5


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (("ran", 4, {"k": 0}), "k is a whole number of at least 1; got 0"),
        (("ran", 4, {"graph": "hexagons"}), "chimera, pegasus, zephyr or the path of a .json file; got 'hexagons'"),
        (("ran", 1, {"graph": "pegasus"}), "pegasus-M .M at least 2.*got 'pegasus-1'"),
        (("ran", 1, {"num_dead": 9}), "num_dead is at most the number of qubits, 8; got 9"),
        (("ran", 1, {"fields": 1}), "fields is one of True, False; got 1"),
        (("ran", 1, {"graph_sha256": "00"}), "graph_sha256 goes with a file"),
        (("ran", 1, {"p": 2}), "the options of family 'ran' are .*; got 'p'"),
        (("lattice", 2, {}), "size is a whole number of at least 3; got 2"),
        (("lattice", 4, {"dimension": 4}), "dimension is one of 2, 3; got 4"),
        (("lattice", 4, {"couplings": "cauchy"}), "couplings is one of 'sidon', 'pm', 'gaussian'; got 'cauchy'"),
        (("sherrington-kirkpatrick", 1, {}), "size is a whole number of at least 2; got 1"),
        (("anticlusters", 2, {"multiplier": 0}), "multiplier is a finite number, above 0; got 0"),
        (("weak-strong", 1, {"weak_field": 0.2}), "weak_field is a finite number.*got 0.2"),
        (("weak-strong", 1, {"columns": 0}), "columns is a whole number of at least 1; got 0"),
        (("learned", 45, {"machine": "visible"}), "the fully visible machine has 46 variables; got size=45"),
        (("learned", 4, {"machine": "deep"}), "machine is one of 'restricted', 'visible'; got 'deep'"),
    ],
)
def test_bad_options_are_refused(row, match):
    with pytest.raises(ValueError, match=match):
        build_instance(spec_of(row))
