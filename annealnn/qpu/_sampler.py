"""A processor as a dimod sampler, and as a sampler of learners."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, final

import dimod
import networkx as nx
import numpy as np

from annealnn._validation import check_count
from annealnn.models import Parameters, Structure, dimod_terms
from annealnn.qpu._batch import UNUSED, Batch, JobRunner, plain_parameters
from annealnn.qpu._compiled import CompiledQPU
from annealnn.qpu._planner import Plan, plan
from annealnn.qpu._ranges import Problem, check_annealing_time, symmetric
from annealnn.samplers import AnnealSampler
from annealnn.samplers._adapter import check_graph
from annealnn.samplers._compiled import Want
from annealnn.typing import Spins

# what the solver advertises and this package decides: how many reads are asked for and answered, the label, the scale
_OURS = ("num_reads", "max_answers", "label", "auto_scale")
_TOPOLOGIES = ("chimera", "pegasus", "zephyr")


@final
class QPUSampler(AnnealSampler, dimod.Structured):  # type: ignore[misc]
    """A processor behind a journal: what is asked again is answered from it, and nothing is paid twice.

    Reads are split into jobs that the solver takes (`plan`); biases out of its ranges are refused before anything is
    sent, or all rescaled by one common factor, as asked; the service's own rescaling is off. The temperature is not
    known: `info["beta"]` is None.

    Parameters
    ----------
    runner : Dispatcher
        Takes jobs to the solver.
    num_gauges : int
        1 sends problems as they are; with more, reads are shared out among random gauges (spin-reversal transforms),
        and `properties` state the ranges as far as they are symmetric.
    experiment : str
        Names the reads: the same problem, seed and experiment are the same reads, from the journal.
    """

    def __init__(self, runner: JobRunner, *, num_gauges: int = 1, experiment: str = "") -> None:
        self._runner, self._solver = runner, runner.solver
        self._num_gauges = check_count("num_gauges", num_gauges)
        self._experiment = experiment

    def __repr__(self) -> str:
        return f"QPUSampler({self._solver.solver!r}{', SIMULATED' if self._solver.simulated else ''})"

    @property
    def parameters(self) -> dict[str, Any]:
        """Keywords that `sample` takes: its own, and what the solver advertises."""
        return {**super().parameters, **{name: [] for name in self._device_parameters}}

    @cached_property
    def _device_parameters(self) -> list[str]:
        return [name for name in self._solver.properties.get("parameters", {}) if name not in _OURS]

    @property
    def properties(self) -> dict[str, Any]:
        """The solver's; ranges as far as they are symmetric if there are gauges; `distribution` None."""
        own = dict(self._solver.properties)
        if self._num_gauges > 1:
            own |= symmetric(own)
        return {**own, "distribution": None, "solver": self._solver.solver, "simulated": self._solver.simulated}

    @property
    def nodelist(self) -> list[int]:
        """The qubits."""
        return self._solver.nodelist

    @property
    def edgelist(self) -> list[tuple[int, int]]:
        """The couplers."""
        return self._solver.edgelist

    def to_networkx_graph(self) -> nx.Graph:
        """Return the working graph; that of a D-Wave topology with its family, rows and columns."""
        from dwave.system import qpu_graph

        topology = self._solver.properties.get("topology", {})
        if topology.get("type") in _TOPOLOGIES:
            graph: nx.Graph = qpu_graph(topology["type"], topology["shape"], self.nodelist, self.edgelist)
            return graph
        graph = nx.Graph(self.edgelist)
        graph.add_nodes_from(self.nodelist)
        return graph

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        num_gauges: int | None = None,
        seed: int | None = None,
        auto_scale: bool = False,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a problem on the working graph.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            Its variables are qubits, its interactions couplers; in spin or binary form.
        num_reads : int
            In all gauges and jobs together.
        num_gauges : int, optional
            In place of that of the sampler.
        seed : int, optional
            Of the gauges. It also names the draw: the same call with the same seed is answered from the journal. None
            draws a fresh one. More reads are other jobs, and other reads.
        auto_scale : bool
            Multiply the problem by the largest factor, above or below 1, that leaves it in the solver's ranges:
            `info["scale"]`. Otherwise a bias out of range is refused.
        **kwargs
            What the solver advertises: `annealing_time` (microseconds), `anneal_schedule`, `initial_state`, ...

        Returns
        -------
        dimod.SampleSet
            One row for each read; read r is of gauge r mod `num_gauges`. `info` has, besides the package's own:
            `jobs` (keys in the journal), `problem_ids`, `solver`, `simulated`, `experiment`, `replayed` (how many jobs
            were answered from the journal), `qpu_timing` (the service's times, added up, microseconds), `billed_us`
            (of the jobs that were sent), `client_s` (the client's seconds: encode, submit, wait, decode; of those that
            were sent), `recorded_client_s` (of all jobs, as when they were answered first), `num_gauges`, `scale`.

        Raises
        ------
        ValueError
            If an argument breaks its rule, the problem is not on the working graph, or a bias is out of range; before
            anything is sent.
        QPUError
            What went wrong on the way; what was answered is in the journal.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)
        batch = self._batch(num_gauges, auto_scale, kwargs)

        def draw(structure: Structure, parameters: Parameters, reads: int, used: int) -> tuple[Spins, dict[str, Any]]:
            check_graph(self, structure)
            fields, couplings = dimod_terms(parameters)
            problem = Problem(np.array(structure.labels, dtype=np.intp), fields, structure.ends, couplings, reads, used)
            (spins,), info = batch.draw([problem])
            return spins, info | {"schedule": plain_parameters(kwargs).get("anneal_schedule")}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_gauges: int | None = None,
        auto_scale: bool = False,
        **kwargs: Any,
    ) -> CompiledQPU:
        """Return the sampler bound to a structure whose labels are qubits.

        Parameters
        ----------
        structure : Structure
        want : "spins" or "moments"
        num_gauges : int, optional
            In place of that of the sampler.
        auto_scale : bool
            As in `sample`. A factor that follows the parameters changes the temperature from step to step.
        **kwargs
            What the solver advertises.

        Raises
        ------
        ValueError
            If the structure is not on the working graph, or the solver does not take one of `kwargs`.
        """
        if unknown := [name for name in kwargs if name not in self._device_parameters]:
            taken = ["num_gauges", "auto_scale", *self._device_parameters]
            msg = f"{self._solver.solver} takes {', '.join(taken)} when learners sample; got {unknown[0]!r}"
            raise ValueError(msg)
        check_graph(self, structure)
        return CompiledQPU(structure, want, batch=self._batch(num_gauges, auto_scale, kwargs))

    def plan(
        self,
        num_reads: int,
        *,
        num_qubits: int | None = None,
        num_gauges: int | None = None,
        num_problems: int = 1,
        num_steps: int = 1,
        reuse_steps: int = 1,
        budget_us: float | None = None,
        **kwargs: Any,
    ) -> Plan:
        """Return which jobs give so many reads on this solver, and what they cost. Nothing is sent.

        Parameters
        ----------
        num_reads, num_problems, num_steps, reuse_steps, budget_us
            As in `annealnn.qpu.plan`.
        num_qubits : int, optional
            Active qubits; None counts all of them.
        num_gauges : int, optional
            In place of that of the sampler.
        **kwargs
            What the solver is told: `annealing_time`, ...

        Raises
        ------
        ValueError
            If an argument breaks its rule, or one read takes longer than the solver lets a job run.
        """
        return plan(
            num_reads,
            num_qubits=len(self.nodelist) if num_qubits is None else num_qubits,
            properties=self._solver.properties,
            parameters=kwargs,
            num_gauges=self._num_gauges if num_gauges is None else num_gauges,
            num_problems=num_problems,
            num_steps=num_steps,
            reuse_steps=reuse_steps,
            budget_us=budget_us,
        )

    def _batch(self, num_gauges: int | None, auto_scale: bool, told: Mapping[str, Any]) -> Batch:
        return Batch(
            self._runner,
            self._solver,
            num_gauges=self._num_gauges if num_gauges is None else check_count("num_gauges", num_gauges),
            auto_scale=auto_scale,
            experiment=self._experiment,
            told=self._checked(told),
        )

    def _checked(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the solver is told, in its own form, its annealing time in range."""
        checked, properties = dict(told), self._solver.properties
        state = checked.get("initial_state")
        if isinstance(state, Mapping):
            if unknown := [qubit for qubit in state if qubit not in self.adjacency]:
                msg = f"initial_state gives values of qubits of the working graph; got qubit {unknown[0]!r}"
                raise ValueError(msg)
            values = np.full(int(properties["num_qubits"]), UNUSED)
            values[list(state)] = list(state.values())
            state = values
        if state is not None:
            # bits and spins alike
            given = np.asarray(state)
            checked["initial_state"] = np.where(given == UNUSED, UNUSED, np.where(given > 0, 1, -1))
        check_annealing_time(properties, checked)
        return checked
