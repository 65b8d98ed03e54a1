"""Gibbs sampling at one temperature."""

from typing import Any, final

import dimod
import numpy as np

from annealnn._validation import check_count, check_number
from annealnn.models import Parameters, Structure
from annealnn.samplers._base import AnnealSampler
from annealnn.samplers._compiled import CompiledSampler, Want
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
        num_reads: int = 1,
        num_sweeps: int = 1000,
        beta: float = 1.0,
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
        beta : float
            Inverse temperature, 1/energy.
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
            compiled = self.compile(structure, num_sweeps=num_sweeps, beta=beta, num_threads=num_threads)
            step = compiled.step(parameters, compiled.init(num_reads, seed))
            return step.state.spins, {}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps, beta=beta)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_sweeps: int = 1,
        beta: float = 1.0,
        num_threads: int | None = None,
    ) -> CompiledSampler:
        """Return persistent particles over `structure`: each step runs `num_sweeps` more sweeps on them."""
        check_count("num_sweeps", num_sweeps)
        check_number("beta", beta, low=0.0)
        return CompiledSweeps(
            structure,
            metropolis=False,
            betas=np.full(num_sweeps, float(beta)),
            fresh=False,
            want=want,
            num_threads=num_threads,
        )
