"""
Models and samplers
===================

An Ising model, its exact Boltzmann distribution, and the reads of two samplers beside it.

A model has the sign of Eq. (1), each pair once: ``H = - sum_{i<j} J_ij Z_i Z_j - sum_i h_i Z_i``. A positive coupling
aligns two spins; a positive field pulls a spin to +1. Samplers speak dimod's sign, which is the opposite; ``to_bqm``
crosses over.
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import GibbsSampler, IsingModel, SimulatedAnnealingSampler

# fields and couplings are uneven on purpose: a sign slip would show
model = IsingModel({"a": 0.7, "b": -0.3, "c": 0.1}, {("a", "b"): 0.9, ("b", "c"): -0.4})
bqm = model.to_bqm()
print("J_ab in the model", model.J[0, 1], "| in dimod's", bqm.get_quadratic("a", "b"))

# %%
# Up to 24 variables, ``exact`` enumerates. Beta is an argument: it is never folded into an energy.
beta, num_reads = 1.5, 20000
exact = model.exact(beta)
print("ln Z =", round(exact.log_z, 4))

# %%
# Each Gibbs read has its own random start and a hundred heat-bath sweeps. Reads are independent, so the standard error
# of a moment is that of a plain mean. An annealer's read is a quench, here of three sweeps: it has low energy, but the
# reads follow no Boltzmann distribution.
draw = {"num_reads": num_reads, "seed": 1}
gibbs = GibbsSampler().sample(bqm, num_sweeps=100, beta=beta, **draw)
quench = SimulatedAnnealingSampler().sample(bqm, num_sweeps=3, beta_range=(0.1, beta), **draw)

print("moment   exact    Gibbs             annealer")
for name, want in zip(model.labels, exact.moments.spins, strict=True):
    columns = []
    for reads in (gibbs, quench):
        spins = reads.samples(sorted_by=None)[:, name]
        columns.append(f"{spins.mean():+.3f} ± {spins.std() / num_reads**0.5:.3f}")
    print(f"<s_{name}>   {want:+.3f}   {'   '.join(columns)}")

# %%
# All eight states. A probability counted from n reads has the standard error sqrt(p (1 - p) / n).
figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
ax.bar(range(8), exact.probabilities, color="0.85", label="exact")
for reads, name, shift, colour in ((gibbs, "Gibbs", -0.15, "C0"), (quench, "annealer", 0.15, "C1")):
    # basis order: the first variable is most significant, and 0 is spin +1
    states = (reads.samples(sorted_by=None)[:, list(model.labels)] < 0) @ [4, 2, 1]
    p = np.bincount(states, minlength=8) / num_reads
    error = np.sqrt(p * (1 - p) / num_reads)
    ax.errorbar(np.arange(8) + shift, p, error, fmt="o", ms=4, color=colour, label=name)
names = ["+++", "++-", "+-+", "+--", "-++", "-+-", "--+", "---"]
ax.set(xticks=range(8), xticklabels=names, xlabel="spins of a, b, c", ylabel="probability")
ax.legend(frameon=False)

# %%
# The seed comes back with the reads, so that a draw can be repeated.
print(gibbs.info["seed"], gibbs.info["sampler"])
