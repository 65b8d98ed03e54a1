"""Figures of a benchmark. Each returns a matplotlib Figure; none touches global state. Bands are 95 % intervals."""

import math
from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from annealnn.benchmark._analysis import Analysis, EffortRow, OverlapRow, ResidualRow, TimeRow
from annealnn.reports._benchmark_tables import MARK, marked, middle, number, seconds, short

# Okabe and Ito's, told apart by the colour-blind; markers tell them apart once more
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_MARKERS = "osD^vP*X<>"
_SIZES = ("#cbd5e1", "#8fb8de", "#4a90c4", "#1f6296", "#0b3b66")
_PARTS = {
    "client_s": "client",
    "network_s": "network, queue",
    "programming_s": "programming",
    "annealing_s": "annealing",
    "readout_s": "readout",
    "postprocessing_s": "post-processing",
}
# on a phone two thirds of this is left
_SHAPE = (5.2, 4.3)


class Style:
    """How contestants look, the same in all figures."""

    def __init__(self, analysis: Analysis) -> None:
        self.names = marked(analysis)
        self._place = {row.label: k for k, row in enumerate(analysis.contestants)}
        self._simulated = {row.label for row in analysis.contestants if row.simulated}

    def line(self, label: str) -> dict[str, Any]:
        """Return the keywords of a contestant's line."""
        k = self._place[label]
        return {"color": _COLORS[k % len(_COLORS)], "marker": _MARKERS[k % len(_MARKERS)], "ms": 5, "lw": 1.4}

    def title(self, labels: Iterable[str], title: str) -> tuple[str, str]:
        """Return a title and its colour, with SIMULATED where one who is simulated shows."""
        here = sorted(set(labels) & self._simulated)
        mark = "\n" + fill(f"{', '.join(here)}: {MARK}", 58) if here else ""
        return fill(short(title), 58) + mark, "#a33c00" if here else "#222222"

    def finish(self, ax: Axes, labels: Iterable[str], title: str) -> None:
        """Set the title; grid and frame."""
        told, color = self.title(labels, title)
        ax.set_title(told, fontsize=10, color=color)
        ax.grid(lw=0.4, color="#dddddd")
        ax.spines[["top", "right"]].set_visible(False)


def times_against_size(analysis: Analysis, group: str) -> Figure:
    """Draw median times at the best effort against variables, with bands and the preferred fits."""
    style, (figure, ax) = Style(analysis), _figure()
    rows = _times(analysis, group, "optimised")
    for label, mine in _by_contestant(rows).items():
        look = style.line(label)
        _band(ax, [row.num_variables for row in mine], [row.time for row in mine], look, style.names[label])
        fit = next(
            (
                row
                for row in analysis.scalings
                if (row.group, row.contestant, row.clock, row.policy, row.epsilon, row.quantile, row.excess)
                == (group, label, "annealing", "optimised", 0.0, middle(analysis), 0.0)
            ),
            None,
        )
        if fit is not None and math.isfinite(fit.exponent.value) and math.isfinite(fit.prefactor.value):
            at = [row.num_variables for row in mine if row.size in fit.sizes]
            x = np.linspace(min(at), max(at), 60)
            growth = {
                "power": x**fit.exponent.value,
                "exponential": np.exp(fit.exponent.value * x),
                "root exponential": np.exp(fit.exponent.value * np.sqrt(x)),
            }[fit.form]
            ax.plot(x, fit.prefactor.value * growth, color=look["color"], ls="--", lw=1)
    _log_scales(ax)
    ax.set(xlabel="variables N", ylabel="time to solution at 99 %, s (per core)")
    _sizes_as_ticks(ax, rows)
    style.finish(ax, (row.contestant for row in rows), f"{group}: median, best effort for each size")
    _legend(figure)
    return figure


def optimum_of_schedule(analysis: Analysis, group: str, contestant: str) -> Figure:
    """Draw a contestant's median time against effort, a line for each size, the best effort marked."""
    style, (figure, ax) = Style(analysis), _figure()
    rows = schedule_rows(analysis, group, contestant)
    sizes = sorted({row.size for row in rows})
    for size in sizes:
        mine = sorted((row for row in rows if row.size == size), key=lambda row: row.effort or 0.0)
        color = _SIZES[-1 - (len(sizes) - 1 - sizes.index(size)) % len(_SIZES)]
        look = {"color": color, "marker": "o", "ms": 4, "lw": 1.4}
        _band(ax, [row.effort for row in mine], [row.time for row in mine], look, f"size {size}")
        finite = [row for row in mine if math.isfinite(row.time.value) and not row.time.is_bound]
        if finite:
            best = min(finite, key=lambda row: row.time.value)
            ax.plot(float(best.effort or 0.0), best.time.value, marker="*", ms=13, color=color, mec="#222222", ls="")
    unit = next((row.effort_name for row in analysis.contestants if row.label == contestant), "effort") or "effort"
    _log_scales(ax)
    ax.set(xlabel=f"effort of a read: {unit}", ylabel="median time to solution, s (per core)")
    style.finish(ax, [contestant], f"{style.names[contestant]}, {group}")
    _legend(figure, title="star: best effort")
    return figure


def schedule_rows(analysis: Analysis, group: str, contestant: str) -> list[EffortRow]:
    """Return the points of `optimum_of_schedule`."""
    return [
        row
        for row in analysis.efforts
        if (row.group, row.contestant, row.clock, row.epsilon, row.quantile)
        == (group, contestant, "annealing", 0.0, middle(analysis))
        and row.effort is not None
    ]


def fixed_against_optimised(analysis: Analysis, group: str) -> Figure:
    """Draw median times with one long effort for all sizes beside those at the best effort."""
    style, (figure, ax) = Style(analysis), _figure()
    fixed = _times(analysis, group, "fixed")
    for policy, dashes in (("fixed", "--"), ("optimised", "-")):
        for label, mine in _by_contestant(_times(analysis, group, policy)).items():
            if any(row.contestant == label for row in fixed):
                values = [row.time.value for row in mine]
                at = [row.num_variables for row in mine]
                ax.plot(at, values, ls=dashes, label=f"{style.names[label]}, {policy}", **style.line(label))
    _log_scales(ax)
    ax.set(xlabel="variables N", ylabel="median time to solution, s (per core)")
    _sizes_as_ticks(ax, fixed)
    style.finish(ax, (row.contestant for row in fixed), f"{group}: a fixed long effort flattens small sizes")
    _legend(figure)
    return figure


def ratios(analysis: Analysis, group: str, quantile: float, pairs: Sequence[tuple[str, str]]) -> Figure:
    """Draw ratios of times of pairs (reference, contestant): ratio of quantiles, and quantile of ratios dotted."""
    style, (figure, ax) = Style(analysis), _figure()
    rows = ratio_rows(analysis, group, quantile, pairs)
    # the one that differs between the pairs gives the colour
    by_reference = len({reference for reference, _ in pairs}) > 1
    for kind, dashes in (("ratio of quantiles", "-"), ("quantile of ratios", ":")):
        for reference, contestant in pairs:
            mine = [row for row in rows if (row.kind, row.reference, row.contestant) == (kind, reference, contestant)]
            if not mine:
                continue
            look = style.line(reference if by_reference else contestant) | {"ls": dashes}
            name = f"{style.names[reference]} over {style.names[contestant]}" if dashes == "-" else None
            bounds = [row.bound for row in mine]
            ratio = [row.ratio for row in mine]
            at = [row.num_variables for row in mine]
            _band(ax, at, ratio, look, name, filled=dashes == "-", bounds=bounds)
    ax.axhline(1, color="#222222", lw=0.8)
    _log_scales(ax)
    ax.set(xlabel="variables N", ylabel="ratio of times, above 1: second is faster")
    _sizes_as_ticks(ax, rows)
    names = (name for row in rows for name in (row.reference, row.contestant))
    style.finish(ax, names, f"{group}: quantile {quantile:g}; dotted: quantile of ratios")
    _legend(figure)
    return figure


def ratio_rows(analysis: Analysis, group: str, quantile: float, pairs: Sequence[tuple[str, str]]) -> list[Any]:
    """Return the points of `ratios`."""
    return [
        row
        for row in analysis.speedups
        if (row.group, row.quantile, row.clock, row.policy, row.epsilon)
        == (group, quantile, "annealing", "optimised", 0.0)
        and (row.reference, row.contestant) in pairs
        and row.bound != "undefined"
    ]


def time_split(analysis: Analysis, group: str) -> Figure:
    """Draw where the time of a read goes at the largest size, as shares, the whole beside it."""
    style = Style(analysis)
    rows = split_rows(analysis, group)
    figure = Figure(figsize=(_SHAPE[0], 0.55 * len(rows) + 1.9), layout="constrained")
    ax = figure.subplots()
    for k, row in enumerate(rows):
        left, total = 0.0, row.split.total_s
        for color, (part, name) in zip(_COLORS, _PARTS.items(), strict=False):
            share = 100 * getattr(row.split, part) / total if total else 0.0
            ax.barh(k, share, left=left, color=color, edgecolor="white", label=name if k == 0 else None)
            left += share
    labels = [f"{style.names[row.contestant]}\n{seconds(row.split.total_s)} a read" for row in rows]
    ax.set_yticks(range(len(rows)), labels, fontsize=8)
    ax.set(xlabel="share of a read's time, %", xlim=(0, 100))
    style.finish(ax, (row.contestant for row in rows), f"{group}, size {rows[0].size}: where the time goes")
    _legend(figure, columns=3)
    return figure


def split_rows(analysis: Analysis, group: str) -> list[Any]:
    """Return the splits at the largest size and, of each contestant, its best effort there."""
    mine = [row for row in analysis.splits if row.group == group]
    size = max((row.size for row in mine), default=0)
    best = {row.contestant: row.effort for row in _times(analysis, group, "optimised") if row.size == size}
    chosen = {}
    for row in mine:
        if row.size == size and (row.contestant not in best or row.effort == best[row.contestant]):
            chosen[row.contestant] = row
    return list(chosen.values())


def overlaps(analysis: Analysis, group: str) -> Figure:
    """Draw P(q) at the largest size, of each contestant's longest effort: a panel each, for bands would hide bands."""
    style = Style(analysis)
    rows: list[OverlapRow] = _longest(row for row in analysis.overlaps if row.group == group)
    columns = min(2, len(rows))
    lines = -(-len(rows) // columns)
    figure = Figure(figsize=(_SHAPE[0], 1.35 * lines + 1.3), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for ax, row in zip(panels, rows, strict=False):
        color = style.line(row.contestant)["color"]
        ax.stairs(row.density, row.edges, color=color, lw=1.2)
        ax.fill_between(row.edges, _stepped(row.low), _stepped(row.high), step="post", color=color, alpha=0.25, lw=0)
        binder = f"U = {number(row.binder.value, 2)} ({number(row.binder.low, 2)} to {number(row.binder.high, 2)})"
        name = style.names[row.contestant]
        ax.set_title(f"{fill(name, 34)}\n{binder}", fontsize=8, color="#a33c00" if MARK in name else "#222222")
        ax.tick_params(labelsize=8)
        ax.set_axisbelow(True)
        ax.grid(lw=0.4, color="#dddddd")
        ax.spines[["top", "right"]].set_visible(False)
    panels[0].set(xlim=(-1.02, 1.02), ylim=(0, None))
    for ax in panels[len(rows) - columns : len(rows)]:
        ax.tick_params(labelbottom=True)
    for ax in panels[len(rows) :]:
        ax.set_visible(False)
    figure.supxlabel("overlap q of two reads", fontsize=10)
    figure.supylabel("P(q)", fontsize=10)
    about = f"{group}, size {rows[0].size}: overlaps, Binder cumulant U"
    title, color = style.title((row.contestant for row in rows), about)
    figure.suptitle(title, fontsize=10, color=color)
    return figure


def residuals(analysis: Analysis, group: str) -> Figure:
    """Draw residual energy against effort at the largest size, with kappa."""
    style, (figure, ax) = Style(analysis), _figure()
    rows = residual_rows(analysis, group)
    for label, mine in _by_contestant(rows).items():
        fit = next((f for f in analysis.residual_fits if _same(f, mine[0])), None)
        kappa = "" if fit is None else f", κ = {number(fit.kappa.value, 2)}"
        unit = next(row.effort_name for row in analysis.contestants if row.label == label)
        efforts = [row.effort for row in mine]
        _band(ax, efforts, [row.residual for row in mine], style.line(label), f"{style.names[label]}{kappa}\n({unit})")
    _log_scales(ax)
    ax.set(xlabel="effort, in the contestant's unit", ylabel="(⟨H⟩ - E0) / N, model units")
    style.finish(ax, (row.contestant for row in rows), f"{group}, size {rows[0].size}: residual energy")
    _legend(figure)
    return figure


def residual_rows(analysis: Analysis, group: str) -> list[ResidualRow]:
    """Return the points of `residuals`."""
    mine = [row for row in analysis.residuals if row.group == group and row.effort is not None]
    size = max((row.size for row in mine), default=0)
    return sorted((row for row in mine if row.size == size), key=lambda row: (row.contestant, row.effort))


def valleys(analysis: Analysis, group: str) -> Figure:
    """Draw the energies of the valleys that each contestant found, those that no other found in another colour."""
    style = Style(analysis)
    rows = [row for row in analysis.valleys if row.group == group]
    rows = [row for row in rows if row.instance == rows[0].instance]
    figure = Figure(figsize=(_SHAPE[0], 0.5 * len(rows) + 1.6), layout="constrained")
    ax = figure.subplots()
    for k, row in enumerate(rows):
        ax.plot(row.energies, np.full(len(row.energies), k), "|", ms=14, mew=1.2, color="#56b4e9")
        ax.plot(row.unique_energies, np.full(len(row.unique_energies), k), "|", ms=14, mew=1.2, color="#d55e00")
    ax.set_yticks(
        range(len(rows)),
        [f"{style.names[row.contestant]}\n{row.num_reads} reads: {row.found.value:.0f} valleys" for row in rows],
        fontsize=8,
    )
    ax.set(xlabel="energy of the valley, model units", ylim=(-0.6, len(rows) - 0.4))
    style.finish(ax, (row.contestant for row in rows), f"{group}: valleys; orange: no other contestant found it")
    return figure


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SHAPE, layout="constrained")
    return figure, figure.subplots()


def _legend(figure: Figure, *, title: str | None = None, columns: int = 2) -> None:
    """Put the legend below the axes, where it hides no curve."""
    figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=8, title=title, title_fontsize=8)


def _times(analysis: Analysis, group: str, policy: str) -> list[TimeRow]:
    return [
        row
        for row in analysis.times
        if (row.group, row.clock, row.policy, row.epsilon, row.quantile)
        == (group, "annealing", policy, 0.0, middle(analysis))
    ]


def _by_contestant(rows: Sequence[Any]) -> dict[str, list[Any]]:
    return {
        label: [row for row in rows if row.contestant == label] for label in dict.fromkeys(r.contestant for r in rows)
    }


def _longest(rows: Iterable[Any]) -> list[Any]:
    """Return, at the largest size, each contestant's row of the longest effort."""
    given = list(rows)
    size = max((row.size for row in given), default=0)
    best: dict[str, Any] = {}
    for row in sorted(given, key=lambda row: row.effort or 0.0):
        if row.size == size:
            best[row.contestant] = row
    return list(best.values())


def _same(a: Any, b: Any) -> bool:
    return (a.group, a.contestant, a.size) == (b.group, b.contestant, b.size)


def _band(
    ax: Axes,
    at: Sequence[Any],
    intervals: Sequence[Any],
    look: dict[str, Any],
    label: str | None,
    *,
    filled: bool = True,
    bounds: Sequence[str] | None = None,
) -> None:
    """Draw a line with its band through what is known, and arrows where there is a bound, up or down."""
    x = np.array(at, dtype=float)
    value, low, high = (
        np.array([getattr(i, name) for i in intervals], dtype=float) for name in ("value", "low", "high")
    )
    given = bounds or ["lower" if i.is_bound else "none" for i in intervals]
    bound = np.array(given)
    shown = np.isfinite(value) & (value > 0)
    line = shown & (bound == "none")
    ax.plot(x[line], value[line], label=label, **look)
    for way, arrow in (("lower", "$\\uparrow$"), ("upper", "$\\downarrow$")):
        points = shown & (bound == way)
        if points.any():
            ax.plot(x[points], value[points], marker=arrow, ms=11, ls="", color=look["color"])
    closed = line & np.isfinite(low) & (low > 0) & np.isfinite(high)
    if filled and closed.any():
        ax.fill_between(
            x, low, high, where=closed.tolist(), color=look["color"], alpha=0.2, lw=0.6, edgecolor=look["color"]
        )


def _log_scales(ax: Axes) -> None:
    """Make both axes logarithmic, the vertical one only where something lies above 0: residual energies may not."""
    ax.set_xscale("log")
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    if any((np.isfinite(y) & (y > 0)).any() for y in drawn):
        low, high = ax.dataLim.intervaly
        if math.isclose(low, high):  # a flat line: no limits follow from it
            ax.set_ylim(low / 2, high * 2)
        ax.set_yscale("log")


def _stepped(values: Any) -> Any:
    return np.append(values, values[-1])


def _sizes_as_ticks(ax: Axes, rows: Sequence[Any]) -> None:
    at = sorted({row.num_variables for row in rows})
    ax.set_xticks(at, [f"{n:.0f}" for n in at], fontsize=8)
    ax.set_xticks([], minor=True)
