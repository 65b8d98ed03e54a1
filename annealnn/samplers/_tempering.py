"""Parallel tempering, also called replica exchange (Hukushima & Nemoto 1996)."""

from collections.abc import Sequence
from typing import Any, Literal, final

import dimod
import numpy as np

from annealnn._parallel import Watch
from annealnn._validation import check_choice, check_count, check_number
from annealnn.models import Parameters, Structure
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._compiled import CompiledSampler, Step, Want
from annealnn.samplers._control import Interrupt, Progress, RunControl, kept_reads
from annealnn.samplers._energy_record import EnergyRecord
from annealnn.samplers._ladder import LadderRequest, choose_ladder
from annealnn.samplers._replicas import CompiledTempering, Ladder, Tally
from annealnn.typing import Spins

# of a learner, unless told otherwise
_LEARNERS_REPLICAS = 8


@final
class ParallelTemperingSampler(AnnealSampler):
    """Heat-bath sweeps of replicas at several betas, which neighbours exchange after each sweep.

    A read is one independent ladder of replicas, from its own random start; what it gives is the replica at `beta`.
    Hot replicas cross the barriers that cold ones cannot, so reads approach P(s) proportional to exp(-beta E(s)) also
    where sweeps at one beta do not. With cluster moves a read has two ladders, and after each sweep a cluster of spins
    that differ between the two replicas of one beta is flipped in both (Houdayer 2001; Zhu, Ochoa & Katzgraber 2015).

    Examples
    --------
    >>> import dimod
    >>> from annealnn import ParallelTemperingSampler
    >>> bqm = dimod.BQM.from_ising({}, {(k, k + 1): -1.0 for k in range(9)})
    >>> float(ParallelTemperingSampler().sample(bqm, beta=3.0, seed=7).first.energy)
    -9.0
    """

    @property
    def properties(self) -> dict[str, Any]:
        """`distribution` is "boltzmann"."""
        return {"distribution": "boltzmann"}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        num_sweeps: int = 1000,
        beta: float | None = None,
        num_replicas: int | None = None,
        beta_range: tuple[float, float] | None = None,
        betas: Sequence[float] | None = None,
        cluster_moves: bool | Literal["auto"] = "auto",
        seed: int | None = None,
        diagnose: bool = False,
        progress: Progress = "auto",
        interrupt_function: Interrupt | None = None,
        num_threads: int | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        num_reads : int
        num_sweeps : int
            Of each replica, from its own random start, with exchanges after each.
        beta : float, optional
            Inverse temperature of the reads, 1/energy: if None, the coldest of `betas` or `beta_range`, or 1.
        num_replicas : int, optional
            If None, as many as a pilot finds for neighbours to exchange at about every third sweep, 512 at most.
        beta_range : (start, stop), optional
            Betas of the hottest and the coldest replica. If None, from where single sweeps provably forget their start,
            to `beta`; one replica if `beta` is not colder than that. A pilot, whose draws follow from `seed`, sets
            those between.
        betas : sequence of float, optional
            Betas of all replicas, rising, in place of `beta_range` and `num_replicas`.
        cluster_moves : bool or "auto"
            Whether reads have two ladders and cluster moves, at those betas where a pilot's clusters had 0.42 of the
            spins or fewer on average. "auto": for 64 variables or more, with at most 16 neighbours on average.
        seed : int, optional
            None draws a fresh one; either way it is in `info["seed"]`.
        diagnose : bool
            Record energies of the reads along the sweeps, and put the verdict of `diagnostics.thermalisation` in
            `info["thermalisation"]`. It changes no read.
        progress : "auto", bool or callable
            "auto" shows a bar on terminals and in notebooks once the run has lasted a second. A callable is called as
            `progress(done, total)`, in sweeps times reads, about ten times a second and at the end.
        interrupt_function : callable, optional
            Asked about ten times a second; True ends the run, as Ctrl-C does. Before the
            sweeps, during a pilot, Ctrl-C raises KeyboardInterrupt.
        num_threads : int, optional
            All processors if None. Reads do not depend on it.

        Returns
        -------
        dimod.SampleSet
            One row for each read. `info` holds what shaped them, and `betas`; `swap_acceptance`, of the exchanges of
            each pair of neighbours; `round_trips`, from the hottest beta to the coldest, for each replica on average;
            `cluster_betas`, at which clusters were flipped. After an interrupt see `GibbsSampler.sample`; where no read
            was begun, `swap_acceptance` and `round_trips` are None.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        TypeError
            If `interrupt_function` cannot be called.
        """
        self.remove_unknown_kwargs(**kwargs)
        request = LadderRequest.of(beta, betas, beta_range, num_replicas)
        check_choice("cluster_moves", cluster_moves, (True, False, "auto"))
        check_choice("diagnose", diagnose, (True, False))
        control = RunControl(progress, interrupt_function)
        if num_threads is not None:
            check_count("num_threads", num_threads)

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            ladder = choose_ladder(structure, parameters, seed, request, cluster_moves)
            compiled = CompiledTempering(structure, ladder, num_sweeps=num_sweeps, num_threads=num_threads)
            state = compiled.init(num_reads, seed)
            record = EnergyRecord(num_reads, num_sweeps) if diagnose else None
            tallies = []

            def sweeps(watch: Watch) -> Step:
                step, tally = compiled.run(parameters, state, watch=watch, record=record)
                done = step.info["sweeps_done"]
                tallies.append(tally.of(kept_reads(done, num_sweeps)) if done.any() else None)
                return step

            spins, info = control.run(type(self).__name__, sweeps, num_reads=num_reads, num_sweeps=num_sweeps)
            if record is not None:
                one_level = not (parameters.fields.any() or parameters.couplings.any())
                info["thermalisation"] = record.verdict(info.get("num_sweeps", num_sweeps), one_level=one_level)
            return spins, info | _info(ladder, tallies[0])

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps, beta=request.beta)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_sweeps: int = 1,
        beta: float = 1.0,
        num_replicas: int | None = None,
        betas: Sequence[float] | None = None,
        cluster_moves: bool = False,
        num_threads: int | None = None,
    ) -> CompiledSampler:
        """Return persistent ladders over `structure`: each step runs `num_sweeps` more sweeps on every replica.

        The ladder is fixed, since parameters change: `betas`, or `num_replicas` of them (8 if None) from 0 to `beta`,
        evenly (Desjardins et al. 2010). Particles are the replicas at `beta`; the state has a row for each replica.
        Cluster moves are made at all betas.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        check_count("num_sweeps", num_sweeps)
        check_choice("cluster_moves", cluster_moves, (True, False))
        request = LadderRequest.of(check_number("beta", beta, low=0.0), betas, None, num_replicas)
        values = request.betas
        if values is None:
            depth = num_replicas or _LEARNERS_REPLICAS
            values = np.linspace(0.0, beta, depth) if depth > 1 and beta > 0 else np.array([float(beta)])
        target = int(np.argmin(np.abs(values - request.beta)))
        ladder = Ladder(values, target, 2, tuple(range(len(values)))) if cluster_moves else Ladder(values, target)
        return CompiledTempering(structure, ladder, num_sweeps=num_sweeps, want=want, num_threads=num_threads)


def _info(ladder: Ladder, tally: Tally | None) -> dict[str, Any]:
    return {
        "betas": ladder.betas.tolist(),
        "swap_acceptance": None if tally is None else tally.chances.mean(axis=0).tolist(),
        "round_trips": None if tally is None else float(tally.trips.mean()) / len(ladder.betas),
        "cluster_betas": ladder.betas[list(ladder.rungs)].tolist(),
    }
