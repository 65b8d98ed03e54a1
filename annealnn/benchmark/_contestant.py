"""What takes part: a contestant's recipe, its hardware, and what a run of it gives back."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, final

from annealnn._secrets import is_secret_name, is_secret_text
from annealnn.benchmark._canonical import digest, plain
from annealnn.models import IsingModel
from annealnn.typing import Floats, Spins

# settings of a processor that shape no reads: what it may cost, and where that is kept
_COSTS = frozenset({"journal", "budget_us", "resubmit_in_doubt"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a contestant runs on.

    Parameters
    ----------
    name : str
        The processor's model, or the solver's name.
    kind : "cpu", "gpu" or "qpu"
    num_cores : int
        That a run uses: annealing times are multiplied by it, to be per core.
    num_qubits : int, optional
        Of a quantum processor: how many it has, for runs of copies in parallel.
    power_w : float, optional
        Electrical power that its owner states, watts.
    simulated : bool
        A program plays the part, and its times are invented: they are marked SIMULATED wherever they show.
    """

    name: str
    kind: Literal["cpu", "gpu", "qpu"] = "cpu"
    num_cores: int = 1
    num_qubits: int | None = None
    power_w: float | None = None
    simulated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it."""
        return {name: getattr(self, name) for name in self.__slots__}


class TimeSplit(NamedTuple):
    """Where the time of a run went, seconds for all its reads. Parts that a contestant does not have are 0."""

    client_s: float = 0.0  #: making the job and reading the answer, on the user's machine
    network_s: float = 0.0  #: to the service and back, its queue included
    programming_s: float = 0.0
    annealing_s: float = 0.0  #: the anneals alone; a CPU's sweeps
    readout_s: float = 0.0  #: with the delay after each read
    postprocessing_s: float = 0.0

    @property
    def total_s(self) -> float:
        """All of it."""
        return sum(self)


class Run(NamedTuple):
    """What a contestant gives back."""

    spins: Spins  #: (num_reads, num_variables), columns in the order of the model's labels
    energies: Floats  #: (num_reads,) as the contestant claims them; the runner computes them again
    timing: TimeSplit
    info: dict[str, Any]  #: what shaped the reads; what JSON holds


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContestantSpec:
    """A frozen recipe for a contestant: opened in the process that runs it.

    Parameters
    ----------
    name : str
        A registry name, or "package.module:factory".
    settings : mapping
        Keywords of its factory, what JSON holds; no credential.
    label : str
        What tables call it; the name if empty.
    power_w : float, optional
        Electrical power of its hardware, watts; counted only in joules.

    Raises
    ------
    ValueError
        If settings hold what JSON cannot, or there is a credential in them, in the name or in the label.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    label: str = ""
    power_w: float | None = None

    def __post_init__(self) -> None:
        if found := next(_credentials({**self.settings, "label": self.label, "name": self.name}), None):
            msg = f"settings and labels hold no credentials, for they are printed and saved; got one in {found!r}"
            raise ValueError(msg)
        object.__setattr__(self, "settings", plain("settings", self.settings))
        object.__setattr__(self, "label", self.label or self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it."""
        return {"name": self.name, "settings": dict(self.settings), "label": self.label, "power_w": self.power_w}

    @property
    def key(self) -> str:
        """SHA-256 of what shapes its reads: name and settings, without what a processor may cost."""
        shaping = {name: value for name, value in self.settings.items() if name not in _COSTS}
        return digest([self.name, shaping])


def _credentials(value: Any, where: str = "") -> Iterator[str]:
    """Yield where a credential is, by its name or its look, however deep."""
    if isinstance(value, str) and is_secret_text(value):
        yield where
    elif isinstance(value, Mapping):
        for name, part in value.items():
            place = f"{where}.{name}".lstrip(".")
            if is_secret_name(str(name)):
                yield place
            else:
                # a name may be a credential itself, and is then not told
                yield from _credentials(str(name), where or "settings")
                yield from _credentials(part, place)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _credentials(part, where)


class Contestant(ABC):
    """Abstract: a sampler or solver as the benchmark runs and times it.

    A contestant is opened once in a worker's process and runs many tasks there. It uses one core unless its settings
    ask for more. `open_contestant(spec)` gives it.
    """

    #: what its effort counts, with the unit: "num_sweeps", "annealing_time_us"; "" if it has no effort to choose
    effort_name: str = ""
    #: electrical power that its spec states, watts; `open_contestant` sets it, and `hardware` has it
    power_w: float | None = None

    @property
    @abstractmethod
    def hardware(self) -> Hardware:
        """What it runs on, `power_w` with it."""

    @property
    @abstractmethod
    def version(self) -> str:
        """Library and release, "dwave-samplers 1.8.0"; it is part of a task's key."""

    @abstractmethod
    def run(self, model: IsingModel, *, effort: float | None, num_reads: int, seed: int) -> Run:
        """Draw independent reads of one problem.

        Parameters
        ----------
        model : IsingModel
            Eq. (1)'s sign.
        effort : float or None
            Of each read, in the unit of `effort_name`.
        num_reads : int
        seed : int
            Same seed, same reads, where the contestant can.
        """
