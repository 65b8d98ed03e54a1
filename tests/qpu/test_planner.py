"""Plans: jobs that a solver takes, and what they cost."""

import pytest
from dwave.cloud.solver import StructuredSolver
from dwave.cloud.testing.mocks import qpu_problem_timing_data, qpu_zephyr_solver_data

from annealnn.qpu import plan
from annealnn.qpu._timing import job_time, total_timing

LIMIT_US = 1_000_000.0


@pytest.fixture(scope="module")
def solver():
    data = qpu_zephyr_solver_data(2)
    data["properties"] |= {
        "problem_timing_data": qpu_problem_timing_data(),
        "problem_run_duration_range": [0.0, LIMIT_US],
        "num_reads_range": [1, 10_000],
        "default_annealing_time": 20.0,
        "default_readout_thermalization": 0.0,
        "default_programming_thermalization": 1000.0,
    }
    return StructuredSolver(client=None, data=data)


TOLD = [
    {},
    {"annealing_time": 200.0},
    {"anneal_schedule": [[0.0, 0.0], [20.0, 0.5], [70.0, 1.0]], "readout_thermalization": 30.0},
    {"annealing_time": 5.0, "reduce_intersample_correlation": True, "programming_thermalization": 50.0},
    {"anneal_schedule": [[0.0, 1.0], [20.0, 0.5], [70.0, 1.0]], "initial_state": [1, 3], "reinitialize_state": True},
]


@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("num_qubits", [1, 40, 2000])
def test_a_job_takes_what_the_client_estimates(solver, told, num_qubits):
    each = job_time(solver.properties, num_qubits, told | {"num_reads": 5})
    for num_reads in (1, 7, 5000):
        expected = solver.estimate_qpu_access_time(num_qubits, num_reads=num_reads, **told)
        assert each.of(num_reads) == pytest.approx(expected, rel=1e-9)
    assert not each.assumed


@pytest.mark.parametrize("told", TOLD)
def test_no_planned_job_runs_longer_than_the_solver_lets_it(solver, told):
    made = plan(9_000, num_qubits=40, properties=solver.properties, parameters=told, num_gauges=4)
    assert sum(part.num_reads for part in made.parts) == 9_000
    longest = 0.0
    for part in made.parts:
        takes = solver.estimate_qpu_access_time(40, num_reads=part.num_asked, **told)
        assert takes <= LIMIT_US
        assert part.estimated_us == pytest.approx(takes)
        longest = max(longest, takes)
    # as few jobs as that takes
    fewest = -(-2250 // made.most_reads)
    assert len(made.parts) == 4 * fewest
    assert solver.estimate_qpu_access_time(40, num_reads=made.most_reads, **told) > 0.95 * LIMIT_US
    # what the client says may be asked for runs too long: readout and delay are left out there
    asked = solver.max_num_reads(annealing_time=20.0)
    assert solver.estimate_qpu_access_time(40, num_reads=asked) > LIMIT_US


def test_reads_of_a_gauge_are_shared_out_evenly(solver):
    made = plan(11, num_qubits=4, properties=solver.properties, num_gauges=4)
    assert [(part.gauge, part.num_reads) for part in made.parts] == [(0, 3), (1, 3), (2, 3), (3, 2)]
    made = plan(3, num_qubits=4, properties=solver.properties, num_gauges=10)
    assert [(part.gauge, part.num_reads) for part in made.parts] == [(0, 1), (1, 1), (2, 1)]
    few = {**solver.properties, "num_reads_range": [5, 20]}
    made = plan(45, num_qubits=4, properties=few)
    assert [part.num_reads for part in made.parts] == [15, 15, 15]
    (part,) = plan(2, num_qubits=4, properties=few).parts
    assert (part.num_reads, part.num_asked) == (2, 5)


def test_a_training_costs_its_steps_over_those_that_reuse_reads(solver):
    step = plan(500, num_qubits=40, properties=solver.properties, num_gauges=2, num_problems=3)
    whole = plan(
        500,
        num_qubits=40,
        properties=solver.properties,
        num_gauges=2,
        num_problems=3,
        num_steps=100,
        reuse_steps=3,
        budget_us=1e8,
    )
    assert step.num_jobs == 6
    assert whole.num_jobs == 34 * 6
    assert whole.total_us == pytest.approx(34 * step.total_us)
    assert whole.share == pytest.approx(whole.total_us / 1e8)
    text = str(whole)
    assert "204: 6 a step of 250 reads" in text
    assert "100, of which 34 send jobs" in text
    assert f"{100 * whole.share:.1f} % of 100,000,000 us; fits" in text
    too_much = plan(500, num_qubits=40, properties=solver.properties, num_steps=100, budget_us=1e6)
    assert "does not fit: training stops before the budget is broken" in str(too_much)


@pytest.mark.parametrize("timing", [None, {"version": "7.0.0"}, {"typical_programming_time": 1.0}])
def test_without_timing_data_more_than_usual_is_counted_and_said(solver, timing):
    unknown = {**solver.properties, "problem_timing_data": timing}
    made = plan(5000, num_qubits=40, properties=unknown, parameters={"annealing_time": 50.0})
    assert made.job_time.assumed
    assert "assumed: the solver has no timing data" in str(made)
    known = plan(5000, num_qubits=40, properties=solver.properties, parameters={"annealing_time": 50.0})
    assert made.total_us > known.total_us
    schedule = {"anneal_schedule": [[0.0, 0.0], [80.0, 1.0]], "readout_thermalization": 10.0}
    longer = plan(5000, num_qubits=40, properties=unknown, parameters=schedule)
    assert longer.job_time.per_read_us == pytest.approx(made.job_time.per_read_us + 30.0 + 10.0)


def test_a_solver_without_limits_takes_one_job():
    made = plan(50_000, num_qubits=3, properties={})
    assert [part.num_reads for part in made.parts] == [50_000]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"num_reads": 0}, r"num_reads is a whole number of at least 1; got 0"),
        ({"num_gauges": 0}, r"num_gauges is .* got 0"),
        ({"budget_us": 0.0}, r"budget_us is a finite number, above 0; got 0.0"),
        ({"reuse_steps": 0}, r"reuse_steps is .* got 0"),
        ({"parameters": {"annealing_time": 1e6}}, r"a job runs at most 1,000,000 us.*1 reads .* 1,01\d,\d+ us"),
        ({"parameters": {"annealing_time": 0.1}}, r"annealing_time is a finite number, at least 1 .* got 0.1"),
        ({"num_qubits": 10**6}, r"a problem has at most the \d+ qubits of the solver; got 1000000"),
        (
            {"parameters": {"annealing_time": 5.0, "anneal_schedule": [[0, 0], [1, 1]]}},
            "only one of ``anneal_schedule``",
        ),
    ],
)
def test_plans_that_cannot_be_are_refused(solver, arguments, said):
    with pytest.raises(ValueError, match=said):
        plan(**{"num_reads": 10, "num_qubits": 4, "properties": solver.properties} | arguments)


def test_times_of_jobs_add_up_and_times_of_reads_do_not():
    one = {"qpu_access_time": 10.0, "qpu_programming_time": 4.0, "qpu_anneal_time_per_sample": 20.0}
    assert total_timing([one, one]) == {"qpu_access_time": 20.0, "qpu_programming_time": 8.0}


def test_sampling_time_is_shared_out_to_the_parts_of_a_read():
    read = {"qpu_anneal_time_per_sample": 20.0, "qpu_readout_time_per_sample": 60.0, "qpu_delay_time_per_sample": 20.0}
    total = total_timing([{"qpu_sampling_time": 1000.0, **read}, {"qpu_sampling_time": 500.0, **read}])
    assert total == pytest.approx(
        {"qpu_sampling_time": 1500.0, "qpu_anneal_time": 300.0, "qpu_readout_time": 900.0, "qpu_delay_time": 300.0}
    )
    assert total_timing([{"qpu_sampling_time": 1000.0}]) == {"qpu_sampling_time": 1000.0}
