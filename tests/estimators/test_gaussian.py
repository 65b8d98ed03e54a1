"""The machine of real data, beyond the conformance kit."""

import pickle

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.datasets import load_iris

from annealnn import GaussianRestrictedBoltzmannMachine, SamplerSpec
from annealnn.exceptions import CheckpointError, StopTraining
from annealnn.testing import FALSE_ALARM
from annealnn.testing._statistics import chi_square_pvalue

QUICK = {"n_iter": 5, "n_particles": 20, "random_state": 0}
# a machine with 2 hidden units: a mixture of 4 normal distributions of common variances
SIGMA2 = np.array([0.5, 1.0, 0.3, 0.8, 0.6])
WEIGHTS = np.array([[1.5, 0.0], [-1.2, 0.8], [0.0, 1.1], [0.9, 0.6], [0.4, 0.5]])
CENTRE = np.array([10.0, -3.0, 0.0, 5.0, 1.0])
STATES = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
# the integral over v of exp(-E(v, h)), the fields at v = CENTRE being 0.4 and -0.2
_LOGS = STATES @ [0.4, -0.2] + 0.5 * (STATES @ WEIGHTS.T) ** 2 @ (1.0 / SIGMA2)
SHARES = np.exp(_LOGS) / np.exp(_LOGS).sum()


def true_rows(num_rows, seed):
    rng = np.random.default_rng(seed)
    means = CENTRE + STATES[rng.choice(4, num_rows, p=SHARES)] @ WEIGHTS.T
    return means + np.sqrt(SIGMA2) * rng.standard_normal(means.shape)


def true_log_densities(X):
    logs = norm.logpdf(X[:, None], CENTRE + STATES @ WEIGHTS.T, np.sqrt(SIGMA2)).sum(axis=2)
    return np.logaddexp.reduce(np.log(SHARES) + logs, axis=1)


def independent(train, test):
    """Mean log-density of rows under independent normal units."""
    return norm.logpdf(test, train.mean(axis=0), train.std(axis=0)).sum(axis=1).mean()


@pytest.fixture(scope="module")
def learned():
    X = true_rows(2000, 0)
    return GaussianRestrictedBoltzmannMachine(2, batch_size=100, n_iter=40, learning_rate=0.05, random_state=0).fit(X)


def test_it_recovers_a_mixture(learned):
    X, held_out = true_rows(2000, 0), true_rows(4000, 1)
    true = true_log_densities(held_out).mean()
    found = learned.log_likelihood(held_out)
    assert found.standard_error == 0.0
    assert true - 0.05 < found.value < true + 0.02
    assert found.value > independent(X, held_out) + 1.0
    np.testing.assert_allclose(learned.variances_, SIGMA2, rtol=0.2)


def test_it_beats_independent_units_on_iris():
    X = load_iris().data
    X = X[np.random.default_rng(0).permutation(len(X))]
    train, test = X[:100], X[100:]
    machine = GaussianRestrictedBoltzmannMachine(4, n_iter=100, learning_rate=0.02, random_state=0).fit(train)
    assert machine.score(test) > independent(train, test) + 1.0


def test_units_and_origins_do_not_matter():
    X = true_rows(200, 2)
    scale, shift = np.array([10.0, 0.01, 3.0, 1.0, 100.0]), np.array([0.0, 5.0, -300.0, 0.0, 1.0])
    a, b = (GaussianRestrictedBoltzmannMachine(3, **QUICK).fit(data) for data in (X, X * scale + shift))
    np.testing.assert_allclose(b.variances_, a.variances_ * scale**2, rtol=1e-6)
    np.testing.assert_allclose(b.weights_, a.weights_ * scale[:, None], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(b.transform(X * scale + shift), a.transform(X), atol=1e-7)
    np.testing.assert_allclose(b.score_samples(X * scale + shift), a.score_samples(X) - np.log(scale).sum(), atol=1e-6)


def test_log_densities_integrate_to_one():
    X = true_rows(300, 3)[:, :2]
    machine = GaussianRestrictedBoltzmannMachine(3, **QUICK | {"n_iter": 40}).fit(X)
    axes = [np.linspace(column.min() - 8, column.max() + 8, 400) for column in X.T]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    assert np.exp(machine.score_samples(grid)).sum() * cell == pytest.approx(1.0, abs=1e-6)


def cells_pvalue(machine, drawn, feature):
    """A chi-square of one feature's values in 20 cells, against the exact marginal of the machine's mixture."""
    hidden = machine.hidden_model_
    states = 2 * ((np.arange(4)[:, None] >> np.arange(2)) & 1) - 1
    logs = -hidden.structure.energies(hidden.parameters, states)
    shares = np.exp(logs - np.logaddexp.reduce(logs))
    means = machine.visible_biases_[feature] + states @ machine.weights_[feature]
    edges = np.quantile(means, [0.0, 1.0]) + np.array([-1.0, 1.0]) * 2 * np.sqrt(machine.variances_[feature])
    cuts = np.concatenate([[-np.inf], np.linspace(*edges, 19), [np.inf]])
    expected = np.diff(norm.cdf(cuts[:, None], means, np.sqrt(machine.variances_[feature])) @ shares)
    return chi_square_pvalue(np.histogram(drawn, cuts)[0].astype(float), expected * len(drawn))


@pytest.mark.parametrize("sampler", [None, "gibbs"])
def test_drawn_rows_have_the_machine_s_density(learned, sampler):
    machine = pickle.loads(pickle.dumps(learned)).set_params(sampler=sampler, n_sweeps=1)
    drawn = machine.sample(20_000, random_state=1)
    for feature in range(5):
        assert cells_pvalue(machine, drawn[:, feature], feature) > FALSE_ALARM
    # twins: means off by a tenth of sigma, and noise a twentieth too large
    off = drawn[:, 0] + 0.1 * np.sqrt(machine.variances_[0])
    assert cells_pvalue(machine, off, 0) < FALSE_ALARM
    centre = drawn[:, 0].mean()
    assert cells_pvalue(machine, centre + 1.05 * (drawn[:, 0] - centre), 0) < FALSE_ALARM


def test_seeds_and_more_rows(learned):
    np.testing.assert_array_equal(learned.sample(20, random_state=5)[:7], learned.sample(7, random_state=5))
    assert not np.array_equal(learned.sample(5, random_state=5), learned.sample(5, random_state=6))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(learned)).sample(3), learned.sample(3))


def test_missing_values_are_filled_with_what_the_rest_says(learned):
    X = true_rows(500, 4)
    known = np.ones(X.shape, bool)
    known[:, 0] = False
    filled = learned.reconstruct(np.where(known, X, np.nan))
    np.testing.assert_array_equal(filled[known], X[known])
    error = np.mean((filled[:, 0] - X[:, 0]) ** 2)
    assert error < 0.6 * X[:, 0].var()
    np.testing.assert_array_equal(learned.reconstruct(X, known[0]), filled)


@pytest.mark.parametrize("sampler", ["gibbs", "exact", SamplerSpec("tempering", {"num_sweeps": 2}), "anneal"])
def test_any_sampler_draws_the_hidden_units(sampler):
    machine = GaussianRestrictedBoltzmannMachine(3, sampler=sampler, **QUICK).fit(true_rows(60, 5))
    assert np.isfinite(machine.score(true_rows(20, 6)))
    assert machine.sample(4).shape == (4, 5)


def test_many_hidden_units():
    X = true_rows(60, 5)
    machine = GaussianRestrictedBoltzmannMachine(18, n_ais_runs=50, n_ais_steps=100, **QUICK | {"n_iter": 2}).fit(X)
    assert machine.log_partition_.standard_error > 0
    assert machine.transform(X).shape == (60, 18)
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    filled = machine.reconstruct(holes, n_reads=4, n_sweeps=20)
    assert np.isfinite(filled).all()


def test_partial_fit_goes_on(learned):
    X = true_rows(100, 7)
    machine = GaussianRestrictedBoltzmannMachine(2, **QUICK | {"learning_rate": 0.05})
    first = machine.partial_fit(X).score(X)
    for _ in range(60):
        machine.partial_fit(X)
    assert machine.n_iter_ == 61
    assert machine.score(X) > first
    again = pickle.loads(pickle.dumps(learned)).partial_fit(X)
    assert not np.array_equal(again.weights_, learned.weights_)


def test_interrupted_fit_resumes_to_the_same_bits(tmp_path):
    X, stopped = true_rows(60, 8), []

    def stop_once(snapshot):
        if snapshot.iteration == 3 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt

    keywords = QUICK | {"n_iter": 6, "average": 0.5, "sampler": "gibbs"}
    whole = GaussianRestrictedBoltzmannMachine(3, **keywords).fit(X)
    machine = GaussianRestrictedBoltzmannMachine(
        3, callbacks=stop_once, monitor_every=1, checkpoint=tmp_path / "kept", **keywords
    )
    with pytest.raises(KeyboardInterrupt):
        machine.fit(X)
    machine.set_params(resume=True).fit(X)
    np.testing.assert_array_equal(machine.weights_, whole.weights_)
    assert machine.history_ == whole.history_
    with pytest.raises(CheckpointError, match="has data="):
        machine.fit(X + 1.0)


def test_early_stopping_and_callbacks():
    X, seen = true_rows(100, 9), []

    def look(snapshot):
        seen.append(snapshot.model.h.shape)
        if snapshot.iteration == 4:
            raise StopTraining("enough")
        return {"one": 1.0}

    machine = GaussianRestrictedBoltzmannMachine(
        2, early_stopping=True, callbacks=look, monitor_every=2, **QUICK | {"n_iter": 20}
    ).fit(X)
    assert machine.n_iter_ == 4
    assert seen == [(2,), (2,)]
    assert {"held_out", "one", "effective_particles"} <= set(machine.monitored_[0])


def test_constant_features_are_fine():
    X = true_rows(50, 10)
    X[:, 1] = 7.1
    machine = GaussianRestrictedBoltzmannMachine(2, **QUICK).fit(X)
    assert np.isfinite(machine.score_samples(X)).all()
    assert machine.reconstruct(np.full((1, 5), np.nan))[0, 1] == pytest.approx(7.1, abs=0.3)
    same = GaussianRestrictedBoltzmannMachine(2, **QUICK).fit(np.ones((4, 2)))
    assert np.isfinite(same.score(np.ones((4, 2))))


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"n_components": 0}, "n_components is a whole number of at least 1; got 0"),
        ({"min_variance": 0.0}, "min_variance is a finite number, above 0"),
        ({"weight_decay": (0.1, 0.2)}, r"weight_decay is a finite number, at least 0; got \(0.1, 0.2\)"),
        ({"batch_size": 0}, "batch_size"),
        ({"n_particles": 0}, "n_particles"),
    ],
)
def test_bad_arguments_say_the_rule(keywords, says):
    with pytest.raises(ValueError, match=says):
        GaussianRestrictedBoltzmannMachine(**QUICK | keywords).fit(true_rows(10, 0))


def test_wrong_use_says_the_rule(learned):
    X = true_rows(3, 0)
    with pytest.raises(ValueError, match="known is boolean"):
        learned.reconstruct(X, np.ones(5))
    with pytest.raises(ValueError, match="known values are finite; got nan"):
        learned.reconstruct(np.full((1, 5), np.nan), np.ones(5, bool))
    with pytest.raises(ValueError, match="n_samples"):
        learned.sample(0)
