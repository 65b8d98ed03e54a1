"""The oracle: independent reads from the enumerated Boltzmann distribution."""

from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_number
from annealnn.models import Clamp, Parameters, Structure
from annealnn.models._exact import basis_energies, basis_spins, check_enumerable, enumerate_boltzmann
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._streams import uniforms
from annealnn.typing import Floats, Spins


@final
class ExactSampler(AnnealSampler):
    """Independent reads from P(s) = exp(-beta E(s)) / Z by enumeration, up to 22 variables."""

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
            One row for each read. `info` holds what shaped them.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        self.remove_unknown_kwargs(**kwargs)

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            compiled = self.compile(structure, beta=beta)
            return compiled.step(parameters, compiled.init(num_reads, seed)).state.spins, {}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, beta=beta)

    def compile(self, structure: Structure, *, want: Want = "spins", beta: float = 1.0) -> CompiledSampler:
        """Return the oracle over `structure`. Wanted moments are exact and come without reads."""
        check_enumerable(structure.num_variables)
        return CompiledEnumeration(structure, beta=check_number("beta", beta, low=0.0), want=want)


@final
class CompiledEnumeration(CompiledSampler):
    """Exact moments, or independent reads, at every step."""

    def __init__(self, structure: Structure, *, beta: float, want: Want) -> None:
        super().__init__(structure, want)
        self._beta = beta

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Enumerate at `parameters`; draw reads if spins are wanted, or some are clamped."""
        if clamp is None and self.want == "moments":
            exact = enumerate_boltzmann(self.structure, parameters, self._beta)
            return Step(state, None, exact.moments, {"log_z": exact.log_z})
        streams = state.streams.copy()
        draws = uniforms(streams)
        log_weights = -self._beta * basis_energies(self.structure, parameters)
        if clamp is None:
            spins = self._draw(log_weights, draws)
        else:
            spins = np.empty_like(state.spins)
            rows, which = np.unique(clamp.spins, axis=0, return_inverse=True)
            basis = basis_spins(self.structure.num_variables)
            for k, row in enumerate(rows):
                agrees = (basis[:, clamp.variables] == row).all(axis=1)
                mine = which.reshape(-1) == k
                spins[mine] = self._draw(np.where(agrees, log_weights, -np.inf), draws[mine])
        moments = self.structure.moments_of(spins) if self.want == "moments" else None
        return Step(SamplerState(spins, streams), spins, moments, {})

    def _draw(self, log_weights: Floats, draws: Floats) -> Spins:
        cumulative = np.cumsum(np.exp(log_weights - log_weights.max()))
        # "right": a state of weight zero is never drawn
        states = np.searchsorted(cumulative, draws * cumulative[-1], side="right")
        return basis_spins(self.structure.num_variables, states)
