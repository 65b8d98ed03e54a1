"""Spin glasses: random couplings on a processor's graph, on lattices, on the complete graph."""

from typing import Literal

import dimod
import numpy as np

from annealnn._validation import check_choice, check_count, check_number
from annealnn.benchmark._instance import Instance, Optimum
from annealnn.benchmark.families._build import draws, instance_of, model_of
from annealnn.benchmark.families._graphs import column_rank, lattice_graph, working_graph
from annealnn.benchmark.families._prove import prove
from annealnn.benchmark.families._registry import Family
from annealnn.models import Structure
from annealnn.typing import Floats

# no two sums of two of them are equal, so few states are degenerate
SIDON = np.array([8.0, 13.0, 19.0, 28.0]) / 28.0


def ran(
    size: int,
    *,
    seed: int = 0,
    graph: str = "chimera",
    k: int = 1,
    fields: bool = False,
    normalize: bool = False,
    num_dead: int = 0,
    graph_sha256: str | None = None,
) -> Instance:
    """Return a RAN-k problem: couplings drawn uniformly from -k, ..., -1, 1, ..., k on the graph of a processor.

    Parameters
    ----------
    size : int
        The L of a topology; the number of qubits of a graph in a file.
    seed : int
    graph : "chimera", "pegasus", "zephyr" or path of a .json file
        As `working_graph` takes it: a file holds a solver's qubits and couplers.
    k : int
        1 is the +-J glass.
    fields : bool
        Draw a field for each variable from the same numbers; else there are none.
    normalize : bool
        Divide by k, so that couplings lie between -1 and 1; else they are whole numbers.
    num_dead : int
        Qubits of a topology taken out at random.
    graph_sha256 : str, optional
        Of a file.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    King et al. (2015), arXiv 1508.05087, through `dimod.generators.ran_r`. On Chimera the optimum is proven by
    variable elimination up to L = 6.
    """
    check_count("k", k)
    check_choice("fields", fields, [True, False])
    check_choice("normalize", normalize, [True, False])
    structure, told = working_graph(graph, size, num_dead=num_dead, graph_sha256=graph_sha256)
    rng = draws(size, seed)
    edges = [(structure.labels[u], structure.labels[v]) for u, v in structure.edges.tolist()]
    drawn = dimod.generators.ran_r(int(k), (list(structure.labels), edges), seed=int(rng.integers(2**32)))
    couplings = np.array([-drawn.quadratic[edge] for edge in edges])
    signed = np.concatenate([np.arange(-k, 0), np.arange(1, k + 1)]).astype(np.float64)
    pulls = rng.choice(signed, structure.num_variables) if fields else np.zeros(structure.num_variables)
    unit = k if normalize else 1
    model = model_of(structure, couplings / unit, pulls / unit)
    return instance_of("ran", size, seed, model, k=k, fields=fields, normalize=normalize, **told)


def anticlusters(size: int, *, seed: int = 0, multiplier: float = 3.0, num_dead: int = 0) -> Instance:
    """Return an anticluster problem on Chimera: couplings +-1 within cells, +-multiplier between them.

    Parameters
    ----------
    size : int
        The L of Chimera.
    seed : int
    multiplier : float
    num_dead : int
        Qubits taken out at random.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    `dimod.generators.chimera_anticluster`. Cells are weak inside and strong to each other, so that moves of whole
    cells do not help.
    """
    check_number("multiplier", multiplier, low=0.0, open_low=True)
    structure, _ = working_graph("chimera", size, num_dead=num_dead)
    edges = [(structure.labels[u], structure.labels[v]) for u, v in structure.edges.tolist()]
    drawn = dimod.generators.chimera_anticluster(
        size,
        multiplier=multiplier,
        subgraph=(list(structure.labels), edges),
        seed=int(draws(size, seed).integers(2**32)),
    )
    model = model_of(structure, np.array([-drawn.quadratic[edge] for edge in edges]))
    return instance_of("anticlusters", size, seed, model, multiplier=float(multiplier), num_dead=num_dead)


def lattice(
    size: int,
    *,
    seed: int = 0,
    dimension: Literal[2, 3] = 2,
    periodic: bool = True,
    couplings: Literal["sidon", "pm", "gaussian"] = "sidon",
) -> Instance:
    """Return a glass on a square or cubic lattice.

    Parameters
    ----------
    size : int
        Sites a side.
    seed : int
    dimension : 2 or 3
    periodic : bool
        An open square lattice is planar.
    couplings : "sidon", "pm" or "gaussian"
        8, 13, 19 or 28, over 28, with a random sign; +-1; or of mean 0 and variance 1.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Sidon couplings: Katzgraber et al. (2015), Phys. Rev. X 5, 031026. No two sums of two of the four numbers are equal,
    which leaves few states degenerate.
    """
    check_choice("couplings", couplings, list(_COUPLINGS))
    structure = lattice_graph(size, dimension=dimension, periodic=periodic)
    drawn = _COUPLINGS[couplings](draws(size, seed), structure.num_edges)
    return instance_of(
        "lattice",
        size,
        seed,
        model_of(structure, drawn),
        dimension=dimension,
        periodic=periodic,
        couplings=couplings,
    )


def sherrington_kirkpatrick(size: int, *, seed: int = 0, couplings: Literal["gaussian", "pm"] = "gaussian") -> Instance:
    """Return a Sherrington-Kirkpatrick glass: all pairs coupled, with mean 0 and variance 1/n.

    Parameters
    ----------
    size : int
        Number of variables n, at least 2.
    seed : int
    couplings : "gaussian" or "pm"
        Normal, or +-1/sqrt(n).

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Notes
    -----
    Sherrington & Kirkpatrick (1975), Phys. Rev. Lett. 35, 1792. The optimum per variable goes to -0.763 as n grows.
    """
    check_count("size", size, minimum=2)
    check_choice("couplings", couplings, ["gaussian", "pm"])
    structure = Structure.complete(size)
    drawn = _COUPLINGS[couplings](draws(size, seed), structure.num_edges) / np.sqrt(size)
    return instance_of("sherrington-kirkpatrick", size, seed, model_of(structure, drawn), couplings=couplings)


def _sidon(rng: np.random.Generator, num: int) -> Floats:
    return np.asarray(rng.choice(SIDON, num) * rng.choice([-1.0, 1.0], num))


def _signs(rng: np.random.Generator, num: int) -> Floats:
    return np.asarray(rng.choice([-1.0, 1.0], num))


def _gaussian(rng: np.random.Generator, num: int) -> Floats:
    return rng.standard_normal(num)


_COUPLINGS = {"sidon": _sidon, "pm": _signs, "gaussian": _gaussian}


def by_columns(instance: Instance) -> Optimum | None:
    """Return the optimum of a problem on Chimera, eliminated column by column where it is too large to enumerate."""
    rank = column_rank(instance.spec.options.get("graph", "chimera"), instance.spec.size)
    orders = [] if rank is None else [sorted(instance.model.labels, key=rank)]
    return prove(instance.model, orders=orders)


RAN = Family(
    name="ran",
    build=ran,
    summary="couplings uniform in -k..k without 0 on a processor's graph",
    source="King et al. 2015, arXiv 1508.05087",
    certify=by_columns,
)
ANTICLUSTERS = Family(
    name="anticlusters",
    build=anticlusters,
    summary="Chimera cells weak inside and strong to each other",
    source="dimod.generators.chimera_anticluster",
    certify=by_columns,
)
LATTICE = Family(
    name="lattice",
    build=lattice,
    summary="square or cubic lattice with Sidon, +-1 or Gaussian couplings",
    source="Katzgraber et al. 2015, Phys. Rev. X 5, 031026",
)
SHERRINGTON_KIRKPATRICK = Family(
    name="sherrington-kirkpatrick",
    build=sherrington_kirkpatrick,
    summary="all pairs coupled, variance 1/n",
    source="Sherrington & Kirkpatrick 1975, Phys. Rev. Lett. 35, 1792",
)
