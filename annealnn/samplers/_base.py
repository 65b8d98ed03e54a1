"""What the package's samplers share: advertised parameters, and one shape of `info`."""

import inspect
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import dimod

from annealnn._rng import resolve_seed
from annealnn._validation import check_count
from annealnn._version import __version__
from annealnn.models import Parameters, Structure, terms_of_bqm
from annealnn.samplers._compiled import CompiledSampler, Want
from annealnn.typing import Spins


class AnnealSampler(dimod.Sampler):
    """Abstract: `parameters` comes from `sample`'s signature, so the two cannot drift apart."""

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Keywords that `sample` takes."""
        signature = inspect.signature(self.sample).parameters.values()
        return {p.name: [] for p in signature if p.kind is p.KEYWORD_ONLY}

    @property
    def properties(self) -> dict[str, Any]:
        """What is known of the sampler: `distribution` is "boltzmann" if reads follow exp(-beta E), else None."""
        return {"distribution": None}

    @abstractmethod
    def compile(self, structure: Structure, *, want: Want = "spins") -> CompiledSampler:
        """Return the sampler bound to a structure, for learners."""


def sample_bqm(
    sampler: AnnealSampler,
    bqm: dimod.BinaryQuadraticModel,
    *,
    draw: Callable[[Structure, Parameters, int, int], tuple[Spins, dict[str, Any]]],
    num_reads: int,
    seed: int | None,
) -> dimod.SampleSet:
    """Return the sample set of `draw(structure, parameters, num_reads, seed) -> spins, info`."""
    started = time.perf_counter()
    check_count("num_reads", num_reads)
    used = resolve_seed(None if seed is None else check_count("seed", seed, minimum=0))
    structure, parameters, _ = terms_of_bqm(bqm)
    ready = time.perf_counter()
    spins, info = draw(structure, parameters, num_reads, used)
    sampled = time.perf_counter()
    labels = list(structure.labels)
    samples = dimod.SampleSet.from_samples_bqm((spins, labels), bqm.spin if labels else bqm)
    out = samples.change_vartype(bqm.vartype, inplace=False)
    out.info.update(
        seed=used,
        beta=None,
        gamma=None,
        schedule=None,
        num_sweeps=None,
        timing={
            "preprocess_s": ready - started,
            "sample_s": sampled - ready,
            "postprocess_s": time.perf_counter() - sampled,
        },
        sampler={"name": type(sampler).__name__, "version": __version__},
    )
    out.info.update(info)
    return out
