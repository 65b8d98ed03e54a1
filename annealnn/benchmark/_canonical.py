"""One text for one value: what keys of instances, contestants and tasks are hashes of."""

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from annealnn.models import IsingModel


def plain(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a mapping that JSON can hold, tuples made lists.

    Raises
    ------
    ValueError
        If a value is nothing that JSON holds.
    """
    try:
        copied: dict[str, Any] = json.loads(canonical(values))
    except (TypeError, ValueError) as error:
        msg = f"{name} hold what JSON can: numbers, texts, lists, mappings; got {dict(values)!r} ({error})"
        raise ValueError(msg) from error
    return deepcopy(copied)


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, finite numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_number)


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def model_digest(model: IsingModel) -> str:
    """Return the SHA-256 of a model's labels, edges, fields, couplings and offset: equal models have one digest."""
    labels = [repr(label) for label in model.labels]
    edges = model.structure.edges
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    # a zero has a sign, which no energy shows
    h, J = (values + 0.0 for values in model.parameters)
    return digest([labels, edges[order], h, J[order], model.offset + 0.0])


def _number(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    msg = f"no JSON for {type(value).__name__}"
    raise TypeError(msg)
