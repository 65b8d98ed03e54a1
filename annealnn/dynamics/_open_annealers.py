"""Noisy annealers: an open system annealed once, and projective reads at its end."""

from collections.abc import Sequence
from typing import Any, final

import dimod
import numpy as np
from threadpoolctl import threadpool_limits

from annealnn._parallel import Watch
from annealnn._validation import check_number
from annealnn.dynamics._annealer import anneal, chosen_schedule
from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._dephasing import Dephasing
from annealnn.dynamics._master_equation import MasterEquation
from annealnn.dynamics._open import OpenSolver, check_open_size
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._control import Interrupt, Progress, RunControl
from annealnn.samplers._gamma import Gamma
from annealnn.schedules import AnnealSchedule
from annealnn.typing import Floats

_ANNEALING_TIME = 20.0


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
            If an argument breaks its rule, or more than 8 variables hang together.
        TypeError
            If `schedule` is no AnnealSchedule, `bath` no OhmicBath, or `interrupt_function` cannot be called.
        MemoryError
            If a very degenerate problem's generator, or the probabilities of all states, would not fit in memory.
        """
        self.remove_unknown_kwargs(**kwargs)
        chosen = chosen_schedule(annealing_time, schedule, _ANNEALING_TIME)
        drive, around = chosen.drive(), _chosen_bath(bath, chosen)
        return anneal(
            self,
            bqm,
            lambda problem, fields: _OpenAnneal(
                MasterEquation(problem, drive, around, gamma=fields, tolerance=tolerance)
            ),
            check_size=check_open_size,
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
            If an argument breaks its rule, or more than 8 variables hang together.
        TypeError
            If `schedule` is no AnnealSchedule, or `interrupt_function` cannot be called.
        MissingDependencyError
            If QuTiP is not installed.
        """
        self.remove_unknown_kwargs(**kwargs)
        chosen = chosen_schedule(annealing_time, schedule, _ANNEALING_TIME)
        drive, rate = chosen.drive(), check_number("dephasing_rate", dephasing_rate, low=0.0)
        return anneal(
            self,
            bqm,
            lambda problem, fields: _OpenAnneal(Dephasing(problem, drive, rate, gamma=fields, tolerance=tolerance)),
            check_size=check_open_size,
            info={"dephasing_rate": rate},
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


@final
class _OpenAnneal:
    """The density matrix of a few qubits on its way through a schedule."""

    def __init__(self, solver: OpenSolver) -> None:
        self._solver, self.time = solver, 0.0

    @property
    def num_steps(self) -> int:
        return self._solver.num_steps

    @property
    def error(self) -> float | None:
        return self._solver.error

    def begin(self, spins: Sequence[int] | None) -> None:
        self._rho = self._solver.initial_density(spins)

    def run(self, watch: Watch) -> bool:
        end = np.array([self._solver.drive.duration])
        with threadpool_limits(1, "blas"):
            times, states, stopped = self._solver.run(self._rho, end, watch)
        self.time, self._rho = times[-1], states[-1]
        return stopped

    def probabilities(self) -> Floats:
        found = np.maximum(self._rho.diagonal().real, 0)
        return np.asarray(found / found.sum())
