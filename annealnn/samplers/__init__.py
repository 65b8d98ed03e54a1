"""dimod samplers over the package's kernels, and the door through which learners sample.

Public door: `sampler.sample(bqm, num_reads=..., seed=...)`, dimod's. Learner's door: `compile_sampler`.
"""

from annealnn.samplers._adapter import compile_sampler
from annealnn.samplers._base import AnnealSampler, Draw
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step
from annealnn.samplers._exact import ExactSampler
from annealnn.samplers._gibbs import GibbsSampler
from annealnn.samplers._simulated_annealing import SimulatedAnnealingSampler
from annealnn.samplers._streams import streams_from_seed, uniforms

__all__ = [
    "AnnealSampler",
    "CompiledSampler",
    "Draw",
    "ExactSampler",
    "GibbsSampler",
    "SamplerState",
    "SimulatedAnnealingSampler",
    "Step",
    "compile_sampler",
    "streams_from_seed",
    "uniforms",
]
