"""How much memory a job may take."""

from contextlib import suppress
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
# limits of a container: what it may take, and what it takes
_LIMITS = [
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
]
# asking takes longer than a short job
_SMALL = 64 << 20


def available_bytes() -> int | None:
    """Return the memory that may still be taken, or None where the system does not say."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        found.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]))
    for limit, used in _LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(limit.read_text(encoding="ascii")) - int(used.read_text(encoding="ascii")))
    return max(0, min(found)) if found else None


def check_memory(what: str, needed: int, advice: str) -> None:
    """Check that `needed` bytes are there, where the system says how many are; less than 64 MiB always pass.

    Raises
    ------
    MemoryError
        If they are not.
    """
    if needed < _SMALL:
        return
    available = available_bytes()
    if available is not None and needed > available:
        msg = f"{what} need about {_in_words(needed)}, and {_in_words(available)} of memory are free. {advice}"
        raise MemoryError(msg)


def _in_words(size: int) -> str:
    if size >= 2**80:
        return f"2^{size.bit_length() - 31} GiB"
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.1f} MiB"
