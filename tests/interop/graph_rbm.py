"""D-Wave's own class and ours, one distribution: `make test-interop` runs this in an environment with PyTorch."""

import numpy as np
import pytest
import torch
from dwave.plugins.torch.models import GraphRestrictedBoltzmannMachine

from annealnn import BoltzmannMachine, RestrictedBoltzmannMachine
from annealnn.estimators import from_graph_rbm, to_graph_rbm

QUICK = {"n_iter": 3, "n_particles": 20, "random_state": 0}
NODES = ["a", "b", "c", "d", "e"]
EDGES = [("a", "b"), ("c", "b"), ("d", "a"), ("e", "d"), ("c", "e")]


def every(num_spins):
    return 2 * ((np.arange(2**num_spins)[:, None] >> np.arange(num_spins)) & 1) - 1


@pytest.mark.parametrize("hidden", [[], ["b", "d"]])
def test_energies_of_a_graph_rbm_stay(hidden):
    torch.manual_seed(0)
    grbm = GraphRestrictedBoltzmannMachine(NODES, EDGES, hidden)
    grbm.set_linear({node: 0.3 * k - 0.5 for k, node in enumerate(NODES)})
    machine = from_graph_rbm(grbm.state_dict(), **QUICK)
    nodes = every(5)
    energies = grbm(torch.as_tensor(nodes, dtype=torch.float32)).detach().numpy()
    order = np.concatenate([grbm.visible_idx.numpy(), grbm.hidden_idx.numpy()])
    found = machine.structure_.energies(machine.model_.parameters, nodes[:, order])
    np.testing.assert_allclose(found, energies, atol=1e-5)
    assert np.exp(machine.score_samples((every(5 - len(hidden)) + 1) // 2)).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "machine",
    [
        RestrictedBoltzmannMachine(3, **QUICK),
        RestrictedBoltzmannMachine(2, lateral=True, **QUICK),
        BoltzmannMachine(**QUICK),
    ],
    ids=["restricted", "semi-restricted", "visible"],
)
def test_a_machine_s_state_is_loaded_whole(machine):
    X = (np.random.default_rng(0).random((40, 4)) < [0.2, 0.5, 0.6, 0.9]).astype(np.int8)
    machine = machine.fit(X)
    state = {name: torch.as_tensor(array) for name, array in to_graph_rbm(machine).items()}
    edges = zip(state["_edge_idx_i"].tolist(), state["_edge_idx_j"].tolist(), strict=True)
    grbm = GraphRestrictedBoltzmannMachine(range(len(state["_linear"])), edges, state["_hidden_idx"].tolist())
    own = grbm.state_dict()
    assert own.keys() == state.keys()
    for name in own.keys() - {"_linear", "_quadratic"}:
        torch.testing.assert_close(state[name], own[name])
    grbm.load_state_dict(state)
    units = every(len(own["_linear"]))
    energies = grbm(torch.as_tensor(units, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(machine.structure_.energies(machine.model_.parameters, units), energies, atol=1e-5)
    back = from_graph_rbm(grbm.state_dict(), **QUICK)
    np.testing.assert_allclose(back.model_.h, machine.model_.h, atol=1e-6)
    if len(own["_hidden_idx"]):
        # the class's own means of hidden units
        rows = torch.as_tensor(2.0 * X - 1.0, dtype=torch.float32)
        means = grbm._compute_expectation_disconnected(rows)[:, 4:].detach().numpy()
        np.testing.assert_allclose((1 + means) / 2, machine.transform(X), atol=1e-5)
