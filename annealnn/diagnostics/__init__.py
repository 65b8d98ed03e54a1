"""What a sampler's reads say of the sampler."""

from annealnn.diagnostics._effective_beta import effective_beta

__all__ = ["effective_beta"]
