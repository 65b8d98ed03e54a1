"""A connection to a solver through D-Wave's own client, with errors of ours and no credential in sight."""

import os
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, Self, final

import numpy as np

from annealnn._log import logger
from annealnn.exceptions import QPUError
from annealnn.qpu._answer import decode_response
from annealnn.qpu._definition import SolverDefinition
from annealnn.qpu._faults import opening_error, unsettled
from annealnn.qpu._job import JobRequest
from annealnn.qpu._retries import Retries

# seconds that closing waits for the client's threads; they end with the process anyway
_FAREWELL_S = 1.0


class Listing(NamedTuple):
    """A job as the service lists it."""

    problem_id: str
    status: str  #: PENDING, IN_PROGRESS, COMPLETED, FAILED or CANCELLED


@final
class Connection:
    """A solver, and the client that talks to it. Opened by `open`; closed by `close` or at the end of a `with`.

    It cannot be copied to another process; open a new one there.
    """

    def __init__(self, client: Any, solver: Any) -> None:
        self._client = client
        self._process = os.getpid()
        # the client's sessions of these two kinds are not for several threads
        self._lock = threading.Lock()
        self._problems: Any = None
        # the client's futures by label, until they are read
        self._flying: dict[str, Any] = {}
        self._take(solver)

    @classmethod
    def open(
        cls,
        *,
        profile: str | None = None,
        solver: str | Mapping[str, Any] | None = None,
        region: str | None = None,
        config_file: str | bool | None = None,
        endpoint: str | None = None,
        defaults: Mapping[str, Any] | None = None,
        retries: Retries | None = None,
    ) -> Self:
        """Open a solver through D-Wave's configuration: file, environment (`DWAVE_API_TOKEN`), profile.

        There is no argument for a token, so that none ends up in a program or a recipe.

        Parameters
        ----------
        profile : str, optional
            Section of the configuration file.
        solver : str or mapping, optional
            Name, "name;graph_id=...", or features; the processor with most qubits if nothing says more.
        region : str, optional
        config_file : str or bool, optional
            Path of the configuration file; False for none.
        endpoint : str, optional
            Of the solver API, in place of the region's.
        defaults : mapping, optional
            What the client falls back to: `request_timeout`, `poll_wait_time`, ...
        retries : Retries, optional

        Raises
        ------
        QPUConfigurationError
            If there is no configuration, or it cannot be read.
        QPUAuthenticationError
            If the service does not take the token.
        SolverNotFoundError
            If no solver is what was asked for.
        QPUUnavailableError
            If the service does not answer.
        """
        retries = retries or Retries()
        given: dict[str, Any] = {"profile": profile, "solver": solver, "region": region, "endpoint": endpoint}
        asked = {name: value for name, value in given.items() if value is not None}
        # the client's cache on disk may hold the working graph of another day
        asked.update(config_file=config_file, client="qpu", cache_enabled=False)
        # few tries inside of ours: a service that is not there is told of in seconds
        own = {"solver": {"order_by": "-num_active_qubits"}, "http_retry_total": 4}
        asked["defaults"] = {**own, **(defaults or {})}
        draws = np.random.default_rng()
        found = _try_open(asked)
        for retry in range(retries.num_retries):
            if not isinstance(found, Exception) or not unsettled(found):
                break
            wait = retries.wait_s(retry, draws)
            logger.info("the solver was not opened (%s); trying again in %.1f s", type(found).__name__, wait)
            time.sleep(wait)
            found = _try_open(asked)
        if not isinstance(found, Exception):
            return cls(*found)
        where = endpoint or os.environ.get("DWAVE_API_ENDPOINT") or None
        # outside of any handler: the client's error holds the request, and that the token
        raise opening_error(found, endpoint=where, solver=solver or os.environ.get("DWAVE_API_SOLVER"))

    def _take(self, solver: Any) -> None:
        # the hook by which the client's futures read their answers
        solver.decode_response = partial(decode_response, otherwise=solver.decode_response)
        self._solver = solver
        self.definition = SolverDefinition(
            solver=str(solver.identity),
            properties=solver.properties,
            description=str(solver.data.get("description") or ""),
        )

    @property
    def solver_id(self) -> str:
        """Identity of the solver: "name;graph_id=...". It changes with `refresh`."""
        return self.definition.solver

    @property
    def properties(self) -> Mapping[str, Any]:
        """What the service says of the solver."""
        return self.definition.properties

    @property
    def nodelist(self) -> list[int]:
        """Active qubits, sorted."""
        return self.definition.nodelist

    @property
    def edgelist(self) -> list[tuple[int, int]]:
        """Active couplers as sorted pairs, sorted."""
        return self.definition.edgelist

    @property
    def simulated(self) -> bool:
        """Whether a simulation answers, and no processor."""
        return self.definition.simulated

    def estimate_us(self, num_reads: int, *, num_qubits: int | None = None, **parameters: Any) -> float:
        """Return the QPU access time, microseconds, that Ocean expects of a job: `SolverDefinition.estimate_us`."""
        return self.definition.estimate_us(num_reads, num_qubits=num_qubits, **parameters)

    def submit(self, request: JobRequest) -> Any:
        """Hand a job to the client, labelled with its key; return the client's `Future`.

        The client sends it from a thread of its own, up to 20 jobs in one message.

        Raises
        ------
        GraphChangedError
            If the request was made for another solver or working graph; nothing is sent.
        JobError
            If the solver cannot take the request; nothing is sent.
        """
        self._check_process()
        self.definition.check(request)
        parameters = dict(request.parameters)
        linear = dict(zip(request.qubits.tolist(), request.fields.tolist(), strict=True))
        quadratic = dict(zip(map(tuple, request.couplers.tolist()), request.couplings.tolist(), strict=True))
        future = self._solver.sample_ising(linear, quadratic, label=request.key, **parameters)
        self._flying[request.key] = future
        return future

    def flying(self, label: str) -> Any:
        """Return the client's `Future` of a job that was handed to it and not read yet; None if there is none."""
        return self._flying.get(label)

    def landed(self, label: str) -> None:
        """Forget the `Future` of a job: it was read."""
        self._flying.pop(label, None)

    def retrieve(self, problem_id: str, label: str) -> Any:
        """Ask for a job that was accepted before; return the client's `Future`.

        Of two futures of one problem the client polls for one, and the other would never be done: where one is under
        way, it is returned.
        """
        self._check_process()
        before = self._flying.get(label)
        if before is not None and before.id == problem_id and not before.done():
            return before
        future = self._client.retrieve_answer(problem_id)
        self._flying[label] = future
        # else the client fetches the solver's definition once more, for each job, and decodes into lists
        future.solver = self._solver
        return future

    def find(self, label: str) -> list[Listing]:
        """Return the jobs that the service lists under a label, the first one first."""
        self._check_process()
        from dwave.cloud.api import Problems

        with self._lock:
            if self._problems is None:
                self._problems = Problems.from_config(self._client.config)
            listed = self._problems.list_problems(label=label)
        ours = [problem for problem in listed if problem.label == label]
        ours.sort(key=lambda problem: problem.submitted_on)
        return [Listing(problem.id, problem.status.value) for problem in ours]

    def refresh(self) -> bool:
        """Ask the service for the solver's definition anew; return True if its working graph has changed."""
        self._check_process()
        before = self.solver_id
        with self._lock:
            self._take(self._client.get_solver(name=self.definition.name, refresh=True))
        return self.solver_id != before

    def close(self) -> None:
        """Hang up. Jobs that were accepted go on at the service."""
        if self._process != os.getpid():
            return
        if self._problems is not None:
            self._problems.close()
        # the client's threads may sit in a long poll
        hanging_up = threading.Thread(target=self._client.close, kwargs={"wait": False}, daemon=True)
        hanging_up.start()
        hanging_up.join(_FAREWELL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Connection(solver={self.solver_id!r})"

    def __reduce__(self) -> str:
        msg = "a connection is not pickled or copied: it holds sockets and a token. Open another one from the recipe"
        raise TypeError(msg)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            msg = (
                f"a connection belongs to the process that opened it, {self._process}; got process {os.getpid()}. "
                "Open one there"
            )
            raise QPUError(msg)


def _try_open(asked: dict[str, Any]) -> tuple[Any, Any] | Exception:
    """Return the client and its solver, or the client's error."""
    from dwave.cloud import Client

    client = None
    try:
        client = Client.from_config(**asked)
        return client, client.get_solver()
    except Exception as error:
        if client is not None:
            client.close(wait=False)
        return error
