"""What a solver says of itself: its name, its working graph, its ranges."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from annealnn.exceptions import GraphChangedError, JobError, QPUError
from annealnn.qpu._job import JobRequest
from annealnn.typing import Bools, Indices


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SolverDefinition:
    """A solver as its service defines it; plain data, so that a journal can hold it.

    Parameters
    ----------
    solver : str
        Identity: "name;graph_id=...".
    properties : mapping
        What the service says: `qubits`, `couplers`, `h_range`, `parameters`, ...
    description : str
    """

    solver: str
    properties: Mapping[str, Any]
    description: str = ""

    @property
    def name(self) -> str:
        """The solver's name, without the version of its working graph."""
        return self.solver.partition(";")[0]

    @property
    def simulated(self) -> bool:
        """Whether a simulation answers, and no processor."""
        return "annealnn_simulation" in self.properties

    @cached_property
    def nodelist(self) -> list[int]:
        """Active qubits, sorted."""
        return sorted(self.properties["qubits"])

    @cached_property
    def edgelist(self) -> list[tuple[int, int]]:
        """Active couplers as sorted pairs, sorted."""
        return sorted({(min(u, v), max(u, v)) for u, v in self.properties["couplers"]})

    @property
    def num_qubits(self) -> int:
        """Qubits of the full graph, dead ones included."""
        return int(self.properties.get("num_qubits", max(self.nodelist) + 1))

    @cached_property
    def _nodes(self) -> Indices:
        return np.array(self.nodelist, dtype=np.intp)

    @cached_property
    def _edge_codes(self) -> Indices:
        return self._codes(np.array(self.edgelist, dtype=np.intp).reshape(-1, 2))

    def _codes(self, couplers: Indices) -> Indices:
        return np.asarray(couplers.min(axis=1) * self.num_qubits + couplers.max(axis=1), dtype=np.intp)

    def check(self, request: JobRequest) -> None:
        """Refuse a request that the solver cannot take.

        Raises
        ------
        GraphChangedError
            If it was made for another solver or working graph.
        JobError
            If qubits or couplers are not in the working graph, or the solver does not know a parameter.
        """
        if request.solver != self.solver:
            msg = (
                f"job {request.key} was made for solver {request.solver}; the one that is open is {self.solver}. "
                "Nothing was sent: make the problem for this working graph"
            )
            raise GraphChangedError(msg)
        couplers = np.asarray(request.couplers, dtype=np.intp).reshape(-1, 2)
        if len(np.unique(request.qubits)) != len(request.qubits):
            self._refuse(request, "a qubit is named more than once")
        dead = request.qubits[_not_in(request.qubits, self._nodes)]
        if len(dead):
            self._refuse(request, f"qubits {_few(dead)} are not in its working graph")
        if len(couplers):
            loose = _not_in(couplers, np.sort(request.qubits)).any(axis=1)
            if loose.any():
                self._refuse(request, f"couplers {_few(couplers[loose])} join qubits that the job does not name")
            codes = self._codes(couplers)
            if len(np.unique(codes)) != len(codes):
                self._refuse(request, "a coupler is named more than once")
            missing = _not_in(codes, self._edge_codes)
            if missing.any():
                self._refuse(request, f"couplers {_few(couplers[missing])} are not in its working graph")
        unknown = [name for name in request.parameters if name not in self.properties.get("parameters", {})]
        if unknown:
            known = ", ".join(sorted(self.properties.get("parameters", {})))
            self._refuse(request, f"it has no parameter {', '.join(unknown)}; it has {known}")

    def _refuse(self, request: JobRequest, why: str) -> None:
        msg = f"solver {self.solver} does not take job {request.key}: {why}. Nothing was sent"
        raise JobError(msg, [request.key])

    def estimate_us(self, num_reads: int, *, num_qubits: int | None = None, **parameters: Any) -> float:
        """Return the QPU access time, microseconds, that Ocean expects of a job.

        Parameters
        ----------
        num_reads : int
        num_qubits : int, optional
            Qubits that are used; all of them if None.
        **parameters
            Others that the solver is told, `annealing_time` among them.

        Raises
        ------
        QPUError
            If the solver does not say what its times are.
        """
        from dwave.cloud.solver import StructuredSolver

        data = {"identity": {"name": self.name}, "properties": self.properties}
        count = len(self.nodelist) if num_qubits is None else num_qubits
        try:
            timing = StructuredSolver(client=None, data=data).estimate_qpu_access_time
            return float(timing(num_qubits=count, num_reads=num_reads, **parameters))
        except Exception as error:
            problem = str(error)
        msg = f"solver {self.solver} gives no timing data to estimate the cost of a job from: {problem}"
        raise QPUError(msg)


def _not_in(values: Indices, known: Indices) -> Bools:
    """Return which values are not among the known ones, which are sorted; np.isin would hash a whole chip."""
    if not len(known):
        return np.ones(values.shape, dtype=bool)
    places = np.searchsorted(known, values)
    return np.asarray(known[np.minimum(places, len(known) - 1)] != values)


def _few(items: Indices) -> str:
    rows = items.tolist()
    return ", ".join(str(row) for row in rows[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
