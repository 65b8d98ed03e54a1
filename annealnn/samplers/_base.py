"""What the package's samplers share: advertised parameters, seeds, and one shape of `info`."""

import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeAlias, runtime_checkable

import dimod
import numpy as np

from annealnn._memory import check_memory
from annealnn._rng import resolve_seed
from annealnn._validation import check_count, check_number
from annealnn._version import __version__
from annealnn.models import Parameters, Structure, dimod_terms, terms_of_bqm
from annealnn.samplers._compiled import CompiledSampler, Want
from annealnn.samplers._tiles import Tiles
from annealnn.typing import Spins

# memory of a read, whatever its size: its stream before and after, its energy; and of each of its spins: before and
# after, on the way into the sample set, and there
_READ_BYTES, _SPIN_BYTES = 64, 4

# (structure, parameters in Eq. (1)'s sign, num_reads, seed) -> spins (num_reads, num_variables), what to add to info
Draw: TypeAlias = Callable[[Structure, Parameters, int, int], tuple[Spins, dict[str, Any]]]


class AnnealSampler(dimod.Sampler):
    """Abstract: `parameters` comes from `sample`'s signature, so the two cannot drift apart.

    A sampler writes `sample` with keywords only after the problem, and hands `sample_with` a function that draws.
    """

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Keywords that `sample` takes."""
        signature = inspect.signature(self.sample).parameters.values()
        return {p.name: [] for p in signature if p.kind is p.KEYWORD_ONLY}

    @property
    def properties(self) -> dict[str, Any]:
        """What is known of the sampler: `distribution` is "boltzmann" if reads follow exp(-beta E), else None."""
        return {"distribution": None}

    def sample_with(
        self,
        draw: Draw,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int,
        seed: int | None,
        num_sweeps: int | None = None,
        beta: float | None = None,
    ) -> dimod.SampleSet:
        """Return the sample set of what `draw` draws, in the problem's own form, with the package's `info`.

        Parameters
        ----------
        draw : (structure, parameters, num_reads, seed) -> (spins, info)
            Parameters have Eq. (1)'s sign; spins are (num_reads, num_variables); info is added to that of all samplers.
        bqm : dimod.BinaryQuadraticModel
        num_reads : int
        seed : int or None
            None draws a fresh one; `info["seed"]` holds the seed that was used.
        num_sweeps : int, optional
            What to check and to put in `info`; None for a sampler without sweeps.
        beta : float, optional
            What to check and to put in `info`; None for a sampler without one temperature.

        Raises
        ------
        ValueError
            If an argument is no such number; before anything is drawn.
        MemoryError
            If the reads would not fit in memory; before anything is drawn.
        """
        started = time.perf_counter()
        check_count("num_reads", num_reads)
        if num_sweeps is not None:
            check_count("num_sweeps", num_sweeps)
        if beta is not None:
            beta = check_number("beta", beta, low=0.0)
        used = resolve_seed(None if seed is None else check_count("seed", seed, minimum=0))
        structure, parameters, offset = terms_of_bqm(bqm)
        check_memory(
            f"{num_reads:,} reads of {structure.num_variables:,} variables",
            _READ_BYTES * num_reads + _SPIN_BYTES * num_reads * structure.num_variables,
            "Ask for fewer reads at a time, each call with a seed of its own",
        )
        ready = time.perf_counter()
        spins, info = draw(structure, parameters, num_reads, used)
        sampled = time.perf_counter()
        out = sample_set(structure, parameters, offset, spins, bqm.vartype)
        out.info.update(
            seed=used,
            beta=beta,
            gamma=None,
            schedule=None,
            num_sweeps=num_sweeps,
            timing={
                "preprocess_s": ready - started,
                "sample_s": sampled - ready,
                "postprocess_s": time.perf_counter() - sampled,
            },
            sampler={"name": type(self).__name__, "version": __version__},
        )
        out.info.update(info)
        return out


def sample_set(
    structure: Structure, parameters: Parameters, offset: float, spins: Spins, vartype: dimod.Vartype
) -> dimod.SampleSet:
    """Return dimod's sample set of spins (num_reads, num_variables), variables sorted as dimod does where they can be.

    Energies are those of Eq. (1)'s parameters plus the offset, in float64.
    """
    linear, quadratic = dimod_terms(parameters)
    heads, tails = structure.ends
    tiles = Tiles(spins, np.zeros((len(spins), 4), np.uint32))
    energies = tiles.exact_energies(linear, heads, tails, quadratic)
    labels: list[Any] = list(structure.labels)
    with suppress(TypeError):  # labels of several kinds have no order, and stay as they are
        order = sorted(range(len(labels)), key=lambda k: labels[k])
        if order != list(range(len(labels))):
            labels, spins = [labels[k] for k in order], np.take(spins, order, axis=1)
    samples = spins if vartype is dimod.SPIN else (spins > 0).astype(np.int8)
    return dimod.SampleSet.from_samples((samples, labels), vartype, energies + offset, sort_labels=False)


@runtime_checkable
class HasLearnersDoor(Protocol):
    """A sampler with a learner's door of its own; others are adapted."""

    def compile(self, structure: Structure, *, want: Want = "spins") -> CompiledSampler:
        """Return the sampler bound to a structure."""
