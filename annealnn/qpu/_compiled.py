"""The learner's door of a processor."""

from typing import Any, NamedTuple, final

import numpy as np

from annealnn.models import Clamp, Parameters, Structure, dimod_terms
from annealnn.qpu._batch import Batch
from annealnn.qpu._ranges import Problem
from annealnn.samplers import CompiledSampler, SamplerState, Step
from annealnn.samplers._clamps import distinct_rows
from annealnn.samplers._compiled import Want
from annealnn.typing import Bools, Floats, Indices, Spins, Words

_AGE = "age"  # steps that the reads of a state have served
_NEXT = np.uint32(0x9E3779B9)


class _Free(NamedTuple):
    """The part of the graph that a clamp leaves free."""

    variables: Indices  #: (num_free,)
    qubits: Indices  #: (num_free,)
    inner: Bools  #: (num_edges,), both ends free
    ends: tuple[Indices, Indices]  #: of the inner edges, places in `variables`
    outer: Indices  #: edges with one end free
    to: Indices  #: their free ends, places in `variables`
    of: Indices  #: their held ends, places among the held variables

    @classmethod
    def of_held(cls, structure: Structure, qubits: Indices, held: Indices) -> "_Free":
        place = np.full(structure.num_variables, -1)
        place_held = place.copy()
        place_held[held] = np.arange(len(held))
        variables = np.flatnonzero(place_held < 0)
        place[variables] = np.arange(len(variables))
        heads, tails = structure.ends
        inner = (place[heads] >= 0) & (place[tails] >= 0)
        outer = np.flatnonzero((place[heads] >= 0) != (place[tails] >= 0))
        forward = place[heads[outer]] >= 0
        free_end = np.where(forward, heads[outer], tails[outer])
        held_end = np.where(forward, tails[outer], heads[outer])
        return cls(
            variables,
            qubits[variables],
            inner,
            (place[heads[inner]], place[tails[inner]]),
            outer,
            place[free_end],
            place_held[held_end],
        )

    def problem(self, fields: Floats, couplings: Floats, row: Spins, num_reads: int, seed: int) -> Problem:
        """Return the problem of the free qubits given the held spins, which act as fields on them: exact."""
        pull = np.bincount(self.to, couplings[self.outer] * row[self.of], len(self.variables))
        return Problem(self.qubits, fields[self.variables] + pull, self.ends, couplings[self.inner], num_reads, seed)


@final
class CompiledQPU(CompiledSampler):
    """A processor bound to a part of its working graph: `structure.labels` are qubits.

    Each step is a batch of jobs, all sent before the first is waited for. A job's draw is named by a seed from the
    state's streams, its gauge and its part: a step that is made again asks for the same jobs, and those that a journal
    has are answered from it. Held variables become fields on the others; each distinct row of a clamp is a problem of
    its own, all of one batch and at one common scale.

    With `reuse_steps` k, reads serve k steps: the first draws them, the others give them again, and `info["reused"]`
    counts. The state keeps "age", (num_rows,), how many steps its reads have served, the same in every row. Reads of a
    step with a clamp are always new.
    """

    def __init__(self, structure: Structure, want: Want, *, batch: Batch, reuse_steps: int) -> None:
        super().__init__(structure, want)
        self._batch, self._reuse_steps = batch, reuse_steps
        self._qubits = np.array(structure.labels, dtype=np.intp)
        self._free: dict[bytes, _Free] = {}

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random spins, which have served no step, and one stream per read."""
        state = super().init(num_reads, seed)
        return state._replace(kept={_AGE: np.zeros(num_reads, np.int64)})

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Send the jobs of this step and wait for their answers; `info` says which, and what they cost.

        Raises
        ------
        ValueError
            If a bias is out of the solver's range; nothing is sent.
        QPUError
            What went wrong on the way; what was answered is in the journal.
        """
        age = int(state.kept[_AGE][0]) if _AGE in state.kept and len(state.spins) else 0
        if clamp is None and 0 < age < self._reuse_steps:
            return self._finished(state.spins, state.streams, age + 1, {"reused": age})
        if clamp is None:
            spins, info = self._all(parameters, state)
        else:
            spins, info = self._given(parameters, state, clamp)
        # every stream moves on, so that the next draw has another name
        return self._finished(spins, state.streams + _NEXT, int(clamp is None), {**info, "reused": 0})

    def _all(self, parameters: Parameters, state: SamplerState) -> tuple[Spins, dict[str, Any]]:
        fields, couplings = dimod_terms(parameters)
        seed = _seed_of(state.streams[0])
        problem = Problem(self._qubits, fields, self.structure.ends, couplings, len(state.spins), seed)
        (spins,), info = self._batch.draw([problem])
        return spins, info

    def _given(self, parameters: Parameters, state: SamplerState, clamp: Clamp) -> tuple[Spins, dict[str, Any]]:
        fields, couplings = dimod_terms(parameters)
        spins, problems, places = state.spins.copy(), [], []
        for mine, held, row in distinct_rows(clamp):
            spins[np.ix_(mine, held)] = row
            name = held.tobytes()
            if name not in self._free:
                self._free[name] = _Free.of_held(self.structure, self._qubits, held)
            free = self._free[name]
            seed = _seed_of(state.streams[mine[0]])
            problems.append(free.problem(fields, couplings, row, len(mine), seed))
            places.append(np.ix_(mine, free.variables))
        drawn, info = self._batch.draw(problems)
        for place, reads in zip(places, drawn, strict=True):
            spins[place] = reads
        return spins, info

    def _finished(self, spins: Spins, streams: Words, age: int, info: dict[str, Any]) -> Step:
        moments = self.structure.moments_of(spins) if self.want == "moments" else None
        after = SamplerState(spins, streams, {_AGE: np.full(len(spins), age, np.int64)})
        return Step(after, spins, moments, info)


def _seed_of(stream: Words) -> int:
    """Return 63 bits of a stream."""
    return (int(stream[0]) << 32 | int(stream[1])) >> 1
