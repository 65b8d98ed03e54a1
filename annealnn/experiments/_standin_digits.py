"""OptDigits on a stand-in for a processor: dead qubits, a hidden temperature, control errors, qubits that die."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

import numpy as np

from annealnn._log import logger
from annealnn.embeddings import topology_graph
from annealnn.estimators import EmbeddedBoltzmannMachine, Snapshot
from annealnn.experiments._job import OptDigits, load_data
from annealnn.experiments._measure import DecodedQuality, measure_embedded
from annealnn.experiments._overhead import Overhead, measure_overhead
from annealnn.experiments._rehearsal import rehearsal
from annealnn.learning import mean_absolute
from annealnn.models import Moments, Structure
from annealnn.qpu import Journal
from annealnn.registry import SamplerSpec
from annealnn.standin import Noise, StandIn, ThermalPhysics

EXPERIMENT = "optdigits on the stand-in"
# for moments: sampling alone moves the mean absolute difference of two sets by about 0.8 sqrt(2 / reads)
_NUM_READS = 10_000


@final
@dataclass(frozen=True, kw_only=True)
class StandInDigitsJob:
    """What to run.

    Parameters
    ----------
    target : str
        Topology of the simulated processor.
    dead_share : float
        Of its qubits.
    beta : float
        Its hidden inverse temperature.
    num_sweeps : int
        Of its thermal physics.
    noise : float
        Standard deviation of control errors of h and J, one draw for a job, as a share of their ranges.
    num_gauges : int
        Of each gradient: so many jobs, and draws of control errors.
    num_gauges_read : int
        The same when the machine is measured.
    n_iter : int
    num_deaths : int
        Qubits of the machine that die in the middle of a second training.
    seed : int
    """

    target: str = "zephyr-12"
    dead_share: float = 0.02
    beta: float = 2.0
    num_sweeps: int = 40
    noise: float = 0.02
    num_gauges: int = 10
    num_gauges_read: int = 100
    n_iter: int = 200
    num_deaths: int = 5
    seed: int = 0


class Learned(NamedTuple):
    """One machine, by its decoded reads."""

    machine: EmbeddedBoltzmannMachine
    quality: DecodedQuality
    moments: Moments  #: of decoded reads

    def distance(self, other: "Learned") -> tuple[float, float]:
        """Return the mean absolute difference of decoded `<s_i>`, and of `<s_i s_j>` over all pairs."""
        mine, theirs = self.moments, other.moments
        return mean_absolute(mine.spins, theirs.spins), mean_absolute(mine.pairs, theirs.pairs)


class StandInDigitsResult(NamedTuple):
    """What the job found."""

    local: Learned  #: on the perfect graph, without noise, no service between
    whole: Learned  #: through the real client, on the noisy processor
    bereft: Learned  #: the same, and qubits died in mid-training
    overhead: Overhead


def run_standin_digits(
    job: StandInDigitsJob, folder: Path, *, say: Callable[[str], None] = logger.info
) -> StandInDigitsResult:
    """Learn OptDigits through D-Wave's client from a simulated processor; the journal is left in `folder`."""
    data = load_data()
    say("  noiseless local run")
    betas = np.full(job.num_sweeps, job.beta)
    betas[: job.num_sweeps // 2] = np.linspace(0.0, job.beta, job.num_sweeps // 2, endpoint=False)
    # the sweeps of the stand-in's thermal physics, made here
    device = SamplerSpec("anneal", {"beta_schedule_type": "custom", "beta_schedule": tuple(betas.tolist())})
    local = _learned(_machine(job, device, target=job.target).fit(data.X, data.y), data, job)
    standin = StandIn(
        job.target,
        num_dead_qubits=round(job.dead_share * len(topology_graph(job.target))),
        dead_seed=job.seed,
        physics=ThermalPhysics(beta=job.beta, num_sweeps=job.num_sweeps),
        noise=Noise(h=job.noise, j=job.noise),
        seed=job.seed,
    )
    with rehearsal(standin, folder):
        say(f"  through D-Wave's client, {job.num_gauges} gauges a gradient")
        machine = _machine(job, SamplerSpec.qpu(num_gauges=job.num_gauges, experiment=EXPERIMENT))
        whole = _read(machine.fit(data.X, data.y), data, job)
        say(f"  the same, and {job.num_deaths} qubits die half way")
        machine = _machine(job, SamplerSpec.qpu(num_gauges=job.num_gauges, experiment=f"{EXPERIMENT}, deaths"))
        machine.set_params(callbacks=_killer(machine, standin, job), monitor_every=max(1, job.n_iter // 2))
        bereft = _read(machine.fit(data.X, data.y), data, job)
    with Journal(folder / "journal.sqlite") as journal:
        overhead = measure_overhead(journal, EXPERIMENT)
    assert overhead is not None  # noqa: S101 - jobs were answered
    return StandInDigitsResult(local, whole, bereft, overhead)


def _machine(job: StandInDigitsJob, sampler: SamplerSpec, target: str | None = None) -> EmbeddedBoltzmannMachine:
    return EmbeddedBoltzmannMachine(target, sampler=sampler, n_iter=job.n_iter, random_state=job.seed, progress=False)


def _killer(machine: EmbeddedBoltzmannMachine, standin: StandIn, job: StandInDigitsJob) -> Callable[[Snapshot], None]:
    """Return a callback that kills qubits of the machine when half of training is done."""

    def kill(snapshot: Snapshot) -> None:
        if snapshot.iteration == max(1, job.n_iter // 2):
            qubits = [int(str(label)) for label in machine.embedded_.physical.labels]
            chosen = np.random.default_rng(job.seed).choice(qubits, job.num_deaths, replace=False)
            standin.kill_qubits([int(q) for q in chosen])

    return kill


def _read(machine: EmbeddedBoltzmannMachine, data: OptDigits, job: StandInDigitsJob) -> Learned:
    """Measure a machine on the processor in so many gauges that control errors average out."""
    spec = machine.sampler
    opening = {**spec.opening, "num_gauges": job.num_gauges_read}
    return _learned(machine.set_params(sampler=SamplerSpec("qpu", spec.parameters, opening)), data, job)


def _learned(machine: EmbeddedBoltzmannMachine, data: OptDigits, job: StandInDigitsJob) -> Learned:
    quality = measure_embedded(machine, *data, seed=job.seed)
    decoded = machine.embedded_.decode(machine.draw_qubits(_NUM_READS, random_state=job.seed + 1)).spins
    moments = Structure.complete(decoded.shape[1]).moments_of(decoded)
    return Learned(machine, quality, moments)
