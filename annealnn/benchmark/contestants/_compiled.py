"""Our samplers by the learner's door: what a problem needs is made once, and only reads are timed."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, final

from annealnn.benchmark._contestant import Contestant, Hardware, Run, TimeSplit
from annealnn.benchmark.contestants._cpu import cpu, plain_info, whole_effort
from annealnn.benchmark.contestants._dimod import TRIANGLE
from annealnn.exceptions import ProblemRefusedError
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.samplers import CompiledSampler


class Prepared(NamedTuple):
    """A sampler as it is set for one problem."""

    compile: Callable[[int | None], CompiledSampler]  #: of an effort, in sweeps; None is its default
    info: dict[str, Any]  #: settings, given or chosen for the problem


# (structure, parameters in Eq. (1)'s sign) -> the sampler as set for this problem
Prepare: TypeAlias = Callable[[Structure, Parameters], Prepared]


@final
class CompiledContestant(Contestant):
    """A sampler of this package, prepared once for each problem.

    The seconds of a first call, in which kernels are loaded or compiled, are the client's: each problem is met with a
    read of one sweep that is not counted. So are those of seeding the reads, as in the times that dwave-samplers tell.

    Parameters
    ----------
    prepare : callable
    version : str
    effort_name : str
        "num_sweeps", or "" if there is no effort to choose.
    num_cores : int

    Raises
    ------
    ValueError
        If a setting breaks the sampler's rule: seen on a triangle.
    """

    def __init__(self, prepare: Prepare, *, version: str, effort_name: str = "num_sweeps", num_cores: int = 1) -> None:
        self.effort_name = effort_name
        self._prepare, self._version, self._num_cores = prepare, version, num_cores
        self._problem: tuple[IsingModel, Prepared] | None = None
        self._prepared_for(TRIANGLE)

    @property
    def hardware(self) -> Hardware:
        """The processor of this machine."""
        return cpu(self._num_cores, self.power_w)

    @property
    def version(self) -> str:
        """Release of this package."""
        return self._version

    def run(self, model: IsingModel, *, effort: float | None, num_reads: int, seed: int) -> Run:
        """Draw reads; see `Contestant.run`.

        Raises
        ------
        ProblemRefusedError
            If the sampler does not take the problem.
        ValueError
            If the effort is no whole number.
        """
        counted = whole_effort(self.effort_name, effort)
        begun = time.perf_counter()
        try:
            prepared = self._prepared_for(model)
            sampler = prepared.compile(counted)
        except ValueError as error:
            raise ProblemRefusedError(str(error)) from error
        start = sampler.init(num_reads, seed)
        ready = time.perf_counter()
        step = sampler.step(model.parameters, start)
        sampled = time.perf_counter()
        spins = sampler.reads(step.state) if step.spins is None else step.spins
        energies = model.energy(spins)
        timing = TimeSplit(
            client_s=ready - begun, annealing_s=sampled - ready, postprocessing_s=time.perf_counter() - sampled
        )
        return Run(spins, energies, timing, plain_info(prepared.info))

    def _prepared_for(self, model: IsingModel) -> Prepared:
        if self._problem is None or (self._problem[0] is not model and self._problem[0] != model):
            prepared = self._prepare(model.structure, model.parameters)
            first = prepared.compile(1 if self.effort_name else None)
            if self.effort_name:
                first.step(model.parameters, first.init(1, 0))
            self._problem = model, prepared
        return self._problem[1]
