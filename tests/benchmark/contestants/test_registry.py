"""Contestants by name: built-in ones, plug-ins, paths, and what is not there."""

import importlib
import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import dimod
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler

from annealnn.benchmark._contestant import Contestant, ContestantSpec, Hardware, Run, TimeSplit
from annealnn.benchmark.contestants import contestant_names, contestant_version, open_contestant
from annealnn.exceptions import ContestantFactoryError, MissingDependencyError, UnknownContestantError
from annealnn.models import IsingModel

CHAIN = IsingModel([0.5, 0.0, -0.25], {(0, 1): 1.0, (1, 2): -2.0})
SOURCE = '''
import numpy as np
from annealnn.benchmark._contestant import Contestant, Hardware, Run, TimeSplit

class Upright(Contestant):
    """Answers with all spins up."""

    def __init__(self, *, name="none"):
        self._name = name

    hardware = property(lambda self: Hardware(name=self._name, power_w=self.power_w))
    version = property(lambda self: "upright 1")

    def run(self, model, *, effort, num_reads, seed):
        spins = np.ones((num_reads, model.structure.num_variables), np.int8)
        return Run(spins, model.energy(spins), TimeSplit(annealing_s=1e-6), {})

def no_contestant():
    return 3

def broken(*, key):
    return {}[key]
'''


@pytest.fixture
def upright(tmp_path, monkeypatch):
    """A module of contestants that no distribution installs."""
    (tmp_path / "upright_contestants.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "upright_contestants"
    sys.modules.pop("upright_contestants", None)


@pytest.fixture
def plug_in(upright, monkeypatch):
    """The same as an installed plug-in."""
    registry = importlib.import_module("annealnn.benchmark.contestants._registry")
    point = EntryPoint("upright", f"{upright}:Upright", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])
    return "upright"


def test_names_are_those_that_are_documented():
    assert {
        *("anneal", "gibbs", "tempering", "population-annealing", "path-integral", "quantum-anneal", "exact"),
        *("neal", "dwave-path-integral", "tabu", "tree", "planar", "openjij-sa", "openjij-sqa", "qpu", "standin"),
    } <= set(contestant_names())


def test_a_path_and_a_plug_in_open_the_same_contestant(plug_in, upright):
    assert plug_in in contestant_names(installed=True)
    for name in (plug_in, f"{upright}:Upright"):
        contestant = open_contestant(ContestantSpec(name=name, settings={"name": "slate"}, power_w=2.0))
        assert contestant.hardware == Hardware(name="slate", power_w=2.0)
        assert contestant.version == "upright 1"
        assert contestant.run(CHAIN, effort=None, num_reads=4, seed=0).spins.sum() == 12


def test_the_version_of_a_file_follows_its_content(upright, tmp_path):
    spec = ContestantSpec(name=f"{upright}:Upright")
    before = contestant_version(spec)
    assert before.startswith("upright_contestants ")
    (tmp_path / "upright_contestants.py").write_text(SOURCE.replace("upright 1", "upright 2"))
    assert contestant_version(spec) != before


@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("anneal", ["annealnn"]),
        ("tabu", ["dwave-samplers"]),
        ("qpu", ["annealnn", "dwave-cloud-client"]),
        ("dwave.samplers:SteepestDescentSampler", ["dwave-samplers"]),
    ],
)
def test_a_version_names_libraries_and_releases(name, libraries):
    told = contestant_version(ContestantSpec(name=name)).split(", ")
    assert [each.split()[0] for each in told] == libraries
    assert all(each.split()[1][0].isdigit() for each in told)


@pytest.mark.parametrize("name", ["anneal", "neal", "tree"])
def test_an_open_contestant_has_the_version_that_was_announced(name):
    spec = ContestantSpec(name=name)
    assert open_contestant(spec).version == contestant_version(spec)


def test_any_dimod_sampler_takes_part():
    contestant = open_contestant(ContestantSpec(name="dwave.samplers:SteepestDescentSampler"))
    assert contestant.effort_name == ""
    found = contestant.run(CHAIN, effort=None, num_reads=5, seed=1)
    np.testing.assert_allclose(found.energies, CHAIN.energy(found.spins))


@pytest.mark.parametrize("read", [open_contestant, contestant_version])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("aneal", "a contestant is one of anneal, .*got 'aneal'"),
        ("no_such_module:Upright", "importable factory.*no_such_module"),
        ("math:no_such_factory", "importable factory.*no_such_factory"),
    ],
)
def test_an_unknown_contestant_is_told_of(read, name, words):
    with pytest.raises(UnknownContestantError, match=words):
        read(ContestantSpec(name=name))


def test_a_factory_of_something_else_is_told_of(upright):
    with pytest.raises(ContestantFactoryError, match=r"returns a Contestant or a dimod\.Sampler.*gave 3"):
        open_contestant(ContestantSpec(name=f"{upright}:no_contestant"))


def test_a_factory_that_fails_is_told_of_with_its_settings(upright):
    with pytest.raises(ContestantFactoryError, match=r"of key='a': KeyError: 'a'. Give others"):
        open_contestant(ContestantSpec(name=f"{upright}:broken", settings={"key": "a"}))
    with pytest.raises(ContestantFactoryError, match=r"of no settings: TypeError.*'key'"):
        open_contestant(ContestantSpec(name=f"{upright}:broken"))
    with pytest.raises(ContestantFactoryError, match=r"'neal' made no contestant of beta_range=3: TypeError"):
        open_contestant(ContestantSpec(name="neal", settings={"beta_range": 3}))


@pytest.mark.parametrize("name", ["openjij-sa", "openjij-sqa"])
def test_a_library_that_is_missing_is_named(name, monkeypatch):
    registry = importlib.import_module("annealnn.benchmark.contestants._registry")
    found = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda module: None if module == "openjij" else found(module))
    monkeypatch.setitem(sys.modules, "openjij", None)
    with pytest.raises(MissingDependencyError, match="pip install openjij"):
        open_contestant(ContestantSpec(name=name))
    assert name not in contestant_names(installed=True)
    assert name in contestant_names()


class Jij(dimod.Sampler):
    """Answers as OpenJij does.

    It advertises some of its keywords, tells microseconds of each read, and with a seed gives one read many times.
    """

    properties = property(lambda self: {})
    parameters = property(lambda self: {"beta_min": ["parameters"], "beta_max": ["parameters"]})

    def sample(self, bqm, beta_min=None, beta_max=None, num_sweeps=None, num_reads=None, seed=None):
        beta_range = None if beta_min is None else (beta_min, beta_max)
        num_reads = num_reads or 1
        answer = SimulatedAnnealingSampler().sample(bqm, beta_range=beta_range, num_sweeps=num_sweeps, seed=seed)
        answer = dimod.concatenate([answer] * num_reads)
        answer.info.clear()
        answer.info.update(system=[np.zeros((3, 3))], list_exec_times=np.full(num_reads, 25.0), schedule={"num": 1})
        return answer


@pytest.fixture
def openjij(monkeypatch):
    module = ModuleType("openjij")
    module.SASampler = module.SQASampler = Jij
    monkeypatch.setitem(sys.modules, "openjij", module)


@pytest.mark.parametrize("name", ["openjij-sa", "openjij-sqa"])
def test_openjij_is_timed_by_what_it_tells(name, openjij):
    contestant = open_contestant(ContestantSpec(name=name, settings={"beta_min": 0.1, "beta_max": 3.0}))
    found = contestant.run(CHAIN, effort=20, num_reads=8, seed=2**63)
    assert found.timing.annealing_s == pytest.approx(8 * 25e-6)
    assert found.timing.client_s > 0
    assert {"schedule", "beta_min", "beta_max"} == set(found.info)
    np.testing.assert_allclose(found.energies, CHAIN.energy(found.spins))
    assert len(np.unique(contestant.run(CHAIN, effort=1, num_reads=40, seed=0).spins, axis=0)) > 1
    with pytest.raises(ValueError, match=r"beta_max, beta_min.*got 'trotters'"):
        open_contestant(ContestantSpec(name=name, settings={"trotters": 3}))


def test_a_contestant_is_abstract():
    with pytest.raises(TypeError):
        Contestant()
    assert Run._fields == ("spins", "energies", "timing", "info")
    assert TimeSplit(1.0, annealing_s=2.0).total_s == 3.0
