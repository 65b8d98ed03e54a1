"""A cluster sampler in one file, outside the package. To put the conformance kit to it, run in this folder:

ANNEALNN_TEST_SAMPLERS=cluster_sampler:ClusterSampler pytest --pyargs annealnn.testing
"""

from typing import Any, final

import dimod
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from annealnn.samplers import AnnealSampler, streams_from_seed, uniforms


@final
class ClusterSampler(AnnealSampler):
    """Swendsen-Wang sweeps with a ghost spin for the fields (Swendsen & Wang 1987).

    Beta rises to its value over the first half of the sweeps. Frustration slows the mixing: give more sweeps there.
    """

    properties = {"distribution": "boltzmann"}  # noqa: RUF012 - dimod's own way

    def sample(self, bqm, *, num_reads=1, num_sweeps=200, beta=1.0, seed=None, **kwargs: Any) -> dimod.SampleSet:
        """Draw reads near P(s), proportional to exp(-beta E(s))."""
        self.remove_unknown_kwargs(**kwargs)

        def draw(structure, parameters, num_reads, seed):
            streams, ghost = streams_from_seed(seed, num_reads), structure.num_variables
            i, j = np.hstack([structure.edges.T, [np.arange(ghost), np.full(ghost, ghost)]])
            K = np.hstack([parameters.couplings, parameters.fields])
            spins = np.ones((num_reads, ghost + 1), np.int8)
            for ramp in 2 * np.arange(1, num_sweeps + 1) / num_sweeps:
                u = uniforms(streams, len(K) + ghost + 1)
                satisfied = np.maximum(K * spins[:, i] * spins[:, j], 0)
                read, bond = np.nonzero(u[:, : len(K)] < -np.expm1(-2 * beta * min(1, ramp) * satisfied))
                ends = read * (ghost + 1) + np.stack([i[bond], j[bond]])
                bonds = coo_array((np.ones(len(read)), tuple(ends)), shape=(spins.size, spins.size))
                labels = connected_components(bonds, directed=False)[1]
                first = np.unique(labels, return_index=True)[1]
                flipped = (u[:, len(K) :].ravel() < 0.5)[first[labels]].reshape(spins.shape)
                spins[flipped != flipped[:, [ghost]]] *= -1
            return spins[:, :ghost], {}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps, beta=beta)
