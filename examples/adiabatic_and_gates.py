"""
Anneals and gates
=================

An anneal as a circuit of gates, and a circuit as an anneal: both directions on two qubits.

Adiabatic computing and computing by gates can do each other's work with an overhead that is a power of the size. Cut
into short steps, an anneal is a circuit. The other way, the states that a circuit goes through are the ground state of
a Hamiltonian with a clock (Feynman; Kitaev), which an anneal reaches (Aharonov et al. 2004).
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import expm

from annealnn import IsingModel, TransverseIsing
from annealnn.dynamics import Gate, annealing_circuit, apply_gates, history_hamiltonian, history_state
from annealnn.schedules import AnnealSchedule

# uneven on purpose: a sign slip would show
problem = IsingModel({"a": 0.5, "b": -0.2}, {("a", "b"): 1.0})
schedule = AnnealSchedule.linear(10.0)
drive = schedule.drive()

# %%
# The anneal itself, by matrix exponentials at the middle of many short steps.
exact, edges = np.full(4, 0.5, complex), np.linspace(0, drive.duration, 2001)
for start, stop in pairwise(edges):
    transverse, coefficient = drive.at((start + stop) / 2)
    model = TransverseIsing(coefficient * problem.h, coefficient * problem.J, transverse)
    exact = expm(-1j * (stop - start) * model.hamiltonian()) @ exact

# %%
# As gates: a Hadamard gate on each qubit makes the transverse ground state, and each layer holds one short step of the
# anneal. The error of the final state falls as ``1 / num_layers**2``.
for gate in annealing_circuit(problem, schedule, num_layers=1):
    print(gate)

layers = np.array([6, 8, 12, 16, 24, 32, 48, 64])
errors = []
for num_layers in layers:
    state = apply_gates(annealing_circuit(problem, schedule, num_layers=int(num_layers)), problem.labels)
    errors.append(np.linalg.norm(state - exact))
print(f"probability of spins up, up: {abs(exact[0]) ** 2:.4f}; with 16 layers the error is {errors[3]:.4f}")

# %%
# The other way: two gates make a Bell state. ``history_hamiltonian`` gives both ends of an anneal whose ground state
# goes from all digits 0 to the circuit's history, which holds the Bell state where the clock shows 2.
bell = [Gate("H", ("a",)), Gate("CNOT", ("a", "b"))]
initial, final = history_hamiltonian(bell, ["a", "b"])
history = history_state(bell, ["a", "b"])

s = np.linspace(0, 1, 51)
levels = np.array([np.linalg.eigvalsh((1 - at) * initial + at * final)[:4] for at in s])
print(f"least gap {np.min(levels[:, 1] - levels[:, 0]):.3f}")

times, lost = np.array([2, 5, 10, 20, 40, 80]), []
for time in times:
    state, num_steps = np.eye(len(initial), dtype=complex)[0], 10 * int(time)
    for at in (np.arange(num_steps) + 0.5) / num_steps:
        state = expm(-1j * time / num_steps * ((1 - at) * initial + at * final)) @ state
    lost.append(1 - abs(np.vdot(history, state)) ** 2)
outcome = state[-4:]
print("read where the clock shows 2:", np.round(np.abs(outcome) ** 2 / np.linalg.norm(outcome) ** 2, 3))

# %%
# Left: the circuit's error, and ``c / num_layers**2`` through the last point. Middle: the lowest levels on the way to
# the history, with a gap that stays open. Right: what a slower anneal still loses.
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.3), layout="constrained")
left.plot(layers, errors, "o", ms=4, label="circuit")
left.plot(layers, errors[-1] * (layers[-1] / layers) ** 2, "--", color="0.5", label="c / num_layers$^2$")
left.set(xscale="log", yscale="log", xlabel="num_layers", ylabel="distance from the anneal's state")
left.set_xticks(layers[1::2], labels=[str(m) for m in layers[1::2]])
left.minorticks_off()
left.legend(frameon=False)

middle.plot(s, levels, color="C0", lw=1)
middle.set(xlabel="s", ylabel="lowest levels")

right.plot(times, lost, "o-", ms=4, color="C1")
right.set(xscale="log", yscale="log", xlabel="annealing time", ylabel="1 - overlap with the history")
right.set_xticks(times, labels=[str(t) for t in times])
right.minorticks_off()
