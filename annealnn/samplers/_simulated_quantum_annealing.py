"""Simulated quantum annealing: path-integral Monte Carlo while the transverse field goes down."""

from typing import Any, Literal, TypeAlias, final, get_args

import dimod
import numpy as np

from annealnn._memory import check_memory
from annealnn._validation import check_choice, check_count, check_number, check_pair
from annealnn.models import Parameters, Structure
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._compiled import Want
from annealnn.samplers._control import Interrupt, Progress, RunControl
from annealnn.samplers._worldlines import CompiledWorldlines
from annealnn.typing import Floats, Spins

GammaInterpolation: TypeAlias = Literal["linear", "geometric"]


@final
class SimulatedQuantumAnnealingSampler(AnnealSampler):
    """Worldlines at a low temperature while the transverse field gamma goes down (Martonak, Santoro & Tosatti 2002).

    A read is slice 0 at the end. It has low energy, but reads do not follow a Boltzmann distribution, and the dynamics
    are those of Monte Carlo, not of a quantum processor.
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        num_sweeps: int = 1000,
        beta: float | None = None,
        gamma_range: tuple[float, float] | None = None,
        gamma_interpolation: GammaInterpolation = "linear",
        num_slices: int = 16,
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
        num_sweeps : int
            Of each read, from its own random start.
        beta : float, optional
            Inverse temperature, 1/energy. If None, `num_slices` times the inverse of the problem's typical local
            field.
        gamma_range : (start, stop), optional
            Transverse fields of the first and last sweep, energy units; if None, from the typical local field
            to a hundredth of it.
        gamma_interpolation : "linear" or "geometric"
        num_slices : int
            Of imaginary time.
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
            One row for each read. `info` holds what shaped them; after an interrupt see `GibbsSampler.sample`.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        TypeError
            If `interrupt_function` cannot be called.
        MemoryError
            If the worldlines would not fit in memory.
        """
        self.remove_unknown_kwargs(**kwargs)
        control = RunControl(progress, interrupt_function)

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            field = typical_field(structure, parameters)
            cold = num_slices / field if beta is None else beta
            start, stop = (field, field / 100) if gamma_range is None else gamma_range
            compiled = self.compile(
                structure,
                num_sweeps=num_sweeps,
                beta=cold,
                gamma_range=(start, stop),
                gamma_interpolation=gamma_interpolation,
                num_slices=num_slices,
                num_threads=num_threads,
            )
            check_memory(
                f"Worldlines of {num_reads:,} reads, {structure.num_variables:,} variables and {num_slices} slices",
                2 * num_reads * structure.num_variables * num_slices,
                "Ask for fewer reads at a time, or fewer slices",
            )
            start_state = compiled.init(num_reads, seed)
            spins, info = control.run(
                type(self).__name__,
                lambda watch: compiled.run(parameters, start_state, watch=watch),
                num_reads=num_reads,
                num_sweeps=num_sweeps,
            )
            schedule = {"gamma_range": [start, stop], "gamma_interpolation": gamma_interpolation, "beta": cold}
            # the transverse field has no one value: beta and gamma stay None
            return spins, info | {"schedule": schedule, "num_slices": num_slices}

        if gamma_range is not None:
            gamma_range = check_pair("gamma_range", gamma_range)
        if beta is not None:
            beta = check_number("beta", beta, low=0.0)
        check_count("num_slices", num_slices, minimum=2)
        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_sweeps: int = 100,
        beta: float = 1.0,
        gamma_range: tuple[float, float] = (3.0, 0.01),
        gamma_interpolation: GammaInterpolation = "linear",
        num_slices: int = 16,
        num_threads: int | None = None,
    ) -> CompiledWorldlines:
        """Return an annealer over `structure`: each step anneals fresh random worldlines along the same schedule."""
        check_count("num_sweeps", num_sweeps)
        check_number("beta", beta, low=0.0)
        return CompiledWorldlines(
            structure,
            betas=np.full(num_sweeps, float(beta)),
            ramps=_ramp(gamma_range, gamma_interpolation, num_sweeps),
            gammas=np.ones(structure.num_variables),
            num_slices=check_count("num_slices", num_slices, minimum=2),
            fresh=True,
            want=want,
            num_threads=num_threads,
        )


def _ramp(gamma_range: tuple[float, float], interpolation: GammaInterpolation, num_sweeps: int) -> Floats:
    """Return the transverse field of every sweep."""
    check_choice("gamma_interpolation", interpolation, get_args(GammaInterpolation))
    start, stop = check_pair("gamma_range", gamma_range)
    if not start >= stop >= 0 or (interpolation == "geometric" and stop == 0):
        lowest = "above 0 for a geometric ramp" if interpolation == "geometric" else "at least 0"
        msg = f"gamma_range goes down, start >= stop, {lowest}; got {gamma_range}"
        raise ValueError(msg)
    if num_sweeps == 1:
        return np.array([stop])
    space = np.linspace if interpolation == "linear" else np.geomspace
    return np.asarray(space(start, stop, num_sweeps), dtype=np.float64)


def typical_field(structure: Structure, parameters: Parameters) -> float:
    """Return the root mean square over spins of sqrt(h_i**2 + sum_j J_ij**2), or 1 if all of them are 0."""
    largest = float(max(np.abs(parameters.fields).max(initial=0.0), np.abs(parameters.couplings).max(initial=0.0)))
    if largest == 0:
        return 1.0
    # in units of the largest, whose square may be too large or too small for a float
    fields, couplings = parameters.fields / largest, parameters.couplings / largest
    squares = float((fields**2).sum() + 2 * (couplings**2).sum())
    return float(largest * (squares / structure.num_variables) ** 0.5)
