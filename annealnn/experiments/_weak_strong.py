"""The weak-strong pair: a false minimum that an annealer must tunnel out of, by three kinds of annealing."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from annealnn.benchmark.families import weak_strong_clusters
from annealnn.dynamics import AdiabaticEstimate, MinimumGap, Spectrum, adiabatic_estimate, evolve, spectrum
from annealnn.models._exact import basis_energies
from annealnn.samplers import SimulatedAnnealingSampler, SimulatedQuantumAnnealingSampler
from annealnn.schedules import AnnealSchedule

# the weak cell down, the strong one up: variables 0 to 7 and 8 to 15
_FALSE = 0b1111111100000000


class CoherentAnneal(NamedTuple):
    """How a coherent anneal ends."""

    annealing_time: float
    success: float  #: probability of the ground state
    false: float  #: of the false minimum


class SampledAnneal(NamedTuple):
    """How often reads of an annealing sampler end in the ground state."""

    num_sweeps: int
    success: float
    standard_error: float


class WeakStrongResult(NamedTuple):
    """The pair's levels, and three kinds of annealing on it."""

    levels: Spectrum
    min_gap: MinimumGap
    estimate: AdiabaticEstimate  #: of the crossing
    coherent: list[CoherentAnneal]
    thermal: list[SampledAnneal]
    path_integral: list[SampledAnneal]


def measure_weak_strong(
    *,
    annealing_times: Sequence[float],
    nums_sweeps: Sequence[int],
    num_reads: int,
    say: Callable[[str], Any] = print,
) -> WeakStrongResult:
    """Anneal the pair coherently and by two samplers of this package."""
    problem = weak_strong_clusters(1).model
    levels = spectrum(problem, s=np.linspace(0.0, 1.0, 51), k=3)
    least = levels.minimum_gap()
    say(f"  minimum gap {least.gap:.6f} at s = {least.s:.4f}")
    estimate = adiabatic_estimate(problem, s=np.linspace(0.0, 1.0, 51), k=3)
    say(f"  Landau-Zener: ground state with probability 0.99 after time {estimate.annealing_time(0.99):.0f}")
    coherent = []
    for time in annealing_times:
        state = evolve(problem, AnnealSchedule.linear(time).drive(), tolerance=1e-4, progress=False).state
        coherent.append(CoherentAnneal(time, float(abs(state[0]) ** 2), float(abs(state[_FALSE]) ** 2)))
        say(f"  annealing time {time:6.0f}: ground state {coherent[-1].success:.4f}, false {coherent[-1].false:.4f}")
    ground = float(basis_energies(problem.structure, problem.parameters).min())
    sampled: list[list[SampledAnneal]] = []
    for sampler in (SimulatedAnnealingSampler(), SimulatedQuantumAnnealingSampler()):
        rows: list[SampledAnneal] = []
        sampled.append(rows)
        for num_sweeps in nums_sweeps:
            found = sampler.sample(
                problem.to_bqm(), num_reads=num_reads, num_sweeps=num_sweeps, seed=num_sweeps, progress=False
            )
            share = float(np.mean(found.record.energy < ground + 1e-6))
            rows.append(SampledAnneal(num_sweeps, share, float(np.sqrt(share * (1 - share) / num_reads))))
            say(f"  {type(sampler).__name__}, {num_sweeps} sweeps: {share:.3f} +- {rows[-1].standard_error:.3f}")
    return WeakStrongResult(levels, least, estimate, coherent, *sampled)
