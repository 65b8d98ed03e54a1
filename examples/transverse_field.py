"""
A transverse field
==================

Thermal moments and the energy of a small problem under a transverse field, by path-integral Monte Carlo, beside
diagonalisation.

The Hamiltonian is Eq. (1), ``H = - sum_{i<j} J_ij Z_i Z_j - sum_i h_i Z_i - sum_i gamma_i X_i``, here with the same
gamma for all spins. ``PathIntegralSampler`` draws from the thermal state: each spin becomes a worldline, which is its
values along imaginary time. Discrete imaginary time has slices.
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import IsingModel, TransverseIsing
from annealnn.samplers import PathIntegralSampler

# a ring of six spins; uneven on purpose: a sign slip would show
fields = [0.1, -0.05, 0.2, 0.0, 0.15, -0.1]
couplings = [1.0, 0.6, 0.9, 1.1, 0.5, 0.8]
model = IsingModel(fields, {(i, (i + 1) % 6): J for i, J in enumerate(couplings)})
bqm, beta, sampler = model.to_bqm(), 2.0, PathIntegralSampler()

# %%
# ``observe`` gives means over independent reads with their standard errors. Where it is not told how many slices, it
# takes so many that the Trotter error is small. ``TransverseIsing.exact`` diagonalises H.
draw = {"beta": beta, "progress": False}
gammas = np.linspace(0.1, 3, 13)
observed = [sampler.observe(bqm, num_reads=1000, num_sweeps=200, gamma=g, seed=1, **draw) for g in gammas]

print("gamma  slices  energy            exact")
for g, found in zip(gammas[::3], observed[::3], strict=True):
    exact = TransverseIsing.of(model, g).exact(beta)
    print(f"{g:5.2f}  {found.samples.info['num_slices']:6}  {found.energy!s:16}  {exact.energy:.3f}")

# %%
# One transverse field, and the energy's error for several numbers of slices: it falls as ``1 / num_slices**2``.
gamma, numbers = 1.0, np.array([4, 6, 8, 12, 16, 24, 32])
exact = TransverseIsing.of(model, gamma).exact(beta)
sliced = [
    sampler.observe(bqm, num_reads=20000, num_sweeps=100, gamma=gamma, num_slices=int(m), seed=int(m), **draw).energy
    for m in numbers
]
trotter = np.array([found.value - exact.energy for found in sliced])
errors = np.array([found.standard_error for found in sliced])

# %%
# Continuous imaginary time has no slices and no Trotter error.
found = sampler.observe(bqm, num_reads=1000, num_sweeps=100, gamma=gamma, imaginary_time="continuous", seed=3, **draw)
print(f"energy in continuous time {found.energy}, exact {exact.energy:.3f}")

# %%
# Lines are exact, points are estimates. Bars are of one standard error; where none shows, the point is larger. The
# dashed line is ``c / num_slices**2``, with c fitted to the points from eight slices on.
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.3), layout="constrained")
fine = np.linspace(0, 3, 31)
lines = [TransverseIsing.of(model, g).exact(beta) for g in fine]

left.plot(fine, [of.transverse_moments[0] for of in lines], color="C0")
points, bars = zip(*[(of.transverse_moments[0], of.transverse_moment_errors[0]) for of in observed], strict=True)
left.errorbar(gammas, points, bars, fmt="o", ms=4, color="C0", label=r"$\langle X_0 \rangle$")
left.plot(fine, [of.moments.pairs[0] for of in lines], color="C1")
points, bars = zip(*[(of.moments.pairs[0], of.moment_errors.pairs[0]) for of in observed], strict=True)
left.errorbar(gammas, points, bars, fmt="s", ms=4, color="C1", label=r"$\langle Z_0 Z_1 \rangle$")
left.set(xlabel="transverse field gamma", ylabel="moment", ylim=(0, 1.05))
left.legend(frameon=False)

middle.plot(fine, [of.energy for of in lines], color="C2", label=r"$\langle H \rangle$")
middle.errorbar(gammas, *zip(*[of.energy for of in observed], strict=True), fmt="o", ms=4, color="C2")
middle.plot(fine, [of.problem_energy for of in lines], color="C3", label="its diagonal part")
middle.errorbar(gammas, *zip(*[of.problem_energy for of in observed], strict=True), fmt="s", ms=4, color="C3")
middle.set(xlabel="transverse field gamma", ylabel="energy")
middle.legend(frameon=False)

many = numbers >= 8
c = np.average(trotter[many] * numbers[many] ** 2, weights=(errors[many] * numbers[many] ** 2) ** -2)
right.errorbar(
    numbers, -trotter, errors, fmt="o", ms=4, color="C2", label=r"exact $\langle H \rangle$ less the estimate"
)
right.plot(numbers, -c / numbers**2, "--", color="0.5", label="c / num_slices$^2$")
right.set(xscale="log", yscale="log", xlabel="num_slices", ylabel="Trotter error of the energy")
right.set_xticks(numbers, labels=[str(m) for m in numbers])
right.minorticks_off()
right.legend(frameon=False)
