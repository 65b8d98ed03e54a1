"""The kernels that move a state vector equal their twins, to rounding."""

import numpy as np
import pytest

from annealnn.kernels._rotations import rotate_six
from annealnn.kernels.statevector import NUM_LOW, rotate_columns, run_stages, turn_and_rotate_blocks
from annealnn.testing._twins_dynamics import (
    rotate_columns_reference,
    run_stages_reference,
    turn_and_rotate_blocks_reference,
)


def random_stages(num_bits, num_stages=3):
    rng = np.random.default_rng(num_bits)
    re, im = rng.normal(size=(2, 2**num_bits))
    energies = rng.normal(0, 40, 2**num_bits)
    angles = rng.normal(size=(num_stages, num_bits))
    return re, im, energies, rng.normal(size=num_stages), np.cos(angles), np.sin(angles)


# one block, and two blocks of lower bits
@pytest.mark.parametrize("num_bits", [0, 1, 2, 3, 4, 5, 6, NUM_LOW + 1])
def test_stages_equal_reference(num_bits):
    re, im, *rest = random_stages(num_bits)
    re_twin, im_twin = re.copy(), im.copy()
    run_stages(re, im, *rest)
    run_stages_reference(re_twin, im_twin, *rest)
    np.testing.assert_allclose([re, im], [re_twin, im_twin], atol=1e-13)


@pytest.mark.parametrize("phase", [1e-3, 1.0, 500.0, 5e4])
def test_phases_are_exact_where_they_wind(phase):
    _, _, energies, *_ = random_stages(6)
    re, im = np.ones(64), np.zeros(64)
    run_stages(re, im, energies, np.array([phase]), np.ones((1, 6)), np.zeros((1, 6)))
    # rounding of the product of phase and energy alone
    limit = 1e-15 + 2e-16 * phase * np.abs(energies)
    assert (np.abs(re + 1j * im - np.exp(-1j * phase * energies)) < limit).all()


def test_pieces_equal_reference_and_make_the_whole():
    re, im, energies, phases, cosines, sines = random_stages(NUM_LOW + 1, num_stages=1)
    whole = re.copy(), im.copy()
    run_stages(*whole, energies, phases, cosines, sines)
    of_stage = energies, phases[0], cosines[0], sines[0]
    before = re.copy(), im.copy()
    turn_and_rotate_blocks(re, im, *of_stage, 1, 2)
    turn_and_rotate_blocks_reference(*before, *of_stage, 1, 2)
    np.testing.assert_allclose([re, im], before, atol=1e-13)
    turn_and_rotate_blocks(re, im, *of_stage, 0, 1)
    size = 2**NUM_LOW
    rows, before = (re.reshape(2, size), im.reshape(2, size)), (re.copy().reshape(2, size), im.copy().reshape(2, size))
    rotate_columns(*rows, cosines[0], sines[0], 100, 400)
    rotate_columns_reference(*before, cosines[0], sines[0], 100, 400)
    np.testing.assert_allclose(rows, before, atol=1e-13)
    for first, last in [(0, 100), (400, size)]:
        rotate_columns(*rows, cosines[0], sines[0], first, last)
    np.testing.assert_array_equal([re, im], whole)


def test_six_bits_in_registers_equal_what_numpy_says():
    re, im, _, _, cosines, sines = random_stages(7, num_stages=1)
    expected = re.copy(), im.copy()
    # compiled within a kernel; as written here, plain numpy
    run_stages(re[:64], im[:64], np.zeros(64), np.zeros(1), cosines[:, :6], sines[:, :6])
    rotate_six(*expected, 0, cosines[0], sines[0])
    np.testing.assert_allclose([re, im], expected, atol=1e-14)
