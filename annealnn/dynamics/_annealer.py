"""What the annealers of this room share: groups of variables annealed one by one, projective reads, and `info`."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import dimod
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from annealnn._memory import check_memory
from annealnn._parallel import Watch
from annealnn._validation import check_number
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.models._exact import basis_energies, basis_spins
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._control import RunControl
from annealnn.samplers._gamma import Gamma, gamma_by_variable, is_many
from annealnn.samplers._streams import streams_from_seed, uniforms
from annealnn.schedules import AnnealSchedule
from annealnn.typing import Floats, Indices, Spins

# energies of a problem that differ by less, relative to the largest, are one level
_SAME = 1e-9
_NUM_LEVELS = 4
# of the energies, the probabilities, their cumulative sums and masks of them, per basis state
_STATE_BYTES = 32


class Anneal(Protocol):
    """A state of a few qubits on its way through a schedule."""

    @property
    def time(self) -> float:
        """Time that is reached."""

    @property
    def num_steps(self) -> int:
        """Steps of the solver."""

    @property
    def error(self) -> float | None:
        """Bound on the state's error, or None if the solver says none."""

    def begin(self, spins: Sequence[int] | None) -> None:
        """Set the state at time 0: of given spins, or where a forward anneal begins."""

    def run(self, watch: Watch) -> bool:
        """Go to the schedule's end. `watch` is told the share that is done; True is returned if it ended the run."""

    def probabilities(self) -> Floats:
        """Return those of the basis states, (2**num_variables,)."""


# (problem, transverse fields (num_variables,)) -> its anneal
Start: TypeAlias = Callable[[IsingModel, Floats], Anneal]


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
    near = _SAME * float(np.abs(energies).max(initial=0.0))
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


def anneal(
    sampler: AnnealSampler,
    bqm: dimod.BinaryQuadraticModel,
    start: Start,
    *,
    check_size: Callable[[int], None],
    info: dict[str, Any],
    schedule: AnnealSchedule,
    gamma: Gamma,
    initial_state: Any,
    control: RunControl,
    num_reads: int,
    seed: int | None,
) -> dimod.SampleSet:
    """Return reads of a problem that was annealed once.

    `check_size` raises if so many variables that hang together are too many; before anything is allocated. `info` is
    what the sampler adds to that of all.
    """
    begin = spins_by_label(bqm, initial_state, schedule)
    offset = spin_offset(bqm)

    def draw(structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> tuple[Spins, dict[str, Any]]:
        fields = gamma_by_variable(gamma, structure)
        groups = _groups(structure, parameters)
        for variables in groups:
            check_size(len(variables))
        n = structure.num_variables
        what = f"The probabilities and energies of {n} variables, 2^{n} states,"
        check_memory(what, _STATE_BYTES * 2**n, "Anneal variables that no couplings join in calls of their own")
        with control.watch(type(sampler).__name__, 1_000_000) as watch:
            probabilities, of_run = _annealed(
                structure, parameters, fields, groups, start, begin, schedule.duration, watch
            )
        said = {
            "gamma": fields.tolist() if is_many(gamma) or not len(fields) else float(fields[0]),
            "schedule": schedule.to_dict(),
            **info,
            **of_run,
            **reading_info(basis_energies(structure, parameters), probabilities, offset),
        }
        return read_out(probabilities, num_reads, seed), said

    return sampler.sample_with(draw, bqm, num_reads=num_reads, seed=seed)


def _annealed(
    structure: Structure,
    parameters: Parameters,
    fields: Floats,
    groups: list[Indices],
    start: Start,
    begin: dict[Any, int] | None,
    duration: float,
    watch: Watch,
) -> tuple[Floats, dict[str, Any]]:
    """Return the probabilities of basis states (2**num_variables,) after an anneal, and what `info` says of it.

    Variables that no couplings join are independent: each group is annealed by itself, and groups that are alike once.
    """
    known: dict[Any, tuple[Floats, float | None]] = {}
    keys, num_steps, reached, stopped = [], 0, duration, False
    for number, variables in enumerate(groups):
        problem = _part(structure, parameters, variables)
        spins = None if begin is None else [begin[structure.labels[k]] for k in variables]
        key = (*(a.tobytes() for a in (problem.h, problem.J, fields[variables])), *(spins or ()))
        if key not in known:
            state = start(problem, fields[variables])
            state.begin(spins)
            # once one group is stopped, the others stay as they began
            stopped = stopped or state.run(_share(watch, number, len(groups)))
            known[key] = state.probabilities(), state.error
            reached, num_steps = min(reached, state.time), num_steps + state.num_steps
        keys.append(key)
    if not stopped:
        watch(1.0)
    errors = [known[key][1] for key in keys]
    return _joint(groups, [known[key][0] for key in keys]), {
        "interrupted": stopped,
        "time_reached": reached,
        # of independent groups it adds up
        "state_error": None if None in errors else float(sum(filter(None, errors))),
        "num_steps": num_steps,
    }


def _share(watch: Watch, number: int, count: int) -> Watch:
    return lambda fraction: watch((number + fraction) / count)


def _groups(structure: Structure, parameters: Parameters) -> list[Indices]:
    """Return the variables of each part of the graph that couplings other than 0 hold together."""
    heads, tails = structure.ends
    joined = parameters.couplings != 0
    n = structure.num_variables
    if not n:
        return []
    graph = csr_array((np.ones(int(joined.sum())), (heads[joined], tails[joined])), (n, n))
    count, group = connected_components(graph, directed=False)
    return [np.flatnonzero(group == g) for g in range(count)]


def _part(structure: Structure, parameters: Parameters, variables: Indices) -> IsingModel:
    couplings = structure.dense(parameters.couplings)[np.ix_(variables, variables)]
    return IsingModel(np.asarray(parameters.fields)[variables], couplings)


def _joint(groups: list[Indices], of_groups: list[Floats]) -> Floats:
    """Return the probabilities of independent groups of variables together, variable 0 most significant."""
    if len(groups) == 1:
        return of_groups[0]
    out = np.ones(1)
    for probabilities in of_groups:
        out = np.outer(out, probabilities).ravel()
    order = np.concatenate([*groups, np.empty(0, np.intp)])
    return out.reshape((2,) * len(order)).transpose(np.argsort(order)).ravel()
