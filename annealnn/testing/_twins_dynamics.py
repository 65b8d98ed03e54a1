"""Slow readable twins of the kernels of dynamics: see `_twins`."""

import numpy as np

from annealnn.kernels.statevector import NUM_LOW
from annealnn.typing import AnyArray, Floats


def transverse_product_reference(
    energies: Floats, problem: float, fields: Floats, parity: int, vector: Floats, out: Floats
) -> None:
    """Twin of `transverse_product`: on all basis states, of which a parity keeps the first half."""
    n = len(fields)
    states = np.arange(2**n)
    whole = vector if parity == 0 else np.concatenate([vector, parity * vector[::-1]])
    flipped = sum(field * whole[states ^ (1 << (n - 1 - i))] for i, field in enumerate(fields))
    out[:] = problem * energies * vector - np.broadcast_to(flipped, 2**n)[: len(out)]


def run_stages_reference(
    re: Floats, im: Floats, energies: Floats, phases: Floats, cosines: Floats, sines: Floats
) -> None:
    """Twin of `run_stages`: psi -> prod_b (c_b + i s_b X_b) exp(-i phase E) psi, X_b flips bit b."""
    psi = re + 1j * im
    for phase, c, s in zip(phases, cosines, sines, strict=True):
        psi = _rotated(psi * np.exp(-1j * phase * energies), c, s, 0)
    re[:], im[:] = psi.real, psi.imag


def turn_and_rotate_blocks_reference(
    re: Floats, im: Floats, energies: Floats, phase: float, cosines: Floats, sines: Floats, first: int, last: int
) -> None:
    """Twin of `turn_and_rotate_blocks`."""
    num_bits = min(NUM_LOW, len(cosines))
    for block in range(first, last):
        mine = slice(block << num_bits, (block + 1) << num_bits)
        psi = (re[mine] + 1j * im[mine]) * np.exp(-1j * phase * energies[mine])
        psi = _rotated(psi, cosines[:num_bits], sines[:num_bits], 0)
        re[mine], im[mine] = psi.real, psi.imag


def rotate_columns_reference(re: Floats, im: Floats, cosines: Floats, sines: Floats, first: int, last: int) -> None:
    """Twin of `rotate_columns`: a column's index is of the higher bits."""
    for column in range(first, last):
        psi = _rotated(re[:, column] + 1j * im[:, column], cosines, sines, NUM_LOW)
        re[:, column], im[:, column] = psi.real, psi.imag


def _rotated(psi: AnyArray, cosines: Floats, sines: Floats, lowest: int) -> AnyArray:
    """Return amplitudes whose index has bits `lowest` and above, each rotated."""
    shape = (2,) * (len(cosines) - lowest)
    psi = psi.reshape(shape)
    for bit in range(lowest, len(cosines)):
        psi = cosines[bit] * psi + 1j * sines[bit] * np.flip(psi, len(cosines) - 1 - bit)
    return psi.reshape(-1)
