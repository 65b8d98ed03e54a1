"""The evidence of the way to a processor, in small; rehearsals; OptDigits on a processor."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from annealnn import EmbeddedBoltzmannMachine
from annealnn.cli._app import app
from annealnn.exceptions import QPUConfigurationError
from annealnn.experiments import OptDigitsJob, Processor, plan_optdigits, run_optdigits
from annealnn.experiments._overhead import PARTS, measure_overhead
from annealnn.experiments._rehearsal import rehearsal
from annealnn.experiments._standin_digits import run_standin_digits
from annealnn.experiments.qpu import QUICK, TEMPERATURE_MK, achieved, digits_rows, thermal_rows
from annealnn.qpu import Journal, plan_quench
from annealnn.registry import SamplerSpec
from annealnn.standin import AnnealPhysics, PathIntegralPhysics, StandIn, ThermalPhysics, simulated_scales


@pytest.fixture
def chip(tmp_path):
    """A simulated processor that K46 fits, and D-Wave's configuration leads to it."""
    standin = StandIn("zephyr-6", num_dead_qubits=20, seed=1, physics=ThermalPhysics(beta=2.0, num_sweeps=20))
    with rehearsal(standin, tmp_path / "rehearsal"):
        yield standin


def test_a_rehearsal_sets_the_users_account_aside(tmp_path, monkeypatch):
    monkeypatch.setenv("DWAVE_API_TOKEN", "the user's own")
    monkeypatch.setenv("DWAVE_API_SOLVER", "a real one")
    monkeypatch.setenv("ANNEALNN_REPLAY", str(tmp_path / "journal"))
    before = dict(os.environ)
    with rehearsal(StandIn("chimera-1"), tmp_path / "new") as served:
        assert os.environ["DWAVE_API_TOKEN"] == served.token
        assert "DWAVE_API_SOLVER" not in os.environ
        assert "ANNEALNN_REPLAY" not in os.environ
        assert SamplerSpec.qpu().open().properties["simulated"] is True
    assert dict(os.environ) == before


def test_small_problems_and_the_temperatures_of_ocean(tmp_path):
    rows = thermal_rows(tmp_path, 8_000)
    assert [row.good for row in rows] == [True] * 4


def test_a_quench_that_freezes_reaches_its_gamma(tmp_path):
    frozen = PathIntegralPhysics(scales=simulated_scales(), temperature_mk=TEMPERATURE_MK)
    plan, gamma, beta = achieved(frozen, 1.0, tmp_path, 8_000)
    assert plan.scale < 1
    assert abs(gamma.value - 1) < 5 * gamma.standard_error < 1
    assert abs(beta.value - 1) < 5 * beta.standard_error < 1


def test_an_embedded_machine_learns_through_a_quench_in_its_own_units(mixture, tmp_path):
    scales = simulated_scales()
    frozen = PathIntegralPhysics(scales=scales, temperature_mk=TEMPERATURE_MK, num_sweeps=40)
    with rehearsal(StandIn("zephyr-2", seed=1, physics=frozen), tmp_path):
        plan = plan_quench(0.5, scales, TEMPERATURE_MK, properties=SamplerSpec.qpu().open().properties)
        machine = EmbeddedBoltzmannMachine(
            sampler=SamplerSpec.qpu(quench=plan), n_iter=12, n_reads=100, learning_rate=0.3, random_state=0
        ).fit(mixture)
    assert machine.bounds_.couplings[1] == pytest.approx(2.0 / plan.scale)
    errors = machine.history_["decoded_coupling_error"]
    assert np.mean(errors[-3:]) < 0.5 * errors[0]


def test_a_slow_quench_relaxes_further(tmp_path):
    relaxes = AnnealPhysics(dynamics="quantum", scales=simulated_scales(), temperature_mk=TEMPERATURE_MK)
    _, gamma, beta = achieved(relaxes, 1.0, tmp_path, 1_000)
    assert gamma.value + 3 * gamma.standard_error < 1.0
    assert beta.value - 3 * beta.standard_error > 1.0


def test_optdigits_in_small_goes_on_when_qubits_die(tmp_path):
    job = replace(QUICK, n_iter=4, num_gauges=2, num_gauges_read=2, num_sweeps=10)
    result = run_standin_digits(job, tmp_path, say=print)
    (change,) = result.bereft.machine.graph_changes_
    assert change["iteration"] == 2
    assert len(change["lost_qubits"]) == 5
    assert result.overhead.num_jobs == 4 * 2 + 2 * 2
    assert result.overhead.simulated
    rows = digits_rows(result, job)
    (deaths,) = [row for row in rows if row.what.startswith("5 of its qubits die")]
    assert deaths.good
    # four steps are too few, and the table says so
    assert not all(row.good for row in rows if row.good is not None)


def test_a_training_in_which_qubits_died_replays_from_its_journal(mixture, tmp_path, monkeypatch):
    standin = StandIn("zephyr-2", seed=1)
    machine = EmbeddedBoltzmannMachine(
        sampler=SamplerSpec.qpu(experiment="deaths"), n_iter=8, n_reads=50, monitor_every=4, random_state=0
    )

    def kill(snapshot):
        if snapshot.iteration == 4 and not killed:
            killed.extend(machine.embedded_.physical.labels[:2])
            standin.kill_qubits(killed)

    killed = []
    with rehearsal(standin, tmp_path):
        machine.set_params(callbacks=kill).fit(mixture)
    assert machine.graph_changes_[0]["lost_qubits"] == killed
    learned = machine.physical_model_
    monkeypatch.setenv("ANNEALNN_REPLAY", str(tmp_path / "journal.sqlite"))
    machine.set_params(callbacks=None).fit(mixture)
    np.testing.assert_array_equal(machine.physical_model_.h, learned.h)
    assert machine.physical_model_.labels == learned.labels


def test_overhead_is_that_of_the_journals_jobs(chip, tmp_path):
    sampler = SamplerSpec.qpu(experiment="mine", num_gauges=3).open()
    q = sampler.nodelist[0]
    reads = sampler.sample_ising({q: 0.1}, {}, num_reads=30, seed=1)
    sampler.sample_ising({q: 0.1}, {}, num_reads=30, seed=1)
    with Journal(tmp_path / "rehearsal" / "journal.sqlite") as journal:
        overhead = measure_overhead(journal, "mine")
        assert measure_overhead(journal, "another") is None
    assert (overhead.num_jobs, overhead.num_reads) == (3, 30)
    assert overhead.total_access_us == pytest.approx(reads.info["billed_us"])
    for name in PARTS:
        assert overhead.client_s[name].value == pytest.approx(reads.info["client_s"][name] / 3)
    *_, (access, each_ms, total_s) = overhead.table()
    assert "SIMULATED" in access
    assert total_s == pytest.approx(1e-3 * 3 * each_ms.value) == pytest.approx(1e-6 * overhead.total_access_us)
    json.dumps(overhead.to_dict())


def test_a_plan_says_what_optdigits_would_cost_and_sends_nothing(chip):
    job = OptDigitsJob(processor=Processor(num_gauges=2), embedded_n_iter=10)
    plans = plan_optdigits(job)
    assert plans["embedded machine"].num_jobs == 20
    assert plans["reconstructions"].num_jobs == 40 * 2 * 2
    assert chip.jobs() == []
    with pytest.raises(ValueError, match="got a job on the local device"):
        plan_optdigits(OptDigitsJob())


def test_a_dry_run_prints_the_plan_and_its_share_of_the_budget(chip):
    command = ["optdigits", "--sampler", "qpu", "--dry-run", "--embedded-iterations", "10", "--budget-us", "1e6"]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0
    assert "untrained machines" in done.stdout
    assert "SIMULATED" in done.stdout
    assert "does not fit" in " ".join(done.stdout.split())
    assert chip.jobs() == []


@pytest.mark.parametrize(
    ("command", "match"),
    [
        (["--dry-run"], "go with --sampler qpu"),
        (["--budget-us", "5"], "go with --sampler qpu"),
        (["--sampler", "qpu", "--all"], "got --all with --sampler qpu"),
    ],
)
def test_options_that_do_not_go_together(command, match):
    with pytest.raises(ValueError, match=match):
        CliRunner().invoke(app, ["optdigits", *command], catch_exceptions=False)


def test_without_a_configuration_nothing_is_begun(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("DWAVE_"):
            monkeypatch.delenv(name)
    (tmp_path / "dwave.conf").touch()
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    monkeypatch.setenv("ANNEALNN_JOURNAL", str(tmp_path / "journal.sqlite"))
    with pytest.raises(QPUConfigurationError, match="dwave config create"):
        run_optdigits(OptDigitsJob(out=tmp_path / "report", processor=Processor()), say=print)
    assert not (tmp_path / "report").exists()


@pytest.mark.slow
def test_optdigits_on_a_processor_and_replayed(chip, tmp_path):
    job = OptDigitsJob(out=tmp_path / "one", processor=Processor(num_gauges=2), n_iter=50, embedded_n_iter=20)
    result = run_optdigits(job, say=print)
    assert os.environ["DWAVE_API_TOKEN"] == chip.token
    page = (tmp_path / "one" / "index.html").read_text(encoding="utf-8")
    assert "The way to the processor" in page
    assert page.count("SIMULATED") >= 2
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 10  # page, figures, checkpoints, journal
    assert [path for path in written if chip.token.encode() in path.read_bytes()] == []
    sent = len(chip.jobs())
    assert result.overhead.num_jobs == sent
    again = run_optdigits(replace(job, out=tmp_path / "two"), say=print)
    assert len(chip.jobs()) == sent
    np.testing.assert_array_equal(again.embedded.physical_model_.h, result.embedded.physical_model_.h)


@pytest.mark.slow
def test_optdigits_under_noise_is_near_the_noiseless_run(tmp_path):
    """Half of the evidence's size: all targets but those that need all of its steps."""
    job = replace(QUICK, target="zephyr-12", n_iter=100, num_gauges=10, num_gauges_read=100)
    rows = digits_rows(run_standin_digits(job, tmp_path, say=print), job)
    assert [row.what for row in rows if row.good is False] == []
