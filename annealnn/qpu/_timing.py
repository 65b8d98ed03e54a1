"""QPU access time: what a job is expected to take, and what the service says that jobs took."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

# where a solver says nothing of its timing: above what D-Wave's processors of 2022 to 2026 take, microseconds
_ASSUMED_FIXED_US, _ASSUMED_READOUT_US, _ASSUMED_DELAY_US, _ASSUMED_ANNEAL_US = 20_000.0, 300.0, 25.0, 20.0

# those of the service's fields that add up from job to job
_TOTALS = (
    "qpu_access_time",
    "qpu_programming_time",
    "qpu_sampling_time",
    "qpu_access_overhead_time",
    "total_post_processing_time",
    "post_processing_overhead_time",
)


class JobTime(NamedTuple):
    """QPU access time of a job: programming once, then anneal, readout and delay for each read."""

    fixed_us: float
    per_read_us: float
    assumed: bool = False  #: the solver does not say how long its parts take, and more than usual is counted

    def of(self, num_reads: int) -> float:
        """Return the access time of so many reads, microseconds."""
        return self.fixed_us + num_reads * self.per_read_us


def job_time(properties: Mapping[str, Any], num_qubits: int, parameters: Mapping[str, Any]) -> JobTime:
    """Return what a job takes by the solver's own model of its timing, as the client computes it.

    The client's estimate is linear in the number of reads and does not give its two parts: they are had from two
    estimates.

    Parameters
    ----------
    properties : mapping
        The solver's: `problem_timing_data`.
    num_qubits : int
        Active qubits: readout takes longer for more.
    parameters : mapping
        What the solver is told: `annealing_time`, `anneal_schedule`, thermalizations.

    Raises
    ------
    ValueError
        If parameters contradict each other, as `annealing_time` and `anneal_schedule` do.
    """
    if not properties.get("problem_timing_data"):
        return _assumed(properties, parameters)
    from dwave.cloud.solver import StructuredSolver

    told = {name: value for name, value in parameters.items() if name != "num_reads"}
    # a model of reverse annealing, which the client asks an initial state of
    solver: Any = SimpleNamespace(properties=properties)
    some, more = 1, 1001
    try:
        few, many = (
            float(StructuredSolver.estimate_qpu_access_time(solver, max(1, num_qubits), num_reads=n, **told))
            for n in (some, more)
        )
    except KeyError:
        return _assumed(properties, parameters)
    except ValueError as error:
        if "problem_timing_data" in str(error) or "timing model" in str(error):  # a model that the client does not know
            return _assumed(properties, parameters)
        raise
    per_read = (many - few) / (more - some)
    return JobTime(few - some * per_read, per_read)


def _assumed(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> JobTime:
    schedule = parameters.get("anneal_schedule")
    anneal = schedule[-1][0] if schedule else parameters.get("annealing_time")
    anneal = anneal or properties.get("default_annealing_time", _ASSUMED_ANNEAL_US)
    kinds = ("programming_thermalization", "readout_thermalization")
    settling = [parameters.get(kind) or properties.get(f"default_{kind}", 0.0) for kind in kinds]
    per_read = anneal + _ASSUMED_READOUT_US + _ASSUMED_DELAY_US + settling[1]
    return JobTime(_ASSUMED_FIXED_US + settling[0], float(per_read), assumed=True)


def total_timing(timings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the service's timing fields of jobs added up, microseconds: those that are times of whole jobs.

    Sampling time is also shared out to what a read takes: `qpu_anneal_time`, `qpu_readout_time`, `qpu_delay_time`.
    """
    total: dict[str, float] = {}
    for timing in timings:
        for name, value in {**{name: timing[name] for name in _TOTALS if name in timing}, **_shares(timing)}.items():
            total[name] = total.get(name, 0.0) + float(value)
    return total


def _shares(timing: Mapping[str, float]) -> dict[str, float]:
    """Return what of a job's sampling time each part of its reads took; nothing if the service does not say."""
    each = {part: float(timing.get(f"qpu_{part}_time_per_sample", 0.0)) for part in ("anneal", "readout", "delay")}
    read = sum(each.values())
    if not read or "qpu_sampling_time" not in timing:
        return {}
    return {f"qpu_{part}_time": timing["qpu_sampling_time"] * us / read for part, us in each.items()}


def total_seconds(client_s: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the client's seconds of jobs added up, by part."""
    total: dict[str, float] = {}
    for parts in client_s:
        for name, seconds in parts.items():
            total[name] = total.get(name, 0.0) + float(seconds)
    return total
