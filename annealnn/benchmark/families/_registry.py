"""Families by name: built-in ones, and those of installed plug-ins."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, final

from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.exceptions import UnknownFamilyError

ENTRY_POINT_GROUP = "annealnn.families"

# name -> "module:attribute" of a Family
_BUILT_IN: dict[str, str] = {
    "anticlusters": "annealnn.benchmark.families._glasses:ANTICLUSTERS",
    "file": "annealnn.benchmark.families._files:FILE",
    "frustrated-cluster-loops": "annealnn.benchmark.families._loops:CLUSTER_LOOPS",
    "frustrated-loops": "annealnn.benchmark.families._loops:LOOPS",
    "lattice": "annealnn.benchmark.families._glasses:LATTICE",
    "learned": "annealnn.benchmark.families._learned:LEARNED",
    "ran": "annealnn.benchmark.families._glasses:RAN",
    "sherrington-kirkpatrick": "annealnn.benchmark.families._glasses:SHERRINGTON_KIRKPATRICK",
    "tile-planting": "annealnn.benchmark.families._tiles:FAMILY",
    "weak-strong": "annealnn.benchmark.families._weak_strong:WEAK_STRONG",
    "wishart": "annealnn.benchmark.families._wishart:FAMILY",
    "xorsat": "annealnn.benchmark.families._xorsat:FAMILY",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A recipe for instances.

    Parameters
    ----------
    name : str
    build : callable
        `(size, *, seed, **options) -> Instance`. The same arguments build the same instance.
    summary : str
        One line for tables.
    source : str
        Paper and equation.
    version : str
        Of the recipe: it changes when the same arguments build another instance, and is part of tasks' keys.
    certify : (instance) -> Optimum or None, optional
        What proves an optimum by this family's structure. None where it cannot, or this one is too large.
    """

    name: str
    build: Callable[..., Instance]
    summary: str
    source: str = ""
    version: str = "1"
    certify: Callable[[Instance], Optimum | None] | None = None


def family_names() -> list[str]:
    """Return the names of all families, those of installed plug-ins included."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def find_family(name: str) -> Family:
    """Return the family of a name.

    Raises
    ------
    UnknownFamilyError
        If there is none.
    """
    loaded: Any = None
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        loaded = getattr(import_module(module), attribute)
    else:
        for point in entry_points(group=ENTRY_POINT_GROUP):
            if point.name == name:
                loaded = point.load()
    if not isinstance(loaded, Family):
        msg = f"a family is one of {', '.join(family_names())}; got {name!r}"
        raise UnknownFamilyError(msg)
    return loaded


def build_instance(spec: InstanceSpec) -> Instance:
    """Return the instance of a spec.

    Raises
    ------
    UnknownFamilyError
        If the family is not known.
    ValueError
        If the family does not take the size or an option.
    """
    check_options(spec)
    return find_family(spec.family).build(spec.size, seed=spec.seed, **spec.options)


def check_options(spec: InstanceSpec) -> None:
    """Check that a family takes the options of a spec; their values are checked as the instance is built.

    Raises
    ------
    UnknownFamilyError
        If the family is not known.
    ValueError
        If it does not take an option.
    """
    family = find_family(spec.family)
    known = [name for name in inspect.signature(family.build).parameters if name not in ("size", "seed")]
    if unknown := [name for name in spec.options if name not in known]:
        msg = f"the options of family {spec.family!r} are {', '.join(known) or 'none'}; got {unknown[0]!r}"
        raise ValueError(msg)
