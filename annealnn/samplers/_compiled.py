"""The learner's door: compile a structure once, then step with new parameters many times."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from annealnn._rng import streams_from_seed
from annealnn._validation import check_choice, check_count
from annealnn.kernels._lanes import WIDTH
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.samplers._tiles import Tiles
from annealnn.typing import AnyArray, Spins, Words

Want = Literal["moments", "spins"]

# spins that are drawn between two looks for an interrupt
_PIECE = 1 << 25


class SamplerState(NamedTuple):
    """What the next step needs. A step never changes the state it is given.

    There is one row to a read; or, where a read is several replicas, one row to a replica, read-major.
    """

    spins: Spins  #: (num_rows, num_variables), values -1 or +1
    streams: Words  #: (num_rows, 4) generator words
    #: what else the sampler keeps for each row, by name: arrays whose first axis is num_rows
    kept: Mapping[str, AnyArray] = {}


class Step(NamedTuple):
    """What one step gives."""

    state: SamplerState
    spins: Spins | None  #: (num_reads, num_variables); None where moments come without reads
    moments: Moments | None  #: None if only spins were wanted
    info: dict[str, Any]


class CompiledSampler(ABC):
    """Abstract: a sampler bound to one structure. Parameters come in Eq. (1)'s sign, not scaled by beta.

    `persistent` says whether a step goes on from the state's spins, or gives reads that forget them.
    """

    persistent = False

    def __init__(self, structure: Structure, want: Want) -> None:
        self.structure = structure
        self.want = check_choice("want", want, get_args(Want))

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return random spins, and one stream per read."""
        check_count("num_reads", num_reads)
        streams = streams_from_seed(seed, num_reads)
        spins = np.full((num_reads, self.structure.num_variables), -1, dtype=np.int8)
        order = np.arange(self.structure.num_variables)
        # in pieces, so that an interrupt need not wait for all of it
        size = WIDTH * max(1, _PIECE // (WIDTH * max(1, len(order))))
        for start in range(0, num_reads, size):
            some = slice(start, start + size)
            tiles = Tiles(spins[some], streams[some])
            tiles.randomise(order)
            tiles.unpack(spins[some], streams[some])
        return SamplerState(spins, streams)

    def begin(self, spins: Spins, seed: int) -> SamplerState:
        """Return a state whose reads are at `spins` (num_reads, num_variables), and fresh streams."""
        state = self.init(len(spins), seed)
        return state._replace(spins=np.repeat(spins, len(state.spins) // max(1, len(spins)), axis=0))

    def reads(self, state: SamplerState) -> Spins:
        """Return the reads that a state holds, (num_reads, num_variables)."""
        return state.spins

    @abstractmethod
    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Sample at `parameters`; with `clamp`, each read holds its own row of values, or what it knows of it."""

    def steps(self, asked: Sequence[tuple[Parameters, SamplerState]]) -> list[Step]:
        """Sample at several parameters, each from a state of its own; a device is sent all before one is waited for.

        What calls cost is in the `info` of one or more of the steps: `total_info` adds it up.
        """
        return [self.step(parameters, state) for parameters, state in asked]

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps; one step is enough for a sampler that is not persistent."""
        for _ in range(num_steps if self.persistent else 1):
            state = self.step(parameters, state, clamp).state
        return state


# of `info`: lists that are joined, numbers and mappings of numbers that are added up
_ADDED = ("jobs", "problem_ids", "replayed", "billed_us", "qpu_timing", "client_s", "recorded_client_s")


def total_info(infos: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the `info` of several calls as one: costs added up, and for the rest what the last one says."""
    total: dict[str, Any] = {}
    for info in infos:
        for name, value in info.items():
            if name not in _ADDED or name not in total:
                total[name] = value
            elif isinstance(value, Mapping):
                before = total[name]
                total[name] = {key: before.get(key, 0.0) + value.get(key, 0.0) for key in {**before, **value}}
            else:
                total[name] = total[name] + value
    return total
