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


@pytest.mark.parametrize("time", [0.5, 2, 2.5, 3])
def test_until(time):
    drive = Drive(**GIVEN)
    part = drive.until(time)
    assert part.duration == time
    times = np.linspace(0, time, 13)
    assert_allclose(part.at(times), drive.at(times))


def test_until_keeps_the_knots_before():
    drive = Drive(**GIVEN)
    assert_array_equal(drive.until(2.5).times, [0, 2, 2.5])
    assert_array_equal(drive.until(2).times, [0, 2])
    assert drive.until(3) == drive


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


def test_bad_ends():
    with pytest.raises(ValueError, match="time is a finite number, above 0; got 0"):
        Drive(**GIVEN).until(0)
    with pytest.raises(ValueError, match="time is from 0 to 3"):
        Drive(**GIVEN).until(4)
    with pytest.raises(ValueError, match="duration is a finite number, above 0; got -1"):
        Drive.constant(-1, transverse=1, problem=1)
    with pytest.raises(ValueError, match="transverse holds real numbers; got complex"):
        Drive.constant(1, transverse=1j, problem=1)
