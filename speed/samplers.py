"""Our samplers and the peers' side by side, on one core: `make speed`.

In each row both do the same work in turn, ours, theirs, ours, theirs, and the median of the ratios of neighbours is
what counts. Machines are noisy: absolute times mean little, ratios of neighbours something. Times are of the processor,
not of the clock on the wall, except on two cores. Both must be as good: an annealer of ours gets as many sweeps as it
needs for a mean energy at least as low as the peer's; samplers of one distribution show a mean of both.

Peers that need PyTorch or JAX run in processes of their own, from .venv-peers; their rows are left out without it.

python speed/samplers.py [--quick] [--only NAME ...]
"""

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

# before numpy: one thread for whoever would take more
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import dimod
import numpy as np
import openjij
from dwave.samplers import SimulatedAnnealingSampler as DWaveAnnealing
from path_integral import Contender, continuing_ours_of, continuing_peer_of, path_integral
from sklearn.neural_network import BernoulliRBM

from annealnn import GibbsSampler, SimulatedAnnealingSampler
from annealnn.models import Parameters, terms_of_bqm
from annealnn.samplers import SimulatedQuantumAnnealingSampler, compile_sampler

import problems
from compare import PEERS_PYTHON, Effort, Evidence, in_turn, keep, peer_process, row, table, timed

HERE = Path(__file__).parent
FULL, QUICK = Effort(reads=64, sweeps=1000, pairs=5), Effort(reads=64, sweeps=100, pairs=3)
PACKAGES = ("annealnn", "dwave-samplers", "openjij", "scikit-learn", "numba", "numpy")
versions = {}  # of the peers in processes of their own


def annealers(work, peer_name, bqm, ours, peer, target, effort, *, slices=1):
    """Compare `ours(sweeps, seed)` with `peer()`; both return sample sets of `effort.reads` reads.

    `slices` is how many copies of the problem a sweep updates.
    """
    ours(1, 1)
    goal = peer().record.energy
    tried = (int(factor * effort.sweeps) for factor in (0.25, 0.5, 0.75, 1, 1.1, 1.25, 1.5, 2, 3, 4, 6, 8))
    enough = (
        sweeps
        for sweeps in tried
        # as low as the peer's; from as many sweeps on, up to the standard error of the difference
        if (found := ours(sweeps, 1).record.energy).mean()
        <= goal.mean() + (sweeps >= effort.sweeps) * np.hypot(found.std(), goal.std()) / effort.reads**0.5
    )
    if (sweeps := next(enough, None)) is None:
        msg = f"{work}: eight times {effort.sweeps} sweeps of ours do not reach {peer_name}'s energies"
        raise RuntimeError(msg)
    # other reads than those that the sweeps were chosen by
    seconds, results = in_turn(lambda: timed(lambda: ours(sweeps, 2)), lambda: timed(peer), effort.pairs)
    n = bqm.num_variables
    evidence = Evidence.of("energy a spin", *(found.record.energy / n for found in results[0]))
    # per update of the peer's: more sweeps of ours show as slower updates
    updates = effort.reads * effort.sweeps * n * slices * 1e-9
    return row(work, peer_name, seconds, updates, target, note=f"{sweeps} sweeps of ours", evidence=evidence)


def ours_annealing(bqm, beta_range, effort):
    """Return our annealer as a function of the number of sweeps and the seed."""
    return lambda sweeps, seed: SimulatedAnnealingSampler().sample(
        bqm, num_reads=effort.reads, num_sweeps=sweeps, beta_range=beta_range, seed=seed, num_threads=1, progress=False
    )


def dwave_annealing(work, bqm, beta_range, target, effort):
    def peer():
        return DWaveAnnealing().sample(
            bqm, num_reads=effort.reads, num_sweeps=effort.sweeps, beta_range=list(beta_range), seed=1
        )

    return annealers(work, "dwave-samplers SA", bqm, ours_annealing(bqm, beta_range, effort), peer, target, effort)


def openjij_annealing(work, bqm, beta_range, target, effort):
    def peer():
        # no seed: with one, all reads are the same
        return openjij.SASampler().sample(
            bqm, num_reads=effort.reads, num_sweeps=effort.sweeps, beta_min=beta_range[0], beta_max=beta_range[1]
        )

    return annealers(work, "OpenJij SA", bqm, ours_annealing(bqm, beta_range, effort), peer, target, effort)


def quantum_annealing(work, bqm, effort, *, beta=4.0, gamma=4.0, num_slices=16):
    """Compare our simulated quantum annealing with OpenJij's.

    Theirs: H = s H_p + gamma (1 - s) sum X_i with s linear in the sweep, from 0 to 1, at a fixed beta; it gives the
    lowest of a read's slices. Ours at its defaults; it gives slice 0.
    """

    def ours(sweeps, seed):
        return SimulatedQuantumAnnealingSampler().sample(
            bqm,
            num_reads=effort.reads,
            num_sweeps=sweeps,
            num_slices=num_slices,
            seed=seed,
            num_threads=1,
            progress=False,
        )

    def peer():
        return openjij.SQASampler().sample(
            bqm,
            num_reads=effort.reads,
            beta=beta,
            gamma=gamma,
            trotter=num_slices,
            schedule=[[s, 1] for s in np.linspace(0, 1, effort.sweeps).tolist()],
        )

    return annealers(work, "OpenJij SQA", bqm, ours, peer, None, effort, slices=num_slices)


def restricted_machine(work, target, effort):
    """Compare the learner's door with scikit-learn: 10,000 particles, 64 visible and 64 hidden units."""
    particles, sweeps = 10_000, 10
    machine = problems.restricted_machine(64, 64)
    compiled = compile_sampler(GibbsSampler(), machine.structure, want="spins", num_threads=1)
    state = compiled.init(particles, 0)
    peer_machine = BernoulliRBM(64, random_state=0)
    visible, hidden, peer_machine.components_ = machine.as_bits()
    peer_machine.intercept_visible_, peer_machine.intercept_hidden_ = visible, hidden
    bits = np.random.default_rng(0).integers(2, size=(particles, 64)).astype(float)

    def ours():
        nonlocal state
        state = compiled.advance(machine.parameters, state, sweeps)
        return state.spins[:, :64]

    def peer():
        nonlocal bits
        for _ in range(sweeps):
            bits = peer_machine.gibbs(bits)
        return 2 * bits - 1

    def energies(visible):
        # of the particles' visibles, with the hidden units' means given them
        means = 2 * peer_machine.transform((visible + 1) / 2) - 1
        s = np.hstack([visible, means])
        pairs = s[:, machine.structure.edges[:, 0]] * s[:, machine.structure.edges[:, 1]]
        return -(s @ machine.parameters.fields + pairs @ machine.parameters.couplings) / s.shape[1]

    for _ in range(5):  # from random to equilibrium
        ours(), peer()
    seconds, results = in_turn(lambda: timed(ours), lambda: timed(peer), 4 * effort.pairs)
    evidence = Evidence.of("energy a unit", *(energies(np.asarray(spins, dtype=float)) for spins in results[-1]))
    updates = particles * sweeps * machine.structure.num_variables * 1e-9
    return row(work, "scikit-learn", seconds, updates, target, note=f"{sweeps} sweeps a call", evidence=evidence)


def block_gibbs(work, peer_name, script, target, effort):
    """Compare the learner's door with a peer in a process of its own: 100 particles on Zephyr Z6 at beta 1."""
    particles, sweeps = 100, 100
    bqm = problems.zephyr("weak")
    structure, parameters, _ = terms_of_bqm(bqm)
    compiled = compile_sampler(GibbsSampler(), structure, want="spins", num_threads=1)
    state = compiled.init(particles, 0)

    def ours():
        nonlocal state
        state = compiled.advance(parameters, state, sweeps)
        return state.spins

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        problems.write_arrays(folder / "problem.npz", bqm, problems.zephyr_colours())
        found, peer = stack.enter_context(
            peer_process(script, folder / "problem.npz", particles=particles, sweeps=sweeps)
        )
        versions.update(found)
        ours(), ours()
        seconds, results = in_turn(lambda: timed(ours), peer, 2 * effort.pairs)
    energies = [bqm.energies((spins, list(structure.labels))) / structure.num_variables for spins, _ in results]
    evidence = Evidence.of(
        "energy a spin", np.concatenate(energies), np.concatenate([peers_energies for _, peers_energies in results])
    )
    updates = particles * sweeps * structure.num_variables * 1e-9
    return row(work, peer_name, seconds, updates, target, evidence=evidence)


def learners_step(work, target, effort):
    """One step of 100 persistent particles on Zephyr Z6, against one call of the peer from initial states.

    A learner makes one step after another: ten of them are timed together, and ten calls.
    """
    repeats = 10
    bqm = problems.zephyr("gaussian")
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

    def several(call):
        return timed(lambda: [call() for _ in range(repeats)])

    compiled.step(changed, state), peer()
    seconds, _ = in_turn(lambda: several(lambda: compiled.step(changed, state)), lambda: several(peer), effort.pairs)
    return row(work, "dwave-samplers SA", seconds, repeats * 100 * structure.num_variables * 1e-9, target)


def two_cores(work, bqm, beta_range, target, effort):
    """The same anneal on one thread and on two."""

    def ours(threads):
        return SimulatedAnnealingSampler().sample(
            bqm,
            num_reads=effort.reads,
            num_sweeps=effort.sweeps,
            beta_range=beta_range,
            seed=1,
            num_threads=threads,
            progress=False,
        )

    clock = time.perf_counter
    seconds, _ = in_turn(lambda: timed(lambda: ours(2), clock), lambda: timed(lambda: ours(1), clock), effort.pairs)
    return row(work, "ours, one core", seconds, effort.reads * effort.sweeps * bqm.num_variables * 1e-9, target)


GAUSSIAN, SIGNS = "annealing, Pegasus P16, Gaussian couplings", "annealing, Pegasus P16, couplings +-1"
PEGASUS = (0.1, 4.0)  # betas
ZEPHYR_SIGNS = problems.zephyr("signs")
ROWS = {
    "gaussian": lambda effort: dwave_annealing(GAUSSIAN, problems.pegasus("gaussian"), PEGASUS, 10.0, effort),
    "gaussian-openjij": lambda effort: openjij_annealing(GAUSSIAN, problems.pegasus("gaussian"), PEGASUS, None, effort),
    "signs": lambda effort: dwave_annealing(SIGNS, problems.pegasus("signs"), PEGASUS, 20.0, effort),
    "signs-openjij": lambda effort: openjij_annealing(SIGNS, problems.pegasus("signs"), PEGASUS, None, effort),
    "dense": lambda effort: dwave_annealing(
        "annealing, Sherrington-Kirkpatrick n = 500", problems.sherrington_kirkpatrick(500), (0.1, 10.0), 12.0, effort
    ),
    "step": lambda effort: learners_step("a learner's step, Zephyr Z6, 100 particles", 30.0, effort),
    "restricted": lambda effort: restricted_machine(
        "Gibbs, restricted machine 64 x 64, 10,000 particles", 12.0, effort
    ),
    "zephyr-plugin": lambda effort: block_gibbs(
        "Gibbs, Zephyr Z6, 100 particles x 100 sweeps", "BlockSampler", "block_sampler.py", None, effort
    ),
    "zephyr-thrml": lambda effort: block_gibbs(
        "Gibbs, Zephyr Z6, 100 particles x 100 sweeps", "thrml", "thrml_gibbs.py", None, effort
    ),
    "path-integral": lambda effort: path_integral(
        "path integral, Zephyr Z6, couplings +-1, beta 0.2, gamma 1",
        ZEPHYR_SIGNS,
        20.0,
        Contender(continuing_ours_of(ZEPHYR_SIGNS, 3), (20, 40, 80), 256),
        Contender(continuing_peer_of(ZEPHYR_SIGNS), (200, 500), 10),
        effort,
    ),
    "quantum-openjij": lambda effort: quantum_annealing(
        "quantum annealing, Zephyr Z6, couplings +-1, 16 slices", ZEPHYR_SIGNS, effort._replace(reads=16, sweeps=100)
    ),
    "two-cores": lambda effort: two_cores("two cores, Pegasus P16", problems.pegasus("gaussian"), PEGASUS, 1.8, effort),
}
OTHER_ENVIRONMENT = {"zephyr-plugin", "zephyr-thrml"}


def main():
    parser = argparse.ArgumentParser(description="Time our samplers and the peers' in turn.")
    parser.add_argument("--quick", action="store_true", help="few sweeps and pairs; nothing is stored")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="NAME", help=f"of {', '.join(ROWS)}")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    names = [name for name in ROWS if not arguments.only or name in arguments.only]
    if not PEERS_PYTHON.exists():
        for name in OTHER_ENVIRONMENT.intersection(names):
            names.remove(name)
            print(f"{name} is left out: there is no .venv-peers, which `make speed` builds")
    rows = {}
    for name in names:
        print(f"{name} ...", flush=True)
        rows[name] = ROWS[name](effort)
    print("\n".join(["", *table(rows.values())]))
    # no exit status: on a shared machine a miss is a reason to look, not a failure
    if missed := [name for name, r in rows.items() if r.missed]:
        print(f"\nmissed: {', '.join(missed)}")
    if arguments.quick or arguments.only:
        return
    keep(HERE / "samplers.json", rows, PACKAGES, versions | effort._asdict())


if __name__ == "__main__":
    main()
