"""What the package's composites share: the child's keywords and properties, seeds, and one shape of `info`."""

import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import dimod
import numpy as np

from annealnn._rng import resolve_seed
from annealnn._validation import check_count
from annealnn._version import __version__
from annealnn.models import IsingModel
from annealnn.typing import AnyArray

_COLUMNS = ("sample", "energy", "num_occurrences")


class Reads(NamedTuple):
    """What a child drew."""

    values: AnyArray  # (num_reads, num_variables), in the form and order of the problem that it was given
    vectors: dict[str, AnyArray]  # further columns of its sample set, (num_reads, ...) each
    calls: list[dict[str, Any]]  # its `info`, one for each call


# (the problem in Eq. (1)'s sign, keywords for the child) -> reads of the problem, what to add to info
DrawThrough: TypeAlias = Callable[[IsingModel, dict[str, Any]], tuple[Reads, dict[str, Any]]]


class AnnealComposite(dimod.ComposedSampler):
    """Abstract: `parameters` are `sample`'s own keywords and the child's, so they cannot drift apart.

    A composite writes `sample` with its own keywords only and `**kwargs` for the child, and hands `sample_with` a
    function that draws through `ask_child`.

    Parameters
    ----------
    child : dimod.Sampler

    Raises
    ------
    TypeError
        If the child is no dimod sampler.
    """

    def __init__(self, child: dimod.Sampler) -> None:
        if not isinstance(child, dimod.Sampler):
            msg = f"a composite stands over a dimod.Sampler; got {child!r}. Open a SamplerSpec first: `spec.open()`"
            raise TypeError(msg)
        self._child = child

    @property
    def children(self) -> list[dimod.Sampler]:
        """The child, in a list."""
        return [self._child]

    @property
    def parameters(self) -> dict[str, Any]:
        """Keywords that `sample` takes, and those that it passes to the child."""
        signature = inspect.signature(self.sample).parameters.values()
        return {**self.child.parameters, **{p.name: [] for p in signature if p.kind is p.KEYWORD_ONLY}}

    @property
    def properties(self) -> dict[str, Any]:
        """`child_properties`, and `distribution`: "boltzmann" if reads follow exp(-beta E), else None."""
        return {"child_properties": dict(self.child.properties), "distribution": None}

    @property
    def nodelist(self) -> list[Any]:
        """The qubits of a structured child; AttributeError over any other."""
        return list(self.child.nodelist)

    @property
    def edgelist(self) -> list[Any]:
        """The couplers of a structured child; AttributeError over any other."""
        return list(self.child.edgelist)

    def sample_with(
        self, draw: DrawThrough, bqm: dimod.BinaryQuadraticModel, keywords: Mapping[str, Any]
    ) -> dimod.SampleSet:
        """Return the sample set of what `draw` draws, in the problem's own form and order, with the package's `info`.

        Parameters
        ----------
        draw : (model, keywords) -> (reads, info)
            The model is the problem in Eq. (1)'s sign; info is added to that of all composites.
        bqm : dimod.BinaryQuadraticModel
        keywords : mapping
            For the child. A seed that is None or missing is drawn where one is taken.

        Raises
        ------
        ValueError
            If `num_reads` or `seed` is no such number or a bias is not finite; before anything is drawn.
        """
        started = time.perf_counter()
        asked = dict(keywords)
        if asked.get("num_reads") is not None:
            check_count("num_reads", asked["num_reads"])
        if "seed" in self.parameters:
            given = asked.get("seed")
            # a fresh one has 31 bits: dwave-samplers take no more
            asked["seed"] = resolve_seed(None) >> 32 if given is None else check_count("seed", given, minimum=0)
        model = IsingModel.from_bqm(bqm)
        ready = time.perf_counter()
        reads, info = draw(model, asked)
        sampled = time.perf_counter()
        out = dimod.SampleSet.from_samples(
            (reads.values, bqm.variables),
            energy=bqm.energies((reads.values, bqm.variables)) if len(reads.values) else [],
            vartype=bqm.vartype,
            sort_labels=False,
            **reads.vectors,
        )
        calls = [_plain(call) for call in reads.calls]
        counted = [call for call in calls if not _is_unfinished(call, calls)]
        out.info.update(
            seed=asked.get("seed") if "seed" in self.child.parameters else None,
            beta=_agreed(counted, "beta"),
            gamma=_agreed(counted, "gamma"),
            schedule=_agreed(counted, "schedule"),
            num_sweeps=_agreed(counted, "num_sweeps"),
            timing={
                "preprocess_s": ready - started,
                "sample_s": sampled - ready,
                "postprocess_s": time.perf_counter() - sampled,
            },
            sampler={"name": type(self).__name__, "version": __version__},
            calls=calls,
        )
        if any("interrupted" in call for call in calls):
            out.info["interrupted"] = any(bool(call.get("interrupted")) for call in calls)
        out.info.update(info)
        return out

    def ask_child(self, problems: Iterable[tuple[dimod.BinaryQuadraticModel, Mapping[str, Any]]]) -> list[Reads]:
        """Return the child's reads of each (problem, keywords). All are submitted before the first is waited for.

        After a call whose `info` says that it was interrupted no further one is made: there are fewer reads than
        problems then. The interrupted call's own reads are left out, its `info` kept, if they made fewer sweeps than
        those of the calls before.
        """
        asked = []
        for bqm, keywords in problems:
            samples = self.child.sample(bqm, **keywords)
            asked.append((bqm, samples))
            # a device's answer is not waited for; it says of no interrupt
            if samples.done() and samples.info.get("interrupted"):
                break
        reads = [_reads_of(samples, bqm) for bqm, samples in asked]
        calls = [call for part in reads for call in part.calls]
        return [_emptied(part) if _is_unfinished(part.calls[0], calls) else part for part in reads]


def _reads_of(samples: dimod.SampleSet, bqm: dimod.BinaryQuadraticModel) -> Reads:
    """Return a sample set's reads, merged ones unfolded to one row each."""
    samples = samples.change_vartype(bqm.vartype, inplace=False)
    record, columns = samples.record, [samples.variables.index(v) for v in bqm.variables]
    rows = np.repeat(np.arange(len(record)), record.num_occurrences)
    vectors = {name: record[name][rows] for name in record.dtype.names if name not in _COLUMNS}
    values = record.sample[np.ix_(rows, np.array(columns, dtype=np.intp))]
    return Reads(np.ascontiguousarray(values, dtype=np.int8), vectors, [dict(samples.info)])


def _is_unfinished(call: Mapping[str, Any], calls: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a call was interrupted before its reads made the sweeps that those of another call made."""
    whole = [other for other in calls if not other.get("interrupted")]
    return bool(whole and call.get("interrupted")) and call.get("num_sweeps") != whole[0].get("num_sweeps")


def _emptied(reads: Reads) -> Reads:
    return Reads(reads.values[:0], {name: column[:0] for name, column in reads.vectors.items()}, reads.calls)


def _agreed(calls: list[dict[str, Any]], key: str) -> Any:
    """Return what all calls say, or None."""
    said = [call.get(key) for call in calls]
    return said[0] if said and all(value == said[0] for value in said) else None


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it; what it cannot is spelled out."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else repr(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return repr(value)
