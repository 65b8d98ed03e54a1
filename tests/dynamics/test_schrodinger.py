"""The ideal annealer: reads follow |psi|^2, and `info` says of the state what enumeration says."""

import json

import dimod
import numpy as np
import pytest
from scipy.stats import chi2

from annealnn import IsingModel
from annealnn.dynamics import SchrodingerAnnealer, evolve
from annealnn.models._exact import basis_numbers, basis_spins
from annealnn.schedules import AnnealSchedule, EnergyScales
from annealnn.testing import FALSE_ALARM, LOPSIDED

REVERSE = AnnealSchedule.reverse(3.0, s=0.4, hold_time=1.0)


def counts(found, labels):
    columns = [found.variables.index(label) for label in labels]
    return np.bincount(basis_numbers(found.record.sample[:, columns]), minlength=2 ** len(labels))


def reading_pvalue(annealing_time, assumed_time):
    """Return the p-value of reads of LOPSIDED against |psi|^2 of an anneal, by Pearson's chi-square."""
    found = SchrodingerAnnealer().sample(LOPSIDED, num_reads=50_000, annealing_time=annealing_time, seed=3)
    model = IsingModel.from_bqm(LOPSIDED)
    state = evolve(model, AnnealSchedule.linear(assumed_time).drive()).state
    expected = np.abs(state) ** 2
    seen = counts(found, model.labels)
    kept = expected * 50_000 > 5
    wanted = 50_000 * np.append(expected[kept], max(expected[~kept].sum(), 1e-12))
    statistic = ((np.append(seen[kept], seen[~kept].sum()) - wanted) ** 2 / wanted).sum()
    return chi2.sf(statistic, kept.sum())


def test_reads_follow_the_state():
    assert reading_pvalue(1.5, 1.5) > FALSE_ALARM


def test_the_check_has_teeth():
    assert reading_pvalue(1.5, 1.7) < FALSE_ALARM


def test_info_says_what_the_state_says():
    found = SchrodingerAnnealer().sample(LOPSIDED, num_reads=5, annealing_time=2.0, seed=1, tolerance=1e-8)
    model = IsingModel.from_bqm(LOPSIDED)
    state = evolve(model, AnnealSchedule.linear(2.0).drive()).state
    energies = dimod.ExactSolver().sample(LOPSIDED)
    levels = np.unique(energies.record.energy.round(9))
    info = found.info
    json.dumps(info)
    assert [level["energy"] for level in info["populations"]] == pytest.approx(levels[:4])
    rows = energies.record.sample[:, [energies.variables.index(label) for label in model.labels]]
    by_row = np.abs(state[basis_numbers(rows)]) ** 2
    of_levels = [by_row[np.isclose(energies.record.energy, level)].sum() for level in levels[:4]]
    assert [level["probability"] for level in info["populations"]] == pytest.approx(of_levels, abs=1e-7)
    assert info["success_probability"] == pytest.approx(of_levels[0], abs=1e-7)
    assert info["energy"] == pytest.approx(by_row @ energies.record.energy, abs=1e-6)
    assert (info["beta"], info["gamma"], info["interrupted"], info["time_reached"]) == (None, 1.0, False, 2.0)
    assert info["schedule"] == {"points": [[0.0, 0.0], [2.0, 1.0]], "scales": "linear", "time_unit": "1/energy"}
    assert 0 < info["state_error"] < 2e-8


def test_degenerate_levels_are_one():
    ring = dimod.BQM({}, {(i, (i + 1) % 6): -1 / 3 for i in range(6)}, 0.1, "SPIN")
    info = SchrodingerAnnealer().sample(ring, annealing_time=3.0).info
    assert [level["num_states"] for level in info["populations"]] == [2, 30, 30, 2]
    assert sum(level["probability"] for level in info["populations"]) == pytest.approx(1)
    assert info["populations"][0]["energy"] == pytest.approx(-1.9)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e6])
def test_levels_are_told_apart_in_any_unit(scale):
    pair = dimod.BQM({"a": 0.5 * scale}, {"ab": -1.0 * scale}, 0.0, "SPIN")
    info = SchrodingerAnnealer().sample(pair, annealing_time=1e-6).info
    assert [level["num_states"] for level in info["populations"]] == [1, 1, 1, 1]
    # too short for anything to move
    assert info["success_probability"] == pytest.approx(0.25, abs=1e-3)


def test_slow_anneals_end_in_the_ground_state_and_fast_ones_anywhere():
    model = dimod.generators.ran_r(3, 6, seed=2)
    model.add_linear_from(dict.fromkeys(model.variables, 0.1))
    success = [
        SchrodingerAnnealer().sample(model, annealing_time=time).info["success_probability"]
        for time in (1e-3, 10.0, 200.0)
    ]
    ground = dimod.ExactSolver().sample(model).record.energy
    assert success[0] == pytest.approx(np.isclose(ground, ground.min()).mean(), abs=1e-3)
    assert success[0] < success[1] < success[2]
    assert success[2] > 0.99


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_reverse_anneals_begin_where_they_are_told(vartype):
    # too fast to leave it
    sudden = AnnealSchedule.reverse(1e-6, s=0.5)
    start = {"a": 1, "b": min(dimod.as_vartype(vartype).value), "c": 1}
    problem = LOPSIDED.change_vartype(vartype, inplace=False)
    found = SchrodingerAnnealer().sample(problem, num_reads=20, schedule=sudden, initial_state=start)
    assert all(read == start for read in found.samples())


def test_a_processor_anneals_in_ns():
    s = np.linspace(0, 1, 21)
    scales = EnergyScales.from_ghz(s, 10 * (1 - s) ** 3, 12 * s, name="a processor")
    ghz = AnnealSchedule.linear(2.0, scales=scales)
    info = SchrodingerAnnealer().sample(LOPSIDED, schedule=ghz).info
    assert info["schedule"]["time_unit"] == "ns"
    assert info["schedule"]["scales"] == "a processor"
    # the same numbers in rad/ns
    plain = EnergyScales(s=s, transverse=np.pi * 10 * (1 - s) ** 3, problem=np.pi * 12 * s)
    same = SchrodingerAnnealer().sample(LOPSIDED, schedule=AnnealSchedule.linear(2.0, scales=plain)).info
    assert info["success_probability"] == pytest.approx(same["success_probability"], abs=1e-9)


def test_transverse_fields_may_differ():
    fields = {"a": 1.0, "b": 0.0, "c": 0.5}
    info = SchrodingerAnnealer().sample(LOPSIDED, gamma=fields, annealing_time=1.0).info
    assert info["gamma"] == [fields[label] for label in LOPSIDED.variables]


def test_an_interrupt_reads_the_state_as_it_stands():
    model = dimod.generators.ran_r(3, 10, seed=1)
    asked = []
    found = SchrodingerAnnealer().sample(
        model, annealing_time=1e4, num_reads=3, interrupt_function=lambda: asked.append(1) or len(asked) > 3
    )
    assert found.info["interrupted"]
    assert 0 < found.info["time_reached"] < 1e4
    assert len(found) == 3


def test_progress_is_told_in_millionths():
    told = []
    SchrodingerAnnealer().sample(LOPSIDED, progress=lambda *seen: told.append(seen))
    assert told[-1] == (1_000_000, 1_000_000)
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"annealing_time": -1.0}, ValueError, "annealing_time is a finite number, .*; got -1.0"),
        ({"annealing_time": 0.0}, ValueError, "annealing_time is a finite number, above 0; got 0.0"),
        ({"annealing_time": 1.0, "schedule": REVERSE}, ValueError, "annealing_time is of a linear schedule"),
        ({"schedule": [(0, 0), (1, 1)]}, TypeError, "schedule is an AnnealSchedule; got list"),
        ({"schedule": REVERSE}, ValueError, "a reverse anneal begins in a state; got initial_state=None"),
        ({"initial_state": {"a": 1}}, ValueError, "initial_state goes with a reverse anneal"),
        ({"schedule": REVERSE, "initial_state": {"a": 1}}, ValueError, "every variable; got 'none' for 'b'"),
        ({"schedule": REVERSE, "initial_state": 7}, ValueError, "a mapping from label to value; got 7"),
        (
            {"schedule": REVERSE, "initial_state": dict.fromkeys("abc", 0)},
            ValueError,
            r"one of \[-1, 1\].*got 0 for 'a'",
        ),
        ({"gamma": {"a": 1.0}}, ValueError, "gamma has a value for every variable; got none for 'b'"),
        ({"num_reads": 0}, ValueError, "num_reads is a whole number"),
        ({"seed": -1}, ValueError, "seed is a whole number"),
        ({"tolerance": 0.5}, ValueError, "tolerance is a finite number"),
        ({"interrupt_function": 3}, TypeError, "interrupt_function is None or a callable"),
    ],
)
def test_bad_input_is_refused(keywords, error, says):
    with pytest.raises(error, match=says):
        SchrodingerAnnealer().sample(LOPSIDED, **keywords)


def test_too_many_variables_are_refused():
    chain = dimod.BQM({}, {(k, k + 1): 1.0 for k in range(49)}, 0.0, "SPIN")
    with pytest.raises(MemoryError, match=r"2\^50 amplitudes.* GiB, and .* free. Take a smaller problem"):
        SchrodingerAnnealer().sample(chain)
    with pytest.raises(MemoryError, match=r"energies of 50 variables, 2\^50 states, need about .* GiB"):
        SchrodingerAnnealer().sample(dimod.BQM(dict.fromkeys(range(50), 1.0), {}, 0.0, "SPIN"))


def test_variables_that_nothing_joins_are_annealed_apart():
    # two alike, one of other fields, one alone; labels in no order
    apart = dimod.BQM({"d": 0.3, "x": -0.4}, {"ac": 1.0, "bd": -0.5, "ef": 1.0}, 0.5, "SPIN")
    whole = evolve(IsingModel.from_bqm(apart), AnnealSchedule.linear(2.0).drive()).state
    found = SchrodingerAnnealer().sample(apart, annealing_time=2.0, tolerance=1e-8, num_reads=20_000, seed=1)
    energies = IsingModel.from_bqm(apart).energy(basis_spins(7))
    assert found.info["energy"] == pytest.approx(np.abs(whole) ** 2 @ energies, abs=1e-6)
    seen = counts(found, IsingModel.from_bqm(apart).labels) / 20_000
    # a read's standard error is at most 0.0035
    assert np.abs(seen - np.abs(whole) ** 2).max() < 0.02
