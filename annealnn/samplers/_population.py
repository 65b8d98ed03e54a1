"""Population annealing (Hukushima & Iba 2003; Machta 2010)."""

from collections.abc import Iterator
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

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        self.remove_unknown_kwargs(**kwargs)
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

            def work(block: slice, sweeps: Iterator[slice]) -> None:
                rows = slice(size * block.start, size * block.stop)
                local, words = np.full((rows.stop - rows.start, len(order)), -1, np.int8), streams[rows].copy()
                tiles = Tiles(local, words)
                tiles.randomise(order)
                energies = np.empty(tiles.scales.shape)
                weights, offspring = np.empty(size), np.empty(size, np.int64)
                for some in sweeps:
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
                tiles.unpack(local, words)
                picked = (uniforms(words[::size].copy()) * size).astype(np.intp)
                spins[block] = local[picked + size * np.arange(len(picked))]

            run_blocks(
                work,
                num_reads=num_reads,
                num_sweeps=num_sweeps,
                sweep_cost=size * (len(order) + 3 * structure.num_edges),
                num_threads=num_threads,
                tile=max(1, WIDTH // size),
            )
            return spins, _info(log_z, families.reshape(num_reads, size))

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
