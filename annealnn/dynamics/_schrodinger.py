"""An ideal annealer: the Schrodinger equation of Eq. (1), and projective reads at its end."""

from collections.abc import Sequence
from typing import Any, final

import dimod

from annealnn._parallel import Watch
from annealnn.dynamics._annealer import anneal, chosen_schedule
from annealnn.dynamics._initial import initial_amplitudes
from annealnn.dynamics._propagation import Propagator, check_qubits
from annealnn.models import IsingModel
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._control import Interrupt, Progress, RunControl
from annealnn.samplers._gamma import Gamma
from annealnn.schedules import AnnealSchedule
from annealnn.typing import Floats

_ANNEALING_TIME = 20.0


@final
class SchrodingerAnnealer(AnnealSampler):
    """Coherent annealing without noise: a state vector under Eq. (1) as it changes, read in the z basis.

    H(t) = -A(s) sum_i gamma_i X_i + B(s) E(Z). Of an anneal that is slow against the inverse square of the smallest
    gap all reads are ground states (Farhi et al. 2000). Variables that no couplings join are annealed apart, which is
    exact. 20 that hang together take 64 MiB, and seconds to minutes; see `dynamics.evolve` for what happens on the way.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.dynamics import SchrodingerAnnealer
    >>> pair = dimod.BQM({"a": -0.5}, {"ab": -1.0}, 0.0, "SPIN")
    >>> found = SchrodingerAnnealer().sample(pair, num_reads=100, annealing_time=50.0, seed=7)
    >>> found.first.sample["b"], found.info["success_probability"] > 0.99
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
        initial_state: Any = None,
        tolerance: float = 1e-6,
        seed: int | None = None,
        progress: Progress = "auto",
        interrupt_function: Interrupt | None = None,
        num_threads: int | None = None,
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
        initial_state : mapping from label to value, optional
            Of a reverse anneal: a sample in the problem's own form. A forward anneal begins with all qubits along +X.
        tolerance : float
            Of the norm of the error of the state of variables that hang together, from 1e-12 to 0.1:
            probabilities err by less than twice as much. `info["state_error"]` is that of all.
        seed : int, optional
            Of the reads. None draws a fresh one; either way it is in `info["seed"]`.
        progress : "auto", bool or callable
            "auto" shows a bar on terminals and in notebooks once the run has lasted a second. A callable is called as
            `progress(done, total)`, in millionths of the anneal.
        interrupt_function : callable, optional
            Asked about ten times a second, after every step near 20 variables; True ends the anneal, and the state is
            read as it stands.
        num_threads : int, optional
            All processors if None, from 16 qubits on. Reads do not depend on it.

        Returns
        -------
        dimod.SampleSet
            One row for each read. `info` holds what shaped them; `success_probability`, the probability of a ground
            state of the problem; `energy`, the mean; `populations` of the problem's four lowest levels; `state_error`,
            an estimate of the norm of the state's error, on the large side; and `interrupted`, with the `time_reached`.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        TypeError
            If `schedule` is no AnnealSchedule, or `interrupt_function` cannot be called.
        MemoryError
            If the state does not fit in memory; before it is allocated.
        """
        self.remove_unknown_kwargs(**kwargs)
        chosen = chosen_schedule(annealing_time, schedule, _ANNEALING_TIME)
        drive = chosen.drive()

        def start(problem: IsingModel, fields: Floats) -> _CoherentAnneal:
            propagator = Propagator(problem, fields, drive, tolerance=tolerance, num_threads=num_threads)
            return _CoherentAnneal(problem, propagator)

        return anneal(
            self,
            bqm,
            start,
            check_size=check_qubits,
            info={},
            schedule=chosen,
            gamma=gamma,
            initial_state=initial_state,
            control=RunControl(progress, interrupt_function),
            num_reads=num_reads,
            seed=seed,
        )


@final
class _CoherentAnneal:
    """The state vector of a few qubits on its way through a schedule."""

    def __init__(self, problem: IsingModel, propagator: Propagator) -> None:
        self._problem, self._propagator = problem, propagator

    @property
    def time(self) -> float:
        return self._propagator.time

    @property
    def num_steps(self) -> int:
        return self._propagator.num_steps

    @property
    def error(self) -> float | None:
        return self._propagator.error

    def begin(self, spins: Sequence[int] | None) -> None:
        self._propagator.begin(initial_amplitudes(self._problem, spins))

    def run(self, watch: Watch) -> bool:
        end = self._propagator.duration
        return self._propagator.advance(end, lambda time: watch(time / end))

    def probabilities(self) -> Floats:
        return self._propagator.probabilities().copy()
