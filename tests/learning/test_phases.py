"""Phases and the gradient they make, against enumeration."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import chi2

from annealnn.learning import (
    Descent,
    FactorisedPhase,
    HiddenFields,
    Learner,
    MeanFieldPhase,
    Rows,
    SampledPhase,
    VisiblePhase,
    mean_field,
)
from annealnn.models import Parameters, Structure
from annealnn.models._exact import basis_spins
from annealnn.samplers import CompiledSampler, ExactSampler, GibbsSampler
from annealnn.testing import FALSE_ALARM

NV = 4
VISIBLE = [[0, 1], [1, 3], [0, 2]]
TO_HIDDEN = [[0, 4], [1, 4], [2, 5], [3, 5], [3, 6], [0, 6]]
AMONG_HIDDEN = [[4, 5], [5, 6]]
GRAPHS = {
    "restricted": Structure(7, [[i, j] for i in range(4) for j in range(4, 7)]),
    "sparse restricted": Structure(7, TO_HIDDEN),
    "semi-restricted": Structure(7, VISIBLE + TO_HIDDEN),
    "deep": Structure(7, [*TO_HIDDEN[:4], [4, 6], [5, 6]]),
    "any": Structure(7, VISIBLE + TO_HIDDEN + AMONG_HIDDEN),
}
COUPLED = ("deep", "any")


def random_parameters(structure, seed=0, scale=0.6):
    rng = np.random.default_rng(seed)
    return Parameters(rng.normal(0, scale, structure.num_variables), rng.normal(0, scale, structure.num_edges))


def random_rows(num_rows=9, seed=1):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (num_rows, NV), p=[0.3, 0.7])


def random_hidden_graph(seed):
    """Return a graph of 4 visible and 4 hidden units in which any pair may be an edge, hidden ones alone too."""
    rng = np.random.default_rng(seed)
    pairs = np.column_stack(np.triu_indices(8, 1))
    return Structure(8, pairs[rng.random(len(pairs)) < 0.5])


def conditional(structure, parameters, row):
    """Return all settings of the hidden units, and their probabilities given a row of the visible ones."""
    hidden = basis_spins(structure.num_variables - NV)
    units = np.hstack([np.broadcast_to(row, (len(hidden), NV)), hidden])
    energies = -structure.energies(parameters, units)
    return units, np.exp(energies - logsumexp(energies))


def exact_positive(structure, parameters, rows):
    """Return spin and pair moments with the rows clamped, by enumeration."""
    heads, tails = structure.ends
    spins, pairs = np.zeros(structure.num_variables), np.zeros(structure.num_edges)
    for row in rows:
        units, p = conditional(structure, parameters, row)
        spins += p @ units / len(rows)
        pairs += p @ (units[:, heads] * units[:, tails]) / len(rows)
    return spins, pairs


def exact_phase(structure):
    return SampledPhase(structure, NV, ExactSampler().compile(structure, want="moments"))


def units_of(rows, structure, seed=3):
    rng = np.random.default_rng(seed)
    hidden = rng.choice(np.array([-1, 1], np.int8), (len(rows), structure.num_variables - NV))
    return np.hstack([rows, hidden])


# -- the gradient ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GRAPHS)
def test_the_gradient_is_that_of_the_exact_log_likelihood(name):
    structure = GRAPHS[name]
    n, parameters, rows = structure.num_variables, random_parameters(structure), random_rows()
    every = basis_spins(n)

    def log_likelihood(theta):
        p = Parameters(theta[:n], theta[n:])
        log_z = logsumexp(-structure.energies(p, every))
        hidden = basis_spins(n - NV)
        units = np.hstack([np.repeat(rows, len(hidden), axis=0), np.tile(hidden, (len(rows), 1))])
        return logsumexp(-structure.energies(p, units).reshape(len(rows), -1), axis=1).mean() - log_z

    phase = exact_phase(structure) if name in COUPLED else FactorisedPhase(structure, NV)
    compiled = ExactSampler().compile(structure, want="moments")
    learner = Learner(Descent(learning_rate=0.1, num_epochs=1), compiled, phase, num_particles=1, seed=0)
    state = learner.init(Rows(rows))._replace(parameters=parameters)
    _, shown = learner.step(state, Rows(rows), None, 0, 0.1)
    theta = np.concatenate(parameters)
    step = 1e-5 * np.eye(len(theta))
    slope = [(log_likelihood(theta + d) - log_likelihood(theta - d)) / 2e-5 for d in step]
    np.testing.assert_allclose(np.concatenate(shown.gradient), slope, atol=max(1e-8, accuracy(phase)))
    # the graph has the kinds of edges that its name says, and none is trivially 0
    heads, tails = structure.ends
    assert (heads >= NV).any() == (name in COUPLED)
    assert ((tails < NV).any()) == (name in ("semi-restricted", "any"))
    assert np.abs(slope).min() > 1e-6


def accuracy(phase):
    """The kernel of restricted and semi-restricted machines works in float32, and sums in float64."""
    return 5e-6 if isinstance(phase, FactorisedPhase) and phase.hidden.in_float32 else 1e-12


@pytest.mark.parametrize("name", GRAPHS)
def test_exact_positive_phases_equal_enumeration(name):
    structure, rows = GRAPHS[name], random_rows()
    parameters = random_parameters(structure)
    phases = [exact_phase(structure)]
    if name not in COUPLED:
        phases += [FactorisedPhase(structure, NV), MeanFieldPhase(structure, NV)]
    for phase in phases:
        units = units_of(rows, structure) if phase.draws else rows
        found = phase.run(parameters, units, None, 0).moments
        for a, b in zip(found, exact_positive(structure, parameters, rows), strict=True):
            np.testing.assert_allclose(a, b, atol=accuracy(phase))


def test_without_hidden_units_the_moments_are_the_datas():
    structure, rows = Structure.complete(NV), random_rows()
    found = VisiblePhase(structure, NV).run(structure.zeros(), rows, None, 0)
    assert found.units is None
    np.testing.assert_allclose(found.moments.spins, rows.mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(found.moments.pairs[0], (rows[:, 0] * rows[:, 1]).mean(), atol=1e-15)


def test_coupled_hidden_units_are_not_summed_over_at_once():
    with pytest.raises(ValueError, match=r"not coupled; got the edge \(.*4.*, .*5.*\)"):
        HiddenFields(GRAPHS["any"], NV)


# -- mean field --------------------------------------------------------------------------------------------------------


def test_mean_field_overrates_hidden_units_that_agree():
    """Two hidden units, coupling J, small field h: m = tanh(h + J m), where the truth is smaller."""
    structure = Structure(3, [[1, 2]])
    coupling, field = 1.2, 0.1
    parameters = Parameters(np.array([0.0, field, field]), np.array([coupling]))
    means = mean_field(structure, 1, parameters, np.array([[1.0]]))[0]
    np.testing.assert_allclose(means, np.tanh(field + coupling * means), atol=1e-4)
    truth = exact_hidden_means(structure, parameters, 1)
    assert means[0] > truth[0] + 0.2
    # and takes the pair for independent
    product = MeanFieldPhase(structure, 1).run(parameters, np.ones((1, 1), np.int8), None, 0).moments.pairs[0]
    assert product == pytest.approx(means[0] ** 2, abs=1e-12)


def exact_hidden_means(structure, parameters, nv):
    hidden = basis_spins(structure.num_variables - nv)
    units = np.hstack([np.ones((len(hidden), nv), np.int8), hidden])
    energies = -structure.energies(parameters, units)
    return np.exp(energies - logsumexp(energies)) @ hidden


@pytest.mark.parametrize("seed", range(5))
def test_mean_field_is_a_fixed_point_and_each_row_its_own(seed):
    structure = random_hidden_graph(seed)
    parameters, rows = random_parameters(structure, seed), random_rows(6, seed).astype(np.float64)
    means = mean_field(structure, NV, parameters, rows)
    dense = structure.dense(parameters.couplings)
    outer = rows @ dense[:NV, NV:] + parameters.fields[NV:]
    np.testing.assert_allclose(means, np.tanh(outer + means @ dense[NV:, NV:]), atol=1e-4)
    for row, alone in zip(rows, means, strict=True):
        np.testing.assert_allclose(mean_field(structure, NV, parameters, row[None])[0], alone, atol=1e-12)


# -- the sampled phase -------------------------------------------------------------------------------------------------


class Counting(CompiledSampler):
    """Counts the calls of a compiled sampler, and keeps the states it is given."""

    def __init__(self, inner):
        super().__init__(inner.structure, inner.want)
        self.inner, self.given, self.clamps = inner, [], []

    def begin(self, spins, seed):
        return self.inner.begin(spins, seed)

    def step(self, parameters, state, clamp=None):
        self.given.append(state)
        self.clamps.append(clamp)
        return self.inner.step(parameters, state, clamp)


def conditional_pvalue(structure, parameters, rows, units, repeats):
    """Return the p-value of hidden spins drawn `repeats` times for each row, by one chi-square over all rows."""
    statistic, freedom = 0.0, 0
    weights = 1 << np.arange(structure.num_variables - NV)
    for k, row in enumerate(rows):
        states, p = conditional(structure, parameters, row)
        drawn = units[k * repeats : (k + 1) * repeats, NV:]
        observed = np.bincount((drawn > 0) @ weights, minlength=len(p))[(states[:, NV:] > 0) @ weights]
        order = np.argsort(p)
        expected, observed = p[order] * repeats, observed[order]
        few = max(1, int((np.cumsum(expected) < 20).sum() + 1))
        expected = np.append(expected[few:], expected[:few].sum())
        observed = np.append(observed[few:], observed[:few].sum())
        statistic += ((observed - expected) ** 2 / expected).sum()
        freedom += len(expected) - 1
    return chi2.sf(statistic, freedom)


@pytest.mark.parametrize("seed", range(4))
def test_the_sampled_phase_draws_from_the_conditional_in_one_call(seed):
    structure = random_hidden_graph(seed)
    parameters, rows, repeats = random_parameters(structure, seed), random_rows(8, seed), 3000
    counting = Counting(GibbsSampler().compile(structure, want="spins", num_sweeps=60))
    units = units_of(np.repeat(rows, repeats, axis=0), structure)
    found = SampledPhase(structure, NV, counting).run(parameters, units, None, 5)
    assert len(counting.given) == 1
    np.testing.assert_array_equal(found.units[:, :NV], units[:, :NV])
    assert conditional_pvalue(structure, parameters, rows, found.units, repeats) > FALSE_ALARM
    # every moment is a number, and the spins' own
    own = structure.moments_of(found.units)
    for a, b in zip(found.moments, own, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)
    # teeth: other couplings, and the answers of one row to another
    other = Parameters(parameters.fields, 0.85 * parameters.couplings)
    assert conditional_pvalue(structure, other, rows, found.units, repeats) < FALSE_ALARM
    assert conditional_pvalue(structure, parameters, np.roll(rows, 1, axis=0), found.units, repeats) < FALSE_ALARM


@pytest.mark.parametrize("seed", range(4))
def test_every_gradient_of_a_random_hidden_graph_is_finite_and_right(seed):
    """Rows as given, one read each: no unit, edge or row may be left without a number, and the noise is what it is."""
    structure = random_hidden_graph(seed)
    parameters, rows = random_parameters(structure, seed), random_rows(400, seed)
    compiled = GibbsSampler().compile(structure, want="spins", num_sweeps=60)
    found = SampledPhase(structure, NV, compiled).run(parameters, units_of(rows, structure), None, 5).moments
    spins, pairs = exact_positive(structure, parameters, rows)
    # rows are independent, so a moment's variance is at most 1 / 400: 6 standard errors
    assert np.abs(found.spins - spins).max() < 6 / 20
    assert np.abs(found.pairs - pairs).max() < 6 / 20
    z = np.concatenate([found.spins - spins, found.pairs - pairs]) * 20
    assert (z**2).mean() < 4  # their mean square is below 1


def test_the_sampled_phase_goes_on_from_what_it_drew():
    structure = GRAPHS["any"]
    rows = random_rows(5)
    counting = Counting(GibbsSampler().compile(structure, want="spins", num_sweeps=1))
    phase = SampledPhase(structure, NV, counting)
    first = phase.run(random_parameters(structure), units_of(rows, structure), None, 1)
    phase.run(random_parameters(structure), first.units, None, 2)
    np.testing.assert_array_equal(counting.given[1].spins, first.units)


def test_exact_means_of_hidden_units_take_the_place_of_their_spins():
    structure, rows = GRAPHS["semi-restricted"], random_rows()
    parameters = random_parameters(structure)
    compiled = GibbsSampler().compile(structure, want="spins")
    found = SampledPhase(structure, NV, compiled, HiddenFields(structure, NV)).run(
        parameters, units_of(rows, structure), None, 0
    )
    for a, b in zip(found.moments, exact_positive(structure, parameters, rows), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


# -- missing values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["restricted", "any"])
def test_missing_values_are_summed_over(name):
    """The exact sampler's moments are those of all units given what is known of each row."""
    structure, rows = GRAPHS[name], random_rows(12)
    parameters = random_parameters(structure)
    known = np.random.default_rng(2).random(rows.shape) < 0.6
    known[0] = False
    heads, tails = structure.ends
    every = basis_spins(structure.num_variables)
    weights = np.exp(-structure.energies(parameters, every))
    spins, pairs = np.zeros(structure.num_variables), np.zeros(structure.num_edges)
    for row, mask in zip(rows, known, strict=True):
        p = weights * (every[:, :NV][:, mask] == row[mask]).all(axis=1)
        p /= p.sum()
        spins += p @ every / len(rows)
        pairs += p @ (every[:, heads] * every[:, tails]) / len(rows)
    scrambled = np.where(known, rows, -rows).astype(np.int8)  # what is missing must not count
    for given in (rows, scrambled):
        found = exact_phase(structure).run(parameters, units_of(given, structure), known, 0).moments
        np.testing.assert_allclose(found.spins, spins, atol=1e-12)
        np.testing.assert_allclose(found.pairs, pairs, atol=1e-12)


def test_missing_values_are_drawn_and_known_ones_held():
    structure, rows = GRAPHS["any"], np.repeat(random_rows(1), 4000, axis=0)
    parameters = random_parameters(structure)
    known = np.tile([True, False, True, False], (4000, 1))
    compiled = GibbsSampler().compile(structure, want="spins", num_sweeps=60)
    drawn = SampledPhase(structure, NV, compiled).run(parameters, units_of(rows, structure), known, 0).units
    np.testing.assert_array_equal(drawn[:, [0, 2]], rows[:, [0, 2]])
    every = basis_spins(structure.num_variables)
    p = np.exp(-structure.energies(parameters, every)) * (every[:, [0, 2]] == rows[0, [0, 2]]).all(axis=1)
    means = (p / p.sum()) @ every
    # 6 standard errors of 4000 independent reads
    assert np.abs(drawn.mean(axis=0) - means).max() < 6 / np.sqrt(4000)
