"""What our samplers do beyond the conformance kit."""

import warnings

import dimod
import numpy as np
import pytest

from annealnn.samplers import streams_from_seed, uniforms
from annealnn.testing import LOPSIDED
from annealnn.testing._samplers import own_samplers

each = pytest.mark.parametrize("case", own_samplers(), ids=lambda case: case.name)


@each
@pytest.mark.parametrize(("keyword", "value"), [("num_reads", 0), ("num_reads", 1.5), ("seed", -1), ("seed", True)])
def test_bad_counts_are_refused(case, keyword, value):
    with pytest.raises(ValueError, match=rf"{keyword} is a whole number .*; got {value!r}"):
        case.make().sample(LOPSIDED, **{keyword: value})


@each
@pytest.mark.parametrize("bias", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_biases_that_are_no_numbers_are_refused(case, bias, vartype):
    for bqm in (dimod.BQM({"a": bias}, {}, 0.0, vartype), dimod.BQM({}, {"ab": bias}, 0.0, vartype)):
        with pytest.raises(ValueError, match=r"(fields|couplings) are finite; got -?(nan|inf)"):
            case.make().sample(bqm)


@each
def test_no_warning_in_ordinary_use(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        case.make().sample(LOPSIDED, num_reads=2, seed=0)


def test_uniforms_move_each_stream_on_by_one():
    streams = streams_from_seed(3, 4)
    first, second = uniforms(streams), uniforms(streams)
    again = streams_from_seed(3, 2)
    np.testing.assert_array_equal(uniforms(again), first[:2])
    assert (first != second).all()
    assert ((first >= 0) & (first < 1)).all()
    np.testing.assert_array_equal(uniforms(streams_from_seed(3, 4), 2), np.column_stack([first, second]))
