"""What goes wrong on purpose: by chance, or request by request."""

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, final, get_args

import numpy as np

from annealnn._validation import check_choice, check_count, check_number

On: TypeAlias = Literal["connect", "submit", "job", "poll", "answer", "cancel"]
What: TypeAlias = Literal[
    "drop",
    "status",
    "slow",
    "media-type",
    "no-media-type",
    "version",
    "not-json",
    "deprecated",
    "refused",
    "failed",
    "cancelled",
    "offline",
]
# these befall one job of a submission, all others a request
_OF_JOBS = ("refused", "failed", "cancelled", "offline")
_MESSAGES: Mapping[str, str] = {
    "offline": "Solver is offline",
    "failed": "The problem failed",
    "refused": "The problem was refused",
}


@final
@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Parameters
    ----------
    on : "connect", "submit", "job", "poll", "answer" or "cancel"
        What it befalls: reading a solver's definition, a submission, one job of a submission, reading statuses (also
        by label), loading a finished problem, cancelling.
    what : str
        Of a request: "drop" (the connection ends without a word), "status" (an HTTP error), "slow", or a reply with a
        wrong "media-type", with "no-media-type", with "version" 2, "not-json", or "deprecated" (with that header).
        Of a job: "refused" (an error in place of the job), "failed", "cancelled", "offline".
    probability : float
        Of each request or job.
    requests : sequence of int
        Numbers of the requests or jobs that it befalls, from 1, counted for each `on`; in place of a probability.
    accepted : bool
        Of a submission: whether its jobs are accepted before it strikes. Wrong replies come after acceptance anyway.
    status : int
        Of "status" and "refused".
    message : str
        What it says, if not the usual.
    plain : bool
        Of "status": text and no JSON.
    delay_s : float
        Of "slow".

    Raises
    ------
    ValueError
        If the parts do not go together.
    """

    on: On
    what: What
    probability: float = 0.0
    requests: Sequence[int] = ()
    accepted: bool = False
    status: int = 500
    message: str = ""
    plain: bool = False
    delay_s: float = 1.0

    def __post_init__(self) -> None:
        check_choice("on", self.on, get_args(On))
        check_choice("what", self.what, get_args(What))
        if (self.what in _OF_JOBS) != (self.on == "job"):
            msg = f"{', '.join(_OF_JOBS)} befall jobs, and all else requests; got on={self.on!r}, what={self.what!r}"
            raise ValueError(msg)
        check_number("probability", self.probability, low=0.0, high=1.0)
        object.__setattr__(self, "requests", tuple(check_count("requests", number) for number in self.requests))
        if bool(self.requests) == bool(self.probability):
            msg = (
                "a fault has either a probability or the numbers of the requests that it befalls; "
                f"got probability={self.probability}, requests={list(self.requests)}"
            )
            raise ValueError(msg)
        check_number("delay_s", self.delay_s, low=0.0)
        check_count("status", self.status, minimum=400)

    @property
    def text(self) -> str:
        """What it says."""
        return self.message or _MESSAGES.get(self.what, "A fault that the simulation was asked for")

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Return the fault of a text such as "submit:drop:probability=0.1:accepted" or "poll:status:status=503".

        Values are JSON, or words. Without a probability or numbers of requests it befalls the first one.

        Raises
        ------
        ValueError
            If it does not name a fault.
        """
        on, *rest = text.split(":")
        settings: dict[str, Any] = {"on": on, "what": rest[0] if rest else ""}
        for part in rest[1:]:
            name, _, value = part.partition("=")
            try:
                settings[name] = json.loads(value) if value else True
            except json.JSONDecodeError:
                settings[name] = value
        return cls.from_dict(settings)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "Fault":
        """Return the fault of JSON; see `parse`."""
        known = [one.name for one in fields(cls)]
        if not isinstance(settings, Mapping) or not {"on", "what"} <= set(settings) <= set(known):
            msg = f"a fault has on, what, and of {', '.join(known[2:])} what it needs; got {settings!r}"
            raise ValueError(msg)
        chosen = {"requests": [1]} if not {"probability", "requests"} & set(settings) else {}
        return cls(**{**chosen, **settings})

    @classmethod
    def load(cls, path: str | Path) -> list["Fault"]:
        """Return the faults of a JSON file: a list of objects.

        Raises
        ------
        ValueError
            If it is none.
        OSError
            If it cannot be read.
        """
        try:
            rows = json.loads(Path(path).read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            msg = f"faults are a JSON file with a list of objects; got {path}, which is none: {error}"
            raise ValueError(msg) from None
        if not isinstance(rows, list):
            msg = f"faults are a JSON file with a list of objects; got {type(rows).__name__} in {path}"
            raise ValueError(msg)
        return [cls.from_dict(row) for row in rows]

    def to_dict(self) -> dict[str, Any]:
        """Return the settings, for JSON."""
        return asdict(self)


@final
class FaultPlan:
    """Faults, and what has been asked of the service and gone wrong so far."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._faults, self._seed = tuple(faults), seed
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._struck: Counter[str] = Counter()

    def strike(self, on: On) -> Fault | None:
        """Count one more request or job, and return the first fault that befalls it."""
        with self._lock:
            self._asked[on] += 1
            number = self._asked[on]
            for which, fault in enumerate(self._faults):
                if fault.on == on and self._befalls(which, fault, number):
                    self._struck[f"{on} {fault.what}"] += 1
                    return fault
        return None

    def statistics(self) -> dict[str, dict[str, int]]:
        """Return how often what was asked for, and what went wrong."""
        with self._lock:
            return {"requests": dict(self._asked), "faults": dict(self._struck)}

    def _befalls(self, which: int, fault: Fault, number: int) -> bool:
        if fault.requests:
            return number in fault.requests
        return bool(np.random.default_rng([self._seed, which, number]).random() < fault.probability)
