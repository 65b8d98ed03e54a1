"""Machines that learn from a sampler whose temperature they are not told."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from annealnn import BoltzmannMachine, DeepBoltzmannMachine, RestrictedBoltzmannMachine, SamplerSpec
from annealnn.estimators import _sampled
from annealnn.models import bits_to_spins
from annealnn.samplers import CalibratedSampler
from annealnn.testing._statistics import chi_square_pvalue

HIDDEN_BETA = 2.5
FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed
DEVICE = SamplerSpec("gibbs", {"beta": HIDDEN_BETA, "num_sweeps": 5})
TRAINING = {"n_particles": 1000, "n_iter": 200, "learning_rate": 0.05, "average": 0.3, "random_state": 0}
KEYWORDS = {"sampler": DEVICE, "calibrate": True, "progress": False, **TRAINING}
EVERY = (np.arange(64)[:, None] >> np.arange(6)) & 1


@pytest.fixture(scope="module")
def calibrated(mixture):
    return BoltzmannMachine(**KEYWORDS).fit(mixture)


def test_the_model_at_beta_1_is_learned(calibrated, mixture):
    exact = BoltzmannMachine(sampler="exact", progress=False, **TRAINING | {"n_particles": 1}).fit(mixture)
    untold = clone(calibrated).set_params(calibrate=False).fit(mixture)
    best = exact.score(mixture)
    assert best - 0.005 < calibrated.score(mixture) < best + 0.005
    assert untold.score(mixture) < best - 0.1
    # what it learned is the same, but that it is not divided by the device's beta
    largest = np.abs(exact.model_.J).max()
    np.testing.assert_allclose(calibrated.model_.J, exact.model_.J, atol=0.25 * largest)
    np.testing.assert_allclose(HIDDEN_BETA * untold.model_.J, exact.model_.J, atol=0.25 * largest)


def test_the_hidden_beta_is_found_and_kept_in_the_history(calibrated):
    path = calibrated.history_["effective_beta"]
    assert len(path) == calibrated.n_iter_ == 200
    assert path[0] == 1.0  # parameters are zero: nothing is known yet
    assert path[-1] == calibrated.effective_beta_ == pytest.approx(HIDDEN_BETA, rel=0.05)
    assert not hasattr(BoltzmannMachine(n_iter=1, progress=False).fit(EVERY), "effective_beta_")


def test_what_is_drawn_is_at_beta_1(calibrated, monkeypatch):
    monkeypatch.setattr(_sampled, "_EQUILIBRATION_STEPS", 50)
    counts = np.bincount(calibrated.sample(1500) @ (1 << np.arange(6)), minlength=64).astype(float)
    assert chi_square_pvalue(counts, np.exp(calibrated.score_samples(EVERY)) * 1500) > FALSE_ALARM
    at_beta = np.exp(-HIDDEN_BETA * calibrated.model_.energy(bits_to_spins(EVERY)))
    assert chi_square_pvalue(counts, at_beta / at_beta.sum() * 1500) < FALSE_ALARM


def test_hidden_units_are_summed_over_at_beta_1(mixture):
    machine = RestrictedBoltzmannMachine(2, batch_size=None, weight_scale=0.3, **KEYWORDS).fit(mixture)
    untold = clone(machine).set_params(calibrate=False).fit(mixture)
    told = clone(machine).set_params(calibrate=False, sampler="gibbs").fit(mixture)
    assert machine.effective_beta_ == pytest.approx(HIDDEN_BETA, rel=0.05)
    assert machine.score(mixture) > told.score(mixture) - 0.02
    assert machine.score(mixture) > untold.score(mixture) + 0.05


def stop_at_four(snapshot):
    if snapshot.iteration == 4:
        raise KeyboardInterrupt


def test_what_is_known_of_beta_is_resumed_and_pickled(mixture, tmp_path):
    whole = BoltzmannMachine(**KEYWORDS | {"n_iter": 8}).fit(mixture)
    broken = clone(whole).set_params(checkpoint=tmp_path, monitor_every=1, callbacks=stop_at_four)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(mixture)
    broken.set_params(resume=True, callbacks=None).fit(mixture)
    assert broken.history_ == whole.history_
    restored = pickle.loads(pickle.dumps(whole))
    for machine in (whole, restored):
        machine.partial_fit(mixture)
        assert isinstance(machine._learner.compiled, CalibratedSampler)
    assert restored.effective_beta_ == whole.effective_beta_ == whole.history_["effective_beta"][-1]
    assert len(whole.history_["effective_beta"]) == 9
    assert restored.model_ == whole.model_


@pytest.mark.parametrize(
    ("machine", "keywords"),
    [
        (DeepBoltzmannMachine((2, 2)), {}),
        (BoltzmannMachine([(0, 6), (6, 7)], n_hidden=2), {}),
        (RestrictedBoltzmannMachine(2), {"positive_phase": "sampling"}),
        (BoltzmannMachine(missing="marginalise"), {"missing": "marginalise"}),
    ],
)
def test_a_positive_phase_that_draws_is_refused(mixture, machine, keywords):
    X = mixture.astype(float)
    if keywords.get("missing"):
        X[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"got calibrate=True where the positive phase draws\. Set positive_phase"):
        clone(machine).set_params(calibrate=True, n_iter=2, progress=False, **keywords).fit(X)


def test_a_deep_machine_calibrates_by_mean_field(mixture):
    machine = DeepBoltzmannMachine((2, 2), positive_phase="mean-field", batch_size=None, weight_scale=0.5, **KEYWORDS)
    assert machine.set_params(n_iter=60).fit(mixture).effective_beta_ == pytest.approx(HIDDEN_BETA, rel=0.15)


def test_calibrate_is_yes_or_no(mixture):
    with pytest.raises(ValueError, match="calibrate is one of True, False; got 'yes'"):
        BoltzmannMachine(calibrate="yes").fit(mixture)
