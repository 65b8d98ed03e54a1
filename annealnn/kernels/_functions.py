"""Exponential and logarithm of 32 floats, short enough for an inner loop."""

import numpy as np

from annealnn.kernels._compile import inlined
from annealnn.kernels._lanes import clamp, exponent, mantissa, power_of_two, splat

_ONE = np.float32(1.0)
# a float of this size keeps no fraction: adding it rounds to whole numbers
_ROUNDER = np.float32(1.5 * 2**23)
_LOW, _HIGH = np.float32(-126.0), np.float32(126.0)
# minimax fits: 2**r on [-1/2, 1/2] by 1 + c1 r + ... + c5 r**5, and log2(1 + t) on [0, 1) by d0 + d1 t + ... + d6 t**6
_C1, _C2, _C3, _C4, _C5 = (np.float32(c) for c in (0.693147, 0.24022242, 0.055507336, 0.009671513, 0.0013264726))
_D0, _D1, _D2, _D3, _D4, _D5, _D6 = (
    np.float32(d) for d in (1.8457e-06, 1.4424953, -0.7177911, 0.45652157, -0.2765406, 0.12100209, -0.025691038)
)


@inlined
def exponential2(y):
    """Return 2**y, with y brought between -126 and 126; relative error below 3e-7."""
    y = clamp(y, _LOW, _HIGH)
    whole = (y + splat(_ROUNDER)) - splat(_ROUNDER)
    r = y - whole
    square = r * r
    low = splat(_ONE) + splat(_C1) * r
    middle = splat(_C2) + splat(_C3) * r
    high = splat(_C4) + splat(_C5) * r
    return (low + (middle + high * square) * square) * power_of_two(whole)


@inlined
def logarithm2(x):
    """Return log2(x) of positive normal floats; absolute error below 3e-6."""
    t = mantissa(x) - splat(_ONE)
    square = t * t
    low = splat(_D0) + splat(_D1) * t
    middle = splat(_D2) + splat(_D3) * t
    high = splat(_D4) + splat(_D5) * t + splat(_D6) * square
    return exponent(x) + (low + (middle + high * square) * square)
