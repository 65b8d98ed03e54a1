"""Array types by role. Shapes are given in symbols in the docstrings that use them."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bits: TypeAlias = NDArray[np.int8]
Spins: TypeAlias = NDArray[np.int8]
Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]
Words: TypeAlias = NDArray[np.uint64]
AnyArray: TypeAlias = NDArray[Any]
