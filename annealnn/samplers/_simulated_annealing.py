"""Simulated annealing (Kirkpatrick, Gelatt & Vecchi 1983)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias, final, get_args

import dimod
import numpy as np
from scipy.special import expit

from annealnn._validation import check_choice, check_count, check_number, check_pair
from annealnn.models import Parameters, Structure
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._compiled import CompiledSampler, Want
from annealnn.samplers._control import Interrupt, Progress, RunControl
from annealnn.samplers._initial_states import InitialStates, InitialStatesGenerator
from annealnn.samplers._sweeps import CompiledSweeps
from annealnn.schedules import BetaSchedule
from annealnn.schedules._beta import BetaScheduleType
from annealnn.typing import Floats, Spins

# how many spins are against the least of their terms when an anneal ends
_AGAINST = 1 / 500

ProposalAcceptanceCriteria: TypeAlias = Literal["Metropolis", "Gibbs"]


@final
class SimulatedAnnealingSampler(AnnealSampler):
    """Single-spin sweeps along a schedule of inverse temperatures, every read from its own start.

    A read is a quench: it has low energy, but reads do not follow a Boltzmann distribution.

    Keywords, defaults and shapes of results are those of `dwave.samplers.SimulatedAnnealingSampler`, and some more.

    Examples
    --------
    >>> import dimod
    >>> from annealnn import SimulatedAnnealingSampler
    >>> triangle = dimod.BQM({}, {"ab": 1.0, "bc": 1.0, "ac": 1.0}, 0.0, "SPIN")
    >>> float(SimulatedAnnealingSampler().sample(triangle, num_reads=10, seed=1).first.energy)
    -1.0
    """

    @property
    def properties(self) -> dict[str, Any]:
        """`distribution` is None; `beta_schedule_options` are the types of schedule."""
        return super().properties | {"beta_schedule_options": get_args(BetaScheduleType)}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        beta_range: Sequence[float] | None = None,
        num_reads: int | None = None,
        num_sweeps: int | None = None,
        num_sweeps_per_beta: int = 1,
        beta_schedule_type: BetaScheduleType = "geometric",
        seed: int | None = None,
        interrupt_function: Interrupt | None = None,
        beta_schedule: Sequence[float] | Floats | None = None,
        initial_states: Any = None,
        initial_states_generator: InitialStatesGenerator = "random",
        randomize_order: bool = False,
        proposal_acceptance_criteria: ProposalAcceptanceCriteria = "Metropolis",
        progress: Progress = "auto",
        num_threads: int | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        beta_range : (start, stop), optional
            Inverse temperatures of the first and last sweep, 1/energy; chosen from the problem's terms if None.
        num_reads : int, optional
            If None, as many as there are initial states, else 1.
        num_sweeps : int, optional
            Of each read, a multiple of `num_sweeps_per_beta`. If None, 1000, or as many as a custom schedule has. 0
            gives initial states back, where there are some.
        num_sweeps_per_beta : int
        beta_schedule_type : "geometric", "linear" or "custom"
            How betas go from `start` to `stop`; "custom" takes them from `beta_schedule`.
        seed : int, optional
            None draws a fresh one; either way it is in `info["seed"]`.
        interrupt_function : callable, optional
            Asked about ten times a second; True ends the run, as Ctrl-C does.
        beta_schedule : (num_betas,), optional
            Betas of a custom schedule, at least 0. They may rise and fall.
        initial_states : anything that `dimod.as_samples` takes, optional
            Where reads begin: a row for each, spins or bits, columns by label. Rows beyond `num_reads` are left out.
        initial_states_generator : "none", "tile" or "random"
            What reads without a row begin with: an error, the given rows again, or random spins.
        randomize_order : bool
            Each update is of a variable drawn at random, the same for 32 reads; else sweeps go through the variables in
            order.
        proposal_acceptance_criteria : "Metropolis" or "Gibbs"
        progress : "auto", bool or callable
            "auto" shows a bar on terminals and in notebooks once the run has lasted a second. A callable is called as
            `progress(done, total)`, in sweeps times reads, about ten times a second and at the end.
        num_threads : int, optional
            All processors if None. Reads do not depend on it.

        Returns
        -------
        dimod.SampleSet
            One row for each read. `info` holds what shaped them. After an interrupt `info["interrupted"]` is True, and
            the reads are those that were finished; if none were, those that were begun, as they stand, and
            `info["num_sweeps"]` is the least that any of them made.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        TypeError
            If `interrupt_function` cannot be called.
        MemoryError
            If the reads would not fit in memory.
        """
        self.remove_unknown_kwargs(**kwargs)
        control = RunControl(progress, interrupt_function)
        starts = InitialStates(bqm, initial_states, initial_states_generator, num_reads)
        check_choice("randomize_order", randomize_order, [True, False])
        metropolis = _is_metropolis(proposal_acceptance_criteria)
        # no sweep at all leaves what was given as it is; random spins alone would be no anneal
        still = initial_states is not None and type(num_sweeps) is int and num_sweeps == 0
        schedule = _schedule(
            (0.1, 1.0) if beta_range is None and beta_schedule is None else beta_range,
            num_sweeps_per_beta if still else num_sweeps,
            num_sweeps_per_beta,
            beta_schedule_type,
            beta_schedule,
            default_num_sweeps=1000,
        )
        is_fitted = beta_range is None and beta_schedule is None
        total = 0 if still else schedule.num_sweeps

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            fitted = schedule
            if is_fitted:
                start, stop = default_beta_range(structure, parameters)
                fitted = replace(schedule, start=start, stop=stop)
            compiled = CompiledSweeps(
                structure,
                metropolis=metropolis,
                betas=fitted.betas()[:total],
                fresh=False,
                at_random=randomize_order,
                num_threads=num_threads,
            )
            state = starts.put(compiled.init(num_reads, seed))
            spins, info = control.run(
                type(self).__name__,
                lambda watch: compiled.run(parameters, state, watch=watch),
                num_reads=num_reads,
                num_sweeps=total,
            )
            # a quench has no one temperature: beta stays None
            return spins, {
                "num_sweeps": total,
                "schedule": None if still else fitted.to_dict(),
                "beta_range": [fitted.start, fitted.stop],
                "beta_schedule_type": fitted.beta_schedule_type,
                **info,
            }

        return self.sample_with(draw, bqm, num_reads=starts.num_reads, seed=seed)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_sweeps: int | None = None,
        beta_range: Sequence[float] | None = None,
        num_sweeps_per_beta: int = 1,
        beta_schedule_type: BetaScheduleType = "linear",
        beta_schedule: Sequence[float] | Floats | None = None,
        randomize_order: bool = False,
        proposal_acceptance_criteria: ProposalAcceptanceCriteria = "Gibbs",
        num_threads: int | None = None,
    ) -> CompiledSampler:
        """Return an annealer over `structure`: each step anneals fresh random spins along the same betas.

        Unless told otherwise, 100 sweeps from beta 0.05 to 1.
        """
        check_choice("randomize_order", randomize_order, [True, False])
        schedule = _schedule(
            (0.05, 1.0) if beta_range is None and beta_schedule is None else beta_range,
            num_sweeps,
            num_sweeps_per_beta,
            beta_schedule_type,
            beta_schedule,
            default_num_sweeps=100,
        )
        return CompiledSweeps(
            structure,
            metropolis=_is_metropolis(proposal_acceptance_criteria),
            betas=schedule.betas(),
            fresh=True,
            at_random=randomize_order,
            want=want,
            num_threads=num_threads,
        )


def _is_metropolis(criteria: Any) -> bool:
    names = {name.lower(): name for name in get_args(ProposalAcceptanceCriteria)}
    # in any case, as dwave-samplers takes it
    known = names.get(criteria.lower(), criteria) if isinstance(criteria, str) else criteria
    return bool(check_choice("proposal_acceptance_criteria", known, list(names.values())) == "Metropolis")


def _schedule(
    beta_range: Any,
    num_sweeps: int | None,
    num_sweeps_per_beta: int,
    beta_schedule_type: BetaScheduleType,
    beta_schedule: Any,
    *,
    default_num_sweeps: int,
) -> BetaSchedule:
    """Return the schedule of a sampler's keywords; a custom one may come with the range and the number that it has."""
    check_choice("beta_schedule_type", beta_schedule_type, get_args(BetaScheduleType))
    check_count("num_sweeps_per_beta", num_sweeps_per_beta)
    if num_sweeps is not None:
        check_count("num_sweeps", num_sweeps)
    if beta_range is not None:
        start, stop = (check_number("beta_range", beta, low=0.0) for beta in check_pair("beta_range", beta_range))
    if beta_schedule is None:
        return BetaSchedule(
            start=start,
            stop=stop,
            num_sweeps=default_num_sweeps if num_sweeps is None else num_sweeps,
            num_sweeps_per_beta=num_sweeps_per_beta,
            beta_schedule_type=beta_schedule_type,
        )
    if beta_schedule_type != "custom":
        msg = (
            "beta_schedule goes with beta_schedule_type='custom', and with no other; "
            f"got beta_schedule_type={beta_schedule_type!r}"
        )
        raise ValueError(msg)
    schedule = BetaSchedule.custom(beta_schedule, num_sweeps_per_beta=num_sweeps_per_beta)
    if num_sweeps is not None and num_sweeps != schedule.num_sweeps:
        msg = f"num_sweeps of a custom schedule is its own, {schedule.num_sweeps}; got {num_sweeps}. Leave it out"
        raise ValueError(msg)
    if beta_range is not None and (start, stop) != (schedule.start, schedule.stop):
        msg = (
            f"beta_range of a custom schedule is its own, {(schedule.start, schedule.stop)}; "
            f"got {(start, stop)}. Leave it out"
        )
        raise ValueError(msg)
    return schedule


def default_beta_range(structure: Structure, parameters: Parameters) -> tuple[float, float]:
    """Return betas at which the stiffest spin flips up every second time, and few spins are against the least of terms.

    The stiffest local field is at most max_i (|h_i| + sum_j |J_ij|), and a flip costs twice the field. At the last beta
    a spin that only the least non-zero of its terms pulls is against it with a probability of 1/500, in the mean over
    spins: a few terms that are much smaller than the others do not make it colder.
    """
    fields, couplings = np.abs(parameters.fields), np.abs(parameters.couplings)
    total, least = fields.copy(), np.where(fields > 0, fields, np.inf)
    for ends in structure.ends:
        np.add.at(total, ends, couplings)
        np.minimum.at(least, ends, np.where(couplings > 0, couplings, np.inf))
    least = least[np.isfinite(least)]
    if not least.size:
        return 0.1, 1.0
    start = math.log(2) / (2 * float(total.max()))
    # where all terms are equal; in logarithms, for terms may differ by many orders of magnitude
    alone = math.log((1 - _AGAINST) / _AGAINST) / 2
    low, high = math.log(alone / float(least.max())), math.log(alone / float(least.min()))
    while high - low > 1e-3:
        middle = (low + high) / 2
        if expit(-2 * math.exp(middle) * least).mean() > _AGAINST:
            low = middle
        else:
            high = middle
    return start, math.exp(high)
