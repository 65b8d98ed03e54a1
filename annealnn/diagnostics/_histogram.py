"""Energies counted in bins."""

from dataclasses import dataclass
from typing import final

import numpy as np

from annealnn._validation import check_count
from annealnn.diagnostics._series import check_series
from annealnn.typing import AnyArray, Floats, Indices


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnergyHistogram:
    """How many reads have an energy in each bin. A bin holds its lower edge; the last one, its upper edge too."""

    edges: Floats  #: (num_bins + 1,), energy
    counts: Indices  #: (num_bins,)
    standard_errors: Floats  #: (num_bins,), of the counts

    def to_dict(self) -> dict[str, list[float]]:
        """Return the histogram as lists that JSON can hold."""
        return {
            "edges": self.edges.tolist(),
            "counts": self.counts.tolist(),
            "standard_errors": self.standard_errors.tolist(),
        }


def energy_histogram(energies: AnyArray, *, bins: int | AnyArray = 32) -> EnergyHistogram:
    """Count the energies of independent reads in bins.

    Parameters
    ----------
    energies : (num_reads,)
        Of independent reads. Energies along sweeps are correlated, and their counts have larger errors.
    bins : int or (num_bins + 1,)
        How many bins of one width from the least energy to the largest, or ascending edges. To compare two sets, take
        the edges of both together, `np.histogram_bin_edges(np.concatenate([first, second]), 32)`.

    Returns
    -------
    EnergyHistogram
        A count n of N reads has the multinomial standard error sqrt(n (1 - n/N)). An empty bin has error 0: all it
        says is that fewer than about 3 were expected.

    Raises
    ------
    ValueError
        If energies are not a vector of finite numbers, edges do not ascend, or an energy lies outside them.

    Examples
    --------
    >>> from annealnn.diagnostics import energy_histogram
    >>> energy_histogram([-2.0, -2.0, 0.0, 0.5], bins=[-3, -1, 1]).to_dict()["counts"]
    [2, 2]
    """
    given = np.asarray(energies)
    if given.ndim != 1:
        msg = f"energies have one number for each read, shape (num_reads,); got shape {given.shape}"
        raise ValueError(msg)
    values = check_series("energies", given, min_sweeps=1)[0]
    edges = _edges(values, bins)
    if values.min() < edges[0] or values.max() > edges[-1]:
        msg = (
            f"edges cover every energy; got edges from {edges[0]:g} to {edges[-1]:g} and energies from "
            f"{values.min():g} to {values.max():g}. Take the edges of all sets together"
        )
        raise ValueError(msg)
    counts = np.histogram(values, edges)[0].astype(np.intp)
    errors = np.sqrt(counts * (1 - counts / len(values)))
    return EnergyHistogram(edges=edges, counts=counts, standard_errors=errors)


def _edges(values: Floats, bins: int | AnyArray) -> Floats:
    if np.ndim(bins) == 0:
        return np.asarray(np.histogram_bin_edges(values, check_count("bins", bins)), dtype=np.float64)
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or len(edges) < 2 or not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        msg = f"bins is a whole number or at least two ascending, finite edges; got {bins!r}"
        raise ValueError(msg)
    return edges
