"""
An echo with cusps
==================

How fast a ring forgets its start after a quench, ``l(t) = - ln |<psi(0)|psi(t)>|^2 / N``: with cusps in time where the
quench crosses the critical point, and smooth where it does not (Heyl, Polkovnikov and Kehrein 2013, Phys. Rev. Lett.
110, 135704).

The Hamiltonian is ``H = - sum_i Z_i Z_i+1 - g sum_i X_i``, critical at g = 1: disorder above, order below. The field
drops or rises in an instant, from g0 to g.
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import IsingModel
from annealnn.dynamics import FreeFermionRing, evolve
from annealnn.schedules import Drive

# %%
# Two starts, each the ground state in the sector that holds it: g0 infinite, all spins along +X; and g0 = 0, both
# ordered states in superposition. Each meets a field in its own phase and one in the other.
num_spins, duration = 14, 4.0
ring = IsingModel(np.zeros(num_spins), {(i, (i + 1) % num_spins): 1.0 for i in range(num_spins)})
disordered = np.full(2**num_spins, 2 ** (-num_spins / 2))
ordered = np.zeros(2**num_spins)
ordered[[0, -1]] = 2**-0.5  # basis order: all spins +1 come first, all -1 last
starts = {"disorder": (disordered, (1.0, 0.0)), "order": (ordered, (0.0, 1.0))}


def by_fermions(start, g, size, times):
    """Return the rate of a ring of `size`; a start is told by its (transverse, problem)."""
    drive = Drive.constant(duration, transverse=g, problem=1.0)
    return FreeFermionRing(size).evolve(drive, times=times, initial=starts[start][1]).loschmidt_rate


def by_state_vector(start, g, times):
    """Return the rate of 14 spins: ``observe`` sees the state at each time, and keeps its overlap with the start."""
    psi, drive = starts[start][0], Drive.constant(duration, transverse=g, problem=1.0)
    measured = {"times": times, "observe": lambda _, now: psi @ now}
    found = evolve(ring, drive, initial_state=psi, tolerance=1e-6, progress=False, **measured)
    return -2 * np.log(np.abs(found.observed)) / num_spins


# %%
# The state vector, and free fermions of the same ring.
times = np.linspace(0, duration, 41)
quenches = [("disorder", 0.5), ("order", 2.0), ("disorder", 2.0), ("order", 0.5)]
points = {quench: by_state_vector(*quench, times) for quench in quenches}

print("start      g   the critical point   largest difference of the rate: state vector less fermions")
for start, g in quenches:
    worst = np.abs(points[start, g] - by_fermions(start, g, num_spins, times)).max()
    print(f"{start:8} {g:3}   {'crossed' if (g < 1) == (start == 'disorder') else 'not crossed':18} {worst:10.1e}")

# %%
# A pair of modes (k, -k) starts along an axis of its own and turns about another, at a rate 2 eps_k, where ``eps_k = 2
# |g - e^(ik)|``. Where the two axes are at right angles, ``cos k* = (1 + g0 g) / (g0 + g)``, its overlap with the start
# is 0 whenever ``eps_k* t = pi (n + 1/2)``. There is such a k* only across the critical point. From disorder cos k* =
# g, and eps_k* = 2 sqrt(1 - g^2); from order cos k* = 1/g, and eps_k* = 2 sqrt(g^2 - 1). In a long ring l(t) has a cusp
# there. Beside it: when l(t) is highest, from half a period before to half a period after, in steps of 0.004.
fine = np.linspace(0, duration, 1001)
first = {("disorder", 0.5): np.pi / (4 * np.sqrt(1 - 0.5**2)), ("order", 2.0): np.pi / (4 * np.sqrt(2.0**2 - 1))}
sizes = (14, 100, 1000)
lines = {quench: {size: by_fermions(*quench, size, fine) for size in sizes} for quench in quenches}

print("start      g   n   cusp, formula   highest:", *(f"{size:6}" for size in sizes), " spins")
for (start, g), least in first.items():
    for n in range(2):
        near = np.abs(fine - (2 * n + 1) * least) < least
        found = [fine[near][np.argmax(lines[start, g][size][near])] for size in sizes]
        print(f"{start:8} {g:3} {n:3} {(2 * n + 1) * least:15.3f}            ", *(f"{time:6.3f}" for time in found))

# %%
# A cusp is a fall of the slope at once. So it is the same however short the time over which it is taken; where l(t) is
# smooth it shrinks with that time.
print("start      g   largest fall of the slope of 1000 spins, within 0.08, 0.04")
for (start, g), by_size in lines.items():
    falls = []
    for steps in (20, 10):
        rises = (by_size[1000][steps:] - by_size[1000][:-steps]) / fine[steps]
        falls.append((rises[:-steps] - rises[steps:]).max())
    print(f"{start:8} {g:3} {' ' * 32}", *(f"{fall:5.2f}" for fall in falls))

# %%
# Lines are free fermions, points the state vector of 14 spins. Dotted are the cusps of the formula. A short ring has
# few pairs and none at k* itself: its peaks are smooth, and stand where its nearest pair puts them.
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for ax, (quench, least) in zip(axes, first.items(), strict=False):
    for size, style in ((14, "C0-"), (100, "C1--"), (1000, "k-")):
        ax.plot(fine, lines[quench][size], style, lw=1.2, label=f"{size} spins")
    ax.plot(times, points[quench], "o", ms=3.5, color="C0")
    for cusp in np.arange(least, duration, 2 * least):
        ax.axvline(cusp, color="0.5", ls=":", zorder=0)
    ax.set(xlabel="time", title=f"from {quench[0]} to g = {quench[1]:g}", ylim=(0, None))
axes[0].set(ylabel="l(t)")
axes[0].legend(frameon=False)
for quench, colour in ((("disorder", 2.0), "C2"), (("order", 0.5), "C3")):
    axes[2].plot(fine, lines[quench][14], color=colour, lw=1)
    axes[2].plot(fine, lines[quench][1000], "--", color=colour, label=f"{quench[0]}, g = {quench[1]:g}")
    axes[2].plot(times, points[quench], "o", ms=3.5, color=colour)
axes[2].set(xlabel="time", title="within a phase; dashed: 1000 spins", ylim=(0, None))
axes[2].legend(frameon=False)
