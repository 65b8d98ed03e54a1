"""Kill trainings with SIGKILL at random moments, resume them, and compare with unbroken ones, to the bit.

`python tests/estimators/kill_and_resume.py --trials 20 --seed 0`. Exits with 1 if any differs. Needs os.fork.
"""

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from annealnn import DeepBoltzmannMachine, EmbeddedBoltzmannMachine, RestrictedBoltzmannMachine
from annealnn.datasets import make_bernoulli_mixture
from annealnn.exceptions import CheckpointError
from annealnn.learning import checkpoint

COMMON = {"n_iter": 40, "monitor_every": 10, "random_state": 0, "progress": False}
MACHINES = {
    "restricted, minibatches, average": (
        RestrictedBoltzmannMachine,
        {"n_components": 4, "n_particles": 20, "batch_size": 10, "average": 0.5},
    ),
    "deep, hidden spins drawn": (
        DeepBoltzmannMachine,
        {"hidden_layer_sizes": (3, 2), "n_particles": 20, "batch_size": 10, "average": 0.5},
    ),
    "embedded": (
        EmbeddedBoltzmannMachine,
        {"target": "chimera-1", "embedding": {k: (k, k + 4) for k in range(4)}, "n_reads": 50},
    ),
}


def machine_of(name, **keywords):
    cls, parameters = MACHINES[name]
    machine = cls(**COMMON, **parameters, **keywords)
    machine._save_every_s = 0.0  # at every epoch
    return machine


def result_of(machine):
    """Return all that a fit leaves: parameters, velocity, particles and their streams, history."""
    state = machine._state
    arrays = [*state.parameters, *state.velocity, *state.sampler[:2], *state.sampler.kept.values()]
    return [machine.n_iter_, machine.history_, machine.monitored_, [a.tobytes() for a in arrays]]


def begin(name, X, folder):
    """Fit in a child process; return its number."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            machine_of(name, checkpoint=folder).fit(X)
        finally:
            os._exit(0)
    return child


def main(trials, seed):
    logging.disable(logging.WARNING)  # that there is nothing to resume, where the child was killed early
    X = make_bernoulli_mixture(40, 4, 2, 0.9, random_state=1)[0]
    rng = np.random.default_rng(seed)
    failed = 0
    for name in MACHINES:
        whole = result_of(machine_of(name).fit(X))
        with tempfile.TemporaryDirectory() as kept:
            for k in range(2):  # the first may wait for the disk
                started = time.monotonic()
                os.waitpid(begin(name, X, Path(kept) / f"timed-{k}"), 0)
                lasts_s = time.monotonic() - started
            epochs, same, began = [], 0, time.monotonic()
            for trial in range(trials):
                folder = Path(kept) / str(trial)
                child = begin(name, X, folder)
                time.sleep(rng.uniform(0, lasts_s))
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                saved = 0
                with suppress(CheckpointError):  # killed before the first was saved
                    saved = checkpoint.load(folder)[0].iteration
                epochs.append(saved)
                same += result_of(machine_of(name, checkpoint=folder, resume=True).fit(X)) == whole
        failed += trials - same
        print(
            f"{name}: {same} of {trials} equal to the bit; killed with {min(epochs)} to {max(epochs)} of "
            f"{COMMON['n_iter']} epochs saved, {sum(0 < k < COMMON['n_iter'] for k in epochs)} of them in between; "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(1 if main(given.trials, given.seed) else 0)
