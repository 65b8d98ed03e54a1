"""Which jobs a sampling takes, and what they cost, before any is sent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from annealnn._validation import check_count, check_number
from annealnn.qpu._ranges import check_annealing_time
from annealnn.qpu._timing import JobTime, job_time

# of the longest run that the solver takes: its model's times are typical ones
_SHARE_OF_RUN = 0.99


class Part(NamedTuple):
    """One job: reads of one problem in one gauge."""

    gauge: int
    number: int  #: of the part, within its gauge
    num_reads: int  #: those that are wanted
    num_asked: int  #: those that the solver is asked for: at least what it takes
    estimated_us: float  #: QPU access time


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The jobs of a sampling, or of each step of a training, and their cost.

    Attributes
    ----------
    parts : tuple of Part
        The jobs of one problem, gauge by gauge.
    num_problems : int
        Problems of a step, each with these parts: 1, or one for each row that is clamped.
    num_steps, reuse_steps : int
        Steps of the training, and for how many of them reads are used.
    job_time : JobTime
        What a job takes.
    limit_us : float
        The longest run that the solver takes.
    most_reads : int
        What one job may ask for.
    budget_us : float or None
    simulated : bool
        Whether a simulation would answer, whose times are made up.
    """

    parts: tuple[Part, ...]
    num_problems: int
    num_steps: int
    reuse_steps: int
    job_time: JobTime
    limit_us: float
    most_reads: int
    budget_us: float | None
    simulated: bool

    @property
    def num_batches(self) -> int:
        """How many steps send jobs; the others use reads that are there."""
        return -(-self.num_steps // self.reuse_steps)

    @property
    def num_jobs(self) -> int:
        """Jobs of all steps."""
        return len(self.parts) * self.num_problems * self.num_batches

    @property
    def step_us(self) -> float:
        """QPU access time of a step that sends jobs, microseconds."""
        return self.num_problems * sum(part.estimated_us for part in self.parts)

    @property
    def total_us(self) -> float:
        """QPU access time of all steps, microseconds."""
        return self.step_us * self.num_batches

    @property
    def share(self) -> float | None:
        """Part of the budget that this takes, None without one."""
        return None if self.budget_us is None else self.total_us / self.budget_us

    def table(self) -> list[tuple[str, str]]:
        """Return what is planned, in words, row by row."""
        gauges = len({part.gauge for part in self.parts})
        reads = sum(part.num_reads for part in self.parts)
        sizes = sorted({part.num_asked for part in self.parts})
        rows = [
            ("reads", f"{reads:,} a step" + (f", of each of {self.num_problems}" if self.num_problems > 1 else "")),
            ("gauges", f"{gauges:,}"),
            (
                "jobs",
                f"{self.num_jobs:,}: {len(self.parts) * self.num_problems:,} a step of "
                f"{' or '.join(f'{n:,}' for n in sizes)} reads (a job takes at most {self.most_reads:,})",
            ),
            (
                "a job",
                f"{self.job_time.fixed_us:,.0f} us and {self.job_time.per_read_us:,.1f} us for each read, readout and "
                f"delay included; the longest takes {max(part.estimated_us for part in self.parts):,.0f} us of at most "
                f"{self.limit_us:,.0f}"
                + (" (assumed: the solver has no timing data)" if self.job_time.assumed else ""),
            ),
            ("steps", f"{self.num_steps:,}, of which {self.num_batches:,} send jobs"),
            (
                "QPU access time",
                f"{self.step_us:,.0f} us a step, {self.total_us / 1e6:,.3f} s in all"
                f"{', SIMULATED' if self.simulated else ''}",
            ),
        ]
        if self.share is not None:
            fits = "fits" if self.share <= 1 else "does not fit: training stops before the budget is broken"
            rows.append(("of the budget", f"{100 * self.share:.1f} % of {self.budget_us:,.0f} us; {fits}"))
        return rows

    def __str__(self) -> str:
        """Return the table as lines of text."""
        rows = self.table()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def plan(
    num_reads: int,
    *,
    num_qubits: int,
    properties: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
    num_gauges: int = 1,
    num_problems: int = 1,
    num_steps: int = 1,
    reuse_steps: int = 1,
    budget_us: float | None = None,
) -> Plan:
    """Return which jobs give so many reads, and what they cost. Nothing is sent.

    Reads are shared out among gauges, and those of a gauge among jobs, evenly, so that no job runs longer than
    `problem_run_duration_range` or takes more reads than `num_reads_range` allows. Programming, anneal, readout and
    delay all count; the client's `max_num_reads` leaves the last two out.

    Parameters
    ----------
    num_reads : int
        Of one problem, at one step, in all gauges together.
    num_qubits : int
        Active qubits of the problem.
    properties : mapping
        The solver's.
    parameters : mapping, optional
        What the solver is told: `annealing_time`, ...
    num_gauges : int
        At most one for each read is used.
    num_problems : int
        Problems of a step; those that share a chip count once.
    num_steps, reuse_steps : int
        Steps of a training, and for how many of them reads are used.
    budget_us : float, optional
        QPU access time, microseconds.

    Raises
    ------
    ValueError
        If an argument breaks its rule, the solver has fewer qubits or no such annealing time, or one read takes longer
        than it lets a job run.
    """
    check_count("num_reads", num_reads)
    check_count("num_gauges", num_gauges)
    for name, value in (("num_problems", num_problems), ("num_steps", num_steps), ("reuse_steps", reuse_steps)):
        check_count(name, value)
    if budget_us is not None:
        check_number("budget_us", budget_us, low=0.0, open_low=True)
    if "qubits" in properties and num_qubits > len(properties["qubits"]):
        msg = f"a problem has at most the {len(properties['qubits'])} qubits of the solver; got {num_qubits}"
        raise ValueError(msg)
    each = job_time(properties, num_qubits, parameters or {})
    limit = float(properties.get("problem_run_duration_range", (0.0, math.inf))[1])
    fewest, most = properties.get("num_reads_range", (1, num_reads))
    most_reads = int(most) if limit == math.inf else min(int(most), _fitting(each, limit))
    if most_reads < max(1, int(fewest)):
        msg = (
            f"a job runs at most {limit:,.0f} us on this solver, programming, anneal, readout and delay included; "
            f"{max(1, int(fewest))} reads of these parameters take {each.of(max(1, int(fewest))):,.0f} us. "
            "Anneal for a shorter time"
        )
        raise ValueError(msg)
    check_annealing_time(properties, parameters or {})
    used = min(num_gauges, num_reads)
    parts = []
    for gauge in range(used):
        mine = len(range(gauge, num_reads, used))
        count = -(-mine // most_reads)
        for number in range(count):
            wanted = mine // count + (number < mine % count)
            asked = max(wanted, int(fewest))
            parts.append(Part(gauge, number, wanted, asked, each.of(asked)))
    return Plan(
        parts=tuple(parts),
        num_problems=num_problems,
        num_steps=num_steps,
        reuse_steps=reuse_steps,
        job_time=each,
        limit_us=limit,
        most_reads=most_reads,
        budget_us=budget_us,
        simulated="annealnn_simulation" in properties,
    )


def _fitting(each: JobTime, limit: float) -> int:
    """Return how many reads a job may have."""
    return max(0, math.floor((_SHARE_OF_RUN * limit - each.fixed_us) / each.per_read_us))
