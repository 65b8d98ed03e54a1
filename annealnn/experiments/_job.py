"""What the OptDigits job is: its options, its data, its folder."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

from annealnn._files_io import write_text
from annealnn._validation import check_count, check_number
from annealnn.datasets import load_optdigits
from annealnn.registry import SamplerSpec
from annealnn.typing import AnyArray, Bits

PROTOCOL = "classes 1-4, bottom row and outer columns dropped (7x6), on if grey >= 8, 4 class units: 46 variables"
SHAPE = (7, 6)
NUM_VARIABLES = 46
DEFAULT_TARGET = "zephyr-12"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """A processor that is opened through the user's D-Wave configuration, in place of the local device.

    Parameters
    ----------
    profile, solver : str, optional
        Of D-Wave's configuration; a solver's name.
    num_gauges : int
        Of each gradient.
    annealing_time_us : float, optional
        The solver's default if None.
    budget_us : float, optional
        QPU access time that the job may take, microseconds.
    journal : str, optional
        Path of the journal; the user's own if None.
    resubmit_in_doubt : bool
        Whether to send jobs again that may have been accepted, and then are paid twice.
    """

    profile: str | None = None
    solver: str | None = None
    num_gauges: int = 1
    annealing_time_us: float | None = None
    budget_us: float | None = None
    journal: str | None = None
    resubmit_in_doubt: bool = False

    def spec(self, experiment: str) -> SamplerSpec:
        """Return the recipe that opens it."""
        told: dict[str, Any] = {} if self.annealing_time_us is None else {"annealing_time": self.annealing_time_us}
        return SamplerSpec.qpu(
            profile=self.profile,
            solver=self.solver,
            num_gauges=self.num_gauges,
            budget_us=self.budget_us,
            journal=self.journal,
            resubmit_in_doubt=self.resubmit_in_doubt,
            experiment=experiment,
            **told,
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OptDigitsJob:
    """What to run.

    Parameters
    ----------
    out : path
        Folder of the report.
    target : str, optional
        Topology to embed in. None is "zephyr-12", or the processor's own graph.
    processor : Processor, optional
        None learns on the local stand-in.
    device_beta : float
        Inverse temperature of the local stand-in device. The learner never sees it.
    device_sweeps : int
        Sweeps of one anneal of the stand-in.
    n_iter : int
        Iterations of the fully visible machine.
    embedded_n_iter : int
        Iterations of the embedded machine.
    seed : int
    resume : bool
        Whether to go on from the checkpoints in `out`.
    """

    out: Path = Path("optdigits-report")
    target: str | None = None
    processor: Processor | None = None
    device_beta: float = 2.0
    device_sweeps: int = 20
    n_iter: int = 3000
    embedded_n_iter: int = 200
    seed: int = 0
    resume: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out))
        if self.target is None and self.processor is None:
            object.__setattr__(self, "target", DEFAULT_TARGET)
        for name in ("device_sweeps", "n_iter", "embedded_n_iter"):
            check_count(name, getattr(self, name))
        check_number("device_beta", self.device_beta, low=0.0, open_low=True)
        check_count("seed", self.seed, minimum=0)

    @property
    def experiment(self) -> str:
        """Names the reads of a processor in the journal: the same job again is answered from there."""
        return f"optdigits, seed {self.seed}"

    @property
    def device(self) -> SamplerSpec:
        """The processor; or a local stand-in for one, a short anneal at a temperature of its own."""
        if self.processor is not None:
            return self.processor.spec(self.experiment)
        b = self.device_beta
        return SamplerSpec("anneal", {"num_sweeps": self.device_sweeps, "beta_range": (0.05 * b, b)})


class OptDigits(NamedTuple):
    """The 46-variable data."""

    X: Bits
    y: AnyArray
    X_test: Bits
    y_test: AnyArray


def load_data() -> OptDigits:
    """Load the 46-variable data: 1,545 training and 723 test rows."""
    parts = [load_optdigits(subset, classes=[1, 2, 3, 4], crop="7x6", return_X_y=True) for subset in ("train", "test")]
    return OptDigits(*parts[0], *parts[1])


def claim_folder(job: OptDigitsJob, say: Callable[[str], None]) -> None:
    """Make the report's folder ours; set the checkpoints of an unfinished run aside if it is not resumed.

    Raises
    ------
    ValueError
        If the folder holds other things.
    """
    mark = job.out / "job.json"
    if job.out.exists() and not job.out.is_dir():
        msg = f"a report is written to a folder; {job.out} is a file. Name another with out"
        raise ValueError(msg)
    if job.out.exists() and any(job.out.iterdir()) and not mark.exists():
        msg = f"a report's folder is new, empty, or an earlier report's; {job.out} holds other things. Name another"
        raise ValueError(msg)
    checkpoints = job.out / "checkpoints"
    if not job.resume and checkpoints.exists():
        aside = job.out / "checkpoints-previous"
        shutil.rmtree(aside, ignore_errors=True)
        checkpoints.rename(aside)
        say(f"starting anew (--resume goes on); earlier checkpoints are in {aside}")
    write_text(mark, json.dumps(plain_job(job), indent=2) + "\n")


def plain_job(job: OptDigitsJob) -> dict[str, Any]:
    plain = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(job).items()}
    del plain["resume"]
    return plain
