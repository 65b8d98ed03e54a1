"""Quick rows of the measurements; the whole of them is `python -m annealnn.experiments.quantum`."""

import pytest

from annealnn.experiments.quantum import (
    FITS_BELOW,
    MIXTURE_TARGETS,
    measure_mixture,
    measure_parity,
    measure_recovery,
    measure_restricted,
    mixture_misses,
)

pytestmark = pytest.mark.usefixtures("one_blas_thread")


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_quantum_machines_learn_mixtures_better(seed):
    target = MIXTURE_TARGETS[6, seed]
    assert mixture_misses(measure_mixture(6, seed), target) == []
    assert mixture_misses(target._replace(quantum=target.classical), target)
    assert mixture_misses(target._replace(gamma=1.0), target)


def test_classical_machines_need_more_hidden_units_than_semi_quantum_ones():
    found = measure_restricted(4, 1, 0)
    assert found.trace_error < 1e-10
    assert found.triple < FITS_BELOW < found.same


def test_moments_are_recovered():
    assert measure_recovery(3).moment_error < 1e-6


def test_parity_is_not_learned():
    found = measure_parity(3)
    assert found.local == pytest.approx(0.6931, abs=1e-4)
    assert found.with_parity < 1e-6
