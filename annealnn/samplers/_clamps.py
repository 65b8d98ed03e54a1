"""Clamps as samplers take them: per row of a state for those that sweep, by distinct rows for others."""

from collections.abc import Iterator
from typing import NamedTuple, final

import numpy as np

from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.typing import AnyArray, Bools, Indices, Spins


class Start(NamedTuple):
    """Rows with a clamp's values in them, and what sweeps over them may change.

    Variables that every read holds are not visited. So masks of other reads may change which numbers a read draws, but
    not its distribution.
    """

    rows: AnyArray  #: (num_rows, num_variables, ...); those that were given if nothing is clamped
    order: Indices  #: (num_free,), variables that some row leaves free, in rising order
    held: Bools | None  #: (num_rows, num_variables), where a row holds a variable of `order`; None if none does

    @classmethod
    def of(cls, rows: AnyArray, clamp: Clamp | None, copies: int = 1) -> "Start":
        """Return the start from `rows`, `copies` of them in turn to each read of the clamp."""
        order = np.arange(rows.shape[1])
        if clamp is None:
            return cls(rows, order, None)
        rows = rows.copy()
        spins = np.repeat(clamp.spins, copies, axis=0).reshape(len(rows), -1, *(1,) * (rows.ndim - 2))
        if clamp.known is None or clamp.known.all():
            rows[:, clamp.variables] = spins
            return cls(rows, np.setdiff1d(order, clamp.variables), None)
        known = np.repeat(clamp.known, copies, axis=0)
        rows[:, clamp.variables] = np.where(known.reshape(spins.shape), spins, rows[:, clamp.variables])
        held = np.zeros(rows.shape[:2], np.bool_)
        held[:, clamp.variables] = known
        return cls(rows, np.flatnonzero(~held.all(axis=0)), held)

    def held_in(self, block: slice) -> Bools | None:
        """Return `held` of a block of rows."""
        return None if self.held is None else self.held[block]

    def is_free(self) -> Bools:
        """Return where a row leaves a variable free, (num_rows, num_variables)."""
        free = np.zeros(self.rows.shape[:2], np.bool_)
        free[:, self.order] = True
        return free if self.held is None else free & ~self.held


def distinct_rows(clamp: Clamp) -> Iterator[tuple[Indices, Indices, Spins]]:
    """Yield, for each distinct row of a clamp, the reads that hold it, the variables it knows and their spins."""
    values = clamp.spins if clamp.known is None else np.where(clamp.known, clamp.spins, np.int8(0))
    rows, which = np.unique(values, axis=0, return_inverse=True)
    for k, row in enumerate(rows):
        known = row != 0
        yield np.flatnonzero(which.reshape(-1) == k), clamp.variables[known], row[known]


@final
class FreeStructure:
    """What is left of a structure when some variables are clamped, with its labels."""

    def __init__(self, whole: Structure, clamped: Indices) -> None:
        self._whole = whole
        self.clamped = np.array(clamped, dtype=np.intp)
        self.free = np.setdiff1d(np.arange(whole.num_variables), self.clamped)
        number = np.full(whole.num_variables, -1)
        number[self.free] = np.arange(len(self.free))
        ends = number[whole.edges]
        self._inside = (ends >= 0).all(axis=1)
        labels = tuple(whole.labels[v] for v in self.free)
        self.structure = Structure(len(self.free), ends[self._inside], labels)

    def parameters(self, parameters: Parameters, row: Spins) -> Parameters:
        """Return those of the free variables, with `row` (num_clamped,) held."""
        held = np.zeros(self._whole.num_variables)
        held[self.clamped] = row
        fields, couplings = np.array(parameters.fields, dtype=np.float64), np.asarray(parameters.couplings)
        heads, tails = self._whole.ends
        np.add.at(fields, heads, couplings * held[tails])
        np.add.at(fields, tails, couplings * held[heads])
        return Parameters(fields[self.free], couplings[self._inside])

    def moments(self, free: Moments, row: Spins) -> Moments:
        """Return the moments of all variables and edges, from those of the free ones and `row` (num_clamped,)."""
        means = np.empty(self._whole.num_variables)
        means[self.clamped], means[self.free] = row, free.spins
        products = means[self._whole.edges].prod(axis=1)
        products[self._inside] = free.pairs
        return Moments(means, products)
