"""Contestants by name: built-in ones, and those of installed plug-ins."""

import hashlib
import inspect
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, files, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import dimod

from annealnn.benchmark._contestant import Contestant, ContestantSpec
from annealnn.benchmark.contestants._dimod import DimodContestant
from annealnn.benchmark.contestants._release import release
from annealnn.exceptions import AnnealnnError, ContestantFactoryError, UnknownContestantError

ENTRY_POINT_GROUP = "annealnn.contestants"


class _Known(NamedTuple):
    path: str  #: "module:factory", below this package
    libraries: tuple[str, ...] = ("annealnn",)  #: distributions whose releases shape its reads
    modules: tuple[str, ...] = ()  #: what it needs beside this package's own requirements


_DWAVE = ("dwave-samplers",)
_QPU = ("annealnn", "dwave-cloud-client")
_BUILT_IN = {
    "anneal": _Known("_ours:anneal"),
    "exact": _Known("_ours:exact"),
    "gibbs": _Known("_ours:gibbs"),
    "path-integral": _Known("_ours:path_integral"),
    "population-annealing": _Known("_ours:population_annealing"),
    "quantum-anneal": _Known("_ours:quantum_anneal"),
    "tempering": _Known("_ours:tempering"),
    "dwave-path-integral": _Known("_theirs:path_integral", _DWAVE),
    "neal": _Known("_theirs:neal", _DWAVE),
    "planar": _Known("_theirs:planar", _DWAVE),
    "tabu": _Known("_theirs:tabu", _DWAVE),
    "tree": _Known("_theirs:tree", _DWAVE),
    "openjij-sa": _Known("_theirs:openjij_sa", ("openjij",), ("openjij",)),
    "openjij-sqa": _Known("_theirs:openjij_sqa", ("openjij",), ("openjij",)),
    "qpu": _Known("_qpu:QPUContestant", _QPU),
    "standin": _Known("_qpu:standin", _QPU, ("starlette", "uvicorn")),
}


def contestant_names(*, installed: bool = False) -> list[str]:
    """Return the names that a `ContestantSpec` may have, those of installed plug-ins included.

    Parameters
    ----------
    installed : bool
        Leave out those whose libraries are not installed.
    """
    own = [name for name, known in _BUILT_IN.items() if not installed or all(map(find_spec, known.modules))]
    return sorted({*own, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def open_contestant(spec: ContestantSpec) -> Contestant:
    """Return the contestant of a spec, opened in this process.

    A factory is called with the spec's settings. It returns a `Contestant`, or a dimod sampler, which is then run with
    its own defaults and has no effort to choose.

    Raises
    ------
    UnknownContestantError
        If there is none of this name, or its path leads nowhere.
    MissingDependencyError
        If its library is not installed, saying what to install.
    ValueError
        If a setting breaks a rule, or is not known.
    ContestantFactoryError
        If a factory fails, or returns neither.
    QPUError
        If a processor cannot be opened.
    """
    factory = _factory(spec.name)
    _check_settings(spec, factory)
    made = _made(spec, factory)
    if isinstance(made, dimod.Sampler):
        made = DimodContestant(made, version=contestant_version(spec))
    if not isinstance(made, Contestant):
        msg = f"a contestant's factory returns a Contestant or a dimod.Sampler; {spec.name!r} gave {made!r}"
        raise ContestantFactoryError(msg)
    made.power_w = spec.power_w
    return made


def contestant_version(spec: ContestantSpec) -> str:
    """Return library and release of a contestant, "dwave-samplers 1.8.0", without opening it.

    Of a path into a module that no distribution installs: the module's name and the SHA-256 of its file.

    Raises
    ------
    UnknownContestantError
        If there is none of this name, or its path leads nowhere.
    """
    known = _BUILT_IN.get(spec.name)
    if known is not None:
        return release(*known.libraries)
    point = _plug_in(spec.name)
    if point is not None and point.dist is not None:
        return f"{point.dist.name} {point.dist.version}"
    module = (spec.name if point is None else point.value).partition(":")[0]
    if owners := _owners(module):
        return release(*owners)
    _factory(spec.name)
    file = getattr(import_module(module), "__file__", None)
    return f"{module} {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12] if file else 'built in'}"


def _made(spec: ContestantSpec, factory: Any) -> Any:
    try:
        return factory(**spec.settings)
    except (AnnealnnError, ValueError):
        raise
    except Exception as error:
        settings = ", ".join(f"{name}={value!r}" for name, value in spec.settings.items()) or "no settings"
        msg = (
            f"{spec.name!r} made no contestant of {settings}: {type(error).__name__}: {error}. Give others, or mend it"
        )
        raise ContestantFactoryError(msg) from error


def _check_settings(spec: ContestantSpec, factory: Any) -> None:
    try:
        taken = inspect.signature(factory).parameters.values()
    except ValueError:
        # some factories written in C do not say what they take
        return
    names = [each.name for each in taken if each.kind in (each.KEYWORD_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if any(each.kind is each.VAR_KEYWORD for each in taken):
        return
    if unknown := [name for name in spec.settings if name not in names]:
        msg = f"settings of {spec.name!r} are {', '.join(names) or 'none'}; got {unknown[0]!r}"
        raise ValueError(msg)


def _owners(module: str) -> list[str]:
    """Return the distributions that install a module; of several that share a namespace, those that have its files."""
    sharing = sorted(set(packages_distributions().get(module.partition(".")[0], [])))
    folder = module.replace(".", "/")
    owners = [name for name in sharing if any(str(file).startswith(folder) for file in files(name) or ())]
    return owners or sharing


def _plug_in(name: str) -> EntryPoint | None:
    return next((point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name == name), None)


def _factory(name: str) -> Any:
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].path.partition(":")
        return getattr(import_module(f"{__package__}.{module}"), attribute)
    point = _plug_in(name)
    if point is not None:
        return point.load()
    module, colon, attribute = name.partition(":")
    if not colon:
        msg = f"a contestant is one of {', '.join(contestant_names())}, or 'package.module:factory'; got {name!r}"
        raise UnknownContestantError(msg)
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        msg = (
            f"a contestant's path names an importable factory, 'package.module:factory'; got {name!r}: {error}. "
            "Install its package, or run in its folder"
        )
        raise UnknownContestantError(msg) from error
