"""The verdict on runs in equilibrium and on runs that are not."""

import json

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import kstest

from annealnn import GibbsSampler
from annealnn.diagnostics import thermalisation
from annealnn.models import Parameters, Structure

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
REPEATS = 200


def ar1(correlation, shape, seed):
    noise = np.sqrt(1 - correlation**2) * np.random.default_rng(seed).normal(size=shape)
    noise[:, 0] /= np.sqrt(1 - correlation**2)
    return lfilter([1], [1, -correlation], noise, axis=1)


def energies_along_sweeps(structure, parameters, *, beta, num_reads, num_sweeps, start=None):
    """Return the energies after every sweep, (num_reads, num_sweeps)."""
    compiled = GibbsSampler().compile(structure, beta=beta, num_threads=1)
    state = compiled.init(num_reads, 3)
    if start is not None:
        state = state._replace(spins=start)
    energies = np.empty((num_reads, num_sweeps))
    for t in range(num_sweeps):
        step = compiled.step(parameters, state)
        state = step.state
        energies[:, t] = structure.energies(parameters, step.spins)
    return energies


def torus(length):
    site = np.arange(length**2).reshape(length, length)
    edges = [(a, b) for shift in (0, 1) for a, b in zip(site.flat, np.roll(site, -1, shift).flat, strict=True)]
    structure = Structure(length**2, np.array(edges))
    return structure, Parameters(np.zeros(length**2), np.ones(structure.num_edges))


def test_a_gibbs_run_is_thermal_and_an_unfinished_one_is_not():
    structure, parameters = torus(8)
    verdict = thermalisation(energies_along_sweeps(structure, parameters, beta=0.3, num_reads=8, num_sweeps=3_000))
    assert verdict.thermalised, verdict.reason
    assert "autocorrelation times" in verdict.reason
    assert (verdict.num_reads, verdict.num_sweeps_discarded, verdict.num_sweeps_kept) == (8, 1_500, 1_500)
    # domains of a cold ferromagnet grow for many sweeps more than these
    structure, parameters = torus(16)
    verdict = thermalisation(energies_along_sweeps(structure, parameters, beta=1.0, num_reads=64, num_sweeps=64))
    assert not verdict.thermalised
    assert verdict.r_hat > 1.1
    assert "reads or their halves disagree" in verdict.reason


def test_reads_started_in_two_valleys_are_not_thermal():
    # all to all: a field in favour of one valley, a barrier that no read crosses in time
    structure = Structure.complete(24)
    parameters = Parameters(np.full(24, 0.03), np.full(structure.num_edges, 0.11))

    def verdict_from(starts):
        spins = np.repeat(np.array(starts, np.int8)[:, None], 24, axis=1)
        return thermalisation(
            energies_along_sweeps(structure, parameters, beta=1.0, num_reads=8, num_sweeps=1_000, start=spins)
        )

    both = verdict_from([1, 1, 1, 1, -1, -1, -1, -1])
    assert not both.thermalised
    assert both.r_hat > 1.1
    # nothing in one valley speaks of the other: that is what True does not say
    assert verdict_from([1] * 8).r_hat < 1.05


def test_a_start_far_away_is_seen():
    x = ar1(0.5, (16, 2_000), seed=1)
    assert thermalisation(x).thermalised
    far = x + 200 * np.exp(-np.arange(2_000) / 300)
    assert not thermalisation(far).thermalised
    # the same start, forgotten before the sweeps that are kept
    assert thermalisation(x + 200 * np.exp(-np.arange(2_000) / 30)).thermalised


@pytest.mark.parametrize("shape", [(1, 8_000), (4, 3_000)])
def test_drift_alarms_as_often_as_stated(shape):
    verdicts = [thermalisation(ar1(0.5, shape, seed)) for seed in range(REPEATS)]
    pvalues = [verdict.drift_pvalue for verdict in verdicts]
    assert kstest(pvalues, "uniform").pvalue > FALSE_ALARM
    assert kstest(np.square(pvalues), "uniform").pvalue < FALSE_ALARM
    # binomial(200, 0.001): P(more than 5) < 1e-6
    assert sum(p < 1e-3 for p in pvalues) <= 5
    assert sum(not verdict.thermalised for verdict in verdicts) <= 5


def test_an_alternating_read_is_judged_by_its_drift():
    verdicts = [thermalisation(ar1(-0.7, (1, 128), seed), r_hat_limit=2.0) for seed in range(REPEATS)]
    # a time that could not be had is inf, and the p-value nan
    for verdict in verdicts:
        assert verdict.autocorrelation_time.value >= 1 / np.log10(64)
        assert np.isfinite(verdict.drift_pvalue) == np.isfinite(verdict.autocorrelation_time.value)
        assert not verdict.thermalised or np.isfinite(verdict.drift_pvalue)
    assert sum(verdict.thermalised for verdict in verdicts) > 20


def test_a_drift_that_cannot_be_judged_is_not_passed_over(monkeypatch):
    x = ar1(0.5, (8, 4_000), seed=3)
    assert thermalisation(x).thermalised
    monkeypatch.setattr("annealnn.diagnostics._thermalisation._drift_pvalue", lambda _: float("nan"))
    verdict = thermalisation(x)
    assert not verdict.thermalised
    assert verdict.reason == "whether the mean energy drifts could not be told"


def test_one_read_is_judged_and_says_what_was_not():
    x = ar1(0.5, (1, 8_000), seed=2)
    verdict = thermalisation(x[0])
    assert verdict.thermalised
    assert "agreement of reads was not checked" in verdict.reason
    drifting = thermalisation(x[0] + np.linspace(0, 3, 8_000))
    assert not drifting.thermalised
    assert "drifts" in drifting.reason
    assert "one read" in drifting.reason


def test_each_limit_can_refuse():
    x = ar1(0.5, (8, 4_000), seed=3)
    assert thermalisation(x).thermalised
    assert "R-hat" in thermalisation(x, r_hat_limit=1 + 1e-9).reason
    assert "not more than 5000 autocorrelation times, of" in thermalisation(x, times_needed=5_000).reason
    assert "drifts" in thermalisation(x, false_alarm=1.0).reason
    assert not any(
        thermalisation(x, **limit).thermalised
        for limit in ({"r_hat_limit": 1 + 1e-9}, {"times_needed": 5_000}, {"false_alarm": 1.0})
    )


def test_a_slow_run_has_too_few_autocorrelation_times():
    walk = np.cumsum(np.random.default_rng(4).normal(size=(8, 200)), axis=1)
    verdict = thermalisation(walk)
    assert not verdict.thermalised
    assert "longer than the kept sweeps can say" in verdict.reason
    assert verdict.to_dict()["autocorrelation_time"] == [None, None]


def test_constant_energies_say_nothing():
    verdict = thermalisation(np.full((4, 100), -3.0))
    assert not verdict.thermalised
    assert "every energy is -3: reads at zero temperature and reads that are stuck look the same" in verdict.reason
    assert thermalisation(np.full((4, 100), -3.0), one_level=True).thermalised
    # moved early, stuck since
    stuck = np.full((4, 100), -3.0)
    stuck[:, :10] = 0.0
    assert not thermalisation(stuck).thermalised
    assert not thermalisation(stuck, one_level=True).thermalised
    # stuck apart
    apart = thermalisation(np.full((4, 100), -3.0) + np.arange(4)[:, None])
    assert not apart.thermalised
    assert apart.r_hat == np.inf


def test_few_sweeps_say_nothing():
    for num_sweeps in (1, 31):
        verdict = thermalisation(np.random.default_rng(5).normal(size=(100, num_sweeps)))
        assert not verdict.thermalised
        assert verdict.reason == f"too few sweeps to judge: {num_sweeps}, and at least 32 are needed"


def test_a_verdict_goes_to_json():
    for x in (ar1(0.5, (4, 2_000), seed=6), np.full((4, 100), -3.0), np.zeros((2, 3))):
        verdict = thermalisation(x)
        held = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
        assert held["thermalised"] is verdict.thermalised
        assert set(held) == set(type(verdict).__dataclass_fields__)


def test_bad_energies_are_refused():
    with pytest.raises(ValueError, match="numbers in energies are finite; got nan at read 0, sweep 2"):
        thermalisation(np.array([[0.0, 1.0, np.nan]]))
    with pytest.raises(ValueError, match=r"numbers in energies have shape .* got float64 of shape \(0, 5\)"):
        thermalisation(np.zeros((0, 5)))
    with pytest.raises(ValueError, match="r_hat_limit is a finite number, above 1; got 1"):
        thermalisation(np.zeros((2, 50)), r_hat_limit=1)
    with pytest.raises(ValueError, match="false_alarm is a finite number, above 0 and at most 1; got 2"):
        thermalisation(np.zeros((2, 50)), false_alarm=2)
    with pytest.raises(ValueError, match="times_needed is a finite number, above 0; got -1"):
        thermalisation(np.zeros((2, 50)), times_needed=-1)
