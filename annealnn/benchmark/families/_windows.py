"""Annealing, then exact optima of windows: parts of a sparse problem that variable elimination solves."""

from typing import NamedTuple

import numpy as np

from annealnn.benchmark.families._tree_optimum import tree_optimum, tree_order
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.samplers._tree import Elimination
from annealnn.typing import Bools, Indices, Spins

# a window takes tenths of a second
_MAX_ENTRIES, _MAX_LENGTH = 2.0**22, 400
_MAX_PASSES, _STALE = 20, 3


class Window(NamedTuple):
    """Neighbouring variables, their graph, and an order of elimination."""

    free: Indices
    kept: Bools  #: (num_edges,) of the whole graph: those inside
    structure: Structure
    elimination: Elimination


def windows_of(structure: Structure) -> list[Window]:
    """Return windows that cover the variables twice, in the order of their labels.

    On Chimera, whose qubits are numbered row by row, they are strips of some rows.
    """
    n = structure.num_variables
    length = min(n, _MAX_LENGTH)
    while True:
        found: list[Window] = []
        for start in range(0, max(1, n - length // 2), max(1, length // 2)):
            window = _window(structure, np.arange(start, min(n, start + length)))
            if window is None:
                break
            found.append(window)
        else:
            return found
        length = max(1, length * 3 // 4)


def _window(structure: Structure, free: Indices) -> Window | None:
    number = np.full(structure.num_variables, -1, dtype=np.intp)
    number[free] = np.arange(len(free))
    ends = number[structure.edges]
    kept = np.asarray((ends >= 0).all(axis=1))
    induced = Structure(len(free), ends[kept])
    order = tree_order(induced)
    if order is None or order.num_entries > _MAX_ENTRIES:
        return None
    return Window(free, kept, induced, order)


def descend_by_windows(model: IsingModel, windows: list[Window], start: Spins, seed: int) -> Spins:
    """Return the state (num_variables,) that passes over all windows lead to, until three of them do not lower it.

    Where a window has several optima one of them is drawn, so that states of one energy are wandered over.
    """
    rng = np.random.default_rng(seed)
    structure, couplings = model.structure, model.parameters.couplings
    heads, tails = structure.ends
    spins = np.array(start, dtype=np.int8)
    energy = float(model.energy(spins))
    stale = 0
    for _ in range(_MAX_PASSES):
        for k in rng.permutation(len(windows)):
            window = windows[k]
            rest = spins.astype(np.float64)
            rest[window.free] = 0.0
            fields = model.h.copy()
            np.add.at(fields, heads, couplings * rest[tails])
            np.add.at(fields, tails, couplings * rest[heads])
            part = IsingModel.from_parameters(window.structure, Parameters(fields[window.free], couplings[window.kept]))
            # of equal energies the elimination takes spin +1: in a random gauge, either
            gauge = rng.choice(np.array([-1, 1], dtype=np.int8), len(window.free))
            spins[window.free] = gauge * tree_optimum(part.gauged(gauge), window.elimination)
        lower = float(model.energy(spins))
        stale = 0 if lower < energy else stale + 1
        energy = lower
        if stale == _STALE or len(windows) == 1:
            break
    return spins
