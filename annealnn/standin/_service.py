"""The service without its HTTP: it takes jobs, runs them one after the other, and keeps account."""

import hashlib
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, final

import networkx as nx
import numpy as np
import orjson

from annealnn._log import logger
from annealnn._rng import child_seed, resolve_seed
from annealnn._validation import check_count, check_number
from annealnn.standin._answer import encode_answer
from annealnn.standin._chip import Chip
from annealnn.standin._faults import Fault, FaultPlan
from annealnn.standin._noise import Noise
from annealnn.standin._parameters import RefusedError
from annealnn.standin._physics import Physics, ThermalPhysics
from annealnn.standin._problem import Problem, decode_problem

_FINISHED = ("COMPLETED", "FAILED", "CANCELLED")


@final
@dataclass(kw_only=True, eq=False)
class Job:
    """A job that was accepted."""

    id: str
    number: int
    kind: str
    solver: Mapping[str, Any]
    label: str | None
    #: until it is finished
    problem: Problem | None
    access_us: float
    seed: int
    submitted: float = field(default_factory=time.time)
    solved: float | None = None
    status: str = "PENDING"
    error: str = ""
    #: given up once it is old: see `StandIn.kept_bytes`
    body: Mapping[str, Any] | None = None
    answer: bytes | None = None
    #: what goes wrong with it on purpose
    fault: Fault | None = None
    #: done when the status is final
    finished: futures.Future[None] = field(default_factory=futures.Future)

    @property
    def solver_name(self) -> str:
        """Name of the solver."""
        return str(self.solver["name"])

    def described(self, *, with_answer: bool = False) -> dict[str, Any]:
        """Return what the service says of it."""
        said: dict[str, Any] = {
            "id": self.id,
            "type": self.kind,
            "solver": self.solver,
            "status": self.status,
            "submitted_on": _timestamp(self.submitted),
        }
        if self.label is not None:
            said["label"] = self.label
        if self.solved is not None:
            said["solved_on"] = _timestamp(self.solved)
        if self.error:
            said["error_message"] = self.error
        if with_answer and self.answer is not None:
            said["answer"] = orjson.Fragment(self.answer)
        return said


@final
class StandIn:
    """A simulated processor behind the solver API: a SIMULATION, for rehearsal and tests.

    Parameters
    ----------
    topology : str or networkx.Graph
        "chimera-M", "pegasus-M", "zephyr-M", or a graph over whole numbers.
    num_dead_qubits, num_dead_couplers : int
        Defects, drawn from `dead_seed`.
    dead_seed : int
    physics : Physics, optional
        How reads come about; `ThermalPhysics()` if None.
    noise : Noise, optional
        Control errors, readout errors and drift; none if None.
    faults : sequence of Fault
        What goes wrong on purpose; drawn from `seed`.
    seed : int, optional
        With one, the reads of a job follow from it and the job's label, whatever the order of jobs; those of a job
        without a label from it and the job's content. Without one, all reads are fresh.
    token : str, optional
        What requests must bring; a fresh one if None.
    latency_s : float
        Seconds from acceptance before which no job is finished.
    inline : bool
        Whether the answer to a submission waits for the jobs and holds their answers.
    max_age_s : int, optional
        How long clients may keep the solver's definition; by default they may not.
    kept_bytes : int
        Answers and problems are kept up to this size, the oldest given up first.
    name : str, optional
        Of the solver; it holds "simulated".
    properties : mapping, optional
        Of the solver, in place of the defaults: `h_range`, `problem_run_duration_range`, ...

    Raises
    ------
    ValueError
        If an argument breaks its rule.
    """

    def __init__(
        self,
        topology: str | nx.Graph = "zephyr-4",
        *,
        num_dead_qubits: int = 0,
        num_dead_couplers: int = 0,
        dead_seed: int = 0,
        physics: Physics | None = None,
        noise: Noise | None = None,
        faults: Sequence[Fault] = (),
        seed: int | None = None,
        token: str | None = None,
        latency_s: float = 0.0,
        inline: bool = False,
        max_age_s: int | None = None,
        kept_bytes: int = 1 << 30,
        name: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        if name is not None and "simulated" not in name:
            msg = f'name of a stand-in\'s solver holds "simulated"; got {name!r}'
            raise ValueError(msg)
        self.physics, self.noise = physics or ThermalPhysics(), noise or Noise()
        self.token = token or f"SIM-{uuid.uuid4().hex}"
        self.latency_s = check_number("latency_s", latency_s, low=0.0)
        self.inline, self.kept_bytes = inline, check_count("kept_bytes", kept_bytes, minimum=0)
        self.max_age_s = None if max_age_s is None else check_count("max_age_s", max_age_s, minimum=0)
        self._seed, self._root = seed, resolve_seed(None if seed is None else check_count("seed", seed, minimum=0))
        self.faults = FaultPlan(faults, child_seed(self._root, 1))
        self.chip = Chip.of(
            topology,
            num_dead_qubits=num_dead_qubits,
            num_dead_couplers=num_dead_couplers,
            dead_seed=dead_seed,
            name=name,
            ranges=properties,
            simulation={
                "physics": self.physics.to_dict(),
                "noise": self.noise.to_dict(),
                "seeded": seed is not None,
            },
        )
        self._lock = threading.Lock()
        self._closing: futures.Future[None] = futures.Future()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._kept: OrderedDict[str, int] = OrderedDict()
        self._num_kept = 0
        self._billed_us: dict[str, float] = {}
        # one processor: jobs run in the order in which they were accepted
        self._worker = futures.ThreadPoolExecutor(1, thread_name_prefix="annealnn-standin")

    def close(self) -> None:
        """Finish the job that runs, and give up those that wait."""
        with suppress(futures.InvalidStateError):
            self._closing.set_result(None)
        self._worker.shutdown(wait=True, cancel_futures=True)

    def submit(self, body: Any) -> Job:
        """Accept a job.

        Parameters
        ----------
        body : mapping
            `solver`, `type`, `data`, `params` and perhaps `label`.

        Raises
        ------
        RefusedError
            If the job breaks a rule. Then it is not accepted.
        """
        if not isinstance(body, Mapping) or not {"solver", "type", "data", "params"} <= set(body):
            raise RefusedError(400, "A job is an object with solver, type, data and params")
        label = body.get("label")
        if label is not None and not isinstance(label, str):
            raise RefusedError(400, f"label is a string; got {label!r}")
        with self._lock:
            chip = self.chip
        self._check_solver(chip, body["solver"])
        problem = decode_problem(chip, body["type"], body["data"], body["params"])
        fault = self.faults.strike("job")
        if fault is not None and fault.what == "refused":
            raise RefusedError(fault.status, fault.text)
        with self._lock:
            number = len(self._jobs)
            job = Job(
                id=str(uuid.uuid4()),
                number=number,
                kind=body["type"],
                solver=chip.identity,
                label=label,
                problem=problem,
                access_us=problem.timing["qpu_access_time"],
                seed=self._seed_of(number, label, body),
                body={"data": body["data"], "params": body["params"]},
                fault=fault,
            )
            self._jobs[job.id] = job
        self._worker.submit(self._run, job, chip)
        return job

    def job(self, problem_id: str) -> Job:
        """Return a job.

        Raises
        ------
        RefusedError
            If there is none of this id.
        """
        with self._lock:
            found = self._jobs.get(problem_id)
        if found is None:
            raise RefusedError(404, f"Problem does not exist or apitoken does not have access: {problem_id}")
        return found

    def jobs(self) -> list[Job]:
        """Return all jobs, the latest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def cancel(self, problem_id: str) -> Job:
        """Cancel a job.

        Raises
        ------
        RefusedError
            If there is none of this id, or it is finished.
        """
        job = self.job(problem_id)
        with self._lock:
            if job.status in _FINISHED:
                raise RefusedError(409, f"Problem {problem_id} is finished: {job.status}")
            self._finish(job, "CANCELLED")
        return job

    def kill_qubits(self, qubits: Sequence[int] | None = None, *, num: int = 0, seed: int = 0) -> list[int]:
        """Let qubits die while jobs come and go: the solver keeps its name and gets another graph_id.

        Jobs that were accepted before and use them fail, unless they are finished. Later ones for the old graph_id are
        refused.

        Parameters
        ----------
        qubits : sequence of int, optional
            Which ones; if None, `num` drawn from `seed`.

        Raises
        ------
        ValueError
            If one of them does not work.
        """
        with self._lock:
            if qubits is None:
                check_count("num", num)
                drawn = np.random.default_rng(seed).choice(self.chip.qubits, num, replace=False)
                qubits = sorted(drawn.tolist())
            self.chip = self.chip.without(qubits)
        logger.info("qubits %s have died; the working graph is now %s", list(qubits), self.chip.graph_id)
        return list(qubits)

    def statistics(self) -> dict[str, Any]:
        """Return what was accepted, completed and billed, in all and by label."""
        with self._lock:
            jobs = list(self._jobs.values())
            labels: dict[str, dict[str, float]] = {}
            for job in jobs:
                of = labels.setdefault(job.label or "", {"accepted": 0, "completed": 0, "billed": 0, "billed_us": 0.0})
                of["accepted"] += 1
                of["completed"] += job.status == "COMPLETED"
                of["billed"] += job.id in self._billed_us
                of["billed_us"] += self._billed_us.get(job.id, 0.0)
            return {
                "simulated": True,
                "accepted": len(jobs),
                "statuses": {s: sum(job.status == s for job in jobs) for s in ("PENDING", "IN_PROGRESS", *_FINISHED)},
                "billed_us": sum(self._billed_us.values()),
                **self.faults.statistics(),
                "labels": labels,
            }

    def _seed_of(self, number: int, label: str | None, body: Mapping[str, Any]) -> int:
        """Return the seed of a job's reads."""
        if self._seed is None:
            return child_seed(self._root, number)
        shaped = {"label": label} if label is not None else {k: body[k] for k in ("type", "data", "params")}
        digest = hashlib.sha256(orjson.dumps(shaped, option=orjson.OPT_SORT_KEYS)).digest()
        return child_seed(self._root, *np.frombuffer(digest[:16], dtype="<u4").tolist())

    def _check_solver(self, chip: Chip, identity: Any) -> None:
        """Hold a job's solver against the chip; a version that is no longer served is not found."""
        name = identity.get("name") if isinstance(identity, Mapping) else identity
        if name != chip.name:
            raise RefusedError(404, f"Solver {name!r} does not exist; this service has {chip.name!r}")
        version = identity.get("version") if isinstance(identity, Mapping) else None
        graph_id = version.get("graph_id") if isinstance(version, Mapping) else None
        if graph_id not in (None, chip.graph_id):
            msg = f"Solver {name!r} has no graph_id {graph_id!r} any more; its working graph is {chip.graph_id!r}"
            raise RefusedError(404, msg)

    def _run(self, job: Job, chip: Chip) -> None:
        with self._lock:
            if job.problem is None:
                return
            job.status, problem = "IN_PROGRESS", job.problem
            dead = problem.qubits[~np.isin(problem.qubits, self.chip.qubits)]
        answer, error = None, ""
        if job.fault is not None:
            error = job.fault.text
        elif len(dead):
            error = f"Qubit {dead[0]} has left the working graph since the problem was accepted"
        else:
            try:
                answer = self._sample(job, problem, chip)
            except Exception as failure:
                logger.exception("the simulation of job %s broke", job.id)
                error = f"The simulation broke: {failure}"
        if (wait := job.submitted + self.latency_s - time.time()) > 0:
            # until then, or a cancellation, or the end of the service
            futures.wait([job.finished, self._closing], timeout=wait, return_when=futures.FIRST_COMPLETED)
        with self._lock:
            if job.status != "IN_PROGRESS":
                return
            if answer is not None:
                job.answer = answer
                self._billed_us[job.id] = job.access_us
            is_cancelled = job.fault is not None and job.fault.what == "cancelled"
            job.error = error
            self._finish(job, "COMPLETED" if answer is not None else "CANCELLED" if is_cancelled else "FAILED")

    def _sample(self, job: Job, problem: Problem, chip: Chip) -> bytes:
        # with a seed, a time that follows from the job alone: see Noise
        moment = job.number if self._seed is None else self.noise.drift_jobs * (child_seed(job.seed, 3) % 100_000)
        parameters = self.noise.realised(
            problem, chip, seed=job.seed, chip_seed=child_seed(self._root, 2), moment=float(moment)
        )
        spins = self.physics.draw(problem, parameters, child_seed(job.seed, 0))
        return encode_answer(problem, chip.num_qubits, self.noise.read_out(spins, job.seed))

    def _finish(self, job: Job, status: str) -> None:
        """End a job, and give up the oldest answers and problems beyond what is kept."""
        # the status last: who sees it finds the rest
        job.solved, job.problem, job.status = time.time(), None, status
        self._kept[job.id] = len(job.answer or b"") + sum(len(str(part)) for part in (job.body or {})["data"].values())
        self._num_kept += self._kept[job.id]
        while self._num_kept > self.kept_bytes and len(self._kept) > 1:
            oldest, size = self._kept.popitem(last=False)
            self._num_kept -= size
            self._jobs[oldest].answer = self._jobs[oldest].body = None
        job.finished.set_result(None)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
