"""The kernels of dynamics equal their twins, bit for bit: multiples of 1/64, so sums are exact."""

import numpy as np
import pytest

from annealnn.kernels.transverse import transverse_product
from annealnn.testing._twins_dynamics import transverse_product_reference


@pytest.mark.parametrize("parity", [0, 1, -1])
@pytest.mark.parametrize("num_variables", [1, 2, 3, 6, 16])
def test_transverse_product_equals_reference(num_variables, parity):
    rng = np.random.default_rng(num_variables)
    num_states = 2 ** (num_variables - abs(parity))
    energies, vector = rng.integers(-64, 65, (2, num_states)) / 64
    fields = rng.integers(-64, 65, num_variables) / 64
    found, expected = np.full((2, num_states), np.nan)
    transverse_product(energies, 0.375, fields, parity, vector, found)
    transverse_product_reference(energies, 0.375, fields, parity, vector, expected)
    np.testing.assert_array_equal(found, expected)
