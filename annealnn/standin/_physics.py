"""What the simulated chip does with a problem: reads from its fields and couplings."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from annealnn._rng import child_seed, streams_from_seed
from annealnn._validation import check_count, check_number
from annealnn.models import Parameters, Structure
from annealnn.samplers import ExactSampler, uniforms
from annealnn.samplers._sweeps import CompiledSweeps
from annealnn.standin._problem import Problem
from annealnn.typing import Floats, Indices, Spins

# of a connected part: up to this size its Boltzmann distribution is enumerated, and reads are independent and exact
_MAX_EXACT = 12


class Physics(ABC):
    """Abstract: how reads come about."""

    @abstractmethod
    def draw(self, problem: Problem, fields: Floats, couplings: Floats, seed: int) -> Spins:
        """Return reads (num_reads, num_active).

        Parameters
        ----------
        problem : Problem
            Its graph, its number of reads and its anneal.
        fields, couplings : (num_active,), (num_edges,)
            What the chip realises, noise included; dimod's sign.
        seed : int
        """

    def to_dict(self) -> dict[str, Any]:
        """Return what it is, for JSON."""
        return {"name": type(self).__name__}


@final
@dataclass(frozen=True, kw_only=True)
class ThermalPhysics(Physics):
    """Reads from the Boltzmann distribution at a beta that the chip does not tell.

    Connected parts of up to 12 qubits are enumerated: their reads are exact and independent. Larger ones are annealed
    from beta 0 by heat-bath sweeps, and then swept at `beta`.

    Parameters
    ----------
    beta : float
        Inverse temperature, 1/energy in the chip's units of h and J.
    num_sweeps : int
        Of larger parts: half to come from beta 0 to `beta`, half there.
    num_threads : int, optional
        All processors if None. Reads do not depend on it.
    """

    beta: float = 3.0
    num_sweeps: int = 200
    num_threads: int | None = None

    def __post_init__(self) -> None:
        check_number("beta", self.beta, low=0.0)
        check_count("num_sweeps", self.num_sweeps, minimum=2)

    def draw(self, problem: Problem, fields: Floats, couplings: Floats, seed: int) -> Spins:
        """Return reads at `beta`; the anneal's schedule does not matter."""
        h, num_reads = -fields, problem.num_reads
        joined = couplings != 0
        edges, J = problem.edges[joined], -couplings[joined]
        spins = np.empty((num_reads, len(h)), dtype=np.int8)
        small, large = _parts(len(h), edges)
        for number, part in enumerate(small):
            if len(part) == 1:
                continue
            structure, parameters = _restricted(part, edges, h, J)
            exact = ExactSampler().compile(structure, beta=self.beta)
            spins[:, part] = exact.step(parameters, exact.init(num_reads, child_seed(seed, 1, number))).state.spins
        alone = np.array([part[0] for part in small if len(part) == 1], dtype=np.intp)
        if len(alone):
            chances = uniforms(streams_from_seed(child_seed(seed, 2), num_reads * len(alone)))
            spins[:, alone] = np.where(chances.reshape(num_reads, -1) < expit(2 * self.beta * h[alone]), 1, -1)
        if len(large):
            structure, parameters = _restricted(large, edges, h, J)
            down = np.linspace(0.0, self.beta, self.num_sweeps // 2, endpoint=False)
            betas = np.append(down, np.full(self.num_sweeps - len(down), self.beta))
            swept = CompiledSweeps(structure, metropolis=False, betas=betas, fresh=False, num_threads=self.num_threads)
            spins[:, large] = swept.step(parameters, swept.init(num_reads, child_seed(seed, 3))).state.spins
        return spins

    def to_dict(self) -> dict[str, Any]:
        """Return what it is, without beta: a learner must not read it."""
        return {"name": "thermal", "num_sweeps": self.num_sweeps}


def _parts(num_variables: int, edges: Indices) -> tuple[list[Indices], Indices]:
    """Return the variables of each small connected part, and of all the large ones together."""
    joined = coo_array((np.ones(len(edges)), edges.T), (num_variables, num_variables))
    _, part_of = connected_components(joined, directed=False)
    order, sizes = np.argsort(part_of, kind="stable"), np.bincount(part_of)
    parts = np.split(order, np.cumsum(sizes)[:-1])
    small = [part for part in parts if len(part) <= _MAX_EXACT]
    large = np.sort(np.concatenate([[], *(part for part in parts if len(part) > _MAX_EXACT)])).astype(np.intp)
    return small, large


def _restricted(part: Indices, edges: Indices, h: Floats, J: Floats) -> tuple[Structure, Parameters]:
    """Return the structure and Eq. (1)'s parameters of the rising variables `part`, closed under edges."""
    inside = np.isin(edges[:, 0], part)
    return Structure(len(part), np.searchsorted(part, edges[inside])), Parameters(h[part], J[inside])
