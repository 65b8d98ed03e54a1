"""What the annealers of this room share: projective reads of the last state, and what is said of it."""

from typing import Any

import dimod
import numpy as np

from annealnn._validation import check_number
from annealnn.models._exact import basis_spins
from annealnn.samplers._streams import streams_from_seed, uniforms
from annealnn.schedules import AnnealSchedule
from annealnn.typing import Floats, Spins

# energies of a problem that differ by less, relative to the largest, are one level
_SAME = 1e-9
_NUM_LEVELS = 4


def chosen_schedule(annealing_time: float | None, schedule: AnnealSchedule | None, default: float) -> AnnealSchedule:
    """Return the schedule that the keywords `annealing_time` and `schedule` ask for: one of the two, or neither.

    Raises
    ------
    ValueError
        If both are given, or the time is not above 0.
    TypeError
        If `schedule` is no AnnealSchedule.
    """
    if schedule is None:
        time = (
            default
            if annealing_time is None
            else check_number("annealing_time", annealing_time, low=0.0, open_low=True)
        )
        return AnnealSchedule.linear(time)
    given: object = schedule
    if not isinstance(given, AnnealSchedule):
        msg = f"schedule is an AnnealSchedule; got {type(given).__name__}"
        raise TypeError(msg)
    if annealing_time is not None:
        msg = f"annealing_time is of a linear schedule, and goes with no other; got {annealing_time!r} and a schedule"
        raise ValueError(msg)
    return schedule


def spins_by_label(
    bqm: dimod.BinaryQuadraticModel, initial_state: Any, schedule: AnnealSchedule
) -> dict[Any, int] | None:
    """Return the spins that the keyword `initial_state` gives, in the problem's own form, as a mapping by label.

    Raises
    ------
    ValueError
        If a reverse anneal has none, a forward anneal has one, or it is no sample of the problem.
    """
    if initial_state is None:
        if schedule.is_reverse:
            msg = "a reverse anneal begins in a state; got initial_state=None. Give a sample, a value by label"
            raise ValueError(msg)
        return None
    if not schedule.is_reverse:
        msg = "initial_state goes with a reverse anneal, whose schedule begins at s = 1; got one that begins at 0"
        raise ValueError(msg)
    try:
        given = dict(initial_state)
    except (TypeError, ValueError):
        msg = f"initial_state is a mapping from label to value; got {initial_state!r}"
        raise ValueError(msg) from None
    allowed = sorted(bqm.vartype.value)
    for label in bqm.variables:
        if label not in given or given[label] not in allowed:
            msg = (
                f"initial_state has one of {allowed} for every variable; got {given.get(label, 'none')!r} for {label!r}"
            )
            raise ValueError(msg)
    return {label: 1 if given[label] > 0 else -1 for label in bqm.variables}


def spin_offset(bqm: dimod.BinaryQuadraticModel) -> float:
    """Return the offset of a problem's spin form."""
    return float(bqm.change_vartype(dimod.SPIN, inplace=False).offset)


def read_out(probabilities: Floats, num_reads: int, seed: int) -> Spins:
    """Return projective reads (num_reads, num_variables) of basis states with these probabilities, a stream each."""
    cumulative = np.cumsum(probabilities)
    streams = streams_from_seed(seed, num_reads)
    # "right": a state of probability zero is never read
    states = np.searchsorted(cumulative, uniforms(streams) * cumulative[-1], side="right")
    return basis_spins(len(probabilities).bit_length() - 1, np.minimum(states, len(probabilities) - 1))


def reading_info(energies: Floats, probabilities: Floats, offset: float) -> dict[str, Any]:
    """Return what `info` says of the state that is read.

    Parameters
    ----------
    energies, probabilities : arrays of shape (2**num_variables,)
        Of the problem's basis states.
    offset : float
        To add to the energies.

    Returns
    -------
    dict
        `success_probability` of a ground state of the problem, `energy`, its mean, and `populations`: of each of the
        lowest levels of the problem its energy, its number of states and its probability.
    """
    near = _SAME * max(1.0, float(np.abs(energies).max(initial=0.0)))
    populations: list[dict[str, Any]] = []
    above = -np.inf
    while len(populations) < _NUM_LEVELS:
        left = energies > above
        if not left.any():
            break
        level = float(energies[left].min())
        above = level + near
        mine = left & (energies <= above)
        populations.append(
            {
                "energy": level + offset,
                "num_states": int(mine.sum()),
                "probability": float(probabilities[mine].sum()),
            }
        )
    return {
        "success_probability": populations[0]["probability"],
        "energy": float(probabilities @ energies) + offset,
        "populations": populations,
    }
