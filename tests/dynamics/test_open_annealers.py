"""The noisy annealers: what is read is what the master equation says, and independent parts are annealed apart."""

import json

import dimod
import numpy as np
import pytest
from scipy.stats import chisquare

from annealnn.dynamics._bath import OhmicBath
from annealnn.dynamics._dephasing import evolve_dephasing
from annealnn.dynamics._master_equation import evolve_open
from annealnn.dynamics._open_annealers import AdiabaticMasterEquationAnnealer, DephasingAnnealer
from annealnn.models import IsingModel
from annealnn.models._exact import basis_numbers
from annealnn.schedules import AnnealSchedule, EnergyScales
from annealnn.testing import FALSE_ALARM

LOPSIDED = dimod.BQM({"a": 0.7, "b": -0.3, "c": 0.1}, {"ab": -0.9, "bc": 0.4}, 0.25, "SPIN")
# two groups, interleaved, and a coupling of 0 between them
APART = dimod.BQM({"a": 0.7, "b": -0.3, "c": 0.1, "d": 0.4}, {}, 0.0, "SPIN")
# once the variables stand in their order, which couplings would change
APART.add_quadratic_from({"ad": -0.9, "bc": 0.4, "ab": 0.0})
BATH = OhmicBath(beta=1.5, coupling=2e-2)
BOTH = pytest.mark.parametrize("annealer", [AdiabaticMasterEquationAnnealer, DephasingAnnealer])


def model_of(bqm):
    """The problem, variables in the order in which a sample set has them."""
    couplings = {pair: -bias for pair, bias in bqm.quadratic.items()}
    return IsingModel({v: -bias for v, bias in bqm.linear.items()}, couplings, labels=sorted(bqm.variables))


def numbers(samples):
    return basis_numbers(samples.record.sample)


@pytest.mark.parametrize("bqm", [LOPSIDED, APART], ids=["lopsided", "apart"])
@pytest.mark.parametrize("name", ["bath", "dephasing"])
def test_reads_follow_the_evolution_of_the_whole(bqm, name):
    drive = AnnealSchedule.linear(5.0).drive()
    problem, keywords = model_of(bqm), {"annealing_time": 5.0, "num_reads": 20_000, "seed": 1}
    gamma = {v: 0.5 + 0.2 * k for k, v in enumerate(sorted(bqm.variables))}
    if name == "bath":
        found = AdiabaticMasterEquationAnnealer().sample(bqm, bath=BATH, gamma=gamma, tolerance=1e-3, **keywords)
        exact, other = (evolve_open(problem, drive, BATH, gamma=field, tolerance=1e-3) for field in (gamma, 0.5))
    else:
        found = DephasingAnnealer().sample(bqm, dephasing_rate=0.05, gamma=gamma, **keywords)
        exact, other = (evolve_dephasing(problem, drive, 0.05, gamma=field) for field in (gamma, 0.5))
    counts = np.bincount(numbers(found), minlength=len(exact.probabilities))
    assert chisquare(counts, 20_000 * exact.probabilities).pvalue > FALSE_ALARM
    assert chisquare(counts, 20_000 * other.probabilities).pvalue < FALSE_ALARM
    energies = problem.energy(1 - 2 * ((np.arange(2 ** len(bqm))[:, None] >> np.arange(len(bqm))[::-1]) & 1))
    assert found.info["energy"] == pytest.approx(exact.probabilities @ energies + bqm.offset, abs=1e-3)
    assert found.info["success_probability"] == pytest.approx(exact.probabilities[energies.argmin()], abs=1e-3)


def test_groups_that_are_alike_are_annealed_once():
    pair = dimod.BQM({}, {"ab": 1.0}, 0.0, "SPIN")
    pairs = dimod.BQM({}, {(f"a{k}", f"b{k}"): 1.0 for k in range(8)}, 0.0, "SPIN")
    told, annealer = [], AdiabaticMasterEquationAnnealer()
    one = annealer.sample(pair, bath=BATH, seed=1)
    eight = annealer.sample(pairs, bath=BATH, seed=1, progress=lambda done, total: told.append(done / total))
    assert told[-1] == 1
    weak = {v: 0.3 if v in ("a7", "b7") else 1.0 for v in pairs.variables}
    unlike = annealer.sample(pairs, bath=BATH, seed=1, gamma=weak)
    assert unlike.info["num_steps"] > one.info["num_steps"]
    assert unlike.info["success_probability"] != pytest.approx(eight.info["success_probability"])
    assert eight.info["num_steps"] == one.info["num_steps"]
    assert eight.info["success_probability"] == pytest.approx(one.info["success_probability"] ** 8)


def test_info_tells_the_bath_and_no_temperature_of_the_reads():
    info = AdiabaticMasterEquationAnnealer().sample(LOPSIDED, bath=BATH, seed=1).info
    assert info["beta"] is None
    assert info["bath"] == {"kind": "ohmic", "beta": 1.5, "coupling": 2e-2, "cutoff": 10.0, "time_unit": "1/energy"}
    assert info["schedule"]["points"] == [[0.0, 0.0], [20.0, 1.0]]
    assert 0 < info["state_error"] < 1e-2
    assert not info["interrupted"]
    assert info["time_reached"] == 20.0
    json.dumps(info)
    info = DephasingAnnealer().sample(LOPSIDED, dephasing_rate=0.1, seed=1).info
    assert info["dephasing_rate"] == 0.1
    assert info["state_error"] is None
    json.dumps(info)
    assert AdiabaticMasterEquationAnnealer().properties["distribution"] is None


def test_info_is_json_of_numbers_of_any_kind():
    bqm = dimod.BQM({"a": 1.0}, {}, 0.0, "SPIN")
    bath = OhmicBath(beta=np.float32(2), coupling=np.float32(0.5), cutoff=np.int64(3))
    json.dumps(AdiabaticMasterEquationAnnealer().sample(bqm, bath=bath).info)
    json.dumps(DephasingAnnealer().sample(bqm, dephasing_rate=np.float32(0.5)).info)


@BOTH
def test_reverse_anneal_begins_in_the_given_state(annealer):
    # a short excursion leaves most of it where it was
    schedule = AnnealSchedule.reverse(0.2, s=0.8)
    for given in ({"a": 1, "b": -1, "c": 1}, {"a": -1, "b": 1, "c": 1}):
        found = annealer().sample(LOPSIDED, schedule=schedule, initial_state=given, num_reads=100, seed=2)
        rows = [tuple(row[v] for v in "abc") for row in found.samples(sorted_by=None)]
        assert rows.count(tuple(given[v] for v in "abc")) > 90


def test_reverse_anneal_of_groups_begins_in_the_given_state():
    schedule = AnnealSchedule.reverse(0.1, s=0.9)
    given = {"a": 1, "b": -1, "c": -1, "d": -1}
    found = AdiabaticMasterEquationAnnealer().sample(
        APART, schedule=schedule, initial_state=given, num_reads=100, seed=2
    )
    assert sum(dict(row) == given for row in found.samples(sorted_by=None)) > 90


def test_a_processors_schedule_goes_with_a_bath_in_ns():
    scales = EnergyScales.from_ghz([0, 1], [6.0, 0.0], [0.0, 12.0])
    schedule = AnnealSchedule.linear(3.0, scales=scales)
    bath = OhmicBath.at_temperature_mk(15.0, coupling=1e-3)
    pair = dimod.BQM({"a": -0.1}, {"ab": -0.3}, 0.0, "SPIN")
    found = AdiabaticMasterEquationAnnealer().sample(pair, schedule=schedule, bath=bath, seed=3)
    assert found.info["bath"]["time_unit"] == "ns"
    with pytest.raises(ValueError, match=r"bath=None\. Give OhmicBath\.at_temperature_mk"):
        AdiabaticMasterEquationAnnealer().sample(pair, schedule=schedule)
    with pytest.raises(ValueError, match="one time unit; got '1/energy' and 'ns'"):
        AdiabaticMasterEquationAnnealer().sample(pair, schedule=schedule, bath=BATH)
    with pytest.raises(ValueError, match="one time unit; got 'ns' and '1/energy'"):
        AdiabaticMasterEquationAnnealer().sample(pair, bath=bath)
    with pytest.raises(TypeError, match="bath is an OhmicBath; got float"):
        AdiabaticMasterEquationAnnealer().sample(pair, bath=1.0)


@BOTH
def test_an_interrupt_reads_the_state_as_it_stands(annealer):
    schedule = AnnealSchedule([(0.0, 0.0), (4.0, 0.2), (20.0, 1.0)])
    asked = []

    def stop():
        asked.append(1)
        return True

    found = annealer().sample(APART, schedule=schedule, interrupt_function=stop, num_reads=50, seed=4)
    assert len(asked) == 1
    assert found.info["interrupted"]
    # the second group has not begun
    assert found.info["time_reached"] == 0.0
    assert len(found) == 50


@BOTH
def test_progress_is_told(annealer):
    told = []
    annealer().sample(APART, progress=lambda done, total: told.append((done, total)), seed=5)
    assert told == sorted(told)
    assert told[-1] == (1_000_000, 1_000_000)


@BOTH
def test_what_is_too_large_is_refused(annealer):
    chain = dimod.BQM({}, {(k, k + 1): 1.0 for k in range(8)}, 0.0, "SPIN")
    with pytest.raises(ValueError, match="up to 8 qubits; got 9"):
        annealer().sample(chain)
    with pytest.raises(MemoryError, match=r"energies of 60 variables, 2\^60 states, need about"):
        annealer().sample(dimod.BQM(dict.fromkeys(range(60), 0.1), {}, 0.0, "SPIN"))


@BOTH
def test_bad_keywords_are_refused(annealer):
    with pytest.raises(ValueError, match="a reverse anneal begins in a state"):
        annealer().sample(LOPSIDED, schedule=AnnealSchedule.reverse(1.0, s=0.5))
    with pytest.raises(ValueError, match=r"tolerance is a finite number, .*; got 0\.5"):
        annealer().sample(LOPSIDED, tolerance=0.5)
    with pytest.raises(TypeError, match="interrupt_function is None or a callable"):
        annealer().sample(LOPSIDED, interrupt_function=1)
