"""The report of a benchmark: one self-contained page, its figures and its tables as CSV beside it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from annealnn._files_io import write_text
from annealnn.benchmark._analysis import Analysis
from annealnn.benchmark._verdict import Verdict
from annealnn.reports import _benchmark_figures as draw
from annealnn.reports import _benchmark_tables as tables
from annealnn.reports._benchmark_csv import csv_tables
from annealnn.reports._benchmark_tables import Table, short
from annealnn.reports._page import write_page


@dataclass(slots=True)
class Section:
    """A part of the page: what it shows, in words, then figures and tables."""

    title: str
    text: str
    figures: dict[str, str] = field(default_factory=dict)  # name -> what it shows, for those who do not see it
    tables: list[Table] = field(default_factory=list)


def write_benchmark_report(
    analysis: Analysis, verdict: Verdict, out: Path, *, facts: Mapping[str, str] | None = None
) -> Path:
    """Write `index.html`, `figures/*.png` and `tables/*.csv` below a folder; return the page's path.

    Parameters
    ----------
    analysis : Analysis
        What it has nothing of is left out.
    verdict : Verdict
    out : path
    facts : mapping of str, optional
        What else the page says of the run: budgets, the command, the machine.
    """
    sections, figures = sections_of(analysis, verdict)
    texts = csv_tables(analysis)
    for name, text in texts.items():
        write_text(out / "tables" / f"{name}.csv", text)
    links = {
        name: "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode("ascii")
        for name, text in texts.items()
    }
    return write_page(
        out,
        "benchmark.html.j2",
        figures,
        short=short,
        analysis=analysis,
        verdict=verdict,
        sections=sections,
        links=links,
        facts=facts or {},
        simulated=[row.label for row in analysis.contestants if row.simulated],
    )


def sections_of(analysis: Analysis, verdict: Verdict) -> tuple[list[Section], dict[str, Figure]]:
    """Return the parts of the page that the analysis has something for, and their figures by name."""
    figures: dict[str, Figure] = {}
    about = [_sampling(analysis, figures), _valleys(analysis, figures), _trainings(analysis)]
    sections = [
        *(_group(analysis, verdict, group, figures) for group in analysis.groups if _timed(analysis, group)),
        *(section for section in about if section is not None),
    ]
    if analysis.joules:
        sections.append(Section("Energy", "Stated power times all of the time.", tables=[tables.joules(analysis)]))
    failures = tables.failures(analysis)
    count = len(failures.rows)
    sections.append(
        Section(
            "What took part",
            "Everything that was run is counted here, what failed too. "
            + (f"{count} tasks or reads are not as they should be." if count else "No task failed."),
            tables=[tables.contestants(analysis), tables.optima(analysis), *([failures] if count else [])],
        )
    )
    return sections, figures


def _timed(analysis: Analysis, group: str) -> bool:
    """Return whether times of a group are of interest: those of one size at one effort were measured in passing."""
    sizes = {row.size for row in analysis.times if row.group == group}
    tried = {(row.contestant, row.effort) for row in analysis.efforts if row.group == group}
    return len(sizes) > 1 or (bool(sizes) and len(tried) > len({contestant for contestant, _ in tried}))


def ranking(analysis: Analysis, group: str) -> str:
    """Say who has the least median time to solution at the largest size, and who follows; empty without times."""
    if not _timed(analysis, group):
        return ""
    size = analysis.sizes[group][-1]
    mine = [
        row
        for row in analysis.times
        if (row.group, row.size, row.clock, row.policy, row.epsilon, row.quantile)
        == (group, size, "annealing", "optimised", 0.0, tables.middle(analysis))
    ]
    mine.sort(key=lambda row: (row.time.is_bound, row.time.value))
    names = tables.marked(analysis)
    told = "; ".join(f"{names[row.contestant]} {tables.times(row.time)}" for row in mine)
    return f"Median times to solution at the largest size, {size}, are: {told}." if told else ""


def _group(analysis: Analysis, verdict: Verdict, group: str, figures: dict[str, Figure]) -> Section:
    section = Section(
        f"Time to solution: {short(group)}",
        "Time to reach the optimum with a probability of 99 %, by the anneals alone and per core, at the effort that "
        "is best for each size. Bands, and brackets in tables, are 95 % intervals over instances and reads; dashed "
        "lines the preferred fits; an arrow marks a bound, upwards a lower one, where too few instances were solved. "
        "Efforts are in each contestant's own unit, listed below under what took part; where the best lies at an edge "
        "of those that were tried, a better one may lie beyond.",
    )
    section.text = f"{section.text} {ranking(analysis, group)}".strip()

    def add(name: str, figure: Figure, alt: str) -> None:
        name = f"{analysis.groups.index(group) + 1}-{name}"
        figures[name], section.figures[name] = figure, f"{short(group)}: {alt}"

    # anneals may have taken no time, by what contestants tell
    timed = {row.policy for row in analysis.times if (row.group, row.clock, row.epsilon) == (group, "annealing", 0.0)}
    if "optimised" in timed:
        add(
            "times",
            draw.times_against_size(analysis, group),
            "median time to solution against the number of variables, a line with its band for each contestant",
        )
    pairs = _pairs(analysis, verdict, group)
    for quantile in analysis.quantiles:
        if draw.ratio_rows(analysis, group, quantile, pairs):
            alt = f"ratio of times to solution at quantile {quantile:g} against the number of variables"
            add(f"ratios-{quantile:g}", draw.ratios(analysis, group, quantile, pairs), alt)
    if "fixed" in timed:
        alt = "median time to solution at one fixed long effort, beside that at the best effort of each size"
        add("fixed", draw.fixed_against_optimised(analysis, group), alt)
    for k, contestant in enumerate(row.label for row in analysis.contestants):
        if len({row.effort for row in draw.schedule_rows(analysis, group, contestant)}) > 1:
            alt = f"median time to solution of {contestant} against its effort, a line for each size, the best starred"
            add(f"optimum-{k}", draw.optimum_of_schedule(analysis, group, contestant), alt)
    if draw.split_rows(analysis, group):
        add("split", draw.time_split(analysis, group), "bars of the parts of a read's time, for each contestant")
    if draw.residual_rows(analysis, group):
        add("residual", draw.residuals(analysis, group), "residual energy a spin against effort")
    if any(row.group == group for row in analysis.overlaps):
        alt = "distribution of the overlap of two reads, for each contestant"
        add("overlaps", draw.overlaps(analysis, group), alt)
    section.tables = [
        tables.times_to_solution(analysis, group),
        *(tables.times_to_solution(analysis, group, epsilon=epsilon) for epsilon in analysis.epsilons if epsilon),
        tables.speedups(analysis, group, pairs),
        tables.scalings(analysis, group),
        tables.other_clocks(analysis, group),
    ]
    section.tables = [table for table in section.tables if table.rows]
    return section


def _pairs(analysis: Analysis, verdict: Verdict, group: str) -> list[tuple[str, str]]:
    """Return the pairs that are shown: all rivals over the processor, or over the first contestant without one."""
    there = list(dict.fromkeys(row.contestant for row in analysis.times if row.group == group))
    if verdict.processor in there:
        return [(rival, verdict.processor) for rival in there if rival != verdict.processor]
    return [(there[0], other) for other in there[1:]]


def _sampling(analysis: Analysis, figures: dict[str, Figure]) -> Section | None:
    """Return the part on distributions; overlaps and residual energies of groups without times are drawn here."""
    section = Section(
        "Sampling quality",
        "Distance of the reads to the exact Boltzmann distribution at the effective beta that matches them. Each "
        "measure stands beside its floor, what as many perfect reads would show: at the floor these cannot tell.",
        tables=[table for table in (tables.qualities(analysis), tables.betas(analysis)) if table.rows],
    )
    for k, group in enumerate(analysis.groups, 1):
        if not _timed(analysis, group) and any(row.group == group for row in analysis.overlaps):
            figures[f"{k}-overlaps"] = draw.overlaps(analysis, group)
            section.figures[f"{k}-overlaps"] = f"{short(group)}: distribution of the overlap of two reads"
    return section if section.tables or section.figures else None


def _valleys(analysis: Analysis, figures: dict[str, Figure]) -> Section | None:
    groups = list(dict.fromkeys(row.group for row in analysis.valleys))
    if not groups:
        return None
    section = Section(
        "Local valleys",
        "A valley is the minimum that steepest descent reaches from a read. All contestants are compared at as many "
        "reads as the one with the fewest has (after Koshka and Novotny).",
        tables=[tables.valleys(analysis)],
    )
    for k, group in enumerate(groups, 1):
        figures[f"valleys-{k}"] = draw.valleys(analysis, group)
        section.figures[f"valleys-{k}"] = (
            f"{short(group)}: energies of the valleys that each contestant found; those that no other found stand out"
        )
    return section


def _trainings(analysis: Analysis) -> Section | None:
    if not analysis.trainings:
        return None
    return Section(
        "Training quality",
        "The same machine, gradient steps and number of reads for all; the negative phase is the contestant's.",
        tables=[tables.trainings(analysis)],
    )
