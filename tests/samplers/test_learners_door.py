"""The learner's door: compile once, step many times."""

import itertools

import dimod
import numpy as np
import pytest

from annealnn import samplers
from annealnn.models import Clamp, Parameters, Structure
from annealnn.registry import SamplerSpec, open_compiled, resolve_sampler, sampler_names
from annealnn.samplers import compile_sampler
from annealnn.testing import LOPSIDED
from annealnn.testing._statistics import FALSE_ALARM, chi_square_pvalue, two_sample_pvalue

STRUCTURE = Structure.from_edges("abc", ["ab", "bc"])
PARAMETERS = Parameters(np.array([0.7, -0.3, 0.1]), np.array([-0.9, 0.4]))
DOORS = [
    pytest.param(None, id="default"),
    *(pytest.param(name, id=name) for name in sampler_names(local=True)),
    pytest.param(SamplerSpec("path-integral", {"imaginary_time": "continuous"}), id="continuous time"),
    pytest.param(SamplerSpec("path-integral", {"gamma_ladder": [3.0, 2.0]}), id="gamma ladder"),
    pytest.param(dimod.RandomSampler(), id="dimod"),
]


# what makes the reads of a door Boltzmann's at beta = 1; the others are compared with themselves
AT_ONE_BETA = {
    "gibbs": {},
    "exact": {},
    "tempering": {},
    "anneal": {"beta_range": (1.0, 1.0), "num_sweeps": 40},
    "neal": {"beta_range": (1.0, 1.0), "num_sweeps": 40},
    "path-integral": {"gamma": 0.0, "num_slices": 4},
}
QUICK = {
    "population-annealing": {"num_sweeps": 5, "population_size": 4},
    "quantum-anneal": {"num_sweeps": 10, "num_slices": 4},
}
THERMAL = [
    *(pytest.param(SamplerSpec(name, keywords), id=name) for name, keywords in AT_ONE_BETA.items()),
    pytest.param(SamplerSpec("anneal", {"beta_range": (1.0, 1.0), "randomize_order": True}), id="random order"),
    pytest.param(SamplerSpec("path-integral", {"gamma": 0.0, "imaginary_time": "continuous"}), id="continuous time"),
    pytest.param(
        SamplerSpec("path-integral", {"gamma": 1e-4, "gamma_ladder": [0.5], "num_slices": 4}), id="gamma ladder"
    ),
]
MASKED = [
    *(pytest.param(SamplerSpec(n, AT_ONE_BETA.get(n) or QUICK.get(n, {})), id=n) for n in sampler_names(local=True)),
    *THERMAL[len(AT_ONE_BETA) :],
    pytest.param(dimod.RandomSampler(), id="dimod"),
]
NUM_MASKED = 2048


def door(sampler, want="spins", structure=STRUCTURE):
    return open_compiled(sampler, structure, default=SamplerSpec("gibbs"), want=want)


@pytest.mark.parametrize("sampler", DOORS)
def test_door_steps_leave_their_state_alone_and_repeat(sampler):
    compiled = door(sampler)
    state = compiled.init(12, 5)
    before = [state.spins.copy(), state.streams.copy(), *(part.copy() for part in state.kept.values())]
    first, again = compiled.step(PARAMETERS, state), compiled.step(PARAMETERS, state)
    for part, kept in zip([*state[:2], *state.kept.values()], before, strict=True):
        np.testing.assert_array_equal(part, kept)
    if not isinstance(sampler, dimod.RandomSampler):
        np.testing.assert_array_equal(first.spins, again.spins)
    assert (first.state.streams != state.streams).any()
    assert np.isin(first.spins, (-1, 1)).all()
    assert first.spins.shape == (12, 3)


@pytest.mark.parametrize("sampler", DOORS)
def test_door_holds_a_clamped_row_for_each_read(sampler):
    compiled = door(sampler)
    held = np.array([[1, -1], [-1, -1], [1, 1], [-1, 1]] * 3, dtype=np.int8)
    step = compiled.step(PARAMETERS, compiled.init(12, 5), Clamp(np.array([0, 2]), held))
    np.testing.assert_array_equal(step.spins[:, [0, 2]], held)
    everything = Clamp(np.arange(3), np.ones((12, 3), np.int8))
    assert (compiled.step(PARAMETERS, compiled.init(12, 5), everything).spins == 1).all()


@pytest.mark.parametrize("sampler", MASKED)
def test_a_mask_of_all_equals_no_mask(sampler):
    compiled = door(sampler, want="moments")
    held = np.array([[1, -1], [-1, -1], [1, 1], [-1, 1]] * 3, dtype=np.int8)
    state, variables = compiled.init(12, 5), np.array([2, 0])
    plain, masked = (compiled.step(PARAMETERS, state, Clamp(variables, held, k)) for k in (None, held**2 > 0))
    if isinstance(sampler, dimod.RandomSampler):  # it takes no seed
        variables = variables.tolist()
        np.testing.assert_array_equal(masked.spins[:, variables], held)
        return
    for one, other in zip([plain.spins, *plain.moments], [masked.spins, *masked.moments], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(plain.state.streams, masked.state.streams)


def masked_problem():
    """Return a problem, a clamp of three of its five variables in random rows of random masks, and the states."""
    rng = np.random.default_rng(3)
    structure = Structure(5, np.array([[0, 1], [1, 2], [2, 3], [3, 4], [0, 4], [1, 3]]))
    parameters = Parameters(rng.normal(0, 0.5, 5), rng.normal(0, 0.7, 6))
    spins = rng.choice(np.array([-1, 1], np.int8), (NUM_MASKED, 3), p=[0.2, 0.8])
    clamp = Clamp(np.array([3, 0, 2]), spins, rng.random(spins.shape) < 0.5)
    states = np.array(list(itertools.product([-1, 1], repeat=5)), np.int8)
    return structure, parameters, clamp, states


def drawn(compiled, parameters, clamp, seed):
    """Return a step at the end of a run long enough to forget its start."""
    state = compiled.advance(parameters, compiled.init(len(clamp.spins), seed), 30, clamp)
    return compiled.step(parameters, state, clamp)


@pytest.mark.parametrize("sampler", THERMAL)
def test_each_read_holds_its_own_variables_and_draws_the_others_given_them(sampler):
    structure, parameters, clamp, states = masked_problem()
    weights = np.exp(-structure.energies(parameters, states))
    agrees = ((states[:, clamp.variables] == clamp.spins[:, None]) | ~clamp.known[:, None]).all(axis=2)
    chances = agrees * weights / (agrees @ weights)[:, None]  # (num_reads, num_states), by enumeration
    expected = [chances.mean(axis=0) @ values for values in (states, states[:, structure.edges].prod(axis=2))]
    groups = np.unique(agrees, axis=0, return_inverse=True)[1].reshape(-1)

    def agreement(clamp):
        """Return a p-value of the reads, Bonferroni's, and the largest error of a moment in standard errors at most."""
        step = drawn(door(sampler, "moments", structure), parameters, clamp, 7)
        which = (step.spins > 0) @ (1 << np.arange(5)[::-1])
        counts = np.zeros(chances.shape)
        counts[np.arange(len(which)), which] = 1
        pvalues = [chi_square_pvalue(counts[g].sum(0), chances[g].sum(0)) for g in (groups == np.arange(27)[:, None])]
        errors = [np.abs(m - e).max() * NUM_MASKED**0.5 for m, e in zip(step.moments, expected, strict=True)]
        return min(pvalues) * len(pvalues), max(errors)

    pvalue, error = agreement(clamp)
    assert pvalue > FALSE_ALARM
    assert error < 5.4  # 11 moments, of variance 1 at most: P < 1e-6
    pvalue, error = agreement(clamp._replace(known=None))
    assert pvalue < FALSE_ALARM
    assert error > 5.4


@pytest.mark.parametrize("sampler", MASKED)
def test_a_mask_draws_what_a_clamp_of_fewer_variables_draws(sampler):
    structure, parameters, clamp, _ = masked_problem()
    compiled = door(sampler, structure=structure)
    masked, ignored = (drawn(compiled, parameters, c, 7).spins for c in (clamp, clamp._replace(known=None)))
    np.testing.assert_array_equal(masked[:, clamp.variables][clamp.known], clamp.spins[clamp.known])
    pvalues = []
    for pattern in itertools.product([False, True], repeat=3):
        mine = np.flatnonzero((clamp.known == pattern).all(axis=1))
        fewer = Clamp(clamp.variables[list(pattern)], clamp.spins[np.ix_(mine, np.flatnonzero(pattern))])
        alone = drawn(compiled, parameters, fewer, 11).spins
        pvalues.append([two_sample_pvalue(alone, reads[mine]) for reads in (masked, ignored)])
    assert min(p for p, _ in pvalues) * 8 > FALSE_ALARM
    assert min(p for _, p in pvalues) * 8 < FALSE_ALARM


@pytest.mark.parametrize("sampler", ["gibbs", "anneal", "tempering", "neal"])
def test_door_moments_are_those_of_its_spins(sampler):
    compiled = door(sampler, want="moments")
    step = compiled.step(PARAMETERS, compiled.init(50, 1))
    expected = STRUCTURE.moments_of(step.spins)
    np.testing.assert_allclose(step.moments.spins, expected.spins, atol=1e-12)
    np.testing.assert_allclose(step.moments.pairs, expected.pairs, atol=1e-12)


def test_worldlines_of_another_sampler_are_refused():
    discrete, continuous = (
        compile_sampler(resolve_sampler("path-integral", default=SamplerSpec("gibbs"))[0], STRUCTURE, **keywords)
        for keywords in ({"num_slices": 8}, {"imaginary_time": "continuous"})
    )
    other = door("gibbs").init(4, 1)
    with pytest.raises(ValueError, match=r"a step goes on from worldlines of 8 slices, .* the state has none"):
        discrete.step(PARAMETERS, other)
    with pytest.raises(ValueError, match=r"a step goes on from kinks; the state keeps \['worldlines'\]"):
        continuous.step(PARAMETERS, discrete.init(4, 1))


@pytest.mark.parametrize("name", ["gibbs", "path-integral", "tempering"])
def test_steps_at_once_equal_steps_one_by_one(name):
    compiled = door(name, want="moments")
    state = compiled.init(40, 2)
    at_once, one_by_one = compiled.advance(PARAMETERS, state, 3), state
    for _ in range(3):
        one_by_one = compiled.step(PARAMETERS, one_by_one).state
    np.testing.assert_array_equal(at_once.spins, one_by_one.spins)
    np.testing.assert_array_equal(at_once.streams, one_by_one.streams)


def test_door_refuses_what_nobody_wants():
    with pytest.raises(ValueError, match=r"want is one of 'moments', 'spins'; got 'moment'"):
        door("gibbs", want="moment")
    with pytest.raises(ValueError, match=r"num_reads is a whole number of at least 1; got 0"):
        door("gibbs").init(0, 1)


def test_door_refuses_what_it_does_not_know():
    with pytest.raises(TypeError, match=r"a name, a SamplerSpec or a dimod.Sampler; got int"):
        resolve_sampler(3, default=SamplerSpec("gibbs"))
    with pytest.raises(ValueError, match="got 'num_sweps'"):
        compile_sampler(samplers.GibbsSampler(), STRUCTURE, num_sweps=3)
    with pytest.raises(ValueError, match="num_sweps"):
        compile_sampler(dimod.RandomSampler(), STRUCTURE, num_sweps=3)


def test_door_says_what_is_wrong_with_a_value():
    with pytest.raises(ValueError, match=r"beta_range is a pair of numbers; got 0.5"):
        compile_sampler(samplers.SimulatedAnnealingSampler(), STRUCTURE, beta_range=0.5)
    with pytest.raises(ValueError, match=r"num_sweeps is a whole number of at least 1; got 2.5"):
        compile_sampler(samplers.SimulatedAnnealingSampler(), STRUCTURE, num_sweeps=2.5)
    with pytest.raises(ValueError, match="num_threads is a whole number of at least 1; got -3"):
        samplers.GibbsSampler().sample(LOPSIDED, num_threads=-3)
    with pytest.raises(ValueError, match="ExactSolver takes no num_reads"):
        compile_sampler(dimod.ExactSolver(), STRUCTURE)


def test_a_sampler_with_a_graph_refuses_others():
    on_its_own = dimod.StructureComposite(samplers.GibbsSampler(), ["a", "b", "c"], [("a", "b"), ("b", "c")])
    compile_sampler(on_its_own, STRUCTURE)
    with pytest.raises(ValueError, match=r"own graph of 2 qubits, which has no 'c'. Embed"):
        compile_sampler(dimod.StructureComposite(samplers.GibbsSampler(), ["a", "b"], [("a", "b")]), STRUCTURE)
    without_edge = dimod.StructureComposite(samplers.GibbsSampler(), ["a", "b", "c"], [("a", "b")])
    with pytest.raises(ValueError, match=r"has no \('b', 'c'\)"):
        compile_sampler(without_edge, STRUCTURE)


def test_adapter_refuses_too_few_reads():
    class Lazy(dimod.Sampler):
        properties, parameters = {}, {"num_reads": []}

        def sample(self, bqm, **kwargs):
            return dimod.RandomSampler().sample(bqm, num_reads=1)

    compiled = compile_sampler(Lazy(), STRUCTURE)
    with pytest.raises(RuntimeError, match="asked for 4 reads; got 1"):
        compiled.step(PARAMETERS, compiled.init(4, 0))
