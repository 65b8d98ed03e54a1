"""Groups of spins that are uniform in some ground state: proven, then counted as one spin each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from annealnn.models import IsingModel, Parameters, Structure
from annealnn.models._exact import basis_spins
from annealnn.typing import Floats, Indices, Spins

_MAX_GROUP = 16


class Collapsed(NamedTuple):
    """A model with one variable for each group."""

    model: IsingModel
    group_of: Indices  #: (num_variables,) of the model that was collapsed

    def expand(self, spins: Spins) -> Spins:
        """Return the state (num_variables,) whose groups are these spins (num_groups,)."""
        return np.asarray(spins[self.group_of])


def collapse(model: IsingModel, groups: Sequence[Sequence[int]]) -> Collapsed | None:
    """Return the model of uniform groups, or None if it is not proven that some ground state has them uniform.

    Take a ground state, and one group in it whose spins are split into U, up, and D, down. The rest pulls spin i by
    f_i, between h_i - w_i and h_i + w_i, with w_i the sum of its couplings' sizes to the outside. With c the sum of
    the couplings between U and D, turning D up costs -2 c - 2 f(D) and turning U down -2 c + 2 f(U). One of the two is
    no cost for every pull if either c + sum over D of (h - w) >= 0 or c - sum over U of (h + w) >= 0. Where that holds
    for every split of every group, groups can be made uniform one after the other at no cost.

    Parameters
    ----------
    model : IsingModel
    groups : sequence of sequences of int
        Variables of each group: each variable in one group, 16 at most in a group.

    Raises
    ------
    ValueError
        If a variable is in no group or in two, or a group is larger.
    """
    structure, couplings = model.structure, model.parameters.couplings
    group_of = np.full(structure.num_variables, -1, dtype=np.intp)
    for g, members in enumerate(groups):
        group_of[list(members)] = g
    if sum(map(len, groups)) != structure.num_variables or group_of.min() < 0 or max(map(len, groups)) > _MAX_GROUP:
        msg = (
            f"each of {structure.num_variables} variables is in one group of at most {_MAX_GROUP}; got groups of "
            f"{sum(map(len, groups))} in all, the largest of {max(map(len, groups))}"
        )
        raise ValueError(msg)
    heads, tails = structure.ends
    inside = group_of[heads] == group_of[tails]
    pulled = np.zeros(structure.num_variables)
    for ends in (heads, tails):
        np.add.at(pulled, ends[~inside], np.abs(couplings[~inside]))
    for g, members in enumerate(groups):
        where = {v: k for k, v in enumerate(members)}
        within = np.zeros((len(members), len(members)))
        for e in np.flatnonzero(inside & (group_of[heads] == g)):
            within[where[int(heads[e])], where[int(tails[e])]] = couplings[e]
        at = list(members)
        if not _uniform(within + within.T, model.h[at] - pulled[at], model.h[at] + pulled[at]):
            return None
    return Collapsed(_summed(model, group_of, inside, len(groups)), group_of)


def _uniform(within: Floats, low: Floats, high: Floats) -> bool:
    """Return whether each pull between low and high (n,) leaves spins coupled by `within` (n, n) a uniform optimum."""
    states = basis_spins(len(low))
    up = (states > 0).astype(np.float64)
    down = 1.0 - up
    cut = np.einsum("si,ij,sj->s", up, within, down)
    return bool(((cut + down @ low >= 0) | (cut - up @ high >= 0)).all())


def _summed(model: IsingModel, group_of: Indices, inside: np.ndarray, num_groups: int) -> IsingModel:
    structure, couplings = model.structure, model.parameters.couplings
    heads, tails = (group_of[ends[~inside]] for ends in structure.ends)
    pairs, which = np.unique(
        np.sort(np.column_stack([heads, tails]), axis=1).reshape(-1, 2), axis=0, return_inverse=True
    )
    joined, fields = np.zeros(len(pairs)), np.zeros(num_groups)
    np.add.at(joined, which.reshape(-1), couplings[~inside])
    np.add.at(fields, group_of, model.h)
    offset = model.offset - float(couplings[inside].sum())
    return IsingModel.from_parameters(Structure(num_groups, pairs), Parameters(fields, joined), offset)
