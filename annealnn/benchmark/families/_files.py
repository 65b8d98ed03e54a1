"""Problems in files: dimod's BQM file, and COOrdinate text."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import dimod
import numpy as np

from annealnn._files_io import write_bytes, write_text
from annealnn._validation import check_count
from annealnn.benchmark._canonical import model_digest
from annealnn.benchmark._instance import Instance, Optimum
from annealnn.benchmark.families._build import instance_of
from annealnn.benchmark.families._graphs import check_digest
from annealnn.benchmark.families._registry import Family
from annealnn.models import IsingModel, Parameters, Structure

_MAGIC = b"DIMODBQM"
_HEADER = re.compile(r"#\s*(vartype|offset)\s*[:=]\s*(\S+)")
_SUFFIXES = (".bqm", ".coo", ".txt")


def problem_file(size: int | None = None, *, seed: int = 0, path: str = "", sha256: str | None = None) -> Instance:
    """Return the problem that a file holds, and the optimum in the file beside it, if there is one.

    Parameters
    ----------
    size : int, optional
        Number of variables; counted if None.
    seed : int
        0: nothing is drawn.
    path : str
        A BQM file of dimod (`bqm.to_file()`), or COOrdinate text: a line `# vartype=SPIN` (or BINARY), then lines
        `i j bias` in dimod's sign, `i i bias` for a linear one. A line `# offset=...` is ours; dimod's reader takes it
        for a comment.
    sha256 : str, optional
        Of the file. Computed if None; it is among the options either way, and so in every key.

    Raises
    ------
    ValueError
        If the file is damaged, is not the one that the SHA-256 was taken of, or has another size; or if the optimum
        beside it belongs to another problem.
    OSError
        If it cannot be read.
    """
    if check_count("seed", seed, minimum=0):
        msg = f"nothing is drawn for a problem in a file, so its seed is 0; got {seed}"
        raise ValueError(msg)
    if not path:
        msg = "a problem in a file has a path; got none"
        raise ValueError(msg)
    file = Path(path)
    content = file.read_bytes()
    found = check_digest(path, content, sha256)
    model = _sorted(_read_bqm(path, content) if content.startswith(_MAGIC) else _read_coo(path, content))
    count = model.structure.num_variables
    if size is not None and size != count:
        msg = f"size counts the variables of the file, {count} in {path}; got {size}"
        raise ValueError(msg)
    if not count:
        msg = f"a problem has at least one variable; {path} has none"
        raise ValueError(msg)
    return instance_of("file", count, 0, model, optimum=_read_optimum(file, model), path=str(path), sha256=found)


def write_instance(instance: Instance, path: str | Path) -> Path:
    """Write a problem to a file, and its optimum, if it has one, to `<path>.optimum.json` beside it.

    `problem_file(path=...)` reads both back, every number to the last bit.

    Parameters
    ----------
    instance : Instance
    path : path
        Ends in ".bqm" for dimod's BQM file, in ".coo" or ".txt" for COOrdinate text.

    Returns
    -------
    Path
        Of the problem.

    Raises
    ------
    ValueError
        If the path has another ending, or the labels are no whole numbers and so have no COOrdinate text.
    OSError
        If the files cannot be written.
    """
    file = Path(path)
    if file.suffix not in _SUFFIXES:
        msg = f"a problem is written to a path that ends in {', '.join(_SUFFIXES)}; got {str(path)!r}"
        raise ValueError(msg)
    if file.suffix == ".bqm":
        with instance.model.to_bqm().to_file() as bqm:
            write_bytes(file, bqm.read())
    else:
        write_text(file, _coo_of(instance.model))
    beside = _optimum_path(file)
    if instance.optimum is not None:
        told = {"model": model_digest(instance.model), "optimum": instance.optimum.to_dict()}
        write_text(beside, json.dumps(told, indent=1) + "\n")
    else:
        beside.unlink(missing_ok=True)
    return file


def _optimum_path(file: Path) -> Path:
    return file.with_name(file.name + ".optimum.json")


def _read_optimum(file: Path, model: IsingModel) -> Optimum | None:
    beside = _optimum_path(file)
    if not beside.exists():
        return None
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
        of, optimum = told["model"], Optimum.from_dict(told["optimum"])
    except (ValueError, KeyError, TypeError) as error:
        msg = f"the optimum of a problem is JSON as write_instance writes it; {beside} is damaged: {error!r}"
        raise ValueError(msg) from error
    if of != model_digest(model):
        msg = f"{beside} is the optimum of another problem than {file.name} holds; write both anew, or delete it"
        raise ValueError(msg)
    return optimum


def _read_bqm(path: str, content: bytes) -> IsingModel:
    try:
        # a file that was cut short is read as if zeros followed: its own size tells
        bqm = dimod.BQM.from_file(content)
        with bqm.to_file() as whole:
            cut = len(whole.read()) > len(content)
        if cut:
            msg = "it is cut short"
            raise ValueError(msg)
        return IsingModel.from_bqm(bqm)
    except (ValueError, LookupError, TypeError, OSError, AttributeError, RuntimeError, struct.error) as error:
        msg = f"{path} begins as dimod's BQM file does, and is damaged: {error}"
        raise ValueError(msg) from error


def _read_coo(path: str, content: bytes) -> IsingModel:
    told: dict[str, str] = {}
    linear: dict[int, float] = {}
    quadratic: dict[tuple[int, int], float] = {}
    given: set[tuple[int, int]] = set()
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        msg = f"{path} is neither dimod's BQM file nor text: {error}"
        raise ValueError(msg) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            told |= {found[1]: found[2] for found in _HEADER.finditer(line)}
            continue
        try:
            first, second, value = line.split()
            u, v, bias = int(first), int(second), float(value)
            if u < 0 or v < 0 or not np.isfinite(bias):
                raise ValueError
        except ValueError:
            msg = f"COOrdinate text has two whole numbers and a finite bias a line; line {number} of {path} is {line!r}"
            raise ValueError(msg) from None
        pair = (min(u, v), max(u, v))
        if pair in given:
            msg = f"each bias is given once; line {number} of {path} repeats {line!r}"
            raise ValueError(msg)
        given.add(pair)
        if u == v:
            linear[u] = bias
        else:
            linear.setdefault(u, 0.0)
            linear.setdefault(v, 0.0)
            quadratic[pair] = bias
    if told.get("vartype") not in ("SPIN", "BINARY"):
        msg = f"COOrdinate text says '# vartype=SPIN' or '# vartype=BINARY'; {path} says {told.get('vartype')!r}"
        raise ValueError(msg)
    try:
        offset = float(told.get("offset", "0"))
    except ValueError:
        msg = f"an offset is a number; {path} says {told['offset']!r}"
        raise ValueError(msg) from None
    bqm = dimod.BQM(linear, {}, offset, told["vartype"])
    bqm.add_quadratic_from((u, v, bias) for (u, v), bias in quadratic.items())
    return IsingModel.from_bqm(bqm)


def _coo_of(model: IsingModel) -> str:
    labels: tuple[Any, ...] = model.labels
    if wrong := [v for v in labels if isinstance(v, bool) or not isinstance(v, int | np.integer) or v < 0]:
        msg = f"COOrdinate text has labels 0, 1, 2, ...; got {wrong[0]!r}. Write a .bqm file instead"
        raise ValueError(msg)
    bqm = model.to_bqm()
    lines = ["# vartype=SPIN", f"# offset={model.offset!r}"]
    lines += [f"{v} {v} {_decimal(bqm.linear[v])}" for v in labels]
    pairs = [(labels[i], labels[j]) for i, j in model.structure.edges.tolist()]
    lines += [f"{u} {v} {_decimal(bqm.quadratic[u, v])}" for u, v in pairs]
    return "\n".join(lines) + "\n"


def _decimal(value: float) -> str:
    """Return the shortest decimal that is read back as the same number; dimod's reader knows no exponents."""
    return str(np.format_float_positional(value, unique=True, trim="0"))


def _sorted(model: IsingModel) -> IsingModel:
    """Return the model with its edges in the order of the labels."""
    order = np.lexsort(model.structure.edges.T[::-1])
    structure = Structure(model.structure.num_variables, model.structure.edges[order], model.labels)
    return IsingModel.from_parameters(structure, Parameters(model.h, model.parameters.couplings[order]), model.offset)


FILE = Family(
    name="file",
    build=problem_file,
    summary="a problem from dimod's BQM file or COOrdinate text",
    source="the file",
)
