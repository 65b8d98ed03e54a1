"""Array types by role. Shapes are given in symbols in the docstrings that use them.

- `Bits`: int8, values 0 or 1.
- `Bools`: bool.
- `Spins`: int8, values -1 or +1.
- `Floats`: float64. `Floats32`: float32.
- `Indices`: intp, numbers of variables, edges or qubits.
- `Words`: uint32, words of random streams.
- `AnyArray`: of any type.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnyArray", "Bits", "Bools", "Floats", "Floats32", "Indices", "Spins", "Words"]

Bits: TypeAlias = NDArray[np.int8]
Bools: TypeAlias = NDArray[np.bool_]
Spins: TypeAlias = NDArray[np.int8]
Floats: TypeAlias = NDArray[np.float64]
Floats32: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.intp]
Words: TypeAlias = NDArray[np.uint32]
AnyArray: TypeAlias = NDArray[Any]
