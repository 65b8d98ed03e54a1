"""What is to be run: every contestant at every effort on every instance, and certificates of the optima."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from annealnn._validation import check_count, check_number
from annealnn._version import __version__
from annealnn.benchmark._canonical import digest
from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._measures import check_measures
from annealnn.benchmark._task import Task
from annealnn.benchmark.contestants import contestant_version
from annealnn.benchmark.families._registry import check_options, find_family


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A contestant and how it takes part.

    Parameters
    ----------
    contestant : ContestantSpec
    efforts : tuple of float or None
        Those to try, in the contestant's unit; None leaves the choice to the contestant.
    num_reads : int, optional
        Of each run; that of the plan if None.

    Raises
    ------
    ValueError
        If there is no effort, one comes twice or is not above 0, or `num_reads` is not at least 1.
    """

    contestant: ContestantSpec
    efforts: tuple[float | None, ...] = (None,)
    num_reads: int | None = None

    def __post_init__(self) -> None:
        # as floats: 4 and 4.0 are one effort, and make one task
        efforts = [
            None if effort is None else check_number("an effort", effort, low=0.0, open_low=True)
            for effort in self.efforts
        ]
        object.__setattr__(self, "efforts", tuple(efforts))
        if not self.efforts or len(set(self.efforts)) < len(self.efforts):
            msg = f"efforts are one or more, each once; got {self.efforts!r} for {self.contestant.label!r}"
            raise ValueError(msg)
        if self.num_reads is not None:
            check_count("num_reads", self.num_reads)


def plan_tasks(
    instances: Sequence[InstanceSpec],
    entrants: Sequence[Entrant],
    *,
    num_reads: int,
    seed: int = 0,
    measures: Sequence[str] = (),
    certify: bool = True,
) -> list[Task]:
    """Return the tasks of a comparison in the order to run them.

    All tasks of an instance stand together, so that a run that is stopped has whole instances and a problem is built
    once. Its certificate comes first: a planting that is wrong shows before hours of reads are spent on it. Then its
    contestants and efforts in the order of their seeds, which is random and the same each time: a machine that drifts
    slows no contestant more than another.

    A task's seed follows from `seed`, the instance, the contestant and the effort alone: one more instance, contestant
    or effort leaves the other tasks, and so their records, as they were.

    Parameters
    ----------
    instances : sequence of InstanceSpec
        In the order to run them; one that comes twice counts once.
    entrants : sequence of Entrant
    num_reads : int
        Of each run, where the entrant has no number of its own.
    seed : int
        Of the comparison.
    measures : sequence of str
        What is kept of the reads beside their energies; see `measure_names`.
    certify : bool
        Whether to prove the optima.

    Raises
    ------
    UnknownFamilyError, UnknownContestantError
        If a name is not known.
    MissingDependencyError
        If a contestant's library is not installed.
    ValueError
        If a measure or an option of a family is not known, a number breaks its rule, two contestants have one label, or
        one has two.
    """
    check_count("num_reads", num_reads)
    check_count("seed", seed, minimum=0)
    check_measures(measures)
    _check_labels(entrants)
    families = {name: find_family(name).version for name in dict.fromkeys(spec.family for spec in instances)}
    for spec in instances:
        check_options(spec)
    contestants = {e.contestant.key: contestant_version(e.contestant) for e in entrants}

    def runs_of(instance: InstanceSpec) -> Iterator[Task]:
        for entrant in entrants:
            for effort in entrant.efforts:
                yield Task(
                    instance=instance,
                    contestant=entrant.contestant,
                    effort=effort,
                    num_reads=entrant.num_reads or num_reads,
                    seed=_seed(seed, instance, entrant.contestant, effort),
                    measures=tuple(measures),
                    code={"family": families[instance.family], "contestant": contestants[entrant.contestant.key]},
                )

    tasks: list[Task] = []
    for instance in {spec.key: spec for spec in instances}.values():
        if certify:
            code = {"family": families[instance.family], "annealnn": __version__}
            tasks.append(Task(kind="certify", instance=instance, code=code))
        tasks += sorted(runs_of(instance), key=lambda task: task.seed)
    return list({task.key: task for task in tasks}.values())


def _check_labels(entrants: Sequence[Entrant]) -> None:
    keys: dict[str, str] = {}
    labels: dict[str, str] = {}
    for each in (entrant.contestant for entrant in entrants):
        if keys.setdefault(each.label, each.key) != each.key:
            msg = f"labels tell contestants apart; got two with {each.label!r}. Give one of them another label"
            raise ValueError(msg)
        if labels.setdefault(each.key, each.label) != each.label:
            msg = (
                f"contestants of the same settings are one; got {labels[each.key]!r} and {each.label!r}. Leave one out"
            )
            raise ValueError(msg)


def _seed(seed: int, instance: InstanceSpec, contestant: ContestantSpec, effort: float | None) -> int:
    """Return 31 bits: what every sampler takes as a seed."""
    return int(digest([seed, instance.key, contestant.key, effort])[:8], 16) >> 1
