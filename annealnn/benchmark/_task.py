"""What is run and what it gave: tasks keyed by all that shapes them, and their records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, final, get_args

from annealnn._validation import check_choice, check_count
from annealnn.benchmark._canonical import digest, plain
from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec

#: "sample": reads of a contestant. "certify": the optimum of an instance. "train": a machine learns from a contestant.
Kind = Literal["sample", "certify", "train"]
#: "done"; "wrong energies": it ran, but claims energies that its reads do not have; "failed": it raised or died;
#: "timed out"; "refused": it does not take such a problem.
Status = Literal["done", "wrong energies", "failed", "timed out", "refused"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run to make.

    Parameters
    ----------
    kind : "sample", "certify" or "train"
    instance : InstanceSpec
    contestant : ContestantSpec, optional
        None for "certify".
    effort : float, optional
        In the contestant's unit.
    num_reads : int
    seed : int
    measures : tuple of str
        What is kept of the reads beside their energies: names of `annealnn.benchmark._measures`.
    options : mapping
        Of a training; what JSON holds.
    code : mapping of str
        Versions of what shapes the result: the family's recipe, the contestant's library.
    """

    kind: Kind = "sample"
    instance: InstanceSpec
    contestant: ContestantSpec | None = None
    effort: float | None = None
    num_reads: int = 1
    seed: int = 0
    measures: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    code: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ["sample", "certify", "train"])
        check_count("num_reads", self.num_reads)
        check_count("seed", self.seed, minimum=0)
        object.__setattr__(self, "options", plain("options", self.options))
        object.__setattr__(self, "code", plain("code", self.code))

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it."""
        return {
            "kind": self.kind,
            "instance": self.instance.to_dict(),
            "contestant": None if self.contestant is None else self.contestant.to_dict(),
            "effort": self.effort,
            "num_reads": self.num_reads,
            "seed": self.seed,
            "measures": list(self.measures),
            "options": dict(self.options),
            "code": dict(self.code),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Return the task that `to_dict` wrote."""
        contestant = given["contestant"]
        return cls(
            kind=given["kind"],
            instance=InstanceSpec(**given["instance"]),
            contestant=None if contestant is None else ContestantSpec(**contestant),
            effort=given["effort"],
            num_reads=given["num_reads"],
            seed=given["seed"],
            measures=tuple(given["measures"]),
            options=given["options"],
            code=given["code"],
        )

    @property
    def key(self) -> str:
        """SHA-256 of all that shapes its result; labels and stated powers do not."""
        shaping = {**self.to_dict(), "instance": self.instance.shaping}
        shaping["contestant"] = None if self.contestant is None else self.contestant.key
        return digest(shaping)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a task gave: one line of a results file.

    Parameters
    ----------
    task : Task
    status : str
        "done", "wrong energies", "failed", "timed out" or "refused".
    message : str
        What went wrong, in words; empty if nothing did.
    model : mapping
        `digest` (of the problem), `num_variables`, `num_edges`.
    energies : list of (energy, count)
        Of the reads, computed again from their spins, ascending. Empty for other kinds and for failures.
    timing : mapping of float
        `TimeSplit._asdict()`; empty for other kinds and for failures.
    wall_s : float
        From the task's begin to its end in the worker.
    hardware : mapping
        `Hardware.to_dict()`; empty if the contestant was not opened.
    measures : mapping
        By name, what JSON holds. Kind "certify" has `optimum`, `Optimum.to_dict()` or None; kind "train" what was
        learned.
    info : mapping
        The contestant's own, the seed that was used, versions, the machine.
    at : str
        When it ended, UTC, ISO 8601.

    Raises
    ------
    ValueError
        If the status is none of these.
    """

    task: Task
    status: Status
    message: str = ""
    model: Mapping[str, Any] = field(default_factory=dict, hash=False)
    energies: tuple[tuple[float, int], ...] = ()
    timing: Mapping[str, float] = field(default_factory=dict, hash=False)
    wall_s: float = 0.0
    hardware: Mapping[str, Any] = field(default_factory=dict, hash=False)
    measures: Mapping[str, Any] = field(default_factory=dict, hash=False)
    info: Mapping[str, Any] = field(default_factory=dict, hash=False)
    at: str = ""

    def __post_init__(self) -> None:
        check_choice("status", self.status, get_args(Status))

    @property
    def key(self) -> str:
        """The task's."""
        return self.task.key

    @property
    def simulated(self) -> bool:
        """Whether the times were invented by a program that plays a processor's part."""
        return bool(self.hardware.get("simulated", False))

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it, its key with it."""
        parts = {name: getattr(self, name) for name in self.__slots__ if name != "task"}
        return {"key": self.key, "task": self.task.to_dict(), **parts}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Return the record that `to_dict` wrote."""
        parts = {name: value for name, value in given.items() if name not in ("key", "task", "energies")}
        energies = tuple((float(energy), int(count)) for energy, count in given["energies"])
        return cls(task=Task.from_dict(given["task"]), energies=energies, **parts)
