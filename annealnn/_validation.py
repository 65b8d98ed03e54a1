"""Checks at the front door. Below it, arrays are trusted."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from annealnn.typing import AnyArray, Bits, Floats


def check_count(name: str, value: Any, *, minimum: int = 1) -> int:
    """Return `value` as an int that is at least `minimum`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < minimum:
        msg = f"{name} is a whole number of at least {minimum}; got {value!r}"
        raise ValueError(msg)
    return int(value)


def check_number(name: str, value: Any, *, low: float, high: float = np.inf, open_low: bool = False) -> float:
    """Return `value` as a finite float between `low` and `high`."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    ok = number and np.isfinite(value)
    if not ok or value > high or value < low or (open_low and value == low):
        bounds = f"{'above' if open_low else 'at least'} {low:g}" + (
            f" and at most {high:g}" if np.isfinite(high) else ""
        )
        msg = f"{name} is a finite number, {bounds}; got {value!r}"
        raise ValueError(msg)
    return float(value)


def check_real(name: str, values: Any) -> Floats:
    """Return a copy of `values`, numbers in any shape, as floats."""
    given = np.asarray(values)
    if np.iscomplexobj(given):
        where = given.ravel()[np.flatnonzero(given.imag)[:1]] if given.imag.any() else given.ravel()[:1]
        msg = f"{name} holds real numbers; got complex {', '.join(map(str, where))}"
        raise ValueError(msg)
    try:
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        msg = f"{name} holds numbers; got {values!r}"
        raise ValueError(msg) from None


def check_pair(name: str, value: Any) -> tuple[float, float]:
    """Return `value` as two finite floats."""
    try:
        low, high = value
    except (TypeError, ValueError):
        msg = f"{name} is a pair of numbers; got {value!r}"
        raise ValueError(msg) from None
    return check_number(name, low, low=-np.inf), check_number(name, high, low=-np.inf)


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> Any:
    """Return `value` if it is one of `choices`."""
    if not any(value is c or (type(value) is type(c) and value == c) for c in choices):
        msg = f"{name} is one of {', '.join(map(repr, choices))}; got {value!r}"
        raise ValueError(msg)
    return value


def check_bits(X: AnyArray, *, binarize: float | None, name: str = "X") -> Bits:
    """Return the finite array `X` as bits: as given if `binarize` is None, else 1 where X > binarize.

    Raises
    ------
    ValueError
        If `binarize` is None and a value is neither 0 nor 1.
    """
    if binarize is not None:
        return (binarize < X).astype(np.int8)
    wrong = (X != 0) & (X != 1)
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        msg = (
            f"{name} holds bits, 0 or 1; got {float(X[where])!r} at {where} ({int(wrong.sum())} such values). "
            "Convert the data, or set binarize to a threshold"
        )
        raise ValueError(msg)
    return X.astype(np.int8)
