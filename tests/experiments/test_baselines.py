"""Baselines against the values computed independently for the 46-variable data."""

import numpy as np
import pytest

from annealnn.datasets import load_optdigits
from annealnn.experiments._baselines import (
    chow_liu_tree,
    independent_spins,
    logistic_regression_accuracy,
    mean_image_fill,
)
from annealnn.experiments._measure import noise_floor, proportion


@pytest.fixture(scope="module")
def rows():
    return [load_optdigits(s, classes=[1, 2, 3, 4], crop="7x6", labels="one-hot").data for s in ("train", "test")]


def test_independent_spins(rows):
    assert independent_spins(*rows).test == pytest.approx(-23.97, abs=0.01)


def test_chow_liu_tree(rows):
    found = chow_liu_tree(*rows)
    assert found.train == pytest.approx(-18.34, abs=0.01)
    assert found.test == pytest.approx(-18.80, abs=0.01)


def test_chow_liu_finds_a_tree_distribution():
    rng = np.random.default_rng(0)
    a = rng.random(20_000) < 0.5
    b = a ^ (rng.random(20_000) < 0.1)
    c = b ^ (rng.random(20_000) < 0.2)
    entropy = lambda p: -p * np.log(p) - (1 - p) * np.log(1 - p)  # noqa: E731
    X = np.stack([a, b, c], axis=1).astype(np.int8)
    assert chow_liu_tree(X, X).test == pytest.approx(-np.log(2) - entropy(0.1) - entropy(0.2), abs=0.01)


def test_logistic_regression(optdigits46):
    assert logistic_regression_accuracy(*optdigits46) == pytest.approx(0.9516, abs=0.003)


def test_mean_image_fill():
    train = np.array([[1, 0], [1, 0], [1, 1]], np.int8)
    filled = mean_image_fill(train, np.array([[0, 1]], np.int8), np.array([[True, False]]))
    np.testing.assert_array_equal(filled, [[0, 0]])


def test_noise_floor_shrinks_with_certainty():
    certain = np.tile(np.array([[0, 1, 1]], np.int8), (50, 1))
    assert noise_floor(certain, 0).value == 0
    fair = np.random.default_rng(0).integers(0, 2, (50_000, 3)).astype(np.int8)
    # mean absolute deviation of a mean of 2,000 fair products
    assert noise_floor(fair, 0).value == pytest.approx(np.sqrt(2 / np.pi / 2000), rel=0.2)


def test_proportion():
    p = proportion(np.array([True, False, True, True]), "x")
    assert p.value == 0.75
    assert p.standard_error == pytest.approx(np.sqrt(0.75 * 0.25 / 4))
