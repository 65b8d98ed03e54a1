"""dwave-pytorch-plugin over the stand-in, through Ocean's own client: `make test-interop`."""

import dimod
import numpy as np
import pytest
import torch
from dwave.plugins.torch.models import GraphRestrictedBoltzmannMachine
from dwave.plugins.torch.samplers import DimodSampler
from dwave.system import DWaveSampler

from annealnn.models import IsingModel
from annealnn.standin import StandIn, ThermalPhysics, serve_in_thread

BETA, NUM_READS = 2.0, 5000


@pytest.fixture(scope="module")
def qpu():
    with (
        serve_in_thread(StandIn("zephyr-2", physics=ThermalPhysics(beta=BETA), seed=1)) as served,
        DWaveSampler(endpoint=served.endpoint, token=served.token, config_file=False) as sampler,
    ):
        yield sampler


def machine(qpu):
    """Six qubits of the chip, with the couplers between them."""
    u, v = qpu.edgelist[0]
    nodes = sorted({u, v, *sorted(qpu.adjacency[u])[:3], *sorted(qpu.adjacency[v])[:3]})
    edges = [edge for edge in qpu.edgelist if set(edge) <= set(nodes)]
    rng = np.random.default_rng(0)
    grbm = GraphRestrictedBoltzmannMachine(nodes, edges)
    grbm.set_linear({node: float(rng.uniform(-0.8, 0.8)) for node in nodes})
    grbm.set_quadratic({edge: float(rng.uniform(-0.8, 0.8)) for edge in edges})
    return grbm


def test_dimod_sampler_draws_from_the_machine(qpu):
    grbm = machine(qpu)
    settings = {"num_reads": NUM_READS, "auto_scale": False, "answer_mode": "raw"}
    # the chip is beta times as cold as the machine: its parameters are divided by that
    sampler = DimodSampler(grbm, qpu, 1 / BETA, sample_kwargs=settings)
    spins = sampler.sample()
    assert tuple(spins.shape) == (NUM_READS, grbm.n_nodes)
    h, J = grbm.to_ising(1.0)
    model = IsingModel.from_bqm(dimod.BQM.from_ising(h, J))
    exact, order = model.exact().moments.spins, [model.labels.index(node) for node in grbm.nodes]
    # 5.5 standard errors
    np.testing.assert_allclose(spins.mean(dim=0).numpy(), exact[order], atol=5.5 / NUM_READS**0.5)


def test_conditions_are_held(qpu):
    grbm = machine(qpu)
    sampler = DimodSampler(
        grbm, qpu, 1 / BETA, sample_kwargs={"num_reads": 3, "auto_scale": False, "answer_mode": "raw"}
    )
    x = torch.full((2, grbm.n_nodes), float("nan"))
    x[0, 0], x[1, 1] = 1.0, -1.0
    spins = sampler.sample(x)
    assert (spins[0, :, 0] == 1).all()
    assert (spins[1, :, 1] == -1).all()


def test_beta_is_found(qpu):
    grbm = machine(qpu)
    settings = {"num_reads": NUM_READS, "auto_scale": False, "answer_mode": "raw"}
    spins = DimodSampler(grbm, qpu, 1.0, sample_kwargs=settings).sample()
    assert grbm.estimate_beta(spins) == pytest.approx(BETA, rel=0.1)
