"""The tables of a benchmark's page. A time that was invented is marked SIMULATED in each."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from annealnn.benchmark._analysis import Analysis
from annealnn.benchmark.statistics._interval import Interval

MARK = "SIMULATED"
_DIGEST = re.compile(r", graph_sha256=[0-9a-f]{8}\b")
_FILE = re.compile(r"\b(graph=)[^,()]*[/\\]([^/\\,()]+\.json)")
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


class Table(NamedTuple):
    """A table of the page: the first column is text, the others are figures."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def marked(analysis: Analysis) -> dict[str, str]:
    """Return what each contestant is called, SIMULATED with it where its times are invented."""
    return {row.label: f"{row.label} {MARK}" if row.simulated else row.label for row in analysis.contestants}


def short(text: str) -> str:
    """Return a text in which groups of instances name a graph's file without its folder and digest."""
    return _FILE.sub(r"\1\2", _DIGEST.sub("", text))


def seconds(time: float) -> str:
    """Return a time of at least some nanoseconds with its unit, "3.2 ms"."""
    if not math.isfinite(time) or time <= 0:
        return "unknown" if math.isnan(time) else "∞" if time > 0 else "0 s"
    factor, unit = _unit(time)
    return f"{time / factor:.3g} {unit}"


def times(interval: Interval) -> str:
    """Return an interval of seconds, "3.2 (2.1 to 5) ms"; a lower bound as "> 3.2 ms"."""
    if interval.is_bound:
        return f"> {seconds(interval.value)}"
    factor, unit = _unit(interval.value)
    ends = [time / factor for time in interval[1:3] if math.isfinite(time) and time > 0]
    if not math.isfinite(interval.value) or any(not 0.001 <= end < 999.5 for end in ends):
        return f"{seconds(interval.value)} ({seconds(interval.low)} to {seconds(interval.high)})"
    value, low, high = (number(time / factor) for time in interval[:3])
    return f"{value} ({low} to {high}) {unit}"


def _unit(time: float) -> tuple[float, str]:
    return next(((factor, unit) for factor, unit in _UNITS if time >= 0.9995 * factor), _UNITS[-1])


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure, or a dash where there is none."""
    if value is None or math.isnan(value):
        return "\N{EN DASH}"
    value = 0.0 if abs(value) < 1e-12 else value
    return f"{value:.{digits}g}" if math.isfinite(value) else "∞"


def estimate(interval: Interval | None) -> str:
    """Return "1.7 (1.5 to 1.9)"."""
    if interval is None or math.isnan(interval.value):
        return "\N{EN DASH}"
    least = "> " if interval.is_bound else ""
    return f"{least}{number(interval.value)} ({number(interval.low)} to {number(interval.high)})"


def contestants(analysis: Analysis) -> Table:
    """List who took part, on what, with which budget."""
    rows = []
    for row in analysis.contestants:
        mine = [each for each in analysis.efforts if each.contestant == row.label]
        tried = sorted({each.effort for each in mine if each.effort is not None})
        budget = f"{row.effort_name} {', '.join(f'{effort:g}' for effort in tried)}" if tried else "no effort to choose"
        hardware = row.hardware
        on = ", ".join(
            [
                str(hardware.get("name", "never opened")),
                *([f"{hardware['num_cores']} core(s)"] if hardware.get("kind") == "cpu" else []),
                *([f"{hardware['num_qubits']} qubits"] if hardware.get("num_qubits") else []),
            ]
        )
        settings = ", ".join(f"{name}={value}" for name, value in row.settings.items()) or "defaults"
        rows.append(
            (
                marked(analysis)[row.label],
                f"{row.name}: {settings}",
                "; ".join(row.versions),
                on + (f", {MARK}" if row.simulated else ""),
                budget,
                "not stated" if row.power_w is None else f"{row.power_w:g} W",
                f"{row.num_done} of {row.num_tasks}",
            )
        )
    header = ("contestant", "settings", "version", "hardware", "efforts tried", "power", "tasks done")
    return Table("Contestants, hardware and budgets", header, rows)


def optima(analysis: Analysis) -> Table:
    """List what says that energies are the lowest, by group and size."""
    rows = []
    for group in analysis.groups:
        for size in analysis.sizes.get(group, ()):
            mine = [row for row in analysis.optima if (row.group, row.size) == (group, size)]
            if not mine:
                rows.append((short(group), f"{size}", "\N{EN DASH}", "0", "none found", ""))
                continue
            kinds = sorted({row.proof for row in mine})
            said = ", ".join(
                f"{sum(row.proof == kind for row in mine)} {'UNCERTIFIED: agreement' if kind == 'agreement' else kind}"
                for kind in kinds
            )
            solvers = ", ".join(sorted({solver for row in mine for solver in row.solvers})) or "\N{EN DASH}"
            variables = number(float(np.mean([row.num_variables for row in mine])), 4)
            rows.append((short(group), f"{size}", variables, f"{len(mine)}", said, solvers))
    header = ("instances", "size", "variables, mean", "instances", "optimum by", "solvers that agree")
    return Table("Instances and what proves their optima", header, rows)


def times_to_solution(analysis: Analysis, group: str, *, epsilon: float = 0.0) -> Table:
    """List times at the best effort, a column for each quantile."""
    mine = [
        row
        for row in analysis.times
        if (row.group, row.clock, row.policy, row.epsilon) == (group, "annealing", "optimised", epsilon)
    ]
    keys = dict.fromkeys((row.contestant, row.size) for row in mine)
    rows = []
    for contestant, size in keys:
        of = {row.quantile: row for row in mine if (row.contestant, row.size) == (contestant, size)}
        middle = of.get(0.5) or next(iter(of.values()))
        edges = [name for name, share in (("lower", middle.lower_edge), ("upper", middle.upper_edge)) if share >= 0.05]
        edge = f"{' or '.join(edges)} edge" if edges else "inside"
        rows.append(
            (
                marked(analysis)[contestant],
                f"{size}",
                f"{middle.num_variables:.0f}",
                number(middle.effort, 4),
                "\N{EN DASH}" if middle.effort is None else edge,
                *(times(of[q].time) if q in of else "\N{EN DASH}" for q in analysis.quantiles),
                f"{middle.num_unsolved} of {middle.num_instances}",
                number(middle.optimism),
            )
        )
    what = "solution" if epsilon == 0 else f"within {100 * epsilon:g} % of the optimum"
    header = (
        "contestant",
        "size",
        "variables",
        "best effort",
        "its place",
        *(f"quantile {q:g}" for q in analysis.quantiles),
        "unsolved",
        "optimism",
    )
    title = f"{short(group)}: time to {what} at {100 * analysis.target:g} %, anneals alone, per core"
    return Table(title, header, rows)


def other_clocks(analysis: Analysis, group: str) -> Table:
    """List median times with all that is beside the anneals."""
    mine = [
        row
        for row in analysis.times
        if (row.group, row.policy, row.epsilon) == (group, "optimised", 0.0) and row.quantile == middle(analysis)
    ]
    rows = []
    for contestant, size in dict.fromkeys((row.contestant, row.size) for row in mine):
        of = {row.clock: row for row in mine if (row.contestant, row.size) == (contestant, size)}
        cells = (times(of[clock].time) if clock in of else "\N{EN DASH}" for clock in ("annealing", "service", "wall"))
        rows.append((marked(analysis)[contestant], f"{size}", *cells))
    header = ("contestant", "size", "anneals, per core", "programming, anneals, readout", "all of it")
    return Table(f"{short(group)}: median time to solution by other clocks", header, rows)


def scalings(analysis: Analysis, group: str) -> Table:
    """List fits of the median times."""
    rows = [
        (
            marked(analysis)[row.contestant],
            row.form,
            estimate(row.exponent),
            number(row.excess),
            number(row.misfit),
            ", ".join(map(str, row.sizes)),
            ", ".join(map(str, row.left_out)) or "none",
            ", ".join(map(str, row.at_lower_edge)) or "none",
        )
        for row in analysis.scalings
        if (row.group, row.clock, row.policy, row.epsilon, row.quantile)
        == (group, "annealing", "optimised", 0.0, middle(analysis))
    ]
    header = (
        "contestant",
        "form",
        "exponent",
        "AIC above the best",
        "chi-square / d.o.f.",
        "sizes",
        "left out",
        "at the lower edge",
    )
    return Table(f"{short(group)}: growth of median times with the number of variables", header, rows)


def speedups(analysis: Analysis, group: str, pairs: Sequence[tuple[str, str]]) -> Table:
    """List ratios of both kinds, optimised, for each pair (reference, contestant)."""
    names, rows = marked(analysis), []
    mine = [
        row
        for row in analysis.speedups
        if (row.group, row.clock, row.policy, row.epsilon) == (group, "annealing", "optimised", 0.0)
        and (row.reference, row.contestant) in pairs
    ]
    for reference, contestant, size, quantile in dict.fromkeys(
        (row.reference, row.contestant, row.size, row.quantile) for row in mine
    ):
        key = (reference, contestant, size, quantile)
        of = {row.kind: row for row in mine if (row.reference, row.contestant, row.size, row.quantile) == key}
        cells = [_ratio(of.get(kind)) for kind in ("ratio of quantiles", "quantile of ratios")]
        edges = sorted({who for row in of.values() for who in row.at_lower_edge})
        over = f"{names[reference]} over {names[contestant]}"
        rows.append((over, f"{size}", f"{quantile:g}", *cells, ", ".join(edges) or "none"))
    header = (
        "times",
        "size",
        "quantile",
        "ratio of quantiles",
        "quantile of ratios",
        "at the lower edge: at most that",
    )
    return Table(f"{short(group)}: ratio of times, above 1 the second is faster", header, rows)


def _ratio(row: Any) -> str:
    if row is None or row.bound == "undefined":
        return "\N{EN DASH}"
    sign = {"lower": "≥ ", "upper": "≤ ", "none": ""}[row.bound]
    return sign + estimate(row.ratio._replace(is_bound=False))


def joules(analysis: Analysis) -> Table:
    """List the electrical energy of a solution, where a power is stated."""
    rows = [
        (
            marked(analysis)[row.contestant],
            short(row.group),
            f"{row.size}",
            f"{row.quantile:g}",
            f"{row.power_w:g} W",
            estimate(row.joules),
        )
        for row in analysis.joules
    ]
    header = ("contestant", "instances", "size", "quantile", "stated power", "J a solution")
    return Table("Electrical energy of a solution", header, rows)


def qualities(analysis: Analysis) -> Table:
    """List the distance to the exact Boltzmann distribution, each beside its floor."""
    rows = [
        (
            marked(analysis)[row.contestant],
            f"{short(row.group)}, {row.size}",
            number(row.effort),
            f"{number(row.beta)}, {row.matched}",
            f"{row.num_reads}",
            *(
                f"{estimate(value)}; {number(floor)}"
                for value, floor in (
                    (row.kl, row.kl_floor),
                    (row.total_variation, row.total_variation_floor),
                    (row.worst_mean, row.worst_mean_floor),
                    (row.worst_correlation, row.worst_correlation_floor),
                )
            ),
        )
        for row in analysis.qualities
    ]
    header = (
        "contestant",
        "instances",
        "effort",
        "matched beta",
        "reads",
        "KL, nats; floor",
        "total variation; floor",
        "worst ⟨Z⟩ error; floor",
        "worst ⟨ZZ⟩ error; floor",
    )
    return Table("Sampling quality at matched temperature", header, rows)


def betas(analysis: Analysis) -> Table:
    """List effective inverse temperatures."""
    rows = [
        (
            marked(analysis)[row.contestant],
            f"{short(row.group)}, {row.size}",
            number(row.effort),
            estimate(row.local),
            estimate(row.overall),
            f"{row.num_instances}",
        )
        for row in analysis.betas
    ]
    header = ("contestant", "instances", "effort", "local (pseudo-likelihood)", "global (mean energy)", "instances")
    return Table("Effective beta, 1/energy", header, rows)


def valleys(analysis: Analysis) -> Table:
    """List valleys at equal reads."""
    rows = [
        (
            marked(analysis)[row.contestant],
            f"{short(row.group)}, {row.size}, seed {row.instance.seed}",
            f"{row.num_reads}",
            estimate(row.found),
            number(row.num_missed_by_others),
            number(row.num_missed),
            number(row.lowest, 6),
        )
        for row in analysis.valleys
    ]
    header = (
        "contestant",
        "instance",
        "reads",
        "valleys found",
        "missed by all others",
        "missed by it",
        "lowest energy",
    )
    return Table("Local valleys, at equal reads", header, rows)


def trainings(analysis: Analysis) -> Table:
    """List machines that learned from contestants' reads."""
    rows = [
        (
            marked(analysis)[row.contestant],
            f"{short(row.group)}, {row.instance.size}",
            number(row.effort),
            estimate(row.log_likelihood),
            number(row.untrained),
            number(row.exact),
            f"{row.num_samples:,}",
            f"{row.num_seeds}",
        )
        for row in analysis.trainings
    ]
    header = ("contestant", "data", "effort", "nats a row", "untrained", "exact samples", "reads", "seeds")
    return Table("Training at an equal number of reads: log-likelihood, exact", header, rows)


def failures(analysis: Analysis) -> Table:
    """List what gave no reads, and what contradicts a certificate."""
    names = marked(analysis)
    rows: list[tuple[str, ...]] = [
        (
            names.get(row.contestant, row.contestant or "certificate"),
            f"{short(row.instance.group)}, {row.instance.size}, seed {row.instance.seed}",
            number(row.effort),
            row.status,
            row.message,
        )
        for row in analysis.failures
    ]
    rows += [
        (
            names.get(row.contestant, row.contestant),
            f"{short(row.instance.group)}, {row.instance.size}, seed {row.instance.seed}",
            "\N{EN DASH}",
            "contradiction",
            f"energy {row.energy:g} lies below {row.certified_energy:g}, certified as the lowest: {row.proof}",
        )
        for row in analysis.contradictions
    ]
    return Table("Failures", ("contestant", "instance", "effort", "status", "what was said"), rows)


def middle(analysis: Analysis) -> float:
    """Return the quantile nearest to the median."""
    return min(analysis.quantiles, key=lambda quantile: abs(quantile - 0.5))
