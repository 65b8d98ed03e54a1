"""Runs that are stopped, go on and are merged; contestants that crash and hang; the bar."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annealnn.benchmark import _pool, _runner
from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._plan import Entrant, plan_tasks
from annealnn.benchmark._pool import WorkerPool
from annealnn.benchmark._results import ResultsFile, merge_results
from annealnn.benchmark._runner import run_tasks
from annealnn.benchmark._task import Task
from annealnn.benchmark._worker import execute
from annealnn.exceptions import ResultsError

pytestmark = pytest.mark.usefixtures("world")

INSTANCES = [InstanceSpec(family="glass", size=size, seed=seed) for size in (4, 6) for seed in range(2)]


def cheat(name, *, seed=0, **settings):
    contestant = ContestantSpec(name=f"cheats:{name}", settings=settings)
    return Task(instance=INSTANCES[0], contestant=contestant, num_reads=4, seed=seed)


@functools.cache
def plan():
    entrants = [
        Entrant(contestant=ContestantSpec(name="cheats:Guesser"), efforts=(1, 2)),
        Entrant(contestant=ContestantSpec(name="cheats:Liar")),
    ]
    return plan_tasks(INSTANCES, entrants, num_reads=4, certify=False)


class InProcess:
    """Runs tasks here, each when its record is asked for; an interrupt comes after some."""

    def __init__(self, stop_after=None):
        self.ran, self.stop_after = [], stop_after

    def submit(self, task):
        future = Future()
        future.result = lambda: self._run(task)
        future.set_result(None)
        return future

    def _run(self, task):
        if len(self.ran) == self.stop_after:
            raise KeyboardInterrupt
        self.ran.append(task.key)
        return execute(task)


def timeless(records):
    """All of a record that does not tell when and how quickly, by key."""
    told = {}
    for record in records:
        parts = record.to_dict()
        assert record.key not in told
        del parts["at"], parts["wall_s"], parts["timing"]
        parts["info"] = {name: value for name, value in parts["info"].items() if name != "run_s"}
        told[record.key] = parts
    return told


def test_what_is_there_is_not_run_again(tmp_path):
    tasks, first, second = plan(), InProcess(), InProcess()
    records = run_tasks(tasks, tmp_path / "results", executor=first)
    assert [record.key for record in records] == [task.key for task in tasks]
    assert sorted(first.ran) == sorted(task.key for task in tasks)
    assert run_tasks([*tasks, *tasks], tmp_path / "results", executor=second) == records
    assert second.ran == []


def test_a_label_or_a_power_that_is_stated_later_is_known(tmp_path):
    (before,) = run_tasks([cheat("Guesser")], tmp_path / "results", executor=InProcess())
    task = replace(cheat("Guesser"), contestant=ContestantSpec(name="cheats:Guesser", label="guesses", power_w=12.0))
    (after,) = run_tasks([task], tmp_path / "results", executor=InProcess(0))
    assert (after.task.contestant.label, after.task.contestant.power_w) == ("guesses", 12.0)
    assert after.energies == before.energies


@pytest.mark.parametrize("stop_after", [0, 1, 5, 11])
def test_a_run_that_is_stopped_goes_on(tmp_path, stop_after):
    tasks, first, second = plan(), InProcess(stop_after), InProcess()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(tasks, tmp_path / "results", executor=first)
    assert [record.key for record in ResultsFile(tmp_path / "results").read()] == first.ran
    broken = run_tasks(tasks, tmp_path / "results", executor=second)
    assert sorted(first.ran + second.ran) == sorted(task.key for task in tasks)
    unbroken = run_tasks(tasks, tmp_path / "unbroken", executor=InProcess())
    assert timeless(broken) == timeless(unbroken)
    assert timeless(ResultsFile(tmp_path / "results").read()) == timeless(ResultsFile(tmp_path / "unbroken").read())


def test_parts_of_a_plan_run_elsewhere_are_merged(tmp_path):
    tasks, last = plan(), InProcess()
    for name, part in (("a", tasks[:7]), ("b", tasks[5:10])):
        run_tasks(part, tmp_path / name, executor=InProcess())
    merge_results([tmp_path / "a", tmp_path / "b"], tmp_path / "all")
    merged = run_tasks(tasks, tmp_path / "all", executor=last)
    assert len(last.ran) == 2
    assert timeless(merged) == timeless(run_tasks(tasks, tmp_path / "unbroken", executor=InProcess()))


def test_an_executor_that_fails_is_recorded(tmp_path):
    class Cluster:
        def submit(self, task):
            future = Future()
            future.set_exception(ConnectionError("lost //user:secret@scheduler"))
            return future

    (record,) = run_tasks([cheat("Guesser")], tmp_path / "results", executor=Cluster())
    assert record.status == "failed"
    assert record.message == "ConnectionError: lost (hidden)scheduler"


# worker processes


def test_contestants_that_end_their_worker_harm_nobody_else(tmp_path, pool):
    names = ["Chatty", "Guesser", "Liar"]
    tasks = [cheat(name) for name in names] + [cheat("Crash", how="exit"), cheat("Guesser", seed=1)]
    records = run_tasks(tasks, tmp_path / "results", executor=pool)
    assert [record.status for record in records] == ["done", "done", "wrong energies", "failed", "done"]
    assert records[3].message == "the worker ended with exit status 3, and said last: the last words"
    alone = [1, 2, 4]
    assert timeless(execute(tasks[k]) for k in alone) == timeless(records[k] for k in alone)
    # what came to an end is not run again, whatever came of it
    again = run_tasks(tasks, tmp_path / "results", executor=InProcess(0))
    assert again == records


def test_only_a_tasks_own_record_answers_it(tmp_path, pool):
    tasks = [cheat("Meddler"), cheat("Guesser"), cheat("Meddler", seed=1), cheat("Guesser", seed=1)]
    records = run_tasks(tasks, tmp_path / "results", executor=pool)
    assert [record.status for record in records] == ["done"] * 4
    assert [record.key for record in records] == [task.key for task in tasks]
    assert timeless(execute(tasks[k]) for k in (1, 3)) == timeless(records[k] for k in (1, 3))


def test_a_worker_that_cannot_start_is_told_of(monkeypatch):
    monkeypatch.setattr(_pool, "_BEGIN", "import sys; sys.exit('out of order')")
    with WorkerPool() as pool:
        record = pool.submit(cheat("Guesser")).result()
    assert record.status == "failed"
    assert record.message == (
        "the worker could not take the task: it ended with exit status 1, and said last: out of order"
    )


def test_two_workers_find_what_one_does(tmp_path, monkeypatch):
    # an interpreter of which something prints as it starts
    monkeypatch.setattr(_pool, "_BEGIN", "print('hello'); print('and', end=' '); " + _pool._BEGIN)
    tasks = plan()
    records = run_tasks(tasks, tmp_path / "two", num_workers=2, timeout_s=300.0, progress=False)
    assert timeless(records) == timeless(run_tasks(tasks, tmp_path / "none", executor=InProcess()))


@pytest.mark.parametrize(("change", "said"), [({"num_workers": 0}, "num_workers"), ({"timeout_s": 0}, "timeout_s")])
def test_numbers_that_break_their_rules(tmp_path, change, said):
    with pytest.raises(ValueError, match=said):
        run_tasks(plan(), tmp_path / "results", **change)


def test_a_file_that_cannot_be_written_is_seen_before_anything_runs(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        run_tasks(plan(), tmp_path / "file" / "results", executor=InProcess(0))
    (tmp_path / "notes").write_text("mine", encoding="ascii")
    with pytest.raises(ResultsError, match="notes holds no results"):
        run_tasks(plan(), tmp_path / "notes", executor=InProcess(0))
    assert (tmp_path / "notes").read_text(encoding="ascii") == "mine"


def has_ended(pid):
    """Whether a process has ended, though nobody may have asked how."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for(condition):
    while not condition():
        time.sleep(0.02)


@pytest.fixture
def timer_of(monkeypatch):
    """Deadlines that come when a file does, not after some seconds."""

    def use(note):
        class Timer(threading.Thread):
            def __init__(self, _seconds, act):
                super().__init__()
                self.act, self.is_cancelled = act, False

            def run(self):
                wait_for(lambda: note.exists() or self.is_cancelled)
                if not self.is_cancelled:
                    self.act()

            def cancel(self):
                self.is_cancelled = True

        monkeypatch.setattr(threading, "Timer", Timer)

    return use


def test_a_contestant_that_hangs_is_stopped_with_its_children(tmp_path, timer_of, monkeypatch, pool):
    note, results = tmp_path / "note", tmp_path / "results"
    tasks = [cheat("Hang", note=str(note)), cheat("Guesser")]
    timer_of(note)
    with WorkerPool(1, timeout_s=77.0) as impatient:
        record = impatient.submit(tasks[0]).result()
    monkeypatch.undo()
    assert record.status == "timed out"
    assert record.message == "a task takes at most 77 s; this one was stopped"
    assert record.wall_s == 77.0
    wait_for(lambda: has_ended(int(note.read_text(encoding="ascii"))))
    ResultsFile(results).append(record)
    assert [r.status for r in run_tasks(tasks, results, executor=pool)] == ["timed out", "done"]
    assert [r.status for r in run_tasks(tasks, results, executor=pool, retry=True)] == ["done", "done"]


RUN = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from annealnn.benchmark._runner import run_tasks
from test_runner import tasks_until_killed
run_tasks(tasks_until_killed(sys.argv[3]), sys.argv[2], timeout_s=600.0)
"""

RUN_ALL = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from annealnn.benchmark._runner import run_tasks
from test_runner import cheat
run_tasks([cheat("Guesser", seed=seed) for seed in range(100)], sys.argv[2])
"""


def tasks_until_killed(note):
    return [cheat("Guesser"), cheat("Guesser", seed=1), cheat("Hang", note=note), cheat("Guesser", seed=2)]


def ended_by(sent, world, results, note):
    """Start a run, send it a signal when its third task is under way, and return how it ends."""
    runner = subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps(world), str(results), str(note)], stderr=subprocess.PIPE
    )
    wait_for(lambda: note.exists() or runner.poll() is not None)
    runner.send_signal(sent)
    _, errors = runner.communicate()
    return runner.returncode, errors.decode()


if sys.platform != "win32":

    @pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
    def test_a_runner_that_ends_takes_its_workers_along_and_loses_nothing(tmp_path, world, sent):
        results, note = tmp_path / "results", tmp_path / "note"
        code, errors = ended_by(sent, world, results, note)
        assert code == -sent, errors
        # the worker's child is of its group: whoever ended the one ended the other
        wait_for(lambda: has_ended(int(note.read_text(encoding="ascii"))))
        tasks, rest = tasks_until_killed(str(note)), InProcess()
        assert [record.key for record in ResultsFile(results).read()] == [task.key for task in tasks[:2]]
        broken = run_tasks(tasks, results, executor=rest)
        assert sorted(rest.ran) == sorted(task.key for task in tasks[2:])
        assert timeless(broken) == timeless(run_tasks(tasks, tmp_path / "unbroken", executor=InProcess()))

    @pytest.mark.slow
    def test_kills_at_any_moment_cost_nothing_but_time(tmp_path, world):
        """Ten kills of a run of 100 tasks, each after some records more, at a moment that nobody chooses."""
        results, rng = tmp_path / "results", np.random.default_rng(0)
        tasks = [cheat("Guesser", seed=seed) for seed in range(100)]
        command = [sys.executable, "-c", RUN_ALL, json.dumps(world), str(results)]
        for goal in range(8, 88, 8):
            runner = subprocess.Popen(command)
            wait_for(lambda goal=goal: results.exists() and results.read_bytes().count(b"\n") > goal)
            time.sleep(rng.uniform(0.0, 0.03))
            runner.kill()
            runner.wait()
        before, rest = ResultsFile(results).read(), InProcess()
        assert 80 <= len(before) < 100
        broken = run_tasks(tasks, results, executor=rest)
        assert len(rest.ran) == 100 - len(before)
        # header, one line for each task: nothing ran twice
        assert results.read_bytes().count(b"\n") == 101
        assert timeless(broken) == timeless(run_tasks(tasks, tmp_path / "unbroken", executor=InProcess()))

    def test_a_worker_that_is_killed_is_recorded(pool):
        record = pool.submit(cheat("Crash", how="signal")).result()
        assert (record.status, record.message) == ("failed", "the worker was killed by SIGKILL")


# the bar


def test_the_bar_moves_with_the_work(tmp_path, monkeypatch):
    told = []

    @contextlib.contextmanager
    def bar(title, *, wanted):
        assert wanted == "auto"
        yield lambda *values: told.append(values)

    monkeypatch.setattr(_runner, "seconds_bar", bar)
    records = run_tasks(plan(), tmp_path / "results", executor=InProcess())
    assert len(told) == 1 + len(records)
    assert told[0][:2] == (0.0, float("inf"))
    assert told[0][2].startswith("0/12 ")
    assert "glass" in told[0][2]
    assert "size 4" in told[0][2]
    assert [note.split("/")[0] for _, _, note in told] == [str(number) for number in range(13)]
    done = [seconds for seconds, _, _ in told]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(sum(record.wall_s for record in records))
    assert told[-1][1] == 0.0


def test_the_bar_is_shown(tmp_path, capsys):
    run_tasks(plan(), tmp_path / "results", executor=InProcess(), progress=True)
    shown = capsys.readouterr().err
    assert "benchmark" in shown
    assert "100%" in shown
    assert "12/12" in shown
