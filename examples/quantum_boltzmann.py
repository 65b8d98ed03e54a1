"""
A quantum Boltzmann machine
===========================

How near a machine under a transverse field comes to a distribution of six bits, against the strength of the field:
trained on the likelihood itself, and on the bound that a sampler can train (Amin et al. 2018, Phys. Rev. X 8, 021050).

The machine is ``rho = exp(-H) / Z`` with Eq. (1)'s H, all units visible, ``P(v) = Tr[Lambda_v rho]``. The gradient of
its log-likelihood has no form of moments. The Golden-Thompson inequality bounds it from below by moments of the data
and of the machine, which any sampler of exp(-H) gives.
"""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np

from annealnn.learning.quantum import bound_loss, exact_loss, fit_quantum_machine
from annealnn.models import Structure

# %%
# The data: a mixture of eight centres, each of whose spins is kept with probability 0.9. A pair of spins cannot tell it
# all, so a machine of pairs cannot be it. States are in basis order: the first spin is most significant, +1 first.
num_units = 6
states = np.array(list(product([1, -1], repeat=num_units)))
centres = np.random.default_rng(0).choice([-1.0, 1.0], (8, num_units))
wrong = (states[:, None] != centres).sum(axis=2)
data = (0.9 ** (num_units - wrong) * 0.1**wrong).mean(axis=1)
entropy = -(data * np.log(data)).sum()

# %%
# Both losses are minimised by BFGS, with exact gradients by diagonalisation. Whatever was minimised, machines are
# compared by the same number: the divergence of the data from P(v), in nats.
graph = Structure.complete(num_units)


def divergence(fit):
    """Return KL(data || machine), nats."""
    return exact_loss(graph, fit.parameters, data)[0] - entropy


gammas = np.linspace(0.0, 3.5, 8)
on_bound = [divergence(fit_quantum_machine(graph, data, bound_loss, gamma=g)) for g in gammas]
on_likelihood = [divergence(fit_quantum_machine(graph, data, exact_loss, gamma=g)) for g in gammas]
classical = on_likelihood[0]
learned = fit_quantum_machine(graph, data, exact_loss, gamma=0.5, learn_gamma=True)
best = learned.parameters.gamma[0], divergence(learned)

print(f"classical               {classical:.4f}")
print(f"bound, gamma {gammas[np.argmin(on_bound)]:.2f}       {min(on_bound):.4f}, the best of those tried")
print(f"likelihood, gamma {best[0]:.2f}  {best[1]:.4f}, gamma learned")

# %%
# At gamma = 0 the bound is the likelihood. The bound cannot learn gamma: with all units visible it only falls as gamma
# grows, though the machine gets better for a while. Choose gamma on held-out data instead.
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.axhline(classical, color="0.5", ls="--", label="classical machine")
ax.plot(gammas, on_bound, "o-", color="C0", label="trained on the bound")
ax.plot(gammas, on_likelihood, "s-", color="C1", label="trained on the likelihood")
ax.plot(*best, "*", ms=13, color="C3", label="gamma learned")
ax.set(xlabel="transverse field gamma", ylabel="KL(data || machine), nats")
ax.legend(frameon=False)
