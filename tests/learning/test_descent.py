"""Steps along a gradient, by hand and against exact distributions."""

from functools import partial

import numpy as np
import pytest

from annealnn.learning import Bounds, Descent, Learner, Rows, VisiblePhase, centred, difference
from annealnn.learning._descent import centred_shift
from annealnn.models import IsingModel, Moments, Parameters, Structure
from annealnn.models._exact import basis_spins
from annealnn.samplers import ExactSampler

STRUCTURE = Structure(4, [[0, 1], [0, 2], [1, 2], [2, 3]])


def random_parameters(structure, seed, scale=0.5):
    rng = np.random.default_rng(seed)
    return Parameters(rng.normal(0, scale, structure.num_variables), rng.normal(0, scale, structure.num_edges))


def exact_moments(structure, parameters):
    return IsingModel.from_parameters(structure, parameters).exact().moments


def probabilities(structure, parameters):
    weights = np.exp(-structure.energies(parameters, basis_spins(structure.num_variables)))
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("linear", [1.0, 0.775, 0.55, 0.1, 0.1]),
        ("constant", [1.0, 1.0, 1.0, 1.0, 1.0]),
        ("cosine", [1.0, 0.1 + 0.45 * (1 + 0.5**0.5), 0.55, 0.1, 0.1]),
    ],
)
def test_rate_follows_its_schedule(schedule, rates):
    descent = Descent(learning_rate=1.0, num_epochs=4, schedule=schedule, final_rate=0.1)
    assert [descent.rate(epoch) for epoch in (0, 1, 2, 4, 9)] == pytest.approx(rates)


def test_momentum_keeps_a_share_of_the_step_before():
    descent = Descent(learning_rate=1.0, num_epochs=1, momentum=0.5)
    parameters, velocity, gradient = (random_parameters(STRUCTURE, seed) for seed in range(3))
    after, moved, clipped = descent.update(parameters, velocity, gradient, 0.2)
    for k in range(2):
        np.testing.assert_allclose(moved[k], 0.5 * velocity[k] + 0.2 * gradient[k], atol=1e-15)
        np.testing.assert_allclose(after[k], parameters[k] + moved[k], atol=1e-15)
    assert clipped == 0.0


def test_weight_decay_pulls_couplings_and_no_fields():
    descent = Descent(learning_rate=1.0, num_epochs=1, momentum=0.0, weight_decay=0.3)
    parameters = random_parameters(STRUCTURE, 0)
    after, _, _ = descent.update(parameters, STRUCTURE.zeros(), STRUCTURE.zeros(), 0.2)
    np.testing.assert_allclose(after.couplings, parameters.couplings * (1 - 0.2 * 0.3), atol=1e-15)
    np.testing.assert_array_equal(after.fields, parameters.fields)


def test_l1_thresholds_softly():
    descent = Descent(learning_rate=1.0, num_epochs=1, momentum=0.0, l1=0.5)
    parameters = Parameters(np.full(4, 0.01), np.array([0.3, -0.3, 0.05, -0.1]))
    after, _, _ = descent.update(parameters, STRUCTURE.zeros(), STRUCTURE.zeros(), 0.2)
    np.testing.assert_allclose(after.couplings, [0.2, -0.2, 0.0, 0.0], atol=1e-15)
    np.testing.assert_array_equal(after.fields, parameters.fields)


@pytest.mark.parametrize("l1", [0.1, 0.0])
def test_l1_makes_a_weak_coupling_exactly_zero(l1):
    path = Structure(4, [[0, 1], [1, 2], [2, 3]])
    data = exact_moments(path, Parameters(np.zeros(4), np.array([0.9, 0.02, -0.8])))
    descent = Descent(learning_rate=0.3, num_epochs=1, momentum=0.5, l1=l1)
    parameters, velocity = path.zeros(), path.zeros()
    for _ in range(600):
        gradient = difference(data, exact_moments(path, parameters))
        parameters, velocity, _ = descent.update(parameters, velocity, gradient, 0.3)
    assert (parameters.couplings[1] == 0.0) == (l1 > 0)
    # at the optimum what is left of the gradient balances the penalty, for any momentum
    left = difference(data, exact_moments(path, parameters)).couplings
    np.testing.assert_allclose(left[[0, 2]], [l1, -l1], atol=1e-6)


def test_penalties_may_differ_from_edge_to_edge():
    decay, l1 = np.array([0.0, 0.3, 0.0, 0.0]), np.array([0.0, 0.0, 0.5, 0.0])
    descent = Descent(learning_rate=1.0, num_epochs=1, momentum=0.0, weight_decay=decay, l1=l1)
    parameters = Parameters(np.zeros(4), np.full(4, 0.4))
    after, _, _ = descent.update(parameters, STRUCTURE.zeros(), STRUCTURE.zeros(), 0.2)
    np.testing.assert_allclose(after.couplings, [0.4, 0.4 * (1 - 0.06), 0.3, 0.4], atol=1e-15)


def test_the_last_epochs_are_averaged():
    descent = Descent(learning_rate=1.0, num_epochs=10, average=0.3)
    path, mean = [random_parameters(STRUCTURE, seed) for seed in range(10)], None
    for epoch, parameters in enumerate(path, start=1):
        mean = descent.averaged(epoch, mean, parameters)
        assert (mean is None) == (epoch < 8)
    for k in range(2):
        np.testing.assert_allclose(mean[k], np.mean([p[k] for p in path[7:]], axis=0), atol=1e-15)
    assert Descent(learning_rate=1.0, num_epochs=10).averaged(10, None, path[0]) is None


def test_bounds_flip_dimods_sign_and_count_what_they_clip():
    bounds = Bounds.from_device((-4.0, 4.0), (-2.0, 1.0))
    assert bounds.couplings == (-1.0, 2.0)
    inside, fraction = bounds.project(Parameters(np.array([5.0, 1.0]), np.array([-1.5, 1.5, 2.5])))
    np.testing.assert_array_equal(inside.fields, [4.0, 1.0])
    np.testing.assert_array_equal(inside.couplings, [-1.0, 1.5, 2.0])
    assert fraction == pytest.approx(3 / 5)


def test_a_step_keeps_to_the_bounds():
    descent = Descent(learning_rate=1.0, num_epochs=1, bounds=Bounds((-0.1, 0.1), (-0.2, 0.3)))
    gradient = Parameters(np.array([1.0, -1.0, 0.0, 0.05]), np.array([1.0, -1.0, 0.1, 0.0]))
    after, _, clipped = descent.update(STRUCTURE.zeros(), STRUCTURE.zeros(), gradient, 1.0)
    np.testing.assert_array_equal(after.fields, [0.1, -0.1, 0.0, 0.05])
    np.testing.assert_array_equal(after.couplings, [0.3, -0.2, 0.1, 0.0])
    assert clipped == pytest.approx(4 / 8)


# -- centring ----------------------------------------------------------------------------------------------------------


def step_in_bits(structure, parameters, positive, negative, rate, *, centring):
    """Return spin parameters after a step that is taken on H = - sum W x x - sum a x, x = (1 + s) / 2.

    A bit is half a spin, so rates are 4 and 16 times those of spins: the size of a step is the same.
    """
    heads, tails = structure.ends
    at = [(0.5 * (1 + m.spins), 0.25 * (1 + m.spins[heads] + m.spins[tails] + m.pairs)) for m in (positive, negative)]
    (x, xx), (y, yy) = at
    m = 0.5 * (x + y) if centring else np.zeros_like(x)
    # the moments of (x - m_i)(x - m_j), one phase minus the other
    pairs = (xx - m[heads] * x[tails] - m[tails] * x[heads]) - (yy - m[heads] * y[tails] - m[tails] * y[heads])
    weights = 16 * rate * pairs
    biases = 4 * rate * (x - y)
    np.subtract.at(biases, heads, weights * m[tails])
    np.subtract.at(biases, tails, weights * m[heads])
    fields, couplings = parameters.fields + 0.5 * biases, parameters.couplings + 0.25 * weights
    np.add.at(fields, heads, 0.25 * weights)
    np.add.at(fields, tails, 0.25 * weights)
    return Parameters(fields, couplings)


@pytest.mark.parametrize("centring", [True, False])
def test_a_centred_step_is_the_same_in_spins_and_in_bits(centring):
    parameters, data = random_parameters(STRUCTURE, 0), random_parameters(STRUCTURE, 1)
    positive, negative = (exact_moments(STRUCTURE, p) for p in (data, parameters))
    gradient = difference(positive, negative)
    along = centred(gradient, positive, negative, STRUCTURE) if centring else gradient
    in_spins, _, _ = Descent(learning_rate=0.1, num_epochs=1, momentum=0.0).update(
        parameters, STRUCTURE.zeros(), along, 0.1
    )
    in_bits = step_in_bits(STRUCTURE, parameters, positive, negative, 0.1, centring=centring)
    apart = np.abs(probabilities(STRUCTURE, in_spins) - probabilities(STRUCTURE, in_bits)).max()
    # without centring the encodings go different ways: the check has teeth
    assert (apart < 1e-14) == centring
    assert centring or apart > 1e-3


def test_a_centred_gradient_is_that_of_centred_spins():
    """Finite differences of ln P(data) in b and W of H = - sum W (s - mu)(s - mu) - sum b (s - mu)."""
    parameters, truth = random_parameters(STRUCTURE, 2), random_parameters(STRUCTURE, 3)
    positive, negative = (exact_moments(STRUCTURE, p) for p in (truth, parameters))
    heads, tails = STRUCTURE.ends
    mu = 0.5 * (positive.spins + negative.spins)

    def uncentred(b, w):
        fields = b.copy()
        np.subtract.at(fields, heads, w * mu[tails])
        np.subtract.at(fields, tails, w * mu[heads])
        return Parameters(fields, w)

    def log_likelihood(theta):
        p = uncentred(theta[:4], theta[4:])
        return (
            p.fields @ positive.spins
            + p.couplings @ positive.pairs
            - IsingModel.from_parameters(STRUCTURE, p).exact().log_z
        )

    b = parameters.fields.copy()
    np.add.at(b, heads, parameters.couplings * mu[tails])
    np.add.at(b, tails, parameters.couplings * mu[heads])
    theta = np.concatenate([b, parameters.couplings])
    step = 1e-5 * np.eye(8)
    slope = np.array([(log_likelihood(theta + d) - log_likelihood(theta - d)) / 2e-5 for d in step])
    moved = uncentred(slope[:4], slope[4:])
    found = centred(difference(positive, negative), positive, negative, STRUCTURE)
    np.testing.assert_allclose(found.fields, moved.fields, atol=1e-8)
    np.testing.assert_allclose(found.couplings, moved.couplings, atol=1e-8)


@pytest.mark.parametrize(("penalty", "momentum"), [("weight_decay", 0.5), ("l1", 0.5), ("l1", 0.0)])
@pytest.mark.parametrize("centring", [True, False])
def test_a_penalty_leaves_the_fields_where_they_belong(penalty, momentum, centring):
    data = exact_moments(STRUCTURE, Parameters(np.array([0.9, -0.7, 0.5, 0.8]), np.array([0.8, 0.03, -0.6, 0.7])))
    descent = Descent(learning_rate=0.3, num_epochs=1, momentum=momentum, **{penalty: 0.05})
    parameters, velocity = STRUCTURE.zeros(), STRUCTURE.zeros()
    for _ in range(1500):
        negative = exact_moments(STRUCTURE, parameters)
        along, shift = difference(data, negative), None
        if centring:
            along = centred(along, data, negative, STRUCTURE)
            shift = partial(centred_shift, STRUCTURE, 0.5 * (data.spins + negative.spins))
        parameters, velocity, _ = descent.update(parameters, velocity, along, 0.3, shift)
    # the optimum of the penalised likelihood, for any coordinates: fields are not penalised
    left = difference(data, exact_moments(STRUCTURE, parameters))
    np.testing.assert_allclose(left.fields, 0.0, atol=1e-7)
    J = parameters.couplings
    slope = 0.05 * (J if penalty == "weight_decay" else np.sign(J))
    np.testing.assert_allclose(left.couplings[J != 0], slope[J != 0], atol=1e-7)
    assert (J == 0).any() == (penalty == "l1")


def test_a_learner_with_a_penalty_and_centring_keeps_the_means_of_data():
    rows = np.repeat(basis_spins(3), [9, 1, 2, 4, 1, 0, 1, 2], axis=0).astype(np.int8)
    structure = Structure.complete(3)
    descent = Descent(learning_rate=0.3, num_epochs=600, schedule="constant", weight_decay=0.1, centering=True)
    learner = Learner(
        descent,
        ExactSampler().compile(structure, want="moments"),
        VisiblePhase(structure, 3),
        num_particles=1,
        seed=0,
    )
    data = Rows(rows)
    state = learner.init(data)
    for _ in range(descent.num_epochs):
        state, _ = learner.epoch(state, data)
    found = exact_moments(structure, state.parameters)
    np.testing.assert_allclose(found.spins, rows.mean(axis=0), atol=1e-6)


def test_centring_changes_nothing_at_the_optimum():
    at = exact_moments(STRUCTURE, random_parameters(STRUCTURE, 4))
    found = centred(difference(at, at), at, at, STRUCTURE)
    np.testing.assert_array_equal(np.concatenate(found), np.zeros(8))


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"learning_rate": 0.0}, "above 0; got 0.0"),
        ({"num_epochs": 0}, "num_epochs is a whole number of at least 1; got 0"),
        ({"schedule": "step"}, "got 'step'"),
        ({"momentum": 1.0}, "got 1.0"),
        ({"average": 1.5}, "got 1.5"),
    ],
)
def test_bad_settings_say_the_rule(keywords, says):
    with pytest.raises(ValueError, match=says):
        Descent(**({"learning_rate": 0.1, "num_epochs": 3} | keywords))


def test_no_edges_no_trouble():
    structure = Structure(3, np.zeros((0, 2), int))
    m = Moments(np.array([0.5, 0.0, -0.8]), np.zeros(0))
    found = centred(difference(m, m), m, m, structure)
    assert found.couplings.shape == (0,)
