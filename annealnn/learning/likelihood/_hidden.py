"""Hidden units, summed out given rows of the visible ones."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, final

import numpy as np
from scipy.sparse import csr_array

from annealnn.learning.likelihood._estimate import RowEstimates
from annealnn.learning.likelihood._partition import EXACT_ROW_WIDTH, narrow_tree
from annealnn.models import Parameters, Structure
from annealnn.samplers._tree import TreeDecomposition
from annealnn.typing import AnyArray, Floats

# numbers held at a time
_MOST_NUMBERS = 2**20
# a matrix with more of its entries than this is multiplied as a dense one
_DENSE = 0.1


class Part(NamedTuple):
    """Some of a machine's variables, numbered from 0, with the edges among them."""

    structure: Structure
    parameters: Parameters


@final
class HiddenUnits:
    """A machine whose first variables are visible; given these, the others are a machine of their own.

    E(v, h) = E(v) - sum_j B_j(v) h_j - sum_{j<k} J_jk h_j h_k, with B(v) = b + v W; Eq. (1)'s sign.
    """

    def __init__(self, structure: Structure, parameters: Parameters, num_visible: int) -> None:
        if not 0 < num_visible <= structure.num_variables:
            msg = f"rows have a column for each visible unit, 1 to {structure.num_variables} of them; got {num_visible}"
            raise ValueError(msg)
        self.num_visible, self.num_hidden = num_visible, structure.num_variables - num_visible
        fields, couplings = (np.asarray(values, dtype=np.float64) for values in parameters)
        edges = structure.edges
        seen = edges < num_visible
        among, hidden = seen.all(axis=1), ~seen.any(axis=1)
        between = ~among & ~hidden
        self.visible = Part(Structure(num_visible, edges[among]), Parameters(fields[:num_visible], couplings[among]))
        self.hidden = Part(
            Structure(self.num_hidden, edges[hidden] - num_visible),
            Parameters(fields[num_visible:], couplings[hidden]),
        )
        # the lower end of an edge between the two is the visible one
        self.ends = edges[between, 0], edges[between, 1] - num_visible
        self.weights = couplings[between]
        matrix = csr_array((self.weights, self.ends), (num_visible, self.num_hidden))
        filled = len(self.weights) > _DENSE * num_visible * max(1, self.num_hidden)
        self._matrix = matrix.toarray() if filled else matrix

    @property
    def are_coupled(self) -> bool:
        """Whether hidden units are coupled to each other."""
        return self.hidden.structure.num_edges > 0

    def pulls(self, rows: AnyArray) -> Floats:
        """Return B of every row, (num_rows, num_hidden)."""
        return np.asarray(rows.astype(np.float64) @ self._matrix) + self.hidden.parameters.fields

    def visible_energies(self, rows: AnyArray) -> Floats:
        """Return E(v) of every row, (num_rows,)."""
        return self.visible.structure.energies(self.visible.parameters, rows)

    @cached_property
    def _tree(self) -> TreeDecomposition | None:
        """An elimination of the hidden units, if they are coupled and it is quick."""
        return narrow_tree(self.hidden.structure, EXACT_ROW_WIDTH) if self.are_coupled else None

    @property
    def is_exact(self) -> bool:
        """Whether free energies can be summed exactly."""
        return not self.are_coupled or self._tree is not None

    def exact_rows(self, rows: AnyArray) -> RowEstimates:
        """Return the free energies of rows.

        Raises
        ------
        ValueError
            If hidden units are coupled in too wide a graph.
        """
        if not self.is_exact:
            msg = (
                "free energies are exact where hidden units are not coupled to each other, or in a graph of width at "
                f"most {EXACT_ROW_WIDTH}; got {self.hidden.structure!r} of greater width. Use estimate_free_energies"
            )
            raise ValueError(msg)
        tree, out = self._tree, self.visible_energies(rows)
        for block in blocks_of(len(rows), self.num_hidden + (0 if tree is None else int(tree.num_entries))):
            pulls = self.pulls(rows[block])
            if tree is None:
                out[block] -= log_two_cosh(pulls).sum(axis=1)
            else:
                out[block] -= tree.log_partitions(pulls, self.hidden.parameters.couplings)
        return RowEstimates(out, np.zeros(len(out)), 0.0, "closed form" if tree is None else tree.name)


def log_two_cosh(x: Floats) -> Floats:
    """Return ln(2 cosh x)."""
    size = np.abs(x)
    out = np.exp(-2.0 * size)
    np.log1p(out, out=out)
    out += size
    return np.asarray(out)


def blocks_of(num_rows: int, size: int) -> Iterator[slice]:
    """Give slices that cover the rows, of which each takes `size` numbers."""
    length = max(1, _MOST_NUMBERS // max(1, size))
    for start in range(0, num_rows, length):
        yield slice(start, min(num_rows, start + length))
