"""Machines whose sampler has a temperature, or a transverse field, of its own."""

import pickle

import pytest

from annealnn import BoltzmannMachine, RestrictedBoltzmannMachine, SamplerSpec

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
