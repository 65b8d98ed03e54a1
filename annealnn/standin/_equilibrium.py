"""Thermal reads of a problem, connected part by connected part: exact where a part is small."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from annealnn._rng import child_seed, streams_from_seed
from annealnn.models import IsingModel, Parameters, Structure, TransverseIsing
from annealnn.models._exact import basis_spins
from annealnn.samplers import ExactSampler, uniforms
from annealnn.samplers._simulated_quantum_annealing import typical_field
from annealnn.samplers._sweeps import CompiledSweeps
from annealnn.samplers._worldlines import CompiledWorldlines
from annealnn.typing import Floats, Indices, Spins


class Equilibrium(ABC):
    """Abstract: a thermal distribution of Eq. (1), and how it is drawn from."""

    #: qubits of the largest connected part whose reads are drawn from exact probabilities, independently
    max_exact: int

    @abstractmethod
    def means_alone(self, fields: Floats) -> Floats:
        """Return `<Z>` of qubits without couplings, of their fields (num_alone,)."""

    @abstractmethod
    def exact_reads(self, structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> Spins:
        """Return independent reads of a small part, (num_reads, num_variables)."""

    @abstractmethod
    def swept_reads(self, structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> Spins:
        """Return reads of large parts by Monte Carlo, (num_reads, num_variables)."""

    def reads(self, structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> Spins:
        """Return reads of any problem, (num_reads, num_variables), each connected part in its own way."""
        joined = parameters.couplings != 0
        edges, couplings = structure.edges[joined], parameters.couplings[joined]
        spins = np.empty((num_reads, structure.num_variables), dtype=np.int8)
        alone, small, large = _parts(structure.num_variables, edges, self.max_exact)
        if len(alone):
            ups = (1 + self.means_alone(parameters.fields[alone])) / 2
            chances = uniforms(streams_from_seed(child_seed(seed, 0), num_reads * len(alone)))
            spins[:, alone] = np.where(chances.reshape(num_reads, -1) < ups, 1, -1)
        for number, part in enumerate(small):
            of_part = _restricted(part, edges, parameters.fields, couplings)
            spins[:, part] = self.exact_reads(*of_part, num_reads, child_seed(seed, 1, number))
        if len(large):
            of_rest = _restricted(large, edges, parameters.fields, couplings)
            spins[:, large] = self.swept_reads(*of_rest, num_reads, child_seed(seed, 2))
        return spins


@final
@dataclass(frozen=True, kw_only=True)
class BoltzmannEquilibrium(Equilibrium):
    """The Boltzmann distribution at `beta`; large parts are annealed from beta 0 in half of the sweeps."""

    beta: float
    num_sweeps: int
    num_threads: int | None = None
    max_exact = 12

    def means_alone(self, fields: Floats) -> Floats:
        """Return tanh(beta h)."""
        return np.tanh(self.beta * fields)

    def exact_reads(self, structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> Spins:
        """Return independent reads, by enumeration."""
        exact = ExactSampler().compile(structure, beta=self.beta)
        return exact.step(parameters, exact.init(num_reads, seed)).state.spins

    def swept_reads(self, structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> Spins:
        """Return reads by heat-bath sweeps."""
        betas = np.full(self.num_sweeps, self.beta)
        betas[: self.num_sweeps // 2] = np.linspace(0.0, self.beta, self.num_sweeps // 2, endpoint=False)
        swept = CompiledSweeps(structure, metropolis=False, betas=betas, fresh=False, num_threads=self.num_threads)
        return swept.step(parameters, swept.init(num_reads, seed)).state.spins


@final
@dataclass(frozen=True, kw_only=True)
class TransverseEquilibrium(Equilibrium):
    """The thermal state rho = exp(-beta H) / Z with a transverse field, read in the z basis.

    Large parts: path-integral Monte Carlo; the transverse field comes down to `gamma` in half of the sweeps.
    """

    beta: float
    gamma: float
    num_sweeps: int
    num_slices: int
    num_threads: int | None = None
    max_exact = 10

    def means_alone(self, fields: Floats) -> Floats:
        """Return (h / e) tanh(beta e), e = sqrt(h**2 + gamma**2)."""
        levels = np.hypot(fields, self.gamma)
        return np.divide(fields, levels, out=np.zeros_like(fields), where=levels > 0) * np.tanh(self.beta * levels)

    def exact_reads(self, structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> Spins:
        """Return independent reads from the diagonal of rho, by diagonalisation."""
        problem = IsingModel.from_parameters(structure, parameters)
        cumulative = np.cumsum(TransverseIsing.of(problem, self.gamma).exact(self.beta).probabilities)
        chances = uniforms(streams_from_seed(seed, num_reads))
        states = np.searchsorted(cumulative, chances * cumulative[-1], side="right")
        return basis_spins(structure.num_variables, states)

    def swept_reads(self, structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> Spins:
        """Return slice 0 of worldlines."""
        above = max(self.gamma, 2 * typical_field(structure, parameters))
        ramps = np.full(self.num_sweeps, self.gamma)
        # a transverse field of 0 is come to from a small one
        ramps[: self.num_sweeps // 2] = np.geomspace(above, max(self.gamma, above / 1000), self.num_sweeps // 2)
        lines = CompiledWorldlines(
            structure,
            betas=np.full(self.num_sweeps, self.beta),
            ramps=ramps,
            gammas=np.ones(structure.num_variables),
            num_slices=self.num_slices,
            fresh=False,
            num_threads=self.num_threads,
        )
        return lines.reads(lines.step(parameters, lines.init(num_reads, seed)).state)


def _parts(num_variables: int, edges: Indices, max_exact: int) -> tuple[Indices, list[Indices], Indices]:
    """Return the variables without couplings, those of each small connected part, those of all large ones; rising."""
    joined = coo_array((np.ones(len(edges)), edges.T), (num_variables, num_variables))
    _, part_of = connected_components(joined, directed=False)
    order, sizes = np.argsort(part_of, kind="stable"), np.bincount(part_of)
    parts = np.split(order, np.cumsum(sizes)[:-1])
    small = [part for part in parts if 1 < len(part) <= max_exact]
    return np.flatnonzero(sizes[part_of] == 1), small, np.flatnonzero(sizes[part_of] > max_exact)


def _restricted(part: Indices, edges: Indices, fields: Floats, couplings: Floats) -> tuple[Structure, Parameters]:
    """Return the structure and the parameters of the rising variables `part`, closed under edges."""
    inside = np.isin(edges[:, 0], part)
    return Structure(len(part), np.searchsorted(part, edges[inside])), Parameters(fields[part], couplings[inside])
