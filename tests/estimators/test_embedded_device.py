"""The embedded machine on a device whose working graph changes, with fixed chain couplers, in gauges."""

import dimod
import networkx as nx
import numpy as np
import pytest

from annealnn import EmbeddedBoltzmannMachine, SamplerSpec, SimulatedAnnealingSampler
from annealnn.embeddings import topology_graph
from annealnn.exceptions import CheckpointError, GraphChangedError
from annealnn.learning import checkpoint
from annealnn.samplers import GaugeComposite


class Device(dimod.Sampler, dimod.Structured):
    """A processor of one's own: an annealer on a graph that loses qubits at some call, as a service tells of it."""

    nodelist = edgelist = parameters = properties = None  # dimod's own way: set when made

    def __init__(self, chip):
        self.chip = chip
        self.nodelist, self.edgelist = sorted(chip.graph), sorted(map(tuple, map(sorted, chip.graph.edges)))
        self.parameters = {"num_reads": [], "seed": []}
        self.properties = {"h_range": [-4.0, 4.0], "j_range": [-1.0, 1.0], "extended_j_range": [-2.0, 1.0]}

    def sample(self, bqm, *, num_reads, seed):
        self.chip.calls += 1
        if (dead := self.chip.deaths.pop(self.chip.calls, None)) is not None:
            self.chip.graph.remove_nodes_from(dead(bqm) if callable(dead) else dead)
        if sorted(self.chip.graph) != self.nodelist:
            msg = f"the working graph has {len(self.chip.graph)} qubits, the problem was made for {len(self.nodelist)}"
            raise GraphChangedError(msg)
        return SimulatedAnnealingSampler().sample(
            bqm, num_reads=num_reads, num_sweeps=20, beta_range=(0.1, 2.0), seed=seed
        )


class Chip:
    """What stands behind every sampler that is opened; `deaths` are qubits, or problem -> qubits, by call."""

    def __init__(self, target="zephyr-2", **deaths):
        self.graph, self.calls = topology_graph(target), 0
        self.deaths = {int(name[1:]): dead for name, dead in deaths.items()}


def first_used(count):
    return lambda bqm: list(bqm.variables)[:count]


@pytest.fixture
def on(monkeypatch):
    """Return a spec that opens a device over a chip."""

    def spec(chip):
        monkeypatch.setattr("annealnn.testing.current_device", lambda: Device(chip), raising=False)
        return SamplerSpec("annealnn.testing:current_device")

    return spec


def machine_on(spec, **keywords):
    return EmbeddedBoltzmannMachine(sampler=spec, **{"n_iter": 30, "n_reads": 200, "random_state": 0, **keywords})


def test_it_goes_on_when_qubits_vanish(mixture, on):
    chip = Chip(c15=first_used(3))
    machine = machine_on(on(chip)).fit(mixture)
    (change,) = machine.graph_changes_
    assert change["iteration"] == 14
    assert len(change["lost_qubits"]) == 3
    assert change["trimmed_chains"] or change["moved_chains"]
    assert not set(change["lost_qubits"]) & set(machine.physical_model_.labels)
    assert set(machine.physical_model_.labels) <= set(chip.graph)
    assert machine.n_iter_ == 30
    assert len(machine.history_["iteration"]) == 30
    errors = machine.history_["decoded_coupling_error"]
    # what was learned is not lost: the epoch after the change is far better than the start
    assert errors[14] < 0.5 * errors[0]
    assert errors[-1] < 0.3 * errors[0]
    assert machine.sample(5).shape == (5, 6)


def test_a_loss_elsewhere_changes_nothing_that_is_learned(mixture, on):
    spare = [q for q in sorted(topology_graph("zephyr-2")) if q not in machine_on_whole(mixture, on)][:4]
    whole = machine_on(on(Chip()), n_iter=10).fit(mixture)
    chip = Chip(c5=spare)
    machine = machine_on(on(chip), n_iter=10).fit(mixture)
    assert machine.graph_changes_ == [
        {"iteration": 4, "lost_qubits": [], "method": "unchanged", "trimmed_chains": [], "moved_chains": []}
    ]
    np.testing.assert_array_equal(machine.physical_model_.h, whole.physical_model_.h)


def machine_on_whole(mixture, on):
    return set(machine_on(on(Chip()), n_iter=1).fit(mixture).physical_model_.labels)


def test_the_same_deaths_give_the_same_machine(mixture, on):
    first, second = (machine_on(on(Chip(c7=first_used(2)))).fit(mixture) for _ in range(2))
    np.testing.assert_array_equal(first.physical_model_.h, second.physical_model_.h)
    np.testing.assert_array_equal(first.model_.J, second.model_.J)


def test_a_checkpoint_of_before_goes_on_after(mixture, on, tmp_path):
    """Interrupted before qubits die, resumed after: on the mended embedding, with what was learned."""

    def stop(snapshot):
        if snapshot.iteration == 15:
            raise KeyboardInterrupt

    keywords = {"checkpoint": tmp_path / "saved", "monitor_every": 5}
    chip = Chip()
    spec = on(chip)
    with pytest.raises(KeyboardInterrupt):
        machine_on(spec, callbacks=stop, **keywords).fit(mixture)
    # the interrupted epoch is made again
    assert checkpoint.load(tmp_path / "saved")[0].iteration == 14
    saved = checkpoint.structure_of(tmp_path / "saved")
    chip.graph.remove_nodes_from(saved.labels[:3])
    machine = machine_on(spec, resume=True, **keywords).fit(mixture)
    (change,) = machine.graph_changes_
    assert change["iteration"] == 14
    assert set(saved.labels[:3]) == set(change["lost_qubits"])
    errors = machine.history_["decoded_coupling_error"]
    assert len(errors) == 30
    assert errors[14] < 0.5 * errors[0]
    # what the checkpoint says of itself is what it holds
    about = checkpoint.read_record(tmp_path / "saved")["about"]
    assert about["graph_changes"] == machine.graph_changes_
    assert [q for chain in about["embedding"] for q in chain] == list(machine.physical_model_.labels)


def test_after_a_change_an_interrupt_is_resumed_to_the_same_bits(mixture, on, tmp_path):
    def stop(snapshot):
        if snapshot.iteration == 20:
            raise KeyboardInterrupt

    whole = machine_on(on(Chip(c8=first_used(3))), monitor_every=5).fit(mixture)
    keywords = {"checkpoint": tmp_path / "saved", "monitor_every": 5}
    spec = on(Chip(c8=first_used(3)))
    with pytest.raises(KeyboardInterrupt):
        machine_on(spec, callbacks=stop, **keywords).fit(mixture)
    machine = machine_on(spec, resume=True, **keywords).fit(mixture)
    np.testing.assert_array_equal(machine.physical_model_.h, whole.physical_model_.h)
    np.testing.assert_array_equal(machine.model_.J, whole.model_.J)
    assert machine.graph_changes_ == whole.graph_changes_
    assert machine.history_ == whole.history_


def test_a_graph_that_keeps_changing_is_an_error(mixture, on):
    chip = Chip(**{f"c{k}": [k] for k in range(5, 40)})
    with pytest.raises(GraphChangedError, match="the problem was made for"):
        machine_on(on(chip)).fit(mixture)
    assert chip.calls == 4 + 4


def test_a_fault_on_reopening_leaves_a_checkpoint_to_go_on_from(mixture, on, tmp_path, monkeypatch):
    chip = Chip(c8=first_used(3))
    spec = on(chip)
    opened = []

    def fails_once():
        opened.append(1)
        if len(opened) == 2:
            raise ConnectionError("the service is away")
        return Device(chip)

    monkeypatch.setattr("annealnn.testing.current_device", fails_once)
    keywords = {"checkpoint": tmp_path / "saved"}
    with pytest.raises(ConnectionError):
        machine_on(spec, **keywords).fit(mixture)
    whole = machine_on(on(Chip(c8=first_used(3)))).fit(mixture)
    monkeypatch.setattr("annealnn.testing.current_device", lambda: Device(chip))
    machine = machine_on(spec, resume=True, **keywords).fit(mixture)
    assert machine.n_iter_ == 30
    assert machine.graph_changes_ == whole.graph_changes_
    np.testing.assert_array_equal(machine.physical_model_.h, whole.physical_model_.h)


def test_a_checkpoint_of_another_job_is_still_refused(mixture, on, tmp_path):
    keywords = {"checkpoint": tmp_path / "saved"}
    machine_on(on(Chip()), n_iter=3, **keywords).fit(mixture)
    with pytest.raises(CheckpointError, match="the job it was made for"):
        machine_on(on(Chip()), n_iter=3, resume=True, **keywords).fit(1 - mixture)


def test_a_step_at_a_time_goes_on_too(mixture, on):
    machine = machine_on(on(Chip(c4=first_used(2))))
    for _ in range(6):
        machine.partial_fit(mixture)
    (change,) = machine.graph_changes_
    assert change["iteration"] == 3
    assert machine.n_iter_ == len(machine.history_["iteration"]) == 6
    assert not set(change["lost_qubits"]) & set(machine.physical_model_.labels)


def test_a_target_is_taken_as_far_as_the_device_has_it(mixture, on):
    chip = Chip()
    chip.graph.remove_nodes_from(range(0, 160, 9))
    machine = machine_on(on(chip), target="zephyr-2", n_iter=2).fit(mixture)
    assert set(machine.physical_model_.labels) <= set(chip.graph)


def test_chain_couplers_can_be_held(mixture):
    machine = EmbeddedBoltzmannMachine("chimera-4", chain_coupling=0.8, n_iter=60, n_reads=300, random_state=0).fit(
        mixture
    )
    inside = machine.physical_model_.parameters.couplings[machine.embedded_.in_chain]
    assert inside.size
    assert (inside == 0.8).all()
    assert machine.history_["chain_coupling"] == pytest.approx([0.8] * 60)
    errors = machine.history_["decoded_coupling_error"]
    assert errors[-1] < 0.5 * errors[0]
    # held from the first read on: chains hold better than learned ones begin with
    assert machine.history_["broken_chains"][0] < 0.5
    assert max(machine.history_["clipped_fraction"]) == 0


@pytest.mark.parametrize("value", [0.0, -1.0, 2.5, np.nan, "strong"])
def test_a_chain_coupling_out_of_range(mixture, value):
    with pytest.raises(ValueError, match="chain_coupling is a finite number, above 0 and at most 2"):
        EmbeddedBoltzmannMachine("chimera-4", chain_coupling=value, n_iter=2).fit(mixture)


def test_held_chains_stay_held_where_qubits_vanish(mixture, on):
    machine = machine_on(on(Chip(c8=first_used(3))), chain_coupling=0.7).fit(mixture)
    assert machine.graph_changes_
    assert (machine.physical_model_.parameters.couplings[machine.embedded_.in_chain] == 0.7).all()


class Biased(dimod.Sampler):
    """An annealer on a device that adds the same field to every qubit."""

    def __init__(self):
        self.properties, self.parameters = {}, {"num_reads": [], "seed": []}

    properties = parameters = None  # dimod's own way: set when made

    def sample(self, bqm, *, num_reads, seed):
        off = bqm.copy()
        for v in off.variables:
            off.add_linear(v, -0.3)
        return SimulatedAnnealingSampler().sample(
            off, num_reads=num_reads, num_sweeps=20, beta_range=(0.1, 2), seed=seed
        )


def test_a_gauge_composite_is_learned_through(mixture):
    machine = machine_on(GaugeComposite(Biased()), target=nx.complete_graph(6), n_iter=40).fit(mixture)
    errors = machine.history_["decoded_coupling_error"]
    assert errors[-1] < 0.5 * errors[0]
    # reads in all gauges: no field is learned against the device's own, which gauges average out
    plain = machine_on(Biased(), target=nx.complete_graph(6), n_iter=40).fit(mixture)
    assert plain.model_.h.mean() < machine.model_.h.mean() - 0.1
