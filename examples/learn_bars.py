"""
Learning bars and stripes
=========================

A fully visible Boltzmann machine on 5 x 4 images whose rows or columns are uniform, beside a model that learned
nothing of how pixels hang together: independent spins with the data's means.

The data are all 46 images, so there is no test set: this shows how a fit is judged, not that it generalises.
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import BoltzmannMachine
from annealnn.datasets import make_bars_and_stripes

X, _ = make_bars_and_stripes(5, 4)
machine = BoltzmannMachine(n_iter=1000, learning_rate=0.05, progress=False, random_state=0).fit(X)

# %%
# The likelihood needs ln Z. Beyond 16 units it is estimated by annealed importance sampling and carries its standard
# error. Twenty units can still be enumerated, which checks the estimate.
log_z = machine.log_partition_
print("ln Z =", log_z)
print("ln Z, by enumeration:", round(machine.model_.exact().log_z, 3))

# %%
# Nobody can do better than one in 46 for every image. Every pixel is on in half of the images, so independent spins
# are fair coins.
print(f"best possible       {-np.log(len(X)):7.2f} nats per image")
print(f"Boltzmann machine   {machine.score(X):7.2f} ± {log_z.standard_error:.2f}")
print(f"independent spins   {-20 * np.log(2):7.2f}")

# %%
# Fresh reads of both, and how many of them are bars or stripes.
num_reads = 1000
coins = np.random.default_rng(0).integers(0, 2, size=(num_reads, 20))
drawn = {"Boltzmann machine": machine.sample(num_reads, random_state=1), "independent spins": coins}

figure, axes = plt.subplots(2, 12, figsize=(9, 2.8))
known = {tuple(row) for row in X.tolist()}
for line, (name, rows) in zip(axes, drawn.items(), strict=True):
    hits = sum(tuple(row) in known for row in rows.tolist())
    print(f"{name}: {hits} of {num_reads} reads are bars or stripes")
    line[0].set_title(name, loc="left")
    for ax, row in zip(line, rows, strict=False):
        ax.imshow(row.reshape(5, 4), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
