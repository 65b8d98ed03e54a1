"""Machines whose sampler has a temperature, or a transverse field, of its own."""

import pickle

import numpy as np
import pytest

from annealnn import BoltzmannMachine, GaussianRestrictedBoltzmannMachine, RestrictedBoltzmannMachine, SamplerSpec

HOT = SamplerSpec("exact", {"beta": 2.5})


def test_a_calibrated_machine_finds_its_samplers_beta(bars):
    X, _ = bars
    machine = BoltzmannMachine(
        sampler=HOT, calibrate=True, n_particles=500, n_iter=60, learning_rate=0.1, progress=False, random_state=0
    ).fit(X)
    assert machine.effective_beta_ == pytest.approx(2.5, rel=0.1)
    assert machine.history_["effective_beta"][-1] == machine.effective_beta_
    assert pickle.loads(pickle.dumps(machine)).partial_fit(X).effective_beta_ == pytest.approx(2.5, rel=0.1)
    # what was estimated belongs to the fit
    machine.set_params(calibrate=False, n_iter=1)
    assert not hasattr(machine.fit(X), "effective_beta_")


def test_no_temperature_is_estimated_from_reads_that_begin_at_the_rows(bars):
    machine = RestrictedBoltzmannMachine(4, calibrate=True, negative_phase="contrastive", progress=False)
    with pytest.raises(ValueError, match=r"got calibrate=True with negative_phase='contrastive'\. Set"):
        machine.fit(bars[0])


@pytest.mark.parametrize("make", [RestrictedBoltzmannMachine, GaussianRestrictedBoltzmannMachine])
def test_partial_fit_takes_up_what_was_set(make, bars):
    X, _ = bars
    fitted = make(4, n_iter=3, n_particles=20, progress=False, random_state=0).fit(X)
    loaded, as_it_was = (pickle.loads(pickle.dumps(fitted)) for _ in range(2))
    stepped = []
    for machine in (fitted, loaded):
        machine.set_params(momentum=0.0, weight_decay=0.5, centering=False).partial_fit(X)
        stepped.append(machine.score_samples(X))
    np.testing.assert_array_equal(*stepped)
    assert not np.array_equal(as_it_was.partial_fit(X).score_samples(X), stepped[0])
