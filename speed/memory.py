"""What memory 10,000 reads of Zephyr Z15, 7,440 qubits, take at their peak: the whole process, its imports included.

python speed/memory.py [anneal | path-integral]
"""

import resource
import sys

import dwave.graphs
import numpy as np

from annealnn.samplers import PathIntegralSampler, SimulatedAnnealingSampler

from problems import on_edges

NUM_READS = 10_000


def main():
    rng = np.random.default_rng(0)
    bqm = on_edges(dwave.graphs.zephyr_graph(15), rng.normal)
    name = sys.argv[1] if len(sys.argv) > 1 else "anneal"
    if name == "anneal":
        SimulatedAnnealingSampler().sample(bqm, num_reads=NUM_READS, num_sweeps=10, seed=1)
    else:
        PathIntegralSampler().sample(bqm, num_reads=NUM_READS, num_sweeps=2, beta=0.2, num_slices=8, seed=1)
    # in KiB on Linux
    print(f"{name}: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
