"""Checkpoints: a folder with checkpoint.json and an array file, never pickled.

The array file of a new checkpoint has a new name; replacing checkpoint.json, which names it, is the one step that
makes the new checkpoint the current one. Whenever a process dies, the folder holds a whole checkpoint.
"""

import json
import platform
import secrets
import zipfile
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from annealnn._files_io import write_bytes, write_text
from annealnn.exceptions import CheckpointError
from annealnn.learning._moment_matching import LearnerState
from annealnn.models import Parameters, Structure
from annealnn.samplers import SamplerState

FORMAT = 3
_KEPT = "kept."
_ARRAYS = ("fields", "couplings", "field_velocity", "coupling_velocity", "spins", "streams")


def save_checkpoint(folder: Path, state: LearnerState, structure: Structure, record: dict[str, Any]) -> None:
    """Write state, graph, versions and a JSON-able record to `folder`, all of it or nothing."""
    arrays_file = f"arrays-{state.iteration}-{secrets.token_hex(4)}.npz"
    content = {
        "format": FORMAT,
        "iteration": state.iteration,
        "arrays": arrays_file,
        "graph": {"labels": list(structure.labels), "edges": structure.edges.tolist()},
        "versions": {"python": platform.python_version(), **{n: version(n) for n in ("annealnn", "numpy", "numba")}},
        "record": record,
    }
    spins, streams, kept = state.sampler
    named: dict[str, Any] = dict(zip(_ARRAYS, (*state.parameters, *state.velocity, spins, streams), strict=True))
    named |= {_KEPT + name: array for name, array in kept.items()}
    buffer = BytesIO()
    np.savez(buffer, **named)
    write_bytes(folder / arrays_file, buffer.getvalue())
    write_text(folder / "checkpoint.json", json.dumps(content, default=_plain))
    for old in folder.glob("arrays-*.npz"):
        if old.name != arrays_file:
            old.unlink()


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a checkpoint.

    Raises
    ------
    CheckpointError
        If the folder holds no checkpoint, or a damaged one.
    """
    record: dict[str, Any] = _read(folder)["record"]
    return record


def load_checkpoint(folder: Path, structure: Structure) -> tuple[LearnerState, dict[str, Any]]:
    """Return the state and the record that `save_checkpoint` wrote.

    Raises
    ------
    CheckpointError
        If the folder holds no checkpoint, a damaged one, or one for another graph.
    """
    content = _read(folder)
    labels = json.loads(json.dumps(list(structure.labels), default=_plain))
    if content["graph"] != {"labels": labels, "edges": structure.edges.tolist()}:
        msg = f"a checkpoint goes on with the graph it was made for; {folder} has another. Start again without resuming"
        raise CheckpointError(msg)
    try:
        # opened here, so that a damaged file is closed too
        with (folder / content["arrays"]).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            fields, couplings, field_velocity, coupling_velocity, spins, streams = (arrays[name] for name in _ARRAYS)
            kept = {name.removeprefix(_KEPT): arrays[name] for name in arrays.files if name.startswith(_KEPT)}
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(folder, repr(error)) from error
    n, m = structure.num_variables, structure.num_edges
    shapes = [a.shape for a in (fields, couplings, field_velocity, coupling_velocity, spins, streams)]
    if (
        shapes != [(n,), (m,), (n,), (m,), (len(spins), n), (len(spins), 4)]
        or streams.dtype != np.uint32
        or any(len(array) != len(spins) for array in kept.values())
    ):
        raise _damaged(folder, f"its arrays have shapes {shapes}")
    parameters, velocity = Parameters(fields, couplings), Parameters(field_velocity, coupling_velocity)
    return LearnerState(content["iteration"], parameters, velocity, SamplerState(spins, streams, kept)), content[
        "record"
    ]


def _read(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(folder, repr(error)) from error
    if not isinstance(content, dict) or not {"format", "iteration", "arrays", "graph", "record"} <= set(content):
        raise _damaged(folder, "checkpoint.json lacks entries")
    if content["format"] != FORMAT:
        msg = f"this release reads checkpoints of format {FORMAT}; {folder} has format {content['format']}"
        raise CheckpointError(msg)
    if not isinstance(content["record"], dict):
        raise _damaged(folder, "its record is no object")
    if not isinstance(content["iteration"], int) or content["iteration"] < 0:
        raise _damaged(folder, f"its iteration is {content['iteration']!r}")
    return content


def _damaged(folder: Path, how: str) -> CheckpointError:
    return CheckpointError(
        f"a checkpoint is a folder with checkpoint.json and the array file it names, whole; {folder} is not: {how}. "
        "Start again without resuming"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
