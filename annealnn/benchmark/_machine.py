"""When and on what a run was made: what tells machines apart by their speed, and names no person and no host."""

import os
import platform
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from annealnn._parallel import available_threads
from annealnn._version import __version__
from annealnn.benchmark.contestants._cpu import cpu_name

_PACKAGES = ("dimod", "dwave-samplers", "dwave-system", "numba", "numpy", "openjij", "scipy")


@cache
def machine() -> dict[str, Any]:
    """Return the processor and its cores, those that this process may use, the system, and versions."""
    versions = {"annealnn": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "cpu": cpu_name(),
        "num_cores": os.cpu_count(),
        "num_usable_cores": available_threads(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "versions": versions,
    }


def now() -> str:
    """Return the time, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
