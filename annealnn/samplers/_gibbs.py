"""Gibbs sampling at one temperature."""

from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_choice, check_count, check_number
from annealnn.models import Parameters, Structure
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._compiled import CompiledSampler, Want
from annealnn.samplers._control import Interrupt, Progress, RunControl
from annealnn.samplers._energy_record import EnergyRecord
from annealnn.samplers._initial_states import InitialStates, InitialStatesGenerator
from annealnn.samplers._sweeps import CompiledSweeps
from annealnn.typing import Spins


@final
class GibbsSampler(AnnealSampler):
    """Heat-bath sweeps at inverse temperature beta, every read from its own random start.

    Reads approach P(s) proportional to exp(-beta E(s)) as `num_sweeps` grows (Geman & Geman 1984).

    Examples
    --------
    >>> import dimod
    >>> from annealnn import GibbsSampler
    >>> GibbsSampler().sample(dimod.BQM({"a": 1.0}, {}, 0.0, "SPIN"), num_reads=3, seed=7).info["seed"]
    7
    """

    @property
    def properties(self) -> dict[str, Any]:
        """`distribution` is "boltzmann"."""
        return {"distribution": "boltzmann"}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        num_sweeps: int = 1000,
        beta: float = 1.0,
        seed: int | None = None,
        initial_states: Any = None,
        initial_states_generator: InitialStatesGenerator = "random",
        randomize_order: bool = False,
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
        num_reads : int, optional
            If None, as many as there are initial states, else 1.
        num_sweeps : int
            Of each read, from its own start.
        beta : float
            Inverse temperature, 1/energy.
        seed : int, optional
            None draws a fresh one; either way it is in `info["seed"]`.
        initial_states : anything that `dimod.as_samples` takes, optional
            Where reads begin: a row for each, spins or bits, columns by label. Rows beyond `num_reads` are left out.
        initial_states_generator : "none", "tile" or "random"
            What reads without a row begin with: an error, the given rows again, or random spins.
        randomize_order : bool
            Each update is of a variable drawn at random, the same for 32 reads; else sweeps go through the variables in
            order.
        diagnose : bool
            Record energies along the sweeps, and put the verdict of `diagnostics.thermalisation` in
            `info["thermalisation"]`. It changes no read. It takes the time of up to one more sweep for each.
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
        check_count("num_sweeps", num_sweeps)
        control = RunControl(progress, interrupt_function)
        starts = InitialStates(bqm, initial_states, initial_states_generator, num_reads)
        check_choice("randomize_order", randomize_order, [True, False])
        check_choice("diagnose", diagnose, [True, False])

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            compiled = _compiled(structure, num_sweeps, beta, randomize_order=randomize_order, num_threads=num_threads)
            state = starts.put(compiled.init(num_reads, seed))
            record = EnergyRecord(num_reads, num_sweeps) if diagnose else None
            spins, info = control.run(
                type(self).__name__,
                lambda watch: compiled.run(parameters, state, watch=watch, record=record),
                num_reads=num_reads,
                num_sweeps=num_sweeps,
            )
            if record is not None:
                one_level = not (parameters.fields.any() or parameters.couplings.any())
                info["thermalisation"] = record.verdict(info.get("num_sweeps", num_sweeps), one_level=one_level)
            return spins, info

        return self.sample_with(draw, bqm, num_reads=starts.num_reads, seed=seed, num_sweeps=num_sweeps, beta=beta)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_sweeps: int = 1,
        beta: float = 1.0,
        randomize_order: bool = False,
        num_threads: int | None = None,
    ) -> CompiledSampler:
        """Return persistent particles over `structure`: each step runs `num_sweeps` more sweeps on them."""
        check_count("num_sweeps", num_sweeps)
        check_number("beta", beta, low=0.0)
        check_choice("randomize_order", randomize_order, [True, False])
        return _compiled(
            structure, num_sweeps, beta, randomize_order=randomize_order, want=want, num_threads=num_threads
        )


def _compiled(
    structure: Structure,
    num_sweeps: int,
    beta: float,
    *,
    randomize_order: bool,
    want: Want = "spins",
    num_threads: int | None,
) -> CompiledSweeps:
    return CompiledSweeps(
        structure,
        metropolis=False,
        betas=np.full(num_sweeps, float(beta)),
        fresh=False,
        at_random=randomize_order,
        want=want,
        num_threads=num_threads,
    )
