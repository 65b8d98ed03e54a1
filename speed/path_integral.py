"""Path-integral sampling at one temperature: seconds to an rms error of the edges' moments.

Reads are independent, so the mean of R of them has the mean squared error b^2 + v/R: a bias squared, which falls with
the sweeps of a read and has the Trotter error in it, and a variance. A sampler then needs v / (goal^2 - b^2) reads. For
each number of sweeps we measure b^2 and v against a long reference run, and count the sweeps with which a sampler is
fastest.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from dwave.samplers import PathIntegralAnnealingSampler

from annealnn.models import terms_of_bqm
from annealnn.samplers import PathIntegralSampler, compile_sampler

from compare import Evidence, in_turn, row, timed

BETA, GAMMA = 0.2, 1.0
GOAL = 0.02  # rms error of <ZZ> over the edges


class Reference(NamedTuple):
    """<ZZ> on each edge, from two independent programs (num_edges,)."""

    first: np.ndarray
    second: np.ndarray

    @property
    def error(self):
        """Rms error of the mean of both."""
        return float(np.sqrt(np.mean((self.first - self.second) ** 2)) / 2)

    @property
    def mean(self):
        return (self.first + self.second) / 2


class Quality(NamedTuple):
    """What a number of sweeps gives."""

    sweeps: int
    seconds_per_read: float
    bias_squared: float
    variance: float  # of one read, mean over the edges

    @property
    def reads(self):
        """How many reads reach the goal; infinite where the bias alone takes half of it or more."""
        left = GOAL**2 - max(self.bias_squared, 0.0)
        return self.variance / left if left > GOAL**2 / 2 else np.inf

    @property
    def seconds(self):
        return self.seconds_per_read * self.reads


class Contender(NamedTuple):
    """`draw(num_reads, num_sweeps, seed)` gives (moments over the edges, seconds)."""

    draw: Callable
    sweeps: tuple[int, ...]  # to try: (12, 15, 20) for the peer's independent reads, (500,) where reads go on
    num_reads: int  # to measure each with: 1,000, or 20 where reads go on


def moments_on_edges(bqm, spins, labels):
    """Return the mean of products along the edges (num_edges,) of spins (num_reads, num_spins), columns `labels`."""
    where = {label: k for k, label in enumerate(labels)}
    heads, tails = np.array([(where[u], where[v]) for u, v in bqm.quadratic]).T
    s = spins.astype(np.float32)
    return np.mean([s[k, heads] * s[k, tails] for k in range(len(s))], axis=0, dtype=float)


def peers_arguments(num_sweeps):
    # fields come multiplied by beta; `Gamma` would be ignored
    return {
        "beta_schedule_type": "custom",
        "num_sweeps_per_beta": 1,
        "Hp_field": [BETA] * num_sweeps,
        "Hd_field": [BETA * GAMMA] * num_sweeps,
    }


def peer_of(bqm):
    """Return dwave-samplers' sampler as `draw(num_reads, num_sweeps, seed)`, which gives (moments, seconds)."""

    def draw(num_reads, num_sweeps, seed):
        seconds, found = timed(
            lambda: PathIntegralAnnealingSampler().sample(
                bqm, num_reads=num_reads, seed=seed, **peers_arguments(num_sweeps)
            )
        )
        return moments_on_edges(bqm, found.record.sample, found.variables), seconds

    return draw


def continued(bqm, num_reads, num_samples, interval, burn_in, seed):
    """Return the peer's (moments, seconds) of reads that go on after `burn_in` sweeps, a sample every `interval`."""
    seconds, found = timed(
        lambda: PathIntegralAnnealingSampler().sample(
            bqm,
            num_reads=num_reads,
            seed=seed,
            schedule_sample_interval=interval,
            **peers_arguments(burn_in + interval * num_samples),
        )
    )
    samples = np.asarray(found.info["statistics"]).reshape(num_reads, -1, bqm.num_variables)[:, -num_samples:]
    return moments_on_edges(bqm, samples.reshape(-1, bqm.num_variables), found.variables), seconds


def continuing_peer_of(bqm):
    """Return the peer as `draw` whose reads go on for `num_sweeps` after 20 of burn-in, every sweep a sample.

    Its samples are correlated and yet it reaches the goal several times sooner than with independent reads: what to
    compare with where ours goes on in the same way.
    """
    return lambda num_reads, num_sweeps, seed: continued(bqm, num_reads, num_sweeps, 1, 20, seed)


def continuing_ours_of(bqm, num_slices):
    """Return ours as `draw` in the same way: reads go on after 20 sweeps, and every sweep counts, all of its slices."""
    structure, parameters, _ = terms_of_bqm(bqm)

    def run(num_reads, num_sweeps, seed):
        compiled = compile_sampler(
            PathIntegralSampler(),
            structure,
            want="moments",
            beta=BETA,
            gamma=GAMMA,
            num_slices=num_slices,
            num_threads=1,
        )
        state = compiled.advance(parameters, compiled.init(num_reads, seed), 20)
        sums = np.zeros(structure.num_edges)
        for _ in range(num_sweeps):
            step = compiled.step(parameters, state)
            state, sums = step.state, sums + step.moments.pairs
        return sums / num_sweeps

    place = {frozenset((structure.labels[i], structure.labels[j])): k for k, (i, j) in enumerate(structure.edges)}
    order = [place[frozenset(edge)] for edge in bqm.quadratic]

    def draw(num_reads, num_sweeps, seed):
        seconds, moments = timed(lambda: run(num_reads, num_sweeps, seed))
        return moments[order], seconds

    return draw


def reference_of(bqm, num_reads, num_samples):
    """Run two programs long: the peer, after 100 sweeps, a sample of each read every tenth sweep; and ours.

    Ours in continuous time, where it has no Trotter error, in a quarter as many reads as the peer has samples.
    """
    theirs, _ = continued(bqm, num_reads, num_samples, 10, 100, 11)
    found = PathIntegralSampler().observe(
        bqm,
        num_reads=num_reads * num_samples // 4,
        num_sweeps=30,
        progress=False,
        beta=BETA,
        gamma=GAMMA,
        imaginary_time="continuous",
        seed=12,
    )
    ours = {frozenset(edge): value for edge, value in zip(found.edges, found.moments.pairs, strict=True)}
    return Reference(theirs, np.array([ours[frozenset(edge)] for edge in bqm.quadratic]))


def quality(draw, reference, num_sweeps, num_reads):
    """Measure bias and variance with two independent halves of `num_reads` reads."""
    half = num_reads // 2
    (first, some), (second, more) = (draw(half, num_sweeps, seed) for seed in (1, 2))
    return Quality(
        num_sweeps,
        (some + more) / (2 * half),
        # independent errors drop out of the product
        float(np.mean((first - reference.first) * (second - reference.second))),
        float(np.mean((first - second) ** 2) * half / 2),
    )


def path_integral(work, bqm, target, ours, peer, effort, *, reference_samples=200):
    """Compare two `Contender`s, ours and dwave-samplers: seconds to the goal.

    A thousand independent reads resolve a squared bias of a tenth of the goal's; the runs in turn have an eighth of
    the reads.
    """
    both = ours, peer
    for contender in both:
        contender.draw(1, 1, 0)
    reference = reference_of(bqm, num_reads=10, num_samples=reference_samples)
    tried = [[quality(c.draw, reference, sweeps, c.num_reads) for sweeps in c.sweeps] for c in both]
    best = [min(of_one, key=lambda q: q.seconds) for of_one in tried]
    if any(np.isinf(q.seconds) for q in best):
        msg = f"the bias falls below {GOAL} with the sweeps that are tried; got {tried}"
        raise RuntimeError(msg)
    reads = [max(1, c.num_reads // 8) for c in both]

    def run(k):
        moments, seconds = both[k].draw(reads[k], best[k].sweeps, 3)
        return seconds, moments

    seconds, results = in_turn(lambda: run(0), lambda: run(1), effort.pairs)
    # the share of the reads that the goal takes
    share = np.array([n / q.reads for n, q in zip(reads, best, strict=True)])
    signed = np.array(list(bqm.quadratic.values()))
    energy = [float(np.mean(signed * moments)) for moments in results[0]]
    error = float(np.std(signed * (results[0][0] - results[0][1])) / len(signed) ** 0.5)
    return row(
        work,
        "dwave-samplers PIMC",
        seconds,
        share,
        target,
        unit=f"s to an rms error of {GOAL}",
        note=f"{best[0].sweeps} and {best[1].sweeps} sweeps a read; reference good to {reference.error:.4f}",
        evidence=Evidence("mean of J<ZZ> over edges", *energy, error),
    )
