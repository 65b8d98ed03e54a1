"""What a long run of sweeps shows on its way, and how it is stopped: one place for all samplers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias, final

from annealnn._parallel import Watch
from annealnn._progress import late_progress_bar
from annealnn._validation import check_choice
from annealnn.samplers._compiled import Step
from annealnn.typing import AnyArray, Spins

# called as progress(done, total), in sweeps times reads
Progress: TypeAlias = Literal["auto"] | bool | Callable[[int, int], object]
Interrupt: TypeAlias = Callable[[], bool]


def _check_callable(name: str, value: Any) -> None:
    if value is not None and not callable(value):
        msg = f"{name} is None or a callable of no arguments; got {value!r}"
        raise TypeError(msg)


def kept_reads(done: AnyArray, num_sweeps: int) -> AnyArray:
    """Return which reads come back after an interrupt, by the sweeps that each made, (num_reads,): a mask.

    Those that are finished; if there are none, those that were begun; if there are none of these either, all.
    """
    finished: AnyArray = done == num_sweeps
    begun: AnyArray = done > 0
    if finished.any():
        return finished
    return begun if begun.any() else ~begun


@final
class RunControl:
    """The keywords `progress` and `interrupt_function` of a sampler, checked.

    Parameters
    ----------
    progress : "auto", bool or callable
        "auto" shows a bar on terminals and in notebooks once the run has lasted a second. A callable is called as
        `progress(done, total)`, in sweeps times reads, about ten times a second and at the end.
    interrupt_function : callable, optional
        Asked about ten times a second; True ends the run. What it raises is raised.

    Raises
    ------
    ValueError
        If `progress` is something else.
    TypeError
        If `interrupt_function` cannot be called.
    """

    def __init__(self, progress: Progress = "auto", interrupt_function: Interrupt | None = None) -> None:
        if not callable(progress):
            check_choice("progress, where it is no callable of (done, total),", progress, ["auto", True, False])
        _check_callable("interrupt_function", interrupt_function)
        self._progress, self._interrupt_function = progress, interrupt_function

    @contextmanager
    def watch(self, title: str, total: int) -> Iterator[Watch]:
        """Give a watch for `run_blocks`, over `total` sweeps times reads. Call it with 1.0 when all is done."""
        report = self._progress if callable(self._progress) else None
        wanted = False if callable(self._progress) else self._progress
        with late_progress_bar(title, wanted=wanted) as show:

            def look(fraction: float) -> bool:
                show(fraction)
                if report is not None:
                    report(round(fraction * total), total)
                # the end has come: nobody is asked whether to stop
                return fraction < 1 and self._interrupt_function is not None and bool(self._interrupt_function())

            yield look

    def run(
        self, title: str, sweeps: Callable[[Watch], Step], *, num_reads: int, num_sweeps: int
    ) -> tuple[Spins, dict[str, Any]]:
        """Return (spins, what to add to `info`) of a step whose `info` has `sweeps_done` (num_reads,) and `stopped`.

        After an interrupt the reads that are finished are returned. If there are none: those that were begun, as they
        stand; `info["num_sweeps"]` is then the least that any of them made. If there are none of these either, every
        read as it began, with `num_sweeps` 0.
        """
        with self.watch(title, num_reads * num_sweeps) as watch:
            step = sweeps(watch)
            stopped, done = bool(step.info["stopped"]), step.info["sweeps_done"]
            if not stopped:
                watch(1.0)
        spins = step.state.spins if step.spins is None else step.spins
        if not stopped:
            return spins, {"interrupted": False}
        kept = kept_reads(done, num_sweeps)
        return spins[kept], {"interrupted": True, "num_sweeps": int(done[kept].min())}
