"""What schedules share: checks, and comparison by value."""

from typing import Any

import numpy as np

from annealnn._validation import check_real
from annealnn.typing import Floats


def real_numbers(name: str, values: Any, *, at_least: int = 2) -> Floats:
    """Return `values` as a read-only array of finite floats, (num_values,), of which there are some."""
    out = check_real(name, values)
    if out.ndim != 1 or len(out) < at_least:
        msg = f"{name} is a sequence of at least {at_least} numbers; got an array of shape {out.shape}"
        raise ValueError(msg)
    if not np.isfinite(out).all():
        where = int(np.flatnonzero(~np.isfinite(out))[0])
        msg = f"{name} holds finite numbers; got {out[where]} at {where}"
        raise ValueError(msg)
    out.setflags(write=False)
    return out


def check_rising(name: str, values: Floats) -> None:
    """Check that every value is above the one before it."""
    wrong = np.diff(values) <= 0
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        msg = f"{name} rise from each point to the next; got {values[where]:g} and then {values[where + 1]:g}"
        raise ValueError(msg)


def check_lengths(**arrays: Floats) -> None:
    """Check that all arrays are equally long."""
    if len({len(values) for values in arrays.values()}) > 1:
        got = ", ".join(f"{len(values)} {name}" for name, values in arrays.items())
        msg = f"there are as many of {', '.join(arrays)}; got {got}"
        raise ValueError(msg)


class ByValue:
    """Abstract: a frozen dataclass with slots whose arrays are compared, hashed, copied and pickled as its values."""

    __slots__: tuple[str, ...] = ()

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def _key(self) -> tuple[Any, ...]:
        return tuple(tuple(v.tolist()) if isinstance(v, np.ndarray) else v for v in self._values().values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        # by the constructor: a pickled array forgets that it is read-only
        return _rebuild, (type(self), self._values())


def _rebuild(cls: type, values: dict[str, Any]) -> Any:
    return cls(**values)
