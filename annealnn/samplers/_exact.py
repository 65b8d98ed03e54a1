"""The oracle: independent reads from the enumerated Boltzmann distribution."""

from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_number
from annealnn.kernels._random import uniform
from annealnn.models import Clamp, Parameters, Structure
from annealnn.models._exact import basis_energies, basis_spins, check_enumerable, enumerate_boltzmann
from annealnn.samplers._base import AnnealSampler, sample_bqm
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.typing import Floats, Spins, Words


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
        self.remove_unknown_kwargs(**kwargs)

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            compiled = self.compile(structure, beta=beta)
            return compiled.step(parameters, compiled.init(num_reads, seed)).state.spins, {"beta": float(beta)}

        return sample_bqm(self, bqm, draw=draw, num_reads=num_reads, seed=seed)

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
        uniforms = _uniforms(streams)
        log_weights = -self._beta * basis_energies(self.structure, parameters)
        if clamp is None:
            spins = self._draw(log_weights, uniforms)
        else:
            spins = np.empty_like(state.spins)
            rows, which = np.unique(clamp.spins, axis=0, return_inverse=True)
            basis = basis_spins(self.structure.num_variables)
            for k, row in enumerate(rows):
                agrees = (basis[:, clamp.variables] == row).all(axis=1)
                mine = which.reshape(-1) == k
                spins[mine] = self._draw(np.where(agrees, log_weights, -np.inf), uniforms[mine])
        moments = self.structure.moments_of(spins) if self.want == "moments" else None
        return Step(SamplerState(spins, streams), spins, moments, {})

    def _draw(self, log_weights: Floats, uniforms: Floats) -> Spins:
        cumulative = np.cumsum(np.exp(log_weights - log_weights.max()))
        # "right": a state of weight zero is never drawn
        states = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
        return basis_spins(self.structure.num_variables, states)


def _uniforms(streams: Words) -> Floats:
    return np.array([uniform(stream) for stream in streams])
