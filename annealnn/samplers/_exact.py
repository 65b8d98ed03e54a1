"""The oracle: exact moments and independent reads of the Boltzmann distribution."""

from typing import Any, TypeAlias, final

import dimod
import numpy as np

from annealnn._validation import check_number
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.models._exact import MAX_ENUMERATED, basis_energies, basis_moments, basis_spins, boltzmann_weights
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._clamps import FreeStructure, distinct_rows
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._streams import uniforms
from annealnn.samplers._tree import TreeDecomposition
from annealnn.typing import Indices, Spins, Words


@final
class ExactSampler(AnnealSampler):
    """Independent reads from P(s) = exp(-beta E(s)) / Z.

    By enumeration up to 24 variables, and beyond by tree decomposition for sparse graphs: up to a width of 24, which
    takes seconds and 1 GiB.
    """

    @property
    def properties(self) -> dict[str, Any]:
        """`distribution` is "boltzmann"."""
        return {"distribution": "boltzmann"}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        beta: float = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        num_reads : int
        beta : float
            Inverse temperature, 1/energy.
        seed : int, optional
            None draws a fresh one; either way it is in `info["seed"]`.

        Returns
        -------
        dimod.SampleSet
            One row for each read. `info` holds what shaped them, `method` ("enumeration" or "tree decomposition"), and
            `log_z`, the logarithm of the sum of exp(-beta E) over spins; the spin form's offset does not enter.

        Raises
        ------
        ValueError
            If an argument breaks its rule, or the problem has more than 24 variables and too wide a graph.
        """
        self.remove_unknown_kwargs(**kwargs)

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            compiled = self.compile(structure, beta=beta)
            step = compiled.step(parameters, compiled.init(num_reads, seed))
            return step.state.spins, step.info

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, beta=beta)

    def compile(self, structure: Structure, *, want: Want = "spins", beta: float = 1.0) -> CompiledSampler:
        """Return the oracle over `structure`. Wanted moments are exact and come without reads.

        Raises
        ------
        ValueError
            If there are more than 24 variables and too wide a graph.
        """
        return CompiledExact(structure, beta=check_number("beta", beta, low=0.0), want=want)


@final
class Enumeration:
    """All states of a graph of few variables."""

    name = "enumeration"

    def __init__(self, structure: Structure) -> None:
        self.structure = structure

    def solve(self, parameters: Parameters, beta: float) -> "EnumeratedDistribution":
        """Return the Boltzmann distribution at `parameters`."""
        return EnumeratedDistribution(self.structure, parameters, beta)


@final
class EnumeratedDistribution:
    """A Boltzmann distribution, as the weights of all basis states."""

    def __init__(self, structure: Structure, parameters: Parameters, beta: float) -> None:
        self._structure = structure
        self._weights, self.log_z = boltzmann_weights(basis_energies(structure, parameters), parameters, beta)

    def moments(self) -> Moments:
        """Return the exact moments."""
        total = self._weights.sum()
        return Moments(*(sums / total for sums in basis_moments(self._structure, self._weights)))

    def draw(self, streams: Words) -> Spins:
        """Return one independent read for each stream (num_reads, 4), and move the streams on in place."""
        cumulative = np.cumsum(self._weights)
        # "right": a state of weight zero is never drawn
        states = np.searchsorted(cumulative, uniforms(streams) * cumulative[-1], side="right")
        return basis_spins(self._structure.num_variables, states)


Method: TypeAlias = Enumeration | TreeDecomposition


def _method_for(structure: Structure) -> type[Method]:
    return Enumeration if structure.num_variables <= MAX_ENUMERATED else TreeDecomposition


@final
class CompiledExact(CompiledSampler):
    """Exact moments, or independent reads, at every step."""

    def __init__(self, structure: Structure, *, beta: float, want: Want) -> None:
        super().__init__(structure, want)
        self._beta = beta
        self._method: Method = _method_for(structure)(structure)
        # of the last clamp, by the variables that its rows hold
        self._conditionals: dict[tuple[int, ...], tuple[FreeStructure, Method]] = {}

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Solve at `parameters`; draw reads if spins are wanted, or some are clamped."""
        if clamp is not None:
            return self._conditional_step(parameters, state, clamp)
        exact = self._method.solve(parameters, self._beta)
        info = {"method": self._method.name, "log_z": exact.log_z}
        if self.want == "moments":
            return Step(state, None, exact.moments(), info)
        streams = state.streams.copy()
        spins = exact.draw(streams)
        return Step(SamplerState(spins, streams), spins, None, info)

    def _conditional(self, held: Indices) -> tuple[FreeStructure, Method]:
        rest = FreeStructure(self.structure, held)
        return rest, type(self._method)(rest.structure)

    def _conditional_step(self, parameters: Parameters, state: SamplerState, clamp: Clamp) -> Step:
        """Solve the free variables once for every distinct clamped row; moments are means over the rows."""
        # read once and stored when built: threads may step side by side, each with a clamp of its own
        before, used = self._conditionals, dict[tuple[int, ...], tuple[FreeStructure, Method]]()
        spins, streams = state.spins.copy(), state.streams.copy()
        means, products = np.zeros(self.structure.num_variables), np.zeros(self.structure.num_edges)
        for mine, held, row in distinct_rows(clamp):
            key = tuple(held.tolist())
            rest, method = used[key] = used.get(key) or before.get(key) or self._conditional(held)
            spins[np.ix_(mine, held)] = row
            exact = method.solve(rest.parameters(parameters, row), self._beta)
            words = streams[mine]
            spins[np.ix_(mine, rest.free)] = exact.draw(words)
            streams[mine] = words
            if self.want == "moments":
                for sums, values in zip((means, products), rest.moments(exact.moments(), row), strict=True):
                    sums += values * (len(mine) / len(spins))
        self._conditionals = used
        moments = Moments(means, products) if self.want == "moments" else None
        return Step(SamplerState(spins, streams), spins, moments, {"method": self._method.name})
