"""The main job: unsupervised learning of binarised OptDigits, on the logical graph and embedded in a processor's."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import networkx as nx
import numpy as np

from annealnn._files_io import write_text
from annealnn._log import logger
from annealnn._version import __version__
from annealnn.embeddings import MinorEmbedding, find_minor_embedding
from annealnn.embeddings._topology import as_target
from annealnn.estimators import BoltzmannMachine, EmbeddedBoltzmannMachine, Snapshot
from annealnn.estimators._units import Units
from annealnn.estimators._working_graph import working_graph
from annealnn.experiments._baselines import (
    chow_liu_tree,
    independent_spins,
    logistic_regression_accuracy,
    mean_image_fill,
)
from annealnn.experiments._job import (
    DEFAULT_TARGET,
    NUM_VARIABLES,
    PROTOCOL,
    SHAPE,
    OptDigits,
    OptDigitsJob,
    claim_folder,
    load_data,
    plain_job,
)
from annealnn.experiments._measure import (
    HEBBIAN_CHAIN_COUPLINGS,
    HEBBIAN_SCALES,
    NUM_READS,
    DecodedQuality,
    HebbianMachine,
    best_hebbian,
    embedded_misses,
    measure_embedded,
    noise_floor,
    proportion,
)
from annealnn.experiments._overhead import Overhead, job_journal, measure_overhead
from annealnn.learning import Estimate, log_partition
from annealnn.models import Structure
from annealnn.qpu import Plan
from annealnn.registry import open_compiled
from annealnn.typing import AnyArray, Bits

SALT_AND_PEPPER = 0.2
_NUM_SHOWN = 10
_READS_OF_A_ROW = 50
_NUM_MONITORED = 10


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reconstruction:
    """Test images, damaged, and filled in."""

    title: str
    original: Bits  # (num_rows, 42)
    known: AnyArray  # (num_rows, 42) bool
    filled: dict[str, Bits]  # by who filled in
    wrong: dict[str, Estimate]  # fraction of unknown bits that came out wrong


@final
@dataclass(slots=True, kw_only=True)
class OptDigitsResult:
    """What the job found; the report is drawn from it."""

    job: OptDigitsJob
    data: OptDigits
    machine: BoltzmannMachine
    embedded: EmbeddedBoltzmannMachine
    table: list[dict[str, Any]] = field(default_factory=list)
    quality: DecodedQuality
    hebbian: HebbianMachine
    shuffled: DecodedQuality
    reconstructions: list[Reconstruction]
    generated: dict[str, Bits]
    graph: nx.Graph  # what the machine is embedded in
    overhead: Overhead | None = None  # of a processor's jobs
    wall_s: float = 0.0

    @property
    def target(self) -> str:
        """What the machine is embedded in, in words."""
        if self.overhead is None:
            return str(self.job.target)
        return self.overhead.solvers[-1].partition(";")[0]

    @property
    def misses(self) -> list[str]:
        """Targets that the embedded machine missed."""
        return embedded_misses(self.quality, self.hebbian.quality)


def run_optdigits(job: OptDigitsJob, *, say: Callable[[str], None] = logger.info) -> OptDigitsResult:
    """Run the main job and write its report.

    Parameters
    ----------
    job : OptDigitsJob
    say : callable
        Called with a line at the start of each part.

    Returns
    -------
    OptDigitsResult
        `job.out` then holds `index.html`, `figures/*.png`, `results.json` and `checkpoints/`.

    Raises
    ------
    CheckpointError
        If `job.resume` is set and the checkpoints belong to another job.
    ValueError
        If the target is no topology, K46 does not embed in it, or `job.out` holds other things.
    QPUError
        What goes wrong on the way to a processor, saying what to do. What was answered is in the journal, and the
        machine under way is saved.
    KeyboardInterrupt
        After the machine under way has been saved.
    """
    from annealnn.reports import write_optdigits_report

    started = time.monotonic()
    data = load_data()
    # everything that can be refused is refused before the long work
    embedding = _embedding(job, job.device.open())
    claim_folder(job, say)
    say(f"OptDigits: {PROTOCOL}; {len(data.X)} training and {len(data.X_test)} test rows")
    say(f"1/4  fully visible Boltzmann machine, {job.n_iter} iterations")
    machine = fit_visible(job, data)
    say(f"2/4  embedded in {job.target or 'the processor'}, {job.embedded_n_iter} iterations")
    embedded = fit_embedded(job, data, data.y, "embedded", embedding)
    say("3/4  baselines: untrained Hebbian machine, shuffled labels, simple models")
    hebbian = measure_hebbian(job, embedded, data)
    shuffled_labels = np.random.default_rng(job.seed).permutation(data.y)
    shuffled = fit_embedded(job, data, shuffled_labels, "shuffled", embedding)
    say("4/4  reconstructions, generated digits, report")
    result = OptDigitsResult(
        job=job,
        data=data,
        machine=machine,
        embedded=embedded,
        quality=measure_embedded(embedded, data.X, data.y, data.X_test, data.y_test, seed=job.seed),
        hebbian=hebbian,
        shuffled=measure_embedded(shuffled, data.X, data.y, data.X_test, data.y_test, seed=job.seed),
        reconstructions=_reconstruct(job, data, machine, embedded),
        generated=_generate(job, machine, embedded),
        graph=_graph(job, job.device.open()),
    )
    if job.processor is not None:
        _ = embedded.effective_beta_  # the last of the jobs
        with job_journal(job.processor.journal) as journal:
            result.overhead = measure_overhead(journal, job.experiment)
    result.table = _table(result)
    result.wall_s = time.monotonic() - started
    write_text(job.out / "results.json", json.dumps(summary(result), indent=2) + "\n")
    write_optdigits_report(result)
    return result


def plan_optdigits(job: OptDigitsJob) -> dict[str, Plan]:
    """Return the jobs that each part sends to the processor, and their QPU access time. Nothing is sent.

    What the journal has already is not counted off.

    Raises
    ------
    ValueError
        If the job has no processor, or K46 does not embed in its graph.
    QPUError
        If it cannot be opened.
    """
    if job.processor is None:
        msg = "a plan is of the jobs that go to a processor; got a job on the local device. Name a processor"
        raise ValueError(msg)
    sampler: Any = job.device.open()
    embedding = _embedding(job, sampler)
    candidates = len(HEBBIAN_SCALES) * (1 + len(HEBBIAN_CHAIN_COUPLINGS))
    n_reads = EmbeddedBoltzmannMachine().n_reads
    parts = {
        "embedded machine": {"num_reads": n_reads, "num_steps": job.embedded_n_iter},
        "shuffled labels": {"num_reads": n_reads, "num_steps": job.embedded_n_iter},
        "untrained machines": {"num_reads": NUM_READS, "num_steps": candidates + 1},
        "measurements": {"num_reads": NUM_READS, "num_steps": 3},
        "reconstructions": {"num_reads": _READS_OF_A_ROW, "num_problems": 4 * _NUM_SHOWN, "num_steps": 2},
        "generated digits": {"num_reads": 4 * _NUM_SHOWN},
    }
    told = job.device.parameters
    return {name: sampler.plan(num_qubits=embedding.num_qubits, **part, **told) for name, part in parts.items()}


def _graph(job: OptDigitsJob, sampler: Any) -> nx.Graph:
    return as_target(working_graph(sampler, job.target, DEFAULT_TARGET))[0]


def _embedding(job: OptDigitsJob, sampler: Any) -> MinorEmbedding:
    return find_minor_embedding(Structure.complete(NUM_VARIABLES), _graph(job, sampler), seed=job.seed)


def fit_visible(job: OptDigitsJob, data: OptDigits) -> BoltzmannMachine:
    """Train the fully visible machine on the logical graph; its learning curve is of the training file alone."""
    spins = Units.of(data.X.shape[1], data.y).join(data.X, data.y).spins

    def likelihood(snapshot: Snapshot) -> dict[str, float]:
        model = snapshot.model
        estimate = log_partition(
            model.structure, model.parameters, num_runs=100, num_steps=1000, start_means=spins.mean(axis=0)
        )
        return {"train": float(-model.energy(spins).mean()) - estimate.value, "standard_error": estimate.standard_error}

    machine = BoltzmannMachine(
        n_iter=job.n_iter,
        random_state=job.seed,
        callbacks=likelihood,
        monitor_every=max(1, job.n_iter // _NUM_MONITORED),
        checkpoint=job.out / "checkpoints" / "visible",
        resume=job.resume,
    )
    return machine.fit(data.X, data.y)


def fit_embedded(
    job: OptDigitsJob, data: OptDigits, labels: AnyArray, name: str, embedding: Any = None
) -> EmbeddedBoltzmannMachine:
    """Train the embedded machine on these labels."""
    machine = EmbeddedBoltzmannMachine(
        job.target,
        # a processor's graph may change between two trainings
        embedding=embedding if job.processor is None else None,
        sampler=job.device,
        n_iter=job.embedded_n_iter,
        random_state=job.seed,
        checkpoint=job.out / "checkpoints" / name,
        resume=job.resume,
    )
    return machine.fit(data.X, labels)


def measure_hebbian(job: OptDigitsJob, embedded: EmbeddedBoltzmannMachine, data: OptDigits) -> HebbianMachine:
    """Measure the untrained machine on the same qubits and the same device."""
    units = Units.of(data.X.shape[1], data.y)
    return best_hebbian(
        embedded.embedded_,
        open_compiled(job.device, embedded.embedded_.physical, default=job.device),
        embedded.bounds_,
        embedded.structure_.moments_of(units.join(data.X, data.y).spins),
        units,
        data.X_test,
        data.y_test,
        seed=job.seed,
    )


def _mean_log_likelihood(machine: Any, X: Bits, y: AnyArray) -> Estimate:
    rows = machine.score_samples(X, y)
    log_z = machine.log_partition_
    return Estimate(float(rows.mean()), log_z.standard_error, f"joint, {log_z.method}")


def _table(result: OptDigitsResult) -> list[dict[str, Any]]:
    """Return the rows of the final table: model, log-likelihoods (Estimate or None), accuracy (Estimate or None)."""
    data = result.data
    train, test = (
        np.hstack([X, (y[:, None] == np.unique(data.y)).astype(np.int8)])
        for X, y in ((data.X, data.y), (data.X_test, data.y_test))
    )

    def row(
        model: str, train_ll: Any = None, test_ll: Any = None, accuracy: Any = None, coupling_error: Any = None
    ) -> dict[str, Any]:
        return {
            "model": model,
            "train_log_likelihood": train_ll,
            "test_log_likelihood": test_ll,
            "accuracy": accuracy,
            "decoded_coupling_error": coupling_error,
        }

    exactly = [
        [Estimate(v, 0.0, "closed form") for v in fit(train, test)] for fit in (independent_spins, chow_liu_tree)
    ]
    logistic = logistic_regression_accuracy(data.X, data.y, data.X_test, data.y_test)
    tests = f"{len(data.y_test)} test rows, binomial"
    machine = result.machine
    return [
        row("independent spins", *exactly[0]),
        row("Chow-Liu tree", *exactly[1]),
        row(
            "logistic regression",
            accuracy=Estimate(logistic, float(np.sqrt(logistic * (1 - logistic) / len(data.y_test))), tests),
        ),
        row(
            "Boltzmann machine",
            _mean_log_likelihood(machine, data.X, data.y),
            _mean_log_likelihood(machine, data.X_test, data.y_test),
            proportion(machine.predict(data.X_test) == data.y_test, tests),
        ),
        row(
            "untrained Hebbian, embedded",
            accuracy=result.hebbian.quality.accuracy,
            coupling_error=result.hebbian.quality.coupling_error,
        ),
        row(
            "shuffled labels, embedded",
            accuracy=result.shuffled.accuracy,
            coupling_error=result.shuffled.coupling_error,
        ),
        row(f"noise floor, {NUM_READS} data rows", coupling_error=noise_floor(train, result.job.seed)),
        row(
            f"Boltzmann machine on {result.job.target or 'the processor'}",
            accuracy=result.quality.accuracy,
            coupling_error=result.quality.coupling_error,
        ),
    ]


def _reconstruct(
    job: OptDigitsJob, data: OptDigits, machine: BoltzmannMachine, embedded: EmbeddedBoltzmannMachine
) -> list[Reconstruction]:
    rng = np.random.default_rng(job.seed)
    chosen = np.concatenate([np.flatnonzero(data.y_test == c)[:_NUM_SHOWN] for c in np.unique(data.y_test)])
    original = data.X_test[chosen]
    noise = rng.random(original.shape) >= SALT_AND_PEPPER
    block = np.ones((len(original), *SHAPE), dtype=bool)
    for k, corner in enumerate(rng.integers(0, (SHAPE[0] - 2, SHAPE[1] - 2), size=(len(original), 2))):
        block[k, corner[0] : corner[0] + 3, corner[1] : corner[1] + 3] = False
    out = []
    for title, known in (
        (f"salt-and-pepper mask, {SALT_AND_PEPPER:.0%} of the pixels missing", noise),
        ("a 3x3 block missing", block.reshape(len(original), -1)),
    ):
        filled = {
            "majority image": mean_image_fill(data.X, original, known),
        } | {
            name: one.reconstruct(original, known, n_reads=_READS_OF_A_ROW, random_state=job.seed)
            for name, one in (("Boltzmann machine", machine), ("embedded machine", embedded))
        }
        wrong = {
            name: proportion((image != original)[~known], f"{int((~known).sum())} unknown bits, binomial")
            for name, image in filled.items()
        }
        out.append(Reconstruction(title=title, original=original, known=known, filled=filled, wrong=wrong))
    return out


def _generate(job: OptDigitsJob, *machines: Any) -> dict[str, Bits]:
    names = ("Boltzmann machine", "embedded machine")
    return {
        name: machine.sample(4 * _NUM_SHOWN, random_state=job.seed)
        for name, machine in zip(names, machines, strict=True)
    }


def summary(result: OptDigitsResult) -> dict[str, Any]:
    """Return the figures of a result as JSON can hold them; each estimate has its error and method."""

    def plain(value: Any) -> Any:
        if isinstance(value, Estimate):
            return value._asdict()
        if isinstance(value, DecodedQuality):
            return {name: plain(part) for name, part in value._asdict().items()}
        return value

    embedding = result.embedded.embedding_
    return {
        "annealnn": __version__,
        "protocol": PROTOCOL,
        "job": plain_job(result.job),
        "embedding": {
            "qubits": embedding.num_qubits,
            "couplers": result.embedded.embedded_.physical.num_edges,
            "longest_chain": embedding.longest_chain,
        },
        "graph_changes": result.embedded.graph_changes_,
        "processor": None if result.overhead is None else result.overhead.to_dict(),
        "effective_beta": plain(result.embedded.effective_beta_),
        "table": [{k: plain(v) for k, v in row.items()} for row in result.table],
        "embedded": plain(result.quality),
        "hebbian": {"form": result.hebbian.form, "scale": result.hebbian.scale, **plain(result.hebbian.quality)},
        "shuffled_labels": plain(result.shuffled),
        "misses": result.misses,
        "reconstruction_errors": {r.title: {k: plain(v) for k, v in r.wrong.items()} for r in result.reconstructions},
        "wall_s": result.wall_s,
    }
