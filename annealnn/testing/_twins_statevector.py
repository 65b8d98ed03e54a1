"""Slow readable twin of the kernel that moves a state vector: see `_twins`."""

import numpy as np

from annealnn.typing import Floats


def run_stages_reference(
    re: Floats, im: Floats, energies: Floats, phases: Floats, cosines: Floats, sines: Floats
) -> None:
    """Twin of `run_stages`: psi -> prod_b (c_b + i s_b X_b) exp(-i phase E) psi, X_b flips bit b."""
    n = cosines.shape[1]
    psi = re + 1j * im
    for phase, c, s in zip(phases, cosines, sines, strict=True):
        psi = (psi * np.exp(-1j * phase * energies)).reshape((2,) * n)
        for bit in range(n):
            psi = c[bit] * psi + 1j * s[bit] * np.flip(psi, n - 1 - bit)
        psi = psi.reshape(-1)
    re[:], im[:] = psi.real, psi.imag
