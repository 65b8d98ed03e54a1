"""Tile planting on periodic lattices in two and three dimensions."""

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np

from annealnn._validation import check_choice, check_count, check_real
from annealnn.benchmark._instance import Instance, InstanceSpec
from annealnn.benchmark.families._build import draws
from annealnn.benchmark.families._planting import model_of_bonds, plant
from annealnn.benchmark.families._registry import Family
from annealnn.typing import Floats

_Corner = tuple[int, ...]
_Bond = tuple[_Corner, _Corner]

# antiferromagnetic bonds of a cube with 2, 4 and 6 frustrated faces: C22, C42 and C6 of Hamze et al.
_CUBES: tuple[tuple[_Bond, ...], ...] = (
    (((0, 0, 0), (0, 0, 1)), ((0, 1, 0), (0, 1, 1))),
    (((0, 0, 0), (0, 0, 1)), ((1, 1, 0), (1, 1, 1))),
    (((0, 0, 0), (0, 0, 1)), ((0, 1, 0), (1, 1, 0)), ((1, 0, 1), (1, 1, 1))),
)
_CLASSES = {2: ("plaquettes with 1, 2, 3 and 4 weak bonds", 4), 3: ("cubes with 2, 4 and 6 frustrated faces", 3)}
_ROUNDING = 1e-9
_DEFAULTS = {2: (0.0, 1.0, 0.0, 0.0), 3: (0.0, 0.0, 1.0)}


def tile_planting(
    size: int, *, seed: int = 0, dimension: int = 2, p: Sequence[float] | None = None, gauge: bool = True
) -> Instance:
    """Return a spin glass on a periodic lattice made of frustrated tiles that share a ground state.

    Tiles are every other plaquette of a square lattice, as on a chess board, or the cubes of a cubic lattice whose
    three coordinates are all even or all odd: each bond of the lattice is in one tile. Each tile is drawn such that
    all up is one of its ground states:

    - a plaquette has bonds J = 2, of which g = 1..4 are set to 1 and one of those to -1;
    - a cube has bonds J = 1, two or three of them set to -1 so that 2, 4 or 6 of its faces are frustrated, turned at
      random by one of its 48 symmetries.

    Proof: all up has the lowest energy of each tile, and the lattice's energy is the sum of its tiles'. So
    E0 = - sum of all J: -5, -4, -3, -2 for a plaquette of g = 1..4, -8, -8, -6 for a cube of 2, 4, 6 faces.

    Parameters
    ----------
    size : int
        Length L of the lattice, even, at least 4; L^2 or L^3 variables.
    seed : int
    dimension : 2 or 3
    p : sequence of float, optional
        Probabilities of the tiles' classes: (p1, p2, p3, p4) of g in two dimensions, (p2, p4, p6) of the number of
        frustrated faces in three. The hardest class alone if None: g = 2, and cubes with 6. Median time to solution at
        99 % of dwave-samplers' simulated annealing, in sweeps, 15 problems, best of 8, 32, 128, 512 and 2048 sweeps:
        1.1e3, 5.1e4, 5.1e2, 23 for g = 1..4 alone at L = 12, 1.8e4 for all alike; 5.5e2, 1.5e2 and more than 2e5 for
        2, 4 and 6 faces at L = 6.
    gauge : bool
        Flip variables at random, so that the planted state is not all up.

    Raises
    ------
    ValueError
        If L is odd or below 4, or `p` are not probabilities of the classes.

    References
    ----------
    F. Hamze, D. C. Jacob, A. J. Ochoa, D. Perera, W. Wang, H. G. Katzgraber, "From near to eternity:
    Spin-glass planting, tiling puzzles, and constraint-satisfaction problems", Phys. Rev. E 97, 043303 (2018).
    D. Perera, F. Hamze, J. Raymond, M. Weigel, H. G. Katzgraber, "Computational hardness of spin-glass
    problems with tile-planted solutions", Phys. Rev. E 101, 023316 (2020).
    """
    length = check_count("size", size, minimum=4)
    if length % 2:
        msg = f"tiles alternate on a periodic lattice, so its size is even; got {size}. Take {size + 1}"
        raise ValueError(msg)
    check_choice("dimension", dimension, (2, 3))
    chances = _read_chances(p, dimension)
    options = {"dimension": dimension, "p": chances.tolist(), "gauge": gauge}
    spec = InstanceSpec(family="tile-planting", size=length, seed=seed, options=options)
    rng = draws(length, spec.seed)

    corners = list(product((0, 1), repeat=dimension))
    bonds = [(a, b) for a, b in combinations(corners, 2) if sum(x != y for x, y in zip(a, b, strict=True)) == 1]
    ends = np.array([[corners.index(a), corners.index(b)] for a, b in bonds])
    origins = [o for o in product(range(length), repeat=dimension) if len({x % 2 for x in o}) == 1]
    weights = length ** np.arange(dimension - 1, -1, -1)
    sites = ((np.array(origins)[:, None] + np.array(corners)) % length) @ weights
    classes = rng.choice(len(chances), len(origins), p=chances)
    draw = _plaquette if dimension == 2 else _cube
    couplings = np.array([draw(int(which), bonds, rng) for which in classes])

    model = model_of_bonds(length**dimension, sites[:, ends].reshape(-1, 2), couplings.ravel())
    return plant(spec, model, -couplings.sum(), rng=rng, gauge=gauge)


def _read_chances(p: Sequence[float] | None, dimension: int) -> Floats:
    what, count = _CLASSES[dimension]
    chances = check_real("p", _DEFAULTS[dimension] if p is None else p)
    if chances.shape != (count,) or not (chances >= 0).all() or abs(chances.sum() - 1) > _ROUNDING:
        msg = f"p has the probabilities of {what}, {count} numbers of at least 0 with sum 1; got {p!r}"
        raise ValueError(msg)
    return chances


def _plaquette(which: int, bonds: list[_Bond], rng: np.random.Generator) -> Floats:
    weak = rng.permutation(len(bonds))[: which + 1]
    couplings = np.full(len(bonds), 2.0)
    couplings[weak] = 1
    couplings[weak[0]] = -1
    return couplings


def _cube(which: int, bonds: list[_Bond], rng: np.random.Generator) -> Floats:
    axes, flips = rng.permutation(3), rng.integers(2, size=3)

    def turned(corner: _Corner) -> _Corner:
        return tuple(int(x) for x in np.array(corner)[axes] ^ flips)

    negative = {frozenset(map(turned, bond)) for bond in _CUBES[which]}
    return np.array([-1.0 if frozenset(bond) in negative else 1.0 for bond in bonds])


FAMILY = Family(
    name="tile-planting",
    build=tile_planting,
    summary="periodic square or cubic lattice of frustrated tiles that share a ground state",
    source="Hamze et al., Phys. Rev. E 97, 043303 (2018); Perera et al., Phys. Rev. E 101, 023316 (2020)",
)
