"""Our samplers and the peers' side by side, in one process, on one core: `make speed`.

For each row both anneal the same problem along the same betas. We get as many sweeps as we need for a mean energy at
least as low as the peer's; then the two are timed in turn, ours, theirs, ours, theirs, and the median of the ratios of
neighbours is what counts. Machines are noisy: absolute times mean little, ratios of neighbours something.

python speed/samplers.py [--quick]
"""

import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

# before numpy: one thread for whoever would take more
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import dimod
import dwave.graphs
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler as DWaveAnnealing

from annealnn import GibbsSampler, SimulatedAnnealingSampler
from annealnn.models import Parameters, terms_of_bqm
from annealnn.samplers import compile_sampler

HERE = Path(__file__).parent
QUICK = "--quick" in sys.argv
NUM_READS, NUM_SWEEPS, NUM_PAIRS = 64, 100 if QUICK else 1000, 3 if QUICK else 7


class Row(NamedTuple):
    """One comparison: times per update in nanoseconds (medians), and the median ratio of neighbours."""

    work: str
    peer: str
    ours_ns: float
    peer_ns: float
    ratio: float
    target: float
    sweeps: int  # ours, for an energy as low as the peer's
    energies: tuple[float, float]  # mean of ours, of the peer's, per variable


def pegasus(weights):
    """An instance on Pegasus P16: couplings Gaussian, or +-1."""
    rng = np.random.default_rng(0)
    edges = dwave.graphs.pegasus_graph(16).edges
    draw = rng.normal if weights == "gaussian" else lambda: rng.choice([-1.0, 1.0])
    return dimod.BQM.from_ising({}, {edge: float(draw()) for edge in edges})


def sherrington_kirkpatrick(n):
    """J ~ N(0, 1/n) on all pairs."""
    rng = np.random.default_rng(0)
    return dimod.BQM.from_ising({}, {(i, j): float(rng.normal() / n**0.5) for i in range(n) for j in range(i)})


def timed(call):
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def annealing(work, bqm, beta_range, target, **peers_best):
    """Compare annealers on one problem."""

    def peer():
        return DWaveAnnealing().sample(
            bqm, num_reads=NUM_READS, num_sweeps=NUM_SWEEPS, beta_range=list(beta_range), seed=1, **peers_best
        )

    def ours(sweeps=NUM_SWEEPS):
        return SimulatedAnnealingSampler().sample(
            bqm, num_reads=NUM_READS, num_sweeps=sweeps, beta_range=beta_range, seed=1, num_threads=1
        )

    ours(1), DWaveAnnealing().sample(bqm, num_reads=1, num_sweeps=1)
    goal = peer().record.energy
    sweeps = next(
        s
        for s in (int(f * NUM_SWEEPS) for f in (1, 1.1, 1.25, 1.5, 2, 3, 4, 6, 8))
        # as low as the peer's, up to the standard error of the difference
        if (found := ours(s).record.energy).mean() <= goal.mean() + np.hypot(found.std(), goal.std()) / NUM_READS**0.5
    )
    pairs = [(timed(lambda: ours(sweeps)), timed(peer)) for _ in range(NUM_PAIRS)]
    n = bqm.num_variables
    updates = NUM_READS * NUM_SWEEPS * n * 1e-9
    return Row(
        work,
        "dwave-samplers SA",
        float(np.median([a for (a, _), _ in pairs])) / updates,
        float(np.median([b for _, (b, _) in pairs])) / updates,
        float(np.median([b / a for (a, _), (b, _) in pairs])),
        target,
        sweeps,
        (float(pairs[0][0][1].record.energy.mean()) / n, float(goal.mean()) / n),
    )


def learners_step(target):
    """One step of 100 persistent particles on Zephyr Z6, against one call of the peer from initial states."""
    rng = np.random.default_rng(0)
    bqm = dimod.BQM.from_ising({}, {edge: float(rng.normal() / 4) for edge in dwave.graphs.zephyr_graph(6).edges})
    structure, parameters, _ = terms_of_bqm(bqm)
    compiled = compile_sampler(GibbsSampler(), structure, want="moments", num_threads=1)
    state = compiled.init(100, 0)
    changed = Parameters(parameters.fields + 0.01, parameters.couplings)
    states = dimod.SampleSet.from_samples_bqm((state.spins, list(structure.labels)), bqm)

    def peer():
        return DWaveAnnealing().sample(
            bqm,
            num_reads=100,
            num_sweeps=1,
            beta_range=[1.0, 1.0],
            initial_states=states,
            proposal_acceptance_criteria="Gibbs",
            seed=1,
        )

    compiled.step(changed, state), peer()
    repeats = 3 if QUICK else 20
    pairs = [(timed(lambda: compiled.step(changed, state))[0], timed(peer)[0]) for _ in range(repeats)]
    updates = 100 * structure.num_variables * 1e-9
    ours, theirs = (float(np.median(column)) / updates for column in zip(*pairs, strict=True))
    ratio = float(np.median([b / a for a, b in pairs]))
    return Row(
        "one step of a learner, Zephyr Z6, 100 particles",
        "dwave-samplers SA",
        ours,
        theirs,
        ratio,
        target,
        1,
        (0.0, 0.0),
    )


def two_cores(bqm, beta_range, target):
    """The same anneal on one thread and on two."""

    def ours(threads):
        return SimulatedAnnealingSampler().sample(
            bqm, num_reads=NUM_READS, num_sweeps=NUM_SWEEPS, beta_range=beta_range, seed=1, num_threads=threads
        )

    pairs = [(timed(lambda: ours(2))[0], timed(lambda: ours(1))[0]) for _ in range(NUM_PAIRS)]
    updates = NUM_READS * NUM_SWEEPS * bqm.num_variables * 1e-9
    two, one = (float(np.median(column)) / updates for column in zip(*pairs, strict=True))
    ratio = float(np.median([b / a for a, b in pairs]))
    return Row("two cores over one, Pegasus P16", "ourselves", two, one, ratio, target, NUM_SWEEPS, (0.0, 0.0))


def main():
    gaussian = pegasus("gaussian")
    rows = [
        annealing("SA, Pegasus P16, Gaussian couplings", gaussian, (0.1, 4.0), 10.0),
        annealing("SA, Pegasus P16, couplings +-1", pegasus("signs"), (0.1, 4.0), 20.0),
        annealing("SA, Sherrington-Kirkpatrick n = 500", sherrington_kirkpatrick(500), (0.1, 10.0), 12.0),
        learners_step(30.0),
        two_cores(gaussian, (0.1, 4.0), 1.8),
    ]
    lines = [
        "| work | peer | ours, ns an update | peer's | ratio | to reach | our sweeps | energies per variable |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {r.work} | {r.peer} | {r.ours_ns:.2f} | {r.peer_ns:.2f} | {r.ratio:.1f} | {r.target:g} | {r.sweeps} | "
            + (f"{r.energies[0]:.4f} / {r.energies[1]:.4f} |" if r.energies[1] else "|")
            for r in rows
        ),
    ]
    print("\n".join(lines))
    if QUICK:
        return
    about = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("annealnn", "dwave-samplers", "numba", "numpy")},
        "reads": NUM_READS,
        "sweeps": NUM_SWEEPS,
        "pairs": NUM_PAIRS,
    }
    (HERE / "samplers.json").write_text(
        json.dumps({"about": about, "rows": [r._asdict() for r in rows]}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
