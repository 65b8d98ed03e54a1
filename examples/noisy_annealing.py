"""
An anneal in contact with a bath
================================

What a bath does to the success of an anneal of three qubits with a small gap on the way: excitation at the gap,
relaxation after it, and the freeze-out at the end. Beside it, dephasing alone, which is noise without a temperature.

``H(s) = - (1 - s) sum_i X_i + s E(Z)`` with s = t / T. Each qubit's Z is coupled to a bath of its own; ``evolve_open``
integrates the adiabatic master equation (Albash, Boixo, Lidar and Zanardi 2012, New J. Phys. 14, 123016).
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import IsingModel
from annealnn.dynamics import OhmicBath, evolve, evolve_dephasing, evolve_open, spectrum
from annealnn.schedules import AnnealSchedule, Drive

# with a and b up, the fields on c cancel: it follows the transverse field, which makes this false minimum the lower one
# early on. In the ground state all are down. In between, a and b have to turn together, across a coupling of 3
problem = IsingModel({"a": 0.6, "b": 0.6, "c": -2.0}, {("a", "b"): 3.0, ("a", "c"): 2.0})
levels = spectrum(problem, s=np.linspace(0, 1, 101), progress=False)
least = levels.minimum_gap()
print(f"least gap {least.gap:.3f} at s = {least.s:.3f}, {levels.gap[-1]:.1f} at the end")


# %%
# Without a bath the probability of success rises to 1 as the anneal slows. With one it turns down where the anneal
# stays at the gap for long enough to be excited there: a gap not far above the temperature leaves both levels
# populated. Slower anneals relax again after the gap, as far as the time allows. Dephasing alone excites and does not
# relax: its limit is 1/8, the equal mixture of the 8 states. ``error`` estimates how far any probability is off.
times, s, rate = np.geomspace(3, 300, 8), np.linspace(0, 1, 51), 0.02
baths = {beta: OhmicBath(beta=beta, coupling=0.02) for beta in (4.0, 2.0, 1.0)}
coherent, dephased, runs = [], [], {beta: [] for beta in baths}
for T in times:
    drive = AnnealSchedule.linear(T).drive()
    coherent.append(abs(evolve(problem, drive, tolerance=1e-4, progress=False).state[-1]) ** 2)
    for beta, bath in baths.items():
        runs[beta].append(evolve_open(problem, drive, bath, times=s * T, tolerance=1e-2, progress=False))
    dephased.append(evolve_dephasing(problem, drive, rate, progress=False).probabilities[-1])
success = {beta: [found.probabilities[-1] for found in of] for beta, of in runs.items()}

print("probability of the ground state, master equation but for the last two")
print("    T", *(f"  beta {beta:g}" for beta in baths), " no bath  dephasing alone")
for k, T in enumerate(times):
    print(f"{T:5.0f}", *(f"{success[beta][k]:8.3f}" for beta in baths), f"{coherent[k]:8.3f} {dephased[k]:16.3f}")
print(f"largest estimate of the error {max(found.error for of in runs.values() for found in of):.3f}")

# %%
# On the way, the slowest anneal soon has the populations of Boltzmann's distribution of H(s). The bath moves the qubits
# by their Z, which has no elements between levels once the transverse field is gone: rates die, and populations stay as
# they are, while the gap opens and Boltzmann's go on. The end looks as if taken at freeze-out: the last s where
# Boltzmann's population of the ground level is that of the end.
gibbs, frozen = {}, {}
for beta, of in runs.items():
    weights = np.exp(-beta * (of[-1].levels - of[-1].levels[:, :1]))
    gibbs[beta] = weights[:, 0] / weights.sum(axis=1)
    end = of[-1].populations[-1, 0]
    last = np.flatnonzero(gibbs[beta] < end)[-1]
    frozen[beta] = np.interp(end, gibbs[beta][last : last + 2], s[last : last + 2])

print(f"T = {times[-1]:.0f}   ground level at the end   Boltzmann there   s of freeze-out, between points 0.02 apart")
for beta, of in runs.items():
    print(f"beta {beta:g} {of[-1].populations[-1, 0]:24.3f} {gibbs[beta][-1]:17.3f} {frozen[beta]:17.3f}")

# %%
# At rest at the gap, from the ground state: the bath leads to Boltzmann's distribution, dephasing to the equal mixture.
rests = np.geomspace(1, 2000, 60)
rest = Drive.constant(rests[-1], transverse=1 - least.s, problem=least.s)
relaxed = {beta: evolve_open(problem, rest, bath, times=rests, progress=False) for beta, bath in baths.items()}
limits = {beta: 1 / np.exp(-beta * (of.levels[-1] - of.levels[-1, 0])).sum() for beta, of in relaxed.items()}
mixed = evolve_dephasing(problem, rest, rate, times=rests, progress=False)

print(f"at rest at s = {least.s:.3f}: ground level at t = {rests[-1]:.0f}, and its limit")
for beta, of in relaxed.items():
    print(f"beta {beta:g}     {of.populations[-1, 0]:.4f}  {limits[beta]:.4f}, Boltzmann")
print(f"dephasing  {mixed.populations[-1, 0]:.4f}  {1 / 8:.4f}, the equal mixture")

# %%
# Left: success against the time of the anneal. Middle: the ground level along the slowest; dashed is Boltzmann's
# population, dotted the least gap, and a circle marks freeze-out. Right: at rest at the gap; dashed are the limits.
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
left.plot(times, coherent, "o-", ms=4, color="k", label="no bath")
for beta, colour in zip(baths, ("C0", "C1", "C3"), strict=True):
    left.plot(times, success[beta], "o-", ms=4, color=colour, label=f"beta = {beta:g}")
    middle.plot(s, runs[beta][-1].populations[:, 0], color=colour)
    middle.plot(s, gibbs[beta], "--", lw=1, color=colour)
    middle.plot(frozen[beta], success[beta][-1], "o", ms=7, mfc="none", color=colour)
    right.plot(rests, relaxed[beta].populations[:, 0], color=colour)
    right.axhline(limits[beta], color=colour, ls="--", lw=1)
left.plot(times, dephased, "o-", ms=4, color="0.6", label="dephasing")
left.set(xscale="log", xlabel="annealing time T", ylabel="probability of the ground state", ylim=(0, 1.05))
left.legend(frameon=False, fontsize="small")
middle.axvline(least.s, color="0.5", ls=":", zorder=0)
middle.set(xlabel="s", ylabel="population of the ground level", ylim=(0, 1.05))
right.plot(rests, mixed.populations[:, 0], color="0.6")
right.axhline(1 / 8, color="0.6", ls="--", lw=1)
right.set(xscale="log", xlabel="time at rest", ylabel="population of the ground level", ylim=(0, 1.05))
