"""Checkpoints: a folder with checkpoint.json and an array file, never pickled.

The array file of a new checkpoint has a new name; replacing checkpoint.json, which names it, is the one step that
makes the new checkpoint the current one. Whenever a process dies, the folder holds a whole checkpoint.

A checkpoint carries its graph. On the same graph with its variables or edges in another order, arrays are moved to
their labels; on a graph that lacks some, or has more, loading refuses and lists them.
"""

import json
import platform
import re
import secrets
from collections.abc import Hashable, Iterable, Mapping
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from annealnn._files_io import write_bytes, write_text
from annealnn.exceptions import CheckpointError
from annealnn.learning._learner import LearnerState
from annealnn.models import Parameters, Structure
from annealnn.samplers import SamplerState
from annealnn.typing import Indices

__all__ = ["FORMAT", "load", "read_record", "save", "structure_of"]

FORMAT = 4
_KEPT = "sampler.kept."
_MOST_LISTED = 12
# parameters that not every state has
_OPTIONAL = ("best", "average")


def save(folder: Path, state: LearnerState, structure: Structure, record: dict[str, Any]) -> None:
    """Write state, graph, versions and a JSON-able record to `folder`, all of it or nothing."""
    folder = Path(folder)
    arrays_file = f"arrays-{state.iteration}-{secrets.token_hex(4)}.npz"
    content = {
        "format": FORMAT,
        "iteration": state.iteration,
        "arrays": arrays_file,
        "graph": {"labels": list(structure.labels), "edges": structure.edges.tolist()},
        "versions": {"python": platform.python_version(), **{n: version(n) for n in ("annealnn", "numpy", "numba")}},
        "record": record,
    }
    buffer = BytesIO()
    np.savez(buffer, **_to_arrays(state))
    write_bytes(folder / arrays_file, buffer.getvalue())
    write_text(folder / "checkpoint.json", json.dumps(content, default=_plain))
    # those of the checkpoint before, and what a process that was killed had begun to write
    for pattern in ("arrays-*.npz", ".arrays-*.npz-*", ".checkpoint.json-*"):
        for old in folder.glob(pattern):
            if old.name != arrays_file:
                old.unlink()


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a checkpoint.

    Raises
    ------
    CheckpointError
        If the folder holds no checkpoint, or a damaged one.
    """
    record: dict[str, Any] = _read(Path(folder))["record"]
    return record


def structure_of(folder: Path) -> Structure:
    """Return the graph of a checkpoint, with its labels.

    Raises
    ------
    CheckpointError
        If the folder holds no checkpoint, or a damaged one.
    """
    folder = Path(folder)
    graph = _read(folder)["graph"]
    try:
        labels = tuple(_label(label) for label in graph["labels"])
        return Structure(len(labels), np.array(graph["edges"], dtype=np.intp).reshape(-1, 2), labels)
    except Exception as error:  # what others wrote may break reading in any way
        raise _damaged(folder, f"its graph is none: {error!r}") from error


def load(
    folder: Path, structure: Structure | None = None, sizes: tuple[int, int] | None = None
) -> tuple[LearnerState, dict[str, Any]]:
    """Return the state and the record that `save` wrote. Nothing of a checkpoint is ever run.

    Parameters
    ----------
    folder : path
    structure : Structure, optional
        The graph to go on with, its labels those of the checkpoint's in any order. None takes the checkpoint's own.
    sizes : (num_fields, num_couplings), optional
        Of parameters that are not those of the graph: they are taken as they are. None: one for each variable and edge.

    Raises
    ------
    CheckpointError
        If the folder holds no checkpoint or a damaged one; or if the graphs differ by more than their order: then the
        variables and edges that are missing are listed.
    """
    folder = Path(folder)
    content, own = _read(folder), structure_of(folder)
    state = _from_arrays(folder, content, own, sizes or (own.num_variables, own.num_edges))
    if structure is None or (structure.labels == own.labels and np.array_equal(structure.edges, own.edges)):
        return state, content["record"]
    return _moved(state, _places(folder, own, structure)), content["record"]


class _Places(NamedTuple):
    """Where the new graph's variables and edges are in the checkpoint's."""

    variables: Indices  #: (num_variables,)
    edges: Indices  #: (num_edges,)


def _places(folder: Path, own: Structure, wanted: Structure) -> _Places:
    label_of = [_label(json.loads(json.dumps(label, default=_plain))) for label in wanted.labels]
    edges = [{_edge(labels[i], labels[j]) for i, j in s.edges} for s, labels in ((own, own.labels), (wanted, label_of))]
    faults = [
        _listed("the graph at hand lacks variables", set(own.labels) - set(label_of)),
        _listed("the graph at hand lacks edges", edges[0] - edges[1]),
        _listed("the checkpoint lacks variables", set(label_of) - set(own.labels)),
        _listed("the checkpoint lacks edges", edges[1] - edges[0]),
    ]
    if any(faults):
        msg = (
            f"a checkpoint goes on with the graph it was made for; {folder} has another: "
            f"{'; '.join(filter(None, faults))}. Start again without resuming"
        )
        raise CheckpointError(msg)
    place = {label: k for k, label in enumerate(own.labels)}
    number = {_edge(own.labels[i], own.labels[j]): k for k, (i, j) in enumerate(own.edges)}
    return _Places(
        np.array([place[label] for label in label_of], dtype=np.intp),
        np.array([number[_edge(label_of[i], label_of[j])] for i, j in wanted.edges], dtype=np.intp),
    )


def _moved(state: LearnerState, places: _Places) -> LearnerState:
    def parameters(old: Parameters) -> Parameters:
        return Parameters(old.fields[places.variables], old.couplings[places.edges])

    spins, streams, kept = state.sampler
    n = len(places.variables)
    kept = {
        name: array[:, places.variables] if array.ndim > 1 and array.shape[1] == n else array
        for name, array in kept.items()
    }
    return LearnerState(
        state.iteration,
        parameters(state.parameters),
        parameters(state.velocity),
        SamplerState(np.ascontiguousarray(spins[:, places.variables]), streams, kept),
        None if state.units is None else np.ascontiguousarray(state.units[:, places.variables]),
        *(None if part is None else parameters(part) for part in (state.best, state.average)),
    )


def _to_arrays(state: LearnerState) -> dict[str, Any]:
    spins, streams, kept = state.sampler
    named: dict[str, Any] = {"sampler.spins": spins, "sampler.streams": streams}
    named |= {_KEPT + name: array for name, array in kept.items()}
    for part in ("parameters", "velocity", *_OPTIONAL):
        if (values := getattr(state, part)) is not None:
            named |= {f"{part}.fields": values.fields, f"{part}.couplings": values.couplings}
    if state.units is not None:
        named["units"] = state.units
    return named


def _from_arrays(
    folder: Path, content: Mapping[str, Any], structure: Structure, sizes: tuple[int, int]
) -> LearnerState:
    try:
        # opened here, so that a damaged file is closed too
        with (folder / content["arrays"]).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            named = {name: np.asarray(arrays[name]) for name in arrays.files}
    except Exception as error:  # what others wrote may break reading in any way
        raise _damaged(folder, repr(error)) from error
    n, rows = structure.num_variables, np.shape(named.get("sampler.spins", ()))[:1]
    wanted: dict[str, tuple[tuple[int, ...], type]] = {
        "sampler.spins": ((*rows, n), np.int8),
        "sampler.streams": ((*rows, 4), np.uint32),
    }
    for part in ("parameters", "velocity", *(part for part in _OPTIONAL if f"{part}.fields" in named)):
        wanted |= {f"{part}.fields": (sizes[:1], np.float64), f"{part}.couplings": (sizes[1:], np.float64)}
    if "units" in named:
        wanted["units"] = ((*named["units"].shape[:1], n), np.int8)
    wrong = [
        name
        for name, (shape, kind) in wanted.items()
        if name not in named or named[name].shape != shape or named[name].dtype != kind
    ]
    wrong += [name for name, array in named.items() if name.startswith(_KEPT) and array.shape[:1] != rows]
    if wrong:
        raise _damaged(folder, f"its arrays {wrong} are missing, or have other shapes or types")
    if any((abs(named[name]) != 1).any() for name in ("sampler.spins", "units") if name in named):
        raise _damaged(folder, "its spins are not all -1 or +1")

    def parameters(part: str) -> Parameters:
        return Parameters(named[f"{part}.fields"], named[f"{part}.couplings"])

    kept = {name.removeprefix(_KEPT): array for name, array in named.items() if name.startswith(_KEPT)}
    return LearnerState(
        content["iteration"],
        parameters("parameters"),
        parameters("velocity"),
        SamplerState(named["sampler.spins"], named["sampler.streams"], kept),
        named.get("units"),
        *(parameters(part) if f"{part}.fields" in named else None for part in _OPTIONAL),
    )


def _read(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
    except Exception as error:  # what others wrote may break reading in any way
        raise _damaged(folder, repr(error)) from error
    if not isinstance(content, dict) or not {"format", "iteration", "arrays", "graph", "record"} <= set(content):
        raise _damaged(folder, "checkpoint.json lacks entries")
    if content["format"] != FORMAT:
        msg = f"this release reads checkpoints of format {FORMAT}; {folder} has format {content['format']}"
        raise CheckpointError(msg)
    if not isinstance(content["record"], dict):
        raise _damaged(folder, "its record is no object")
    if type(content["iteration"]) is not int or content["iteration"] < 0:
        raise _damaged(folder, f"its iteration is {content['iteration']!r}")
    if not isinstance(content["arrays"], str) or not re.fullmatch(r"arrays-\d+-[0-9a-f]+\.npz", content["arrays"]):
        raise _damaged(folder, f"its arrays are no file beside it: {content['arrays']!r}")
    return content


def _damaged(folder: Path, how: str) -> CheckpointError:
    return CheckpointError(
        f"a checkpoint is a folder with checkpoint.json and the array file it names, whole; {folder} is not: {how}. "
        "Start again without resuming"
    )


def _listed(what: str, items: Iterable[Any]) -> str:
    found = sorted((tuple(item) if isinstance(item, frozenset) else item for item in items), key=repr)
    if not found:
        return ""
    shown = ", ".join(map(repr, found[:_MOST_LISTED])) + (", ..." if len(found) > _MOST_LISTED else "")
    return f"{what} {shown} ({len(found)})"


def _edge(a: Hashable, b: Hashable) -> frozenset[Hashable]:
    return frozenset((a, b))


def _label(value: Any) -> Hashable:
    """Return a label as it was before JSON made lists of tuples."""
    return tuple(_label(part) for part in value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
