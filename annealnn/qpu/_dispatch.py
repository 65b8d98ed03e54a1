"""One run of a dispatcher: jobs on their way, from the journal to the service and back."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np

from annealnn._log import logger
from annealnn.exceptions import (
    BudgetError,
    GraphChangedError,
    JobError,
    JobInDoubtError,
    QPUAuthenticationError,
    QPUError,
    QPUUnavailableError,
)
from annealnn.qpu._answer import read_answer
from annealnn.qpu._connection import Connection
from annealnn.qpu._faults import Fault, fault_of
from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.qpu._journal import Journal
from annealnn.qpu._retries import Retries

# seconds between two looks: at ids that the client has yet to learn, at answers, at jobs of other processes
_IDS_S, _ANSWERS_S, _OTHERS_S = 0.02, 0.5, 0.2


@final
@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a run keeps to; see `Dispatcher`."""

    retries: Retries
    in_flight: int
    budget_us: float | None
    resubmit_in_doubt: bool


@final
@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    request: JobRequest
    step: Literal["send", "look-up", "collect", "fly"]
    due: float = 0.0  # monotonic seconds before which nothing is done about it
    problem_id: str | None = None
    asked_at: float | None = None  # when the lookups began, monotonic seconds
    spent_ids: set[str] = field(default_factory=set)
    first: bool = False  # not sent yet, and the journal has it as sent now
    lookups: int = 0  # that found nothing
    tries: Counter[str] = field(default_factory=Counter)
    future: Any = None
    encode_s: float = 0.0

    @property
    def key(self) -> str:
        return self.request.key


@final
class Dispatch:
    """The loop. All of its state that matters is in the journal: it may die at any line."""

    def __init__(self, connection: Connection, journal: Journal, requests: Sequence[JobRequest], rules: Rules) -> None:
        self._connection, self._journal, self._rules = connection, journal, rules
        # not claimed yet: when to ask, and what
        self._waiting = deque((0.0, request) for request in requests)
        self._jobs: dict[str, _Job] = {}
        self._claimed: set[str] = set()
        self._answers: dict[str, JobAnswer] = {}
        self._errors: list[QPUError] = []
        self._graph_changed: bool | None = None
        self._told = False
        self._silence = 0  # lookups that failed since one did not
        self._draws = np.random.default_rng()

    def run(self) -> dict[str, JobAnswer]:
        """Return the answers by key; after an error, once what is on its way has come back."""
        try:
            while self._waiting or self._jobs:
                self._claim()
                for job in list(self._jobs.values()):
                    if job.step != "fly" and (job.due <= time.monotonic() or (self._errors and job.step == "send")):
                        self._advance(job)
                self._pause()
                self._harvest()
        finally:
            # an interrupt: what is known of ids is not lost
            self._note_ids()
            self._journal.release(self._claimed)
        if self._errors:
            raise self._error()
        return self._answers

    def _claim(self) -> None:
        if self._errors:
            self._waiting.clear()
        now = time.monotonic()
        room = self._rules.in_flight - len(self._jobs)
        batch = [self._waiting.popleft()[1] for _ in range(min(room, len(self._waiting))) if self._waiting[0][0] <= now]
        if not batch:
            return
        claims = self._journal.claim(batch, budget_us=self._rules.budget_us)
        later, over = [], []
        for request, claim in zip(batch, claims, strict=True):
            if claim.step == "answered":
                self._answers.update(self._journal.answers([request]))
            elif claim.step == "wait":
                later.append(request)
            elif claim.step == "over-budget":
                over.append(request)
            else:
                self._claimed.add(request.key)
                # an interrupt ended the run that handed it over: the client may yet send it, or waits for its answer
                future = self._connection.flying(request.key) if claim.step in ("look-up", "collect") else None
                self._jobs[request.key] = _Job(
                    request=request,
                    step=claim.step if future is None else "fly",
                    future=future,
                    problem_id=claim.problem_id,
                    spent_ids=set(claim.spent_ids),
                    first=claim.step == "send",
                )
        if over and not self._jobs:
            self._errors.append(self._over_budget(over[0]))
        if later and not self._told:
            self._told = True
            logger.info("%d jobs are another process's or thread's: their answers are waited for", len(later))
        # what comes back may cost less than was expected
        self._waiting.extend((now + _OTHERS_S, request) for request in [*later, *over])

    def _advance(self, job: _Job) -> None:
        if job.step == "look-up":
            self._look_up(job)
        elif job.step == "collect" and job.problem_id is not None:
            self._launch(job, lambda: self._connection.retrieve(str(job.problem_id), job.key))
        elif self._errors:
            self._give_up(job, "failed", "it was not sent: an error had ended the run")
        elif job.tries["lost"] > self._rules.retries.num_retries:
            self._give_up(job, "failed", "the service took none of the messages that held it")
            self._errors.append(QPUUnavailableError(f"the service lost job {job.key} {job.tries['lost']} times"))
        else:
            if not job.first:
                self._journal.sending([job.key])
            job.first = False
            begun = time.perf_counter()
            self._launch(job, lambda: self._connection.submit(job.request))
            job.encode_s = time.perf_counter() - begun

    def _launch(self, job: _Job, start: Callable[[], Any]) -> None:
        try:
            job.future, job.step = start(), "fly"
        except QPUError as error:
            # made for another working graph, and left behind by an earlier run; or not ours to send
            if job.problem_id is None:
                self._journal.ended(job.key, "failed", str(error))
            self._drop(job, error)
        except Exception as error:
            self._handle(job, fault_of(error, accepted=job.problem_id is not None))

    def _look_up(self, job: _Job) -> None:
        """Ask the service for jobs under this label; the journal knows which of them came to nothing."""
        if self._silence > self._rules.retries.num_retries:
            self._doubt(job, "the service does not say whether it has the job")
            return
        try:
            listed = self._connection.find(job.key)
        except Exception as error:
            self._miss(job, fault_of(error))
            return
        self._silence = 0
        found = [one for one in listed if one.problem_id not in job.spent_ids]
        usable = [one for one in found if one.status not in ("FAILED", "CANCELLED")]
        if usable:
            if len(usable) > 1:
                logger.warning("the service has %d jobs labelled %s; one is taken", len(usable), job.key)
            job.problem_id = next((one for one in usable if one.status == "COMPLETED"), usable[0]).problem_id
            self._journal.accepted({job.key: job.problem_id})
            job.step = "collect"
            return
        if found:
            *before, last = found
            for one in before:
                job.spent_ids.add(one.problem_id)
                self._journal.spent(job.key, one.problem_id, "failed")
            job.problem_id = last.problem_id
            self._handle(job, Fault("failed" if last.status == "FAILED" else "cancelled", f"it was {last.status}"))
            return
        now = time.monotonic()
        job.asked_at = now if job.asked_at is None else job.asked_at
        job.lookups += 1
        settled_in = job.asked_at + self._rules.retries.settle_s - now
        left = self._rules.retries.num_lookups - job.lookups
        if left <= 0 and settled_in <= 0:
            logger.info("the service does not have job %s: it is sent again", job.key)
            job.step, job.lookups, job.asked_at = "send", 0, None
        else:
            job.due = now + max(settled_in / max(left, 1), self._rules.retries.first_wait_s)

    def _miss(self, job: _Job, fault: Fault) -> None:
        """Decide what follows from a lookup that failed; each may take a minute, so one stands for all."""
        logger.info("job %s could not be looked up: %s", job.key, fault.text)
        if fault.kind == "token":
            self._drop(job, QPUAuthenticationError(f"the service no longer takes the token: {fault.text}"))
            return
        if fault.kind == "refused":
            self._doubt(job, f"the service does not say whether it has the job ({fault.text})")
            return
        due = time.monotonic() + self._rules.retries.wait_s(self._silence, self._draws)
        self._silence += 1
        for other in self._jobs.values():
            if other.step == "look-up":
                other.due = max(other.due, due)

    def _pause(self) -> None:
        from dwave.cloud.computation import Future

        now = time.monotonic()
        flying = [job for job in self._jobs.values() if job.step == "fly"]
        dues = [job.due for job in self._jobs.values() if job.step != "fly"]
        if len(self._jobs) < self._rules.in_flight:
            dues += [due for due, _ in self._waiting]
        longest = _IDS_S if any(job.problem_id is None for job in flying) else _ANSWERS_S
        wait = max(0.0, min([longest, *(due - now for due in dues)]) if flying or dues else 0.0)
        if flying:
            Future.wait_multiple([job.future for job in flying], min_done=1, timeout=wait)
        elif wait:
            time.sleep(wait)

    def _harvest(self) -> None:
        done = [job for job in self._jobs.values() if job.step == "fly" and job.future.done()]
        read: dict[str, JobAnswer] = {}
        faults = []
        for job in done:
            try:
                answer = read_answer(job.future, job.request)
            except Exception as error:
                faults.append((job, fault_of(error, accepted=job.future.id is not None)))
            else:
                read[job.key] = answer._replace(client_s={"encode_s": job.encode_s, **answer.client_s})
            self._connection.landed(job.key)
        if read:
            self._journal.answered(read)
            self._answers.update(read)
            for key in read:
                del self._jobs[key]
        self._note_ids()
        for job, fault in faults:
            job.future = None
            self._handle(job, fault)

    def _note_ids(self) -> None:
        """Journal the ids that the client has learned since."""
        known = {
            job.key: str(job.future.id)
            for job in self._jobs.values()
            if job.future is not None and job.future.id is not None and job.future.id != job.problem_id
        }
        if known:
            self._journal.accepted(known)
        for key, problem_id in known.items():
            self._jobs[key].problem_id = problem_id

    def _handle(self, job: _Job, fault: Fault) -> None:
        """Decide what follows from a fault: again, a look, or an error."""
        logger.info("job %s: %s (%s)", job.key, fault.text, fault.kind)
        if fault.kind == "token":
            if job.problem_id is None:
                self._journal.ended(job.key, "failed", "the service did not take the token")
            self._drop(job, QPUAuthenticationError(f"the service does not take the token: {fault.text}"))
        elif job.problem_id is None:
            self._handle_unaccepted(job, fault)
        elif fault.kind in ("failed", "offline", "cancelled"):
            self._handle_spent(job, fault)
        elif not self._again(job, "collect", "collect"):
            if fault.kind == "unknown":
                self._doubt(job, f"the service no longer knows problem {job.problem_id}")
            else:
                msg = (
                    f"the answer of job {job.key}, problem {job.problem_id}, could not be fetched: {fault.text}. "
                    "It was accepted; run again to collect it"
                )
                self._drop(job, QPUUnavailableError(msg))

    def _handle_unaccepted(self, job: _Job, fault: Fault) -> None:
        if fault.kind in ("lost", "closed"):
            # it may have been accepted: the label tells
            job.tries["lost"] += 1
            job.step, job.due = "look-up", 0.0
        elif fault.kind == "refused" or fault.kind == "unknown":
            self._give_up(job, "failed", fault.text)
            if self._has_graph_changed():
                msg = f"the working graph is now {self._connection.solver_id}; job {job.key} was made for another"
                self._errors.append(GraphChangedError(msg))
            else:
                self._errors.append(JobError(f"the service refused job {job.key}: {fault.text}", [job.key]))
        elif not self._again(job, fault.kind, "send"):
            self._give_up(job, "failed", fault.text)
            self._errors.append(QPUUnavailableError(f"the service did not take job {job.key}: {fault.text}"))

    def _handle_spent(self, job: _Job, fault: Fault) -> None:
        problem_id, job.problem_id = str(job.problem_id), None
        job.spent_ids.add(problem_id)
        self._journal.spent(job.key, problem_id, "cancelled" if fault.kind == "cancelled" else "failed")
        if fault.kind == "cancelled":
            self._give_up(job, "cancelled", fault.text)
            self._errors.append(JobError(f"job {job.key}, problem {problem_id}, was cancelled", [job.key]))
        elif not self._again(job, fault.kind, "send"):
            self._give_up(job, "failed", fault.text)
            what = f"job {job.key} failed {job.tries[fault.kind]} times, the last time with: {fault.text}"
            offline = fault.kind == "offline"
            self._errors.append(QPUUnavailableError(what) if offline else JobError(what, [job.key]))

    def _again(self, job: _Job, why: str, step: Literal["send", "collect"]) -> bool:
        """Try a step again after a while, unless it was tried often enough."""
        tried = job.tries[why]
        job.tries[why] += 1
        if tried >= self._rules.retries.num_retries:
            return False
        job.step = step
        job.due = time.monotonic() + self._rules.retries.wait_s(tried, self._draws)
        return True

    def _doubt(self, job: _Job, why: str) -> None:
        if self._rules.resubmit_in_doubt and self._again(job, "doubt", "send"):
            logger.warning("job %s is sent again, though %s: it may be billed twice", job.key, why)
            if job.problem_id is not None:
                job.spent_ids.add(job.problem_id)
                self._journal.spent(job.key, job.problem_id, "in-doubt")
                job.problem_id = None
            return
        self._give_up(job, "in-doubt", why)
        msg = (
            f"job {job.key} is in doubt: {why}. Run again later, or send it again with "
            "--resubmit-in-doubt of the command (resubmit_in_doubt=True of the spec): it may then be billed twice"
        )
        self._errors.append(JobInDoubtError(msg, [job.key]))

    def _give_up(self, job: _Job, state: Literal["failed", "cancelled", "in-doubt"], note: str) -> None:
        self._journal.ended(job.key, state, note)
        self._jobs.pop(job.key, None)

    def _drop(self, job: _Job, error: QPUError) -> None:
        self._jobs.pop(job.key, None)
        self._errors.append(error)

    def _has_graph_changed(self) -> bool:
        if self._graph_changed is None:
            try:
                self._graph_changed = self._connection.refresh()
            except Exception as error:
                logger.info("the solver could not be asked for its working graph: %s", fault_of(error).text)
                self._graph_changed = False
        return self._graph_changed

    def _over_budget(self, request: JobRequest) -> BudgetError:
        spent = self._journal.spending(request.experiment)
        msg = (
            f"the budget of experiment {request.experiment!r} is {self._rules.budget_us:g} us of QPU access time; "
            f"{spent.billed_us:.0f} us were billed, {spent.under_way_us:.0f} us are expected of what is under way, and "
            f"the next job needs about {request.estimated_us:.0f} us. It was not sent: run again with "
            "a larger budget, which goes on where this stopped"
        )
        return BudgetError(msg)

    def _error(self) -> QPUError:
        """Return the first error; one of jobs names all jobs that it befell."""
        first = self._errors[0]
        if isinstance(first, JobError):
            alike = [error for error in self._errors if type(error) is type(first)]
            keys = [key for error in alike for key in getattr(error, "keys", ())]
            more = f" (and {len(keys) - 1} more: see `annealnn qpu journal`)" if len(keys) > 1 else ""
            return type(first)(f"{first}{more}", keys)
        return first
