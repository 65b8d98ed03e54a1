"""Train on a simulated processor that fails one request in five, killed with SIGKILL at random moments.

`python tests/qpu/chaos.py --jobs 300 --kills 10 --seed 0`. Exits with 1 unless every job was answered, accepted and
billed once as the service counts, the machine is that of a run without faults, to the bit, and the token shows nowhere.
"""

import argparse
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TOKEN = "SIM-chaos-7f3e9a-do-not-print"
NUM_GAUGES = 5
EXPERIMENT = "chaos"

# of each kind of request, and of jobs, one in five
FAULTS = [
    "connect:status:status=503:probability=0.1",
    "connect:drop:probability=0.1",
    "submit:drop:probability=0.045",
    "submit:drop:probability=0.045:accepted",
    "submit:status:status=500:probability=0.045:accepted",
    "submit:status:status=429:probability=0.045",
    "submit:media-type:probability=0.045",
    "job:failed:probability=0.15",
    "job:offline:probability=0.06",
    "poll:status:status=503:probability=0.07",
    "poll:drop:probability=0.07",
    "poll:not-json:probability=0.07",
    "answer:status:status=500:probability=0.055",
    "answer:status:status=404:probability=0.055",
    "answer:drop:probability=0.055",
    "answer:media-type:probability=0.055",
]


def work(folder, num_jobs):
    """Train, or go on; the machine is in `folder` when it ends."""
    from annealnn import EmbeddedBoltzmannMachine, SamplerSpec
    from annealnn._log import logger
    from annealnn.datasets import make_bars_and_stripes
    from annealnn.exceptions import CheckpointError, QPUError
    from annealnn.qpu import Retries, _connection, _dispatcher

    # a service next door needs less patience than one far away
    hasty = Retries(num_retries=12, first_wait_s=0.02, longest_wait_s=0.2, settle_s=0.3, num_lookups=3)
    _dispatcher.Retries = _connection.Retries = lambda: hasty
    logging.basicConfig(filename=folder / "log", format="%(process)d %(message)s")
    logger.setLevel(logging.DEBUG)
    spec = SamplerSpec.qpu(
        journal=folder / "journal.sqlite", experiment=EXPERIMENT, num_gauges=NUM_GAUGES, annealing_time=5.0
    )
    X = make_bars_and_stripes(2, 2)[0]

    def machine(**keywords):
        made = EmbeddedBoltzmannMachine(
            sampler=spec, n_iter=num_jobs // NUM_GAUGES, n_reads=50, random_state=1, progress=False, **keywords
        )
        made._save_every_s = 0.0
        return made

    try:
        try:
            fitted = machine(checkpoint=folder / "checkpoint", resume=True).fit(X)
        except CheckpointError:
            fitted = machine(checkpoint=folder / "checkpoint").fit(X)
    except QPUError as error:
        logger.error("%s: %s", type(error).__name__, error)
        return 3
    shown = repr(fitted) + repr(spec) + repr(fitted.get_params())
    (folder / "shown").write_bytes(pickle.dumps(fitted) + shown.encode())
    model = fitted.physical_model_
    np.savez(folder / "unfinished.npz", h=model.h, J=model.J)
    (folder / "unfinished.npz").rename(folder / "model.npz")
    return 0


def train(folder, num_jobs, seed, *, faults=(), kills=(), draws=None):
    """Run workers until one ends well; return the service's account, how many workers it took and how many were killed.

    Without kills the one worker is this process.
    """
    from annealnn.standin import Fault, StandIn, serve_in_thread

    folder.mkdir()
    (folder / "dwave.conf").touch()
    standin = StandIn("chimera-2", seed=seed, token=TOKEN, faults=[Fault.parse(fault) for fault in faults])
    own = {"DWAVE_API_TOKEN": TOKEN, "DWAVE_CONFIG_FILE": str(folder / "dwave.conf")}
    for name in [name for name in os.environ if name.startswith(("DWAVE_", "ANNEALNN_"))]:
        del os.environ[name]
    kills, num_workers, num_killed = list(kills), 0, 0
    with serve_in_thread(standin) as served:
        os.environ.update(own, DWAVE_API_ENDPOINT=served.endpoint)
        if not kills:
            work(folder, num_jobs)
        while not (folder / "model.npz").exists():
            num_workers += 1
            if num_workers > 10 * (1 + len(kills) + num_killed):
                msg = f"no worker ended well: {(folder / 'stderr').read_text()[-2000:]}"
                raise RuntimeError(msg)
            with (folder / "stderr").open("ab") as said:
                command = [sys.executable, __file__, "--work", str(folder), "--jobs", str(num_jobs)]
                worker = subprocess.Popen(command, stderr=said)
            while worker.poll() is None:
                time.sleep(0.005)
                if kills and standin.statistics()["statuses"]["COMPLETED"] >= kills[0]:
                    # anywhere in what follows: between acceptance and reply, answer and journal, ...
                    time.sleep(draws.uniform(0, 0.1))
                    worker.send_signal(signal.SIGKILL)
                    worker.wait()
                    kills.pop(0)
                    num_killed += 1
            if worker.returncode not in (0, 3, -signal.SIGKILL):
                msg = f"a worker ended with {worker.returncode}: {(folder / 'stderr').read_text()[-2000:]}"
                raise RuntimeError(msg)
    return {**standin.statistics(), "workers": num_workers, "killed": num_killed}


def check(folder, num_jobs, told, num_kills):
    """Return what is wrong."""
    from annealnn.qpu import Journal

    wrong = []
    with Journal(folder / "broken" / "journal.sqlite") as journal:
        jobs = journal.jobs()
        spent = journal.spending(EXPERIMENT)
    answered = {job.key: job for job in jobs if job.state == "answered"}
    labels = told["labels"]
    if not len(jobs) == len(answered) == num_jobs:
        wrong.append(f"{num_jobs} jobs were to be answered; {len(answered)} of {len(jobs)} are")
    if set(labels) != set(answered):
        wrong.append(f"the service knows {len(labels)} labels, which are not those of the journal")
    for key, of in labels.items():
        if not of["completed"] == of["billed"] == 1:
            wrong.append(f"{key} was completed {of['completed']} times and billed {of['billed']} times")
    statuses = told["statuses"]
    attempts = sum(job.attempts for job in jobs)
    if told["accepted"] != num_jobs + statuses["FAILED"] or attempts != statuses["FAILED"]:
        wrong.append(f"of {told['accepted']} accepted jobs {statuses} and {attempts} failed attempts are noted")
    if not np.isclose(told["billed_us"], spent.billed_us, rtol=1e-9) or spent.under_way_us:
        wrong.append(f"the service billed {told['billed_us']} us; the journal says {spent}")
    if told["killed"] != num_kills:
        wrong.append(f"{told['killed']} workers were killed")
    whole, broken = (np.load(folder / name / "model.npz") for name in ("whole", "broken"))
    if not all(np.array_equal(whole[name], broken[name]) for name in ("h", "J")):
        wrong.append("the machine differs from that of a run without faults")
    files = [path for path in (folder / "broken").rglob("*") if path.is_file()]
    wrong += [f"the token is in {path}" for path in files if TOKEN.encode() in path.read_bytes()]
    return wrong


def main():
    """Run it; return the status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work is not None:
        return work(asked.work, asked.jobs)
    draws = np.random.default_rng(asked.seed)
    kills = np.sort(draws.integers(0, max(1, asked.jobs - NUM_GAUGES), size=asked.kills)).tolist()
    num_jobs = asked.jobs // NUM_GAUGES * NUM_GAUGES
    with tempfile.TemporaryDirectory() as name:
        folder, begun = Path(name), time.perf_counter()
        train(folder / "whole", num_jobs, asked.seed)
        told = train(folder / "broken", num_jobs, asked.seed, faults=FAULTS, kills=kills, draws=draws)
        wrong = check(folder, num_jobs, told, asked.kills)
        log = (folder / "broken" / "log").read_text()
    account = {name: told[name] for name in ("accepted", "statuses", "requests", "faults", "workers", "killed")}
    print(json.dumps(account))
    print(f"SIMULATED: {num_jobs} jobs, {sum(told['faults'].values())} faults, {told['killed']} kills", end=", ")
    print(f"{log.count('is sent again')} jobs not found and sent again, {time.perf_counter() - begun:.0f} s")
    print("\n".join(wrong) or "every job was answered, accepted and billed once; the machine is the same to the bit")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
