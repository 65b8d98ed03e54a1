"""What the embedded machine learns from a device whose temperature is hidden, and that the check has teeth."""

from dataclasses import replace

import dimod
import networkx as nx
import numpy as np
import pytest
from dwave.system.testing import MockDWaveSampler

from annealnn import EmbeddedBoltzmannMachine, SamplerSpec, SimulatedAnnealingSampler
from annealnn.embeddings import load_embedding, topology_graph, with_dead_qubits
from annealnn.experiments import OptDigitsJob, embedded_misses
from annealnn.experiments._optdigits import fit_embedded, measure_hebbian
from annealnn.experiments.evidence import GRID, SEEDS, fit_ignoring_moments, measure


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return OptDigitsJob(out=tmp_path_factory.mktemp("jobs") / "report")


@pytest.fixture(scope="module")
def machine(job, optdigits46):
    return fit_embedded(job, optdigits46, optdigits46.y, "embedded")


@pytest.fixture(scope="module")
def hebbian(job, machine, optdigits46):
    return measure_hebbian(job, machine, optdigits46)


def test_optdigits_on_zephyr(machine, hebbian, optdigits46):
    assert machine.n_iter_ <= 200
    assert embedded_misses(measure(machine, optdigits46, 0), hebbian.quality) == []


def test_untrained_machine_classifies_but_misses_the_moments(hebbian):
    assert hebbian.quality.accuracy.value > 0.88
    assert len(embedded_misses(hebbian.quality, hebbian.quality)) >= 1


def test_shuffled_labels_miss(job, hebbian, optdigits46):
    labels = np.random.default_rng(0).permutation(optdigits46.y)
    shuffled = fit_embedded(replace(job, embedded_n_iter=60), optdigits46, labels, "shuffled")
    misses = embedded_misses(measure(shuffled, optdigits46, 0), hebbian.quality)
    assert any("accuracy" in miss for miss in misses)


def test_a_learner_that_ignores_the_device_misses(job, hebbian, optdigits46):
    blind = fit_ignoring_moments(replace(job, embedded_n_iter=60), optdigits46)
    misses = embedded_misses(measure(blind, optdigits46, 0), hebbian.quality)
    assert any("coupling error" in miss for miss in misses)


def test_what_is_learned_stays_in_the_devices_ranges(machine):
    assert np.abs(machine.physical_model_.h).max() <= 4
    couplings = machine.physical_model_.parameters.couplings
    assert couplings.min() >= -1
    assert couplings.max() <= 2
    inside = couplings[machine.embedded_.in_chain]
    assert (inside > 0).all()
    assert machine.history_["broken_chains"][0] > 0.8 > 0.2 > machine.history_["broken_chains"][-1]


def test_narrow_ranges_clip_and_say_so(bars):
    machine = EmbeddedBoltzmannMachine(
        n_iter=80, n_reads=200, h_range=(-0.1, 0.1), extended_j_range=(-0.3, 0.2), random_state=0
    ).fit(*bars)
    couplings = machine.physical_model_.parameters.couplings
    assert -0.2 <= couplings.min() <= couplings.max() <= 0.3
    assert machine.history_["clipped_fraction"][-1] > 0.1
    assert machine.history_["clipped_fraction"][0] == 0


def test_it_learns_on_a_working_graph_with_dead_qubits(bars):
    working = with_dead_qubits(topology_graph("chimera-12"), 55, seed=2)
    machine = EmbeddedBoltzmannMachine(working, n_iter=100, n_reads=300, random_state=0).fit(*bars)
    assert set(machine.physical_model_.labels) <= set(working)
    assert machine.history_["decoded_coupling_error"][-1] < 0.5 * machine.history_["decoded_coupling_error"][0]


def test_a_given_embedding_is_used(bars):
    chains = load_embedding("chimera-12", "K11")
    machine = EmbeddedBoltzmannMachine("chimera-12", embedding=chains.to_mapping(), n_iter=2, n_reads=10).fit(*bars)
    assert machine.embedding_ == chains


@pytest.mark.filterwarnings("ignore:'auto_scale' parameter is valid")  # the mock advertises what it does not mock
def test_a_structured_dimod_sampler_brings_its_graph_and_ranges(mixture):
    # dwave-system's mock of a processor, over a real annealer so that its reads are thermal
    device = MockDWaveSampler(
        topology_type="zephyr", topology_shape=[2, 4], substitute_sampler=_NealDevice(), substitute_kwargs={}
    )
    machine = EmbeddedBoltzmannMachine(sampler=device, n_iter=30, n_reads=100, random_state=0)
    machine.fit(mixture)
    assert set(machine.physical_model_.labels) <= set(device.nodelist)
    low, high = device.properties["extended_j_range"]
    assert machine.bounds_.couplings == (-high, -low)
    assert machine.history_["decoded_coupling_error"][-1] < 0.5 * machine.history_["decoded_coupling_error"][0]
    assert machine.sample(3).shape == (3, 6)


class _NealDevice(dimod.Sampler):
    properties, parameters = {}, {"num_reads": []}

    def sample(self, bqm, *, num_reads=1, **kwargs):
        return SimulatedAnnealingSampler().sample(
            bqm, num_reads=num_reads, num_sweeps=20, beta_range=(0.1, 2.0), seed=1
        )


def test_likelihood_error_holds_that_of_beta(mixture):
    machine = EmbeddedBoltzmannMachine(n_iter=60, n_reads=300, random_state=0).fit(mixture)
    beta = machine.effective_beta_
    assert 0.1 < beta.value < 5
    assert "effective beta" in machine.log_partition_.method
    assert machine.log_partition_.standard_error > 0


def test_no_finite_beta_is_an_error_and_no_nan(mixture):
    path = nx.path_graph(6)
    frozen = SamplerSpec("anneal", {"num_sweeps": 300, "beta_range": (1.0, 4e7)})
    machine = EmbeddedBoltzmannMachine(path, graph=path, sampler=frozen, n_iter=3, n_reads=50, random_state=0).fit(
        mixture
    )
    assert machine.embedding_.longest_chain == 1
    assert machine.effective_beta_.value == np.inf
    with pytest.raises(ValueError, match="finite effective beta"):
        machine.score(mixture)


def test_path_of_variables_on_a_grid():
    rng = np.random.default_rng(0)
    X = (rng.random((300, 5)) < [0.2, 0.5, 0.7, 0.9, 0.4]).astype(int)
    machine = EmbeddedBoltzmannMachine(
        nx.convert_node_labels_to_integers(nx.grid_2d_graph(4, 4)),
        graph=nx.path_graph(5),
        n_iter=60,
        n_reads=300,
        random_state=0,
    ).fit(X)
    assert machine.model_.structure.num_edges == 4
    assert np.abs(machine.sample(2000).mean(axis=0) - X.mean(axis=0)).max() < 0.08


@pytest.mark.slow
@pytest.mark.parametrize(("target", "beta"), [(target, beta) for target, betas in GRID.items() for beta in betas])
def test_every_hidden_beta_three_seeds(job, optdigits46, target, beta):
    mine = replace(job, target=target, device_beta=beta)
    found, hebbian = [], None
    for seed in SEEDS:
        job_of_seed = replace(mine, seed=seed)
        machine = fit_embedded(job_of_seed, optdigits46, optdigits46.y, f"{target}-{beta}-{seed}")
        hebbian = measure_hebbian(job_of_seed, machine, optdigits46) if hebbian is None else hebbian
        found.append(embedded_misses(measure(machine, optdigits46, seed), hebbian.quality))
    assert found == [[], [], []]


def test_a_device_under_a_transverse_field_is_learned_through(mixture):
    device = SamplerSpec("path-integral", {"gamma": 0.5, "num_slices": 8, "num_sweeps": 5})
    machine = EmbeddedBoltzmannMachine("chimera-3", sampler=device, n_reads=300, n_iter=80, random_state=0).fit(mixture)
    errors = machine.history_["decoded_coupling_error"]
    assert errors[-1] < 0.5 * errors[0]
