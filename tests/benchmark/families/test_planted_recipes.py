"""Planted families: their parts, their limits, and what they refuse."""

import itertools

import numpy as np
import pytest
from dwave.samplers import TreeDecompositionSolver

from annealnn.benchmark.families import frustrated_cluster_loops, frustrated_loops, tile_planting, wishart, xorsat
from annealnn.models import IsingModel

SEEDS = range(20)


def all_states(n):
    return (1 - 2 * (np.arange(1 << n)[:, None] >> np.arange(n) & 1)).astype(np.int8)


@pytest.mark.parametrize(("weak", "energy"), [(1, -40), (2, -32), (3, -24), (4, -16)])
def test_tiles_of_one_kind(weak, energy):
    instance = tile_planting(4, seed=3, p=[float(g == weak) for g in (1, 2, 3, 4)])
    energies = instance.model.energy(all_states(16))
    assert energies.min() == instance.optimum.energy == energy
    assert np.unique(np.abs(instance.model.parameters.couplings)).tolist() == ([1, 2] if weak < 4 else [1])


@pytest.mark.parametrize(("p", "energy"), [((1, 0, 0), -8), ((0, 1, 0), -8), ((0, 0, 1), -6)])
def test_cubes_have_their_minimum_where_it_is_planted(p, energy):
    """The couplings of each cube alone, out of the finished problem: their lowest energies add up to what is planted.

    This bounds the energy of 64 variables from below, and the planted state has it.
    """
    states = all_states(8)
    for seed in SEEDS:
        instance = tile_planting(4, seed=seed, dimension=3, p=p)
        J = instance.model.J
        minima = []
        for origin in itertools.product(range(4), repeat=3):
            if len({x % 2 for x in origin}) > 1:
                continue
            corners = (np.array(origin) + list(itertools.product((0, 1), repeat=3))) % 4
            sites = corners @ [16, 4, 1]
            cube = J[np.ix_(sites, sites)]
            assert np.count_nonzero(np.triu(cube)) == 12
            minima.append(-0.5 * ((states @ cube) * states).sum(axis=1).max())
        assert instance.model.structure.num_edges == 12 * len(minima) == 192
        assert sum(minima) == instance.optimum.energy == 16 * energy
        assert instance.model.energy(instance.optimum.state) == instance.optimum.energy


@pytest.mark.parametrize(("p", "faces"), [((1, 0, 0), 2), ((0, 1, 0), 4), ((0, 0, 1), 6)])
def test_cubes_have_the_frustrated_faces_they_are_named_for(p, faces):
    """Faces of the finished lattice's cubes whose couplings have a negative product."""
    instance = tile_planting(4, seed=1, dimension=3, p=p)
    J = instance.model.J
    found = 0
    for origin in itertools.product(range(4), repeat=3):
        if len({x % 2 for x in origin}) == 1:
            for axis, side in itertools.product(range(3), range(2)):
                plane = [x for x in range(3) if x != axis]
                corners = np.array([origin] * 4)
                corners[:, axis] += side
                corners[[1, 2], plane[0]] += 1
                corners[[2, 3], plane[1]] += 1
                sites = (corners % 4) @ [16, 4, 1]
                found += np.prod(J[sites, np.roll(sites, 1)]) < 0
    assert found == faces * 16


def test_the_parity_gadget_level_by_level():
    """Every clause of its own: its energy, lowest over the ancilla, is minus the product of its spins."""
    instance = xorsat(3, seed=0, gauge=False)  # three clauses of the same three variables
    spins = all_states(3)
    ancillas = all_states(3)
    energies = instance.model.energy(
        np.concatenate([np.repeat(spins, 8, axis=0), np.tile(ancillas, (8, 1))], axis=1)
    ).reshape(8, 8)
    np.testing.assert_array_equal(energies.min(axis=1), -3 * spins.prod(axis=1))
    satisfied = spins.prod(axis=1) == 1
    assert ((energies == -3).sum(axis=1) == satisfied).all()


def test_ground_states_of_xorsat_are_the_solutions_modulo_2():
    for seed in SEEDS:
        instance = xorsat(6, seed=seed, gauge=False)
        clauses = instance.model.J[:6, 6:].T != 0
        assert (clauses.sum(axis=0) == 3).all()
        assert (clauses.sum(axis=1) == 3).all()
        solutions = sum(not (clauses @ bits % 2).any() for bits in itertools.product((0, 1), repeat=6))
        energies = instance.model.energy(all_states(12))
        assert np.count_nonzero(energies == -6) == solutions


def wishart_moments(n, alpha, draws):
    """Mean coupling and mean squared coupling of each of many problems."""
    J = np.array([wishart(n, seed=s, alpha=alpha, gauge=False).model.parameters.couplings for s in range(draws)])
    return J.mean(axis=1), (J**2).mean(axis=1)


def z_score(draws, expected):
    return (draws.mean() - expected) / (draws.std(ddof=1) / np.sqrt(len(draws)))


def test_wishart_couplings_have_the_moments_of_the_ensemble():
    """W has variance 1 and covariance -1/(n-1) in each of M columns. Both z-scores: 5 sigma, false alarm 1e-6.

    The teeth: without the factor n/(n-1) under the root, moments are smaller by it, and by its square.
    """
    n, columns = 6, 3
    means, squares = wishart_moments(n, columns / n, 1000)
    mean = columns / (n * (n - 1))
    square = columns / n**2 * (1 + 1 / (n - 1) ** 2) + mean**2
    assert abs(z_score(means, mean)) < 5
    assert abs(z_score(squares, square)) < 5
    assert z_score(means, mean * (n - 1) / n) > 5
    assert z_score(squares, square * ((n - 1) / n) ** 2) > 5


@pytest.mark.parametrize("R", [1, 2, 3])
def test_couplings_stay_in_range_and_loops_are_as_many_as_asked(R):
    for seed in SEEDS:
        couplings = frustrated_loops(4, seed=seed, alpha=0.2, R=R, gauge=False).model.parameters.couplings
        assert np.abs(couplings).max() <= R
        assert np.array_equal(couplings, np.rint(couplings))
    if R == 1:
        # a bond is in one loop at most, and each loop has one that is negative
        assert np.count_nonzero(couplings < 0) == round(0.2 * 128)


def test_loops_without_limit_pile_up():
    assert np.abs(frustrated_loops(3, seed=0, alpha=2.0, R=None).model.parameters.couplings).max() > 3


def test_min_length_keeps_short_loops_out():
    """One loop: as many bonds as it has sites."""
    lengths = [frustrated_loops(4, seed=s, alpha=1 / 128, min_length=8).model.structure.num_edges for s in SEEDS]
    assert min(lengths) >= 8
    lengths = [frustrated_loops(4, seed=s, alpha=1 / 128, min_length=4).model.structure.num_edges for s in SEEDS]
    assert min(lengths) == 4


def test_cells_are_solved_as_a_lattice():
    """512 variables: where cells are uniform, the energy is that of their lattice, of tree width 8."""
    for seed in SEEDS:
        instance = frustrated_cluster_loops(8, seed=seed, R=3)
        J = instance.model.J.reshape(64, 8, 64, 8) * np.multiply.outer(*[instance.optimum.state.reshape(64, 8)] * 2)
        cells = J.sum(axis=(1, 3))
        lattice = IsingModel({}, {(a, b): cells[a, b] for a, b in np.argwhere(np.triu(cells, 1)).tolist()}).to_bqm()
        found = TreeDecompositionSolver().sample(lattice).first.energy
        assert found - np.diagonal(cells).sum() / 2 == pytest.approx(instance.optimum.energy)


def test_cells_that_give_way_have_no_planted_optimum():
    """Deceptive loops: with couplings of 1/7 in the cells, states with mixed cells lie below all up."""
    below = 0
    for seed in SEEDS:
        instance = frustrated_cluster_loops(3, seed=seed, alpha=0.2, cluster_coupling=1 / 7, R=1, gauge=False)
        assert instance.optimum is None
        up = instance.model.energy(np.ones(72))
        below += TreeDecompositionSolver().sample(instance.model.to_bqm()).first.energy < up - 1e-9
    assert below > 0


def test_cells_are_checked_one_by_one():
    """With less than R in the cells some instances are proven and some are not; where one is, its energy is lowest."""
    proven = 0
    for seed in SEEDS:
        instance = frustrated_cluster_loops(3, seed=seed, alpha=0.3, R=3, cluster_coupling=1.0)
        if instance.optimum is not None:
            proven += 1
            found = TreeDecompositionSolver().sample(instance.model.to_bqm()).first.energy
            assert found == pytest.approx(instance.optimum.energy, abs=1e-9)
    assert 0 < proven < len(SEEDS)


@pytest.mark.parametrize(
    ("family", "size", "options", "message"),
    [
        (tile_planting, 5, {}, "its size is even; got 5. Take 6"),
        (tile_planting, 2, {}, "size is a whole number of at least 4; got 2"),
        (tile_planting, 4, {"dimension": 4}, "dimension is one of 2, 3; got 4"),
        (tile_planting, 4, {"p": (1, 0, 0)}, r"4 numbers of at least 0 with sum 1; got \(1, 0, 0\)"),
        (tile_planting, 4, {"p": (0.5, 0.6, 0, 0)}, "with sum 1; got"),
        (tile_planting, 4, {"p": (1.5, -0.5, 0, 0)}, "at least 0 with sum 1; got"),
        (tile_planting, 4, {"gauge": 1}, "gauge is one of True, False; got 1"),
        (wishart, 1, {}, "size is a whole number of at least 2; got 1"),
        (wishart, 3000, {}, "at most 1000; got 3000"),
        (wishart, 8, {"alpha": 0.05}, "alpha is a finite number, at least 0.1 and at most 10; got 0.05"),
        (xorsat, 2, {}, "size is a whole number of at least 3; got 2"),
        (frustrated_loops, 2, {"alpha": 0.6, "R": 1}, r"19 loops \(alpha=0.6\) .* found no room on 32 sites with R=1"),
        (frustrated_loops, 2, {"alpha": 0.2, "min_length": 40}, "found no room on 32 sites"),
        (frustrated_loops, 2, {"alpha": 1e9}, "alpha is a finite number, above 0 and at most 100; got"),
        (frustrated_loops, 2, {"R": 0}, "R is a whole number of at least 1; got 0"),
        (frustrated_loops, 2, {"min_length": 2}, "min_length is a whole number of at least 3; got 2"),
        (frustrated_loops, 2, {"seed": -1}, "seed is a whole number of at least 0; got -1"),
        (frustrated_loops, 2, {"graph": "torus"}, "got 'torus'"),
        (frustrated_cluster_loops, 1, {}, "size is a whole number of at least 2; got 1"),
        (
            frustrated_cluster_loops,
            3,
            {"alpha": 0.1, "cluster_coupling": -1.0},
            "cluster_coupling is a finite number, above 0",
        ),
    ],
)
def test_what_is_refused(family, size, options, message):
    with pytest.raises(ValueError, match=message):
        family(size, **options)
