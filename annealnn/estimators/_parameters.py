"""Constructor arguments that the machines share: their rules, and what they say of a sampler."""

import hashlib
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from annealnn._validation import check_choice, check_count, check_number
from annealnn.models import Structure
from annealnn.registry import SamplerSpec


def check_parameters(machine: Any) -> None:
    """Check the arguments that need no data.

    Raises
    ------
    ValueError
        Naming the argument, its rule and what came.
    """
    check_count("n_iter", machine.n_iter)
    check_count("monitor_every", machine.monitor_every)
    check_count("n_ais_runs", machine.n_ais_runs, minimum=2)
    check_count("n_ais_steps", machine.n_ais_steps, minimum=2)
    check_number("learning_rate", machine.learning_rate, low=0.0, open_low=True)
    check_number("momentum", machine.momentum, low=0.0, high=0.999)
    if machine.binarize is not None:
        check_number("binarize", machine.binarize, low=-np.inf)
    check_choice("progress", machine.progress, ["auto", True, False])
    if machine.monitor is not None and not callable(machine.monitor):
        msg = f"monitor is None or a callable (iteration, model) -> dict of floats; got {machine.monitor!r}"
        raise ValueError(msg)
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
        digest = hashlib.sha256(repr(sorted(sampler.parameters.items())).encode()).hexdigest()
        return f"{sampler.name} {digest[:16]}"
    return type(sampler).__name__
