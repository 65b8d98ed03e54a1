"""The benchmark's page and CSV, without a browser: what is marked, what is left out, what is escaped."""

import csv
import math
from dataclasses import fields, replace

import pytest

from annealnn.benchmark._analysis import Analysis
from annealnn.benchmark._verdict import verdict
from annealnn.benchmark.statistics._interval import Interval
from annealnn.reports import _benchmark_figures as draw
from annealnn.reports import _benchmark_tables as tables
from annealnn.reports import write_benchmark_report, write_figure
from annealnn.reports._benchmark import ranking, sections_of
from annealnn.reports._benchmark_csv import csv_tables

GROUP = "ran(graph=chimera)"
TIMED = ("times", "efforts", "speedups", "scalings", "splits")


@pytest.fixture(scope="module")
def whole(simulated_analysis):
    return sections_of(simulated_analysis, verdict(simulated_analysis))


def figures(analysis):
    """Every figure in which the processor shows: also an effort may be a time."""
    pairs = [("SA", "chip"), ("tabu", "chip")]
    return {
        "times": draw.times_against_size(analysis, GROUP),
        "fixed": draw.fixed_against_optimised(analysis, GROUP),
        "optimum": draw.optimum_of_schedule(analysis, GROUP, "chip"),
        "ratios": draw.ratios(analysis, GROUP, 0.5, pairs),
        "split": draw.time_split(analysis, GROUP),
        "residual": draw.residuals(analysis, GROUP),
        "overlaps": draw.overlaps(analysis, GROUP),
        "valleys": draw.valleys(analysis, analysis.valleys[0].group),
    }


def title(figure):
    return figure.get_suptitle() or figure.axes[0].get_title()


def test_invented_times_are_marked_in_every_figure(simulated_analysis, measured_analysis):
    for name, figure in figures(simulated_analysis).items():
        assert "chip: SIMULATED" in title(figure), name
    assert "SIMULATED" not in draw.optimum_of_schedule(simulated_analysis, GROUP, "SA").axes[0].get_title()
    for name, figure in figures(measured_analysis).items():
        assert "SIMULATED" not in title(figure), name


def test_invented_times_are_marked_in_every_table(simulated_analysis, measured_analysis):
    def shown(analysis):
        pairs = [("SA", "chip")]
        return [
            tables.contestants(analysis),
            tables.times_to_solution(analysis, GROUP),
            tables.times_to_solution(analysis, GROUP, epsilon=0.01),
            tables.speedups(analysis, GROUP, pairs),
            tables.scalings(analysis, GROUP),
            tables.other_clocks(analysis, GROUP),
        ]

    for table in shown(simulated_analysis):
        mine = [row for row in table.rows if "chip" in row[0]]
        assert mine, table.title
        assert all("chip SIMULATED" in row[0] for row in mine), table.title
        assert not any("SA SIMULATED" in row[0] for row in table.rows)
    assert not any("SIMULATED" in str(table.rows) for table in shown(measured_analysis))


def test_invented_times_are_marked_in_every_csv(simulated_page, simulated_analysis):
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (simulated_page / "tables").iterdir()}
    found = {name: list(csv.DictReader(text.splitlines())) for name, text in texts.items()}
    assert set(found) == {
        part.name
        for part in fields(Analysis)
        if isinstance(getattr(simulated_analysis, part.name), tuple)
        and part.name not in ("groups", "quantiles", "epsilons", "notes", "relative_scalings")
    }
    for name in TIMED:
        for row in found[name]:
            invented = "chip" in (row["contestant"], row.get("reference"))
            assert row["marked"] == ("SIMULATED" if invented else ""), name
    assert [row["marked"] for row in found["contestants"]] == ["SIMULATED", "", ""]
    last = next(row for row in found["times"] if row["contestant"] == "SA" and row["time_is_bound"] == "True")
    assert float(last["time"]) == float(last["time_low"])
    assert math.isinf(float(last["time_high"]))
    assert found["betas"][0]["overall_low"] == ""
    assert found["optima"][0] | {"family": "ran", "instance_size": "4", "seed": "0"} == found["optima"][0]


def test_a_measured_processor_has_no_mark_on_the_page(measured_analysis, tmp_path):
    few = replace(measured_analysis, efforts=(), speedups=(), splits=(), overlaps=(), residuals=())
    text = write_benchmark_report(few, verdict(few), tmp_path).read_text(encoding="utf-8")
    assert "SIMULATED" not in text


def test_the_page_holds_all_and_escapes_it(simulated_page):
    text = (simulated_page / "index.html").read_text(encoding="utf-8")
    for words in ("Local valleys", "Training quality", "Sampling quality", "UNCERTIFIED", "reads: 100", "A note on"):
        assert words in text
    assert "&lt;b&gt;it took longer than 600 s&lt;/b&gt;" in text
    assert "energy -10 lies below -9, certified as the lowest: planted" in text
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize("part", [part.name for part in fields(Analysis) if part.default == ()])
def test_what_is_not_there_is_left_out(part, simulated_analysis, whole):
    sections, figures_of_all = whole
    less = replace(simulated_analysis, **{part: ()})
    found, drawn = sections_of(less, verdict(less))
    assert part not in csv_tables(less)
    assert len(found) <= len(sections)
    assert set(drawn) <= set(figures_of_all)
    assert {name for section in found for name in section.figures} == set(drawn)
    assert all(table.rows for section in found for table in section.tables[1:])


def test_reads_that_took_no_time_and_times_that_are_all_alike_are_drawn(simulated_analysis, tmp_path):
    by_the_wall = tuple(row for row in simulated_analysis.times if row.clock != "annealing")
    none = replace(simulated_analysis, times=by_the_wall)
    page = write_benchmark_report(none, verdict(none), tmp_path / "none")
    assert "by other clocks" in page.read_text(encoding="utf-8")
    alike = tuple(replace(row, time=Interval(1e-6, 1e-6, 1e-6)) for row in simulated_analysis.times)
    figure = draw.times_against_size(replace(simulated_analysis, times=alike, scalings=()), GROUP)
    low, high = figure.axes[0].get_ylim()
    assert low < 1e-6 < high


def test_a_figure_with_nothing_above_zero_is_drawn(simulated_analysis, tmp_path):
    none = tuple(replace(row, residual=Interval(0.0, 0.0, 0.0)) for row in simulated_analysis.residuals)
    figure = draw.residuals(replace(simulated_analysis, residuals=none), GROUP)
    assert write_figure(tmp_path / "figure.png", figure).stat().st_size > 1000


@pytest.mark.parametrize(("bound", "arrow"), [("lower", "uparrow"), ("upper", "downarrow")])
def test_bounds_are_arrows_and_no_line_leads_to_them(simulated_analysis, bound, arrow):
    rows = tuple(replace(row, bound=bound) if row.size == 4 else row for row in simulated_analysis.speedups)
    (ax,) = draw.ratios(replace(simulated_analysis, speedups=rows), GROUP, 0.5, [("SA", "chip")]).axes
    lines = [line for line in ax.lines if line.get_marker() in "os"]
    assert lines
    assert all(max(line.get_xdata()) == 72 for line in lines)
    marks = [line for line in ax.lines if arrow in str(line.get_marker())]
    assert [float(x) for line in marks for x in line.get_xdata()] == [128.0, 128.0]


def test_graphs_files_are_named_shortly():
    long = "ran(fields=True, graph=/a b/c/graph-1.json, graph_sha256=0123abcd) against ran(graph=pegasus)"
    assert tables.short(long) == "ran(fields=True, graph=graph-1.json) against ran(graph=pegasus)"


def test_nothing_at_all_is_a_page(tmp_path):
    nothing = Analysis(
        groups=(), contestants=(), sizes={}, quantiles=(0.5,), target=0.99, epsilons=(0.0,), seed=0, num_resamples=1
    )
    page = write_benchmark_report(nothing, verdict(nothing), tmp_path)
    assert "No contestant ran on a quantum processor." in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("time", "shown"),
    [(2.5, "2.5 s"), (0.0032, "3.2 ms"), (4.56e-5, "45.6 µs"), (1e-3, "1 ms"), (3e-9, "3 ns"), (5000.0, "5e+03 s")],
)
def test_times_have_units(time, shown):
    assert tables.seconds(time) == shown
    assert tables.times(Interval(time, time, math.inf, True)) == f"> {shown}"


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ((0.0032, 0.0021, 0.005), "3.2 (2.1 to 5) ms"),
        ((1e-4, 7e-5, math.inf), "100 (70 to ∞) µs"),
        ((1e-4, 0.0, 2e-4), "100 (0 to 200) µs"),
        ((1e-4, 9e-5, 0.25), "100 µs (90 µs to 250 ms)"),
        ((2.1e-3, 9e-7, 3e-3), "2.1 ms (900 ns to 3 ms)"),
        ((math.nan, 0.0, 1.0), "unknown (0 s to 1 s)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_interval_has_one_unit_where_that_reads_well(ends, shown):
    assert tables.times(Interval(*ends)) == shown


def test_who_is_fastest_is_said_in_words_and_what_is_invented_is_marked(simulated_analysis):
    asked = (simulated_analysis.sizes[GROUP][-1], "annealing", "optimised", 0.0, 0.5)
    last = [
        row for row in simulated_analysis.times if (row.size, row.clock, row.policy, row.epsilon, row.quantile) == asked
    ]
    told = ranking(simulated_analysis, GROUP)
    assert "chip SIMULATED " in told
    fastest_first = [row.contestant for row in sorted(last, key=lambda row: row.time.value)]
    assert sorted(fastest_first, key=lambda label: told.index(f"{label} ")) == fastest_first
    assert told in next(section.text for section in sections_of(simulated_analysis, verdict(simulated_analysis))[0])
    # one size at one effort was measured in passing
    passing = replace(simulated_analysis, times=tuple(last), efforts=())
    assert ranking(passing, GROUP) == ""
