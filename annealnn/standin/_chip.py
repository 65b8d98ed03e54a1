"""The processor that is simulated: its working graph, its ranges, and what it says of itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, final

import networkx as nx
import numpy as np

from annealnn._validation import check_count, check_pair
from annealnn.embeddings import topology_graph, with_dead_qubits
from annealnn.typing import Indices

# sums of |J| at a qubit; those of Chimera and Pegasus are D-Wave's, that of Zephyr is made up in their proportion
_PER_QUBIT = {"chimera": [-9.0, 6.0], "pegasus": [-18.0, 15.0], "zephyr": [-26.0, 20.0]}

# microseconds; of the order of an Advantage2 (8 to 15 ms, 17 to 45 us, 20.6 us), the figures themselves made up
_TIMING: Mapping[str, Any] = {
    "version": "1.0.0",
    "typical_programming_time": 9000.0,
    "reverse_annealing_with_reinit_prog_time_delta": 5.0,
    "reverse_annealing_without_reinit_prog_time_delta": 5.0,
    "default_programming_thermalization": 1000.0,
    "default_annealing_time": 20.0,
    "readout_time_model": "pwl_log_log",
    "readout_time_model_parameters": [0.0, 1.0, 2.0, 3.0, 4.0, 1.230449, 1.342423, 1.447158, 1.556303, 1.653213],
    "qpu_delay_time_per_sample": 20.6,
    "reverse_annealing_with_reinit_delay_time_delta": 2.0,
    "reverse_annealing_without_reinit_delay_time_delta": 2.0,
    "default_readout_thermalization": 0.0,
    "decorrelation_max_nominal_anneal_time": 2000.0,
    "decorrelation_time_range": [500.0, 10000.0],
}

_AROUND_ZERO = ("h_range", "j_range", "extended_j_range", "per_qubit_coupling_range")

_PARAMETERS: Mapping[str, str] = {
    "anneal_schedule": "Points [time in microseconds, s] of a piecewise linear anneal.",
    "annealing_time": "Duration of an anneal, microseconds.",
    "answer_mode": "'histogram' merges equal reads and sorts by energy; 'raw' keeps reads in order.",
    "auto_scale": "Whether fields and couplings are scaled to fill their ranges.",
    "fast_anneal": "Whether anneals may be faster than annealing_time_range; without fields.",
    "flux_biases": "Flux bias of each of num_qubits qubits, in flux quanta.",
    "flux_drift_compensation": "Accepted; drift is what this simulation is told to have.",
    "initial_state": "Of a reverse anneal: a value for each of num_qubits qubits, 3 where there is none.",
    "label": "Name of the problem.",
    "max_answers": "Most distinct answers that come back.",
    "num_reads": "Number of reads.",
    "programming_thermalization": "Wait after programming, microseconds.",
    "readout_thermalization": "Wait after each read, microseconds.",
    "reduce_intersample_correlation": "Whether to wait longer between reads.",
    "reinitialize_state": "Whether each read of a reverse anneal begins in initial_state.",
}

_RANGES: Mapping[str, Any] = {
    "annealing_time_range": [0.5, 2000.0],
    "default_annealing_time": 20.0,
    "default_programming_thermalization": 1000.0,
    "default_readout_thermalization": 0.0,
    "extended_j_range": [-2.0, 1.0],
    "fast_anneal_time_range": [0.005, 2000.0],
    "h_range": [-4.0, 4.0],
    "j_range": [-1.0, 1.0],
    "max_anneal_schedule_points": 12,
    "num_reads_range": [1, 10000],
    "problem_run_duration_range": [0.0, 1000000.0],
    "programming_thermalization_range": [0.0, 10000.0],
    "quota_conversion_rate": 1,
    "readout_thermalization_range": [0.0, 10000.0],
}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Chip:
    """A simulated processor with one working graph.

    Parameters
    ----------
    name : str
        Of the solver.
    topology : mapping
        `type` and `shape`, as a solver states them.
    num_qubits : int
        Of the topology, dead ones included.
    qubits : (num_active,)
        Working qubits, rising.
    couplers : (num_couplers, 2)
        Working couplers, the lower qubit first, rising.
    ranges : mapping
        Properties that take the place of the defaults: `h_range`, `problem_run_duration_range`, ...
    simulation : mapping
        What is simulated: the property "annealnn_simulation".
    """

    name: str
    topology: Mapping[str, Any]
    num_qubits: int
    qubits: Indices
    couplers: Indices
    ranges: Mapping[str, Any] = field(default_factory=dict)
    simulation: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        topology: str | nx.Graph,
        *,
        num_dead_qubits: int = 0,
        num_dead_couplers: int = 0,
        dead_seed: int = 0,
        name: str | None = None,
        ranges: Mapping[str, Any] | None = None,
        simulation: Mapping[str, Any] | None = None,
    ) -> "Chip":
        """Return the chip of a topology such as "zephyr-4", or of a graph over whole numbers, with defects.

        Raises
        ------
        ValueError
            If there is no such topology, qubits are no whole numbers, there are fewer qubits or couplers than dead
            ones, or a range is unknown.
        """
        perfect = topology if isinstance(topology, nx.Graph) else topology_graph(topology)
        stated, num_qubits = _stated(perfect)
        check_count("num_dead_couplers", num_dead_couplers, minimum=0)
        working = with_dead_qubits(perfect, num_dead_qubits, seed=dead_seed)
        couplers = np.array(sorted(sorted(edge) for edge in working.edges), dtype=np.intp).reshape(-1, 2)
        if num_dead_couplers > len(couplers):
            msg = f"num_dead_couplers is at most the number of couplers, {len(couplers)}; got {num_dead_couplers}"
            raise ValueError(msg)
        rng = np.random.default_rng([dead_seed, 1])
        dead = rng.choice(len(couplers), num_dead_couplers, replace=False)
        ranges = dict(ranges or {})
        known = {*_RANGES, "per_qubit_coupling_range", "problem_timing_data", "tags"}
        if unknown := sorted(set(ranges) - known):
            msg = f"properties that may be set are {', '.join(sorted(known))}; got {', '.join(unknown)}"
            raise ValueError(msg)
        for key, value in ranges.items():
            if key.endswith("_range"):
                low, high = check_pair(key, value)
                if not (low < 0 < high if key in _AROUND_ZERO else low < high):
                    around = ", below and above 0" if key in _AROUND_ZERO else ""
                    msg = f"{key} is a lower and a higher number{around}; got {value!r}"
                    raise ValueError(msg)
        return cls(
            name=name or f"annealnn_simulated_{stated['type']}{stated['shape'][0]}",
            topology=stated,
            num_qubits=num_qubits,
            qubits=np.array(sorted(working), dtype=np.intp),
            couplers=np.delete(couplers, dead, axis=0),
            ranges=ranges,
            simulation=dict(simulation or {}),
        )

    def without(self, qubits: Any) -> "Chip":
        """Return the chip after `qubits` have died.

        Raises
        ------
        ValueError
            If one of them does not work.
        """
        dying = np.unique(np.asarray(qubits, dtype=np.intp))
        if not np.isin(dying, self.qubits).all():
            msg = f"qubits that can die are working ones; got {dying[~np.isin(dying, self.qubits)].tolist()}"
            raise ValueError(msg)
        lost = np.isin(self.couplers, dying).any(axis=1)
        return replace(self, qubits=np.setdiff1d(self.qubits, dying), couplers=self.couplers[~lost])

    @cached_property
    def graph_id(self) -> str:
        """Name of the working graph: another graph has another one."""
        digest = hashlib.sha256()
        for numbers in (self.qubits, self.couplers):
            digest.update(np.ascontiguousarray(numbers, dtype="<i8").tobytes() + b";")
        return digest.hexdigest()[:10]

    @property
    def identity(self) -> dict[str, Any]:
        """Name and version, as the solver API writes them."""
        return {"name": self.name, "version": {"graph_id": self.graph_id}}

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """What the solver states of itself, as JSON can hold it."""
        timing = {**_TIMING, **self.ranges.get("problem_timing_data", {})}
        ranges = {**_RANGES, "per_qubit_coupling_range": _PER_QUBIT.get(self.topology["type"], [-18.0, 15.0])}
        ranges |= {key: value for key, value in self.ranges.items() if key != "problem_timing_data"}
        # what the client estimates times from is what the chip's own defaults say
        for name in ("annealing_time", "programming_thermalization", "readout_thermalization"):
            timing[f"default_{name}"] = ranges[f"default_{name}"]
        return {
            "annealnn_simulation": self.simulation,
            "category": "qpu",
            "chip_id": self.name,
            "couplers": self.couplers.tolist(),
            "num_qubits": self.num_qubits,
            "parameters": dict(_PARAMETERS),
            "problem_timing_data": timing,
            "qubits": self.qubits.tolist(),
            "supported_problem_types": ["qubo", "ising"],
            "tags": ["simulated"],
            "topology": dict(self.topology),
            **ranges,
        }


def _stated(graph: nx.Graph) -> tuple[dict[str, Any], int]:
    """Return (topology as solvers state it, number of qubits of a perfect one)."""
    if not len(graph) or not all(isinstance(qubit, int | np.integer) and qubit >= 0 for qubit in graph):
        msg = f"qubits of a chip are whole numbers of at least 0; got {next(iter(graph), 'no qubit')!r}"
        raise ValueError(msg)
    family, shape = graph.graph.get("family"), [graph.graph.get(key) for key in ("rows", "columns", "tile")]
    if family == "chimera":
        return {"type": family, "shape": shape}, 2 * shape[0] * shape[1] * shape[2]
    if family == "pegasus":
        return {"type": family, "shape": [shape[0]]}, 24 * shape[0] * (shape[0] - 1)
    if family == "zephyr":
        return {"type": family, "shape": [shape[0], shape[2]]}, 4 * shape[2] * shape[0] * (2 * shape[0] + 1)
    return {"type": "graph", "shape": [len(graph)]}, max(graph) + 1
