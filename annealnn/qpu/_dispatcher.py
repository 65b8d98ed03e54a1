"""Jobs sent once, collected, and answered from the journal ever after."""

import os
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any, Self, final

from annealnn._validation import check_count
from annealnn.exceptions import BudgetError, GraphChangedError, JournalError, NotInJournalError
from annealnn.qpu._connection import Connection
from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._dispatch import Dispatch, Rules
from annealnn.qpu._job import JobAnswer, JobRequest
from annealnn.qpu._journal import Journal
from annealnn.qpu._retries import Retries

# names the journal that answers in place of a solver
REPLAY_VARIABLE = "ANNEALNN_REPLAY"


@final
class Dispatcher:
    """Sends requests to a solver, each one once, and answers from its journal what was answered before.

    A job is on disk before it leaves, and its answer before it is returned. What an earlier process left behind is
    collected; what left and may have been lost is looked up on the service by its label, and is sent again only if
    the service has no such job.

    Parameters
    ----------
    connection : Connection or None
        None replays: every request is answered from the journal, or refused.
    journal : Journal
    budget_us : float, optional
        QPU access time, microseconds, that one experiment may cost in all, what the journal says it has cost included.
    resubmit_in_doubt : bool
        Whether to send a job again of which cannot be found out whether the service has it. It may be billed twice.
    retries : Retries, optional
    in_flight : int
        Most jobs that are on their way at once.
    experiment : str, optional
        In a replay, whose solver to be; by default that of the journal's newest job.

    Raises
    ------
    BudgetError
        If the budget is not above 0.
    NotInJournalError
        If a replay's journal holds no jobs.
    """

    def __init__(
        self,
        connection: Connection | None,
        journal: Journal,
        *,
        budget_us: float | None = None,
        resubmit_in_doubt: bool = False,
        retries: Retries | None = None,
        in_flight: int = 60,
        experiment: str | None = None,
    ) -> None:
        given: Any = budget_us  # whatever a recipe holds
        is_number = isinstance(given, Real) and not isinstance(given, bool)
        if given is not None and not (is_number and given > 0):
            msg = f"a budget of QPU access time is above 0 microseconds; got {budget_us!r}. Nothing was sent"
            raise BudgetError(msg)
        self.connection, self.journal = connection, journal
        self._rules = Rules(
            retries=retries or Retries(),
            in_flight=check_count("in_flight", in_flight),
            budget_us=budget_us,
            resubmit_in_doubt=resubmit_in_doubt,
        )
        # of a replay: the solvers that the experiment saw, the present one first
        self._recorded: list[SolverDefinition] = []
        if connection is not None:
            self._remember(connection.definition)
            return
        self._recorded = journal.definitions(experiment)
        if not self._recorded:
            of = "" if experiment is None else f" of experiment {experiment!r}"
            msg = f"a replay is answered from a journal that holds jobs{of}; {journal.path} holds none"
            raise NotInJournalError(msg)

    @classmethod
    def open(cls, *, journal: str | os.PathLike[str] | None = None, opening: Any = None, **options: Any) -> Self:
        """Open a solver and a journal; or, where the environment names `ANNEALNN_REPLAY`, that journal alone.

        Parameters
        ----------
        journal : path, optional
            `Journal.open_default` if None.
        opening : mapping, optional
            Keywords of `Connection.open`.
        **options
            Keywords of the class.

        Raises
        ------
        QPUError
            As `Connection.open`.
        JournalError
            As `Journal`; or if a replay's journal is not there.
        """
        replayed = os.environ.get(REPLAY_VARIABLE)
        if replayed:
            if not Path(replayed).is_file():
                msg = f"{REPLAY_VARIABLE} names a journal that is there; got {replayed}"
                raise JournalError(msg)
            return cls(None, Journal(replayed), **options)
        kept = Journal.open_default() if journal is None else Journal(journal)
        try:
            return cls(Connection.open(**(opening or {})), kept, **options)
        except BaseException:
            kept.close()
            raise

    def close(self) -> None:
        """Hang up and close the journal."""
        if self.connection is not None:
            self.connection.close()
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def replay_only(self) -> bool:
        """Whether the journal alone answers."""
        return self.connection is None

    @property
    def solver(self) -> SolverDefinition:
        """What the solver says of itself now; after a `GraphChangedError`, what it says since."""
        return self._recorded[0] if self.connection is None else self.connection.definition

    def run(self, requests: Sequence[JobRequest]) -> list[JobAnswer]:
        """Return the answers to requests, in their order.

        Parameters
        ----------
        requests : sequence of JobRequest
            The same request twice is one job.

        Raises
        ------
        BudgetError
            If the next job would break the budget; it was not sent.
        GraphChangedError
            If the working graph is no longer that of the requests.
        JobError
            If the service refused a job, or it failed or was cancelled; `JobInDoubtError` if it cannot be found out
            whether it was accepted.
        NotInJournalError
            If a replay asks for what the journal does not answer.
        QPUAuthenticationError, QPUUnavailableError
            If the service does not take the token, or does not answer. What it accepted is collected by the next run.
        JournalError
            If the journal cannot be used.
        """
        unique = {request.key: request for request in requests}
        answers = self.journal.answers(unique.values())
        left = [request for key, request in unique.items() if key not in answers]
        if left and self.connection is None:
            self._miss(left)
        if left and self.connection is not None:
            checked = self._checked(self.connection, left)
            answers.update(Dispatch(self.connection, self.journal, checked, self._rules).run())
        return [answers[request.key] for request in requests]

    def _miss(self, left: Sequence[JobRequest]) -> None:
        if len(self._recorded) > 1:
            # here the experiment met another working graph
            before = self._recorded.pop(0).solver
            msg = f"the working graph was {before}, and became {self.solver.solver} at this point of the journal"
            raise GraphChangedError(msg)
        msg = (
            f"the journal {self.journal.path} has no answer of {len(left)} jobs that the replay asks for, "
            f"{left[0].key} the first of them. Replay the same command with the same seeds, or run it without replay"
        )
        raise NotInJournalError(msg)

    def _remember(self, definition: SolverDefinition) -> None:
        # written once, not at every run: a chip's definition is large
        self.journal.remember(definition)
        self._remembered = definition

    def _checked(self, connection: Connection, left: Sequence[JobRequest]) -> list[JobRequest]:
        """Refuse requests that cannot be sent, before any leaves; what was sent before needs no check."""
        definition = connection.definition
        if definition is not self._remembered:
            self._remember(definition)
        checked = []
        for request in left:
            if self.journal.state(request.key) in (None, "failed", "cancelled"):
                definition.check(request)
            if self._rules.budget_us is not None and not request.estimated_us > 0:
                others = {name: value for name, value in request.parameters.items() if name != "num_reads"}
                cost = connection.estimate_us(request.num_reads, num_qubits=len(request.qubits), **others)
                request = replace(request, estimated_us=cost)
            checked.append(request)
        return checked
