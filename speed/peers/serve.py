"""The loop of a peer that runs in a process of its own: one line in, one timed call, one line of JSON out."""

import argparse
import json
import os
import sys
import time
from importlib.metadata import version
from typing import NamedTuple


class Task(NamedTuple):
    """What the command line asks for. Arrays are as `problems.write_arrays` wrote them, in dimod's sign."""

    fields: object  # (num_spins,)
    couplings: object  # (num_edges,)
    edges: object  # (num_edges, 2)
    colours: object  # (num_spins,), no two neighbours alike
    particles: int
    sweeps: int  # of each particle in one call


def one_thread():
    """Keep each library to one thread; call it before torch or JAX is imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def read_task():
    """Read the command line: a problem, --particles, --sweeps."""
    import numpy as np

    parser = argparse.ArgumentParser()
    parser.add_argument("problem")
    parser.add_argument("--particles", type=int, required=True)
    parser.add_argument("--sweeps", type=int, required=True)
    arguments = parser.parse_args()
    return Task(**np.load(arguments.problem), particles=arguments.particles, sweeps=arguments.sweeps)


def serve(task, packages, call):
    """Warm up, print the versions of `packages`, then answer each line with a call's seconds and energies.

    Seconds are of processor time, over all threads, as in `compare.timed`.
    `call()` returns spins (particles, num_spins) and has finished its work when it returns.
    """
    import numpy as np

    for _ in range(2):  # what is compiled, is compiled here
        call()
    print(json.dumps({name: version(name) for name in packages}), flush=True)
    for _ in sys.stdin:
        started = time.process_time()
        spins = call()
        seconds = time.process_time() - started
        s = np.asarray(spins, dtype=float)
        pairs = s[:, task.edges[:, 0]] * s[:, task.edges[:, 1]]
        energies = (s @ task.fields + pairs @ task.couplings) / s.shape[1]
        print(json.dumps({"seconds": seconds, "energies": energies.tolist()}), flush=True)
