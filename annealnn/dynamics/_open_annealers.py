"""Noisy annealers: an open system annealed once, and projective reads at its end."""

from collections.abc import Callable
from typing import Any, TypeAlias, final

import dimod
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from threadpoolctl import threadpool_limits

from annealnn._parallel import Watch
from annealnn.dynamics._annealer import chosen_schedule, read_out, reading_info, spin_offset, spins_by_label
from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._dephasing import Dephasing
from annealnn.dynamics._master_equation import MasterEquation
from annealnn.dynamics._open import OpenSolver, check_open_size
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.models._exact import basis_energies, check_enumerable
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._control import Interrupt, Progress, RunControl
from annealnn.samplers._gamma import Gamma, gamma_by_variable, is_many
from annealnn.schedules import AnnealSchedule
from annealnn.typing import Floats, Indices, Spins

_ANNEALING_TIME = 20.0

# (problem, transverse fields (num_variables,)) -> solver
Solve: TypeAlias = Callable[[IsingModel, Floats], OpenSolver]


@final
class AdiabaticMasterEquationAnnealer(AnnealSampler):
    """Annealing in contact with a bath at a temperature, read in the z basis; see `dynamics.evolve_open`.

    Up to 8 variables that hang together by couplings: each group of them is annealed by itself, which is exact, for
    every qubit has a bath of its own. As a rule 3 take a twentieth of a second, and 7 a few.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.dynamics import AdiabaticMasterEquationAnnealer, OhmicBath
    >>> pair = dimod.BQM({"a": -0.5}, {"ab": -1.0}, 0.0, "SPIN")
    >>> cold = OhmicBath(beta=5.0, coupling=1e-2)
    >>> found = AdiabaticMasterEquationAnnealer().sample(pair, num_reads=100, bath=cold, annealing_time=50.0, seed=7)
    >>> found.first.sample["b"], found.info["success_probability"] > 0.95
    (np.int8(1), True)
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        annealing_time: float | None = None,
        schedule: AnnealSchedule | None = None,
        gamma: Gamma = 1.0,
        bath: OhmicBath | None = None,
        initial_state: Any = None,
        tolerance: float = 1e-2,
        seed: int | None = None,
        progress: Progress = "auto",
        interrupt_function: Interrupt | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Anneal once, and read the state `num_reads` times.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        num_reads : int
        annealing_time : float, optional
            Of a linear schedule, A = 1 - s and B = s, in 1/energy (hbar = 1). 20 if nothing is given.
        schedule : AnnealSchedule, optional
            In its stead: pauses, quenches, reverse anneals, a processor's A(s) and B(s). Its scales say the time unit.
        gamma : float, or mapping from label to float, or array of shape (num_variables,)
            Weight of each X_i, at least 0.
        bath : OhmicBath, optional
            In the schedule's time unit. `OhmicBath(beta=1.0)` if None; a schedule in ns needs one.
        initial_state : mapping from label to value, optional
            Of a reverse anneal: a sample in the problem's own form. A forward anneal begins in the ground state.
        tolerance : float
            Of each probability of a state of variables that hang together, from 1e-10 to 0.1. The estimate of the error
            errs on the large side: at 0.01 the errors of small problems are 1e-5 to 1e-3.
        seed : int, optional
            Of the reads. None draws a fresh one; either way it is in `info["seed"]`.
        progress : "auto", bool or callable
            "auto" shows a bar on terminals and in notebooks once the run has lasted a second. A callable is called as
            `progress(done, total)`, in millionths of the anneal.
        interrupt_function : callable, optional
            Asked after every step; True ends the anneal, and the state is read as it stands.

        Returns
        -------
        dimod.SampleSet
            One row for each read. `info` holds what shaped them; `success_probability`, the probability of a ground
            state of the problem; `energy`, the mean; `populations` of the problem's four lowest levels; `state_error`,
            an estimate of the error of any probability; and `interrupted`, with the `time_reached`.

        Raises
        ------
        ValueError
            If an argument breaks its rule, more than 8 variables hang together, or there are more than 24.
        TypeError
            If `schedule` is no AnnealSchedule, `bath` no OhmicBath, or `interrupt_function` cannot be called.
        MemoryError
            If a very degenerate problem's generator would not fit in memory.
        """
        self.remove_unknown_kwargs(**kwargs)
        chosen = chosen_schedule(annealing_time, schedule, _ANNEALING_TIME)
        drive, around = chosen.drive(), _chosen_bath(bath, chosen)
        return _anneal(
            self,
            bqm,
            lambda problem, fields: MasterEquation(problem, drive, around, gamma=fields, tolerance=tolerance),
            info={"bath": around.to_dict()},
            schedule=chosen,
            gamma=gamma,
            initial_state=initial_state,
            control=RunControl(progress, interrupt_function),
            num_reads=num_reads,
            seed=seed,
        )


@final
class DephasingAnnealer(AnnealSampler):
    """Annealing while every qubit loses its phase, read in the z basis; see `dynamics.evolve_dephasing`.

    Up to 8 variables that hang together by couplings: each group of them is annealed by itself, which is exact. Needs
    QuTiP, the extra `dynamics`.
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        annealing_time: float | None = None,
        schedule: AnnealSchedule | None = None,
        gamma: Gamma = 1.0,
        dephasing_rate: float = 0.01,
        initial_state: Any = None,
        tolerance: float = 1e-6,
        seed: int | None = None,
        progress: Progress = "auto",
        interrupt_function: Interrupt | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Anneal once, and read the state `num_reads` times.

        Parameters
        ----------
        bqm, num_reads, annealing_time, schedule, gamma, initial_state, seed, progress
            As in `AdiabaticMasterEquationAnnealer.sample`.
        dephasing_rate : float
            Of each qubit, at least 0, 1/time in the schedule's time unit.
        tolerance : float
            Of each step in each element of the density matrix, from 1e-12 to 0.1.
        interrupt_function : callable, optional
            Asked at each point of the schedule; True ends the anneal, and the state is read as it stands.

        Returns
        -------
        dimod.SampleSet
            As `AdiabaticMasterEquationAnnealer.sample`; `state_error` is None.

        Raises
        ------
        ValueError
            If an argument breaks its rule, more than 8 variables hang together, or there are more than 24.
        TypeError
            If `schedule` is no AnnealSchedule, or `interrupt_function` cannot be called.
        MissingDependencyError
            If QuTiP is not installed.
        """
        self.remove_unknown_kwargs(**kwargs)
        chosen = chosen_schedule(annealing_time, schedule, _ANNEALING_TIME)
        drive = chosen.drive()
        return _anneal(
            self,
            bqm,
            lambda problem, fields: Dephasing(problem, drive, dephasing_rate, gamma=fields, tolerance=tolerance),
            info={"dephasing_rate": dephasing_rate},
            schedule=chosen,
            gamma=gamma,
            initial_state=initial_state,
            control=RunControl(progress, interrupt_function),
            num_reads=num_reads,
            seed=seed,
        )


def _chosen_bath(bath: OhmicBath | None, schedule: AnnealSchedule) -> OhmicBath:
    unit = schedule.scales.time_unit
    if bath is None:
        if unit == "ns":
            msg = "a schedule in ns goes with a bath in ns; got bath=None. Give OhmicBath.at_temperature_mk"
            raise ValueError(msg)
        return OhmicBath(beta=1.0)
    given: object = bath
    if not isinstance(given, OhmicBath):
        msg = f"bath is an OhmicBath; got {type(given).__name__}"
        raise TypeError(msg)
    if bath.time_unit != unit:
        msg = f"bath and schedule have one time unit; got {bath.time_unit!r} and {unit!r}"
        raise ValueError(msg)
    return bath


def _anneal(
    sampler: AnnealSampler,
    bqm: dimod.BinaryQuadraticModel,
    solve: Solve,
    *,
    info: dict[str, Any],
    schedule: AnnealSchedule,
    gamma: Gamma,
    initial_state: Any,
    control: RunControl,
    num_reads: int,
    seed: int | None,
) -> dimod.SampleSet:
    begin = spins_by_label(bqm, initial_state, schedule)
    check_enumerable(bqm.num_variables)
    offset = spin_offset(bqm)

    def draw(structure: Structure, parameters: Parameters, num_reads: int, seed: int) -> tuple[Spins, dict[str, Any]]:
        fields = gamma_by_variable(gamma, structure)
        with control.watch(type(sampler).__name__, 1_000_000) as watch, threadpool_limits(1, "blas"):
            probabilities, of_run = _annealed(structure, parameters, fields, solve, begin, schedule.duration, watch)
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
    solve: Solve,
    begin: dict[Any, int] | None,
    duration: float,
    watch: Watch,
) -> tuple[Floats, dict[str, Any]]:
    """Return the probabilities of basis states (2**num_variables,) after an anneal, and what `info` says of it.

    Variables that no couplings join are independent: each group is annealed by itself, and groups that are alike once.
    """
    groups = _groups(structure, parameters)
    for variables in groups:
        check_open_size(len(variables))
    known: dict[Any, tuple[Floats, float | None]] = {}
    keys, num_steps, reached, stopped = [], 0, duration, False
    for number, variables in enumerate(groups):
        problem = _part(structure, parameters, variables)
        spins = None if begin is None else [begin[structure.labels[k]] for k in variables]
        key = (*(a.tobytes() for a in (problem.h, problem.J, fields[variables])), *(spins or ()))
        if key not in known:
            solver = solve(problem, fields[variables])
            rho = solver.initial_density(spins)
            if stopped:
                times, states = [0.0], [rho]
            else:
                whole = _share(watch, number, len(groups))
                times, states, stopped = solver.run(rho, np.array([duration]), whole)
            probabilities = np.maximum(states[-1].diagonal().real, 0)
            known[key] = probabilities / probabilities.sum(), solver.error
            reached, num_steps = min(reached, times[-1]), num_steps + solver.num_steps
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
    out = np.ones(1)
    for probabilities in of_groups:
        out = np.outer(out, probabilities).ravel()
    order = np.concatenate([*groups, np.empty(0, np.intp)])
    return out.reshape((2,) * len(order)).transpose(np.argsort(order)).ravel()
