"""Measures of reads against slow, readable twins."""

import json
from itertools import product

import numpy as np
import pytest

from annealnn.benchmark._measures import check_measures, measure_names, take_measures
from annealnn.diagnostics import effective_beta
from annealnn.models import IsingModel

# lopsided, with a coupling too weak to matter and labels in odd order
MODEL = IsingModel(
    {"c": 0.3, "a": -0.7, "d": 0.05, "b": 1.1}, {("a", "b"): 0.9, ("c", "a"): -0.6, ("d", "b"): 1e-3}, offset=2.5
)


def reads(num_reads, model=MODEL, seed=0):
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([-1, 1], np.int8), (num_reads, model.structure.num_variables))


def take(name, spins, model=MODEL):
    found = take_measures([name], model, spins, model.energy(spins))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found[name]


def tally(values):
    ascending = sorted(set(values))
    return ascending, [values.count(value) for value in ascending]


@pytest.mark.parametrize("num_reads", [1, 2, 7, 40])
def test_overlaps(num_reads):
    spins = reads(num_reads)
    pairs = [(2 * k, 2 * k + 1) for k in range(num_reads // 2)]
    values, counts = tally([sum(int(a) * int(b) for a, b in zip(spins[r], spins[t], strict=True)) for r, t in pairs])
    assert take("overlaps", spins) == {"num_spins": 4, "values": values, "counts": counts}


def test_overlaps_of_many_spins_do_not_wrap():
    model = IsingModel(np.zeros(1000), {})
    assert take("overlaps", np.ones((2, 1000), np.int8), model)["values"] == [1000]


def test_states():
    spins = reads(50)
    values, counts = tally([int("".join("1" if s > 0 else "0" for s in row), 2) for row in spins])
    assert take("states", spins) == {"indices": values, "counts": counts}


def test_the_first_variable_is_most_significant():
    assert take("states", np.array([[1, -1, -1, -1]], np.int8))["indices"] == [8]


def test_states_of_many_variables_are_refused():
    check_measures(["states"], 20)
    with pytest.raises(ValueError, match="'states' are counted up to 20 variables; got 21"):
        check_measures(["states"], 21)


def test_unknown_measures_are_refused():
    check_measures(measure_names())
    with pytest.raises(ValueError, match=r"one of overlaps, states, .*; got 'luck'"):
        check_measures(["overlaps", "luck"])


def test_effective_beta():
    spins = reads(60)
    value, error = effective_beta(MODEL.structure, MODEL.parameters, spins)
    assert take("effective-beta", spins) == {"value": value, "standard_error": error, "method": "pseudo-likelihood"}


def test_no_beta_explains_local_minima_alone():
    frozen = np.array([[-1, -1, 1, 1]] * 3, np.int8)
    model = IsingModel([-1.0, -1.0, 1.0, 1.0], {})
    assert take("effective-beta", frozen, model) == {
        "value": None,
        "standard_error": None,
        "method": "pseudo-likelihood",
    }


def test_energy_moments():
    spins = reads(9)
    energies = [float(MODEL.energy(row)) for row in spins]
    mean = sum(energies) / 9
    found = take("energy-moments", spins)
    assert found["num_reads"] == 9
    assert found["mean"] == pytest.approx(mean, rel=1e-12)
    assert found["variance"] == pytest.approx(sum((e - mean) ** 2 for e in energies) / 8, rel=1e-12)
    assert take("energy-moments", spins[:1])["variance"] is None


def lower(model, spins):
    """The best flip, again and again."""
    spins = np.array(spins)
    while True:
        flipped = spins * (1 - 2 * np.eye(len(spins), dtype=int))
        energies = model.energy(flipped)
        if energies.min() >= model.energy(spins) - 1e-12:
            return tuple(spins.tolist())
        spins = flipped[energies.argmin()]


def test_valleys():
    rng = np.random.default_rng(4)
    model = IsingModel(0.1 * rng.normal(size=16), np.triu(rng.normal(size=(16, 16)), 1), offset=-1.0)
    spins = reads(60, model)
    found = take("valleys", spins, model)
    twin = [lower(model, row) for row in spins.tolist()]
    assert len(set(twin)) > 3
    assert found["num_reads"] == 60
    assert len({valley["key"] for valley in found["valleys"]}) == len(set(twin))
    expected = sorted((float(model.energy(s)), twin.count(s)) for s in set(twin))
    assert [valley["count"] for valley in found["valleys"]] == [count for _, count in expected]
    np.testing.assert_allclose([v["energy"] for v in found["valleys"]], [e for e, _ in expected], rtol=1e-12)
    # a key is a minimum's, whoever finds it and in whichever order
    again = take("valleys", np.array(list(set(twin)), np.int8)[::-1], model)
    assert {(v["key"], round(v["energy"], 9)) for v in again["valleys"]} == {
        (v["key"], round(v["energy"], 9)) for v in found["valleys"]
    }


def test_every_state_leads_to_a_minimum():
    spins = np.array(list(product([-1, 1], repeat=4)), np.int8)
    valleys = take("valleys", spins)["valleys"]
    minima = {lower(MODEL, row) for row in spins.tolist()}
    assert sum(valley["count"] for valley in valleys) == 16
    assert len(valleys) == len(minima)


@pytest.mark.parametrize("num_variables", [0, 1])
def test_the_smallest_models(num_variables):
    model = IsingModel(np.ones(num_variables), {})
    spins = np.ones((3, num_variables), np.int8)
    found = take_measures(measure_names(), model, spins, model.energy(spins))
    assert found["states"] == {"indices": [2**num_variables - 1], "counts": [3]}
    assert [valley["count"] for valley in found["valleys"]["valleys"]] == [3]
