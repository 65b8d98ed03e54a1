"""Energies of reads along their sweeps, and what they say of equilibrium."""

from collections.abc import Iterator
from typing import Any, final

import numpy as np

from annealnn.typing import AnyArray, Floats

# 16 MiB
_MOST_READS, _MOST_RECORDS = 1024, 2048


@final
class EnergyRecord:
    """Energies of the first 1024 reads after every sweep, or after every k-th where there are more than 2048.

    Threads may add to it side by side, each its own reads.
    """

    every: int  #: sweeps between two records

    def __init__(self, num_reads: int, num_sweeps: int) -> None:
        self.every = max(1, -(-num_sweeps // _MOST_RECORDS))
        self._energies: Floats = np.full((min(num_reads, _MOST_READS), num_sweeps // self.every), np.nan)

    def cut(self, reads: slice, sweeps: slice) -> Iterator[slice]:
        """Give pieces of `sweeps` that end where the energies of `reads` are due."""
        start = sweeps.start
        while start < sweeps.stop:
            due = (start // self.every + 1) * self.every if reads.start < len(self._energies) else sweeps.stop
            stop = min(sweeps.stop, due)
            yield slice(start, stop)
            start = stop

    def is_due(self, reads: slice, num_sweeps: int) -> bool:
        """Return whether energies are wanted after so many sweeps of `reads`."""
        return reads.start < len(self._energies) and num_sweeps % self.every == 0

    def add(self, reads: slice, num_sweeps: int, energies: AnyArray) -> None:
        """Keep the energies (num_reads,) of `reads` after `num_sweeps` sweeps."""
        column = self._energies[reads, num_sweeps // self.every - 1]
        column[:] = energies[: len(column)]

    def verdict(self, num_sweeps: int, *, one_level: bool = False) -> dict[str, Any] | None:
        """Return `diagnostics.thermalisation` of the reads that made `num_sweeps`, as JSON can hold it.

        Its times and numbers of sweeps count records: one of `recorded_every` sweeps. None if nothing was recorded.
        """
        from annealnn.diagnostics import thermalisation

        energies = self._energies[:, : num_sweeps // self.every]
        energies = energies[~np.isnan(energies).any(axis=1)]
        if not energies.size:
            return None
        return thermalisation(energies, one_level=one_level).to_dict() | {"recorded_every": self.every}
