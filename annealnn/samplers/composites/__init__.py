"""Composites: samplers that change a problem or its reads around any dimod sampler. Public in `annealnn.samplers`."""
