"""The three encodings of one two-valued thing.

spin s = -1 or +1; bit x = (1+s)/2, so 1 is spin +1; basis digit b = (1-s)/2, so 0 is spin +1 (Z|b> = (-1)^b |b>).
"""

import numpy as np

from annealnn.typing import AnyArray, Bits, Spins


def bits_to_spins(bits: AnyArray) -> Spins:
    """Return s = 2x - 1, any shape, int8."""
    return (2 * np.asarray(bits, dtype=np.int8) - 1).astype(np.int8)


def spins_to_bits(spins: AnyArray) -> Bits:
    """Return x = (1+s)/2, any shape, int8."""
    return ((np.asarray(spins, dtype=np.int8) + 1) // 2).astype(np.int8)


def basis_digits_to_spins(digits: AnyArray) -> Spins:
    """Return s = 1 - 2b, any shape, int8."""
    return (1 - 2 * np.asarray(digits, dtype=np.int8)).astype(np.int8)


def spins_to_basis_digits(spins: AnyArray) -> Bits:
    """Return b = (1-s)/2, any shape, int8."""
    return ((1 - np.asarray(spins, dtype=np.int8)) // 2).astype(np.int8)
