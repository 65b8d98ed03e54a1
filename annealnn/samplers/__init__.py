"""dimod samplers over the package's kernels, composites over any sampler, and the door through which learners sample.

Public door: `sampler.sample(bqm, num_reads=..., seed=...)`, dimod's. Learner's door: `compile_sampler`.
"""

from annealnn.samplers._adapter import compile_sampler
from annealnn.samplers._base import AnnealSampler, Draw
from annealnn.samplers._calibrated import CalibratedSampler
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step
from annealnn.samplers._exact import ExactSampler
from annealnn.samplers._gibbs import GibbsSampler
from annealnn.samplers._path_integral import PathIntegralSampler, TransverseObservables
from annealnn.samplers._population import PopulationAnnealingSampler
from annealnn.samplers._reuse import ReusingSampler
from annealnn.samplers._simulated_annealing import SimulatedAnnealingSampler
from annealnn.samplers._simulated_quantum_annealing import SimulatedQuantumAnnealingSampler
from annealnn.samplers._streams import streams_from_seed, uniforms
from annealnn.samplers._tempering import ParallelTemperingSampler
from annealnn.samplers.composites._base import AnnealComposite, DrawThrough, Reads
from annealnn.samplers.composites._embedded import EmbeddedSampler
from annealnn.samplers.composites._fix_variables import FixVariablesComposite
from annealnn.samplers.composites._gauge import GaugeComposite
from annealnn.samplers.composites._packed import PackedSampler
from annealnn.samplers.composites._steepest_descent import SteepestDescentComposite
from annealnn.samplers.composites._temperature import TemperatureComposite

__all__ = [
    "AnnealComposite",
    "AnnealSampler",
    "CalibratedSampler",
    "CompiledSampler",
    "Draw",
    "DrawThrough",
    "EmbeddedSampler",
    "ExactSampler",
    "FixVariablesComposite",
    "GaugeComposite",
    "GibbsSampler",
    "PackedSampler",
    "ParallelTemperingSampler",
    "PathIntegralSampler",
    "PopulationAnnealingSampler",
    "Reads",
    "ReusingSampler",
    "SamplerState",
    "SimulatedAnnealingSampler",
    "SimulatedQuantumAnnealingSampler",
    "SteepestDescentComposite",
    "Step",
    "TemperatureComposite",
    "TransverseObservables",
    "compile_sampler",
    "streams_from_seed",
    "uniforms",
]
