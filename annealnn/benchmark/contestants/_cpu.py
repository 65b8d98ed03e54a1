"""What contestants on this machine's processor share."""

import json
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from annealnn._validation import check_count
from annealnn.benchmark._canonical import canonical
from annealnn.benchmark._contestant import Hardware

# what of a sampler's `info` is kept: no seconds, which the run has apart, and nothing of each read
_LONGEST = 2000
_LEFT_OUT = ("timing", "list_exec_times", "sampling_time", "execution_time", "system")


@cache
def cpu_name() -> str:
    """Return what the processor calls itself."""
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        for line in listed.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def cpu(num_cores: int, power_w: float | None) -> Hardware:
    """Return this machine's processor, of which a run uses so many cores."""
    return Hardware(name=cpu_name(), kind="cpu", num_cores=num_cores, power_w=power_w)


def whole_effort(name: str, effort: float | None) -> int | None:
    """Return an effort that is counted, as a whole number; None stays None.

    Raises
    ------
    ValueError
        If it is no whole number of at least 1, or the contestant has no effort to choose.
    """
    if effort is None:
        return None
    if not name:
        msg = f"effort is None for a contestant that has none to choose; got {effort!r}"
        raise ValueError(msg)
    return check_count(name, int(effort) if float(effort).is_integer() else effort)


def plain_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a sampler's `info` JSON holds in few words."""
    kept: dict[str, Any] = {}
    for name, value in info.items():
        if name in _LEFT_OUT:
            continue
        try:
            text = canonical(value)
        except (TypeError, ValueError):
            continue
        if len(text) <= _LONGEST:
            kept[name] = json.loads(text)
    return kept
