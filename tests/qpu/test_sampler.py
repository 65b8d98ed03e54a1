"""A processor's two doors, over a runner that keeps answers by key and draws them at a hidden temperature."""

import json

import dimod
import numpy as np
import pytest
from dwave.cloud.testing.mocks import qpu_problem_timing_data

from annealnn.models import Clamp, Parameters, Structure
from annealnn.qpu import JobAnswer, QPUSampler, SolverDefinition
from annealnn.samplers import CalibratedSampler, GibbsSampler, compile_sampler
from annealnn.samplers._compiled import total_info
from annealnn.testing import FALSE_ALARM, SAMPLER_CHECKS, SamplerCase, boltzmann_pvalue, parametrize

HIDDEN_BETA = 0.8
PROPERTIES = {
    "annealnn_simulation": {"physics": "thermal"},
    "qubits": list(range(10, 26)),
    "couplers": [[i, j] for j in range(10, 26) for i in range(10, j)],
    "num_qubits": 30,
    "h_range": [-4.0, 4.0],
    "j_range": [-1.0, 1.0],
    "extended_j_range": [-2.0, 1.0],
    "annealing_time_range": [0.5, 2000.0],
    "num_reads_range": [1, 10_000],
    "problem_run_duration_range": [0.0, 1e6],
    "problem_timing_data": qpu_problem_timing_data(),
    "parameters": dict.fromkeys(
        ["num_reads", "annealing_time", "anneal_schedule", "auto_scale", "answer_mode", "initial_state", "label"], ""
    ),
}


class ThermalRunner:
    """Reads at a hidden beta, the same for the same key; a second asking is a replay."""

    def __init__(self, **properties):
        facts = PROPERTIES | properties
        self.solver = SolverDefinition(solver="simulated_thermal;graph_id=1", properties=facts)
        self.batches, self.answers = [], {}

    def run(self, requests):
        self.batches.append(list(requests))
        known = set(self.answers)
        for request in requests:
            if request.key not in known:
                self.answers[request.key] = self._drawn(request)
        return [self.answers[r.key]._replace(replayed=r.key in known) for r in requests]

    def _drawn(self, request):
        n = len(request.qubits)
        rng = np.random.default_rng(int(request.key.rpartition("-")[2], 16))
        place = {q: k for k, q in enumerate(request.qubits.tolist())}
        ends = np.array([[place[int(q)] for q in pair] for pair in request.couplers], dtype=int).reshape(-1, 2)
        timing = {"qpu_access_time": request.estimated_us, "qpu_programming_time": 1.0}
        rest = timing, f"id-{len(self.answers)}", self.solver.solver, {"encode_s": 0.1, "wait_s": 0.2}
        if n > 10:  # too many to enumerate: long runs, for problems that mix
            structure = Structure(n, ends)
            compiled = compile_sampler(GibbsSampler(), structure, num_sweeps=50, beta=HIDDEN_BETA)
            start = compiled.init(request.num_reads, int(rng.integers(2**31)))
            spins = compiled.step(Parameters(-request.fields, -request.couplings), start).spins
            return JobAnswer(spins, -structure.energies(Parameters(request.fields, request.couplings), spins), *rest)
        states = (2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1).astype(np.int8)
        energies = states @ request.fields + (states[:, ends[:, 0]] * states[:, ends[:, 1]]) @ request.couplings
        weights = np.exp(-HIDDEN_BETA * (energies - energies.min()))
        which = rng.choice(len(states), request.num_reads, p=weights / weights.sum())
        return JobAnswer(states[which], energies[which], *rest)

    @property
    def requests(self):
        return [request for batch in self.batches for request in batch]


class OnQubits(dimod.ComposedSampler):
    """A sampler of problems on qubits, for problems on any few variables: the k-th is the k-th qubit."""

    children = None
    parameters = properties = None

    def __init__(self, child):
        self.children = [child]
        self.parameters = dict(child.parameters)
        self.properties = {"child_properties": dict(child.properties), "distribution": None}

    def sample(self, bqm, **kwargs):
        names = dict(zip(self.child.nodelist, bqm.variables, strict=False))
        back = {v: q for q, v in names.items()}
        found = self.child.sample(bqm.relabel_variables(back, inplace=False), **kwargs)
        return found.relabel_variables({q: names[q] for q in found.variables}, inplace=False)


WIDE = ThermalRunner(h_range=[-1e3, 1e3], extended_j_range=[-1e3, 1e3])
MORE = {"check_more_reads_keep_the_earlier_ones": "more reads are other jobs, of a device without a seed"}


@parametrize(
    [
        SamplerCase(name="plain", make=lambda: OnQubits(QPUSampler(WIDE)), known_failures=MORE),
        SamplerCase(name="gauges", make=lambda: OnQubits(QPUSampler(WIDE, num_gauges=3)), known_failures=MORE),
    ],
    SAMPLER_CHECKS,
)
def test_sampler_kit(case, check):
    check(case)


LOPSIDED = dimod.BQM(
    {10: 0.7, 12: -0.3, 15: 0.1, 18: 0.0}, {(10, 12): -0.9, (12, 15): 0.4, (15, 18): 0.8}, 0.25, "SPIN"
)


@pytest.mark.parametrize("num_gauges", [1, 5])
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_reads_are_those_of_the_problem_at_the_devices_temperature(num_gauges, vartype):
    bqm = LOPSIDED.change_vartype(vartype, inplace=False)
    found = QPUSampler(ThermalRunner()).sample(bqm, num_reads=5_000, num_gauges=num_gauges, seed=1)
    assert boltzmann_pvalue(found, bqm, HIDDEN_BETA) > FALSE_ALARM
    # it can fail: at another temperature, and with the opposite sign
    assert boltzmann_pvalue(found, bqm, 1.25 * HIDDEN_BETA) < FALSE_ALARM
    assert boltzmann_pvalue(found, bqm * -1, HIDDEN_BETA) < FALSE_ALARM
    dimod.testing.assert_sampleset_energies(found, bqm)


def test_gauges_share_reads_and_ranges_are_taken_as_far_as_they_are_symmetric():
    runner = ThermalRunner()
    sampler = QPUSampler(runner, num_gauges=4)
    assert sampler.properties["extended_j_range"] == [-1.0, 1.0]
    assert QPUSampler(runner).properties["extended_j_range"] == [-2.0, 1.0]
    strong = dimod.BQM({}, {(10, 11): -1.5}, 0.0, "SPIN")
    QPUSampler(runner).sample(strong, num_reads=3, seed=0)
    with pytest.raises(ValueError, match=r"-1 to 1 in dimod's sign; got -1.5 as the coupling of qubits \(10, 11\)"):
        sampler.sample(strong, num_reads=3, seed=0)
    runner.batches.clear()
    found = sampler.sample(LOPSIDED, num_reads=10, seed=3)
    (batch,) = runner.batches
    assert [request.num_reads for request in batch] == [3, 3, 2, 2]
    assert [request.draw for request in batch] == [(3, g, 0) for g in range(4)]
    assert len({request.fields.tobytes() for request in batch}) > 1
    for request in batch:
        assert "auto_scale" in request.parameters
        assert request.parameters["auto_scale"] is False
        assert request.parameters["answer_mode"] == "raw"
    # read r is of gauge r mod 4, and brought back: the energy that the device saw is that of the problem
    energies = np.empty(10)
    for gauge, request in enumerate(batch):
        energies[gauge::4] = runner.answers[request.key].energies
    np.testing.assert_allclose(found.record.energy - LOPSIDED.offset, energies, atol=1e-12)
    assert found.info["num_gauges"] == 4


def test_long_runs_are_split_and_stay_in_order():
    runner = ThermalRunner(problem_run_duration_range=[0.0, 60_000.0])
    found = QPUSampler(runner).sample(LOPSIDED, num_reads=2_000, num_gauges=2, seed=3, annealing_time=100.0)
    assert len(runner.requests) == 10
    assert all(request.estimated_us <= 60_000.0 for request in runner.requests)
    assert len({request.key for request in runner.requests}) == 10
    energies = np.empty(2_000)
    for gauge in (0, 1):
        mine = [r for r in runner.requests if r.draw[1] == gauge]
        energies[gauge::2] = np.concatenate([runner.answers[r.key].energies for r in mine])
    np.testing.assert_allclose(found.record.energy - LOPSIDED.offset, energies, atol=1e-12)


def test_the_same_seed_and_experiment_are_the_same_jobs():
    runner = ThermalRunner()
    one = QPUSampler(runner).sample(LOPSIDED, num_reads=5, seed=3)
    again = QPUSampler(runner).sample(LOPSIDED, num_reads=5, seed=3)
    assert one.info["jobs"] == again.info["jobs"]
    assert (one.info["replayed"], again.info["replayed"]) == (0, 1)
    assert again.info["billed_us"] == 0.0
    assert one.info["billed_us"] == one.info["qpu_timing"]["qpu_access_time"] > 0
    assert again.info["qpu_timing"] == one.info["qpu_timing"]
    assert again.info["client_s"] == {}
    assert again.info["recorded_client_s"] == one.info["recorded_client_s"] == one.info["client_s"]
    assert one.info["client_s"] == pytest.approx({"encode_s": 0.1, "wait_s": 0.2})
    np.testing.assert_array_equal(one.record.sample, again.record.sample)
    other = QPUSampler(runner, experiment="second").sample(LOPSIDED, num_reads=5, seed=3)
    assert other.info["jobs"] != one.info["jobs"]
    info = json.loads(json.dumps(one.info))
    assert info["simulated"] is True
    assert info["beta"] is None
    assert info["solver"] == runner.solver.solver


@pytest.mark.parametrize(
    ("bqm", "said"),
    [
        (dimod.BQM({10: 0.0, 11: -4.5}, {}, 0.0, "SPIN"), r"-4 to 4 .* got -4.5 as the field of qubit 11 \(1 such"),
        (dimod.BQM({}, {(10, 11): 1.25}, 0.0, "SPIN"), r"-2 to 1 .* got 1.25 as the coupling of qubits \(10, 11\)"),
        (dimod.BQM({9: 1.0}, {}, 0.0, "SPIN"), r"graph of 16 qubits, which has no 9"),
        (dimod.BQM({10: 1.0, "a": 1.0}, {}, 0.0, "SPIN"), r"has no 'a'"),
        (
            dimod.BQM({}, {(10, q): -1.9 for q in range(11, 21)}, 0.0, "SPIN"),
            r"-18 to 15 .* got -19 as the sum of the couplings at qubit 10",
        ),
    ],
)
def test_what_the_solver_cannot_take_is_refused_before_anything_is_sent(bqm, said):
    runner = ThermalRunner(per_qubit_coupling_range=[-18.0, 15.0])
    with pytest.raises(ValueError, match=said):
        QPUSampler(runner).sample(bqm, num_reads=2)
    assert runner.batches == []


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_rescaling_fills_the_ranges_at_one_scale_which_is_told(factor):
    runner = ThermalRunner(per_qubit_coupling_range=[-18.0, 15.0])
    bqm = LOPSIDED * factor
    found = QPUSampler(runner).sample(bqm, num_reads=200, seed=2, auto_scale=True)
    scale = found.info["scale"]
    # 0.8 / 1.0, the tightest of all
    assert scale == pytest.approx(1.0 / (0.8 * factor))
    (request,) = runner.requests
    assert request.couplings.max() == 1.0
    dimod.testing.assert_sampleset_energies(found, bqm)
    zero = QPUSampler(runner).sample(LOPSIDED * 0.0, num_reads=2, auto_scale=True)
    assert zero.info["scale"] == 1.0


def test_device_parameters_are_those_that_the_solver_advertises():
    sampler = QPUSampler(ThermalRunner())
    assert set(sampler.parameters) == {
        *("num_reads", "num_gauges", "seed", "auto_scale"),
        *("annealing_time", "anneal_schedule", "answer_mode", "initial_state"),
    }
    with pytest.raises(ValueError, match=r"annealing_time is a finite number, at least 0.5 and at most 2000; got 0.1"):
        sampler.sample(LOPSIDED, annealing_time=0.1)
    with pytest.raises(ValueError, match=r"takes num_gauges, auto_scale, .*; got 'beta'"):
        compile_sampler(sampler, Structure(1, np.empty((0, 2), int), (10,)), beta=1.0)
    assert "SIMULATED" in repr(sampler)
    assert sampler.sample(dimod.BQM("SPIN"), num_reads=3).record.sample.shape[1] == 0


def test_an_initial_state_is_turned_into_the_gauge():
    runner = ThermalRunner()
    state = {10: 1, 12: -1, 15: 1, 18: 0, 20: 1}
    schedule = [(0, 1.0), (5, 0.4), (10, 1.0)]
    told = {"initial_state": state, "anneal_schedule": schedule, "seed": 1}
    QPUSampler(runner).sample(LOPSIDED, num_reads=6, num_gauges=3, **told)
    (plain,) = QPUSampler(runner).sample(LOPSIDED, **told).info["jobs"]
    *gauged, last = runner.requests
    assert last.key == plain
    values = last.parameters["initial_state"]
    assert len(values) == 30
    assert [values[q] for q in (10, 12, 15, 18)] == [1, -1, 1, -1]
    assert set(values) == {3, 1, -1}
    assert values[20] == 3  # no qubit of the problem
    assert last.parameters["anneal_schedule"] == [[0, 1.0], [5, 0.4], [10, 1.0]]
    for request in gauged:
        turned = np.array([request.parameters["initial_state"][q] for q in request.qubits])
        signs = request.fields[0] / last.fields[0], request.fields[1] / last.fields[1]
        np.testing.assert_array_equal(turned[:2], [signs[0] * 1, signs[1] * -1])


@pytest.mark.parametrize("qubit", [-1, 5, 99])
def test_an_initial_state_is_of_qubits_that_work(qubit):
    runner = ThermalRunner()
    with pytest.raises(ValueError, match=f"qubits of the working graph; got qubit {qubit}"):
        QPUSampler(runner).sample(LOPSIDED, initial_state={10: 1, 12: -1, 15: 1, 18: 1, qubit: 1})
    assert not runner.batches


# -- the learner's door ------------------------------------------------------------------------------------------

STRUCTURE = Structure.from_edges([10, 12, 15, 18, 20], [(10, 12), (12, 15), (15, 18), (10, 20), (18, 20)])
MODEL = Parameters(np.array([0.5, -0.3, 0.2, 0.0, -0.6]), np.array([0.9, -0.7, 0.8, -1.0, 0.4]))


def error_of(structure, parameters, spins, *, beta=HIDDEN_BETA, states=None):
    """Return the largest error of a moment, in standard errors at most, against enumeration at a beta."""
    if states is None:
        states = np.array(np.meshgrid(*[[-1, 1]] * structure.num_variables)).reshape(structure.num_variables, -1).T
    weights = np.exp(-beta * structure.energies(parameters, states))
    weights /= weights.sum()
    found = structure.moments_of(spins)
    expected = [weights @ values for values in (states, states[:, structure.edges].prod(axis=2))]
    return max(np.abs(m - e).max() for m, e in zip(found, expected, strict=True)) * len(spins) ** 0.5


@pytest.mark.parametrize("num_gauges", [1, 7])
def test_learners_draw_reads_of_their_model(num_gauges):
    runner = ThermalRunner()
    compiled = QPUSampler(runner).compile(STRUCTURE, want="moments", num_gauges=num_gauges, annealing_time=5.0)
    step = compiled.step(MODEL, compiled.init(4_000, 3))
    assert runner.requests[0].parameters["annealing_time"] == 5.0
    assert error_of(STRUCTURE, MODEL, step.spins) < 5.3  # 10 moments, of variance 1 at most: P < 1e-6
    assert error_of(STRUCTURE, MODEL, step.spins, beta=-HIDDEN_BETA) > 5.3
    np.testing.assert_allclose(step.moments.pairs, STRUCTURE.moments_of(step.spins).pairs)
    # the same state asks for the same jobs, another for others
    again = compiled.step(MODEL, compiled.init(4_000, 3))
    assert again.info["replayed"] == num_gauges
    np.testing.assert_array_equal(again.spins, step.spins)
    later = compiled.step(MODEL, step.state)
    assert later.info["replayed"] == 0
    assert not np.array_equal(later.spins, step.spins)


def test_held_variables_become_fields_and_rows_are_jobs_of_one_batch():
    runner = ThermalRunner()
    compiled = QPUSampler(runner, num_gauges=2).compile(STRUCTURE)
    rng = np.random.default_rng(0)
    held = np.array([1, 4])
    spins = rng.choice(np.array([-1, 1], np.int8), (4_000, 2), p=[0.3, 0.7])
    known = rng.random((4_000, 2)) < 0.8
    step = compiled.step(MODEL, compiled.init(4_000, 1), Clamp(held, spins, known))
    assert len(runner.batches) == 1
    assert len(runner.requests) == 2 * 9  # 4 rows, 2 of either alone, and no row; two gauges
    assert {len(request.qubits) for request in runner.requests} == {3, 4, 5}
    np.testing.assert_array_equal(step.spins[:, held][known], spins[known])
    every = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1).T
    for a, b in [(-1, -1), (-1, 1), (1, -1), (1, 1)]:
        mine = known.all(axis=1) & (spins == (a, b)).all(axis=1)
        agree = every[(every[:, held] == (a, b)).all(axis=1)]
        assert error_of(STRUCTURE, MODEL, step.spins[mine], states=agree) < 5.6
        wrong = every[(every[:, held] == (-a, b)).all(axis=1)]
        assert error_of(STRUCTURE, MODEL, step.spins[mine], states=wrong) > 5.6
    everything = Clamp(np.arange(5), np.ones((3, 5), np.int8))
    before = len(runner.batches)
    assert (compiled.step(MODEL, compiled.init(3, 1), everything).spins == 1).all()
    assert len(runner.batches) == before


def test_rows_that_ask_for_the_same_problem_draw_their_own_reads():
    """Without couplings two rows reduce to one problem; they are still two draws."""
    runner = ThermalRunner()
    compiled = QPUSampler(runner).compile(STRUCTURE)
    clamp = Clamp(np.array([0]), np.array([[1], [-1]] * 20, np.int8))
    step = compiled.step(STRUCTURE.zeros(), compiled.init(40, 1), clamp)
    first, second = runner.requests
    assert first.key != second.key
    assert not np.array_equal(step.spins[::2, 1:], step.spins[1::2, 1:])


def test_parameters_that_are_no_numbers_are_not_sent():
    """The solver API's sign for a qubit that is switched off is NaN."""
    runner = ThermalRunner()
    compiled = QPUSampler(runner).compile(STRUCTURE)
    lost = MODEL._replace(fields=np.where(np.arange(5) == 2, np.nan, MODEL.fields))
    with pytest.raises(ValueError, match="got nan as the field of qubit 15"):
        compiled.step(lost, compiled.init(2, 1))
    assert runner.batches == []


def test_one_scale_for_all_rows():
    runner = ThermalRunner()
    compiled = QPUSampler(runner).compile(STRUCTURE, auto_scale=True)
    clamp = Clamp(np.array([0]), np.array([[1], [-1]], np.int8))
    steep = Parameters(10 * MODEL.fields, 10 * MODEL.couplings)
    step = compiled.step(steep, compiled.init(2, 1), clamp)
    one, other = runner.requests
    np.testing.assert_allclose(one.couplings, other.couplings)
    assert step.info["scale"] == pytest.approx(1 / 7)  # of the coupling -7, 7 in dimod's sign
    with pytest.raises(ValueError, match="Scale the problem down"):
        QPUSampler(runner).compile(STRUCTURE).step(steep, compiled.init(2, 1), clamp)


def test_reads_serve_as_many_steps_as_is_said():
    runner = ThermalRunner()
    compiled = compile_sampler(QPUSampler(runner), STRUCTURE, want="moments", reuse_steps=3)
    state, drawn = compiled.init(50, 2), []
    for _ in range(7):
        step = compiled.step(MODEL, state)
        drawn.append((step.info["reused"], step.spins))
        state = step.state
    assert [reused for reused, _ in drawn] == [0, 1, 2, 0, 1, 2, 0]
    assert len(runner.batches) == 3
    np.testing.assert_array_equal(drawn[0][1], drawn[2][1])
    assert not np.array_equal(drawn[2][1], drawn[3][1])
    np.testing.assert_array_equal(step.moments.pairs, STRUCTURE.moments_of(step.spins).pairs)


def test_a_step_leaves_its_state_alone_and_errors_pass_through():
    runner = ThermalRunner()
    compiled = QPUSampler(runner).compile(STRUCTURE)
    state = compiled.init(5, 2)
    before = [state.spins.copy(), state.streams.copy()]
    compiled.step(MODEL, state)
    for part, kept in zip(state[:2], before, strict=True):
        np.testing.assert_array_equal(part, kept)

    def interrupted(requests):
        raise KeyboardInterrupt

    runner.run = interrupted
    with pytest.raises(KeyboardInterrupt):
        compiled.step(MODEL, state)


def test_other_samplers_are_compiled_as_before():
    with pytest.raises(ValueError, match="got 'annealing_time'"):
        compile_sampler(GibbsSampler(), STRUCTURE, annealing_time=3)


def test_a_temperature_is_not_told_by_reads_of_a_step_before():
    child = compile_sampler(QPUSampler(WIDE), STRUCTURE, reuse_steps=2)
    compiled = CalibratedSampler(child)
    steps = [compiled.step(MODEL, compiled.init(500, 1))]
    for _ in range(3):
        steps.append(compiled.step(MODEL, steps[-1].state))
    told = [step.info["effective_beta"]["why_kept"] for step in steps]
    assert told == [None, "the reads are those of a step before"] * 2
    assert [step.info["boltzmann"]["passed"] for step in steps] == [True, None, True, None]
    values = [step.info["effective_beta"]["value"] for step in steps]
    assert values[0] == values[1] == pytest.approx(HIDDEN_BETA, rel=0.2)


def test_several_steps_are_one_batch_and_cost_what_it_cost():
    runner = ThermalRunner()
    compiled = QPUSampler(runner).compile(STRUCTURE)
    asked = [(MODEL, compiled.init(5, seed)) for seed in (1, 2, 3)]
    together = compiled.steps(asked)
    assert len(runner.batches) == 1
    alone = [QPUSampler(ThermalRunner()).compile(STRUCTURE).step(*one) for one in asked]
    for step, single in zip(together, alone, strict=True):
        np.testing.assert_array_equal(step.spins, single.spins)
        np.testing.assert_array_equal(step.state.streams, single.state.streams)
    whole, parts = (total_info(step.info for step in steps) for steps in (together, alone))
    assert whole["jobs"] == parts["jobs"]
    assert len(whole["jobs"]) == 3
    for name in ("billed_us", "qpu_timing", "client_s", "recorded_client_s", "replayed"):
        assert whole[name] == pytest.approx(parts[name])
