"""From records to tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal

from annealnn._validation import check_choice, check_count, check_number
from annealnn.benchmark._analysis import Analysis, Clock
from annealnn.benchmark._cells import Bootstrap, Cell, Settings, make_cell
from annealnn.benchmark._collect import Collected, collect
from annealnn.benchmark._instance import Instance, InstanceSpec
from annealnn.benchmark._tables import TimeTables
from annealnn.benchmark._tables_reads import ReadTables, training_rows, valley_rows
from annealnn.benchmark._tables_scaling import Curves, relative_scalings, scalings
from annealnn.benchmark._task import Record
from annealnn.benchmark.families._registry import build_instance

TABLES = (
    "times",
    "efforts",
    "speedups",
    "scalings",
    "relative_scalings",
    "splits",
    "joules",
    "residuals",
    "residual_fits",
    "overlaps",
    "betas",
    "qualities",
)
CLOCKS: tuple[Clock, ...] = ("annealing", "service", "wall", "effort")


def analyse(
    records: Iterable[Record],
    *,
    quantiles: Sequence[float] = (0.5, 0.9, 0.99),
    epsilons: Sequence[float] = (0.0, 0.01),
    clocks: Sequence[Clock] = CLOCKS,
    target: float = 0.99,
    fixed_effort: float | None = None,
    choose: Literal["all", "halves"] = "all",
    parallel: bool = False,
    tables: Sequence[str] = TABLES,
    num_resamples: int = 1000,
    seed: int = 0,
    build: Callable[[InstanceSpec], Instance] = build_instance,
) -> Analysis:
    """Return all that records show, with intervals by a bootstrap over instances, then reads.

    A success is a read at the lowest energy of its instance: the certified one, else the lowest of all records, which
    is then labelled with those that reached it. Instances that no read solves are infinite times, and so are those of
    runs that failed or timed out; a quantile among them is a lower bound. Refused tasks count as not run. The effort
    is chosen anew for each size, quantile and resample.

    Parameters
    ----------
    records : iterable of Record
        In any order; of several of one task that counts which stands in a file of results.
    quantiles : sequence of float
        Over instances; above 0 and below 1.
    epsilons : sequence of float
        0 is time to solution; .01 counts energies within 1 % of the lowest.
    clocks : sequence of str
        "annealing", "service", "wall", "effort".
    target : float
        Probability of a solution that times are for.
    fixed_effort : float, optional
        Of the policy "fixed"; the longest that a contestant has at all sizes if None.
    choose : "all" or "halves"
        "halves": one half of the reads of each instance chooses the effort and the other half is scored, so that luck
        counts for none. "all" uses each read for both, and `TimeRow.optimism` says how far that flatters.
    parallel : bool
        Whether copies of a problem fill a processor with `num_qubits`: its annealing times are multiplied by N / N_max.
    tables : sequence of str
        Fields of `Analysis` to fill, for those that take their time: "times", "efforts", "speedups", "scalings",
        "relative_scalings", "splits", "joules", "residuals", "residual_fits", "overlaps", "betas", "qualities". All
        others are always there.
    num_resamples : int
    seed : int
        Same seed, same intervals.
    build : (InstanceSpec) -> Instance
        Rebuilds problems for sampling quality and global effective betas; by the families' names.

    Returns
    -------
    Analysis
        Intervals are of 95 %; those of a single instance are over its reads only, and a note says so.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    settings = Settings(
        quantiles=tuple(_inside("a quantile", q) for q in quantiles),
        epsilons=tuple(sorted(check_number("an epsilon", e, low=0.0) for e in epsilons)),
        clocks=tuple(check_choice("a clock", clock, CLOCKS) for clock in clocks),
        target=_inside("target", target),
        num_resamples=check_count("num_resamples", num_resamples, minimum=0),
        seed=check_count("seed", seed, minimum=0),
        fixed_effort=fixed_effort,
        choose=check_choice("choose", choose, ["all", "halves"]),
        parallel=parallel,
    )
    for name, given in (("quantiles", settings.quantiles), ("epsilons", settings.epsilons)):
        if not given:
            msg = f"{name} are at least one; got none"
            raise ValueError(msg)
    wanted = [check_choice("a table", name, TABLES) for name in tables]
    collected = collect(records)
    optima = collected.optimum_rows()
    sizes: dict[str, tuple[int, ...]] = {}
    proofs: dict[str, dict[str, int]] = {}
    for spec in collected.instances.values():
        sizes[spec.group] = tuple(sorted({*sizes.get(spec.group, ()), spec.size}))
    for row in optima:
        counts = proofs.setdefault(row.group, {})
        counts[row.proof] = counts.get(row.proof, 0) + 1
    made: dict[str, list[Any]] = {name: [] for name in wanted}
    notes = [*collected.notes]
    for group in sizes:
        cells = {
            row.label: of
            for row in collected.contestants
            if (of := [c for size in sizes[group] if (c := make_cell(collected, settings, group, row.label, size))])
        }
        notes += _notes(collected, cells, settings)
        of_reads = ReadTables(collected, settings, build)
        rows = _time_rows(collected, settings, cells) | _read_rows(of_reads, cells)
        for name in wanted:
            made[name].extend(rows[name])
        notes += of_reads.notes
    unknown = [spec for key, spec in collected.instances.items() if key not in collected.optima]
    if unknown:
        notes.append(
            f"Of {len(unknown)} of {len(collected.instances)} instances no energy is known: they are in no table."
        )
    return Analysis(
        groups=tuple(sizes),
        contestants=collected.contestants,
        sizes=sizes,
        quantiles=settings.quantiles,
        target=settings.target,
        epsilons=settings.epsilons,
        seed=settings.seed,
        num_resamples=settings.num_resamples,
        optima=optima,
        proofs=proofs,
        valleys=tuple(valley_rows(collected, settings)),
        trainings=tuple(training_rows(collected)),
        failures=collected.failures,
        contradictions=collected.contradictions,
        notes=tuple(dict.fromkeys(notes)),
        **{name: tuple(rows) for name, rows in made.items()},
    )


def _inside(name: str, value: float) -> float:
    number = check_number(name, value, low=0.0, high=1.0, open_low=True)
    if number == 1.0:
        msg = f"{name} is below 1; got {value!r}"
        raise ValueError(msg)
    return number


def _time_rows(collected: Collected, settings: Settings, cells: dict[str, list[Cell]]) -> dict[str, Iterator[Any]]:
    of_times = TimeTables(collected, Bootstrap(settings), cells)
    curves = Curves(of_times)
    return {
        "times": of_times.times(),
        "efforts": of_times.efforts(),
        "speedups": of_times.speedups(),
        "scalings": scalings(curves),
        "relative_scalings": relative_scalings(curves),
        "splits": of_times.splits(),
        "joules": of_times.joules(),
    }


def _read_rows(of_reads: ReadTables, cells: dict[str, list[Cell]]) -> dict[str, Iterator[Any]]:
    every = [cell for of in cells.values() for cell in of]
    return {
        "residuals": chain.from_iterable(map(of_reads.residuals, every)),
        "residual_fits": chain.from_iterable(map(of_reads.residual_fits, every)),
        "overlaps": chain.from_iterable(map(of_reads.overlaps, every)),
        "betas": chain.from_iterable(map(of_reads.betas, every)),
        "qualities": chain.from_iterable(map(of_reads.qualities, every)),
    }


# of so many independent reads that miss the lowest energy, some differ
_MANY_READS = 10


def _repeats_itself(collected: Collected, cell: Cell) -> bool:
    """Return whether some effort gave runs of one energy each, several of them too high: one read told many times."""
    for number, effort in enumerate(cell.efforts):
        pooled = [collected.reads[cell.label, key, effort] for key in cell.instances]
        runs = [run for of in pooled for run in of.records if run.task.num_reads >= _MANY_READS]
        missed = (cell.successes[min(cell.successes)][:, number] == 0).sum()
        if missed > 1 and len(runs) > 1 and all(len(run.energies) == 1 for run in runs):
            return True
    return False


def _notes(collected: Collected, cells: dict[str, list[Cell]], settings: Settings) -> list[str]:
    """Return what a reader of one group's tables is told."""
    notes = []
    top = max(settings.quantiles)
    asked = settings.fixed_effort
    for label, of in cells.items():
        if asked is not None and not all(asked in cell.efforts for cell in of):
            notes.append(
                f"{label} on {of[0].group} did not run effort {asked:g} at all sizes: its effort is not fixed."
            )
        for cell in of:
            where = f"{label} on {cell.group} at size {cell.size}"
            number = len(cell.instances)
            if cell.left_out:
                notes.append(f"{where} leaves out {cell.left_out}: not all of these ran.")
            if without := [clock for clock in settings.clocks if clock not in cell.times and clock != "effort"]:
                notes.append(f"Reads of {where} took no time by the clocks {', '.join(without)}: these are left out.")
            if _repeats_itself(collected, cell):
                notes.append(
                    f"Reads of {where} are all alike in each run, and not always at the lowest energy: they are no "
                    "independent ones, and its times are too short, by up to the number of reads."
                )
            if number == 1:
                notes.append(f"{where} ran one instance: intervals are over its reads only.")
    every = [cell for of in cells.values() for cell in of]
    few = {cell.size: len(cell.instances) for cell in every if len(cell.instances) * (1 - top) < 1}
    if few:
        group = every[0].group
        notes.append(
            f"Quantile {top:g} on {group} is of {max(few.values())} instances or fewer at sizes "
            f"{', '.join(map(str, sorted(few)))}, nearly the slowest one: its interval is too short."
        )
    return notes
