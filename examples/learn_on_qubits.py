"""
Learning on a processor's graph
===============================

Digits on the qubits of a Zephyr graph, on a device whose temperature the learner is not told, beside a machine that
learned nothing from the device.

The 46 variables, 42 pixels and 4 class units, are all joined to each other, but a qubit has at most 20 couplers. So
each variable becomes a chain of qubits. Every coupler is learned, those inside chains too; no chain strength is set.
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import EmbeddedBoltzmannMachine, SamplerSpec
from annealnn.datasets import load_optdigits
from annealnn.models import Parameters, bits_to_spins
from annealnn.samplers import compile_sampler

X = load_optdigits(classes=[1, 2, 3, 4], crop="7x6", labels="one-hot").data

# %%
# The device is a local stand-in for a processor: a quench of 20 sweeps that ends at beta 2. Forty iterations are
# enough to see it learn; the command ``annealnn optdigits`` makes 200.
device = SamplerSpec("anneal", {"num_sweeps": 20, "beta_range": (0.1, 2.0)})
machine = EmbeddedBoltzmannMachine("zephyr-12", sampler=device, n_iter=40, progress=False, random_state=0)
machine.fit(X)
print(machine.embedding_.num_qubits, "qubits, longest chain", machine.embedding_.longest_chain)

# %%
# The untrained machine has couplings and fields in proportion to the data's moments, shared evenly over couplers, with
# one coupling inside all chains. It gets the best of several scales.
graph, embedded = machine.structure_, machine.embedded_
data = graph.moments_of(bits_to_spins(X))


def pair_error(qubits):
    """Return the mean over all pairs of |<s_i s_j> of decoded reads - that of the data|."""
    return np.abs(graph.moments_of(embedded.decode(qubits).spins).pairs - data.pairs).mean()


compiled = compile_sampler(device.open(), embedded.physical, **device.parameters)
untrained = []
for scale in (0.07, 0.1, 0.14, 0.2):
    logical = Parameters(scale * data.spins, scale * data.pairs)
    physical = embedded.spread(logical, chain_coupling=1.0)
    untrained.append(pair_error(compiled.step(physical, compiled.init(1000, seed=1)).spins))

# %%
# Judged by fresh reads. A thousand rows of the data themselves are not without error either.
rows = np.random.default_rng(0).integers(len(X), size=1000)
floor = np.abs(graph.moments_of(bits_to_spins(X[rows])).pairs - data.pairs).mean()
learned = pair_error(machine.draw_qubits(1000, random_state=1))
print(f"decoded pair error: untrained {min(untrained):.3f}, learned {learned:.3f}")
print(f"rows of the data themselves: {floor:.3f}")

# %%
# Chains break while their couplers are weak, and hold once these have grown.
history = machine.history_
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
left.plot(history["iteration"], history["broken_chains"])
left.set(xlabel="iteration", ylabel="fraction of (chain, read)", title="Broken chains")
right.plot(history["iteration"], history["decoded_coupling_error"], label="learning")
right.axhline(min(untrained), color="C1", ls="--", label="untrained, best scale")
right.set(xlabel="iteration", ylabel="mean |data - reads|", title="Decoded pair error")
right.legend(frameon=False)
for ax in (left, right):
    ax.set_ylim(bottom=0)
