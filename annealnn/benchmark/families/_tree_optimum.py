"""Ground states by variable elimination: the exact minimum of a sparse problem.

dwave-samplers' `TreeDecompositionSolver` does the same; it keeps every table of energies for its way back, 3.5 GB on
Chimera at L = 5 and more than 18 GB at L = 6. Here the way back needs one bit for each entry, and where couplings are
whole numbers of a unit the tables hold these in as few bytes as do.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from annealnn._memory import available_bytes
from annealnn.benchmark.families._whole import whole
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.samplers._tree import Elimination, along, bags_of, cheapest, shape_within
from annealnn.typing import AnyArray, Spins

MAX_WIDTH = 24
# bits of the way back, 512 MiB: Chimera at L = 6 takes 2**31.2
MAX_ENTRIES = 2.0**32
# tables of one elimination that are held at once, and of its children
_TABLES = 6


def tree_order(structure: Structure, orders: Sequence[Sequence[Hashable]] = ()) -> Elimination | None:
    """Return the cheapest order of elimination that is within bounds, or None.

    Parameters
    ----------
    structure : Structure
    orders : sequence of sequences of labels
        Tried beside min-fill, reverse Cuthill-McKee and the order of the labels.
    """
    index = {label: k for k, label in enumerate(structure.labels)}
    ranks = [np.argsort([index[label] for label in order]).tolist() for order in orders]
    found = cheapest(structure, MAX_WIDTH, [range(structure.num_variables), *ranks])
    if found.num_entries > MAX_ENTRIES:
        return None
    needed = found.num_entries / 8 + 2.0**found.width * 8 * _TABLES
    free = available_bytes()
    return None if free is not None and needed > free else found


def tree_optimum(model: IsingModel, elimination: Elimination) -> Spins:
    """Return a ground state (num_variables,), one variable eliminated after the other.

    Exact up to the rounding of sums, and to the bit where couplings and fields are whole numbers of a unit.
    """
    structure = model.structure
    fields, couplings, signs = _numbers(model.parameters)
    bags = bags_of(structure, elimination)
    messages: dict[int, AnyArray] = {}
    choices: list[AnyArray] = []
    for k, bag in enumerate(bags):
        axes = len(bag.others)
        pull = np.full((1,) * axes, fields[bag.variable], dtype=signs.dtype)
        for axis, edge in bag.edges:
            pull = pull + couplings[edge] * signs.reshape(along(axes, axis))
        # what the best choice of the earlier variables gives, with this one up and down
        up, down = pull, -pull
        for child in bag.children:
            shape = shape_within(bags[child], bag)
            message = messages.pop(child)
            up, down = up + message[0].reshape(shape), down + message[1].reshape(shape)
        choices.append(np.packbits((up >= down).reshape(-1)))
        if bag.others:
            messages[k] = np.maximum(up, down)
    spins = np.empty(structure.num_variables, dtype=np.int8)
    for bag, chosen in zip(reversed(bags), reversed(choices), strict=True):
        state = 0
        for u in bag.others:
            state = 2 * state + int(spins[u] < 0)
        spins[bag.variable] = 1 if chosen[state >> 3] >> (7 - (state & 7)) & 1 else -1
    return spins


def _numbers(parameters: Parameters) -> tuple[Any, Any, AnyArray]:
    """Return fields, couplings, and the signs of basis digits 0 and 1, in the smallest type that holds all sums."""
    found = whole(parameters)
    if found is None:
        return parameters.fields, parameters.couplings, np.array([1.0, -1.0])
    kind = next(kind for kind in (np.int16, np.int32, np.int64) if found.total < np.iinfo(kind).max)
    return found.fields.astype(kind), found.couplings.astype(kind), np.array([1, -1], dtype=kind)
