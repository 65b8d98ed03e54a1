"""Values of variables that come as keywords, in the form of a problem."""

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import dimod
import numpy as np

from annealnn.typing import AnyArray

_UNUSED = 3  # of a qubit that is not used, in a processor's `initial_state`


def low_value(bqm: dimod.BinaryQuadraticModel) -> int:
    """Return the lower value of the problem's form: -1 of a spin, 0 of a bit. The other is 1."""
    return -1 if bqm.vartype is dimod.SPIN else 0


def states_of(given: Any, bqm: dimod.BinaryQuadraticModel, variables: Collection[Hashable]) -> AnyArray:
    """Return initial states of `variables`, (num_states, num_variables), in the problem's form.

    Parameters
    ----------
    given : samples-like
        One state for each read, in spin or binary form, of those variables or of more of the problem's.
    bqm : dimod.BinaryQuadraticModel
    variables : collection of labels

    Raises
    ------
    ValueError
        If a variable is missing or unknown, or values are neither spins nor bits.
    """
    rows, labels = dimod.as_samples(given)
    columns = {label: k for k, label in enumerate(labels)}
    if missing := [v for v in variables if v not in columns]:
        msg = f"initial_states have a value for every variable of the problem; got none for {missing[0]!r}"
        raise ValueError(msg)
    if unknown := [v for v in columns if v not in bqm.variables]:
        msg = f"initial_states name variables of the problem; got {unknown[0]!r}"
        raise ValueError(msg)
    values = set(np.unique(rows).tolist())
    if not (values <= {-1, 1} or values <= {0, 1}):
        msg = f"initial_states are spins, -1 or +1, or bits, 0 or 1; got {sorted(values)}"
        raise ValueError(msg)
    picked = rows[:, np.array([columns[v] for v in variables], dtype=np.intp)]
    return np.where(picked > 0, 1, low_value(bqm)).astype(np.int8)


def check_values(name: str, given: Any, bqm: dimod.BinaryQuadraticModel) -> dict[Hashable, int]:
    """Return a mapping from label to value in the problem's form, or 3 in a processor's `initial_state`.

    Raises
    ------
    ValueError
        If it is no mapping, or a value is not of the problem's form.
    """
    if not isinstance(given, Mapping):
        msg = f"{name} is a mapping from variable to value; got {given!r}"
        raise ValueError(msg)
    allowed = (low_value(bqm), 1, *([_UNUSED] if name == "initial_state" else []))
    for label, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or value not in allowed:
            msg = (
                f"{name} has the values of a problem in {bqm.vartype.name} form, {allowed[0]} or {allowed[1]}; "
                f"got {value!r} for {label!r}"
            )
            raise ValueError(msg)
    return {label: int(value) for label, value in given.items()}
