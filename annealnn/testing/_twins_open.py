"""Slow readable twins of the open-system solvers: operators as dense matrices, sums written out."""

from collections.abc import Callable

import numpy as np

from annealnn.typing import AnyArray, Floats


def davies_dissipator_reference(
    energies: Floats, vectors: Floats, signs: Floats, rate: Callable[[float], float], rho: AnyArray
) -> AnyArray:
    """Twin of `DaviesGenerator.dissipated`: sum over qubits and frequencies of gamma (A rho A^+ - {A^+ A, rho} / 2)."""
    size = len(energies)
    frequencies: list[float] = []
    for omega in sorted(energies[b] - energies[a] for a in range(size) for b in range(size)):
        if not frequencies or omega - frequencies[-1] > 1e-7:
            frequencies.append(omega)
    out = np.zeros((size, size), dtype=complex)
    for sign in signs:
        coupled = vectors.T @ np.diag(sign) @ vectors
        for omega in frequencies:
            lowering = np.zeros((size, size))
            for a in range(size):
                for b in range(size):
                    if abs(energies[b] - energies[a] - omega) <= 1e-7:
                        lowering += coupled[a, b] * np.outer(vectors[:, a], vectors[:, b])
            loss = lowering.T @ lowering
            out += rate(omega) * (lowering @ rho @ lowering.T - (loss @ rho + rho @ loss) / 2)
    return out
