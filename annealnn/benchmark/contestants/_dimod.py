"""Any dimod sampler on this machine's processor."""

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, final

import dimod
import numpy as np
from threadpoolctl import ThreadpoolController

from annealnn._rng import child_seed
from annealnn.benchmark._contestant import Contestant, Hardware, Run, TimeSplit
from annealnn.benchmark.contestants._cpu import cpu, plain_info, whole_effort
from annealnn.exceptions import ProblemRefusedError
from annealnn.models import IsingModel, Structure, bqm_of_terms

#: without fields, and planar: every solver takes it
TRIANGLE = IsingModel([0.0, 0.0, 0.0], {(0, 1): 1.0, (1, 2): 1.0, (0, 2): -1.0})


class _Prepared(NamedTuple):
    model: IsingModel
    bqm: dimod.BinaryQuadraticModel
    keywords: dict[str, Any]


@final
class DimodContestant(Contestant):
    """A dimod sampler or solver, called as it is.

    It is called once when it is made, with an effort of 1, on a triangle without fields: a keyword that it does not
    take is told of then. A ValueError or a NotImplementedError of a later call is the problem's, which is refused.

    Seconds of sampling are the sampler's own where `info` tells them, as dwave-samplers', OpenJij's and this package's
    do; what else a call took is the client's. Where it tells nothing, all of the call counts as sampling.

    Parameters
    ----------
    sampler : dimod.Sampler
        Rows of what it answers are independent runs.
    version : str
        Library and release.
    effort_name : str
        What the effort counts, a whole number; "" if there is none to choose.
    effort_keyword : str, optional
        Keyword that takes it; `effort_name` if None.
    keywords : mapping
        Fixed keywords of its sampling.
    fitted : callable, optional
        Keywords that are chosen for each problem, from the model; those of `keywords` come first.
    reads_at_once : bool
        False: one call for each read, with a seed of its own; as for a solver that answers with one state.
    num_cores : int
        That it uses with these keywords: OpenMP and BLAS are held to it.

    Raises
    ------
    ValueError
        If it does not take a keyword, or its value.
    """

    def __init__(
        self,
        sampler: dimod.Sampler,
        *,
        version: str,
        effort_name: str = "",
        effort_keyword: str | None = None,
        keywords: Mapping[str, Any] | None = None,
        fitted: Callable[[IsingModel], Mapping[str, Any]] | None = None,
        reads_at_once: bool = True,
        num_cores: int = 1,
    ) -> None:
        self.effort_name, self._effort_keyword = effort_name, effort_keyword or effort_name
        self._sampler, self._version, self._num_cores = sampler, version, num_cores
        self._keywords, self._fitted, self._reads_at_once = dict(keywords or {}), fitted, reads_at_once
        self._known = _keywords_of(sampler)
        settings = sorted(self._known - {"bqm", "seed", "num_reads", "kwargs", self._effort_keyword})
        if unknown := [name for name in self._keywords if name not in settings]:
            msg = f"settings of {type(sampler).__name__} are {', '.join(settings) or 'none'}; got {unknown[0]!r}"
            raise ValueError(msg)
        # OpenJij and BLAS would take all cores
        self._pools = ThreadpoolController()
        self._prepared: _Prepared | None = None
        self._called(self._prepare(TRIANGLE), 1 if effort_name else None, 1, 0)

    @property
    def hardware(self) -> Hardware:
        """The processor of this machine."""
        return cpu(self._num_cores, self.power_w)

    @property
    def version(self) -> str:
        """Library and release."""
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
        prepared = self._prepare(model)
        try:
            answers, sampling_s, finishing_s = self._called(prepared, counted, num_reads, seed)
        except (ValueError, NotImplementedError) as error:
            msg = f"{type(self._sampler).__name__} does not take this problem: {error}"
            raise ProblemRefusedError(msg) from error
        spins = np.concatenate([_rows(answer, model.structure.num_variables) for answer in answers])
        energies = np.concatenate([np.repeat(a.record.energy, a.record.num_occurrences) for a in answers])
        if len(spins) != num_reads:
            msg = f"{type(self._sampler).__name__} was asked for {num_reads} reads; got {len(spins)}"
            raise RuntimeError(msg)
        spent = time.perf_counter() - begun
        timing = TimeSplit(
            client_s=max(0.0, spent - sampling_s - finishing_s), annealing_s=sampling_s, postprocessing_s=finishing_s
        )
        return Run(spins, energies.astype(np.float64), timing, plain_info({**answers[0].info, **prepared.keywords}))

    def _prepare(self, model: IsingModel) -> "_Prepared":
        """Return the problem over 0..n-1, made once: labels of any kind cost nothing, and columns have one order."""
        if self._prepared is None or (self._prepared.model is not model and self._prepared.model != model):
            structure = Structure(model.structure.num_variables, model.structure.edges)
            fitted = {} if self._fitted is None else self._fitted(model)
            bqm = bqm_of_terms(structure, model.parameters, model.offset)
            self._prepared = _Prepared(model, bqm, {**fitted, **self._keywords})
        return self._prepared

    def _called(
        self, prepared: "_Prepared", effort: int | None, num_reads: int, seed: int
    ) -> tuple[list[dimod.SampleSet], float, float]:
        """Return the answers of one or more calls, and their seconds of sampling and of postprocessing."""
        keywords = dict(prepared.keywords)
        if effort is not None:
            keywords[self._effort_keyword] = effort
        if self._reads_at_once:
            keywords["num_reads"] = num_reads
        answers, sampling_s, finishing_s = [], 0.0, 0.0
        with self._pools.limit(limits=self._num_cores):
            for number in range(1 if self._reads_at_once else num_reads):
                if "seed" in self._known:
                    # 31 bits: the libraries take no more
                    keywords["seed"] = child_seed(seed, number) & 0x7FFFFFFF
                begun = time.perf_counter()
                answer = self._sampler.sample(prepared.bqm, **keywords)
                answer.resolve()
                told = _told_s(answer.info)
                sampling_s += time.perf_counter() - begun if told is None else told[0]
                finishing_s += 0.0 if told is None else told[1]
                answers.append(answer)
        return answers, sampling_s, finishing_s


def _keywords_of(sampler: dimod.Sampler) -> set[str]:
    # OpenJij advertises some of what it takes
    return {*sampler.parameters, *inspect.signature(sampler.sample).parameters}


def _rows(answer: dimod.SampleSet, num_variables: int) -> Any:
    columns = [answer.variables.index(v) for v in range(num_variables)]
    rows = np.repeat(answer.record.sample, answer.record.num_occurrences, axis=0)
    return np.ascontiguousarray(rows[:, columns], dtype=np.int8)


def _told_s(info: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the seconds of sampling and of postprocessing that a sampler tells; None if it does not."""
    timing = info.get("timing", {})
    if "sampling_ns" in timing:
        return 1e-9 * timing["sampling_ns"], 1e-9 * timing.get("postprocessing_ns", 0)
    if "sample_s" in timing:
        return float(timing["sample_s"]), float(timing.get("postprocess_s", 0.0))
    if "list_exec_times" in info:
        return 1e-6 * float(np.sum(info["list_exec_times"])), 0.0
    return None
