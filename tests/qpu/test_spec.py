"""Recipes of processors."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from annealnn import BoltzmannMachine, SamplerSpec
from annealnn.estimators._parameters import describe_sampler
from annealnn.registry import sampler_names

TOKEN = "SIMU-" + 40 * "a"


def test_a_recipe_is_compared_copied_and_pickled_by_value():
    features = {"topology__type": "zephyr", "qpu": True}
    embedding = {"a": [1, 2], "b": [3]}
    spec = SamplerSpec.qpu(solver=features, num_gauges=4, embedding=embedding, budget_us=1e6, annealing_time=5.0)
    same = SamplerSpec.qpu(
        solver=dict(features), num_gauges=4, embedding={"a": [1, 2], "b": [3]}, budget_us=1e6, annealing_time=5.0
    )
    assert spec == same
    assert hash(spec) == hash(same)
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert clone(BoltzmannMachine(sampler=spec)).sampler == spec
    assert spec != SamplerSpec.qpu(solver=features, num_gauges=5, embedding=embedding, annealing_time=5.0)
    assert spec.parameters == {"annealing_time": 5.0}
    # what was given may change, the recipe does not
    embedding["a"].append(9)
    features["qpu"] = False
    assert spec == same
    with pytest.raises(AttributeError):
        spec.opening = {}


def test_a_recipe_with_nothing_said_is_the_name():
    assert SamplerSpec.qpu() == SamplerSpec("qpu")
    assert repr(SamplerSpec.qpu(num_gauges=2)) == "SamplerSpec('qpu', {}, {'num_gauges': 2})"
    assert repr(SamplerSpec("gibbs", {"num_sweeps": 3})) == "SamplerSpec('gibbs', {'num_sweeps': 3})"
    assert "qpu" in sampler_names()
    assert "qpu" not in sampler_names(local=True)


def test_any_factory_has_its_opening():
    spec = SamplerSpec("dimod:TruncateComposite", {}, {"child_sampler": SamplerSpec("exact").open(), "n": 2})
    assert type(spec.open()).__name__ == "TruncateComposite"


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"token": "x"}, "'token'"),
        ({"api_token": "x"}, "'api_token'"),
        ({"headers": {"X-Auth-Token": "x"}}, "'X-Auth-Token'"),
        ({"solver": {"name": "a", "Password": "x"}}, "'Password'"),
        ({"defaults": [{"client_secret": "x"}]}, "'client_secret'"),
        ({"proxy": "http://me:word@proxy.net"}, "one under 'proxy'"),
        ({"solver": {"name": TOKEN}}, "one under 'name'"),
        ({"profile": TOKEN}, "one under 'profile'"),
    ],
)
def test_credentials_are_refused_at_any_depth_and_not_repeated(keywords, said):
    with pytest.raises(ValueError, match=rf"holds no credentials.*got {said}. Put them in") as caught:
        SamplerSpec.qpu(**keywords)
    assert TOKEN not in str(caught.value)
    with pytest.raises(ValueError, match="holds no credentials"):
        SamplerSpec("package:factory", {}, keywords)


def test_what_shapes_no_reads_does_not_part_a_checkpoint_from_its_job():
    spec = SamplerSpec.qpu(solver="a", num_gauges=2, budget_us=1e6, journal="j.sqlite", annealing_time=5.0)
    richer = SamplerSpec.qpu(solver="a", num_gauges=2, budget_us=9e6, resubmit_in_doubt=True, annealing_time=5.0)
    assert describe_sampler(spec) == describe_sampler(richer)
    for other in ({"solver": "b", "num_gauges": 2}, {"solver": "a", "num_gauges": 3}, {"solver": "a"}):
        assert describe_sampler(SamplerSpec.qpu(**other, annealing_time=5.0)) != describe_sampler(spec)
    assert describe_sampler(SamplerSpec.qpu()) == describe_sampler(SamplerSpec("qpu"))
    schedules = [{"anneal_schedule": np.array([[0.0, 0.0], [t, 1.0]])} for t in (1.0, 2.0)]
    one, two = (describe_sampler(SamplerSpec.qpu(**schedule)) for schedule in schedules)
    assert one != two
