"""Inverse temperature against sweep."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from annealnn._validation import check_choice, check_count
from annealnn.typing import Floats

BetaScheduleType: TypeAlias = Literal["linear", "geometric", "custom"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaSchedule:
    """Inverse temperatures, one per sweep (units of 1/energy). An anneal goes hot to cold; a schedule may also fall.

    Parameters
    ----------
    start, stop : float
        Of the first and the last sweep. One beta alone is `stop`.
    num_sweeps : int
        A multiple of `num_sweeps_per_beta`.
    num_sweeps_per_beta : int
    beta_schedule_type : "geometric", "linear" or "custom"
    beta_schedule : sequence of float, optional
        The betas of a custom schedule, and of no other. `BetaSchedule.custom` finds the rest.

    Raises
    ------
    ValueError
        If a beta is negative or not finite, a geometric schedule has a beta of 0, a number of sweeps breaks its rule,
        or a custom schedule contradicts itself.
    """

    start: float = 0.1
    stop: float = 1.0
    num_sweeps: int = 100
    num_sweeps_per_beta: int = 1
    beta_schedule_type: BetaScheduleType = "geometric"
    beta_schedule: Sequence[float] | None = None

    def __post_init__(self) -> None:
        check_choice("beta_schedule_type", self.beta_schedule_type, get_args(BetaScheduleType))
        if not all(math.isfinite(beta) and beta >= 0 for beta in (self.start, self.stop)):
            msg = f"betas are finite and at least 0; got start={self.start}, stop={self.stop}"
            raise ValueError(msg)
        check_count("num_sweeps", self.num_sweeps)
        check_count("num_sweeps_per_beta", self.num_sweeps_per_beta)
        if self.num_sweeps % self.num_sweeps_per_beta:
            msg = (
                "num_sweeps is a multiple of num_sweeps_per_beta; "
                f"got num_sweeps={self.num_sweeps}, num_sweeps_per_beta={self.num_sweeps_per_beta}"
            )
            raise ValueError(msg)
        if self.beta_schedule_type == "geometric" and min(self.start, self.stop) == 0:
            msg = (
                f"a geometric schedule has no beta 0; got start={self.start}, stop={self.stop}. "
                "Keep both above 0, or use beta_schedule_type='linear'"
            )
            raise ValueError(msg)
        if (self.beta_schedule_type == "custom") != (self.beta_schedule is not None):
            msg = (
                "beta_schedule goes with beta_schedule_type='custom', and with no other; "
                f"got beta_schedule_type={self.beta_schedule_type!r}, beta_schedule={self.beta_schedule!r}"
            )
            raise ValueError(msg)
        if self.beta_schedule is not None:
            betas = _checked_betas(self.beta_schedule)
            object.__setattr__(self, "beta_schedule", tuple(betas))
            of_betas = (betas[0], betas[-1], len(betas) * self.num_sweeps_per_beta)
            if of_betas != (self.start, self.stop, self.num_sweeps):
                msg = (
                    "start, stop and num_sweeps of a custom schedule are those of its betas, (start, stop, num_sweeps) "
                    f"= {of_betas}; got {(self.start, self.stop, self.num_sweeps)}. Build it by BetaSchedule.custom"
                )
                raise ValueError(msg)

    @classmethod
    def custom(cls, beta_schedule: Any, *, num_sweeps_per_beta: int = 1) -> "BetaSchedule":
        """Return the schedule that holds each of `beta_schedule` (num_betas,) for `num_sweeps_per_beta` sweeps."""
        betas = _checked_betas(beta_schedule)
        check_count("num_sweeps_per_beta", num_sweeps_per_beta)
        return cls(
            start=betas[0],
            stop=betas[-1],
            num_sweeps=len(betas) * num_sweeps_per_beta,
            num_sweeps_per_beta=num_sweeps_per_beta,
            beta_schedule_type="custom",
            beta_schedule=betas,
        )

    def betas(self) -> Floats:
        """Return the inverse temperature of every sweep, (num_sweeps,)."""
        num_betas = self.num_sweeps // self.num_sweeps_per_beta
        if self.beta_schedule is not None:
            betas = np.array(self.beta_schedule, dtype=np.float64)
        elif num_betas == 1:
            betas = np.array([self.stop], dtype=np.float64)
        elif self.beta_schedule_type == "linear":
            betas = np.linspace(self.start, self.stop, num_betas)
        else:
            betas = np.geomspace(self.start, self.stop, num_betas)
        return np.repeat(betas, self.num_sweeps_per_beta)

    def to_dict(self) -> dict[str, object]:
        """Return the schedule as a dict that JSON can hold and that rebuilds it."""
        given = None if self.beta_schedule is None else list(self.beta_schedule)
        return asdict(self) | {"beta_schedule": given}


def _checked_betas(beta_schedule: Any) -> list[float]:
    try:
        betas = np.array(beta_schedule, dtype=np.float64)
    except (TypeError, ValueError):
        msg = f"beta_schedule is a sequence of numbers; got {beta_schedule!r}"
        raise ValueError(msg) from None
    if betas.ndim != 1 or not betas.size:
        msg = f"beta_schedule is a sequence of at least one number; got an array of shape {betas.shape}"
        raise ValueError(msg)
    wrong = ~(np.isfinite(betas) & (betas >= 0))
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        msg = f"beta_schedule holds finite numbers of at least 0; got {betas[where]} at {where}"
        raise ValueError(msg)
    values: list[float] = betas.tolist()
    return values
