"""
Hidden units
============

A restricted Boltzmann machine of digits and their classes: what its hidden units look for, and what it draws. Beside it
stands a machine without hidden units, whose pixels are coupled to each other instead.

Hidden units are coupled to visible ones only. Given a row they are independent, so the positive phase is exact: the
means of hidden spins, and their products with the row. The negative phase is particles of the machine, as everywhere.
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import BoltzmannMachine, RestrictedBoltzmannMachine
from annealnn.datasets import load_optdigits

digits = {"classes": [1, 2, 3, 4], "crop": "7x6", "return_X_y": True}
X, y = load_optdigits("train", **digits)
X_test, y_test = load_optdigits("test", **digits)

# %%
# A tenth of the training rows is held out. Every hundred epochs their log-likelihood is measured: training would end if
# it had not risen five times in a row, and keeps the parameters at which it was greatest. An epoch is one step here:
# ``batch_size=None`` takes all rows at once.
common = {"early_stopping": True, "monitor_every": 100, "progress": False, "random_state": 0}
restricted = RestrictedBoltzmannMachine(
    64, batch_size=None, n_particles=500, n_iter=1500, learning_rate=0.05, weight_decay=0.004, **common
).fit(X, y)
visible = BoltzmannMachine(n_iter=1500, **common).fit(X, y)

# %%
# Log-likelihoods are of pixels and label together, in nats, on digits of other writers. The error is that of ln Z.
for name, machine in (("restricted", restricted), ("fully visible", visible)):
    found = machine.log_likelihood(X_test, y_test)
    accuracy = (machine.predict(X_test) == y_test).mean()
    print(f"{name:14} {found.value:7.2f} ± {found.standard_error:.2f}   accuracy {accuracy:.3f}")

# %%
# A filter is the couplings of one hidden unit to the pixels; here are the sixteen of greatest norm. Red pulls a pixel
# on when the unit is +1, blue off. Below are four draws of each class from the joint distribution.
J = restricted.model_.J[:42, 46:]
largest = np.argsort(-np.linalg.norm(J, axis=0))[:16]
drawn, labels = restricted.sample(500, return_y=True, random_state=1)
examples = np.concatenate([drawn[labels == digit][:4] for digit in restricted.classes_])

figure, axes = plt.subplots(4, 8, figsize=(8, 5.2), layout="constrained")
limit = np.abs(J[:, largest]).max()
for ax, unit in zip(axes[:2].flat, largest, strict=True):
    ax.imshow(J[:, unit].reshape(7, 6), cmap="RdBu_r", vmin=-limit, vmax=limit)
for ax, row in zip(axes[2:].flat, examples, strict=True):
    ax.imshow(row.reshape(7, 6), cmap="gray_r", vmin=0, vmax=1)
axes[0, 0].set_title("filters", loc="left")
axes[2, 0].set_title("draws of classes 1 to 4", loc="left")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])

# %%
# What was watched: the held-out log-likelihood with its error, and how many independent reads the particles are worth
# from one epoch to the next. If that falls far below their number, ``n_sweeps`` or another sampler helps.
monitored = restricted.monitored_
epochs = [row["iteration"] for row in monitored]
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
left.errorbar(epochs, [row["held_out"] for row in monitored], [row["held_out_error"] for row in monitored], fmt="o-")
left.set(xlabel="epoch", ylabel="nats", title="Held-out log-likelihood")
right.plot(epochs, [row["effective_particles"] for row in monitored], "o-")
right.axhline(restricted.n_particles, color="0.5", ls="--")
right.set(xlabel="epoch", title="Effective particles", ylim=(0, None))
