"""Population annealing (Hukushima & Iba 2003; Machta 2010)."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, final

import dimod
import numpy as np
from scipy.special import logsumexp

from annealnn._parallel import run_blocks
from annealnn._rng import streams_from_seed
from annealnn._validation import check_count
from annealnn.kernels._lanes import WIDTH
from annealnn.kernels.population import resample_populations
from annealnn.models import Parameters, Structure
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._control import Interrupt, Progress, RunControl, kept_reads
from annealnn.samplers._couplings import Sweep
from annealnn.samplers._replicas import EdgeTerms
from annealnn.samplers._streams import uniforms
from annealnn.samplers._tiles import Tiles
from annealnn.typing import AnyArray, Floats, Spins


@final
class PopulationAnnealingSampler(AnnealSampler):
    """A population of replicas, annealed together and resampled before each sweep.

    A read is one independent population, and gives one of its replicas, drawn uniformly. Beta rises from 0 in even
    steps; at each, replicas multiply or die out by their weights, then sweep once by heat bath. The product of the mean
    weights estimates the partition function without bias. Reads are nearer to the Boltzmann distribution than those of
    an annealer, by a bias of about 1 / `population_size`; so no distribution is claimed.

    Examples
    --------
    >>> import dimod
    >>> from annealnn import PopulationAnnealingSampler
    >>> bqm = dimod.BQM({"a": 1.0}, {}, 0.0, "SPIN")
    >>> found = PopulationAnnealingSampler().sample(bqm, num_reads=50, seed=7)
    >>> round(found.info["log_z"], 2)  # ln(2 cosh 1) = 1.127
    1.13
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        num_sweeps: int = 1000,
        beta: float = 1.0,
        population_size: int = 64,
        seed: int | None = None,
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
            Independent populations.
        num_sweeps : int
            Of each replica; also the number of steps of beta.
        beta : float
            Inverse temperature at the end, 1/energy.
        population_size : int
            Replicas in a population.
        seed : int, optional
            None draws a fresh one; either way it is in `info["seed"]`.
        progress : "auto", bool or callable
            "auto" shows a bar on terminals and in notebooks once the run has lasted a second. A callable is called as
            `progress(done, total)`, in sweeps times reads, about ten times a second and at the end.
        interrupt_function : callable, optional
            Asked about ten times a second; True ends the run, as Ctrl-C does.
        num_threads : int, optional
            All processors if None. Reads do not depend on it.

        Returns
        -------
        dimod.SampleSet
            One row for each read. `info` holds what shaped them, and `log_z`, the logarithm of the mean over reads of
            the estimated sum of exp(-beta E) over spins, without the spin form's offset; `log_z_error`, its standard
            error, None for one read; `family_size`, rho_t, the mean over reads of the sum of squared sizes of families
            over `population_size`, a family being the descendants of one first replica: 1 if none died out,
            `population_size` if one is left, and log_z is not to be trusted where it is not well below that.

            After an interrupt `info["interrupted"]` is True, and the reads are those of finished populations. If there
            are none: one from each that was begun, as it stands. Those have not come to `beta`: `info["beta"]`, `log_z`
            and its error are then None, `info["beta_reached"]` has the least and the largest beta that populations came
            to, and `info["num_sweeps"]` is the least that any of them made.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        TypeError
            If `interrupt_function` cannot be called.
        """
        self.remove_unknown_kwargs(**kwargs)
        control = RunControl(progress, interrupt_function)
        size = check_count("population_size", population_size)
        if num_threads is not None:
            check_count("num_threads", num_threads)

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            betas = np.linspace(0.0, beta, num_sweeps + 1)
            streams = streams_from_seed(seed, num_reads * size)
            order = np.arange(structure.num_variables)
            sweep = Sweep(structure, metropolis=False).at(parameters, order)
            terms = EdgeTerms.of(structure, parameters)
            spins = np.empty((num_reads, len(order)), np.int8)
            log_z = np.full(num_reads, len(order) * np.log(2.0))
            families = np.tile(np.arange(size), num_reads)
            done = np.zeros(num_reads, np.int64)

            def work(block: slice, sweeps: Iterator[slice]) -> None:
                first = next(sweeps, None)
                if first is None:
                    return  # interrupted before it began
                rows = slice(size * block.start, size * block.stop)
                local, words = np.full((rows.stop - rows.start, len(order)), -1, np.int8), streams[rows].copy()
                tiles = Tiles(local, words)
                tiles.randomise(order)
                energies = np.empty(tiles.scales.shape)
                weights, offspring = np.empty(size), np.empty(size, np.int64)
                for some in chain([first], sweeps):
                    for k in range(some.start, some.stop):
                        terms.energies(tiles, energies)
                        resample_populations(
                            tiles.bits,
                            tiles.streams,
                            energies,
                            betas[k + 1] - betas[k],
                            weights,
                            offspring,
                            families[rows],
                            log_z[block],
                        )
                        sweep.run(tiles, betas[k + 1 : k + 2].astype(np.float32))
                    done[block] = some.stop
                tiles.unpack(local, words)
                picked = (uniforms(words[::size].copy()) * size).astype(np.intp)
                spins[block] = local[picked + size * np.arange(len(picked))]

            with control.watch(type(self).__name__, num_reads * num_sweeps) as watch:
                stopped = run_blocks(
                    work,
                    num_reads=num_reads,
                    num_sweeps=num_sweeps,
                    sweep_cost=size * (len(order) + 3 * structure.num_edges),
                    num_threads=num_threads,
                    tile=max(1, WIDTH // size),
                    watch=watch,
                )
                if not stopped:
                    watch(1.0)
            if not done.any():
                # the first replica of each population, as it began
                tiles = Tiles(np.full(spins.shape, -1, np.int8), streams[::size].copy())
                tiles.randomise(order)
                tiles.unpack(spins, streams[::size].copy())
            kept = kept_reads(done, num_sweeps)
            info = _info(log_z[kept], families.reshape(num_reads, size)[kept])
            info |= {"interrupted": stopped} | ({"num_sweeps": int(done[kept].min())} if stopped else {})
            if not (done == num_sweeps).any():
                reached = betas[done[kept]]
                info |= {"beta": None, "beta_reached": [float(reached.min()), float(reached.max())]}
                info |= {"log_z": None, "log_z_error": None}
            return spins[kept], info

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps, beta=beta)


def _info(log_z: Floats, families: AnyArray) -> dict[str, Any]:
    """Return what populations found: log_z (num_reads,), families (num_reads, population_size)."""
    num_reads, size = families.shape
    mean = float(logsumexp(log_z)) - np.log(num_reads)
    relative = np.exp(log_z - mean)
    counts = np.array([np.bincount(row, minlength=size) for row in families])
    return {
        "population_size": size,
        "log_z": float(mean),
        "log_z_error": float(relative.std(ddof=1)) / num_reads**0.5 if num_reads > 1 else None,
        "family_size": float((counts.astype(np.float64) ** 2).sum(axis=1).mean()) / size,
    }
