"""Proven optima of problems whose size or graph allows it."""

from collections.abc import Hashable, Sequence

import numpy as np

from annealnn.benchmark._instance import Optimum, Proof
from annealnn.benchmark.families._planar import planar_optimum
from annealnn.benchmark.families._tree_optimum import tree_optimum, tree_order
from annealnn.models import IsingModel
from annealnn.models._exact import MAX_ENUMERATED, basis_energies, basis_spins
from annealnn.typing import Spins

# up to so many entries a tree takes seconds, less than the matching of a planar graph as wide
_FEW_ENTRIES = 2.0**28


def prove(model: IsingModel, *, orders: Sequence[Sequence[Hashable]] = ()) -> Optimum | None:
    """Return the optimum of a problem with a proof, or None if it is too large for each method.

    All states up to 24 variables; a perfect matching for planar graphs without fields, up to 600 variables; variable
    elimination up to a width of 24, as far as memory allows.

    Parameters
    ----------
    model : IsingModel
    orders : sequence of sequences of labels
        Orders of elimination to try beside the usual ones.
    """
    if model.structure.num_variables <= MAX_ENUMERATED:
        return _optimum(model, _lowest_of_all(model), "exhaustive")
    order = tree_order(model.structure, orders)
    if order is None or order.num_entries > _FEW_ENTRIES:
        matched = planar_optimum(model)
        if matched is not None:
            return _optimum(model, matched, "planar")
    return None if order is None else _optimum(model, tree_optimum(model, order), "tree decomposition")


def _lowest_of_all(model: IsingModel) -> Spins:
    energies = basis_energies(model.structure, model.parameters)
    lowest: Spins = basis_spins(model.structure.num_variables, np.array([energies.argmin()]))[0]
    return lowest


def _optimum(model: IsingModel, state: Spins, proof: Proof) -> Optimum:
    return Optimum(energy=float(model.energy(state)), proof=proof, state=state)
