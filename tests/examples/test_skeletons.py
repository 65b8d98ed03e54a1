"""What CONTRIBUTING says to copy keeps the rules that a copy must keep, and so does a sampler made from it."""

import importlib.util
import itertools
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from annealnn import _resources
from annealnn.benchmark import ContestantSpec, Entrant, InstanceSpec, execute, plan_tasks
from annealnn.benchmark.families import build_instance, certify
from annealnn.embeddings import load_embedding
from annealnn.testing import SAMPLER_CHECKS, SamplerCase, parametrize
from annealnn.testing._data import embedding_cases
from annealnn.testing._data_checks import EMBEDDING_CHECKS, FOLDER_CHECKS, LOADER_CHECKS, FolderCase, LoaderCase

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name.replace("/", "_"), EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A place for data files that the package takes for its own."""
    root = tmp_path / "files"
    monkeypatch.setattr(_resources, "data_root", lambda kind: root / kind)
    return root


SAMPLERS = [
    SamplerCase(name="skeleton", make=load("skeletons/sampler").SkeletonSampler),
    SamplerCase(name="cluster", make=load("custom_samplers/cluster_sampler").ClusterSampler),
]


@parametrize(SAMPLERS, SAMPLER_CHECKS)
def test_sampler(case, check):
    check(case)


def test_model():
    NumberPartition = load("skeletons/model").NumberPartition
    model = NumberPartition(numbers=(4.0, 2.5, 1.0, 0.5))
    for spins in itertools.product((-1, 1), repeat=4):
        assert model.ising.energy(spins) == pytest.approx(np.dot(model.numbers, spins) ** 2, abs=1e-12)
    # 4 against 2.5 + 1 + 0.5: a perfect split, so the least energy is 0
    assert model.ising.exact().ground_energy + model.ising.offset == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(AttributeError):
        model.numbers = (1.0,)
    with pytest.raises(ValueError, match=r"at least one; got \(\)"):
        NumberPartition(numbers=())


def test_dataset(shipped, monkeypatch):
    skeleton = load("skeletons/dataset")
    skeleton.write(shipped / "datasets")
    monkeypatch.setattr(skeleton, "data_root", _resources.data_root)
    folder = FolderCase(name="toy", kind="datasets", folder=shipped / "datasets" / skeleton.FOLDER)
    for check in FOLDER_CHECKS:
        check(folder)
    for check in LOADER_CHECKS:
        check(LoaderCase(name="toy", make=skeleton.load_glyphs))
    assert skeleton.load_glyphs().data.shape == (3, 9)


def test_embedding(shipped, monkeypatch):
    for module in ("annealnn.embeddings._shipped", "annealnn.testing._data"):
        monkeypatch.setattr(f"{module}.folders", lambda kind: sorted((shipped / kind).iterdir()), raising=False)
        monkeypatch.setattr(f"{module}.data_root", lambda kind: shipped / kind)
    load("skeletons/embedding").write(shipped / "embeddings")
    (case,) = embedding_cases()
    for check in EMBEDDING_CHECKS:
        check(case)
    assert partial(load_embedding, "chimera-3", "K8")().num_variables == 8


@pytest.fixture
def ring(monkeypatch):
    """The family of the skeleton, as an installed plug-in has it."""
    family = load("skeletons/family").RING
    point = type("Point", (), {"name": "ring", "load": staticmethod(lambda: family)})
    groups = {"annealnn.families": [point]}
    monkeypatch.setattr("annealnn.benchmark.families._registry.entry_points", lambda group: groups.get(group, []))


def test_family(ring):
    signs = set()
    for seed in range(20):
        instance = build_instance(InstanceSpec(family="ring", size=9, seed=seed, options={"strength": 0.5}))
        # small enough to be held against enumeration
        assert certify(instance).proof == "planted"
        signs.add(instance.optimum.energy)
    assert signs == {-4.5, -3.5}
    with pytest.raises(ValueError, match=r"at least 3 variables .* got size=2"):
        build_instance(InstanceSpec(family="ring", size=2))


def test_contestant(ring, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES / "skeletons")
    descent = Entrant(contestant=ContestantSpec(name="contestant:Descent"), efforts=(1, 8))
    tasks = plan_tasks([InstanceSpec(family="ring", size=12, seed=1)], [descent], num_reads=200)
    certificate, *runs = sorted(map(execute, tasks), key=lambda record: record.task.effort or 0)
    assert {record.status for record in (certificate, *runs)} == {"done"}
    lowest = certificate.measures["optimum"]["energy"]
    means = [sum(energy * count for energy, count in record.energies) / 200 for record in runs]
    assert min(energy for record in runs for energy, _ in record.energies) == lowest
    assert lowest < means[1] < means[0]
    assert all(record.timing["annealing_s"] > 0 for record in runs)
    same = execute(tasks[1])
    assert same.energies == next(record.energies for record in runs if record.key == tasks[1].key)
