"""Tables of what reads are: residual energies, overlaps, effective betas, sampling quality, valleys, training."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.stats import t as student

from annealnn.benchmark._analysis import (
    BetaRow,
    OverlapRow,
    QualityRow,
    ResidualFitRow,
    ResidualRow,
    TrainingRow,
    ValleyRow,
)
from annealnn.benchmark._cells import Cell, Settings
from annealnn.benchmark._collect import Collected, Reads
from annealnn.benchmark._instance import Instance, InstanceSpec
from annealnn.benchmark._task import Record
from annealnn.benchmark.statistics._bootstrap import percentile_interval, resample_instances
from annealnn.benchmark.statistics._interval import Interval
from annealnn.benchmark.statistics._means import mean_interval, resampled_means
from annealnn.benchmark.statistics._overlap import overlap_statistics
from annealnn.benchmark.statistics._quality import Quality, Target, sampling_quality, spins_of_indices
from annealnn.benchmark.statistics._residual import fit_kappa, residual_energy
from annealnn.benchmark.statistics._valleys import compare_valleys, richest
from annealnn.diagnostics import ValueWithError, effective_beta_by_moment
from annealnn.models import IsingModel
from annealnn.typing import Floats, Indices

Build = Callable[[InstanceSpec], Instance]


class ReadTables:
    """Makes the tables of reads of one contestant's cells.

    Parameters
    ----------
    collected : Collected
    settings : Settings
    build : (InstanceSpec) -> Instance
        For what needs the problem itself.
    """

    def __init__(self, collected: Collected, settings: Settings, build: Build) -> None:
        self.collected, self.settings, self.build = collected, settings, build
        self.notes: dict[str, None] = {}
        self._models: dict[str, IsingModel | None] = {}
        self._curves: dict[tuple[object, ...], dict[float | None, Floats]] = {}

    def _model(self, key: str) -> IsingModel | None:
        """Return an instance's problem, or None, with a note, if its recipe fails here."""
        if key not in self._models:
            spec = self.collected.instances[key]
            try:
                self._models[key] = self.build(spec).model
            except Exception as error:
                self._models[key] = None
                self.notes[f"Sampling quality leaves {spec.group} out, whose recipe failed: {error}"] = None
        return self._models[key]

    def _pooled(self, cell: Cell, effort: float | None) -> list[tuple[str, Reads]]:
        found = ((key, self.collected.reads[cell.label, key, effort]) for key in cell.instances)
        return [(key, of) for key, of in found if of.num_reads]

    def _residuals(self, cell: Cell) -> dict[float | None, Floats]:
        """Return mean residual energies by effort, (1 + num_resamples,) each."""
        place = cell.label, cell.group, cell.size
        if place not in self._curves:
            curves = self._curves[place] = {}
            for effort in cell.efforts:
                estimates = [
                    residual_energy(
                        of.energies, of.counts, self.collected.optima[key].energy, self.collected.num_variables[key]
                    )
                    for key, of in self._pooled(cell, effort)
                    if self.collected.num_variables.get(key)
                ]
                if estimates:
                    values, errors = np.array(estimates).T
                    rng = self.settings.rng("instances", cell.group, cell.size)
                    picks = resample_instances(len(values), self.settings.num_resamples, rng)
                    again = self.settings.rng("residual", *place, effort)
                    curves[effort] = resampled_means(values, errors, picks, again)
        return self._curves[place]

    def residuals(self, cell: Cell) -> Iterator[ResidualRow]:
        """Make the rows of residual energy."""
        for effort, means in self._residuals(cell).items():
            pooled = self._pooled(cell, effort)
            yield ResidualRow(
                group=cell.group,
                contestant=cell.label,
                size=cell.size,
                num_variables=cell.num_variables,
                effort=effort,
                residual=percentile_interval(means),
                num_instances=len(pooled),
                certified=all(self.collected.optima[key].certified for key, _ in pooled),
            )

    def residual_fits(self, cell: Cell) -> Iterator[ResidualFitRow]:
        """Make the row of kappa, where residual energies are above 0 at two efforts."""
        curves = {e: means for e, means in self._residuals(cell).items() if e is not None and e > 0 and means[0] > 0}
        if len(curves) < 2:
            return
        fit = fit_kappa(np.array(list(curves)), np.stack(list(curves.values()), axis=1))
        degrees = fit.degrees_of_freedom
        yield ResidualFitRow(
            group=cell.group,
            contestant=cell.label,
            size=cell.size,
            num_variables=cell.num_variables,
            kappa=fit.kappa,
            efforts=tuple(curves),
            misfit=fit.chi_square / degrees if degrees else float("nan"),
        )

    def overlaps(self, cell: Cell) -> Iterator[OverlapRow]:
        """Make the rows of overlaps."""
        for effort in cell.efforts if "overlaps" in self.collected.measures else ():
            told = [(of, _counted(of, "overlaps", "values")) for _, of in self._pooled(cell, effort)]
            given = [(of, *pair) for of, pair in told if pair[1].sum()]
            if not given:
                continue
            found = overlap_statistics(
                [values for _, values, _ in given],
                [counts for _, _, counts in given],
                [_measured(of, "overlaps")[0]["num_spins"] for of, _, _ in given],
                self.settings.rng("overlaps", cell.group, cell.label, cell.size, effort),
                num_resamples=self.settings.num_resamples,
            )
            yield OverlapRow(
                group=cell.group,
                contestant=cell.label,
                size=cell.size,
                num_variables=cell.num_variables,
                effort=effort,
                edges=found.edges,
                density=found.density,
                low=found.low,
                high=found.high,
                binder=found.binder,
                num_instances=len(given),
                num_pairs=int(sum(counts.sum() for _, _, counts in given)),
            )

    def betas(self, cell: Cell) -> Iterator[BetaRow]:
        """Make the rows of effective betas: the local one as measured, the global one where states were counted."""
        for effort in cell.efforts if self.collected.measures & {"states", "effective-beta"} else ():
            pooled = self._pooled(cell, effort)
            local = [value for _, of in pooled if (value := _local_beta(of)) is not None]
            overall = [value for key, of in pooled if (value := self._global_beta(key, of)) is not None]
            if local or overall:
                yield BetaRow(
                    group=cell.group,
                    contestant=cell.label,
                    size=cell.size,
                    num_variables=cell.num_variables,
                    effort=effort,
                    local=self._median(local, "local", cell, effort) if local else None,
                    overall=self._median(overall, "global", cell, effort) if overall else None,
                    num_instances=max(len(local), len(overall)),
                )

    def _median(self, betas: list[ValueWithError], name: str, cell: Cell, effort: float | None) -> Interval:
        """Return the median with its interval over instances, then reads."""
        values, errors = np.array([tuple(beta) for beta in betas]).T
        path = name, cell.group, cell.label, cell.size, effort
        picks = resample_instances(len(values), self.settings.num_resamples, self.settings.rng("instances", *path))
        noise = self.settings.rng("reads", *path).standard_normal(picks.shape) * np.nan_to_num(errors)[picks]
        noise[0] = 0.0
        # of infinities between which a median falls the lower end is told
        medians = np.quantile(values[picks] + noise, 0.5, axis=1, method="inverted_cdf")
        return percentile_interval(medians)

    def _global_beta(self, key: str, of: Reads) -> ValueWithError | None:
        states, counts = _counted(of, "states", "indices")
        model = self._model(key) if len(states) else None
        if model is None or not any(part.any() for part in model.parameters):
            return None
        spins = spins_of_indices(np.repeat(states, counts), model.structure.num_variables)
        return effective_beta_by_moment(model.structure, model.parameters, spins)

    def qualities(self, cell: Cell) -> Iterator[QualityRow]:
        """Make the rows of sampling quality, at the global and at the local effective beta."""
        for effort in cell.efforts if "states" in self.collected.measures else ():
            for matched, beta_of in (("global", self._global_beta), ("local", lambda _, of: _local_beta(of))):
                found: list[tuple[float, int, Quality]] = []
                for key, of in self._pooled(cell, effort):
                    states, counts = _counted(of, "states", "indices")
                    beta = beta_of(key, of) if len(states) else None
                    model = self._model(key) if len(states) else None
                    # an infinite beta has no distribution to compare with but that of the lowest states
                    if model is None or beta is None or not np.isfinite(beta.value):
                        continue
                    rng = self.settings.rng("quality", matched, cell.group, cell.label, effort, key)
                    found.append(
                        (
                            beta.value,
                            int(counts.sum()),
                            sampling_quality(Target(model, beta.value), states, counts, rng),
                        )
                    )
                if found:
                    yield self._quality(cell, effort, "global" if matched == "global" else "local", found)

    def _quality(
        self,
        cell: Cell,
        effort: float | None,
        matched: Literal["global", "local"],
        found: list[tuple[float, int, Quality]],
    ) -> QualityRow:
        path = cell.group, cell.label, cell.size, effort, matched
        picks = resample_instances(len(found), self.settings.num_resamples, self.settings.rng("instances", *path))
        floor = np.mean([quality.floor for _, _, quality in found], axis=0)

        def mean(column: int) -> Interval:
            values = [quality.distances[column] for _, _, quality in found]
            errors = [quality.errors[column] for _, _, quality in found]
            return mean_interval(np.array(values), np.array(errors), picks, self.settings.rng("reads", *path, column))

        kl, variation, worst_mean, worst_correlation = (mean(column) for column in range(4))
        return QualityRow(
            group=cell.group,
            contestant=cell.label,
            size=cell.size,
            num_variables=cell.num_variables,
            effort=effort,
            matched=matched,
            beta=float(np.median([beta for beta, _, _ in found])),
            num_reads=int(np.median([reads for _, reads, _ in found])),
            kl=kl,
            kl_corrected=kl.map(lambda value: value - float(floor[0])),
            kl_floor=float(floor[0]),
            total_variation=variation,
            total_variation_floor=float(floor[1]),
            worst_mean=worst_mean,
            worst_mean_floor=float(floor[2]),
            worst_correlation=worst_correlation,
            worst_correlation_floor=float(floor[3]),
            num_instances=len(found),
        )


def _measured(of: Reads, name: str) -> list[Mapping[str, Any]]:
    """Return what every run says of a measure; empty unless all of them do."""
    told = [record.measures.get(name) for record in of.records]
    return [measure for measure in told if measure] if all(told) else []


def _counted(of: Reads, name: str, values: str) -> tuple[Indices, Indices]:
    """Return values, ascending, and their counts over all runs of a measure that counts values."""
    counts: dict[int, int] = defaultdict(int)
    for measure in _measured(of, name):
        for value, count in zip(measure[values], measure["counts"], strict=True):
            counts[int(value)] += int(count)
    known = sorted(counts)
    return np.array(known, np.intp), np.array([counts[value] for value in known], np.intp)


def _local_beta(of: Reads) -> ValueWithError | None:
    """Return the local effective beta: of several runs, their mean by inverse variances; None if not measured."""
    told = [
        ValueWithError(
            float("inf") if measure["value"] is None else float(measure["value"]),
            float("nan") if measure["standard_error"] is None else float(measure["standard_error"]),
        )
        for measure in _measured(of, "effective-beta")
    ]
    if len(told) < 2:
        return told[0] if told else None
    known = [beta for beta in told if np.isfinite(beta.value) and beta.standard_error > 0]
    if not known:
        return told[0]
    weights = np.array([1 / beta.standard_error**2 for beta in known])
    value = float(weights @ [beta.value for beta in known] / weights.sum())
    return ValueWithError(value, float(weights.sum() ** -0.5))


def training_rows(collected: Collected) -> Iterator[TrainingRow]:
    """Make the rows of machines that learned, by instance, contestant, effort and number of reads."""
    several = defaultdict(list)
    for label, record in collected.trainings:
        several[label, record.task.instance.key, record.task.effort, record.measures["num_samples"]].append(record)
    for (label, _, _, _), records in several.items():
        yield _training(label, records)


def _training(label: str, records: Sequence[Record]) -> TrainingRow:
    task, learned = records[0].task, [record.measures for record in records]
    return TrainingRow(
        instance=task.instance,
        group=task.instance.group,
        contestant=label,
        effort=task.effort,
        log_likelihood=_mean_of_seeds(np.array([float(of["log_likelihood"]) for of in learned])),
        untrained=float(np.mean([of["untrained"] for of in learned])),
        exact=float(np.mean([of["exact"] for of in learned])),
        num_samples=int(learned[0]["num_samples"]),
        num_seeds=len(records),
    )


def _mean_of_seeds(values: Floats) -> Interval:
    """Return the mean and Student's interval; of one seed nothing is known of the spread."""
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Interval(mean, -np.inf, np.inf)
    half = float(student.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)


def valley_rows(collected: Collected, settings: Settings) -> Iterator[ValleyRow]:
    """Make the rows of valleys, of each contestant at the effort at which it finds most in equally many reads."""
    by_instance: dict[str, dict[str, dict[float | None, Reads]]] = defaultdict(lambda: defaultdict(dict))
    for (label, key, effort), of in collected.reads.items():
        if _measured(of, "valleys"):
            by_instance[key][label][effort] = of
    for key, contestants in by_instance.items():
        told = {label: {effort: _valleys(of) for effort, of in runs.items()} for label, runs in contestants.items()}
        least = min(reads for runs in told.values() for _, _, reads in runs.values())
        chosen: dict[str, float | None] = {}
        for label, runs in told.items():
            best = richest([(list(counts.values()), reads) for counts, _, reads in runs.values()], least)
            chosen[label] = list(runs)[best]
        counts = {label: told[label][effort][0] for label, effort in chosen.items()}
        reads = {label: told[label][effort][2] for label, effort in chosen.items()}
        compared = compare_valleys(counts, reads, settings.rng("valleys", key))
        spec = collected.instances[key]
        for label, effort in chosen.items():
            energies = told[label][effort][1]
            # of all that the others read at any effort
            elsewhere = {
                v for name, runs in told.items() if name != label for found, _, _ in runs.values() for v in found
            }
            yield ValleyRow(
                instance=spec,
                group=spec.group,
                size=spec.size,
                contestant=label,
                effort=effort,
                num_reads=min(reads.values()),
                found=compared[label].found,
                num_missed_by_others=compared[label].missed_by_others,
                num_missed=compared[label].missed,
                lowest=min(energies.values()),
                energies=tuple(sorted(energies.values())),
                unique_energies=tuple(sorted(e for v, e in energies.items() if v not in elsewhere)),
            )


def _valleys(of: Reads) -> tuple[dict[str, int], dict[str, float], int]:
    """Return reads and energies by valley, and the number of reads, over all runs."""
    counts: dict[str, int] = defaultdict(int)
    energies: dict[str, float] = {}
    reads = 0
    for measure in _measured(of, "valleys"):
        reads += int(measure["num_reads"])
        for valley in measure["valleys"]:
            counts[valley["key"]] += int(valley["count"])
            energies[valley["key"]] = float(valley["energy"])
    return dict(counts), energies, reads
