"""Slow readable twins of the kernels of dynamics: see `_twins`."""

import numpy as np

from annealnn.typing import Floats


def transverse_product_reference(
    energies: Floats, problem: float, fields: Floats, parity: int, vector: Floats, out: Floats
) -> None:
    """Twin of `transverse_product`: on all basis states, of which a parity keeps the first half."""
    n = len(fields)
    states = np.arange(2**n)
    whole = vector if parity == 0 else np.concatenate([vector, parity * vector[::-1]])
    flipped = sum(field * whole[states ^ (1 << (n - 1 - i))] for i, field in enumerate(fields))
    out[:] = problem * energies * vector - np.broadcast_to(flipped, 2**n)[: len(out)]
