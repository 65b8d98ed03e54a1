"""Contestants: samplers and solvers, each with its hardware and the times of its parts.

A new one is a factory that returns a `Contestant`, or a dimod sampler; `DimodContestant` makes a contestant of a
sampler and says which keyword takes its effort. A spec names it by its path, "package.module:factory", or by the name
of an entry point in the group "annealnn.contestants".
"""

from annealnn.benchmark.contestants._dimod import DimodContestant
from annealnn.benchmark.contestants._registry import (
    ENTRY_POINT_GROUP,
    contestant_names,
    contestant_version,
    open_contestant,
)

__all__ = [
    "ENTRY_POINT_GROUP",
    "DimodContestant",
    "contestant_names",
    "contestant_version",
    "open_contestant",
]
