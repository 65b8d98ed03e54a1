"""The learner's door: compile once, step many times."""

import dimod
import numpy as np
import pytest

from annealnn import samplers
from annealnn.models import Clamp, Parameters, Structure
from annealnn.registry import SamplerSpec, open_compiled, resolve_sampler
from annealnn.samplers import compile_sampler
from annealnn.testing import LOPSIDED

STRUCTURE = Structure.from_edges("abc", ["ab", "bc"])
PARAMETERS = Parameters(np.array([0.7, -0.3, 0.1]), np.array([-0.9, 0.4]))
DOORS = [
    pytest.param(None, id="default"),
    *(pytest.param(name, id=name) for name in ("gibbs", "anneal", "tempering", "exact", "neal")),
    *(pytest.param(name, id=name) for name in ("population-annealing", "path-integral", "quantum-anneal")),
    pytest.param(SamplerSpec("path-integral", {"imaginary_time": "continuous"}), id="continuous time"),
    pytest.param(SamplerSpec("path-integral", {"gamma_ladder": [3.0, 2.0]}), id="gamma ladder"),
    pytest.param(dimod.RandomSampler(), id="dimod"),
]


def door(sampler, want="spins"):
    return open_compiled(sampler, STRUCTURE, default=SamplerSpec("gibbs"), want=want)


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
