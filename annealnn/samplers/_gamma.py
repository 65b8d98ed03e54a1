"""The keyword `gamma` of a sampler: one transverse field, or one for each variable."""

from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias, cast

import numpy as np

from annealnn._validation import check_number
from annealnn.models import Structure
from annealnn.typing import Floats

Gamma: TypeAlias = float | Mapping[Hashable, float] | Floats
_STRONGEST = 1e30


def is_many(gamma: Any) -> bool:
    """Return whether a transverse field is given for each variable."""
    return isinstance(gamma, Mapping) or np.ndim(gamma) > 0


def gamma_by_variable(gamma: Gamma, structure: Structure) -> Floats:
    """Return the transverse field of every variable, checked."""
    labels: tuple[Any, ...] = structure.labels
    if isinstance(gamma, Mapping):
        if missing := [label for label in labels if label not in gamma]:
            msg = f"gamma has a value for every variable; got none for {missing[0]!r}"
            raise ValueError(msg)
        if len(gamma) > len(labels):
            known = set(labels)
            stranger = next(label for label in gamma if label not in known)
            msg = f"gamma names variables of the problem and no other; got {stranger!r}"
            raise ValueError(msg)
        values: list[Any] = [gamma[label] for label in labels]
    elif not is_many(gamma):
        values = [gamma.item() if isinstance(gamma, np.ndarray) else gamma] * max(1, len(labels))
    else:
        values = list(cast("Floats", gamma))
        if np.shape(gamma) != (len(labels),):
            msg = f"gamma is one number or one per variable, shape ({len(labels)},); got shape {np.shape(gamma)}"
            raise ValueError(msg)
    fields = np.array([check_number("gamma", value, low=0.0, high=_STRONGEST) for value in values])
    return fields[: len(labels)]
