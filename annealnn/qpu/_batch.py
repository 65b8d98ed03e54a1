"""Problems made into jobs, and answers into reads."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, final

import numpy as np

from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.qpu._planner import Plan, plan
from annealnn.qpu._ranges import Problem, Ranges
from annealnn.qpu._timing import total_seconds, total_timing
from annealnn.typing import AnyArray, Indices, Spins

UNUSED = 3  # what the solver API calls a qubit without an initial value


class JobRunner(Protocol):
    """Whoever takes jobs to a solver and brings its answers: a `Dispatcher`."""

    @property
    def solver(self) -> SolverDefinition:
        """The solver, as its service defines it now."""

    def run(self, requests: Sequence[JobRequest]) -> list[JobAnswer]:
        """Return the answers, in order."""


class _Job(NamedTuple):
    """Where an answer belongs."""

    problem: int
    signs: AnyArray | None  #: (num_qubits,), the gauge
    rows: Indices  #: the problem's reads that it gives


@final
class Batch:
    """How problems on a solver's qubits are sampled: gauges, parts, scale, what the solver is told.

    Parameters
    ----------
    runner : JobRunner
    solver : SolverDefinition
        What the problems are made for. After its working graph has changed they are refused.
    num_gauges : int
        1 sends problems as they are. With more, read r is drawn in gauge r mod `num_gauges`, which flips each qubit or
        leaves it, at even odds (King & McGeoch 2014); each gauge is a job of its own, and ranges are taken as far as
        they are symmetric.
    auto_scale : bool
        Multiply fields and couplings of all problems by the largest common factor that leaves them in range.
    experiment : str
        Names the reads.
    told : mapping
        What the solver is told beside.
    """

    def __init__(
        self,
        runner: JobRunner,
        solver: SolverDefinition,
        *,
        num_gauges: int,
        auto_scale: bool,
        experiment: str,
        told: Mapping[str, Any],
    ) -> None:
        self._runner, self._solver, self._experiment = runner, solver, experiment
        self._num_gauges, self._auto_scale = num_gauges, auto_scale
        properties = solver.properties
        known = properties.get("parameters", {})
        self._told = {**({"answer_mode": "raw"} if "answer_mode" in known else {}), **plain_parameters(told)}
        if "auto_scale" in known:  # the service's default is True: each job at its own temperature
            self._told["auto_scale"] = False
        self._initial = self._told.pop("initial_state", None)
        self._ranges = Ranges.of(properties, gauged=num_gauges > 1)
        self._plans: dict[tuple[int, int], Plan] = {}

    def plan(self, num_reads: int, num_qubits: int) -> Plan:
        """Return the jobs of so many reads of one problem."""
        key = num_reads, num_qubits
        if key not in self._plans:
            state = {} if self._initial is None else {"initial_state": self._initial}
            self._plans[key] = plan(
                num_reads,
                num_qubits=num_qubits,
                properties=self._solver.properties,
                parameters=self._told | state,
                num_gauges=self._num_gauges,
            )
        return self._plans[key]

    def draw(self, problems: Sequence[Problem]) -> tuple[list[Spins], dict[str, Any]]:
        """Return reads of each problem, (num_reads, num_qubits), and what to add to `info`. All are sent at once.

        Raises
        ------
        ValueError
            If a bias is out of range and `auto_scale` is not set; before anything is sent.
        """
        problems, scale = self._scaled(problems)
        requests, jobs = [], []
        for k, problem in enumerate(problems):
            if not len(problem.qubits):
                continue
            used = self.plan(problem.num_reads, len(problem.qubits))
            start: dict[int, int] = {}
            for part in used.parts:
                first = start.get(part.gauge, 0)
                start[part.gauge] = first + part.num_reads
                signs = self._signs(problem, part.gauge)
                rows = part.gauge + min(self._num_gauges, problem.num_reads) * np.arange(first, start[part.gauge])
                jobs.append(_Job(k, signs, rows))
                draw = (problem.seed, part.gauge, part.number)
                requests.append(self._request(problem, signs, draw, part.num_asked, part.estimated_us))
        answers = self._runner.run(requests) if requests else []
        reads = [np.empty((problem.num_reads, len(problem.qubits)), np.int8) for problem in problems]
        for job, answer in zip(jobs, answers, strict=True):
            spins = answer.spins[: len(job.rows)]
            reads[job.problem][job.rows] = spins if job.signs is None else spins * job.signs
        return reads, self._info(requests, answers, scale)

    def _scaled(self, problems: Sequence[Problem]) -> tuple[Sequence[Problem], float]:
        if not self._auto_scale:
            for problem in problems:
                self._ranges.check(problem)
            return problems, 1.0
        scale = min((self._ranges.scale(problem) for problem in problems), default=np.inf)
        if not np.isfinite(scale):
            return problems, 1.0
        # clipped, for a product may round to beyond the range
        return [
            problem._replace(
                fields=np.clip(scale * problem.fields, *self._ranges.fields),
                couplings=np.clip(scale * problem.couplings, *self._ranges.couplings),
            )
            for problem in problems
        ], scale

    def _signs(self, problem: Problem, gauge: int) -> AnyArray | None:
        if self._num_gauges == 1:
            return None
        rng = np.random.default_rng([problem.seed, gauge])
        return (2 * rng.integers(2, size=len(problem.qubits)) - 1).astype(np.int8)

    def _request(
        self, problem: Problem, signs: AnyArray | None, draw: tuple[int, ...], num_reads: int, estimated_us: float
    ) -> JobRequest:
        heads, tails = problem.ends
        fields, couplings, told = problem.fields, problem.couplings, self._told
        if signs is not None:
            fields, couplings = fields * signs, couplings * (signs[heads] * signs[tails])
        if self._initial is not None:
            told = told | {"initial_state": self._initial_state(problem, signs)}
        return JobRequest(
            solver=self._solver.solver,
            qubits=problem.qubits,
            fields=fields,
            couplers=np.column_stack([problem.qubits[heads], problem.qubits[tails]]),
            couplings=couplings,
            parameters={**told, "num_reads": num_reads},
            experiment=self._experiment,
            draw=draw,
            estimated_us=estimated_us,
        )

    def _initial_state(self, problem: Problem, signs: AnyArray | None) -> list[int]:
        """Return the initial state in the problem's gauge, as the solver API takes it: one value for each qubit."""
        state = np.array(self._initial)
        used = np.full(len(state), fill_value=False)
        used[problem.qubits] = True
        state[~used] = UNUSED
        if signs is not None:
            mine = state[problem.qubits]
            state[problem.qubits] = np.where(mine == UNUSED, UNUSED, mine * signs)
        return [int(value) for value in state]

    def _info(self, requests: Sequence[JobRequest], answers: Sequence[JobAnswer], scale: float) -> dict[str, Any]:
        sent = [answer for answer in answers if not answer.replayed]
        return {
            "jobs": [request.key for request in requests],
            "problem_ids": [answer.problem_id for answer in answers],
            "solver": self._solver.solver,
            "simulated": self._solver.simulated,
            "experiment": self._experiment,
            "replayed": len(answers) - len(sent),
            "qpu_timing": total_timing(answer.timing for answer in answers),
            "billed_us": total_timing(answer.timing for answer in sent).get("qpu_access_time", 0.0),
            "client_s": total_seconds(answer.client_s for answer in sent),
            "recorded_client_s": total_seconds(answer.client_s for answer in answers),
            "num_gauges": self._num_gauges,
            "scale": scale,
        }


def plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a solver is told as JSON can hold it, without what is None."""
    return {name: _plain(value) for name, value in parameters.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
