"""The learner's door of a sampler whose reads serve several steps."""

from typing import final

import numpy as np

from annealnn._validation import check_count
from annealnn.models import Clamp, Parameters
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step
from annealnn.typing import Spins

_AGE = "age"


@final
class ReusingSampler(CompiledSampler):
    """A sampler asked at every k-th step only: in between, its last reads are given again.

    For samplers whose reads are dear. The parameters move on meanwhile, so small steps are needed. `info["reused"]`
    says how many steps before reads were drawn; moments are then those of the reads. Reads of a step with a clamp are
    always new.

    The state keeps "age", (num_rows,), how many steps its reads have served, the same in every row, besides what the
    child's keeps; so a run that is resumed goes on to the same bits.

    Parameters
    ----------
    child : CompiledSampler
        Gives reads.
    reuse_steps : int
        k.

    Raises
    ------
    ValueError
        If `reuse_steps` is no such number.
    """

    def __init__(self, child: CompiledSampler, reuse_steps: int) -> None:
        super().__init__(child.structure, child.want)
        self._child, self._reuse_steps = child, check_count("reuse_steps", reuse_steps)
        self.persistent = child.persistent

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return the child's first state, which has served no step."""
        return _aged(self._child.init(num_reads, seed), 0)

    def begin(self, spins: Spins, seed: int) -> SamplerState:
        """Return the child's state at `spins`, which has served no step."""
        return _aged(self._child.begin(spins, seed), 0)

    def reads(self, state: SamplerState) -> Spins:
        """Return the reads that a state holds, (num_reads, num_variables)."""
        return self._child.reads(_childs(state))

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Give the state's reads again, or ask the child.

        Raises
        ------
        ValueError
            If the child gives moments without reads.
        """
        inner, age = _childs(state), int(state.kept[_AGE][0]) if len(state.spins) else 0
        if clamp is None and 0 < age < self._reuse_steps:
            spins = self._child.reads(inner)
            moments = self.structure.moments_of(spins) if self.want == "moments" else None
            return Step(_aged(inner, age + 1), spins, moments, {"reused": age})
        drawn = self._child.step(parameters, inner, clamp)
        if drawn.spins is None:
            msg = f"reads are what serves several steps; {type(self._child).__name__} gives moments without reads"
            raise ValueError(msg)
        return drawn._replace(state=_aged(drawn.state, int(clamp is None)), info=drawn.info | {"reused": 0})

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps of the child."""
        return _aged(self._child.advance(parameters, _childs(state), num_steps, clamp), 0)


def _aged(state: SamplerState, age: int) -> SamplerState:
    return state._replace(kept={**state.kept, _AGE: np.full(len(state.spins), age, np.int64)})


def _childs(state: SamplerState) -> SamplerState:
    return state._replace(kept={name: part for name, part in state.kept.items() if name != _AGE})
