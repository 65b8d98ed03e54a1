"""What is kept of reads beside their energies."""

import hashlib
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

import numpy as np

from annealnn.diagnostics import effective_beta
from annealnn.models import IsingModel
from annealnn.typing import Floats, Spins

#: largest number of variables whose states are counted one by one
MAX_STATES_VARIABLES = 20


def measure_names() -> list[str]:
    """Return the names of all measures."""
    return list(_MEASURES)


def check_measures(names: Sequence[str], num_variables: int | None = None) -> None:
    """Check that measures are known, and, given a number of variables, that they can be taken.

    Raises
    ------
    ValueError
        If one is not, or cannot.
    """
    for name in names:
        if name not in _MEASURES:
            msg = f"a measure is one of {', '.join(_MEASURES)}; got {name!r}"
            raise ValueError(msg)
    if "states" in names and num_variables is not None and num_variables > MAX_STATES_VARIABLES:
        msg = (
            f"'states' are counted up to {MAX_STATES_VARIABLES} variables; got {num_variables}. "
            "Leave this measure out, or take a smaller problem"
        )
        raise ValueError(msg)


def take_measures(names: Sequence[str], model: IsingModel, spins: Spins, energies: Floats) -> dict[str, Any]:
    """Return measures of reads by name, as JSON holds them; a number that is not finite becomes None.

    Parameters
    ----------
    names : sequence of str
        As `check_measures` takes them.
    model : IsingModel
    spins : (num_reads, num_variables), -1 or +1
    energies : (num_reads,)
        Of these spins, offset included.

    Returns
    -------
    dict
        - "overlaps": `num_spins`; `values`, ascending, of sum_i s_i s'_i over disjoint pairs of reads (2k, 2k+1), and
          their `counts`. An odd last read is in no pair.
        - "states": `indices`, ascending, and their `counts`; index = sum_i bit_i 2^(n-1-i), bit 1 being spin +1.
        - "effective-beta": `value`, `standard_error`, 1/energy, and `method`. The value is None if every read is a
          local minimum, which no finite beta explains.
        - "energy-moments": `mean`, `variance` (unbiased; None of one read) and `num_reads`.
        - "valleys": `num_reads`, and `valleys`: for each minimum that steepest descent reaches from a read, a `key` (a
          hash of its spins), its `energy` and the `count` of reads that lead there; lowest first.
    """
    return {name: _MEASURES[name](model, spins, energies) for name in names}


def _overlaps(_model: IsingModel, spins: Spins, _energies: Floats) -> dict[str, Any]:
    num_pairs = len(spins) // 2
    first, second = spins[: 2 * num_pairs : 2], spins[1 : 2 * num_pairs : 2]
    values, counts = np.unique(np.einsum("ri,ri->r", first, second, dtype=np.int64), return_counts=True)
    return {"num_spins": spins.shape[1], "values": values.tolist(), "counts": counts.tolist()}


def _states(_model: IsingModel, spins: Spins, _energies: Floats) -> dict[str, Any]:
    places = 1 << np.arange(spins.shape[1] - 1, -1, -1, dtype=np.int64)
    indices, counts = np.unique((spins > 0) @ places, return_counts=True)
    return {"indices": indices.tolist(), "counts": counts.tolist()}


def _effective_beta(model: IsingModel, spins: Spins, _energies: Floats) -> dict[str, Any]:
    value, error = effective_beta(model.structure, model.parameters, spins)
    return {"value": _finite(value), "standard_error": _finite(error), "method": "pseudo-likelihood"}


def _energy_moments(_model: IsingModel, _spins: Spins, energies: Floats) -> dict[str, Any]:
    variance = float(energies.var(ddof=1)) if len(energies) > 1 else None
    return {"mean": float(energies.mean()), "variance": variance, "num_reads": len(energies)}


def _valleys(model: IsingModel, spins: Spins, _energies: Floats) -> dict[str, Any]:
    # plans ask for names alone, and need not wait for the samplers
    from annealnn.samplers.composites._steepest_descent import descend

    minima, _ = descend(model, spins)
    # a row of bits as one value: sorting bytes is quicker than sorting rows of numbers
    packed = np.ascontiguousarray(np.packbits(minima > 0, axis=1))
    rows = packed.view(np.dtype((np.void, packed.shape[1]))).ravel() if packed.size else np.zeros(len(spins), "V1")
    _, first, counts = np.unique(rows, return_index=True, return_counts=True)
    found = [
        {"key": hashlib.blake2b(packed[read].tobytes(), digest_size=8).hexdigest(), "energy": energy, "count": count}
        for read, energy, count in zip(first, model.energy(minima[first]).tolist(), counts.tolist(), strict=True)
    ]
    return {"valleys": sorted(found, key=lambda valley: (valley["energy"], valley["key"])), "num_reads": len(spins)}


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None


_MEASURES: dict[str, Callable[[IsingModel, Spins, Floats], dict[str, Any]]] = {
    "overlaps": _overlaps,
    "states": _states,
    "effective-beta": _effective_beta,
    "energy-moments": _energy_moments,
    "valleys": _valleys,
}
