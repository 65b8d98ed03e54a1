"""What callbacks see."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A machine in training, as a callback sees it.

    Parameters
    ----------
    iteration, n_iter : int
        Epochs done, and in all.
    model : IsingModel
        Over the units: features, class units, hidden units. Of a quantum machine, what its `model_` is.
    history : mapping of list
        One entry an epoch, the epoch at hand not yet among them.
    monitored : list of dict
        What was measured so far.
    """

    iteration: int
    n_iter: int
    model: Any
    history: Mapping[str, list[float]]
    monitored: list[dict[str, float]]


#: Returns what it measured, or None; raises `StopTraining` to end training.
Callback: TypeAlias = Callable[[Snapshot], Mapping[str, float] | None]


def callbacks_of(given: Any) -> list[Callback]:
    """Return the callbacks of a machine's `callbacks` argument.

    Raises
    ------
    ValueError
        If it is none, a callable, or several.
    """
    if given is None:
        return []
    several = [given] if callable(given) else list(given) if isinstance(given, Iterable) else [given]
    if wrong := [one for one in several if not callable(one)]:
        msg = f"callbacks is None, a callable (snapshot) -> dict of floats or None, or a list of them; got {wrong[0]!r}"
        raise ValueError(msg)
    return several


def measured_by(callback: Callback, snapshot: Snapshot) -> dict[str, float]:
    """Return what a callback measured.

    Raises
    ------
    ValueError
        If it is neither a mapping of numbers nor None, or takes the name "iteration".
    """
    found = callback(snapshot)
    try:
        row = {str(name): float(value) for name, value in ({} if found is None else found).items()}
    except (AttributeError, TypeError, ValueError):
        row = {"iteration": 0.0}
    if "iteration" in row:
        msg = f'a callback returns None, or a dict of numbers under names other than "iteration"; got {found!r}'
        raise ValueError(msg)
    return row
