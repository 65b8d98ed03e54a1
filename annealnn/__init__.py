"""Boltzmann machines, classical and quantum, on the sampler of your choice.

Public names load on first use, so that `import annealnn` costs next to nothing.
"""

from annealnn._lazy import attach

__version__ = "0.1.0.dev0"

__getattr__, __dir__, _names = attach(
    __name__,
    {
        "BetaSchedule": "annealnn.schedules",
        "BoltzmannMachine": "annealnn.estimators",
        "EmbeddedBoltzmannMachine": "annealnn.estimators",
        "ExactSampler": "annealnn.samplers",
        "GibbsSampler": "annealnn.samplers",
        "IsingModel": "annealnn.models",
        "SamplerSpec": "annealnn.registry",
        "SimulatedAnnealingSampler": "annealnn.samplers",
        "TransverseIsing": "annealnn.models",
        "datasets": "annealnn.datasets",
        "embeddings": "annealnn.embeddings",
        "sampler_names": "annealnn.registry",
    },
)
__all__ = [*_names, "__version__"]
