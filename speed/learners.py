"""Learning, ours and the peers' side by side, on the 3,823 training digits of OptDigits, 64 pixels of 0 or 1.

As in `samplers.py`: in turn, and what counts is the median of the ratios of neighbours; its spread, from the lowest
quarter to the highest, is in the note. Times are of whole fits, divided by their epochs or steps.

python speed/learners.py [--quick] [--only NAME ...]
"""

import argparse
import os
import time
from pathlib import Path

# before numpy: one thread for whoever would take more
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
from sklearn.neural_network import BernoulliRBM
from threadpoolctl import threadpool_limits

from annealnn import RestrictedBoltzmannMachine
from annealnn.datasets import load_optdigits

from compare import Evidence, in_turn, keep, row, table, timed

HERE = Path(__file__).parent
PACKAGES = ("annealnn", "scikit-learn", "numba", "numpy")
NUM_HIDDEN, BATCH = 64, 20
X = load_optdigits("train", binarize=8).data
HELD_OUT = load_optdigits("test", binarize=8).data


def restricted(**keywords):
    """Return our machine, with as many hidden units as the peers'."""
    return RestrictedBoltzmannMachine(
        NUM_HIDDEN, batch_size=BATCH, monitor_every=10_000, progress=False, random_state=0, **keywords
    )


def of_bits(machine):
    """Return visible biases, hidden biases and weights (hidden, visible) over bits of a machine of ours."""
    fields, weights = machine.model_.parameters.fields, machine.model_.parameters.couplings.reshape(64, NUM_HIDDEN)
    # s = 2x - 1 in each field and coupling
    return 2 * (fields[:64] - weights.sum(1)), 2 * (fields[64:] - weights.sum(0)), 4 * weights.T


def pseudo_log_likelihoods(visible, hidden, weights, rows):
    """Return the log-probability of each pixel given the others, mean over pixels, (num_rows,)."""
    rows = rows.astype(np.float64)
    fields = rows @ weights.T + hidden
    softplus = np.logaddexp(0, fields).sum(1)
    out = np.zeros(len(rows))
    for i, bias in enumerate(visible):
        change = 1 - 2 * rows[:, i]
        gain = change * bias + np.logaddexp(0, fields + change[:, None] * weights[:, i]).sum(1) - softplus
        out -= np.logaddexp(0, gain)
    return out / rows.shape[1]


class PlainNumpy:
    """A restricted machine over spins by PCD-k in float32 numpy: written for speed, every array made once."""

    def __init__(self, num_particles, num_sweeps, rate, momentum):
        self.rng = np.random.default_rng(0)
        self.num_sweeps, self.rate, self.momentum = num_sweeps, rate, momentum
        draw = self.rng.standard_normal((64, NUM_HIDDEN), dtype=np.float32)
        self.parameters = [np.zeros(64, np.float32), np.zeros(NUM_HIDDEN, np.float32), np.float32(0.01) * draw]
        self.velocity = [np.zeros_like(part) for part in self.parameters]
        self.seen = np.where(self.rng.random((num_particles, 64)) < 0.5, 1, -1).astype(np.float32)
        self.unseen = np.empty((num_particles, NUM_HIDDEN), np.float32)
        self.uniform = [np.empty_like(self.seen), np.empty_like(self.unseen)]

    def draw(self, given, weights, fields, uniform, out):
        """Write spins drawn given those of the other layer to `out`."""
        np.matmul(given, weights, out=out)
        out += fields
        np.tanh(out, out=out)
        self.rng.random(out=uniform, dtype=np.float32)
        uniform *= 2
        uniform -= 1
        out -= uniform
        np.copysign(1, out, out=out)

    def sweep(self):
        visible, hidden, weights = self.parameters
        self.draw(self.seen, weights, hidden, self.uniform[1], self.unseen)
        self.draw(self.unseen, weights.T, visible, self.uniform[0], self.seen)

    def step(self, rows):
        _, hidden, weights = self.parameters
        for _ in range(self.num_sweeps):
            self.sweep()
        phases = []
        for seen in (rows, self.seen):
            means = np.tanh(seen @ weights + hidden)
            phases.append((seen.mean(0), means.mean(0), seen.T @ means / len(seen)))
        for part, moved, positive, negative in zip(self.parameters, self.velocity, *phases, strict=True):
            moved *= self.momentum
            moved += self.rate * (positive - negative)
            part += moved

    def fit(self, spins, num_epochs):
        for _ in range(num_epochs):
            order = self.rng.permutation(len(spins))
            for start in range(0, len(spins), BATCH):
                self.step(spins[order[start : start + BATCH]])
        return self

    def of_bits(self):
        visible, hidden, weights = (part.astype(np.float64) for part in self.parameters)
        return 2 * (visible - weights.sum(1)), 2 * (hidden - weights.sum(0)), 4 * weights.T


class TextbookNumpy(PlainNumpy):
    """The same as it is usually written: float32 weights, a new array for each result."""

    def sweep(self):
        visible, hidden, weights = self.parameters
        p = 1 / (1 + np.exp(-2 * (self.seen @ weights + hidden)))
        unseen = np.where(self.rng.random(p.shape) < p, 1, -1).astype(np.float32)
        p = 1 / (1 + np.exp(-2 * (unseen @ weights.T + visible)))
        self.seen = np.where(self.rng.random(p.shape) < p, 1, -1).astype(np.float32)


def compared(work, peer_name, ours, peer, per, unit, target, pairs, clock=time.process_time):
    """Compare two calls that fit, and give visible biases, hidden biases and weights over bits."""
    ours(), peer()
    seconds, results = in_turn(lambda: timed(ours, clock), lambda: timed(peer, clock), pairs)
    values = (pseudo_log_likelihoods(*found, HELD_OUT) for found in results[-1])
    evidence = Evidence.of("pseudo-log-likelihood a pixel, held-out digits", *values)
    low, high = np.quantile(seconds[:, 1] / seconds[:, 0], [0.25, 0.75])
    note = f"{low:.2f} to {high:.2f}"
    return row(work, peer_name, seconds, per, target, unit=unit, note=note, evidence=evidence)


def epoch(what, target, pairs, **keywords):
    """PCD-1 with 20 particles and minibatches of 20, against scikit-learn's BernoulliRBM, in float32."""
    num_epochs, rows = 10, X.astype(np.float32)

    def ours():
        machine = restricted(n_particles=BATCH, n_iter=num_epochs, learning_rate=0.025, **keywords)
        return of_bits(machine.fit(X))

    def peer():
        machine = BernoulliRBM(NUM_HIDDEN, batch_size=BATCH, n_iter=num_epochs, learning_rate=0.1, random_state=0)
        machine.fit(rows)
        return machine.intercept_visible_, machine.intercept_hidden_, machine.components_

    work = f"an epoch, 64 x 64, PCD-1, minibatch 20, {what}"
    return compared(work, "BernoulliRBM", ours, peer, 1e-3 * num_epochs, "ms an epoch", target, pairs)


def particles(peer_name, peer_class, target, pairs, cores=1):
    """PCD-10 with 1,000 particles on minibatches of 20, against numpy in float32.

    On one core seconds are of processor time; on more, of the clock, and both may use them.
    """
    num_rows, num_epochs = 400, 2
    spins = (2 * X[:num_rows] - 1).astype(np.float32)

    def ours():
        machine = restricted(
            n_particles=1000, n_sweeps=10, n_iter=num_epochs, learning_rate=0.02, schedule="constant", centering=False
        )
        return of_bits(machine.fit(X[:num_rows]))

    def peer():
        return peer_class(1000, 10, rate=0.02, momentum=0.5).fit(spins, num_epochs).of_bits()

    per = 1e-3 * num_epochs * num_rows / BATCH
    work = f"a step, 64 x 64, PCD-10, 1,000 particles, minibatch 20{'' if cores == 1 else f', {cores} cores'}"
    clock = time.process_time if cores == 1 else time.perf_counter
    with threadpool_limits(cores, "blas"):
        return compared(work, peer_name, ours, peer, per, "ms a step", target, pairs, clock)


ROWS = {
    "epoch": lambda pairs: epoch("the plain gradient", 1.0, pairs, centering=False, momentum=0.0),
    "epoch-centred": lambda pairs: epoch("centred, with momentum", None, pairs),
    "particles": lambda pairs: particles("numpy, written for speed", PlainNumpy, 10.0, pairs),
    "particles-textbook": lambda pairs: particles("numpy, as usually written", TextbookNumpy, 10.0, pairs),
    "particles-two-cores": lambda pairs: particles("numpy, written for speed", PlainNumpy, 10.0, pairs, cores=2),
    "particles-textbook-two-cores": lambda pairs: particles(
        "numpy, as usually written", TextbookNumpy, 10.0, pairs, cores=2
    ),
}


def main():
    parser = argparse.ArgumentParser(description="Time our learners and the peers' in turn.")
    parser.add_argument("--quick", action="store_true", help="few pairs; nothing is stored")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="NAME", help=f"of {', '.join(ROWS)}")
    arguments = parser.parse_args()
    pairs = 3 if arguments.quick else 11
    rows = {}
    for name in ROWS:
        if not arguments.only or name in arguments.only:
            print(f"{name} ...", flush=True)
            rows[name] = ROWS[name](pairs)
    print("\n".join(["", *table(rows.values())]))
    # no exit status: on a shared machine a miss is a reason to look, not a failure
    if missed := [name for name, r in rows.items() if r.missed]:
        print(f"\nmissed: {', '.join(missed)}")
    if not (arguments.quick or arguments.only):
        keep(HERE / "learners.json", rows, PACKAGES, {"pairs": pairs})


if __name__ == "__main__":
    main()
