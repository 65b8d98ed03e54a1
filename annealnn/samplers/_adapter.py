"""The learner's door for any dimod sampler, a processor included."""

import inspect
from typing import Any, final

import dimod
import numpy as np

from annealnn.models import Clamp, Parameters, Structure, bqm_of_terms
from annealnn.samplers._base import HasLearnersDoor
from annealnn.samplers._clamps import distinct_rows
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._reuse import ReusingSampler
from annealnn.typing import Spins


def compile_sampler(
    sampler: dimod.Sampler, structure: Structure, *, want: Want = "spins", reuse_steps: int = 1, **parameters: Any
) -> CompiledSampler:
    """Return `sampler` bound to `structure`; `parameters` are fixed keywords of its sampling.

    With `reuse_steps` above 1 it is a `ReusingSampler`: reads serve so many steps.

    Raises
    ------
    ValueError
        If the sampler does not take one of `parameters`, or gives no reads on demand.
    """
    if reuse_steps != 1:
        return ReusingSampler(compile_sampler(sampler, structure, want=want, **parameters), reuse_steps)
    if isinstance(sampler, HasLearnersDoor):
        taken = inspect.signature(sampler.compile).parameters
        known = list(taken)[2:]
        # a composite passes what it does not know on to its child, which checks it
        passes_on = any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())
        if not passes_on and (unknown := [name for name in parameters if name not in known]):
            msg = f"{type(sampler).__name__} takes {', '.join(known)} when learners sample; got {unknown[0]!r}"
            raise ValueError(msg)
        return sampler.compile(structure, want=want, **parameters)
    return CompiledDimod(sampler, structure, want=want, parameters=parameters)


@final
class CompiledDimod(CompiledSampler):
    """Any dimod sampler, called once a step (once for every distinct clamped row).

    Where the sampler takes them: a seed is drawn from the state for each call, reads come one to a row
    (`answer_mode="raw"`), the problem is not rescaled (`auto_scale=False`), no progress is shown (`progress=False`),
    and an annealer ends at beta 1 (`beta_range=(0.1, 1.0)`) unless told otherwise. A call whose `info` says that it was
    interrupted raises KeyboardInterrupt.
    """

    def __init__(self, sampler: dimod.Sampler, structure: Structure, *, want: Want, parameters: dict[str, Any]) -> None:
        super().__init__(structure, want)
        if unknown := [name for name in parameters if name not in sampler.parameters]:
            msg = f"{type(sampler).__name__} takes {', '.join(sampler.parameters)}; got {unknown[0]!r}"
            raise ValueError(msg)
        if "num_reads" not in sampler.parameters:
            msg = (
                f"learners ask a sampler for num_reads independent reads; {type(sampler).__name__} takes no num_reads. "
                "For exact moments use 'exact'"
            )
            raise ValueError(msg)
        check_graph(sampler, structure)
        # without a fixed range an annealer fits its temperatures to each problem, and no parameters could be learned
        defaults: dict[str, Any] = {"answer_mode": "raw", "auto_scale": False, "progress": False}
        if "beta_schedule" not in parameters:
            defaults["beta_range"] = (0.1, 1.0)
        self._sampler = sampler
        self._parameters = {k: v for k, v in defaults.items() if k in sampler.parameters} | parameters

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Call the sampler; reads come back in the structure's order of variables."""
        bqm = bqm_of_terms(self.structure, parameters)
        streams = state.streams.copy()
        if clamp is None:
            spins, info = self._reads(bqm, len(state.spins), int(streams[0, 0] >> np.uint32(1)))
        else:
            spins, info = state.spins.copy(), {}
            labels = self.structure.labels
            for mine, held, row in distinct_rows(clamp):
                rest = bqm.copy()
                rest.fix_variables({labels[v]: int(s) for v, s in zip(held, row, strict=True)})
                free = np.setdiff1d(np.arange(self.structure.num_variables), held)
                spins[np.ix_(mine, held)] = row
                if len(free):
                    drawn, info = self._reads(rest, len(mine), int(streams[mine[0], 0] >> np.uint32(1)), free)
                    spins[np.ix_(mine, free)] = drawn
        # move every stream on, so that the next step asks with another seed
        streams += np.uint32(0x9E3779B9)
        moments = self.structure.moments_of(spins) if self.want == "moments" else None
        return Step(SamplerState(spins, streams), spins, moments, info)

    def _reads(
        self, bqm: dimod.BinaryQuadraticModel, num_reads: int, seed: int, variables: Any = None
    ) -> tuple[Spins, dict[str, Any]]:
        keywords = self._parameters | {"num_reads": num_reads}
        if "seed" in self._sampler.parameters:
            keywords["seed"] = seed
        samples = self._sampler.sample(bqm, **keywords)
        if any(info.get("interrupted") for info in (samples.info, *samples.info.get("calls", []))):
            # what was drawn is no step; whoever learns is to hear of the interrupt
            raise KeyboardInterrupt
        wanted = self.structure.labels if variables is None else [self.structure.labels[v] for v in variables]
        columns = [samples.variables.index(label) for label in wanted]
        rows = np.repeat(samples.record.sample, samples.record.num_occurrences, axis=0)[:, columns]
        if len(rows) != num_reads:
            msg = f"{type(self._sampler).__name__} was asked for {num_reads} reads; got {len(rows)}"
            raise RuntimeError(msg)
        return np.ascontiguousarray(rows, dtype=np.int8), dict(samples.info)


def check_graph(sampler: dimod.Sampler, structure: Structure) -> None:
    """Check that a sampler with a graph of its own can take problems on `structure`.

    Raises
    ------
    ValueError
        Naming a variable or an edge that is not in the sampler's graph.
    """
    if not isinstance(sampler, dimod.Structured):
        return
    labels, adjacency = structure.labels, sampler.adjacency
    missing: list[Any] = [v for v in labels if v not in adjacency]
    missing = missing or [(labels[i], labels[j]) for i, j in structure.edges if labels[j] not in adjacency[labels[i]]]
    if missing:
        msg = (
            f"{type(sampler).__name__} takes problems on its own graph of {len(adjacency)} qubits, which has no "
            f"{missing[0]!r}. Embed the problem in it (EmbeddedBoltzmannMachine), or wrap the sampler in an embedding "
            "composite: SamplerSpec.qpu(embedding='find') of a processor"
        )
        raise ValueError(msg)
