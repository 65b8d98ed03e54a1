"""The gray box of Benedetti et al. (2017), small enough to be exact: K6 on 18 qubits, hidden beta."""

import numpy as np
import pytest
from minorminer import busclique
from scipy.optimize import minimize

from annealnn.embeddings import embed_structure, topology_graph
from annealnn.learning import Descent, Learner, Rows, VisiblePhase
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.models._exact import basis_energies, basis_spins
from annealnn.samplers import ExactSampler

HIDDEN_BETAS = (0.5, 1.0, 2.0, 4.0)
# one Chimera cell; and the 18 qubits of K6's clique embedding in two by two cells
SYSTEMS = [(4, "chimera-1", 8, 16), pytest.param((6, "chimera-2", 18, 34), marks=pytest.mark.slow)]
CELL = {0: (0, 4), 1: (1, 5), 2: (2, 6), 3: (3, 7)}


def draw(source, num_rows):
    """Return rows from a random model, J ~ N(0, 1/n), h ~ N(0, 0.09)."""
    n = source.num_variables
    rng = np.random.default_rng(0)
    p = Parameters(rng.normal(0, 0.3, n), rng.normal(0, n**-0.5, source.num_edges))
    compiled = ExactSampler().compile(source)
    return compiled.step(p, compiled.init(num_rows, 7)).spins


def greatest_log_likelihood(source, draws):
    """Return the greatest average log-likelihood that a model on `source` reaches, by an independent optimiser."""
    data, n = source.moments_of(draws), source.num_variables

    def loss(theta):
        model = IsingModel.from_parameters(source, Parameters(theta[:n], theta[n:])).exact()
        value = theta[:n] @ data.spins + theta[n:] @ data.pairs - model.log_z
        gradient = np.concatenate([data.spins - model.moments.spins, data.pairs - model.moments.pairs])
        return -value, -gradient

    return -minimize(loss, np.zeros(n + source.num_edges), jac=True, method="BFGS", options={"gtol": 1e-8}).fun


def decoded_log_likelihood(embedded, parameters, beta, draws):
    """Return the average log-likelihood of decoded device reads, exactly."""
    n = embedded.source.num_variables
    energies = -beta * basis_energies(embedded.physical, parameters)
    p = np.exp(energies - energies.max())
    decoded = embedded.decode(basis_spins(embedded.physical.num_variables)).spins
    weights = 1 << np.arange(n)
    logical = np.bincount((decoded > 0) @ weights, weights=p / p.sum(), minlength=2**n)
    return np.log(logical[(draws > 0) @ weights]).mean()


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
@pytest.mark.parametrize("beta", HIDDEN_BETAS)
def test_decoded_likelihood_rises_to_the_exact_maximum(system, beta):
    n, target, num_qubits, num_couplers = system
    source = Structure.complete(n)
    draws = draw(source, 500)
    best = greatest_log_likelihood(source, draws)
    chains = CELL if n == 4 else busclique.find_clique_embedding(n, topology_graph(target), seed=0, use_cache=False)
    embedded = embed_structure(source, target, embedding=chains)
    assert (embedded.physical.num_variables, embedded.physical.num_edges) == (num_qubits, num_couplers)
    device = ExactSampler().compile(embedded.physical, want="moments", beta=beta)
    # one configuration for all betas: the learner does not know which it has
    descent = Descent(learning_rate=0.3, num_epochs=400)
    learner = Learner(descent, device, VisiblePhase(source, n), num_particles=1, seed=0, encode=embedded.encode_moments)
    rows = Rows(draws)
    state = learner.init(rows)
    start = decoded_log_likelihood(embedded, state.parameters, beta, draws)
    for _ in range(descent.num_epochs):
        state, _ = learner.epoch(state, rows)
    assert start < best - 0.05
    assert abs(best - decoded_log_likelihood(embedded, state.parameters, beta, draws)) < 1e-3
    assert (state.parameters.couplings[embedded.in_chain] > 0).all()
