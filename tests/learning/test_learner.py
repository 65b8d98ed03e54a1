"""One step: where particles begin, which rows it takes, where it leads."""

import numpy as np
import pytest

from annealnn.learning import (
    Bounds,
    Descent,
    FactorisedPhase,
    HiddenFields,
    Learner,
    Positive,
    PositivePhase,
    Rows,
    SampledPhase,
    VisiblePhase,
)
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.samplers import CompiledSampler, ExactSampler, GibbsSampler
from annealnn.testing import FALSE_ALARM
from annealnn.testing._statistics import chi_square_pvalue

STRUCTURE = Structure.complete(4)
TRUE = Parameters(np.array([0.4, -0.3, 0.2, 0.0]), np.array([0.5, -0.4, 0.3, 0.2, -0.1, 0.6]))
RESTRICTED = Structure(7, [[i, j] for i in range(4) for j in range(4, 7)])


class Data(PositivePhase):
    """A positive phase with given moments: data of infinitely many rows."""

    def __init__(self, structure, moments):
        super().__init__(structure, structure.num_variables)
        self.moments = moments

    def run(self, parameters, units, known, seed):
        return Positive(self.moments, None)


class Spy(CompiledSampler):
    """Keeps the states that a compiled sampler is given."""

    def __init__(self, inner):
        super().__init__(inner.structure, inner.want)
        self.inner, self.given = inner, []

    def step(self, parameters, state, clamp=None):
        self.given.append(state)
        return self.inner.step(parameters, state, clamp)


def exact(structure=STRUCTURE, **keywords):
    return ExactSampler().compile(structure, want="moments", **keywords)


def moments_of(parameters, structure=STRUCTURE):
    return IsingModel.from_parameters(structure, parameters).exact().moments


def rows_of(num_rows, num_visible=4, seed=0):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (num_rows, num_visible), p=[0.4, 0.6])


NO_ROWS = Rows(np.ones((1, 4), np.int8))


def learn(learner, rows, num_epochs):
    state = learner.init(rows)
    for _ in range(num_epochs):
        state, shown = learner.epoch(state, rows)
    return state, shown


# -- where it leads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("centering", [False, True])
def test_exact_moments_lead_to_the_true_parameters(centering):
    descent = Descent(learning_rate=0.3, num_epochs=600, schedule="constant", centering=centering)
    learner = Learner(descent, exact(), Data(STRUCTURE, moments_of(TRUE)), num_particles=1, seed=0)
    first = learner.epoch(learner.init(NO_ROWS), NO_ROWS)[1]
    state, shown = learn(learner, NO_ROWS, 600)
    np.testing.assert_allclose(state.parameters.fields, TRUE.fields, atol=1e-6)
    np.testing.assert_allclose(state.parameters.couplings, TRUE.couplings, atol=1e-6)
    assert shown.coupling_error < 1e-6 < 0.05 < first.coupling_error
    assert shown.gradient_norm < 1e-5 < 0.1 < first.gradient_norm


def test_a_hidden_beta_scales_the_parameters_and_nothing_else():
    descent = Descent(learning_rate=0.1, num_epochs=800, schedule="constant")
    learner = Learner(descent, exact(beta=2.5), Data(STRUCTURE, moments_of(TRUE)), num_particles=1, seed=0)
    state, _ = learn(learner, NO_ROWS, 800)
    np.testing.assert_allclose(2.5 * state.parameters.couplings, TRUE.couplings, atol=1e-6)


def test_first_steps_by_hand():
    data = moments_of(TRUE)
    learner = Learner(
        Descent(learning_rate=0.2, num_epochs=10, momentum=0.5), exact(), Data(STRUCTURE, data), num_particles=1, seed=0
    )
    state, _ = learner.epoch(learner.init(NO_ROWS), NO_ROWS)
    np.testing.assert_allclose(state.parameters.couplings, 0.2 * data.pairs, atol=1e-12)
    second, _ = learner.epoch(state, NO_ROWS)
    now = moments_of(state.parameters)
    expected = state.parameters.couplings + 0.5 * 0.2 * data.pairs + 0.9 * 0.2 * (data.pairs - now.pairs)
    np.testing.assert_allclose(second.parameters.couplings, expected, atol=1e-12)
    assert (state.iteration, second.iteration) == (1, 2)


def test_a_graph_without_edges_learns_fields():
    structure = Structure(3, np.zeros((0, 2), int))
    rows = Rows(np.where(np.random.default_rng(1).random((2000, 3)) < [0.75, 0.5, 0.1], 1, -1).astype(np.int8))
    compiled = GibbsSampler().compile(structure, want="moments")
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=300), compiled, VisiblePhase(structure, 3), num_particles=2000, seed=0
    )
    state, _ = learn(learner, rows, 300)
    np.testing.assert_allclose(np.tanh(state.parameters.fields), rows.spins.mean(axis=0), atol=0.02)


def test_a_step_leaves_its_state_as_it_was_and_stays_in_bounds():
    descent = Descent(learning_rate=5.0, num_epochs=3, bounds=Bounds((-0.1, 0.1), (-0.2, 0.2)))
    learner = Learner(descent, GibbsSampler().compile(STRUCTURE, want="moments"), VisiblePhase(STRUCTURE, 4),
                      num_particles=20, seed=0)  # fmt: skip
    rows = Rows(rows_of(30))
    state = learner.init(rows)
    before = [np.copy(a) for a in (*state.parameters, *state.velocity, state.sampler.spins, state.sampler.streams)]
    after, shown = learner.step(state, rows, None, 0, 5.0)
    for a, b in zip(
        before, (*state.parameters, *state.velocity, state.sampler.spins, state.sampler.streams), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert np.abs(after.parameters.fields).max() <= 0.1
    assert np.abs(after.parameters.couplings).max() <= 0.2
    assert shown.clipped_fraction > 0


# -- the start ---------------------------------------------------------------------------------------------------------


def test_hidden_units_begin_unlike_each_other_and_visible_ones_at_their_means():
    rows = Rows(rows_of(200))
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=1),
        GibbsSampler().compile(RESTRICTED, want="spins"),
        FactorisedPhase(RESTRICTED, 4),
        num_particles=10,
        seed=0,
    )
    start = learner.init(rows, weight_scale=0.1).parameters
    np.testing.assert_allclose(np.tanh(start.fields[:4]), rows.spins.mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(start.fields[4:], 0.0)
    assert len(set(start.couplings)) == 12
    assert 0.04 < start.couplings.std() < 0.2
    np.testing.assert_array_equal(learner.init(rows, weight_scale=0.0).parameters.couplings, 0.0)


def test_means_are_those_of_what_is_known():
    spins = np.array([[1, -1, 1, 1], [-1, -1, 1, 1], [1, 1, 1, -1]], np.int8)
    known = np.array([[True, True, False, True], [False, True, False, True], [True, False, False, True]])
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=1), exact(), VisiblePhase(STRUCTURE, 4), num_particles=1, seed=0
    )
    np.testing.assert_allclose(learner.visible_means(Rows(spins, known)), [1.0, -1.0, 0.0, 1 / 3], atol=1e-15)
    np.testing.assert_allclose(learner.visible_means(Rows(spins)), spins.mean(axis=0), atol=1e-15)


# -- particles ---------------------------------------------------------------------------------------------------------


def restricted(*, contrastive, batch_size=None, num_particles=50, sampled=False):
    spy = Spy(GibbsSampler().compile(RESTRICTED, want="spins", num_sweeps=1))
    hidden = HiddenFields(RESTRICTED, 4)
    phase = FactorisedPhase(RESTRICTED, 4)
    if sampled:
        phase = SampledPhase(RESTRICTED, 4, GibbsSampler().compile(RESTRICTED, want="spins", num_sweeps=1))
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=5),
        spy,
        phase,
        num_particles=num_particles,
        seed=0,
        batch_size=batch_size,
        contrastive=contrastive,
        hidden=hidden,
    )
    return learner, spy


@pytest.mark.parametrize("sampled", [False, True])
def test_contrastive_particles_begin_at_the_rows_of_the_step(sampled):
    rows = Rows(rows_of(33))
    learner, spy = restricted(contrastive=True, batch_size=10, sampled=sampled)
    state, _ = learner.epoch(learner.init(rows), rows)
    for at, given in zip(learner.batches(33, 0), spy.given, strict=True):
        np.testing.assert_array_equal(given.spins[:, :4], rows.spins[at])
    spy.given.clear()
    learner.epoch(state, rows)
    assert len({given.streams.tobytes() for given in spy.given}) == len(spy.given)


def test_hidden_spins_of_contrastive_particles_are_drawn_given_the_row():
    parameters = Parameters(np.linspace(-0.4, 0.5, 7), np.random.default_rng(1).normal(0, 0.6, 12))
    row = np.array([1, -1, -1, 1], np.int8)
    rows = Rows(np.tile(row, (5000, 1)))
    learner, spy = restricted(contrastive=True)
    learner.step(learner.init(rows)._replace(parameters=parameters), rows, None, 0, 0.1)
    hidden = spy.given[0].spins[:, 4:]
    observed = np.bincount((hidden > 0) @ [1, 2, 4], minlength=8).astype(float)

    def expected(p):
        up = 1 / (1 + np.exp(-2 * (row @ p.couplings.reshape(4, 3) + p.fields[4:])))
        bits = (np.arange(8)[:, None] >> np.arange(3)) & 1
        return 5000 * np.where(bits, up, 1 - up).prod(axis=1)

    assert chi_square_pvalue(observed, expected(parameters)) > FALSE_ALARM
    assert (
        chi_square_pvalue(observed, expected(Parameters(parameters.fields, 0.8 * parameters.couplings))) < FALSE_ALARM
    )


def test_contrastive_particles_without_exact_hidden_units_have_the_whole_rows():
    """A sampler of the user's: hidden spins are not smoothed, but particles still need some to begin with."""
    spy = Spy(GibbsSampler().compile(RESTRICTED, want="moments", num_sweeps=1))
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=5),
        spy,
        FactorisedPhase(RESTRICTED, 4),
        num_particles=50,
        seed=0,
        contrastive=True,
    )
    rows = Rows(rows_of(12))
    learner.epoch(learner.init(rows), rows)
    assert spy.given[0].spins.shape == (12, 7)
    np.testing.assert_array_equal(spy.given[0].spins[:, :4], rows.spins)
    assert np.isin(spy.given[0].spins, (-1, 1)).all()


def test_hidden_spins_of_contrastive_particles_share_no_numbers_with_the_sweeps():
    """At zero parameters a sweep forgets its start: what it draws is not correlated with the hidden spins before."""
    wide = Structure(10, [[i, j] for i in range(2) for j in range(2, 10)])
    spy = Spy(GibbsSampler().compile(wide, want="spins", num_sweeps=1))
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=5),
        spy,
        FactorisedPhase(wide, 2),
        num_particles=50,
        seed=0,
        contrastive=True,
        hidden=HiddenFields(wide, 2),
    )
    rows = Rows(np.tile(np.array([1, -1], np.int8), (4000, 1)))
    _, shown = learner.step(learner.init(rows)._replace(parameters=wide.zeros()), rows, None, 0, 0.1)
    before, after = spy.given[0].spins[:, 2:].astype(float), shown.step.spins.astype(float)
    assert np.abs(before.T @ after / 4000).max() < 6 / np.sqrt(4000)


def test_persistent_particles_begin_where_they_were():
    rows = Rows(rows_of(33))
    learner, spy = restricted(contrastive=False, batch_size=10)
    state, _ = learner.epoch(learner.init(rows), rows)
    learner.epoch(state, rows)
    assert {given.spins.shape for given in spy.given} == {(50, 7)}
    first = learner.init(rows).sampler
    np.testing.assert_array_equal(spy.given[0].spins, first.spins)
    np.testing.assert_array_equal(spy.given[4].spins, state.sampler.spins)
    assert not np.array_equal(first.spins, state.sampler.spins)


def test_exact_hidden_means_take_the_place_of_the_particles_spins():
    rows = Rows(rows_of(33))
    learner, _ = restricted(contrastive=False)
    parameters = Parameters(np.linspace(-0.4, 0.5, 7), np.random.default_rng(1).normal(0, 0.6, 12))
    _, shown = learner.step(learner.init(rows)._replace(parameters=parameters), rows, None, 0, 0.1)
    seen = shown.step.spins[:, :4].astype(float)
    means = np.tanh(seen @ parameters.couplings.reshape(4, 3) + parameters.fields[4:])
    # in float32
    np.testing.assert_allclose(shown.negative.spins[4:], means.mean(axis=0), atol=5e-6)
    np.testing.assert_allclose(shown.negative.pairs.reshape(4, 3), seen.T @ means / len(seen), atol=5e-6)


# -- minibatches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("num_rows", "batch_size", "sizes"), [(33, 10, [9, 8, 8, 8]), (20, 20, [20]), (5, None, [5])])
def test_an_epoch_takes_every_row_once_in_an_order_of_its_own(num_rows, batch_size, sizes):
    learner, _ = restricted(contrastive=False, batch_size=batch_size)
    epochs = [np.concatenate(learner.batches(num_rows, epoch)) for epoch in range(3)]
    assert [len(at) for at in learner.batches(num_rows, 0)] == sizes
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), np.arange(num_rows))
    if len(sizes) > 1:
        assert len({order.tobytes() for order in epochs}) == 3
    np.testing.assert_array_equal(epochs[1], np.concatenate(learner.batches(num_rows, 1)))


def test_the_rate_falls_within_an_epoch():
    descent = Descent(learning_rate=1.0, num_epochs=2, momentum=0.0)
    learner = Learner(descent, exact(), Data(STRUCTURE, moments_of(TRUE)), num_particles=1, seed=0, batch_size=10)
    rows = Rows(rows_of(20))
    state, _ = learner.epoch(learner.init(rows), rows)
    one = 1.0 * moments_of(TRUE).pairs
    half = Parameters(1.0 * moments_of(TRUE).spins, one)
    np.testing.assert_allclose(
        state.parameters.couplings, one + 0.75 * (moments_of(TRUE).pairs - moments_of(half).pairs), atol=1e-12
    )


def test_a_minibatch_moves_the_hidden_spins_of_its_rows_alone():
    rows = Rows(rows_of(40))
    learner, _ = restricted(contrastive=False, batch_size=10, sampled=True)
    state = learner.init(rows)
    at = learner.batches(40, 0)[0]
    after, _ = learner.step(state, rows, at, 0, 0.1)
    rest = np.setdiff1d(np.arange(40), at)
    np.testing.assert_array_equal(after.units[rest], state.units[rest])
    np.testing.assert_array_equal(after.units[:, :4], rows.spins)
    assert not np.array_equal(after.units[at], state.units[at])
    assert after.units is not state.units


def test_minibatches_reach_the_likelihood_of_whole_data():
    """Visible machine, exact negative phase: as good as full batches up to the noise of the last rate."""
    rows = Rows(rows_of(200))
    found = []
    for batch_size in (None, 20):
        learner = Learner(
            Descent(learning_rate=0.2, num_epochs=60),
            exact(),
            VisiblePhase(STRUCTURE, 4),
            num_particles=1,
            seed=0,
            batch_size=batch_size,
        )
        state, _ = learn(learner, rows, 60)
        log_z = IsingModel.from_parameters(STRUCTURE, state.parameters).exact().log_z
        found.append(-STRUCTURE.energies(state.parameters, rows.spins).mean() - log_z)
    assert found[1] == pytest.approx(found[0], abs=1e-3)
