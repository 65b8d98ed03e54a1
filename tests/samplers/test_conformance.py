"""Every sampler of ours keeps dimod's contract and the package's."""

import inspect
import json
import warnings

import dimod
import numpy as np
import pytest
from dimod.exceptions import SamplerUnknownArgWarning

from annealnn import registry, samplers
from annealnn.models import Clamp, Parameters, Structure
from annealnn.registry import SamplerSpec, open_compiled, resolve_sampler, sampler_names
from annealnn.samplers import AnnealSampler, compile_sampler
from annealnn.testing import LOPSIDED

# discovered, never listed by hand
OURS = [
    cls
    for _, cls in sorted(vars(samplers).items())
    if inspect.isclass(cls) and issubclass(cls, AnnealSampler) and cls is not AnnealSampler
]
INFO_KEYS = {"seed", "beta", "gamma", "schedule", "num_sweeps", "timing", "sampler"}
TIMING_KEYS = {"preprocess_s", "sample_s", "postprocess_s"}

each = pytest.mark.parametrize("cls", OURS)


def test_all_are_discovered():
    assert {cls.__name__ for cls in OURS} >= {"GibbsSampler", "SimulatedAnnealingSampler", "ExactSampler"}


def rows(sampleset):
    return sampleset.record.sample


@each
def test_dimod_api(cls):
    dimod.testing.assert_sampler_api(cls())
    assert cls().properties["distribution"] in ("boltzmann", None)


@each
@pytest.mark.parametrize("bqm_cls", [dimod.AdjVectorBQM, dimod.BinaryQuadraticModel, dimod.DictBQM])
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize(
    ("linear", "quadratic"),
    [
        ({}, {}),
        ({"a": 1.0}, {}),
        ({}, {"ab": -1.0}),
        ({"a": 0.0, "b": -1.0, "c": 0.5}, {"ab": 1.0, "bc": -0.5}),
        ({("x", 1): 1.0, ("x", 2): 0.0}, {(("x", 1), ("x", 2)): 1.0}),
        ({0: 0.0, 5: 1.0, 9: -1.0}, {}),
    ],
)
def test_problems_of_all_shapes(cls, bqm_cls, vartype, linear, quadratic):
    bqm = bqm_cls(linear, quadratic, 0.5, vartype)
    found = cls().sample(bqm, num_reads=3, seed=0)
    dimod.testing.assert_response_energies(found, bqm)
    assert set(found.variables) == set(bqm.variables)
    assert found.vartype is bqm.vartype
    assert len(found) == (3 if bqm.num_variables else len(found))


@each
def test_parameters_equal_the_signature(cls):
    keywords = {p.name for p in inspect.signature(cls.sample).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert set(cls().parameters) == keywords


@each
def test_same_seed_same_reads_and_replay(cls):
    first = cls().sample(LOPSIDED, num_reads=20)
    again = cls().sample(LOPSIDED, num_reads=20, seed=first.info["seed"])
    np.testing.assert_array_equal(rows(first), rows(again))
    other = cls().sample(LOPSIDED, num_reads=200)
    assert other.info["seed"] != first.info["seed"]
    assert len(np.unique(rows(cls().sample(LOPSIDED.copy() * 0.1, num_reads=200, seed=1)), axis=0)) > 1


@each
def test_more_reads_keep_the_earlier_ones(cls):
    five, fifty = (rows(cls().sample(LOPSIDED, num_reads=n, seed=4)) for n in (5, 50))
    np.testing.assert_array_equal(five, fifty[:5])


@each
def test_threads_do_not_show(cls):
    if "num_threads" not in cls().parameters:
        assert cls is samplers.ExactSampler
        return
    one, two, seven = (rows(cls().sample(LOPSIDED, num_reads=65, seed=3, num_threads=n)) for n in (1, 2, 7))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, seven)


@each
def test_relabelling_changes_labels_only(cls):
    renamed = LOPSIDED.relabel_variables({"a": ("z", 0), "b": 7, "c": "a"}, inplace=False)
    np.testing.assert_array_equal(
        rows(cls().sample(LOPSIDED, num_reads=30, seed=9)), rows(cls().sample(renamed, num_reads=30, seed=9))
    )


@each
def test_spin_and_binary_forms_agree(cls):
    spin = cls().sample(LOPSIDED, num_reads=40, seed=2)
    binary = cls().sample(LOPSIDED.change_vartype("BINARY", inplace=False), num_reads=40, seed=2)
    np.testing.assert_array_equal(rows(spin) > 0, rows(binary) > 0)


@each
def test_info_has_one_shape_and_dumps(cls):
    info = cls().sample(LOPSIDED, num_reads=2).info
    assert set(info) >= INFO_KEYS
    assert set(info["timing"]) == TIMING_KEYS
    assert all(t >= 0 for t in info["timing"].values())
    assert json.loads(json.dumps(info))["sampler"]["name"] == cls.__name__


@each
def test_unknown_keyword_warns(cls):
    with pytest.warns(SamplerUnknownArgWarning, match="flux_capacitor"):
        cls().sample(LOPSIDED, flux_capacitor=1)


@each
@pytest.mark.parametrize(("keyword", "value"), [("num_reads", 0), ("num_reads", 1.5), ("seed", -1), ("seed", True)])
def test_bad_counts_are_refused(cls, keyword, value):
    with pytest.raises(ValueError, match=rf"{keyword} is a whole number .*; got {value!r}"):
        cls().sample(LOPSIDED, **{keyword: value})


# -- the learner's door ----------------------------------------------------------------------------------------------

STRUCTURE = Structure.from_edges("abc", ["ab", "bc"])
PARAMETERS = Parameters(np.array([0.7, -0.3, 0.1]), np.array([-0.9, 0.4]))
DOORS = [
    pytest.param(None, id="default"),
    *(pytest.param(name, id=name) for name in ("gibbs", "anneal", "exact", "neal")),
    pytest.param(dimod.RandomSampler(), id="dimod"),
]


def door(sampler, want="spins"):
    return open_compiled(sampler, STRUCTURE, default=SamplerSpec("gibbs"), want=want)


@pytest.mark.parametrize("sampler", DOORS)
def test_door_steps_leave_their_state_alone_and_repeat(sampler):
    compiled = door(sampler)
    state = compiled.init(12, 5)
    before = [part.copy() for part in state]
    first, again = compiled.step(PARAMETERS, state), compiled.step(PARAMETERS, state)
    for part, kept in zip(state, before, strict=True):
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


@pytest.mark.parametrize("sampler", ["gibbs", "anneal", "neal"])
def test_door_moments_are_those_of_its_spins(sampler):
    compiled = door(sampler, want="moments")
    step = compiled.step(PARAMETERS, compiled.init(50, 1))
    expected = STRUCTURE.moments_of(step.spins)
    np.testing.assert_allclose(step.moments.spins, expected.spins, atol=1e-12)
    np.testing.assert_allclose(step.moments.pairs, expected.pairs, atol=1e-12)


def test_registry_names_and_specs():
    assert sampler_names() == sorted(sampler_names())
    assert {"anneal", "exact", "gibbs", "neal"} <= set(sampler_names())
    sampler, parameters = resolve_sampler(SamplerSpec("dimod:RandomSampler"), default=SamplerSpec("gibbs"))
    assert isinstance(sampler, dimod.RandomSampler)
    assert parameters == {}


@pytest.mark.parametrize("name", ["gibs", "no.such.module:Thing", "dimod:NoSuchSampler"])
def test_unknown_names_say_what_is_known(name):
    with pytest.raises(registry.UnknownSamplerError, match=name):
        SamplerSpec(name).open()
    with pytest.raises(registry.UnknownSamplerError, match="anneal, exact, gibbs, neal"):
        SamplerSpec("gibs").open()


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


def test_specs_hold_no_credentials_and_are_frozen():
    with pytest.raises(ValueError, match=r"no credentials.*'token'"):
        SamplerSpec("gibbs", {"token": "x"})
    keywords = {"num_sweeps": 3}
    spec = SamplerSpec("gibbs", keywords)
    keywords["num_sweeps"] = 4
    assert spec.parameters == {"num_sweeps": 3}
    assert hash(spec) == hash(SamplerSpec("gibbs"))
    assert spec != SamplerSpec("gibbs")


def test_adapter_refuses_too_few_reads():
    class Lazy(dimod.Sampler):
        properties, parameters = {}, {"num_reads": []}

        def sample(self, bqm, **kwargs):
            return dimod.RandomSampler().sample(bqm, num_reads=1)

    compiled = compile_sampler(Lazy(), STRUCTURE)
    with pytest.raises(RuntimeError, match="asked for 4 reads; got 1"):
        compiled.step(PARAMETERS, compiled.init(4, 0))


def test_no_warning_in_ordinary_use():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cls in OURS:
            cls().sample(LOPSIDED, num_reads=2, seed=0)
