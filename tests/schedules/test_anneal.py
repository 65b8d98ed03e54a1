"""The path s(t): its shapes, its rules, and the drive that it comes to."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from annealnn.schedules import AnnealSchedule, EnergyScales

SCALES = EnergyScales(s=[0, 0.25, 0.5, 1], transverse=[4, 1, 0.5, 0], problem=[0, 0.125, 1, 3], name="lopsided")

unit = st.integers(0, 64).map(lambda k: k / 64)
rates = st.floats(0, 20, width=32)


@st.composite
def tables(draw):
    """Scales of any points between 0 and 1."""
    s = [0.0, *sorted(draw(st.sets(st.floats(0.015625, 0.984375, width=32), max_size=6))), 1.0]
    columns = (draw(st.lists(rates, min_size=len(s), max_size=len(s))) for _ in range(2))
    return EnergyScales(s=s, **dict(zip(("transverse", "problem"), columns, strict=True)))


@st.composite
def schedules(draw):
    """Paths that rise, fall, pause and jump."""
    middle = draw(st.lists(unit, max_size=5))
    s = [draw(st.sampled_from([0.0, 1.0])), *middle, 1.0]
    pace = st.floats(0.0009765625, 100, width=32)
    lengths = draw(st.lists(pace, min_size=len(s) - 1, max_size=len(s) - 1))
    return AnnealSchedule(list(zip(np.append(0, np.cumsum(lengths)), s, strict=True)), draw(tables()))


def steepest(x, y):
    return np.abs(np.diff(y) / np.diff(x)).max()


@settings(deadline=None, max_examples=150, derandomize=True)
@given(schedules(), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_drive_is_exact(schedule, parts):
    drive, scales = schedule.drive(), schedule.scales
    times = np.array(parts) * schedule.duration
    # a point of the scales is passed at a rounded time, and a rounded s is looked up: last bits times the slopes
    slope = max(steepest(scales.s, scales.transverse), steepest(scales.s, scales.problem))
    pace = steepest(*np.transpose(schedule.points))
    allowed = 4 * np.finfo(float).eps * (25 + slope * (1 + pace * schedule.duration))
    assert_allclose(drive.at(times), scales.at(schedule.s_at(times)), rtol=0, atol=allowed)
    assert drive.duration == schedule.duration
    assert {time for time, _ in schedule.points} <= set(drive.times)


def test_the_check_has_teeth():
    """Without a knot at a point of the scales, the drive would be off."""
    drive = AnnealSchedule.linear(8, scales=SCALES).drive()
    assert_array_equal(drive.times, [0, 2, 4, 8])
    assert_array_equal(drive.transverse, SCALES.transverse)
    assert_array_equal(drive.problem, SCALES.problem)
    assert np.interp(2, [0, 8], drive.transverse[[0, -1]]) == 3


def test_linear():
    schedule = AnnealSchedule.linear(5.0)
    assert schedule.points == ((0.0, 0.0), (5.0, 1.0))
    assert schedule.scales == EnergyScales.linear()
    assert (schedule.duration, schedule.is_reverse) == (5.0, False)
    assert schedule.s_at(2.0) == 0.4
    assert_allclose(schedule.s_at([[0, 1], [2, 5]]), [[0, 0.2], [0.4, 1]])


def test_pause():
    schedule = AnnealSchedule.with_pause(10, s=0.3, pause_time=4, scales=SCALES)
    assert schedule.points == ((0, 0), (3, 0.3), (7, 0.3), (14, 1))
    assert schedule.scales is SCALES
    drive = schedule.drive()
    assert_allclose(drive.times, [0, 2.5, 3, 7, 9, 14])
    rest = drive.at(np.linspace(3, 7, 9))
    assert_array_equal(np.ptp(rest, axis=1), 0)
    assert_allclose(np.transpose(rest)[0], SCALES.at(0.3))


def test_quench():
    schedule = AnnealSchedule.with_quench(10, s=0.5, quench_time=0.1)
    assert schedule.points == ((0, 0), (5, 0.5), (5.1, 1))


def test_reverse():
    schedule = AnnealSchedule.reverse(2, s=0.25, hold_time=3, scales=SCALES)
    assert schedule.is_reverse
    assert schedule.points == ((0, 1), (2, 0.25), (5, 0.25), (7, 1))
    drive = schedule.drive()
    assert_allclose(drive.times, [0, 4 / 3, 2, 5, 7 - 4 / 3, 7])
    # there and back again
    assert_allclose(drive.at(np.linspace(0, 7, 15)), np.fliplr(drive.at(np.linspace(0, 7, 15))), atol=1e-14)


def test_reverse_without_a_hold():
    schedule = AnnealSchedule.reverse(2, s=0.6)
    assert schedule.points == ((0, 1), (2, 0.6), (4, 1))
    assert_allclose(schedule.drive().times, [0, 2, 4])


def test_points_are_copied_as_numbers():
    points = [[0, 0], [np.float32(1), 0.5], [2, 1]]
    schedule = AnnealSchedule(points)
    points[1][1] = 0.9
    assert schedule.points == ((0.0, 0.0), (1.0, 0.5), (2.0, 1.0))


def test_compared_and_pickled_by_value():
    one = AnnealSchedule.with_pause(10, s=0.3, pause_time=4, scales=SCALES)
    same = AnnealSchedule.with_pause(10, s=0.3, pause_time=4, scales=pickle.loads(pickle.dumps(SCALES)))
    assert one == same
    assert hash(one) == hash(same)
    assert pickle.loads(pickle.dumps(one)) == one
    assert one != AnnealSchedule.with_pause(10, s=0.3, pause_time=4)
    assert AnnealSchedule.linear(3.0) == AnnealSchedule.linear(3)


def test_info_is_json():
    schedule = AnnealSchedule.with_pause(np.float64(10), s=np.float64(0.3), pause_time=4, scales=SCALES)
    assert json.loads(json.dumps(schedule.to_dict())) == {
        "points": [[0, 0], [3, 0.3], [7, 0.3], [14, 1]],
        "scales": "lopsided",
        "time_unit": "1/energy",
    }


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(1, 0), (2, 1)], "a schedule begins at time 0; got 1"),
        ([(0, 0), (2, 0.5), (2, 1)], "times rise from each point to the next; got 2 and then 2"),
        ([(0, 0), (1, 1.5), (2, 1)], "s is from 0 to 1; got 1.5 at time 1"),
        ([(0, 0), (1, -0.5), (2, 1)], "s is from 0 to 1; got -0.5 at time 1"),
        (
            [(0, 0.5), (2, 1)],
            r"s begins at 0 .forward. or 1 .reverse. and ends at 1.* got 0.5 to 1. Drive takes",
        ),
        ([(0, 0), (2, 0.5)], "ends at 1, where the problem is read; got 0 to 0.5"),
        ([(0, 0)], "times is a sequence of at least 2 numbers"),
        ([], "times is a sequence of at least 2 numbers"),
        ([(0, 0), (1, 1, 1)], "points are pairs of .time, s.; got"),
        (3.0, "points are pairs of .time, s.; got 3.0"),
        ([(0, 0), (1j, 1)], "times holds real numbers; got complex"),
        ([(0, 0), (1, np.nan)], "s holds finite numbers; got nan at 1"),
    ],
)
def test_bad_points(points, message):
    with pytest.raises(ValueError, match=message):
        AnnealSchedule(points)


def test_scales_of_another_type():
    with pytest.raises(TypeError, match="scales is an EnergyScales; got str"):
        AnnealSchedule([(0, 0), (1, 1)], scales="linear")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: AnnealSchedule.linear(0), "annealing_time is a finite number, above 0; got 0"),
        (lambda: AnnealSchedule.linear(np.inf), "annealing_time is a finite number, above 0; got inf"),
        (lambda: AnnealSchedule.with_pause(-1, s=0.5, pause_time=1), "annealing_time is .* got -1"),
        (lambda: AnnealSchedule.with_pause(1, s=0.5, pause_time=0), "pause_time is a finite number, above 0; got 0"),
        (lambda: AnnealSchedule.with_pause(1, s=0, pause_time=1), "s is a finite number, above 0 and at most 1; got 0"),
        (lambda: AnnealSchedule.with_pause(1, s=1, pause_time=1), "s is below 1; got 1"),
        (lambda: AnnealSchedule.with_quench("1", s=0.5, quench_time=1), "annealing_time is .* got '1'"),
        (lambda: AnnealSchedule.with_quench(1, s=1.5, quench_time=1), "s is a finite number.* got 1.5"),
        (lambda: AnnealSchedule.with_quench(1, s=0.5, quench_time=0), "quench_time is a finite number, above 0; got 0"),
        (lambda: AnnealSchedule.reverse(0, s=0.5), "ramp_time is a finite number, above 0; got 0"),
        (lambda: AnnealSchedule.reverse(1, s=1.0), "s is below 1; got 1.0"),
        (lambda: AnnealSchedule.reverse(1, s=0.5, hold_time=-1), "hold_time is a finite number, at least 0; got -1"),
    ],
)
def test_bad_shapes(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("time", [-0.1, 5.1, np.nan, [0, 6]])
def test_time_outside(time):
    with pytest.raises(ValueError, match="time is from 0 to 5, the schedule's duration; got"):
        AnnealSchedule.linear(5).s_at(time)
