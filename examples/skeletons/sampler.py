"""Copy me: a sampler. In the package it goes to annealnn/samplers/ and its __init__.py; the kit finds it there."""

from typing import Any, final

import dimod
import numpy as np

from annealnn.samplers import AnnealSampler, streams_from_seed, uniforms


@final
class SkeletonSampler(AnnealSampler):
    """Heat-bath sweeps in numpy, all reads side by side (Geman & Geman 1984)."""

    properties = {"distribution": "boltzmann"}  # noqa: RUF012 - dimod's own way

    def sample(self, bqm, *, num_reads=1, num_sweeps=50, beta=1.0, seed=None, **kwargs: Any) -> dimod.SampleSet:
        """Draw reads near P(s), proportional to exp(-beta E(s))."""
        self.remove_unknown_kwargs(**kwargs)

        def draw(structure, parameters, num_reads, seed):
            n, streams = structure.num_variables, streams_from_seed(seed, num_reads)  # one for each read
            J = structure.dense(parameters.couplings)  # Eq. (1)'s sign: a larger coupling aligns
            spins = np.where(uniforms(streams, n) < 0.5, 1, -1).astype(np.int8)
            for i in np.tile(np.arange(n), num_sweeps):
                local = parameters.fields[i] + (spins * J[i]).sum(axis=1)
                spins[:, i] = np.where(uniforms(streams) < 1 / (1 + np.exp(-2 * beta * local)), 1, -1)
            return spins, {}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps, beta=beta)
