"""Tables of times, speed-ups and scaling."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from annealnn.benchmark._analysis import (
    Clock,
    EffortRow,
    JouleRow,
    Policy,
    SpeedupRow,
    SplitRow,
    TimeRow,
)
from annealnn.benchmark._cells import Bootstrap, Cell
from annealnn.benchmark._collect import Collected
from annealnn.benchmark._contestant import TimeSplit
from annealnn.benchmark.statistics._bootstrap import Times, optimism
from annealnn.benchmark.statistics._energy import energy_per_solution
from annealnn.benchmark.statistics._interval import Interval
from annealnn.benchmark.statistics._means import mean_interval
from annealnn.benchmark.statistics._speedup import quantile_of_ratios, ratio_of_quantiles

POLICIES: tuple[Policy, ...] = ("optimised", "fixed")
EDGE = 0.05

#: a contestant's cells on one group, by size ascending
Cells = Sequence[Cell]


class TimeTables:
    """Makes the tables of times of one group.

    Parameters
    ----------
    collected : Collected
    bootstrap : Bootstrap
    cells : mapping from label to cells, by size
    """

    def __init__(self, collected: Collected, bootstrap: Bootstrap, cells: dict[str, list[Cell]]) -> None:
        self.bootstrap, self.cells = bootstrap, cells
        self.settings = bootstrap.settings
        self.collected = collected
        self.rows = {row.label: row for row in collected.contestants}
        self.fixed = {label: self._fixed_effort(of) for label, of in cells.items()}

    def _fixed_effort(self, cells: Cells) -> float | None:
        """Return the longest effort that all sizes have, or the one asked for; None if there is none."""
        common = set.intersection(*(set(cell.efforts) for cell in cells)) - {None}
        asked = self.settings.fixed_effort
        if asked is not None:
            return asked if asked in common else None
        return max((effort for effort in common if effort is not None), default=None)

    def number(self, cell: Cell, policy: Policy) -> int | None:
        """Return the number of the effort that a policy fixes; None if it fixes none."""
        return None if policy == "optimised" else cell.efforts.index(self.fixed[cell.label])

    def policies(self, label: str) -> Iterator[Policy]:
        yield "optimised"
        if self.fixed[label] is not None:
            yield "fixed"

    def edge_shares(self, cell: Cell, clock: Clock, epsilon: float, quantile: float) -> tuple[float, float]:
        """Return in what share of resamples the best effort is the shortest, and the longest.

        Resamples without a finite time have no best effort: they count only where all are so.
        """
        if cell.efforts == (None,):
            return float("nan"), float("nan")
        rows = slice(1 if self.settings.num_resamples else 0, None)
        chosen = self.bootstrap.chosen(cell, clock, epsilon, quantile, None)[rows]
        times = self.bootstrap.curve(cell, clock, epsilon, quantile, choosing=True).upper[rows]
        known = np.isfinite(times).any(axis=1)
        chosen = chosen[known] if known.any() else chosen
        return float((chosen == 0).mean()), float((chosen == len(cell.efforts) - 1).mean())

    def questions(self) -> Iterator[tuple[Clock, float, float]]:
        for clock in self.settings.clocks:
            for epsilon in self.settings.epsilons:
                for quantile in self.settings.quantiles:
                    yield clock, epsilon, quantile

    def times(self) -> Iterator[TimeRow]:
        """Make the rows of times to solution."""
        for label, cells in self.cells.items():
            for policy in self.policies(label):
                for cell in cells:
                    for clock, epsilon, quantile in self.questions():
                        if clock in cell.times:
                            yield self._time(cell, policy, clock, epsilon, quantile)

    def _time(self, cell: Cell, policy: Policy, clock: Clock, epsilon: float, quantile: float) -> TimeRow:
        fixed = self.number(cell, policy)
        number = int(self.bootstrap.chosen(cell, clock, epsilon, quantile, fixed)[0])
        edges, flattery = (float("nan"), float("nan")), 1.0
        if policy == "optimised":
            edges = self.edge_shares(cell, clock, epsilon, quantile)
            place = (cell.group, cell.label, cell.size, clock, epsilon, quantile)
            if self.settings.choose == "all":
                flattery = optimism(
                    cell.successes[epsilon],
                    cell.reads,
                    cell.times[clock],
                    quantile,
                    self.settings.rng("optimism", *place),
                    target=self.settings.target,
                )
        return TimeRow(
            group=cell.group,
            contestant=cell.label,
            size=cell.size,
            num_variables=cell.num_variables,
            clock=clock,
            policy=policy,
            epsilon=epsilon,
            quantile=quantile,
            effort=cell.efforts[number],
            time=self.bootstrap.times(cell, clock, epsilon, quantile, fixed).interval(),
            lower_edge=edges[0],
            upper_edge=edges[1],
            optimism=flattery,
            num_instances=len(cell.instances),
            num_unsolved=int((cell.successes[epsilon][:, number] == 0).sum()),
            num_reads=int(cell.reads[:, number].sum()),
            simulated=self.rows[cell.label].simulated,
        )

    def efforts(self) -> Iterator[EffortRow]:
        """Make the rows of medians against effort."""
        middle = min(self.settings.quantiles, key=lambda q: abs(q - 0.5))
        for cell in (cell for cells in self.cells.values() for cell in cells):
            for epsilon in self.settings.epsilons:
                success = [self._success(cell, epsilon, number) for number in range(len(cell.efforts))]
                for clock in cell.times:
                    curve = self.bootstrap.curve(cell, clock, epsilon, middle)
                    for number, effort in enumerate(cell.efforts):
                        yield EffortRow(
                            group=cell.group,
                            contestant=cell.label,
                            size=cell.size,
                            num_variables=cell.num_variables,
                            clock=clock,
                            epsilon=epsilon,
                            quantile=middle,
                            effort=effort,
                            time=Times(curve.upper[:, number], curve.lower[:, number]).interval(),
                            success=success[number],
                            time_per_read=float(cell.times[clock][:, number].mean()),
                            num_instances=len(cell.instances),
                            num_unsolved=int((cell.successes[epsilon][:, number] == 0).sum()),
                            num_reads=int(cell.reads[:, number].sum()),
                            simulated=self.rows[cell.label].simulated,
                        )

    def _success(self, cell: Cell, epsilon: float, number: int) -> Interval:
        reads = np.maximum(cell.reads[:, number], 1)
        share = cell.successes[epsilon][:, number] / reads
        rng = self.settings.rng("success", cell.group, cell.label, cell.size, epsilon, number)
        found = mean_interval(share, np.sqrt(share * (1 - share) / reads), self.bootstrap.picks(cell), rng)
        return found.map(lambda value: min(1.0, max(0.0, value)))

    def splits(self) -> Iterator[SplitRow]:
        """Make the rows of where time goes."""
        for cell in (cell for cells in self.cells.values() for cell in cells):
            for effort in cell.efforts:
                pooled = [self.collected.reads[cell.label, key, effort] for key in cell.instances]
                reads = sum(of.num_reads for of in pooled)
                totals = [sum(parts) / max(reads, 1) for parts in zip(*(of.timing for of in pooled), strict=True)]
                yield SplitRow(
                    group=cell.group,
                    contestant=cell.label,
                    size=cell.size,
                    num_variables=cell.num_variables,
                    effort=effort,
                    split=TimeSplit(*totals),
                    num_cores=max(of.num_cores for of in pooled),
                    num_reads=reads,
                    simulated=self.rows[cell.label].simulated,
                )

    def joules(self) -> Iterator[JouleRow]:
        """Make the rows of electrical energy, of contestants with a stated power."""
        for label, cells in self.cells.items():
            power = self.rows[label].power_w
            if not power:
                continue
            for cell in cells:
                for quantile in self.settings.quantiles if "wall" in cell.times and 0.0 in cell.successes else ():
                    time = self.bootstrap.times(cell, "wall", 0.0, quantile, None).interval()
                    yield JouleRow(
                        group=cell.group,
                        contestant=label,
                        size=cell.size,
                        num_variables=cell.num_variables,
                        quantile=quantile,
                        power_w=power,
                        joules=energy_per_solution(time, power),
                        simulated=self.rows[label].simulated,
                    )

    def pairs(self) -> list[tuple[str, str]]:
        """Return pairs (reference, contestant) by label; a processor is never the reference of what is none."""
        found = []
        for one, other in combinations(sorted(self.cells), 2):
            first_is_quantum, second_is_quantum = (
                self.rows[label].hardware.get("kind") == "qpu" for label in (one, other)
            )
            found.append((other, one) if first_is_quantum and not second_is_quantum else (one, other))
        return found

    def comparable(self, reference: str, contestant: str, clock: Clock) -> bool:
        names = self.rows[reference].effort_name, self.rows[contestant].effort_name
        return clock != "effort" or names[0] == names[1]

    def _shared(self, reference: str, contestant: str) -> Iterator[tuple[Cell, Cell]]:
        """Yield both contestants' cells by size, of the instances that both ran."""
        others = {cell.size: cell for cell in self.cells[contestant]}
        for cell in self.cells[reference]:
            if (other := others.get(cell.size)) is None:
                continue
            if both := [key for key in cell.instances if key in other.instances]:
                yield (cell, other) if cell.instances == other.instances else (cell.only(both), other.only(both))

    def speedups(self) -> Iterator[SpeedupRow]:
        """Make the rows of ratios."""
        for reference, contestant in self.pairs():
            simulated = self.rows[reference].simulated or self.rows[contestant].simulated
            for one, other in self._shared(reference, contestant):
                for policy in self.policies(contestant):
                    for clock, epsilon, quantile in self.questions():
                        if not (clock in one.times and clock in other.times):
                            continue
                        if not self.comparable(reference, contestant, clock):
                            continue
                        question = clock, epsilon, quantile
                        chosen = (
                            self.bootstrap.chosen(one, *question, None),
                            self.bootstrap.chosen(other, *question, self.number(other, policy)),
                        )
                        quantiles = (
                            self.bootstrap.times(one, *question, None),
                            self.bootstrap.times(other, *question, self.number(other, policy)),
                        )
                        each = (
                            self.bootstrap.each(one, clock, epsilon, chosen[0]),
                            self.bootstrap.each(other, clock, epsilon, chosen[1]),
                        )
                        edges = [
                            cell.label
                            for cell in (one, other)
                            if (cell is one or policy == "optimised") and self.edge_shares(cell, *question)[0] >= EDGE
                        ]
                        for kind, found in (
                            ("ratio of quantiles", ratio_of_quantiles(*quantiles)),
                            ("quantile of ratios", quantile_of_ratios(*each, quantile)),
                        ):
                            yield SpeedupRow(
                                group=one.group,
                                reference=reference,
                                contestant=contestant,
                                size=one.size,
                                num_variables=one.num_variables,
                                clock=clock,
                                policy=policy,
                                epsilon=epsilon,
                                quantile=quantile,
                                kind=kind,  # type: ignore[arg-type]
                                ratio=found.ratio,
                                bound=found.bound,
                                num_instances=len(one.instances),
                                at_lower_edge=tuple(edges),
                                simulated=simulated,
                            )
