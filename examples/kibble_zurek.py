"""
Defects of an anneal
====================

How many defects a ring keeps when it is annealed across its critical point in a time T: the Kibble-Zurek power law of a
long ring, and the exponential fall of a short one.

``H(s) = - (1 - s) sum_i X_i - s sum_i Z_i Z_i+1`` with s = t / T is critical at s = 1/2. A defect is a pair of
neighbours that differ. By the state vector at 12 spins, and by free fermions at any number (Dziarmaga 2005, Phys. Rev.
Lett. 95, 245701).
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import IsingModel
from annealnn.dynamics import FreeFermionRing, evolve
from annealnn.schedules import AnnealSchedule


def defects(num_spins, annealing_time):
    """Return the density of defects at the end of a linear anneal, by free fermions."""
    drive = AnnealSchedule.linear(annealing_time).drive()
    return FreeFermionRing(num_spins).evolve(drive, times=[annealing_time]).defect_density[0]


# %%
# The state vector of 12 spins, against free fermions.
num_spins = 12
ring = IsingModel(np.zeros(num_spins), {(i, (i + 1) % num_spins): 1.0 for i in range(num_spins)})
few_times = np.geomspace(1, 64, 7)
vector = []
for T in few_times:
    found = evolve(ring, AnnealSchedule.linear(T).drive(), progress=False)
    vector.append((1 - found.moments.pairs.mean()) / 2)

print("defects a bond, 12 spins")
print("    T   state vector   free fermions")
for T, density in zip(few_times, vector, strict=True):
    print(f"{T:5.1f} {density:14.9f} {defects(num_spins, T):15.9f}")

# %%
# Each pair of modes (k, -k) crosses an avoided level of its own: a Landau-Zener problem with gap 4 sin(k/2) and a sweep
# of 8 cos(k/2) / T, excited with probability ``exp(-pi T sin(k/2)**2 / cos(k/2))``, which is ``exp(-pi T k**2 / 4)`` at
# small k. The mean over all k is the prediction for a long ring, ``1 / (pi sqrt(T))``.
#
# In Dziarmaga's convention ``H = - J sum_i (g X_i + Z_i Z_i+1)``, g falls by 1 / tau_q in a unit of time, and the
# density is ``1 / (2 pi sqrt(2 J tau_q))``. Here J = s, which is 1/2 at the critical point, and g = (1 - s) / s falls
# there by 4 / T. So ``tau_q = T / 4``, and the two are the same number. Nothing here is drawn at random: the slope's
# standard error is that of the least squares.
long_times = np.geomspace(1, 1000, 25)
long_ring = np.array([defects(1024, T) for T in long_times])
window = long_times > 9.9
(slope, _), covariance = np.polyfit(np.log(long_times[window]), np.log(long_ring[window]), 1, cov=True)

print("1024 spins, free fermions: density = c T**slope, least squares of the logarithms")
print(f"slope {slope:.4f} ± {covariance[0, 0] ** 0.5:.4f} over {window.sum()} anneal times from 10 to 1000")
for T in (10.0, 100.0, 1000.0):
    J, tau_q = 0.5, T / 4
    print(f"T = {T:6.0f}   density {defects(1024, T):.6f}   predicted {1 / (2 * np.pi * np.sqrt(2 * J * tau_q)):.6f}")

# %%
# A ring of N has no k below pi / N. From T = 4 N^2 / pi^3 on that pair follows too, and the number of defects falls as
# ``2 exp(-pi^3 T / (4 N^2))``: Landau-Zener of the lowest pair alone. It falls until the two ends of the anneal, where
# s begins and stops to move, excite more than the crossing does: 1 / (64 T^2) a bond, from the lowest order in 1 / T,
# as a mean over k and over the phase between both ends.
sizes = {12: np.geomspace(1, 2000, 60), 32: np.geomspace(1, 6000, 60), 1024: long_times}
courses = {N: np.array([defects(N, T) for T in grid]) for N, grid in sizes.items() if N < 1024} | {1024: long_ring}

print("T / N^2   number of defects: 12 spins, 32 spins   lowest pair")
for x in (0.1, 0.2, 0.4, 0.6, 0.8):
    numbers = [N * defects(N, x * N**2) for N in (12, 32)]
    print(f"{x:7} {numbers[0]:30.3e} {numbers[1]:10.3e} {2 * np.exp(-(np.pi**3) * x / 4):13.3e}")
ends = np.mean([64 * T**2 * defects(num_spins, T) for T in np.linspace(500, 600, 101)])
print(f"64 T^2 density, 12 spins, mean of 101 anneal times from 500 to 600: {ends:.2f}")

# %%
# Lines are free fermions, points the state vector. Left: the density. Right: the number of defects in the whole ring
# against T / N^2, which is one curve for all rings until the ends show.
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for (N, grid), colour in zip(sizes.items(), ("C0", "C1", "C2"), strict=True):
    left.plot(grid, courses[N], color=colour, lw=1.2, label=f"{N} spins")
    right.plot(grid / N**2, N * courses[N], color=colour, lw=1.2)
left.plot(few_times, vector, "o", ms=4, color="C0", label="12, state vector")
right.plot(few_times / num_spins**2, num_spins * np.array(vector), "o", ms=4, color="C0")
slow = np.geomspace(1, 6000)
left.plot(slow, 1 / (np.pi * np.sqrt(slow)), "--", color="0.4", lw=1, label=r"$1/(\pi \sqrt{T})$")
left.plot(slow[slow > 30], 1 / (64 * slow[slow > 30] ** 2), ":", color="0.4", label=r"$1/(64\, T^2)$")
left.set(xscale="log", yscale="log", ylim=(1e-10, 2), xlabel="anneal time T", ylabel="defects a bond")
left.legend(frameon=False, fontsize="small", loc="lower left")
lowest = np.linspace(0.1, 2.6)
right.plot(lowest, 2 * np.exp(-(np.pi**3) * lowest / 4), "k--", lw=1, label="lowest pair")
right.set(yscale="log", xlim=(-0.05, 2.6), ylim=(1e-7, 30), xlabel="$T / N^2$", ylabel="defects in the ring")
right.legend(frameon=False)
