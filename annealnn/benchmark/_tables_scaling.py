"""Tables of how times grow with size."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from annealnn.benchmark._analysis import Clock, Policy, RelativeScalingRow, ScalingRow
from annealnn.benchmark._cells import Cell
from annealnn.benchmark._tables import EDGE, TimeTables
from annealnn.benchmark.statistics._bootstrap import percentile_interval
from annealnn.benchmark.statistics._scaling import FORMS, ScalingFit, fit_scaling, usable_sizes
from annealnn.typing import Floats

#: clock, policy, epsilon, quantile
Question = tuple[Clock, Policy, float, float]


class _Curve(NamedTuple):
    """A contestant's times over its sizes."""

    sizes: tuple[int, ...]
    num_variables: Floats  #: (num_sizes,)
    times: Floats  #: (1 + num_resamples, num_sizes)
    at_edge: frozenset[int]  #: sizes whose best effort may lie below the shortest
    usable: frozenset[int]


class Curves:
    """Curves of one group and their fits, each made once: every pair of contestants asks for the same ones."""

    def __init__(self, tables: TimeTables) -> None:
        self.tables = tables
        self._made: dict[tuple[str, Question], _Curve] = {}
        self._fits: dict[tuple[str, Question, frozenset[int], bool], dict[str, ScalingFit]] = {}

    def curve(self, label: str, question: Question) -> _Curve:
        """Return a contestant's curve."""
        place = label, question
        if place not in self._made:
            self._made[place] = _curve(self.tables, self.tables.cells[label], question)
        return self._made[place]

    def fits(
        self, label: str, question: Question, sizes: frozenset[int], *, of_one_variable: bool = False
    ) -> dict[str, ScalingFit]:
        """Return the fits of all forms over some sizes; none if these are fewer than two numbers of variables."""
        place = label, question, sizes, of_one_variable
        if place not in self._fits:
            curve = self.curve(label, question)
            if of_one_variable:
                curve = _as_of_one_variable(self.tables, label, question[0], curve)
            self._fits[place] = _fits(curve, sizes)
        return self._fits[place]


def _curve(tables: TimeTables, cells: Sequence[Cell], question: Question) -> _Curve:
    clock, policy, epsilon, quantile = question
    given = [cell for cell in cells if clock in cell.times]
    times = [
        tables.bootstrap.times(cell, clock, epsilon, quantile, tables.number(cell, policy)).upper for cell in given
    ]
    edge = [policy == "optimised" and tables.edge_shares(cell, clock, epsilon, quantile)[0] >= EDGE for cell in given]
    columns = np.stack(times, axis=1) if times else np.empty((1, 0))
    return _Curve(
        tuple(cell.size for cell in given),
        np.array([cell.num_variables for cell in given]),
        columns,
        frozenset(cell.size for cell, at_edge in zip(given, edge, strict=True) if at_edge),
        frozenset(cell.size for cell, usable in zip(given, usable_sizes(columns), strict=True) if usable),
    )


def _fits(curve: _Curve, sizes: frozenset[int]) -> dict[str, ScalingFit]:
    taken = [k for k, size in enumerate(curve.sizes) if size in sizes]
    if len(np.unique(curve.num_variables[taken])) < 2:
        return {}
    return {form: fit_scaling(curve.num_variables[taken], curve.times[:, taken], form=form) for form in FORMS}


def _as_of_one_variable(tables: TimeTables, label: str, clock: Clock, curve: _Curve) -> _Curve:
    """Return a curve of anneals with a processor's times multiplied by N: it runs all its variables at once.

    A rival with N cores would gain as much: no scaling is better for that (Ronnow et al. 2014, arXiv 1401.2910).
    """
    hardware = tables.rows[label].hardware
    is_done = tables.settings.parallel and hardware.get("num_qubits")
    if hardware.get("kind") != "qpu" or clock != "annealing" or is_done:
        return curve
    return curve._replace(times=curve.times * curve.num_variables)


def _questions(tables: TimeTables, label: str) -> Iterator[Question]:
    for policy in tables.policies(label):
        for clock, epsilon, quantile in tables.questions():
            yield clock, policy, epsilon, quantile


def scalings(curves: Curves) -> Iterator[ScalingRow]:
    """Make the rows of fits: sizes at the lower edge are left out where two others remain."""
    tables = curves.tables
    for label, cells in tables.cells.items():
        for question in _questions(tables, label):
            curve = curves.curve(label, question)
            inside = curve.usable - curve.at_edge
            fitted = inside if len(inside) >= 2 else curve.usable
            fits = curves.fits(label, question, fitted)
            best = min((fit.chi_square for fit in fits.values()), default=0.0)
            clock, policy, epsilon, quantile = question
            for form in FORMS if fits else ():
                fit = fits[form]
                degrees = fit.degrees_of_freedom
                yield ScalingRow(
                    group=cells[0].group,
                    contestant=label,
                    clock=clock,
                    policy=policy,
                    epsilon=epsilon,
                    quantile=quantile,
                    form=form,
                    exponent=fit.exponent,
                    prefactor=fit.prefactor,
                    excess=fit.chi_square - best,
                    misfit=fit.chi_square / degrees if degrees else float("nan"),
                    sizes=tuple(size for size in curve.sizes if size in fitted),
                    left_out=tuple(cell.size for cell in cells if cell.size not in fitted),
                    at_lower_edge=tuple(size for size in curve.sizes if size in fitted & curve.at_edge),
                    simulated=tables.rows[label].simulated,
                )


def relative_scalings(curves: Curves) -> Iterator[RelativeScalingRow]:
    """Make the rows of differences of exponents: over the sizes that both have, resampled together.

    Of anneals, those of a processor are multiplied by N.
    """
    tables = curves.tables
    for reference, contestant in tables.pairs():
        for clock, policy, epsilon, quantile in _questions(tables, contestant):
            if not tables.comparable(reference, contestant, clock):
                continue
            asked: tuple[tuple[str, Question], ...] = (
                (reference, (clock, "optimised", epsilon, quantile)),
                (contestant, (clock, policy, epsilon, quantile)),
            )
            one, other = (curves.curve(*each) for each in asked)
            usable = one.usable & other.usable
            inside = usable - one.at_edge - other.at_edge
            sizes = inside if len(inside) >= 2 else usable
            fits = [curves.fits(*each, sizes, of_one_variable=True) for each in asked]
            for form in FORMS if all(fits) else ():
                slopes = [of[form].exponents for of in fits]
                yield RelativeScalingRow(
                    group=tables.cells[reference][0].group,
                    reference=reference,
                    contestant=contestant,
                    clock=clock,
                    policy=policy,
                    epsilon=epsilon,
                    quantile=quantile,
                    form=form,
                    difference=percentile_interval(slopes[0] - slopes[1]),
                    sizes=tuple(size for size in one.sizes if size in sizes),
                    at_lower_edge=tuple(
                        label for label, curve in ((reference, one), (contestant, other)) if sizes & curve.at_edge
                    ),
                    simulated=tables.rows[reference].simulated or tables.rows[contestant].simulated,
                )
