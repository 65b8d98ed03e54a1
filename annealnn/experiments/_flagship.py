"""The flagship comparison: a processor, or a stand-in for one, against simulated annealing and others."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from annealnn._files_io import write_text
from annealnn.benchmark._contestant import Contestant, ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._plan import Entrant
from annealnn.benchmark._training import plan_trainings
from annealnn.benchmark.contestants import open_contestant
from annealnn.benchmark.contestants._qpu import QPUContestant
from annealnn.experiments._benchmark import BenchmarkJob, BenchmarkPart, claim_folder

# 512 qubits; times are what the service states, reads are Monte Carlo along the anneal
STANDIN = ContestantSpec(name="standin", settings={"topology": "chimera-8", "physics": "anneal", "sweeps_per_us": 1.0})
# loops up to abs(J) = 2: with 1, a patch of a few cells has no room for them
_FAMILIES: dict[str, dict[str, Any]] = {"ran": {}, "frustrated-loops": {"R": 2}}
_ANNEALING_TIMES_US = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_SWEEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def flagship(
    *,
    out: Path = Path("benchmark-report"),
    processor: ContestantSpec = STANDIN,
    quick: bool = False,
    seed: int = 0,
    powers_w: Mapping[str, float] | None = None,
    timeout_s: float = 600.0,
) -> BenchmarkJob:
    """Return the flagship comparison, on patches of the processor's own working graph.

    The RAN-1 glass and frustrated loops by time to solution, with schedules optimised for each size; distributions on
    12 qubits; valleys of a learned machine, and a training, for which the processor embeds.

    Parameters
    ----------
    out : path
        Of the report; the working graph is written there.
    processor : ContestantSpec
        A stand-in, or "qpu" with the way to a real one.
    quick : bool
        A small one, to see that all of it runs.
    seed : int
    powers_w : mapping of float, optional
        Electrical power of contestants by name, watts; of a core, where it runs on a CPU.
    timeout_s : float

    Raises
    ------
    QPUError
        If the processor cannot be opened.
    """
    out = Path(out)
    claim_folder(out)
    processor = replace(processor, power_w=(powers_w or {}).get(processor.name, processor.power_w))
    opened: Any = open_contestant(processor)
    where = _write_graph(out, opened.device.to_networkx_graph())
    times_us = default_efforts(opened)[:: 3 if quick else 1]
    sizes, count, num_reads = ((24, 40), 2, 50) if quick else ((32, 48, 64, 96, 128), 12, 100)
    sweeps = _SWEEPS[::3] if quick else _SWEEPS

    def one(name: str, *efforts: float | None, reads: int | None = None) -> Entrant:
        spec = ContestantSpec(name=name, power_w=(powers_w or {}).get(name))
        return Entrant(contestant=spec, efforts=efforts or (None,), num_reads=reads)

    chip = Entrant(contestant=processor, efforts=times_us)
    annealers = (one("anneal", *sweeps), one("neal", *sweeps), one("quantum-anneal", *sweeps[: len(sweeps) - 2]))
    timed = BenchmarkPart(
        instances=tuple(
            InstanceSpec(family=family, size=size, seed=seed + k, options={**where, **options})
            for family, options in _FAMILIES.items()
            for size in sizes
            for k in range(count)
        ),
        entrants=(chip, *annealers, one("tabu", 1, 8, 64), one("tree", reads=1)),
        num_reads=num_reads,
        measures=("overlaps",),
    )
    still, embedding = Entrant(contestant=processor, efforts=times_us[-1:]), _embedding(processor)
    drawn = BenchmarkPart(
        instances=tuple(
            InstanceSpec(family="ran", size=12, seed=seed + k, options={**where, "fields": True})
            for k in range(3 if quick else 10)
        ),
        entrants=(still, one("anneal", 256), one("neal", 256), one("gibbs", 256)),
        num_reads=500 if quick else 2000,
        measures=("states", "effective-beta", "energy-moments", "overlaps"),
        certify=False,
    )
    valleys = BenchmarkPart(
        instances=(InstanceSpec(family="learned", size=8, seed=seed),),
        entrants=(
            Entrant(contestant=embedding, efforts=times_us[-1:]),
            one("anneal", 64),
            one("neal", 64),
            one("quantum-anneal", 64),
        ),
        num_reads=100 if quick else 1000,
        measures=("valleys",),
        certify=False,
    )
    learners = [
        Entrant(contestant=embedding, efforts=times_us[-1:]),
        one("anneal", 64),
        one("neal", 64),
        one("gibbs", 64),
    ]
    trainings = plan_trainings(
        [(entrant.contestant, entrant.efforts[0]) for entrant in learners],
        InstanceSpec(family="bars-and-stripes", size=2 if quick else 3),
        num_reads=100,
        seeds=range(seed, seed + (1 if quick else 10)),
        options={"n_iter": 10 if quick else 60},
    )
    return BenchmarkJob(
        out=out,
        parts=(timed, drawn, valleys),
        trainings=tuple(trainings),
        processor=processor.label,
        seed=seed,
        timeout_s=timeout_s,
        num_resamples=200 if quick else 1000,
    )


def default_efforts(contestant: Contestant) -> tuple[float | None, ...]:
    """Return the efforts to try: sweeps, microseconds from a solver's shortest anneal on, or what it chooses itself."""
    if contestant.effort_name == "num_sweeps":
        return _SWEEPS
    if isinstance(contestant, QPUContestant):
        low, high = contestant.device.properties["annealing_time_range"]
        # the shortest, for an optimum there says that it may lie below
        return (low, *(time for time in _ANNEALING_TIMES_US if low < time <= high))
    return (None,)


def _write_graph(out: Path, graph: Any) -> dict[str, str]:
    """Write a working graph; return the options that name it."""
    record = {"qubits": sorted(graph), "couplers": sorted(sorted(edge) for edge in graph.edges)}
    text = json.dumps(record) + "\n"
    # named after its content: a processor whose graph has changed has other instances
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = out / f"graph-{digest[:8]}.json"
    write_text(path, text)
    return {"graph": str(path), "graph_sha256": digest}


def _embedding(processor: ContestantSpec) -> ContestantSpec:
    """Return the processor with problems embedded that are not on its graph."""
    return ContestantSpec(
        name=processor.name,
        settings={**processor.settings, "embedding": "find"},
        label=f"{processor.label}, embedded",
        power_w=processor.power_w,
    )
