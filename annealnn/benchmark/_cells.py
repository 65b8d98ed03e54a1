"""One contestant on one size of a group, as arrays; and its bootstrap, shared by all tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from annealnn.benchmark._analysis import Clock
from annealnn.benchmark._canonical import digest
from annealnn.benchmark._collect import Collected, Reads
from annealnn.benchmark.statistics._bootstrap import (
    Runs,
    Times,
    choose_effort,
    halves,
    resample_instances,
    resample_runs,
    times_by_effort,
)
from annealnn.typing import Floats, Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How statistics are done; see `analyse`."""

    quantiles: tuple[float, ...]
    epsilons: tuple[float, ...]
    clocks: tuple[Clock, ...]
    target: float
    num_resamples: int
    seed: int
    fixed_effort: float | None
    choose: Literal["all", "halves"]
    parallel: bool

    def rng(self, *path: object) -> np.random.Generator:
        """Return a generator for one part, independent of the order of parts."""
        return np.random.default_rng(int(digest([self.seed, *(str(part) for part in path)])[:16], 16))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """What one contestant did on one size of a group.

    Instances are those that it ran at all of these efforts. Where a run failed there are no reads, and the instance is
    not solved at that effort.
    """

    group: str
    label: str
    size: int
    instances: tuple[str, ...]  #: keys
    num_variables: float
    efforts: tuple[float | None, ...]
    successes: dict[float, Indices]  #: by epsilon, (num_instances, num_efforts)
    reads: Indices  #: (num_instances, num_efforts)
    times: dict[Clock, Floats]  #: of a read, (num_instances, num_efforts)
    left_out: str  #: what of the records is not here, in words; empty if nothing

    def only(self, instances: Sequence[str]) -> "Cell":
        """Return the cell of some of its instances."""
        rows = [self.instances.index(key) for key in instances]
        return replace(
            self,
            instances=tuple(instances),
            successes={epsilon: hits[rows] for epsilon, hits in self.successes.items()},
            reads=self.reads[rows],
            times={clock: each[rows] for clock, each in self.times.items()},
        )


def make_cell(collected: Collected, settings: Settings, group: str, label: str, size: int) -> Cell | None:
    """Return a contestant's cell, or None if it has no reads on instances whose lowest energy is known."""
    members = [key for key in collected.members(group, size) if key in collected.optima]
    efforts = sorted({place[2] for place in collected.reads if place[0] == label and place[1] in members}, key=_order)
    found = [[collected.reads.get((label, key, effort)) for effort in efforts] for key in members]
    ran = np.array([[of is not None for of in row] for row in found], bool).reshape(len(members), len(efforts))
    answered = np.array([[of is not None and of.num_reads > 0 for of in row] for row in found], bool).reshape(ran.shape)
    rows, columns = _covered(ran, answered)
    if not len(rows) or not len(columns):
        return None
    table = [[found[i][k] for k in columns] for i in rows]
    keys = tuple(members[i] for i in rows)
    chosen = tuple(efforts[k] for k in columns)
    reads = np.array([[of.num_reads if of else 0 for of in row] for row in table], np.intp)
    successes = {
        epsilon: np.array(
            [
                [
                    int(of.counts[collected.optima[key].reached(of.energies, epsilon=epsilon)].sum()) if of else 0
                    for of in row
                ]
                for key, row in zip(keys, table, strict=True)
            ],
            np.intp,
        )
        for epsilon in settings.epsilons
    }
    numbers = [collected.num_variables[key] for key in keys if key in collected.num_variables]
    num_variables = float(np.mean(numbers)) if numbers else float(size)
    qubits = next((c.hardware.get("num_qubits") for c in collected.contestants if c.label == label), None)
    share = min(1.0, num_variables / qubits) if settings.parallel and qubits else 1.0
    times = {}
    for clock in settings.clocks:
        if clock == "effort" and None in chosen:
            continue
        each = np.array([[_time_per_read(of, clock) for of in row] for row in table])
        if clock == "effort":
            each = np.broadcast_to(np.array(chosen, np.float64), each.shape).copy()
        else:
            # a failed run has no time of its own: that of the other instances stands for it
            each = np.where(np.isnan(each), np.nanmean(each, axis=0), each)
        if (each > 0).all():
            times[clock] = each * (share if clock == "annealing" else 1.0)
    return Cell(
        group=group,
        label=label,
        size=size,
        instances=keys,
        num_variables=num_variables,
        efforts=chosen,
        successes=successes,
        reads=reads,
        times=times,
        left_out=_left_out(ran, rows, columns, efforts),
    )


def _order(effort: float | None) -> float:
    return -np.inf if effort is None else effort


def _covered(ran: np.ndarray, answered: np.ndarray) -> tuple[list[int], list[int]]:
    """Return the instances and efforts to take, so that every one of the instances ran at every one of the efforts.

    Efforts that never answered are out. Of the others, those with most instances are added as long as the number of
    instances that have all of them, times the number of efforts, grows.
    """
    usable = [k for k in range(ran.shape[1]) if answered[:, k].any()]
    ranked = sorted(usable, key=lambda k: -int(ran[:, k].sum()))
    best: tuple[list[int], list[int]] = ([], [])
    for number in range(1, len(ranked) + 1):
        columns = sorted(ranked[:number])
        rows = [int(i) for i in np.flatnonzero(ran[:, columns].all(axis=1))]
        if len(rows) * number > len(best[0]) * len(best[1]) and answered[np.ix_(rows, columns)].any(axis=0).all():
            best = rows, columns
    return best


def _left_out(ran: np.ndarray, rows: list[int], columns: list[int], efforts: list[float | None]) -> str:
    parts = []
    if missing := int(ran.any(axis=1).sum()) - len(rows):
        parts.append(f"{missing} instance{'' if missing == 1 else 's'} that did not run at all efforts")
    if dropped := [efforts[k] for k in range(len(efforts)) if k not in columns]:
        parts.append(f"efforts {', '.join('none' if e is None else f'{e:g}' for e in dropped)}")
    return " and ".join(parts)


def _time_per_read(of: Reads | None, clock: Clock) -> float:
    if of is None or of.num_reads == 0:
        return float("nan")
    split = of.timing
    total = {
        "annealing": split.annealing_s * of.num_cores,
        "service": split.programming_s + split.annealing_s + split.readout_s,
        "wall": split.total_s,
        "effort": 0.0,
    }[clock]
    return float(total) / of.num_reads


class Bootstrap:
    """Resamples of cells, drawn once for each and used by all tables.

    Picks of instances depend on seed, group, size and number of instances only: contestants that ran the same instances
    share them.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._runs: dict[tuple[object, ...], tuple[Runs, Runs | None]] = {}
        self._curves: dict[tuple[object, ...], dict[float, Times]] = {}
        self._chosen: dict[tuple[object, ...], Indices] = {}
        self._picks: dict[tuple[object, ...], Indices] = {}

    def picks(self, cell: Cell) -> Indices:
        """Return the instances of each resample, (1 + num_resamples, num_instances)."""
        number = len(cell.instances)
        place = (cell.group, cell.size, number)
        if place not in self._picks:
            rng = self.settings.rng("instances", *place)
            self._picks[place] = resample_instances(number, self.settings.num_resamples, rng)
        return self._picks[place]

    def runs(self, cell: Cell, epsilon: float) -> tuple[Runs, Runs | None]:
        """Return the reads to solution that are scored, and those that choose the effort if others do."""
        place = (cell.group, cell.label, cell.size, cell.instances, epsilon)
        if place not in self._runs:
            rng, target = self.settings.rng("reads", *place[:3], epsilon), self.settings.target
            picks, hits = self.picks(cell), cell.successes[epsilon]
            if self.settings.choose == "halves" and len(cell.efforts) > 1:
                one, half = halves(hits, cell.reads, rng)
                choosing = resample_runs(one, half, picks, rng, target=target)
                self._runs[place] = resample_runs(hits - one, cell.reads - half, picks, rng, target=target), choosing
            else:
                self._runs[place] = resample_runs(hits, cell.reads, picks, rng, target=target), None
        return self._runs[place]

    def curve(self, cell: Cell, clock: Clock, epsilon: float, quantile: float, *, choosing: bool = False) -> Times:
        """Return the quantile of times at each effort, (1 + num_resamples, num_efforts)."""
        choosing = choosing and self.settings.choose == "halves"
        place = (cell.group, cell.label, cell.size, cell.instances, clock, epsilon, choosing)
        if place not in self._curves:
            scored, other = self.runs(cell, epsilon)
            runs = other if choosing and other is not None else scored
            curves = times_by_effort(runs, cell.times[clock], self.picks(cell), self.settings.quantiles)
            self._curves[place] = dict(zip(self.settings.quantiles, curves, strict=True))
        return self._curves[place][quantile]

    def chosen(self, cell: Cell, clock: Clock, epsilon: float, quantile: float, fixed: int | None) -> Indices:
        """Return the number of the effort in each row, (1 + num_resamples,): the best, or a fixed one."""
        if fixed is not None:
            return np.full(1 + self.settings.num_resamples, fixed, np.intp)
        place = (cell.group, cell.label, cell.size, cell.instances, clock, epsilon, quantile)
        if place not in self._chosen:
            self._chosen[place] = choose_effort(self.curve(cell, clock, epsilon, quantile, choosing=True))
        return self._chosen[place]

    def times(self, cell: Cell, clock: Clock, epsilon: float, quantile: float, fixed: int | None) -> Times:
        """Return the quantile of times at the best effort of each row, or at a fixed one, (1 + num_resamples,)."""
        curve, chosen = (
            self.curve(cell, clock, epsilon, quantile),
            self.chosen(cell, clock, epsilon, quantile, fixed),
        )
        rows = np.arange(len(chosen))
        return Times(curve.upper[rows, chosen], curve.lower[rows, chosen])

    def each(self, cell: Cell, clock: Clock, epsilon: float, chosen: Indices) -> Times:
        """Return the times of every picked instance at the chosen efforts, (1 + num_resamples, num_instances)."""
        runs, _ = self.runs(cell, epsilon)
        rows = np.arange(len(chosen))
        per_read = cell.times[clock][self.picks(cell), chosen[:, None]]
        upper = runs.upper[rows, :, chosen] * per_read
        return Times(upper, upper if runs.lower is runs.upper else runs.lower[rows, :, chosen] * per_read)
