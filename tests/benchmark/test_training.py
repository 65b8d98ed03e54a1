"""Machines that learn from contestants, against sums over all states."""

import itertools
import json
import math

import numpy as np
import pytest

from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._task import Task
from annealnn.benchmark._training import _log_likelihood, plan_trainings, train
from annealnn.exceptions import ProblemRefusedError, UnknownFamilyError
from annealnn.models import IsingModel

BARS = InstanceSpec(family="bars-and-stripes", size=2)


def task(name, *, effort=10.0, data=BARS, num_reads=200, seed=1, settings=None, **options):
    options = {"n_iter": 60} | options
    contestant = ContestantSpec(name=name, settings=settings or {})
    told = {"effort": effort, "num_reads": num_reads, "seed": seed, "options": options}
    return Task(kind="train", instance=data, contestant=contestant, **told)


@pytest.fixture(scope="module")
def oracle():
    return train(task("exact", effort=None))


def test_the_oracle_learns(oracle):
    """As likely as it gets, a row of bars and stripes has 1 in 6."""
    assert oracle["untrained"] == pytest.approx(-4 * math.log(2))
    assert oracle["untrained"] + 0.3 < oracle["log_likelihood"] < -math.log(6)
    assert oracle["exact"] == pytest.approx(oracle["log_likelihood"])
    assert oracle["num_samples"] == 60 * 200
    assert (oracle["num_variables"], oracle["num_rows"]) == (4, 6)
    assert oracle["timing"]["annealing_s"] > 0
    json.dumps(oracle, allow_nan=False)


def test_log_likelihoods_are_sums_over_all_states():
    model = IsingModel([0.3, -0.2, 0.5], {(0, 1): 0.7, (1, 2): -0.4})
    rows = np.array([[1, -1, 1], [1, 1, 1]], np.int8)

    def weight(s, beta):
        return math.exp(beta * (0.3 * s[0] - 0.2 * s[1] + 0.5 * s[2] + 0.7 * s[0] * s[1] - 0.4 * s[1] * s[2]))

    for beta in (1.0, 1.7):
        total = sum(weight(s, beta) for s in itertools.product([-1, 1], repeat=3))
        truth = np.mean([math.log(weight(row, beta) / total) for row in rows.tolist()])
        assert _log_likelihood(model, rows, beta) == pytest.approx(truth, abs=1e-12)


@pytest.mark.parametrize(
    "name", ["gibbs", "anneal", "neal", "dwave-path-integral", "population-annealing", "quantum-anneal", "tempering"]
)
def test_a_sampler_teaches_as_well_as_the_oracle(name, oracle):
    """Learned parameters scatter by 1/sqrt(reads) a step; the likelihood, at its top, by the square of that."""
    learned = train(task(name))
    assert learned["beta_known"]
    assert learned["exact"] == oracle["exact"]
    assert learned["num_samples"] == oracle["num_samples"]
    assert learned["log_likelihood"] == pytest.approx(oracle["log_likelihood"], abs=0.05)


def test_one_at_another_temperature_teaches_something_else(oracle):
    learned = train(task("gibbs", settings={"beta": 4.0}))
    assert learned["log_likelihood"] < oracle["log_likelihood"] - 0.1


def test_of_a_chip_the_likelihood_is_at_its_effective_beta():
    """The stand-in is at beta 3: a machine that learned from it is cold by its own measure."""
    learned = train(task("standin", effort=20.0, settings={"topology": "zephyr-2", "beta": 3.0}, n_iter=15))
    assert not learned["beta_known"]
    beta = learned["effective_beta"]
    assert abs(beta["value"] - 3.0) < 5 * beta["standard_error"] < 3.0
    assert learned["log_likelihood"] > learned["log_likelihood_at_beta_one"] + 0.1


def test_a_mixture_has_its_own_rows():
    data = InstanceSpec(family="bernoulli-mixture", size=5, seed=3, options={"n_samples": 40, "p": 0.95})
    learned = train(task("gibbs", data=data, n_iter=20))
    assert (learned["num_variables"], learned["num_rows"]) == (5, 40)
    assert learned["log_likelihood"] > learned["untrained"]


def test_trainings_are_planned_for_all_alike():
    specs = [(ContestantSpec(name="gibbs"), 10.0), (ContestantSpec(name="exact"), None)]
    tasks = plan_trainings(specs, BARS, num_reads=50, seeds=range(3), options={"n_iter": 5})
    assert len({each.key for each in tasks}) == 6
    assert [each.contestant.name for each in tasks] == ["gibbs", "exact"] * 3
    assert {each.num_reads for each in tasks} == {50}
    assert Task.from_dict(json.loads(json.dumps(tasks[0].to_dict()))).key == tasks[0].key


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (task("tree", effort=None), ProblemRefusedError, "temperature; 'tree' has none"),
        (task("gibbs", data=InstanceSpec(family="cats", size=2)), UnknownFamilyError, "bars-and-stripes.*got 'cats'"),
        (task("gibbs", data=InstanceSpec(family="bars-and-stripes", size=5)), ValueError, "up to 20.*got 25"),
        (
            task("gibbs", data=InstanceSpec(family="bars-and-stripes", size=2, options={"p": 1})),
            ValueError,
            "do not take an option.*'p'",
        ),
        (task("gibbs", epochs=3), ValueError, "options of a training are n_iter.*got 'epochs'"),
        (task("gibbs", n_iter=0), ValueError, "n_iter.*0"),
        (task("gibbs", learning_rate=0.0), ValueError, "learning_rate.*0"),
        (Task(instance=BARS, contestant=ContestantSpec(name="gibbs")), ValueError, "kind 'train'.*got kind 'sample'"),
        (Task(kind="train", instance=BARS), ValueError, "a contestant; got kind 'train' and None"),
    ],
    ids=["solver", "data", "size", "data-option", "option", "n_iter", "rate", "kind", "nobody"],
)
def test_what_cannot_be_trained_is_told_of(given, error, words):
    with pytest.raises(error, match=words):
        train(given)
