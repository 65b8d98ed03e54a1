"""Coefficients against time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from annealnn.schedules import Drive

GIVEN = {"times": [0, 2, 3], "transverse": [1, -1, 0], "problem": [0, 0.5, 4]}


def test_linear_between_knots():
    drive = Drive(**GIVEN)
    assert drive.duration == 3
    assert drive.at(0.5) == (0.5, 0.125)
    transverse, problem = drive.at([[0, 1], [2.5, 3]])
    assert_allclose(transverse, [[1, 0], [-0.5, 0]])
    assert_allclose(problem, [[0, 0.25], [2.25, 4]])


def test_constant():
    drive = Drive.constant(2.5, transverse=-0.3, problem=1)
    assert drive.duration == 2.5
    assert drive.at(1.7) == (-0.3, 1.0)


@pytest.mark.parametrize(("start", "stop"), [(0, 0.5), (0.5, 2), (2, 2.5), (1.9, 2.1), (0, 3), (2.5, 3)])
def test_between(start, stop):
    drive = Drive(**GIVEN)
    part = drive.between(start, stop)
    assert part.duration == pytest.approx(stop - start)
    times = np.linspace(0, part.duration, 13)
    assert_allclose(part.at(times), drive.at(np.minimum(times + start, 3)), atol=1e-12)


def test_between_keeps_the_knots():
    drive = Drive(**GIVEN)
    assert_array_equal(drive.between(0, 2.5).times, [0, 2, 2.5])
    assert_array_equal(drive.between(1, 3).times, [0, 1, 2])
    assert_array_equal(drive.between(0, 2).times, [0, 2])
    assert drive.between(0, 3) == drive


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"times": [1, 2, 3]}, "times begin at 0; got 1"),
        ({"times": [0, 2, 2]}, "times rise from each point to the next; got 2 and then 2"),
        ({"times": [0, 3, 2]}, "times rise from each point to the next; got 3 and then 2"),
        ({"times": [0, 1, np.inf]}, "times holds finite numbers; got inf at 2"),
        ({"times": [0, 1]}, "there are as many of times, transverse, problem; got 2 times, 3 transverse, 3 problem"),
        ({"transverse": [1, 2, 3j]}, "transverse holds real numbers; got complex"),
        ({"problem": "abc"}, "problem holds numbers; got 'abc'"),
        ({"problem": 1.0}, r"problem is a sequence of at least 2 numbers; got an array of shape \(\)"),
    ],
)
def test_bad_drives(changed, message):
    with pytest.raises(ValueError, match=message):
        Drive(**(GIVEN | changed))


@pytest.mark.parametrize("time", [-1e-9, 3.1, np.nan, [1, 4]])
def test_time_outside(time):
    with pytest.raises(ValueError, match="time is from 0 to 3, the drive's duration; got"):
        Drive(**GIVEN).at(time)


@pytest.mark.parametrize(
    ("time", "message"), [(1j, "time holds real numbers; got complex"), ("x", "time holds numbers")]
)
def test_times_that_are_no_real_numbers(time, message):
    with pytest.raises(ValueError, match=message):
        Drive(**GIVEN).at(time)


def test_bad_ends():
    with pytest.raises(ValueError, match="start is a finite number, at least 0; got -1"):
        Drive(**GIVEN).between(-1, 2)
    with pytest.raises(ValueError, match="stop is after start; got 2 and 2"):
        Drive(**GIVEN).between(2, 2)
    with pytest.raises(ValueError, match="stop is a finite number, at least 0 and at most 3; got 4"):
        Drive(**GIVEN).between(0, 4)
    with pytest.raises(ValueError, match="duration is a finite number, above 0; got -1"):
        Drive.constant(-1, transverse=1, problem=1)
    with pytest.raises(ValueError, match="transverse holds real numbers; got complex"):
        Drive.constant(1, transverse=1j, problem=1)
