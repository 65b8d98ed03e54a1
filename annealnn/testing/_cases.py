"""Tables of tests: what is under test, times what is checked."""

import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import annealnn


class Case(Protocol):
    """One row: a name, and the checks that it is known to fail, each with its reason."""

    @property
    def name(self) -> str:
        """What to call it in reports."""

    @property
    def known_failures(self) -> Mapping[str, str]:
        """{name of a check: reason}."""


Check = Callable[[Any], None]


def checks_of(namespace: Mapping[str, Any]) -> list[Check]:
    """Return the functions of a module whose names begin with `check_`, in the order of its lines."""
    return [value for name, value in namespace.items() if name.startswith("check_") and inspect.isfunction(value)]


def parametrize(cases: Iterable[Case], checks: Sequence[Check]) -> Any:
    """Return pytest's parametrization of a test(case, check) over every pair.

    A known failure becomes a strict xfail: the day it passes, the test fails until the row is taken out.

    Raises
    ------
    ValueError
        If a row names a check that does not exist.
    """
    import pytest

    rows = []
    for case in cases:
        names = {check.__name__ for check in checks}
        if stale := set(case.known_failures) - names:
            msg = f"known failures name checks, {', '.join(sorted(names))}; {case.name} names {sorted(stale)[0]!r}"
            raise ValueError(msg)
        for check in checks:
            reason = case.known_failures.get(check.__name__)
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            rows.append(pytest.param(case, check, id=f"{case.name}-{check.__name__}", marks=marks))
    return pytest.mark.parametrize(("case", "check"), rows)


def failing(case: Any, checks: Iterable[Check]) -> set[str]:
    """Return the names of the checks that fail, without their prefix."""
    failed = set()
    for check in checks:
        try:
            check(case)
        except Exception:
            failed.add(check.__name__.removeprefix("check_"))
    return failed


def discover(base: type, packages: Iterable[str]) -> list[type]:
    """Return the public concrete subclasses of `base` that the packages name, each once, sorted by name."""
    found = {
        value
        for package in packages
        for name, value in vars(import_module(package)).items()
        if inspect.isclass(value) and issubclass(value, base) and not inspect.isabstract(value) and name[0] != "_"
    }
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


def own_packages() -> list[str]:
    """Return the packages of annealnn that have public names, the conformance kit left out."""
    inside = pkgutil.iter_modules(annealnn.__path__, "annealnn.")
    return [info.name for info in inside if info.name != "annealnn.testing" and not info.name.endswith("__main__")]


def strangers(variable: str) -> list[str]:
    """Return the comma-separated names or "package:factory" paths in an environment variable.

    A module in the working folder counts as importable, as it is for `python -m pytest`.
    """
    named = [path.strip() for path in os.environ.get(variable, "").split(",") if path.strip()]
    if named and (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    return named
