"""Checkpoints: a folder of JSON and arrays, written beside and then renamed, never pickled."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from annealnn._files_io import replacing_folder
from annealnn.exceptions import CheckpointError
from annealnn.learning._moment_matching import LearnerState
from annealnn.models import Parameters, Structure
from annealnn.samplers import SamplerState

FORMAT = 1
_ARRAYS = ("fields", "couplings", "field_velocity", "coupling_velocity", "spins", "streams")


def save_checkpoint(folder: Path, state: LearnerState, structure: Structure, record: dict[str, Any]) -> None:
    """Write state, graph and a JSON-able record to `folder`, all of it or nothing."""
    with replacing_folder(folder) as fresh:
        content = {
            "format": FORMAT,
            "iteration": state.iteration,
            "graph": {"labels": list(structure.labels), "edges": structure.edges.tolist()},
            "record": record,
        }
        (fresh / "checkpoint.json").write_text(json.dumps(content, default=_plain), encoding="utf-8")
        arrays = (*state.parameters, *state.velocity, *state.sampler)
        named: dict[str, Any] = dict(zip(_ARRAYS, arrays, strict=True))
        np.savez(fresh / "arrays.npz", **named)


def load_checkpoint(folder: Path, structure: Structure) -> tuple[LearnerState, dict[str, Any]]:
    """Return the state and the record that `save_checkpoint` wrote.

    Raises
    ------
    CheckpointError
        If the folder holds no checkpoint, a damaged one, or one for another graph.
    """
    try:
        content = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
        # opened here, so that a damaged file is closed too
        with (folder / "arrays.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            fields, couplings, field_velocity, coupling_velocity, spins, streams = (arrays[name] for name in _ARRAYS)
        version, graph, iteration, record = (content[k] for k in ("format", "graph", "iteration", "record"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        msg = (
            f"a checkpoint is a folder with checkpoint.json and arrays.npz, whole; {folder} is not: {error!r}. "
            "Start again without resuming"
        )
        raise CheckpointError(msg) from error
    if version != FORMAT:
        msg = f"this release reads checkpoints of format {FORMAT}; {folder} has format {version}"
        raise CheckpointError(msg)
    labels = json.loads(json.dumps(list(structure.labels), default=_plain))
    if graph["labels"] != labels or graph["edges"] != structure.edges.tolist():
        msg = f"a checkpoint goes on with the graph it was made for; {folder} has another. Start again without resuming"
        raise CheckpointError(msg)
    parameters, velocity = Parameters(fields, couplings), Parameters(field_velocity, coupling_velocity)
    return LearnerState(iteration, parameters, velocity, SamplerState(spins, streams)), record


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
