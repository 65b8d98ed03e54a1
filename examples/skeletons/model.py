"""Copy me: a model. In the package it goes to annealnn/models/ and its __init__.py."""

from dataclasses import dataclass
from typing import final

import numpy as np

from annealnn.models import IsingModel


@final
@dataclass(frozen=True, kw_only=True)
class NumberPartition:
    """Split numbers into two sets of nearly equal sums: H(s) = (sum_i a_i s_i)^2 (Lucas 2014, section 2.1).

    Parameters
    ----------
    numbers : tuple of float
        a, at least one, all finite.

    Raises
    ------
    ValueError
        If there is none, or one is not finite.
    """

    numbers: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.numbers or not np.isfinite(self.numbers).all():
            msg = f"numbers to split are finite, at least one; got {self.numbers!r}"
            raise ValueError(msg)

    @property
    def ising(self) -> IsingModel:
        """The same energy in Eq. (1)'s sign: J_ij = -2 a_i a_j, each pair once, and sum_i a_i^2 as offset."""
        a = np.asarray(self.numbers, dtype=np.float64)
        J = -2 * np.triu(np.outer(a, a), 1)
        return IsingModel(np.zeros(len(a)), J, offset=float(a @ a))
