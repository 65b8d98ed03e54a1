"""The time that is left, against what tasks then take."""

import pytest

from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._forecast import Forecast
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._task import Record, Task

# seconds for a read, a unit of effort and a unit of size
RATES = {"slow": 0.5, "quick": 0.001}


def task(name, effort, size):
    return Task(
        instance=InstanceSpec(family="glass", size=size),
        contestant=ContestantSpec(name=name),
        effort=effort,
        num_reads=10,
    )


def seconds(each):
    return RATES[each.contestant.name] * each.effort * each.num_reads * each.instance.size


def record(each):
    return Record(task=each, status="done", wall_s=seconds(each))


TASKS = [task(name, effort, size) for size in (4, 8) for effort in (1.0, 16.0) for name in RATES]


def test_tasks_that_take_what_they_should_are_forecast_exactly():
    forecast = Forecast(TASKS)
    assert forecast.left_s == float("inf")
    for number, each in enumerate(TASKS, start=1):
        forecast.done(record(each))
        if number >= len(RATES):
            assert forecast.left_s == pytest.approx(sum(map(seconds, TASKS[number:])))
    assert forecast.left_s == 0.0


def test_a_contestant_of_which_nothing_is_known_takes_what_others_do():
    forecast = Forecast(TASKS)
    forecast.done(record(TASKS[0]))
    slow = sum(seconds(each) for each in TASKS[1:] if each.contestant.name == "slow")
    assert forecast.left_s == pytest.approx(slow + 4 * seconds(TASKS[0]))


def test_an_earlier_part_of_the_run_teaches():
    forecast = Forecast(TASKS[4:], map(record, TASKS[:4]))
    assert forecast.left_s == pytest.approx(sum(map(seconds, TASKS[4:])))


def test_nothing_pending_takes_nothing():
    assert Forecast([]).left_s == 0.0


def test_the_task_that_opens_a_contestant_is_forgotten():
    first, *others = (each for each in TASKS if each.contestant.name == "slow")
    left = task("slow", 64.0, 8)
    forecast = Forecast([left, *others], [Record(task=first, status="done", wall_s=1000.0)])
    assert forecast.left_s > 1000.0
    for each in others:
        forecast.done(record(each))
    assert forecast.left_s == pytest.approx(seconds(left))
