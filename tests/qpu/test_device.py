"""Samplers and machines on a processor, through D-Wave's own client and a stand-in for its service."""

import itertools
import pickle

import dimod
import numpy as np
import pytest

from annealnn import BoltzmannMachine, EmbeddedBoltzmannMachine, RestrictedBoltzmannMachine, SamplerSpec
from annealnn.datasets import make_bars_and_stripes
from annealnn.exceptions import BudgetError, GraphChangedError, NotInJournalError, QPUConfigurationError
from annealnn.models import Clamp, Structure
from annealnn.samplers import compile_sampler
from annealnn.standin import StandIn, ThermalPhysics, serve_in_thread
from annealnn.testing import FALSE_ALARM, boltzmann_pvalue

HIDDEN_BETA = 1.6
ROWS = make_bars_and_stripes(2, 2)[0]


@pytest.fixture(scope="module")
def served():
    with serve_in_thread(StandIn("chimera-2", seed=3, physics=ThermalPhysics(beta=HIDDEN_BETA))) as found:
        yield found


@pytest.fixture(autouse=True)
def configured(served, tmp_path, monkeypatch):
    """The user's configuration is the environment, and nothing but it."""
    for name in ("DWAVE_PROFILE", "DWAVE_API_SOLVER", "DWAVE_API_REGION", "ANNEALNN_REPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "dwave.conf").touch()
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    monkeypatch.setenv("DWAVE_API_ENDPOINT", served.endpoint)
    monkeypatch.setenv("DWAVE_API_TOKEN", served.token)
    monkeypatch.setenv("ANNEALNN_JOURNAL", str(tmp_path / "journal.sqlite"))


def accepted(served):
    return len(served.standin.jobs())


@pytest.mark.parametrize("num_gauges", [1, 4])
def test_reads_are_the_services_and_a_second_asking_is_free(served, num_gauges):
    sampler = SamplerSpec.qpu(num_gauges=num_gauges).open()
    edges = [edge for edge in sampler.edgelist if max(edge) < 8][:10]
    rng = np.random.default_rng(1)
    bqm = dimod.BQM(dict(enumerate(rng.normal(0, 0.4, 8))), {e: rng.uniform(-0.6, 0.6) for e in edges}, 0.5, "SPIN")
    found = sampler.sample(bqm, num_reads=3_000, seed=num_gauges)
    assert boltzmann_pvalue(found, bqm, HIDDEN_BETA) > FALSE_ALARM
    assert boltzmann_pvalue(found, bqm, 1.25 * HIDDEN_BETA) < FALSE_ALARM
    dimod.testing.assert_sampleset_energies(found, bqm)
    info = found.info
    assert info["simulated"] is True
    assert len(info["jobs"]) == num_gauges
    assert set(info["client_s"]) >= {"encode_s", "submit_s", "wait_s", "decode_s"}
    # what is planned is what is billed
    made = sampler.plan(3_000, num_qubits=8)
    assert info["billed_us"] == info["qpu_timing"]["qpu_access_time"] == pytest.approx(made.total_us)
    before = accepted(served)
    again = sampler.sample(bqm, num_reads=3_000, seed=num_gauges)
    assert accepted(served) == before
    assert (again.info["replayed"], again.info["billed_us"]) == (num_gauges, 0.0)
    np.testing.assert_array_equal(again.record.sample, found.record.sample)


def machine(**keywords):
    spec = SamplerSpec.qpu(num_gauges=2, annealing_time=5.0, **keywords.pop("spec", {}))
    return EmbeddedBoltzmannMachine(
        **{"sampler": spec, "n_iter": 6, "n_reads": 100, "random_state": 1, "progress": False} | keywords
    )


def test_a_machine_on_the_chip_learns_and_learning_again_asks_for_nothing(served):
    before = accepted(served)
    one = machine().fit(ROWS)
    assert accepted(served) == before + 12
    again = machine().fit(ROWS)
    assert accepted(served) == before + 12
    np.testing.assert_array_equal(one.physical_model_.h, again.physical_model_.h)
    assert one.bounds_.couplings == (-1.0, 1.0)  # symmetric, for gauges
    assert one.history_["field_error"][-1] < one.history_["field_error"][0]
    # it is opened anew after a journey, and holds no secret
    packed = pickle.dumps(one)
    assert served.token.encode() not in packed
    assert pickle.loads(packed).sample(5, random_state=2).shape == (5, 4)
    other = machine(spec={"experiment": "another"}).fit(ROWS)
    assert accepted(served) > before + 12
    assert not np.array_equal(one.physical_model_.h, other.physical_model_.h)


def test_learning_stops_before_a_budget_breaks_and_goes_on_to_the_same_machine(served, tmp_path):
    whole = machine().fit(ROWS)
    cost = SamplerSpec.qpu(num_gauges=2).open().plan(100, num_qubits=4, num_steps=6, annealing_time=5.0).total_us
    job = {"checkpoint": tmp_path / "job", "spec": {"experiment": "paid"}}
    with pytest.raises(BudgetError, match=r"budget"):
        machine(**job | {"spec": {"experiment": "paid", "budget_us": 0.6 * cost}}).fit(ROWS)
    before = accepted(served)
    rest = machine(**job | {"spec": {"experiment": "paid", "budget_us": 1.1 * cost}}, resume=True).fit(ROWS)
    assert 0 < accepted(served) - before < 12
    assert rest.n_iter_ == 6
    unbroken = machine(spec={"experiment": "paid"}).fit(ROWS)
    np.testing.assert_array_equal(rest.physical_model_.h, unbroken.physical_model_.h)
    assert not np.array_equal(whole.physical_model_.h, unbroken.physical_model_.h)


def test_an_experiment_is_replayed_from_its_journal_without_a_service(monkeypatch, tmp_path):
    one = machine().fit(ROWS)
    monkeypatch.setenv("ANNEALNN_REPLAY", str(tmp_path / "journal.sqlite"))
    monkeypatch.setenv("DWAVE_API_ENDPOINT", "http://127.0.0.1:9/sapi/v2/")
    monkeypatch.delenv("DWAVE_API_TOKEN")
    again = machine().fit(ROWS)
    np.testing.assert_array_equal(one.physical_model_.h, again.physical_model_.h)
    with pytest.raises(NotInJournalError):
        machine(random_state=2).fit(ROWS)


def test_a_machine_on_qubits_is_calibrated_to_the_hidden_temperature(served):
    sampler = SamplerSpec("qpu").open()
    edges = [edge for edge in sampler.edgelist if max(edge) < 8]
    rng = np.random.default_rng(0)
    rows = (rng.random((200, 8)) < np.linspace(0.2, 0.8, 8)).astype(int)
    rows[:, 4] = rows[:, 0]
    found = BoltzmannMachine(
        graph=edges, sampler="qpu", calibrate=True, n_particles=400, n_iter=12, random_state=0, progress=False
    ).fit(rows)
    assert found.effective_beta_ == pytest.approx(HIDDEN_BETA, rel=0.1)


def test_hidden_units_are_drawn_given_each_row(served):
    graph = [(v, h) for v in range(4) for h in range(4, 8)]
    before = accepted(served)
    found = BoltzmannMachine(
        n_hidden=4,
        graph=graph,
        sampler=SamplerSpec.qpu(reuse_steps=2),
        positive_phase="sampling",
        n_particles=50,
        n_iter=4,
        random_state=0,
        progress=False,
    ).fit(ROWS)
    # a negative phase every other step, and a job for each distinct row at every step
    assert accepted(served) - before == 2 + 4 * len(np.unique(ROWS, axis=0))
    assert found.model_.structure.num_variables == 8


def test_without_a_configuration_the_error_says_what_to_configure(monkeypatch):
    monkeypatch.delenv("DWAVE_API_TOKEN")
    with pytest.raises(QPUConfigurationError, match=r"dwave .*DWAVE_API_TOKEN"):
        RestrictedBoltzmannMachine(sampler="qpu", progress=False).fit(ROWS)


def test_open_samplers_of_one_recipe_share_a_connection():
    one, other = SamplerSpec.qpu().open(), SamplerSpec.qpu(num_gauges=2).open()
    assert one._runner is other._runner
    assert SamplerSpec.qpu(experiment="x").open()._runner is not one._runner


def test_the_command_says_what_a_training_costs_and_sends_nothing(served, capsys, monkeypatch):
    from annealnn.cli._app import run

    before = accepted(served)
    arguments = ["--reads", "500", "--gauges", "2", "--iterations", "100", "--reuse-steps", "2", "--budget-us", "1e6"]
    monkeypatch.setattr("sys.argv", ["annealnn", "qpu", "plan", *arguments, "--annealing-time", "5"])
    assert run() == 0
    said = " ".join(capsys.readouterr().out.split())
    sampler = SamplerSpec.qpu(num_gauges=2).open()
    made = sampler.plan(500, num_steps=100, reuse_steps=2, budget_us=1e6, annealing_time=5.0)
    assert f"100: 2 a step of 250 reads (a job takes at most {made.most_reads:,})" in said
    assert f"{made.total_us / 1e6:,.3f} s in all" in said
    assert "SIMULATED; nothing was sent" in said
    assert "does not fit" in said
    assert accepted(served) == before
    monkeypatch.setattr("sys.argv", ["annealnn", "qpu", "plan", "--reads", "0"])
    assert run() == 2
    assert "num_reads is a whole number of at least 1; got 0" in capsys.readouterr().err


def test_oceans_composites_stand_over_it(served):
    from dwave.system import EmbeddingComposite

    triangle = dimod.BQM({"a": 0.3}, {"ab": -0.4, "bc": -0.4, "ac": -0.4}, 0.0, "SPIN")
    found = EmbeddingComposite(SamplerSpec.qpu().open()).sample(triangle, num_reads=20, chain_strength=1.0)
    assert found.record.num_occurrences.sum() == 20
    assert found.first.sample in ({"a": s, "b": s, "c": s} for s in (-1, 1))


def test_a_machine_of_any_graph_is_embedded_as_the_recipe_says(served):
    common = {"n_components": 3, "n_particles": 60, "n_iter": 4, "random_state": 0, "progress": False}
    one = RestrictedBoltzmannMachine(sampler=SamplerSpec.qpu(embedding="find", reuse_steps=2), **common)
    before = accepted(served)
    assert one.fit(ROWS).model_.structure.num_variables == 7
    assert accepted(served) == before + 2
    chains = {v: [v] for v in range(4)} | {4: [4, 12], 5: [5, 13], 6: [6, 14]}
    given = RestrictedBoltzmannMachine(sampler=SamplerSpec.qpu(embedding=chains), **common).fit(ROWS)
    assert not np.array_equal(given.model_.h, one.model_.h)


def test_copies_on_one_chip_share_jobs(served):
    graph = [(v, h) for v in range(4) for h in range(4, 8)] + [(4, 5)]
    common = {"n_hidden": 4, "graph": graph, "positive_phase": "sampling", "n_particles": 50, "n_iter": 2}
    spec = SamplerSpec.qpu(num_copies=8)
    before = accepted(served)
    BoltzmannMachine(sampler=spec, random_state=0, progress=False, **common).fit(ROWS)
    distinct = len(np.unique(ROWS, axis=0))
    assert 4 <= accepted(served) - before < 2 + 2 * distinct
    # what a step cost is what all of its jobs cost
    structure = Structure.complete(3)
    compiled = compile_sampler(spec.open(), structure)
    clamp = Clamp(np.array([0, 1]), np.array(list(itertools.product([-1, 1], repeat=2)) * 20, np.int8))
    before = served.standin.statistics()["billed_us"]
    info = compiled.step(structure.zeros(), compiled.init(80, 1), clamp).info
    assert info["calls"] == len(info["jobs"])
    assert info["billed_us"] == pytest.approx(served.standin.statistics()["billed_us"] - before)
    with pytest.raises(ValueError, match="num_copies=2 and an embedding"):
        SamplerSpec.qpu(num_copies=2, embedding={0: [1]}).open()


def test_a_changed_graph_is_told_and_the_recipe_opens_the_new_one(monkeypatch):
    with serve_in_thread(StandIn("chimera-1", seed=3)) as served:
        monkeypatch.setenv("DWAVE_API_ENDPOINT", served.endpoint)
        monkeypatch.setenv("DWAVE_API_TOKEN", served.token)
        sampler = SamplerSpec.qpu().open()
        bqm = dimod.BQM({0: 0.5}, {}, 0.0, "SPIN")
        found = sampler.sample(bqm, num_reads=5, seed=1)
        served.standin.kill_qubits([7])
        with pytest.raises(GraphChangedError, match="graph_id"):
            sampler.sample(bqm, num_reads=5, seed=2)
        # what was answered is still there
        again = sampler.sample(bqm, num_reads=5, seed=1)
        np.testing.assert_array_equal(found.record.sample, again.record.sample)
        anew = SamplerSpec.qpu().open()
        assert anew.nodelist == list(range(7))
        assert anew.sample(bqm, num_reads=5, seed=2).info["solver"] != found.info["solver"]
