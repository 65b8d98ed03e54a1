"""Figures of annealing itself. Each function returns a matplotlib Figure; none touches global state."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from annealnn.reports._figures import BLUE, GREEN, GREY, INK, ORANGE


def weak_strong_figure(result: Any) -> Figure:
    """Draw levels along the path, and how often coherent anneals and two samplers succeed."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    levels, coherent, sampled = figure.subplots(1, 3)
    above = result.levels.levels - result.levels.levels[:, :1]
    for k, color in zip(range(1, above.shape[1]), (BLUE, GREY), strict=False):
        levels.semilogy(result.levels.s, above[:, k], color=color, label=f"level {k}")
    s, gap = result.min_gap
    levels.plot(s, gap, "o", color=ORANGE, ms=4)
    levels.annotate(f"{gap:.4f} at s = {s:.3f}", (s, gap), (8, -4), textcoords="offset points", fontsize=8)
    levels.set(xlabel="s", ylabel="energy above the ground level", title="Levels", ylim=(0.05, None))
    levels.legend(frameon=False, fontsize=8)
    times = np.array([anneal.annealing_time for anneal in result.coherent])
    fine = np.geomspace(times[0], times[-1], 200)
    coherent.semilogx(
        fine,
        [result.estimate.success_probability(t) for t in fine],
        color=GREY,
        ls="--",
        label="Landau-Zener, one crossing",
    )
    coherent.semilogx(times, [a.success for a in result.coherent], color=BLUE, marker="o", ms=4, label="ground state")
    coherent.semilogx(times, [a.false for a in result.coherent], color=ORANGE, marker="s", ms=4, label="false minimum")
    coherent.set(
        xlabel="annealing time (1/energy)",
        ylabel="probability",
        title="Coherent annealing",
        ylim=(0, 1.25),
        yticks=np.linspace(0, 1, 6),
    )
    coherent.legend(frameon=False, fontsize=8, loc="upper left")
    for rows, name, color in (
        (result.thermal, "simulated annealing", GREEN),
        (result.path_integral, "simulated quantum annealing", INK),
    ):
        sampled.errorbar(
            [row.num_sweeps for row in rows],
            [row.success for row in rows],
            [row.standard_error for row in rows],
            color=color,
            marker="o",
            ms=4,
            label=name,
        )
    sampled.set(xscale="log", xlabel="sweeps", ylabel="share of reads", title="Ground states of reads", ylim=(0, 1.03))
    sampled.legend(frameon=False, fontsize=8)
    return figure
