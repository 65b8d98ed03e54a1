"""Likelihoods of Boltzmann machines at beta = 1, each with its method and its error. Nats throughout.

A machine has one graph over all its units: variables 0..num_visible-1 are visible, the others hidden. Rows are spins of
the visible units.
"""

from annealnn.learning.likelihood._estimate import Estimate, RowEstimates
from annealnn.learning.likelihood._partition import (
    EXACT_ROW_WIDTH,
    EXACT_UP_TO,
    EXACT_WIDTH,
    log_partition,
    reverse_log_partition,
)
from annealnn.learning.likelihood._rows import (
    estimate_free_energies,
    free_energies,
    log_likelihood,
    pseudo_log_likelihood,
)
from annealnn.learning.likelihood._transverse import (
    DIAGONALISED_UP_TO,
    transverse_log_likelihood,
    transverse_log_partition,
)

__all__ = [
    "DIAGONALISED_UP_TO",
    "EXACT_ROW_WIDTH",
    "EXACT_UP_TO",
    "EXACT_WIDTH",
    "Estimate",
    "RowEstimates",
    "estimate_free_energies",
    "free_energies",
    "log_likelihood",
    "log_partition",
    "pseudo_log_likelihood",
    "reverse_log_partition",
    "transverse_log_likelihood",
    "transverse_log_partition",
]
