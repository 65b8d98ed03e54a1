"""Constructor arguments that the machines share: their rules, and what they say of a sampler."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from annealnn._validation import check_choice, check_count, check_number
from annealnn.estimators._snapshot import callbacks_of
from annealnn.learning import SCHEDULES
from annealnn.models import Structure
from annealnn.registry import SamplerSpec


def check_penalty(name: str, value: Any) -> tuple[float, float]:
    """Return a penalty as a pair: of couplings among visible units, and of those of hidden units."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return check_number(name, value[0], low=0.0), check_number(name, value[1], low=0.0)
    if isinstance(value, tuple | list):
        msg = f"{name} is a number, or a pair (among visible units, of hidden units); got {value!r}"
        raise ValueError(msg)
    return (check_number(name, value, low=0.0),) * 2


_RULES: dict[str, Callable[[str, Any], Any]] = {
    "n_iter": check_count,
    "monitor_every": check_count,
    "n_ais_runs": partial(check_count, minimum=2),
    "n_ais_steps": partial(check_count, minimum=2),
    "n_iter_no_change": check_count,
    "learning_rate": partial(check_number, low=0.0, open_low=True),
    "momentum": partial(check_number, low=0.0, high=0.999),
    "min_variance": partial(check_number, low=0.0, open_low=True),
    "average": partial(check_number, low=0.0, high=1.0),
    "weight_decay": check_penalty,
    "l1": check_penalty,
    "weight_scale": partial(check_number, low=0.0),
    "tol": partial(check_number, low=0.0),
    "validation_fraction": partial(check_number, low=0.0, high=0.9, open_low=True),
    "schedule": partial(check_choice, choices=SCHEDULES),
    "positive_phase": partial(check_choice, choices=["auto", "exact", "mean-field", "sampling"]),
    "negative_phase": partial(check_choice, choices=["persistent", "contrastive"]),
    "missing": partial(check_choice, choices=["error", "marginalise"]),
    "progress": partial(check_choice, choices=["auto", True, False]),
    "calibrate": partial(check_choice, choices=[True, False]),
    "centering": partial(check_choice, choices=[True, False]),
    "early_stopping": partial(check_choice, choices=[True, False]),
}


def check_parameters(machine: Any) -> None:
    """Check the arguments that need no data.

    Raises
    ------
    ValueError
        Naming the argument, its rule and what came.
    """
    for name, rule in _RULES.items():
        if hasattr(machine, name):
            rule(name, getattr(machine, name))
    if getattr(machine, "binarize", None) is not None:
        check_number("binarize", machine.binarize, low=-np.inf)
    callbacks_of(machine.callbacks)
    if machine.checkpoint is not None and not isinstance(machine.checkpoint, str | PathLike):
        msg = f"checkpoint is None or the path of a folder; got {machine.checkpoint!r}"
        raise ValueError(msg)
    if machine.checkpoint is not None and Path(machine.checkpoint).is_file():
        msg = f"checkpoint is the path of a folder; {str(machine.checkpoint)!r} is a file"
        raise ValueError(msg)
    if machine.resume and machine.checkpoint is None:
        msg = "resume=True goes on from a checkpoint; got checkpoint=None. Name its folder"
        raise ValueError(msg)


def structure_of(graph: Any, num_units: int) -> Structure:
    """Return the structure of a machine's `graph` argument over units 0..num_units-1.

    Raises
    ------
    ValueError
        If it is no graph over these units.
    """
    if graph is None:
        return Structure.complete(num_units)
    edges = graph.edges if isinstance(graph, nx.Graph) else graph
    if isinstance(edges, Iterator):
        msg = f"graph is kept and read at every fit, so it is no iterator; got {graph!r}. Make a list of it"
        raise ValueError(msg)
    try:
        pairs = np.array([tuple(edge) for edge in edges])
    except (TypeError, ValueError) as error:
        msg = f"graph is None, a networkx.Graph or pairs of unit numbers; got {graph!r}"
        raise ValueError(msg) from error
    if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu"):
        msg = (
            f"graph holds pairs of unit numbers 0..{num_units - 1} (features, then classes); "
            f"got an array of shape {pairs.shape}, type {pairs.dtype}"
        )
        raise ValueError(msg)
    return Structure(num_units, pairs.reshape(-1, 2))


def describe_sampler(sampler: Any) -> str:
    """Return what identifies a `sampler` argument in a checkpoint; never a credential."""
    if sampler is None or isinstance(sampler, str):
        return repr(sampler)
    if isinstance(sampler, SamplerSpec):
        # every number of an array, to its last digit, whatever the user's way to print them
        with np.printoptions(threshold=sys.maxsize, floatmode="unique", suppress=False, linewidth=75, legacy=False):
            opening = [("opening", sorted(sampler.shaping.items()))] if sampler.shaping else []
            digest = hashlib.sha256(repr(sorted(sampler.parameters.items()) + opening).encode()).hexdigest()
        return f"{sampler.name} {digest[:16]}"
    return type(sampler).__name__
