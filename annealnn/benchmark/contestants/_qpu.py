"""A processor behind the journal, and the stand-in for one: the same class, opened by the same path."""

import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

import dimod
import numpy as np

from annealnn._validation import check_choice, check_number
from annealnn.benchmark._contestant import Contestant, Hardware, Run, TimeSplit
from annealnn.benchmark.contestants._cpu import plain_info
from annealnn.benchmark.contestants._release import release
from annealnn.exceptions import JournalError, ProblemRefusedError, QPUError
from annealnn.models import IsingModel
from annealnn.qpu import QPUSampler
from annealnn.registry import SamplerSpec
from annealnn.samplers import EmbeddedSampler
from annealnn.samplers._compiled import total_info
from annealnn.standin import (
    AnnealPhysics,
    Noise,
    PathIntegralPhysics,
    Physics,
    StandIn,
    ThermalPhysics,
    leading_to,
    serve_in_thread,
)

PhysicsName: TypeAlias = Literal["thermal", "path-integral", "anneal", "anneal-quantum"]
# of the journal, unless a setting says otherwise: another name draws other reads
_EXPERIMENT = "benchmark"
_OF_THE_TASK = ("num_reads", "seed", "annealing_time")


@final
class QPUContestant(Contestant):
    """A processor, through the journal. Effort: microseconds of an anneal; None is the solver's default.

    A task that is run again is answered from the journal and costs nothing; its times are then those of the first
    answer, the client's and the network's included, and `info["replayed"]` counts such jobs. Another seed draws other
    reads. A solver that says that it is simulated has simulated hardware, whatever the settings.

    Times: programming, anneal, and readout with the delay after it, as the service states them (a service that does not
    split its sampling time: all of it is annealing); postprocessing as stated; network, what the journal has between
    the job's leaving and its answer less QPU access time and postprocessing, so that the queue is in it (of a simulated
    solver without the seconds in which it simulates); client, the rest: embedding, encoding, decoding.

    Parameters
    ----------
    auto_scale : bool
        Multiply fields and couplings by one common factor that leaves them in the solver's ranges. Energies are those
        of the problem as it is.
    **settings
        Of `SamplerSpec.qpu`: the way to the solver, `embedding`, `num_gauges`, `num_copies`, `experiment`, and what
        the solver advertises.

    Raises
    ------
    QPUError
        If it cannot be opened.
    ValueError
        If a setting is not known, or breaks a rule.
    """

    effort_name = "annealing_time_us"

    def __init__(self, *, auto_scale: bool = True, **settings: Any) -> None:
        spec = SamplerSpec.qpu(**{"experiment": _EXPERIMENT, **settings})
        self._sampler, self._told = spec.open(), {**spec.parameters, "auto_scale": auto_scale}
        taken = [name for name in self._sampler.parameters if name not in _OF_THE_TASK]
        if unknown := [name for name in self._told if name not in taken]:
            msg = (
                f"settings of a processor are those of SamplerSpec.qpu, and {', '.join(taken)}; got {unknown[0]!r}. "
                "Reads, seeds and annealing times are the task's"
            )
            raise ValueError(msg)
        self._device = _device_of(self._sampler)

    @property
    def hardware(self) -> Hardware:
        """The solver."""
        properties = self._device.properties
        return Hardware(
            name=str(properties["solver"]),
            kind="qpu",
            num_qubits=len(self._device.nodelist),
            power_w=self.power_w,
            simulated=bool(properties["simulated"]),
        )

    @property
    def device(self) -> QPUSampler:
        """The solver's sampler: its working graph is `to_networkx_graph()`, its ranges are in `properties`."""
        return self._device

    @property
    def version(self) -> str:
        """Releases of this package and of D-Wave's client."""
        return release("annealnn", "dwave-cloud-client")

    def run(self, model: IsingModel, *, effort: float | None, num_reads: int, seed: int) -> Run:
        """Draw reads; see `Contestant.run`.

        Raises
        ------
        ProblemRefusedError
            If the problem is not on the working graph, an embedding is not found, a bias or the annealing time is out
            of range.
        QPUError
            What went wrong on the way.
        """
        told = self._told if effort is None else {**self._told, "annealing_time": effort}
        begun = time.perf_counter()
        try:
            if isinstance(self._sampler, EmbeddedSampler):
                # found once for each graph, and kept
                self._sampler.embed(model.structure)
            embedded_s = time.perf_counter() - begun
            answer = self._sampler.sample(model.to_bqm(), num_reads=num_reads, seed=seed, **told)
        except ValueError as error:
            if isinstance(error, QPUError | JournalError):
                raise
            msg = f"{self._device.properties['solver']} does not take this problem: {error}"
            raise ProblemRefusedError(msg) from error
        columns = [answer.variables.index(label) for label in model.labels]
        spins = np.ascontiguousarray(answer.record.sample[:, columns], dtype=np.int8)
        energies = np.asarray(answer.record.energy, np.float64)
        total = total_info(_calls(answer.info))
        client_s = total["recorded_client_s"]
        if total["simulated"]:
            # what a simulation takes is no queue
            client_s = {**client_s, "wait_s": 0.0}
        timing = _split(total["qpu_timing"], client_s, embedded_s + _here_s(answer.info))
        kept = {name: value for name, value in {**answer.info, **total}.items() if name != "calls"}
        return Run(spins, energies, timing, plain_info(kept))


def _device_of(sampler: dimod.Sampler) -> QPUSampler:
    while not isinstance(sampler, QPUSampler):
        sampler = sampler.child
    return sampler


def _calls(info: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the device said: of a composite, in its calls."""
    if "calls" not in info:
        yield dict(info)
    for call in info.get("calls", []):
        yield from _calls(call)


def _here_s(info: Mapping[str, Any]) -> float:
    """Return the seconds before and after the sampling of all samplers, one inside the other."""
    own = sum(info["timing"][part] for part in ("preprocess_s", "postprocess_s"))
    return float(own + sum(_here_s(call) for call in info.get("calls", [])))


def _split(us: Mapping[str, float], client_s: Mapping[str, float], here_s: float) -> TimeSplit:
    sampling = us.get("qpu_sampling_time", 0.0)
    annealing = us.get("qpu_anneal_time", sampling)
    service = us.get("qpu_access_time", 0.0) + us.get("post_processing_overhead_time", 0.0)
    way_s = client_s.get("submit_s", 0.0) + max(0.0, client_s.get("wait_s", 0.0) - 1e-6 * service)
    return TimeSplit(
        client_s=here_s + client_s.get("encode_s", 0.0) + client_s.get("decode_s", 0.0),
        network_s=way_s,
        programming_s=1e-6 * us.get("qpu_programming_time", 0.0),
        annealing_s=1e-6 * annealing,
        readout_s=1e-6 * max(0.0, sampling - annealing),
        postprocessing_s=1e-6 * us.get("post_processing_overhead_time", 0.0),
    )


def standin(
    *,
    topology: str = "zephyr-4",
    num_dead_qubits: int = 0,
    num_dead_couplers: int = 0,
    dead_seed: int = 0,
    physics: PhysicsName = "thermal",
    beta: float = 3.0,
    num_sweeps: int | None = None,
    freeze_at: float = 0.4,
    temperature_mk: float = 18.0,
    sweeps_per_us: float = 10.0,
    noise: float = 0.0,
    readout_error: float = 0.0,
    drift: float = 0.0,
    chip_seed: int = 0,
    journal: str | None = None,
    **settings: Any,
) -> QPUContestant:
    """Return a processor that is SIMULATED: served in this process from a thread, opened as a real one is.

    Reads follow from `chip_seed` and the task's seed, in any process. The journal is a file of its own that goes with
    the contestant, unless one is named.

    Parameters
    ----------
    topology, num_dead_qubits, num_dead_couplers, dead_seed
        As in `StandIn`.
    physics : "thermal", "path-integral", "anneal" or "anneal-quantum"
        Thermal at `beta`; quantum, frozen at s = `freeze_at`; or Monte Carlo along the anneal, `sweeps_per_us`.
    num_sweeps : int, optional
        Of thermal and path-integral physics.
    temperature_mk : float
        Of all but thermal physics.
    noise, drift : float
        Control error of fields and couplings, slow drift of fields: shares of their ranges.
    readout_error : float
        Chance that a read of a qubit is flipped.
    **settings
        As for a processor.

    Raises
    ------
    ValueError
        If a setting breaks its rule, or names the way to another solver.
    MissingDependencyError
        If starlette or uvicorn is not installed.
    """
    if ways := [name for name in ("profile", "solver", "region", "config_file") if name in settings]:
        msg = f"a stand-in is reached in its own way; got {ways[0]!r}. Leave it out, or use the contestant 'qpu'"
        raise ValueError(msg)
    service = StandIn(
        topology,
        num_dead_qubits=num_dead_qubits,
        num_dead_couplers=num_dead_couplers,
        dead_seed=dead_seed,
        physics=_physics(physics, beta, num_sweeps, freeze_at, temperature_mk, sweeps_per_us),
        noise=Noise(h=noise, j=noise, readout=readout_error, drift=drift),
        seed=chip_seed,
    )
    with ExitStack() as opening:
        folder = Path(opening.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        served = opening.enter_context(serve_in_thread(service))
        with leading_to(served, folder):
            contestant = QPUContestant(journal=journal, **settings)
        kept = opening.pop_all()
    # the service ends with the contestant, or with the process
    weakref.finalize(contestant, kept.close)
    return contestant


def _physics(
    name: str,
    beta: float,
    num_sweeps: int | None,
    freeze_at: float,
    temperature_mk: float,
    sweeps_per_us: float,
) -> Physics:
    check_choice("physics", name, ["thermal", "path-integral", "anneal", "anneal-quantum"])
    sweeps: dict[str, Any] = {} if num_sweeps is None else {"num_sweeps": num_sweeps}
    if name == "thermal":
        return ThermalPhysics(beta=beta, num_threads=1, **sweeps)
    if name == "path-integral":
        return PathIntegralPhysics(s=freeze_at, temperature_mk=temperature_mk, num_threads=1, **sweeps)
    return AnnealPhysics(
        dynamics="quantum" if name == "anneal-quantum" else "classical",
        temperature_mk=temperature_mk,
        sweeps_per_us=check_number("sweeps_per_us", sweeps_per_us, low=0.0, open_low=True),
        num_threads=1,
    )
