"""One task at a time: a problem is built, a contestant runs, and what it says is checked."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache, lru_cache
from queue import SimpleQueue
from typing import Any, NoReturn

import numpy as np

from annealnn._secrets import hide_secrets, is_secret_name
from annealnn.benchmark._canonical import canonical, model_digest, plain
from annealnn.benchmark._contestant import Contestant, ContestantSpec, Hardware, Run, TimeSplit
from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.benchmark._machine import machine, now
from annealnn.benchmark._measures import check_measures, take_measures
from annealnn.benchmark._pool import READY
from annealnn.benchmark._task import Record, Task
from annealnn.benchmark.contestants import open_contestant
from annealnn.benchmark.families._registry import build_instance
from annealnn.exceptions import ProblemRefusedError
from annealnn.models import IsingModel
from annealnn.typing import AnyArray, Floats

# of the sum of all terms: a claim may have been computed in single precision
_CLAIM_TOLERANCE = 1e-6
_LONGEST_MESSAGE = 1000
# spins whose energies are computed at once: three arrays of 8 bytes each
_BLOCK = 1 << 22


def execute(task: Task) -> Record:
    """Run a task in this process and return its record, whatever comes of it.

    Energies are computed again from the spins, in double precision; a contestant that claims others, by more than
    single precision explains, has the status "wrong energies", and its record has those of its reads. Seconds that a
    run took and its contestant does not tell of are the client's, unless its times are simulated. Spins that are none,
    a time below 0 and whatever the contestant raises are "failed". Only an interrupt is raised.
    """
    begin = time.perf_counter()
    known: dict[str, Any] = {}
    try:
        _RUNS[task.kind](task, known)
    except ProblemRefusedError as error:
        known |= {"status": "refused", "message": str(error)}
    except (Exception, SystemExit) as error:
        known |= {"status": "failed", "message": f"{type(error).__name__}: {error}"}
    known["message"] = hide_secrets(known.get("message", ""))[:_LONGEST_MESSAGE]
    known["info"] = {**known.get("info", {}), "seed": task.seed, "machine": machine()}
    return Record(task=task, wall_s=time.perf_counter() - begin, at=now(), **known)


def _sample(task: Task, known: dict[str, Any]) -> None:
    if task.contestant is None:
        msg = "a task of kind 'sample' has a contestant; got None"
        raise ValueError(msg)
    instance, known["model"] = _built(task.instance)
    model = instance.model
    check_measures(task.measures, model.structure.num_variables)
    contestant = _opened(task.contestant)
    known["hardware"] = contestant.hardware.to_dict()
    begin = time.perf_counter()
    run = contestant.run(model, effort=task.effort, num_reads=task.num_reads, seed=task.seed)
    run_s = time.perf_counter() - begin
    _check_run(run, task.num_reads, model)
    spins = np.asarray(run.spins, np.int8)
    energies = _energies(model, spins)
    levels, counts = np.unique(energies, return_counts=True)
    complaint = _compare(run.energies, energies, model)
    # some samplers sort their reads: neighbours are then alike, and no pairs of independent reads
    mixed = np.random.default_rng(task.seed).permutation(len(spins))
    known |= {
        "status": "wrong energies" if complaint else "done",
        "message": complaint,
        "energies": tuple(zip(levels.tolist(), counts.tolist(), strict=True)),
        "timing": _timing(run.timing, run_s, contestant.hardware)._asdict(),
        "measures": take_measures(task.measures, model, spins[mixed], energies[mixed]),
        "info": {
            "contestant": _without_secrets(_checked_info(run)),
            "version": contestant.version,
            "effort_name": contestant.effort_name,
            "run_s": run_s,
        },
    }


def _certify(task: Task, known: dict[str, Any]) -> None:
    # solvers, estimators: a worker that only draws reads starts without them
    from annealnn.benchmark.families._certify import certify

    instance, known["model"] = _built(task.instance)
    optimum = certify(instance)
    if optimum is not None:
        _check_optimum(optimum, instance.model)
    known |= {"status": "done", "measures": {"optimum": None if optimum is None else optimum.to_dict()}}


def _train(task: Task, known: dict[str, Any]) -> None:
    from annealnn.benchmark._training import train

    if task.contestant is not None:
        known["hardware"] = _opened(task.contestant).hardware.to_dict()
    known |= {"measures": plain("what is learned", train(task)), "status": "done"}


_RUNS = {"sample": _sample, "certify": _certify, "train": _train}


@lru_cache(maxsize=1)
def _built(spec: InstanceSpec) -> tuple[Instance, dict[str, Any]]:
    """Return an instance and what identifies its model; the last one is kept, for its tasks come one after another."""
    instance = build_instance(spec)
    structure = instance.model.structure
    told = {
        "digest": model_digest(instance.model),
        "num_variables": structure.num_variables,
        "num_edges": structure.num_edges,
    }
    return instance, told


@cache
def _opened(spec: ContestantSpec) -> Contestant:
    return open_contestant(spec)


def _check_run(run: Run, num_reads: int, model: IsingModel) -> None:
    spins, claims = np.asarray(run.spins), np.asarray(run.energies)
    expected = (num_reads, model.structure.num_variables)
    if spins.shape != expected or spins.dtype.kind != "i":
        msg = f"spins are whole numbers of shape {expected}, a row a read; got {spins.dtype} of shape {spins.shape}"
        raise ValueError(msg)
    if not (np.abs(spins) == 1).all():
        msg = f"spins are -1 or +1; got values {np.unique(spins)[:4].tolist()}"
        raise ValueError(msg)
    if claims.shape != (num_reads,) or claims.dtype.kind not in "fi":
        msg = f"energies are numbers of shape ({num_reads},), one a read; got {claims.dtype} of shape {claims.shape}"
        raise ValueError(msg)
    if not isinstance(run.timing, TimeSplit) or not all(np.isfinite(part) and part >= 0 for part in run.timing):
        msg = f"the parts of a time are finite seconds of at least 0; got {run.timing}"
        raise ValueError(msg)


def _timing(told: TimeSplit, run_s: float, hardware: Hardware) -> TimeSplit:
    """Return a run's times as floats; what is missing from the seconds that it took here is the client's."""
    untold = 0.0 if hardware.simulated else max(0.0, run_s - told.total_s)
    return TimeSplit(*map(float, told._replace(client_s=told.client_s + untold)))


def _checked_info(run: Run) -> Mapping[str, Any]:
    try:
        told: Mapping[str, Any] = json.loads(canonical(run.info))
    except (TypeError, ValueError) as error:
        msg = f"a contestant's info holds what JSON can: finite numbers, texts, lists, mappings; got another: {error}"
        raise ValueError(msg) from error
    return told


def _energies(model: IsingModel, spins: AnyArray) -> Floats:
    rows = max(1, _BLOCK // max(1, spins.shape[1]))
    return np.concatenate([model.energy(spins[start : start + rows]) for start in range(0, len(spins), rows)])


def _tolerance(model: IsingModel) -> float:
    total = sum(float(np.abs(terms).sum()) for terms in model.parameters) + abs(model.offset)
    return _CLAIM_TOLERANCE * total


def _compare(claims: AnyArray, energies: Floats, model: IsingModel) -> str:
    """Return what is wrong with claimed energies, in words; nothing if they are right."""
    excess = np.abs(np.asarray(claims, np.float64) - energies)
    # so that a claim that is no number is wrong
    wrong = ~(excess <= _tolerance(model))
    if not wrong.any():
        return ""
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
    return (
        f"energies are those of the reads; {int(wrong.sum())} of {len(energies)} claims are not. The worst is off by "
        f"{excess[worst]:.6g}: read {worst} claims {float(claims[worst]):.10g} and has {energies[worst]:.10g}"
    )


def _check_optimum(optimum: Optimum, model: IsingModel) -> None:
    if not np.isfinite(optimum.energy):
        msg = f"an optimum has a finite energy; got {optimum.energy}"
        raise ValueError(msg)
    if optimum.state is None:
        return
    energy = float(model.energy(optimum.state))
    if abs(energy - optimum.energy) > _tolerance(model):
        msg = f"the state of an optimum has its energy; got {optimum.energy:.10g}, and the state has {energy:.10g}"
        raise ValueError(msg)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    if isinstance(value, dict):
        return {name: _without_secrets(part) for name, part in value.items() if not is_secret_name(name)}
    return value


def serve() -> None:
    """Take tasks from standard input and answer with records on standard output, a line each, until the input ends.

    The contestants' own prints go where errors go, and what they read is empty; a copy that one forks answers nothing.
    When the input ends in the middle of a task, the one who asked is gone: this process and its children end at once.
    """
    given, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    lines: SimpleQueue[bytes | None] = SimpleQueue()
    busy = threading.Event()

    def listen() -> None:
        for line in given:
            lines.put(line)
        if busy.is_set():
            _end()
        lines.put(None)

    threading.Thread(target=listen, daemon=True).start()
    own = os.getpid()
    answers.write(READY)
    while (line := lines.get()) is not None:
        busy.set()
        record = execute(Task.from_dict(json.loads(line)))
        if os.getpid() != own:
            # a contestant forked, and this is the copy
            os._exit(0)
        busy.clear()
        answers.write(canonical(record.to_dict()).encode() + b"\n")


def _end() -> NoReturn:
    if sys.platform != "win32" and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
