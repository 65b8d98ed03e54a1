"""A benchmark as a job: what is run, where its results are kept, and its report."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, final

from annealnn._files_io import write_text
from annealnn._log import logger
from annealnn._validation import check_count, check_number
from annealnn._version import __version__
from annealnn.benchmark._analyse import analyse
from annealnn.benchmark._analysis import Analysis
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._plan import Entrant, plan_tasks
from annealnn.benchmark._results import ResultsFile, merge_results
from annealnn.benchmark._runner import run_tasks
from annealnn.benchmark._task import Record, Task
from annealnn.benchmark._verdict import Verdict, verdict


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkPart:
    """Instances and who runs on them: every entrant on every instance.

    Parameters
    ----------
    instances : tuple of InstanceSpec
    entrants : tuple of Entrant
    num_reads : int
        Of each run, where the entrant has no number of its own.
    measures : tuple of str
        What is kept of the reads beside their energies.
    certify : bool
        Whether optima are looked for; without them there are no times to solution.
    """

    instances: tuple[InstanceSpec, ...]
    entrants: tuple[Entrant, ...]
    num_reads: int = 100
    measures: tuple[str, ...] = ()
    certify: bool = True


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkJob:
    """What to run.

    Parameters
    ----------
    out : path
        Folder of the results and the report. A run in the same folder goes on where the last one stopped.
    parts : tuple of BenchmarkPart
    trainings : tuple of Task
        Of kind "train".
    processor : str, optional
        Label of the contestant that the verdict is about; the one on a quantum processor if None.
    seed : int
    timeout_s : float
        What one run may take.
    num_resamples : int
        Of the intervals.
    retry : bool
        Whether runs that failed or timed out before are made again.
    """

    out: Path = Path("benchmark-report")
    parts: tuple[BenchmarkPart, ...]
    trainings: tuple[Task, ...] = ()
    processor: str | None = None
    seed: int = 0
    timeout_s: float = 600.0
    num_resamples: int = 1000
    retry: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out))
        check_count("seed", self.seed, minimum=0)
        check_count("num_resamples", self.num_resamples)
        check_number("timeout_s", self.timeout_s, low=0.0, open_low=True)

    @property
    def results(self) -> Path:
        """The file of results."""
        return self.out / "results.jsonl"

    def tasks(self) -> list[Task]:
        """Return all that is run, in order."""
        planned = [
            plan_tasks(
                part.instances,
                part.entrants,
                num_reads=part.num_reads,
                seed=self.seed,
                measures=part.measures,
                certify=part.certify,
            )
            for part in self.parts
        ]
        return [task for tasks in planned for task in tasks] + list(self.trainings)


class BenchmarkResult(NamedTuple):
    """What a benchmark found."""

    records: list[Record]
    analysis: Analysis
    verdict: Verdict
    page: Path


def run_benchmark(job: BenchmarkJob, *, say: Callable[[str], None] = logger.info) -> BenchmarkResult:
    """Run a benchmark, or what is left of it, and write its report.

    Returns
    -------
    BenchmarkResult
        `job.out` then holds `results.jsonl`, `verdict.json`, `index.html`, `figures/*.png` and `tables/*.csv`.

    Raises
    ------
    ValueError
        If `job.out` is a file or holds other things.
    ResultsError
        If its file of results is damaged.
    KeyboardInterrupt
        What was done is kept: the same job goes on.
    """
    tasks = job.tasks()
    claim_folder(job.out)
    say(f"1/2  {len(tasks)} runs; those that {job.results} has are not made again")
    records = run_tasks(tasks, job.results, timeout_s=job.timeout_s, retry=job.retry)
    say("2/2  statistics and report")
    facts = {
        "Seed": f"{job.seed}",
        "Runs": f"{len(tasks)}, each of at most {job.timeout_s:g} s",
        "Reads of a run": ", ".join(sorted({f"{task.num_reads}" for task in tasks if task.kind == "sample"}, key=int)),
    }
    return report_benchmark(
        records, job.out, processor=job.processor, facts=facts, num_resamples=job.num_resamples, seed=job.seed
    )


def report_benchmark(
    records: Sequence[Record],
    out: Path,
    *,
    processor: str | None = None,
    facts: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
    seed: int = 0,
) -> BenchmarkResult:
    """Analyse records and write the report to a folder.

    Parameters
    ----------
    records : sequence of Record
    out : path
    processor : str, optional
        Label of the contestant that the verdict is about; the one on a quantum processor if None.
    facts : mapping of str, optional
        What else the page says.
    num_resamples, seed : int
        Of the intervals.
    """
    from annealnn.reports import write_benchmark_report

    begun = time.monotonic()
    analysis = analyse(records, clocks=("annealing", "service", "wall"), num_resamples=num_resamples, seed=seed)
    found = verdict(analysis, processor)
    machines = sorted({_machine(record) for record in records} - {""})
    told = {
        **(facts or {}),
        "Machines": "; ".join(machines) or "not recorded",
        "annealnn": __version__,
        "Statistics": f"{time.monotonic() - begun:.0f} s",
    }
    write_text(out / "verdict.json", json.dumps(found.to_dict(), indent=2) + "\n")
    return BenchmarkResult(list(records), analysis, found, write_benchmark_report(analysis, found, out, facts=told))


def claim_folder(out: Path) -> None:
    """Make a folder ours.

    Raises
    ------
    ValueError
        If it holds other things, or is a file.
    """
    mark = out / "benchmark.json"
    if out.exists() and not out.is_dir():
        msg = f"a report is written to a folder; {out} is a file. Name another with out"
        raise ValueError(msg)
    if out.exists() and any(out.iterdir()) and not mark.exists():
        msg = f"a report's folder is new, empty, or an earlier benchmark's; {out} holds other things. Name another"
        raise ValueError(msg)
    write_text(mark, json.dumps({"annealnn": __version__}) + "\n")


def check_results(paths: Sequence[Path]) -> None:
    """Check that files are there.

    Raises
    ------
    ValueError
        If one is not.
    """
    for path in paths:
        if not path.is_file():
            msg = f"results are files that a benchmark wrote, results.jsonl in its folder; {path} is no file"
            raise ValueError(msg)


def read_results(paths: Sequence[Path]) -> list[Record]:
    """Return the records of files of results, each run once.

    Raises
    ------
    ValueError
        If a file is not there.
    ResultsError
        If one is damaged, or they have different problems for one instance.
    """
    check_results(paths)
    if len(paths) == 1:
        return ResultsFile(paths[0]).read()
    with TemporaryDirectory() as folder:
        return merge_results(paths, Path(folder) / "results.jsonl")


def _machine(record: Record) -> str:
    known = record.info.get("machine", {})
    return ", ".join(str(known[name]) for name in ("cpu", "system") if name in known)
