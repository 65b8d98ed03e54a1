"""Simulated annealing (Kirkpatrick, Gelatt & Vecchi 1983)."""

import math
from typing import Any, Literal, final, get_args

import dimod
import numpy as np

from annealnn._validation import check_choice, check_pair
from annealnn.models import Parameters, Structure
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._compiled import CompiledSampler, Want
from annealnn.samplers._sweeps import CompiledSweeps
from annealnn.schedules import BetaSchedule
from annealnn.typing import Spins

Update = Literal["metropolis", "heat-bath"]
Interpolation = Literal["geometric", "linear"]


@final
class SimulatedAnnealingSampler(AnnealSampler):
    """Single-spin sweeps along a schedule of inverse temperatures, every read from its own random start.

    A read is a quench: it has low energy, but reads do not follow a Boltzmann distribution.
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        num_sweeps: int = 1000,
        beta_range: tuple[float, float] | None = None,
        interpolation: Interpolation = "geometric",
        update: Update = "metropolis",
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
        num_sweeps : int
            Of each read, from its own random start.
        beta_range : (start, stop), optional
            Inverse temperatures of the first and last sweep, 1/energy; chosen from the problem's terms if None.
        interpolation : "geometric" or "linear"
        update : "metropolis" or "heat-bath"
        seed : int, optional
            None draws a fresh one; either way it is in `info["seed"]`.
        num_threads : int, optional
            All processors if None. Reads do not depend on it.

        Returns
        -------
        dimod.SampleSet
            One row for each read. `info` holds what shaped them.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        self.remove_unknown_kwargs(**kwargs)

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            start, stop = check_pair(
                "beta_range", beta_range if beta_range is not None else default_beta_range(structure, parameters)
            )
            schedule = BetaSchedule(start=start, stop=stop, num_sweeps=num_sweeps, interpolation=interpolation)
            compiled = self.compile(
                structure,
                num_sweeps=num_sweeps,
                beta_range=(start, stop),
                interpolation=interpolation,
                update=update,
                num_threads=num_threads,
            )
            step = compiled.step(parameters, compiled.init(num_reads, seed))
            # a quench has no one temperature: beta stays None
            return step.state.spins, {"schedule": schedule.to_dict()}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_sweeps: int = 100,
        beta_range: tuple[float, float] = (0.05, 1.0),
        interpolation: Interpolation = "linear",
        update: Update = "heat-bath",
        num_threads: int | None = None,
    ) -> CompiledSampler:
        """Return an annealer over `structure`: each step anneals fresh random spins along the same betas."""
        check_choice("update", update, get_args(Update))
        start, stop = check_pair("beta_range", beta_range)
        schedule = BetaSchedule(start=start, stop=stop, num_sweeps=num_sweeps, interpolation=interpolation)
        return CompiledSweeps(
            structure,
            metropolis=update == "metropolis",
            betas=schedule.betas(),
            fresh=True,
            want=want,
            num_threads=num_threads,
        )


def default_beta_range(structure: Structure, parameters: Parameters) -> tuple[float, float]:
    """Return betas at which the stiffest spin flips up every second time and the softest down every hundredth.

    The stiffest local field is at most max_i (|h_i| + sum_j |J_ij|); the softest non-zero one is taken as the
    least non-zero |h_i| or |J_ij|. A flip costs twice the local field.
    """
    fields, couplings = np.abs(parameters.fields), np.abs(parameters.couplings)
    total = fields.copy()
    np.add.at(total, structure.edges[:, 0], couplings)
    np.add.at(total, structure.edges[:, 1], couplings)
    terms = np.concatenate([fields, couplings])
    terms = terms[terms > 0]
    if not terms.size:
        return 0.1, 1.0
    return math.log(2) / (2 * float(total.max())), math.log(100) / (2 * float(terms.min()))
