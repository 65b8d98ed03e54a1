"""The learner's door of a processor."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from annealnn.models import Clamp, Parameters, Structure, dimod_terms
from annealnn.qpu._batch import Batch
from annealnn.qpu._ranges import Problem
from annealnn.samplers import CompiledSampler, SamplerState, Step
from annealnn.samplers._clamps import FreeStructure, distinct_rows
from annealnn.samplers._compiled import Want
from annealnn.typing import Indices, Spins, Words

_NEXT = np.uint32(0x9E3779B9)


@final
class CompiledQPU(CompiledSampler):
    """A processor bound to a part of its working graph: `structure.labels` are qubits.

    Each step is a batch of jobs, all sent before the first is waited for. A job's draw is named by a seed from the
    state's streams, its gauge and its part: a step that is made again asks for the same jobs, and those that a journal
    has are answered from it. Held variables become fields on the others; each distinct row of a clamp is a problem of
    its own, all of one batch and at one common scale.
    """

    def __init__(self, structure: Structure, want: Want, *, batch: Batch) -> None:
        super().__init__(structure, want)
        self._batch = batch
        # what some rows leave free, and its qubits; by the variables that they hold
        self._free: dict[bytes, tuple[FreeStructure, Indices]] = {}
        self._qubits = _qubits_of(structure)

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Send the jobs of this step and wait for their answers; `info` says which, and what they cost.

        Raises
        ------
        ValueError
            If a bias is out of the solver's range; nothing is sent.
        QPUError
            What went wrong on the way; what was answered is in the journal.
        """
        if clamp is None:
            (step,) = self.steps([(parameters, state)])
            return step
        return self._finished(*self._given(parameters, state, clamp), state)

    def steps(self, asked: Sequence[tuple[Parameters, SamplerState]]) -> list[Step]:
        """Send the jobs of all steps at once; the first one's `info` is that of all.

        Raises
        ------
        ValueError, QPUError
            As `step`.
        """
        problems = [
            _problem(self.structure, self._qubits, parameters, len(state.spins), state.streams[0])
            for parameters, state in asked
        ]
        drawn, info = self._batch.draw(problems)
        return [
            self._finished(spins, {} if k else info, state)
            for k, (spins, (_, state)) in enumerate(zip(drawn, asked, strict=True))
        ]

    def _finished(self, spins: Spins, info: dict[str, Any], state: SamplerState) -> Step:
        moments = self.structure.moments_of(spins) if self.want == "moments" else None
        # every stream moves on, so that the next draw has another name
        return Step(SamplerState(spins, state.streams + _NEXT), spins, moments, info)

    def _given(self, parameters: Parameters, state: SamplerState, clamp: Clamp) -> tuple[Spins, dict[str, Any]]:
        spins, problems, places = state.spins.copy(), [], []
        for mine, held, row in distinct_rows(clamp):
            spins[np.ix_(mine, held)] = row
            name = held.tobytes()
            if name not in self._free:
                left = FreeStructure(self.structure, held)
                self._free[name] = left, _qubits_of(left.structure)
            free, qubits = self._free[name]
            theirs = free.parameters(parameters, row)
            problems.append(_problem(free.structure, qubits, theirs, len(mine), state.streams[mine[0]]))
            places.append(np.ix_(mine, free.free))
        drawn, info = self._batch.draw(problems)
        for place, reads in zip(places, drawn, strict=True):
            spins[place] = reads
        return spins, info


def _qubits_of(structure: Structure) -> Indices:
    # an empty structure's labels have no type of their own
    return np.array(structure.labels, dtype=np.intp)


def _problem(structure: Structure, qubits: Indices, parameters: Parameters, num_reads: int, stream: Words) -> Problem:
    fields, couplings = dimod_terms(parameters)
    # 63 bits of the stream
    seed = (int(stream[0]) << 32 | int(stream[1])) >> 1
    return Problem(qubits, fields, structure.ends, couplings, num_reads, seed)
