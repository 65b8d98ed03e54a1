"""Boltzmann machines on the sampler of your choice.

Public names load on first use, so that `import annealnn` costs next to nothing.
"""

from typing import TYPE_CHECKING

from annealnn._lazy import attach
from annealnn._version import __version__

if TYPE_CHECKING:  # the same names for type checkers; tests/packaging holds the two lists together
    from annealnn import datasets, dynamics, embeddings
    from annealnn.estimators import (
        BoltzmannClassifier,
        BoltzmannMachine,
        DeepBoltzmannMachine,
        EmbeddedBoltzmannMachine,
        GaussianRestrictedBoltzmannMachine,
        QuantumBoltzmannMachine,
        RestrictedBoltzmannMachine,
        SemiQuantumRestrictedBoltzmannMachine,
    )
    from annealnn.models import IsingModel, TransverseIsing
    from annealnn.registry import SamplerSpec, sampler_names
    from annealnn.samplers import (
        ExactSampler,
        GibbsSampler,
        ParallelTemperingSampler,
        PathIntegralSampler,
        PopulationAnnealingSampler,
        SimulatedAnnealingSampler,
        SimulatedQuantumAnnealingSampler,
    )
    from annealnn.schedules import BetaSchedule
else:  # hidden from type checkers, for which a module's __getattr__ has every name
    __getattr__, __dir__, _ = attach(
        __name__,
        {
            "BetaSchedule": "annealnn.schedules",
            "BoltzmannClassifier": "annealnn.estimators",
            "BoltzmannMachine": "annealnn.estimators",
            "DeepBoltzmannMachine": "annealnn.estimators",
            "EmbeddedBoltzmannMachine": "annealnn.estimators",
            "GaussianRestrictedBoltzmannMachine": "annealnn.estimators",
            "QuantumBoltzmannMachine": "annealnn.estimators",
            "RestrictedBoltzmannMachine": "annealnn.estimators",
            "SemiQuantumRestrictedBoltzmannMachine": "annealnn.estimators",
            "ExactSampler": "annealnn.samplers",
            "GibbsSampler": "annealnn.samplers",
            "IsingModel": "annealnn.models",
            "ParallelTemperingSampler": "annealnn.samplers",
            "PathIntegralSampler": "annealnn.samplers",
            "PopulationAnnealingSampler": "annealnn.samplers",
            "SamplerSpec": "annealnn.registry",
            "SimulatedAnnealingSampler": "annealnn.samplers",
            "SimulatedQuantumAnnealingSampler": "annealnn.samplers",
            "TransverseIsing": "annealnn.models",
            "datasets": "annealnn.datasets",
            "dynamics": "annealnn.dynamics",
            "embeddings": "annealnn.embeddings",
            "sampler_names": "annealnn.registry",
        },
    )

__all__ = [
    "BetaSchedule",
    "BoltzmannClassifier",
    "BoltzmannMachine",
    "DeepBoltzmannMachine",
    "EmbeddedBoltzmannMachine",
    "ExactSampler",
    "GaussianRestrictedBoltzmannMachine",
    "GibbsSampler",
    "IsingModel",
    "ParallelTemperingSampler",
    "PathIntegralSampler",
    "PopulationAnnealingSampler",
    "QuantumBoltzmannMachine",
    "RestrictedBoltzmannMachine",
    "SamplerSpec",
    "SemiQuantumRestrictedBoltzmannMachine",
    "SimulatedAnnealingSampler",
    "SimulatedQuantumAnnealingSampler",
    "TransverseIsing",
    "__version__",
    "datasets",
    "dynamics",
    "embeddings",
    "sampler_names",
]
