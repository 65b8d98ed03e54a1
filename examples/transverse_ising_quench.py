"""
A quench of a ring
==================

A ring of spins, all along +X, after its transverse field has dropped in an instant: below, at and above the critical
field. By the state vector, by free fermions, and where the size of the ring begins to show.

The Hamiltonian is Eq. (1) without fields, ``H = - sum_i Z_i Z_i+1 - g sum_i X_i``, critical at g = 1. The start is the
ground state at infinite g, and lies in the sector that ``FreeFermionRing`` solves. ``evolve`` knows nothing of rings:
it integrates the Schrodinger equation for any problem, up to 20 qubits and beyond.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from annealnn import IsingModel
from annealnn.dynamics import FreeFermionRing, evolve
from annealnn.schedules import Drive


def quench(g, num_spins, times):
    """Return the ring's evolution by free fermions; `initial` is (transverse, problem): a field and no couplings."""
    drive = Drive.constant(times[-1], transverse=g, problem=1.0)
    return FreeFermionRing(num_spins).evolve(drive, times=times, initial=(1.0, 0.0))


def ring_of(num_spins):
    """Return Eq. (1)'s problem. Couplings of 0 make ``evolve`` measure the pairs of spin 0 too."""
    far = {(0, d): 0.0 for d in range(2, num_spins - 1)}
    return IsingModel(np.zeros(num_spins), {(i, (i + 1) % num_spins): 1.0 for i in range(num_spins)} | far)


# %%
# The state vector of 12 spins starts along +X unless told otherwise. It and free fermions of the same ring agree to the
# tolerance that was asked for. H does not change after the quench, so ``<H>`` must not: it stays at -12 g.
num_spins, fields = 12, (0.5, 1.0, 2.0)
ring = ring_of(num_spins)
neighbours = [ring.J[i, j] != 0 for i, j in ring.structure.edges]
times, fine = np.linspace(0, 8, 33), np.linspace(0, 8, 161)
vectors = [evolve(ring, Drive.constant(8.0, transverse=g, problem=1.0), times=times, progress=False) for g in fields]

print("12 spins, largest of 33 times up to t = 8")
print("   g   |<H>+12g|: state vector, fermions   vector less fermions: <X>, <ZZ>")
for g, vector in zip(fields, vectors, strict=True):
    exact = quench(g, num_spins, times)
    drifts = [np.abs(found.energy + g * num_spins).max() for found in (vector, exact)]
    off_x = np.abs(vector.transverse_moments.mean(axis=1) - exact.transverse_moment).max()
    off_zz = np.abs(vector.moments.pairs[:, neighbours].mean(axis=1) - (1 - 2 * exact.defect_density)).max()
    print(f"{g:4}   {drifts[0]:22.1e} {drifts[1]:10.1e} {off_x:29.1e} {off_zz:8.1e}")

# %%
# The quench leaves pairs of quasiparticles of energies ``eps_k = 2 |g - e^(ik)|``. They fly apart at ``d eps_k / dk``,
# at most v = 2 min(g, 1). Two that left one place meet on the far side of the ring at t = N / (2 v): about then a spin
# first tells how long its ring is. Beside it: when ``<X>`` first differs by 0.001 from that of a ring of 4 times the
# length. Some of the front runs ahead, by a share that falls as the ring grows.
print("   g     N   N/(2v)   first differs")
for g in fields:
    for size in (12, 100, 400):
        meet = size / 4 / min(g, 1)
        often = np.linspace(meet / 400, meet, 400)
        apart = np.abs(quench(g, size, often).transverse_moment - quench(g, 4 * size, often).transverse_moment)
        print(f"{g:4} {size:5} {meet:8.1f} {often[np.argmax(apart > 1e-3)]:15.1f}")

# %%
# Two spins at a distance d are first reached by quasiparticles of one pair at t = d / (2 v). Outside of that cone there
# is next to no correlation. 16 spins, at the critical field.
wide, cone_times = ring_of(16), np.linspace(0, 5, 101)
cone = evolve(wide, Drive.constant(5.0, transverse=1.0, problem=1.0), times=cone_times, tolerance=1e-6, progress=False)
pair_of = {edge: p for p, edge in enumerate(map(tuple, wide.structure.edges.tolist()))}
distances = np.arange(1, 9)
correlations = cone.moments.pairs[:, [pair_of[0, d] for d in distances]]

print("16 spins, g = 1")
print("d   d/(2v)   <Z_0 Z_d> at half that time, then, and at most before t = (16 - d)/(2v)")
for d, course in zip(distances[:-1], correlations.T[:-1], strict=True):
    early, met = np.interp([d / 8, d / 4], cone_times, course)
    print(f"{d} {d / 4:8.2f} {early:31.5f} {met:7.4f} {course[cone_times < (16 - d) / 4].max():8.4f}")

# %%
# Above: lines are free fermions, points the state vector of 12 spins; dashed is a ring of 400. Dotted is N / (2 v),
# blue for g = 0.5 and grey for the others: by then the rings have parted. Below, left: the ring of 400 for a longer
# time. It returns towards its start, in part, whenever the fastest have met. Below, right: correlations of the ring of
# 16, on a logarithmic scale; the line is t = d / (2 v).
figure, axes = plt.subplots(2, 2, figsize=(9.5, 6.6), layout="constrained")
(left, right), (late, spread) = axes
for g, vector, colour in zip(fields, vectors, ("C0", "C1", "C2"), strict=True):
    short, long = quench(g, num_spins, fine), quench(g, 400, fine)
    left.plot(fine, short.transverse_moment, color=colour, label=f"g = {g:g}")
    left.plot(fine, long.transverse_moment, "--", color=colour, lw=1)
    left.plot(times, vector.transverse_moments.mean(axis=1), "o", ms=3.5, color=colour)
    right.plot(fine, 1 - 2 * short.defect_density, color=colour)
    right.plot(fine, 1 - 2 * long.defect_density, "--", color=colour, lw=1)
    right.plot(times, vector.moments.pairs[:, neighbours].mean(axis=1), "o", ms=3.5, color=colour)
    span = np.linspace(0, 320, 1601)
    late.plot(span, quench(g, 400, span).transverse_moment, color=colour, lw=0.8)
left.set(xlabel="time", ylabel=r"$\langle X_i \rangle$", ylim=(None, 1.22))
left.legend(frameon=False, ncols=3, loc="upper center")
right.set(xlabel="time", ylabel=r"$\langle Z_i Z_{i+1} \rangle$")
for panel, size in ((left, num_spins), (right, num_spins), (late, 400)):
    panel.axvline(size / 4 / 0.5, color="C0", lw=1, ls=":", ymax=0.88, zorder=0)
    panel.axvline(size / 4, color="0.5", lw=1, ls=":", ymax=0.88, zorder=0)
late.set(xlabel="time", ylabel=r"$\langle X_i \rangle$, 400 spins", ylim=(0.3, 0.95))
shades = spread.pcolormesh(
    distances, cone_times, correlations, cmap="magma", norm=LogNorm(1e-3, 1, clip=True), shading="nearest"
)
spread.plot(distances, distances / 4, color="C0", lw=2)
spread.set(xlabel="distance d", ylabel="time", xticks=distances)
figure.colorbar(shades, ax=spread, label=r"$\langle Z_0 Z_d \rangle$, g = 1")
