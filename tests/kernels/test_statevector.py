"""The kernel that moves a state vector equals its twin."""

import numpy as np
import pytest

from annealnn.kernels.statevector import NUM_LOW, rotate_columns, run_stages, turn_and_rotate_blocks
from annealnn.testing._twins_statevector import run_stages_reference


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


def test_pieces_make_the_whole():
    re, im, energies, phases, cosines, sines = random_stages(NUM_LOW + 1, num_stages=1)
    whole = re.copy(), im.copy()
    run_stages(*whole, energies, phases, cosines, sines)
    for first, last in [(1, 2), (0, 1)]:
        turn_and_rotate_blocks(re, im, energies, phases[0], cosines[0], sines[0], first, last)
    size = 2**NUM_LOW
    for first, last in [(0, 1000), (1000, size)]:
        rotate_columns(re.reshape(2, size), im.reshape(2, size), cosines[0], sines[0], first, last)
    np.testing.assert_array_equal([re, im], whole)
