"""Rotations about X and phases of a state vector: the two exponentials that an anneal is split into.

A state of n qubits is two arrays of 2**n float64, its real and its imaginary parts. Bit b of a basis index, 0 the least
significant, is qubit n - 1 - b. A stage is

    psi -> prod_b exp(i angle_b X_b) exp(-i phase E(z)) psi,

E the energies of the basis states, (2**n,). A rotation mixes amplitudes whose indices differ in one bit,

    (psi_0, psi_1) -> (c psi_0 + i s psi_1, c psi_1 + i s psi_0),    c = cos(angle), s = sin(angle).

The lower bits are rotated within blocks of 2**`NUM_LOW` amplitudes, the higher ones within a few columns of the array
whose rows are the blocks, so that both stay in the cache and memory is passed over twice a stage. Blocks, and columns,
do not depend on each other: a front may hand them to several threads.

- cosines, sines (num_stages, n) float64, by bit;
- phases (num_stages,) float64.
"""

import numpy as np

from annealnn.kernels._compile import contracted
from annealnn.kernels._rotations import NUM_BITS, rotate_six

# blocks of 64 KiB each for the two parts and the energies: half the level-2 cache of common processors
NUM_LOW = 13
# columns that are rotated together: with 128 rows, 512 KiB
_COLUMNS = 256

# pi/2 in two parts, so that k times the first is exact for k below 2**20 (Cody & Waite 1980)
_HALF_PI_HIGH, _HALF_PI_LOW = 1.57079632673412561417, 6.07710050650619224932e-11
_TWO_OVER_PI = 2.0 / np.pi


@contracted
def _turn(re, im, energies, phase):
    """Multiply by exp(-i phase E).

    sin and cos of the remainder after multiples of pi/2 are polynomials (fdlibm, k_sin.c and k_cos.c), without a
    branch, so that the loop runs on vectors.
    """
    for z in range(re.shape[0]):
        x = -phase * energies[z]
        k = np.rint(x * _TWO_OVER_PI)
        r = (x - k * _HALF_PI_HIGH) - k * _HALF_PI_LOW
        rr = r * r
        p = 2.75573137070700676789e-06 + rr * (-2.50507602534068634195e-08 + rr * 1.58969099521155010221e-10)
        p = -1.66666666666666324348e-01 + rr * (
            8.33333333332248946124e-03 + rr * (-1.98412698298579493134e-04 + rr * p)
        )
        s = r + r * rr * p
        p = -2.75573143513906633035e-07 + rr * (2.08757232129817482790e-09 + rr * -1.13596475577881948265e-11)
        p = 4.16666666666666019037e-02 + rr * (-1.38888888888741095749e-03 + rr * (2.48015872894767294178e-05 + rr * p))
        c = 1.0 - 0.5 * rr + rr * rr * p
        quadrant = k - 4.0 * np.floor(k * 0.25)
        odd = (quadrant == 1.0) | (quadrant == 3.0)
        cosine = s if odd else c
        sine = c if odd else s
        if (quadrant == 1.0) | (quadrant == 2.0):
            cosine = -cosine
        if quadrant >= 2.0:
            sine = -sine
        a, b = re[z], im[z]
        re[z] = a * cosine - b * sine
        im[z] = a * sine + b * cosine


@contracted
def _rotate_lowest(re, im, cosines, sines):
    """Rotate bits 0 to 5."""
    for start in range(0, re.shape[0], 64):
        rotate_six(re, im, start, cosines, sines)


@contracted
def _rotate_two(re, im, w, c0, s0, c1, s1):
    """Rotate the bits of weights w and 2 w."""
    for k in range(0, re.shape[0], 4 * w):
        r0, r1 = re[k : k + w], re[k + w : k + 2 * w]
        r2, r3 = re[k + 2 * w : k + 3 * w], re[k + 3 * w : k + 4 * w]
        i0, i1 = im[k : k + w], im[k + w : k + 2 * w]
        i2, i3 = im[k + 2 * w : k + 3 * w], im[k + 3 * w : k + 4 * w]
        for j in range(w):
            a0, a1, a2, a3 = r0[j], r1[j], r2[j], r3[j]
            b0, b1, b2, b3 = i0[j], i1[j], i2[j], i3[j]
            a0, b0, a1, b1 = c0 * a0 - s0 * b1, c0 * b0 + s0 * a1, c0 * a1 - s0 * b0, c0 * b1 + s0 * a0
            a2, b2, a3, b3 = c0 * a2 - s0 * b3, c0 * b2 + s0 * a3, c0 * a3 - s0 * b2, c0 * b3 + s0 * a2
            a0, b0, a2, b2 = c1 * a0 - s1 * b2, c1 * b0 + s1 * a2, c1 * a2 - s1 * b0, c1 * b2 + s1 * a0
            a1, b1, a3, b3 = c1 * a1 - s1 * b3, c1 * b1 + s1 * a3, c1 * a3 - s1 * b1, c1 * b3 + s1 * a1
            r0[j], r1[j], r2[j], r3[j] = a0, a1, a2, a3
            i0[j], i1[j], i2[j], i3[j] = b0, b1, b2, b3


@contracted
def _rotate_one(re, im, w, c, s):
    """Rotate the bit of weight w."""
    for k in range(0, re.shape[0], 2 * w):
        r0, r1 = re[k : k + w], re[k + w : k + 2 * w]
        i0, i1 = im[k : k + w], im[k + w : k + 2 * w]
        for j in range(w):
            a0, a1, b0, b1 = r0[j], r1[j], i0[j], i1[j]
            r0[j], r1[j] = c * a0 - s * b1, c * a1 - s * b0
            i0[j], i1[j] = c * b0 + s * a1, c * b1 + s * a0


@contracted
def _rotate_block(re, im, cosines, sines, num_bits):
    """Rotate bits 0 to `num_bits` of a block of 2**num_bits amplitudes."""
    bit = 0
    if num_bits >= NUM_BITS:
        _rotate_lowest(re, im, cosines, sines)
        bit = NUM_BITS
    while bit + 2 <= num_bits:
        _rotate_two(re, im, 1 << bit, cosines[bit], sines[bit], cosines[bit + 1], sines[bit + 1])
        bit += 2
    if bit < num_bits:
        _rotate_one(re, im, 1 << bit, cosines[bit], sines[bit])


@contracted
def turn_and_rotate_blocks(re, im, energies, phase, cosines, sines, first, last):
    """Give blocks `first` to `last` their phases, then rotate the lower bits."""
    num_bits = min(NUM_LOW, cosines.shape[0])
    size = 1 << num_bits
    for block in range(first, last):
        k = block * size
        _turn(re[k : k + size], im[k : k + size], energies[k : k + size], phase)
        _rotate_block(re[k : k + size], im[k : k + size], cosines, sines, num_bits)


@contracted
def rotate_columns(re, im, cosines, sines, first, last):
    """Rotate the higher bits of columns `first` to `last` of the arrays (num_blocks, block size)."""
    num_blocks = re.shape[0]
    for left in range(first, last, _COLUMNS):
        right = min(left + _COLUMNS, last)
        for b in range(NUM_LOW, cosines.shape[0]):
            w, c, s = 1 << (b - NUM_LOW), cosines[b], sines[b]
            for k in range(num_blocks):
                if k & w == 0:
                    r0, r1 = re[k, left:right], re[k + w, left:right]
                    i0, i1 = im[k, left:right], im[k + w, left:right]
                    for j in range(right - left):
                        a0, a1, b0, b1 = r0[j], r1[j], i0[j], i1[j]
                        r0[j], r1[j] = c * a0 - s * b1, c * a1 - s * b0
                        i0[j], i1[j] = c * b0 + s * a1, c * b1 + s * a0


@contracted
def run_stages(re, im, energies, phases, cosines, sines):
    """Run stages one after another on the whole state, in place."""
    n = cosines.shape[1]
    size = 1 << min(NUM_LOW, n)
    num_blocks = re.shape[0] // size
    for k in range(phases.shape[0]):
        turn_and_rotate_blocks(re, im, energies, phases[k], cosines[k], sines[k], 0, num_blocks)
        if num_blocks > 1:
            rows_re, rows_im = re.reshape(num_blocks, size), im.reshape(num_blocks, size)
            rotate_columns(rows_re, rows_im, cosines[k], sines[k], 0, size)
