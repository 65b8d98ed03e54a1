"""How often and how long to try again."""

from dataclasses import dataclass
from typing import final

import numpy as np

from annealnn._validation import check_count, check_number


@final
@dataclass(frozen=True, kw_only=True)
class Retries:
    """What is tried again, and how patiently. Nothing is tried without an end.

    Parameters
    ----------
    num_retries : int
        Times that one thing (a refusal for load, a failed job, a lookup, the fetching of an answer) is tried again.
    first_wait_s : float
        Seconds before the first retry; they double with each one.
    longest_wait_s : float
    jitter : float
        A wait is drawn from (1 - jitter, 1) times what it would be, so that many clients do not come back at once.
    settle_s : float
        A job whose reply was lost is not sent again before this many seconds have passed since it left: until then
        the service may yet list it.
    num_lookups : int
        Times that the service must list no such job before it is sent again.
    """

    num_retries: int = 6
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    jitter: float = 0.5
    settle_s: float = 5.0
    num_lookups: int = 3

    def __post_init__(self) -> None:
        check_count("num_retries", self.num_retries, minimum=0)
        check_number("first_wait_s", self.first_wait_s, low=0)
        check_number("longest_wait_s", self.longest_wait_s, low=self.first_wait_s)
        check_number("jitter", self.jitter, low=0, high=1)
        check_number("settle_s", self.settle_s, low=0)
        check_count("num_lookups", self.num_lookups)

    def wait_s(self, retry: int, draws: np.random.Generator) -> float:
        """Return the seconds to wait before a retry; the first one has number 0."""
        wait = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(retry, 60))
        return wait * (1.0 - self.jitter * float(draws.random()))
