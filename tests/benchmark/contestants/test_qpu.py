"""A processor and the stand-in for one: the same class, by the same path; SIMULATED."""

import gc
import json
import os
import socket
from urllib.parse import urlsplit

import numpy as np
import pytest

from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark.contestants import open_contestant
from annealnn.embeddings import topology_graph
from annealnn.exceptions import ProblemRefusedError, QPUConfigurationError
from annealnn.models import IsingModel
from annealnn.standin import StandIn, ThermalPhysics, leading_to, serve_in_thread

SETTINGS = {"topology": "chimera-2", "num_dead_qubits": 3, "chip_seed": 7}
TRIANGLE = IsingModel({"a": 0.1, "b": 0.0, "c": 0.2}, {("a", "b"): 1.0, ("b", "c"): -1.0, ("a", "c"): 1.0})


def on_chip(contestant, *, scale=1.0, seed=1):
    """Fields and couplings on the working graph, qubits in falling order."""
    rng, graph = np.random.default_rng(seed), topology_graph("chimera-2")
    graph = graph.subgraph(contestant.device.nodelist)
    fields = {qubit: scale * float(rng.normal()) for qubit in sorted(graph, reverse=True)}
    return IsingModel(fields, {edge: scale * float(rng.choice([-1, 1])) for edge in graph.edges})


def opened(**settings):
    return open_contestant(ContestantSpec(name="standin", settings={**SETTINGS, **settings}))


@pytest.fixture(scope="module")
def standin():
    return opened()


def test_its_hardware_is_simulated(standin):
    hardware = standin.hardware
    assert hardware.simulated
    assert (hardware.kind, hardware.num_qubits) == ("qpu", 29)
    assert "simulated" in hardware.name
    assert standin.effort_name == "annealing_time_us"


@pytest.mark.parametrize("scale", [0.2, 1.0, 40.0])
def test_energies_are_those_of_the_problem_as_it_is(standin, scale):
    """Whatever the range of biases: one common factor takes the problem there."""
    model = on_chip(standin, scale=scale)
    found = standin.run(model, effort=None, num_reads=20, seed=1)
    assert found.spins.shape == (20, 29)
    np.testing.assert_allclose(found.energies, model.energy(found.spins), rtol=1e-12)
    assert not np.allclose(found.energies, model.energy(found.spins[:, ::-1]))
    plain = standin.run(on_chip(standin), effort=None, num_reads=20, seed=1)
    assert found.info["scale"] == pytest.approx(plain.info["scale"] / scale)
    json.dumps(found.info, allow_nan=False)


def test_the_parts_of_its_time_are_those_that_the_service_states(standin):
    timing = standin.run(on_chip(standin), effort=40.0, num_reads=50, seed=2).timing
    assert timing.annealing_s == pytest.approx(50 * 40e-6)
    again = standin.run(on_chip(standin), effort=1.0, num_reads=50, seed=2).timing
    assert again.annealing_s == pytest.approx(50 * 1e-6)
    assert again.programming_s == pytest.approx(timing.programming_s)
    assert again.readout_s == pytest.approx(timing.readout_s)
    assert min(timing) > 0
    info = standin.run(on_chip(standin), effort=40.0, num_reads=50, seed=2).info["qpu_timing"]
    told = standin.run(on_chip(standin), effort=40.0, num_reads=50, seed=2).info["recorded_client_s"]
    assert timing.network_s == told["submit_s"]  # without the seconds of the simulation
    access = timing.programming_s + timing.annealing_s + timing.readout_s
    assert access == pytest.approx(1e-6 * info["qpu_access_time"])


def test_a_run_from_the_journal_has_the_times_of_the_first(standin):
    model = on_chip(standin)
    first, again = (standin.run(model, effort=30.0, num_reads=10, seed=3) for _ in range(2))
    assert (first.info["replayed"], again.info["replayed"]) == (0, 1)
    assert again.info["client_s"] == {}
    np.testing.assert_array_equal(first.spins, again.spins)
    for name in ("network_s", "programming_s", "annealing_s", "readout_s", "postprocessing_s"):
        assert getattr(again.timing, name) == getattr(first.timing, name) > 0
    assert again.timing.client_s >= sum(first.info["client_s"][part] for part in ("encode_s", "decode_s"))


def test_another_seed_draws_other_reads_and_another_process_the_same(standin):
    model = on_chip(standin)
    one, other = (standin.run(model, effort=20.0, num_reads=30, seed=seed).spins for seed in (4, 5))
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(opened().run(model, effort=20.0, num_reads=30, seed=4).spins, one)


def test_a_processor_is_opened_by_the_same_path(standin, tmp_path):
    """The service of the same chip, found through the configuration, gives the same reads; it says that it is none."""
    chip = StandIn("chimera-2", num_dead_qubits=3, seed=7, physics=ThermalPhysics())
    model = on_chip(standin)
    with serve_in_thread(chip) as served, leading_to(served, tmp_path):
        processor = open_contestant(ContestantSpec(name="qpu", power_w=25e3))
        assert processor.hardware.simulated
        assert processor.hardware.power_w == 25e3
        found = processor.run(model, effort=20.0, num_reads=30, seed=6)
    np.testing.assert_array_equal(found.spins, standin.run(model, effort=20.0, num_reads=30, seed=6).spins)


def test_a_processor_that_is_not_configured_is_told_of(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("DWAVE_", "ANNEALNN_"))]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(QPUConfigurationError):
        open_contestant(ContestantSpec(name="qpu"))


def test_the_environment_stays_as_it_was(monkeypatch):
    monkeypatch.setenv("DWAVE_API_TOKEN", "SIM-of-somebody-else")
    monkeypatch.setenv("ANNEALNN_REPLAY", "/nowhere/journal.sqlite")
    before = dict(os.environ)
    contestant = opened()
    assert dict(os.environ) == before
    assert contestant.run(on_chip(contestant), effort=None, num_reads=2, seed=0).info["replayed"] == 0


def test_the_service_ends_with_its_contestant():
    contestant = opened()
    where = urlsplit(contestant.device._runner.connection._client.config.endpoint)
    socket.create_connection((where.hostname, where.port)).close()
    del contestant
    gc.collect()
    with pytest.raises(OSError):
        socket.create_connection((where.hostname, where.port)).close()


def test_a_problem_of_another_graph_is_embedded_if_that_is_asked_for(standin):
    with pytest.raises(ProblemRefusedError, match=r"simulated.*has no 'a'.*embedding='find'"):
        standin.run(TRIANGLE, effort=None, num_reads=3, seed=0)
    found = opened(embedding="find").run(TRIANGLE, effort=5.0, num_reads=7, seed=0)
    np.testing.assert_allclose(found.energies, TRIANGLE.energy(found.spins))
    assert set(found.info["embedding_context"]["embedding"]) == {"a", "b", "c"}
    assert found.timing.annealing_s == pytest.approx(7 * 5e-6)


def test_copies_share_anneals():
    found = opened(num_copies=4).run(TRIANGLE, effort=5.0, num_reads=8, seed=0)
    assert found.spins.shape == (8, 3)
    np.testing.assert_allclose(found.energies, TRIANGLE.energy(found.spins))
    assert found.timing.annealing_s == pytest.approx(2 * 5e-6)


@pytest.mark.parametrize(
    ("settings", "effort", "scale", "words"),
    [
        ({}, 1e9, 1.0, "annealing_time.*2000.*1000000000"),
        ({"auto_scale": False}, None, 40.0, "ranges"),
    ],
    ids=["too-long", "too-strong"],
)
def test_what_is_out_of_range_is_refused(settings, effort, scale, words):
    contestant = opened(**settings)
    with pytest.raises(ProblemRefusedError, match=words):
        contestant.run(on_chip(contestant, scale=scale), effort=effort, num_reads=3, seed=0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"solver": "Advantage"}, "its own way; got 'solver'"),
        ({"physics": "magic"}, "physics.*magic"),
        ({"beta": -1.0}, "beta.*-1"),
        ({"readout_error": 2.0}, "readout.*2"),
        ({"annealing_time": 5.0}, "are the task's"),
        ({"chain_strength": 1.0}, "settings of a processor are.*got 'chain_strength'"),
    ],
    ids=["solver", "physics", "beta", "readout", "time", "chains"],
)
def test_a_setting_that_breaks_a_rule_is_told_of(settings, words):
    with pytest.raises(ValueError, match=words):
        opened(**settings)


@pytest.mark.parametrize("physics", ["path-integral", "anneal", "anneal-quantum"])
def test_physics_of_the_chip_are_chosen_by_name(physics):
    contestant = opened(physics=physics, noise=0.01, drift=0.01, readout_error=0.01)
    model = on_chip(contestant)
    found = contestant.run(model, effort=2.0, num_reads=5, seed=0)
    np.testing.assert_allclose(found.energies, model.energy(found.spins))
