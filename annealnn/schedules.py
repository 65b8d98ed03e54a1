"""Schedules: inverse temperature against sweep."""

import math
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from annealnn._validation import check_count
from annealnn.typing import Floats

__all__ = ["BetaSchedule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaSchedule:
    """Inverse temperatures, one per sweep, hot to cold (units of 1/energy).

    Parameters
    ----------
    start, stop : float
        Of the first and the last sweep.
    num_sweeps : int
    interpolation : "geometric" or "linear"

    Raises
    ------
    ValueError
        If the ends are not 0 <= start <= stop and finite, a geometric schedule starts at 0, or there are
        fewer than one sweep.
    """

    start: float = 0.1
    stop: float = 1.0
    num_sweeps: int = 100
    interpolation: Literal["geometric", "linear"] = "geometric"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.stop) and 0 <= self.start <= self.stop):
            msg = (
                f"a schedule runs hot to cold, 0 <= start <= stop and finite; got start={self.start}, stop={self.stop}"
            )
            raise ValueError(msg)
        check_count("num_sweeps", self.num_sweeps)
        if self.interpolation not in ("geometric", "linear"):
            msg = f"interpolation is 'geometric' or 'linear'; got {self.interpolation!r}"
            raise ValueError(msg)
        if self.interpolation == "geometric" and self.start == 0 < self.stop:
            msg = "a geometric schedule cannot start at beta 0; start above 0 or use interpolation='linear'"
            raise ValueError(msg)

    def betas(self) -> Floats:
        """Return the inverse temperature of every sweep, (num_sweeps,)."""
        if self.num_sweeps == 1:
            return np.array([self.stop])
        if self.interpolation == "linear" or self.stop == 0:
            return np.linspace(self.start, self.stop, self.num_sweeps)
        return np.geomspace(self.start, self.stop, self.num_sweeps)

    def to_dict(self) -> dict[str, object]:
        """Return the schedule as a dict that JSON can hold and that rebuilds it."""
        return asdict(self)
