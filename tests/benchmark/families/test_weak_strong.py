"""Weak-strong clusters: the pair, the network, and the proof that cells are uniform."""

import numpy as np
import pytest

from annealnn.benchmark.families import certify, weak_strong_clusters
from annealnn.benchmark.families._collapse import collapse
from annealnn.benchmark.families._prove import prove
from annealnn.benchmark.families._tree_optimum import tree_optimum, tree_order
from annealnn.dynamics import spectrum
from annealnn.models import IsingModel
from annealnn.models._exact import basis_energies, basis_spins


def test_the_pair_has_its_two_minima():
    pair = weak_strong_clusters(1).model
    assert pair.structure.num_variables == 16
    down = np.repeat([-1, 1], 8)
    assert pair.energy(np.ones(16)) == pytest.approx(-40.48, abs=1e-12)
    assert pair.energy(down) == pytest.approx(-39.52, abs=1e-12)
    for state in (np.ones(16), down):
        flipped = state * (1 - 2 * np.eye(16))
        assert (pair.energy(flipped) > pair.energy(state)).all()
    found = certify(weak_strong_clusters(1))
    assert (found.energy, found.proof) == (pytest.approx(-40.48, abs=1e-12), "tree decomposition")
    assert (found.state == 1).all()


def test_the_pair_has_its_gap():
    found = spectrum(weak_strong_clusters(1).model, s=[0.325], k=2, progress=False)
    assert found.gap[0] == pytest.approx(0.096392, abs=1e-6)


def test_a_weaker_field_than_a_half_turns_the_pair():
    for weak_field, spin in ((-0.49, 1), (-0.51, -1)):
        assert (certify(weak_strong_clusters(1, weak_field=weak_field)).state[:8] == spin).all()


@pytest.mark.parametrize("size", [2, 3])
def test_networks_have_the_optimum_of_the_full_graph(size):
    for seed in range(20):
        instance = weak_strong_clusters(size, seed=seed, weak_field=-0.44 - 0.05 * (seed % 3), columns=2)
        full = prove(instance.model)
        assert full.proof == "tree decomposition"
        assert certify(instance).energy == pytest.approx(full.energy, abs=1e-9)


def test_a_network_is_glassy_and_proven():
    instance = weak_strong_clusters(72, seed=1)
    strong = np.abs(instance.model.h - 1) < 1e-12
    assert instance.model.structure.num_variables == 16 * 72
    found = certify(instance)
    assert found.proof == "tree decomposition"
    assert 0 < (found.state[strong] < 0).mean() < 1
    # neighbours of strong cells: six columns make three ladders of twelve rungs
    heads, tails = instance.model.structure.ends
    joined = (heads // 8 != tails // 8) & strong[heads] & strong[tails]
    assert joined.sum() == 4 * 3 * (12 + 2 * 11)
    assert set(instance.model.parameters.couplings[joined]) == {-1.0, 1.0}


def random_groups(rng, spread):
    """Two groups of four, coupled to each other by couplings of size up to `spread`."""
    couplings = {(a + i, a + j): 1.0 for a in (0, 4) for i in range(4) for j in range(i)}
    couplings |= {(i, 4 + j): spread * rng.uniform(-1, 1) for i in range(4) for j in range(4)}
    return IsingModel(spread * rng.normal(size=8), couplings)


def is_uniform_somewhere(model):
    energies = basis_energies(model.structure, model.parameters)
    lowest = basis_spins(8, np.flatnonzero(energies <= energies.min() + 1e-9)).reshape(-1, 2, 4)
    return (np.abs(lowest.sum(axis=2)) == 4).all(axis=1).any()


def test_what_is_proven_uniform_is():
    rng = np.random.default_rng(0)
    proven = refused = 0
    for spread in np.linspace(0.05, 3.0, 60):
        model = random_groups(rng, spread)
        collapsed = collapse(model, [range(4), range(4, 8)])
        if collapsed is None:
            refused += not is_uniform_somewhere(model)
            continue
        proven += 1
        assert is_uniform_somewhere(model)
        state = collapsed.expand(tree_optimum(collapsed.model, tree_order(collapsed.model.structure)))
        assert model.energy(state) == pytest.approx(model.exact().ground_energy, abs=1e-9)
    # the proof reaches some, and some that it refuses are indeed split
    assert proven > 5
    assert refused > 5


def test_a_group_that_splits_is_not_proven():
    # fields that pull the halves of a cell apart
    couplings = {(i, j): 1.0 for i in range(4) for j in range(i)}
    assert collapse(IsingModel([5.0, 5.0, -5.0, -5.0], couplings), [range(4)]) is None
    assert collapse(IsingModel([2.0, 2.0, -2.0, 1.0], couplings), [range(4)]) is not None


def test_groups_cover_each_variable_once():
    with pytest.raises(ValueError, match="each of 3 variables is in one group"):
        collapse(IsingModel([0.0, 0.0, 0.0], {}), [[0, 1], [1]])
