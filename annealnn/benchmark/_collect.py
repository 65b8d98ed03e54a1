"""Records sorted for statistics: optima, reads pooled by contestant, instance and effort, and what went wrong."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from annealnn.benchmark._analysis import ContestantRow, ContradictionRow, FailureRow, OptimumRow
from annealnn.benchmark._contestant import ContestantSpec, TimeSplit
from annealnn.benchmark._instance import InstanceSpec, Optimum
from annealnn.benchmark._results import RANKS
from annealnn.benchmark._task import Record, Task
from annealnn.typing import Floats, Indices

#: where an instance's reads are found: contestant's label, instance's key, effort
Place = tuple[str, str, float | None]


class Reads(NamedTuple):
    """All reads of one contestant on one instance at one effort, several runs pooled."""

    energies: Floats  #: (num_levels,), ascending
    counts: Indices  #: (num_levels,)
    timing: TimeSplit  #: of all of them
    num_cores: int
    num_reads: int
    records: tuple[Record, ...]  #: that are done


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Collected:
    """Records sorted."""

    contestants: tuple[ContestantRow, ...]
    instances: dict[str, InstanceSpec]  #: by key
    num_variables: dict[str, int]  #: by an instance's key; absent if no record says
    optima: dict[str, Optimum]  #: by an instance's key
    reads: dict[Place, Reads]  #: failed ones have no reads
    measures: frozenset[str]  #: names of all that any record holds
    trainings: tuple[tuple[str, Record], ...]  #: label and record
    failures: tuple[FailureRow, ...]
    contradictions: tuple[ContradictionRow, ...]
    notes: tuple[str, ...]

    def members(self, group: str, size: int) -> list[str]:
        """Return the keys of a group's instances of one size, by seed."""
        chosen = [key for key, spec in self.instances.items() if (spec.group, spec.size) == (group, size)]
        return sorted(chosen, key=lambda key: (self.instances[key].seed, key))

    def optimum_rows(self) -> tuple[OptimumRow, ...]:
        """Return a row for each instance whose lowest energy is known or agreed on."""
        rows = []
        for key, optimum in self.optima.items():
            spec = self.instances[key]
            rows.append(
                OptimumRow(
                    instance=spec,
                    group=spec.group,
                    size=spec.size,
                    num_variables=self.num_variables.get(key, 0),
                    energy=optimum.energy,
                    proof=optimum.proof,
                    solvers=optimum.solvers,
                )
            )
        return tuple(sorted(rows, key=lambda row: (row.group, row.size, row.instance.seed)))


def collect(records: Iterable[Record]) -> Collected:
    """Sort records; of several of one task, the one counts that stands in a file of results, of alike ones the last."""
    chosen: dict[Task, Record] = {}
    for record in records:
        held = chosen.setdefault(record.task, record)
        if RANKS.index(record.status) <= RANKS.index(held.status):
            chosen[record.task] = record
    kept = list(chosen.values())
    # a key is a hash of a text: made once for each instance
    keys = {spec: spec.key for spec in dict.fromkeys(record.task.instance for record in kept)}
    instances = {key: spec for spec, key in keys.items()}
    labels, notes = _labels(kept)
    by_label: dict[str, list[Record]] = defaultdict(list)
    models: dict[str, set[str]] = defaultdict(set)
    num_variables = {}
    pooled: dict[Place, list[Record]] = defaultdict(list)
    certificates: dict[str, list[Optimum]] = defaultdict(list)
    trainings, failures = [], []
    for record in kept:
        task, key = record.task, keys[record.task.instance]
        label = labels[task.contestant] if task.contestant else ""
        if task.contestant is not None:
            by_label[label].append(record)
        if record.model:
            num_variables[key] = int(record.model["num_variables"])
            models[key].add(str(record.model.get("digest", "")))
        if record.status != "done":
            failures.append(_failure(record, label))
        elif task.kind == "train":
            trainings.append((label, record))
        elif task.kind == "certify" and record.measures.get("optimum") is not None:
            certificates[key].append(Optimum.from_dict(record.measures["optimum"]))
        if task.kind == "sample" and record.status != "refused":
            pooled[label, key, task.effort].append(record)
    contestants = tuple(_contestant(label, of) for label, of in by_label.items())
    notes += _notes_on_contestants(contestants, by_label)
    if several := [instances[key] for key, digests in models.items() if len(digests) > 1]:
        notes.append(
            f"{len(several)} of {len(instances)} instances stood for several problems in these records, {several[0]} "
            "first: recipes differ, and what is said of them mixes problems."
        )
    reads = {place: _pool(of) for place, of in pooled.items()}
    optima, contradictions = _find_optima(certificates, reads, instances)
    return Collected(
        contestants=contestants,
        instances=instances,
        num_variables=num_variables,
        optima=optima,
        reads=reads,
        measures=frozenset(name for of in reads.values() for record in of.records for name in record.measures),
        trainings=tuple(trainings),
        failures=tuple(failures),
        contradictions=tuple(contradictions),
        notes=tuple(notes),
    )


def _labels(records: Sequence[Record]) -> tuple[dict[ContestantSpec, str], list[str]]:
    """Return a label for each recipe: its own, with a piece of its key where two recipes share one."""
    keys: dict[str, dict[ContestantSpec, str]] = defaultdict(dict)
    for spec in dict.fromkeys(spec for record in records if (spec := record.task.contestant)):
        keys[spec.label][spec] = spec.key
    labels: dict[ContestantSpec, str] = {}
    notes = []
    for label, recipes in keys.items():
        alone = len(set(recipes.values())) == 1
        labels |= {spec: label if alone else f"{label} {key[:6]}" for spec, key in recipes.items()}
        if not alone:
            notes.append(f"Contestants of different settings are called {label!r}: their names here end in their keys.")
    return labels, notes


def _contestant(label: str, records: Sequence[Record]) -> ContestantRow:
    specs = [spec for record in records if (spec := record.task.contestant)]
    opened = [record for record in records if record.hardware]
    hardware = opened[-1].hardware if opened else {}
    stated = [spec.power_w for spec in specs if spec.power_w]
    return ContestantRow(
        label=label,
        name=specs[-1].name,
        settings=specs[-1].settings,
        versions=tuple(sorted({str(v) for r in records if (v := r.task.code.get("contestant"))})),
        hardware=hardware,
        effort_name=next((str(name) for r in records if (name := r.info.get("effort_name"))), "effort"),
        power_w=stated[-1] if stated else hardware.get("power_w"),
        simulated=any(record.simulated for record in records),
        num_tasks=len(records),
        num_done=sum(record.status == "done" for record in records),
    )


def _notes_on_contestants(contestants: Sequence[ContestantRow], records: dict[str, list[Record]]) -> list[str]:
    notes = []
    for row in contestants:
        if len(row.versions) > 1:
            notes.append(f"Records of {row.label} are of several versions: {', '.join(row.versions)}.")
        names = sorted({str(r.hardware["name"]) for r in records[row.label] if r.hardware})
        if len(names) > 1:
            notes.append(f"Records of {row.label} are of several machines: {', '.join(names)}. Their times are mixed.")
    return notes


def _failure(record: Record, label: str) -> FailureRow:
    return FailureRow(
        key=record.key,
        kind=record.task.kind,
        instance=record.task.instance,
        contestant=label,
        effort=record.task.effort,
        status=record.status,
        message=record.message,
    )


def _pool(records: Sequence[Record]) -> Reads:
    done = [record for record in records if record.status == "done"]
    levels: dict[float, int] = defaultdict(int)
    for record in done:
        for energy, count in record.energies:
            levels[energy] += count
    ordered = sorted(levels)
    timing = TimeSplit(*(sum(float(record.timing.get(part, 0.0)) for record in done) for part in TimeSplit._fields))
    return Reads(
        np.array(ordered, np.float64),
        np.array([levels[energy] for energy in ordered], np.intp),
        timing,
        max((int(record.hardware.get("num_cores", 1)) for record in done), default=1),
        sum(levels.values()),
        tuple(done),
    )


def _find_optima(
    told: dict[str, list[Optimum]], reads: dict[Place, Reads], instances: dict[str, InstanceSpec]
) -> tuple[dict[str, Optimum], list[ContradictionRow]]:
    """Return the lowest energy of each instance: certified, else the lowest of all; and reads below certificates."""
    lowest: dict[str, dict[str, float]] = defaultdict(dict)
    for (label, key, _), of in reads.items():
        if len(of.energies):
            lowest[key][label] = min(lowest[key].get(label, np.inf), float(of.energies[0]))
    optima, contradictions = {}, []
    for key in instances:
        certified = min((o for o in told[key] if o.certified), key=lambda o: o.energy, default=None)
        if certified is not None:
            below = {label: energy for label, energy in lowest[key].items() if _is_below(energy, certified)}
            if not below:
                optima[key] = certified
                continue
            contradictions += [
                ContradictionRow(
                    instance=instances[key],
                    contestant=label,
                    energy=energy,
                    certified_energy=certified.energy,
                    proof=certified.proof,
                )
                for label, energy in below.items()
            ]
        agreed = [o for o in told[key] if not o.certified]
        energies = [*lowest[key].values(), *(o.energy for o in agreed)]
        if energies:
            least = Optimum(energy=min(energies), proof="agreement", solvers=("reads",))
            solvers = {label for label, energy in lowest[key].items() if least.reached(energy)}
            solvers |= {name for o in agreed if least.reached(o.energy) for name in o.solvers}
            optima[key] = Optimum(energy=least.energy, proof="agreement", solvers=tuple(sorted(solvers)))
    return optima, contradictions


def _is_below(energy: float, optimum: Optimum) -> bool:
    """Whether an energy is below an optimum by more than rounding."""
    return not Optimum(energy=energy, proof=optimum.proof, solvers=optimum.solvers).reached(optimum.energy)
