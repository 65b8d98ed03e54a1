"""The learner's door of small problems beside each other on one chip."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, final

import dimod
import numpy as np

from annealnn._rng import child_seed
from annealnn.embeddings import EmbeddedStructure, unembed
from annealnn.embeddings._unembed import Unembedded
from annealnn.models import Clamp, Parameters, Structure
from annealnn.samplers._adapter import compile_sampler
from annealnn.samplers._clamps import FreeStructure, distinct_rows
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want, total_info
from annealnn.samplers.composites._chains import ChainOptions
from annealnn.samplers.composites._embedded import decoded_step, seed_of
from annealnn.typing import Spins


@final
class Copies:
    """A structure embedded several times in one graph, no qubit shared."""

    def __init__(self, embedded: Sequence[EmbeddedStructure]) -> None:
        self.embedded = embedded
        self._joined: dict[int, Structure] = {}

    def __len__(self) -> int:
        return len(self.embedded)

    def joined(self, count: int) -> Structure:
        """Return the physical graph of the first `count` copies together."""
        if count not in self._joined:
            parts = [one.physical for one in self.embedded[:count]]
            starts = np.cumsum([0, *(part.num_variables for part in parts)])
            edges = [part.edges + start for part, start in zip(parts, starts, strict=False)]
            labels = tuple(q for part in parts for q in part.labels)
            self._joined[count] = Structure(len(labels), np.concatenate(edges), labels)
        return self._joined[count]

    def spread(self, problems: Sequence[Parameters], strengths: Sequence[float]) -> Parameters:
        """Return physical parameters of the first copies together, one problem to each."""
        parts = [
            one.spread(problem, chain_coupling=strength)
            for one, problem, strength in zip(self.embedded, problems, strengths, strict=False)
        ]
        return Parameters(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    def split(self, reads: Spins, count: int) -> list[Spins]:
        """Return the columns of each of the first `count` copies."""
        ends = np.cumsum([one.physical.num_variables for one in self.embedded[:count]])
        return np.split(reads, ends[:-1], axis=1)


class _Asked(NamedTuple):
    """A call of the child: problems of one graph, side by side."""

    copies: Copies
    problems: list[Parameters]
    num_reads: int
    seed: int


@final
class CompiledPacked(CompiledSampler):
    """A structure in many copies: reads are shared out among them.

    With a clamp, each distinct row is a problem over the variables that it leaves free, the held ones being fields on
    them: exact. Rows that hold the same variables share calls, those that ask for most reads together. `info` is the
    child's, what calls cost added up, with the number of `calls`, `copies` of the structure, and `chain_break_fraction`
    over all calls.
    """

    def __init__(
        self,
        structure: Structure,
        want: Want,
        child: dimod.Sampler,
        find: Callable[[Structure], Copies],
        options: ChainOptions,
        keywords: dict[str, Any],
    ) -> None:
        super().__init__(structure, want)
        self._child, self._copies, self._options, self._keywords = child, find, options, keywords
        self._doors: dict[tuple[int, bytes, int], CompiledSampler] = {}
        # the graph has room for one copy at least, and the child takes the keywords: said now, not in mid-training
        self._door(find(structure), 1)

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Ask the child for all reads, of all calls at once, and decode them."""
        if clamp is not None:
            return self._conditional_step(parameters, state, clamp)
        copies, num_reads = self._copies(self.structure), len(state.spins)
        count = min(len(copies), num_reads)
        called, info = self._call([_Asked(copies, [parameters] * count, -(-num_reads // count), seed_of(state))])
        # the first reads of all copies, then their second ones and so on
        stacked = np.stack([part.spins for part in called[0]], axis=1)
        spins = stacked.reshape(-1, self.structure.num_variables)[:num_reads]
        return decoded_step(self, spins, state.streams.copy(), info | _summary(called, len(copies)))

    def _conditional_step(self, parameters: Parameters, state: SamplerState, clamp: Clamp) -> Step:
        spins = state.spins.copy()
        rows: dict[bytes, list[tuple[Any, Any, Any]]] = {}
        for row in distinct_rows(clamp):
            rows.setdefault(row[1].tobytes(), []).append(row)
        asked: list[_Asked] = []
        places: list[list[Any]] = []
        for members in rows.values():
            free = FreeStructure(self.structure, members[0][1])
            for mine, held, values in members:
                spins[np.ix_(mine, held)] = values
            if not len(free.free):
                continue
            copies = self._copies(free.structure)
            members.sort(key=lambda member: -len(member[0]))
            for start in range(0, len(members), len(copies)):
                some = members[start : start + len(copies)]
                problems = [free.parameters(parameters, values) for _, _, values in some]
                asked.append(_Asked(copies, problems, len(some[0][0]), seed_of(state, some[0][0][0])))
                places.append([np.ix_(mine, free.free) for mine, _, _ in some])
        called, info = self._call(asked)
        for parts, where in zip(called, places, strict=True):
            for part, place in zip(parts, where, strict=True):
                spins[place] = part.spins[: len(place[0])]
        most = max((len(one.copies) for one in asked), default=0)
        return decoded_step(self, spins, state.streams.copy(), info | _summary(called, most))

    def _call(self, asked: Sequence[_Asked]) -> tuple[list[list[Unembedded]], dict[str, Any]]:
        """Return the decoded reads of each problem of each call, and what the child says of all calls."""
        doors = [self._door(one.copies, len(one.problems)) for one in asked]
        steps: dict[int, Step] = {}
        for door in dict.fromkeys(doors):
            mine = [k for k, its in enumerate(doors) if its is door]
            calls = [(self._spread(asked[k]), door.init(asked[k].num_reads, asked[k].seed)) for k in mine]
            steps |= zip(mine, door.steps(calls), strict=True)
        called = []
        for k, (one, door) in enumerate(zip(asked, doors, strict=True)):
            step, count = steps[k], len(one.problems)
            reads = door.reads(step.state) if step.spins is None else step.spins
            columns = one.copies.split(reads, count)
            called.append(
                [
                    unembed(embedded, mine, self._options.unembedding, parameters=problem, seed=child_seed(one.seed, j))
                    for j, (embedded, mine, problem) in enumerate(
                        zip(one.copies.embedded, columns, one.problems, strict=False)
                    )
                ]
            )
        return called, total_info(step.info for step in steps.values())

    def _spread(self, one: _Asked) -> Parameters:
        structure = one.copies.embedded[0].source
        return one.copies.spread(one.problems, [self._options.strength(structure, p) for p in one.problems])

    def _door(self, copies: Copies, count: int) -> CompiledSampler:
        source = copies.embedded[0].source
        name = (source.num_variables, source.edges.tobytes(), count)
        if name not in self._doors:
            joined = copies.joined(count)
            self._doors[name] = compile_sampler(self._child, joined, want="spins", **self._keywords)
        return self._doors[name]


def _summary(calls: Sequence[Sequence[Unembedded]], num_copies: int) -> dict[str, Any]:
    broken = [part.broken.mean() for parts in calls for part in parts if part.broken.size]
    return {
        "calls": len(calls),
        "copies": num_copies,
        "chain_break_fraction": float(np.mean(broken)) if broken else 0.0,
    }
