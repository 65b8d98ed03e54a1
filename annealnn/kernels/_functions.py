"""Exponential, logarithm and hyperbolic tangent of 32 floats, and a choice of bits, short enough for an inner loop."""

import numpy as np

from annealnn.kernels._compile import inlined
from annealnn.kernels._lanes import choose, clamp, exponent, less, mantissa, multiply_add, power_of_two, splat

_ONE = np.float32(1.0)
_MINUS_TWO_LOG2_E = np.float32(-2.0 / np.log(2.0))
# a float of this size keeps no fraction: adding it rounds to whole numbers
_ROUNDER = np.float32(1.5 * 2**23)
_LOW, _HIGH = np.float32(-126.0), np.float32(126.0)
# minimax fits: 2**r on [-1/2, 1/2] by 1 + c1 r + ... + c5 r**5, and log2(1 + t) on [0, 1) by d0 + d1 t + ... + d6 t**6
_C1, _C2, _C3, _C4, _C5 = (np.float32(c) for c in (0.693147, 0.24022242, 0.055507336, 0.009671513, 0.0013264726))
_D0, _D1, _D2, _D3, _D4, _D5, _D6 = (
    np.float32(d) for d in (1.8457e-06, 1.4424953, -0.7177911, 0.45652157, -0.2765406, 0.12100209, -0.025691038)
)
# log2(1 + z) / z on [0, 1] by e0 + e1 z + ... + e8 z**8
_E0, _E1, _E2, _E3, _E4, _E5, _E6, _E7, _E8 = (
    np.float32(e)
    for e in (
        1.442695, -0.7213395, 0.4806789, -0.35829908, 0.27522120, -0.19623895, 0.11183207, -0.04194501, 0.007395402
    )
)  # fmt: skip
# tanh(x) / x = 1 + a1 x**2 + a2 x**4 + ..., its Taylor series, below x = 1/4
_SMALL = np.float32(0.25)
_A1, _A2, _A3, _A4 = (np.float32(a) for a in (-1 / 3, 2 / 15, -17 / 315, 62 / 2835))


@inlined
def exponential2(y):
    """Return 2**y, with y brought between -126 and 126; relative error below 3e-7."""
    y = clamp(y, _LOW, _HIGH)
    whole = (y + splat(_ROUNDER)) - splat(_ROUNDER)
    r = y - whole
    square = r * r
    low = multiply_add(splat(_C1), r, splat(_ONE))
    middle = multiply_add(splat(_C3), r, splat(_C2))
    high = multiply_add(splat(_C5), r, splat(_C4))
    return multiply_add(multiply_add(high, square, middle), square, low) * power_of_two(whole)


@inlined
def logarithm2(x):
    """Return log2(x) of positive normal floats; absolute error below 3e-6."""
    t = mantissa(x) - splat(_ONE)
    square = t * t
    low = multiply_add(splat(_D1), t, splat(_D0))
    middle = multiply_add(splat(_D3), t, splat(_D2))
    high = multiply_add(splat(_D6), square, multiply_add(splat(_D5), t, splat(_D4)))
    return exponent(x) + multiply_add(multiply_add(high, square, middle), square, low)


@inlined
def logarithm2_plus_one(z):
    """Return log2(1 + z) of floats between 0 and 1; absolute error below 2e-7."""
    square = z * z
    first = multiply_add(splat(_E1), z, splat(_E0))
    second = multiply_add(splat(_E3), z, splat(_E2))
    third = multiply_add(splat(_E5), z, splat(_E4))
    fourth = multiply_add(splat(_E8), square, multiply_add(splat(_E7), z, splat(_E6)))
    high = multiply_add(fourth, square, third)
    return z * multiply_add(multiply_add(high, square, second), square, first)


@inlined
def hyperbolic_tangent(x):
    """Return tanh(x) of floats that are at least 0; relative error below 2e-6."""
    square = x * x
    series = splat(_A3) + splat(_A4) * square
    series = splat(_A2) + series * square
    series = splat(_A1) + series * square
    near = x + x * (series * square)
    decay = exponential2(splat(_MINUS_TWO_LOG2_E) * x)
    far = (splat(_ONE) - decay) / (splat(_ONE) + decay)
    return choose(less(x, splat(_SMALL)), near, far)


@inlined
def keep(new, old, held):
    """Return the word `new`, with the bits of `old` where those of `held` are 1."""
    return np.uint32(new ^ ((new ^ old) & held))
