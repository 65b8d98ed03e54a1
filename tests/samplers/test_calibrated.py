"""A sampler of unknown temperature: what is sent, what is learned of beta, and what is said of its reads."""

import logging
import math

import numpy as np
import pytest
from scipy.stats import chi2

from annealnn.diagnostics._effective_beta import fit_pulls, pulls_of
from annealnn.learning import Bounds, Descent, Learner, Rows, VisiblePhase, checkpoint
from annealnn.models import Clamp, Parameters, Structure
from annealnn.samplers import (
    CalibratedSampler,
    CompiledSampler,
    ExactSampler,
    GibbsSampler,
    ParallelTemperingSampler,
    PathIntegralSampler,
    SamplerState,
    SimulatedAnnealingSampler,
    Step,
)
from annealnn.samplers._couplings import SparseCouplings
from annealnn.samplers._drift import drift_of

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
SIGMAS = 4.9


def dense(num_variables, width=0.4, seed=1):
    rng = np.random.default_rng(seed)
    structure = Structure.complete(num_variables)
    return structure, Parameters(rng.normal(0, width, num_variables), rng.normal(0, width, structure.num_edges))


def torus():
    """A 4x4 ferromagnet, periodic: domains outlive a quench."""
    site = np.arange(16).reshape(4, 4)
    edges = [(a, b) for shift in (0, 1) for a, b in zip(site.flat, np.roll(site, -1, shift).flat, strict=True)]
    structure = Structure(16, np.array(edges))
    return structure, Parameters(np.zeros(16), np.ones(structure.num_edges))


class Drawn(CompiledSampler):
    """Reads of `draw(parameters, num_reads, generator)`; it keeps what it was sent."""

    def __init__(self, structure, draw):
        super().__init__(structure, "spins")
        self._draw, self.sent = draw, []

    def step(self, parameters, state, clamp=None):
        self.sent.append(parameters)
        spins = self._draw(parameters, len(state.spins), np.random.default_rng(state.streams[0])).astype(np.int8)
        return Step(SamplerState(spins, state.streams + np.uint32(1)), spins, None, {})


def exact(structure, beta):
    return ExactSampler().compile(structure, beta=beta)


def random_bits(parameters, num_reads, rng):
    return rng.choice([-1, 1], (num_reads, len(parameters.fields)))


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.5])
def test_beta_is_found_and_reads_are_the_models_at_one(beta):
    structure, parameters = dense(6)
    compiled = CalibratedSampler(exact(structure, beta), want="moments", floor=0.05)
    state = compiled.init(4000, 3)
    for _ in range(6):
        step = compiled.step(parameters, state)
        state = step.state
        assert step.info["boltzmann"]["passed"] is True
    told = step.info["effective_beta"]
    # six estimates of equal weight
    assert abs(compiled.beta(state) / beta - 1) < SIGMAS * told["standard_error"] / told["estimate"] / 6**0.5
    assert abs(compiled.beta(state) / beta - 1.1) > SIGMAS * told["standard_error"] / told["estimate"] / 6**0.5
    step = compiled.step(parameters, state)
    wanted = ExactSampler().compile(structure, want="moments").step(parameters, exact(structure, 1).init(1, 0)).moments
    for found, expected in zip(step.moments, wanted, strict=True):
        assert np.abs(found - expected).max() < 0.03 + 5.2 / 4000**0.5
    assert step.info["scale"] == pytest.approx(1 / compiled.beta(state))


def test_the_estimate_is_a_running_mean_that_forgets():
    structure, parameters = dense(6)
    compiled = CalibratedSampler(exact(structure, 2.5), beta=1.0, floor=0.3)
    state, logs = compiled.init(1000, 1), []
    for _ in range(5):
        step = compiled.step(parameters, state)
        state = step.state
        logs.append(math.log(step.info["effective_beta"]["estimate"]))
    expected = logs[0]
    for weight, value in zip([1 / 2, 1 / 3, 0.3, 0.3], logs[1:], strict=True):
        expected += weight * (value - expected)
    assert compiled.beta(state) == pytest.approx(math.exp(expected))


@pytest.mark.parametrize("beta", [0.1, 10.0])
def test_a_first_beta_that_is_far_off_raises_no_alarm(beta):
    structure, parameters = dense(6, width=0.2 if beta > 1 else 0.5)
    for num_reads in (50, 500, 5000):
        compiled = CalibratedSampler(exact(structure, beta))
        step = compiled.step(parameters, compiled.init(num_reads, 2))
        assert step.info["boltzmann"]["passed"] is not False
    assert compiled.beta(step.state) == pytest.approx(beta, rel=0.5)


def learned(compiled, data, *, num_steps=120):
    """Return the parameters at the end of moment matching from zero, at a falling rate."""
    parameters, state = compiled.structure.zeros(), compiled.init(1024, 5)
    for k in range(num_steps):
        step = compiled.step(parameters, state)
        state, rate = step.state, 0.5 * (1 - k / num_steps)
        differences = (d - m for d, m in zip(data, step.moments, strict=True))
        parameters = Parameters(*(p + rate * d for p, d in zip(parameters, differences, strict=True)))
    return np.concatenate(parameters)


def test_learning_recovers_parameters_at_beta_one():
    structure, truth = dense(6)
    data = ExactSampler().compile(structure, want="moments").step(truth, exact(structure, 1).init(1, 0)).moments
    truth = np.concatenate(truth)

    def child():
        return GibbsSampler().compile(structure, want="moments", beta=2.5, num_sweeps=15, num_threads=1)

    calibrated, plain = learned(CalibratedSampler(child(), want="moments"), data), learned(child(), data)
    slopes = [found @ truth / (truth @ truth) for found in (calibrated, plain)]
    np.testing.assert_allclose(slopes, [1.0, 1 / 2.5], rtol=0.03)
    assert np.abs(calibrated - truth).max() < 0.05
    assert np.abs(2.5 * plain - truth).max() < 0.05


def test_false_alarm_rate_is_as_stated():
    structure, parameters = dense(5, width=0.3)
    sparse, repeats, num_reads = SparseCouplings.of(structure), 400, 60
    compiled = exact(structure, 0.8)
    reads = compiled.step(parameters, compiled.init(num_reads * repeats, 2)).spins.reshape(repeats, num_reads, -1)
    drifts, uncorrected = [], []
    for k, spins in enumerate(reads):
        fit = fit_pulls(pulls_of(structure, parameters, spins))
        drifts.append(drift_of(structure, sparse, parameters, spins, fit, seed=k))
        at_face_value = fit._replace(influences=np.zeros(num_reads))
        uncorrected.append(drift_of(structure, sparse, parameters, spins, at_face_value, seed=k).energy)
    # binomial(400, 0.01): P(more than 18) < 1e-6
    assert sum(drift.pvalue < 0.01 for drift in drifts) <= 18
    narrow, wide = chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], repeats - 1) / (repeats - 1)
    assert narrow < np.var([drift.energy for drift in drifts]) < wide
    assert np.var(uncorrected) < narrow


def flagged(compiled, parameters, num_reads=8000):
    step = compiled.step(parameters, compiled.init(num_reads, 4))
    return step.info["boltzmann"]


def test_thermal_reads_pass_and_others_are_flagged():
    structure, parameters = torus()
    thermal = CalibratedSampler(exact(structure, 0.5))
    assert flagged(thermal, parameters)["passed"] is True
    # settled among neighbours, not as a whole: single-spin sweeps alone would hardly tell
    quench = SimulatedAnnealingSampler().compile(structure, num_sweeps=8, beta_range=(0.1, 3.0))
    found = flagged(CalibratedSampler(quench), parameters)
    assert found["passed"] is False
    assert found["energy_drift"] < -SIGMAS
    structure, parameters = dense(8)
    _, others = dense(8, seed=2)
    another = Drawn(structure, lambda _, num_reads, rng: drawn_at(structure, others, num_reads, rng))
    found = flagged(CalibratedSampler(another), parameters, 1000)
    assert found["passed"] is False
    assert found["moment_drift"] > SIGMAS
    same = Drawn(structure, lambda _, num_reads, rng: drawn_at(structure, parameters, num_reads, rng))
    assert flagged(CalibratedSampler(same), parameters, 1000)["passed"] is True
    found = flagged(CalibratedSampler(Drawn(structure, random_bits)), parameters)
    assert found["passed"] is False
    assert found["why"].startswith("beta is 0 within errors")


def drawn_at(structure, parameters, num_reads, rng):
    compiled = exact(structure, 1.0)
    return compiled.step(parameters, compiled.init(num_reads, int(rng.integers(2**31)))).spins


UNUSABLE = {
    "parameters are zero": (random_bits, 0.0),
    "every read is a local minimum": (lambda p, r, _: np.tile(np.sign(p.fields), (r, 1)), 1.0),
    "no nearer to the problem than chance": (lambda p, r, _: np.tile(-np.sign(p.fields), (r, 1)), 1.0),
    "too few reads": (lambda p, r, rng: np.sign(p.fields + rng.normal(0, 2, (r, 5))), 0.05),
}


@pytest.mark.parametrize(("why", "case"), UNUSABLE.items(), ids=UNUSABLE)
def test_an_estimate_that_says_nothing_is_not_taken(why, case):
    draw, width = case
    structure = Structure(5, np.array([[0, 1], [1, 2]]))
    parameters = Parameters(width * np.array([1.0, -1, 1, 1, -1]), np.zeros(2))
    compiled = CalibratedSampler(Drawn(structure, draw), beta=1.7)
    step = compiled.step(parameters, compiled.init(60, 2))
    assert compiled.beta(step.state) == pytest.approx(1.7)
    assert why in step.info["effective_beta"]["why_kept"]
    assert (step.state.kept["num_estimates"] == 0).all()
    assert step.info["effective_beta"]["value"] == pytest.approx(1.7)


def test_what_is_sent_stays_in_the_devices_ranges():
    structure, parameters = dense(6, width=1.0)
    child = Drawn(structure, random_bits)
    bounds = Bounds.from_device((-2.0, 1.0), (-1.0, 0.5))
    compiled = CalibratedSampler(child, beta=0.5, bounds=bounds)
    step = compiled.step(parameters, compiled.init(10, 1))
    expected, clipped = bounds.project(Parameters(2 * parameters.fields, 2 * parameters.couplings))
    for found, wanted in zip(child.sent[0], expected, strict=True):
        np.testing.assert_allclose(found, wanted)
    assert step.info["clipped_fraction"] == clipped > 0
    assert step.info["scale"] == pytest.approx(2.0)
    with pytest.raises(ValueError, match=r"bounds of couplings are a range that has 0 in it.*; got \(1, 2\)"):
        CalibratedSampler(child, bounds=((-1, 1), (1, 2)))
    with pytest.raises(ValueError, match="beta is a finite number, above 0; got 0"):
        CalibratedSampler(child, beta=0)
    with pytest.raises(ValueError, match="floor is a finite number, above 0 and at most 1; got 2"):
        CalibratedSampler(child, floor=2)


def test_clamped_variables_say_nothing_of_beta():
    structure, parameters = dense(7)
    # held against their fields
    parameters.fields[[2, 5]] = 1.0, -1.0
    values = np.tile(np.array([-1, 1], np.int8), (8000, 1))
    clamp = Clamp(np.array([2, 5]), values, np.random.default_rng(1).random(values.shape) < 0.7)
    compiled = CalibratedSampler(exact(structure, 1.5), beta=1.0)
    step = compiled.step(parameters, compiled.init(8000, 1), clamp)
    np.testing.assert_array_equal(step.spins[:, clamp.variables][clamp.known], values[clamp.known])
    told = step.info["effective_beta"]
    assert abs(told["estimate"] - 1.5) < SIGMAS * told["standard_error"]
    assert step.info["boltzmann"]["passed"] is True
    every = fit_pulls(pulls_of(structure, parameters, step.spins)).beta
    assert abs(every.value - 1.5) > SIGMAS * every.standard_error


CHILDREN = {
    "gibbs": lambda s: GibbsSampler().compile(s, beta=2.0),
    "tempering": lambda s: ParallelTemperingSampler().compile(s),
    "worldlines": lambda s: PathIntegralSampler().compile(s, gamma=0.1, num_slices=4),
}


@pytest.mark.parametrize("make", CHILDREN.values(), ids=CHILDREN)
def test_a_run_through_a_checkpoint_goes_on_to_the_same_bits(make, tmp_path):
    structure, parameters = dense(5)
    rows = Rows(np.ones((1, 5), np.int8))

    def learner():
        compiled = CalibratedSampler(make(structure), want="moments")
        phase = VisiblePhase(structure, 5)
        return Learner(Descent(learning_rate=0.1, num_epochs=8), compiled, phase, num_particles=50, seed=3)

    learning = learner()
    state = unbroken = learning.init(rows)._replace(parameters=parameters)
    for k in range(6):
        unbroken, _ = learning.epoch(unbroken, rows)
        state, _ = learning.epoch(state, rows)
        if k == 2:
            checkpoint.save(tmp_path / "run", state, structure, {})
            state, _ = checkpoint.load(tmp_path / "run", structure)
            learning = learner()
    np.testing.assert_array_equal(np.concatenate(state.parameters), np.concatenate(unbroken.parameters))
    assert state.sampler.kept.keys() == unbroken.sampler.kept.keys() >= {"log_beta", "num_estimates"}
    for name, part in state.sampler.kept.items():
        np.testing.assert_array_equal(part, unbroken.sampler.kept[name])
    assert len(learning.compiled.reads(state.sampler)) == 50


def test_it_says_what_it_finds(caplog):
    structure, parameters = dense(8)
    compiled = CalibratedSampler(exact(structure, 2.5))
    with caplog.at_level(logging.DEBUG, "annealnn"):
        state = compiled.init(2000, 1)
        for _ in range(3):
            state = compiled.step(parameters, state).state
    assert [record.levelname for record in caplog.records] == ["INFO", "DEBUG", "DEBUG"]
    assert "was 1" in caplog.messages[0]
    caplog.clear()
    with caplog.at_level(logging.WARNING, "annealnn"):
        wrong = CalibratedSampler(Drawn(structure, random_bits))
        state = wrong.init(8000, 1)
        for _ in range(3):
            state = wrong.step(parameters, state).state
    assert len(caplog.messages) == 1
    assert "no Boltzmann distribution of the problem that was sent" in caplog.messages[0]


def test_it_refuses_what_it_cannot_use():
    structure, parameters = dense(4)
    compiled = CalibratedSampler(ExactSampler().compile(structure, want="moments"))
    with pytest.raises(ValueError, match=r"CompiledExact gave moments alone\. Compile it with want='spins'"):
        compiled.step(parameters, compiled.init(5, 1))
    with pytest.raises(ValueError, match=r"a step goes on from a beta; the state keeps nothing\. Begin with init"):
        compiled.step(parameters, exact(structure, 1).init(5, 1))
