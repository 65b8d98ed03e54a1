"""How long a run still takes, by what its like took."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, final

from annealnn.benchmark._task import Record, Task


@final
class Forecast:
    """Seconds that tasks need, from those that are done.

    A contestant's seconds are taken as proportional to reads, effort and the instance's size. Its first task, in which
    it is opened and compiled, counts only while it is the only one. A contestant of which nothing is known needs, for
    each task, the mean of all that are known. So the forecast begins as a guess and gets better.

    Parameters
    ----------
    pending : iterable of Task
    known : iterable of Record
        Of an earlier part of the run.
    """

    def __init__(self, pending: Iterable[Task], known: Iterable[Record] = ()) -> None:
        self._pending = {task.key: task for task in pending}
        self._left: defaultdict[str, _Sum] = defaultdict(_Sum)
        for task in self._pending.values():
            self._count(task, 1)
        self._first: dict[str, _Sum] = {}
        self._known: dict[str, _Sum] = {}
        for record in known:
            self._learn(record)

    def done(self, record: Record) -> None:
        """Take a record of a pending task into account."""
        self._learn(record)
        self._count(self._pending.pop(record.key), -1)

    @property
    def left_s(self) -> float:
        """Seconds of work that are left, for one worker; infinite while nothing is known."""
        if not self._pending:
            return 0.0
        rates = {**self._first, **self._known}
        if not rates:
            return float("inf")
        mean = sum(rate.seconds for rate in rates.values()) / sum(rate.number for rate in rates.values())
        return sum(
            rates[group].seconds / rates[group].work * max(0.0, left.work) if group in rates else mean * left.number
            for group, left in self._left.items()
        )

    def _count(self, task: Task, number: int) -> None:
        group = _group(task)
        self._left[group] = self._left[group].plus(number, number * _work(task))

    def _learn(self, record: Record) -> None:
        group = _group(record.task)
        sums = self._known if group in self._first else self._first
        sums[group] = sums.get(group, _Sum()).plus(1, _work(record.task), record.wall_s)


class _Sum(NamedTuple):
    """Of several tasks."""

    number: int = 0
    work: float = 0.0
    seconds: float = 0.0

    def plus(self, number: int, work: float, seconds: float = 0.0) -> "_Sum":
        """Return the sum with more of them in it."""
        return _Sum(self.number + number, self.work + work, self.seconds + seconds)


def _group(task: Task) -> str:
    return f"{task.kind} {task.contestant.key if task.contestant else ''}"


def _work(task: Task) -> float:
    return task.num_reads * (task.effort or 1.0) * task.instance.size
