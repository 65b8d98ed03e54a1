"""The training loop: epochs, history, callbacks, early stopping, checkpoints, progress, interruption."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np
from threadpoolctl import threadpool_limits

from annealnn._log import logger
from annealnn._progress import Wanted, progress_bar
from annealnn.exceptions import CheckpointError, GraphChangedError, StopTraining
from annealnn.learning import checkpoint as checkpoints
from annealnn.learning._descent import Descent
from annealnn.learning._learner import LearnerState, Progress, Rows
from annealnn.learning.likelihood import Estimate
from annealnn.models import Parameters, Structure
from annealnn.samplers import CompiledSampler
from annealnn.typing import Spins

# working graphs of a processor in a row, no epoch between them
_MOST_CHANGES = 3

# a correlation over fewer says nothing
_FEWEST_PARTICLES = 10

Observe = Callable[[LearnerState, Progress], dict[str, float]]
# told of the state before and after an epoch, what its last step showed, and the history so far
Monitor = Callable[[LearnerState, Progress, LearnerState, "History"], dict[str, float]]


@final
@dataclass(slots=True)
class History:
    """What training showed: a list for each quantity, one entry an epoch; and rows of what was measured now and then.

    `ended` says why training ended before its last epoch.
    """

    steps: dict[str, list[float]] = field(default_factory=dict)
    monitored: list[dict[str, float]] = field(default_factory=list)
    ended: str | None = None

    def add(self, **values: float) -> None:
        """Append one epoch."""
        for name, value in values.items():
            self.steps.setdefault(name, []).append(value)

    def upto(self, iteration: int) -> "History":
        """Return what there was after so many epochs."""
        steps = {name: values[:iteration] for name, values in self.steps.items()}
        later = any(len(values) > iteration for values in self.steps.values())
        monitored = [row for row in self.monitored if row["iteration"] <= iteration]
        return History(steps, monitored, None if later else self.ended)

    @classmethod
    def read(cls, record: dict[str, Any], iteration: int) -> "History | None":
        """Return the history in a checkpoint's record; None if it is none of so many epochs."""
        steps, monitored, ended = (record.get(name) for name in ("steps", "monitored", "ended"))
        if not isinstance(steps, dict) or not isinstance(monitored, list) or not isinstance(ended, str | None):
            return None
        lists = [steps.get("iteration", []), *steps.values()]
        if any(not isinstance(values, list) or len(values) != iteration for values in lists):
            return None
        if any(not isinstance(row, dict) or "iteration" not in row for row in monitored):
            return None
        return cls(steps, monitored, ended)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """Ends training when the held-out log-likelihood has not risen `patience` times in a row.

    Parameters
    ----------
    score : callable, Parameters -> Estimate
        Mean log-likelihood of rows that training does not see.
    patience : int
        Times it is measured.
    tolerance : float
        A rise by less is none, nats.
    """

    score: Callable[[Parameters], Estimate]
    patience: int
    tolerance: float = 0.0

    def look(self, state: LearnerState, history: History) -> tuple[LearnerState, dict[str, float], str | None]:
        """Return the state with its best parameters, what to record, and why to end, if so."""
        estimate = self.score(state.parameters)
        row = {"held_out": estimate.value, "held_out_error": estimate.standard_error}
        before = [old["held_out"] for old in history.monitored if "held_out" in old]
        best = -np.inf
        since = 0
        for value in [*before, estimate.value]:
            since += 1
            if value > best + self.tolerance:
                best, since = value, 0
        if since == 0:
            state = state._replace(best=state.parameters)
        if since < self.patience:
            return state, row, None
        return state, row, f"the held-out log-likelihood has not risen {since} times in a row, from {best:.3f} nats"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPolicy:
    """Where and how often to save.

    `identity` says what a checkpoint belongs to (data, configuration) and must agree on resuming; what `about` returns
    is kept beside it (the seed that was drawn, the embedding). `sizes` are the numbers of fields and of couplings that
    are learned, where they are not those of the sampler's graph. `carry` makes of a state on a checkpoint's graph one
    on the graph at hand, where these may differ by more than their order.
    """

    folder: Path
    identity: dict[str, Any]
    about: Callable[[], dict[str, Any]] = dict
    every_s: float = 10.0
    resume: bool = False
    sizes: tuple[int, int] | None = None
    carry: Callable[[LearnerState, Structure], LearnerState] | None = None

    def load(self, structure: Structure) -> tuple[LearnerState, History] | None:
        """Return where to go on from: None if not resuming, or nothing was saved yet.

        Raises
        ------
        CheckpointError
            If what was saved belongs to another job.
        """
        if not self.resume:
            return None
        if not (self.folder / "checkpoint.json").exists():
            logger.warning("nothing to resume in %s: starting at iteration 0", self.folder)
            return None
        state, record = checkpoints.load(self.folder, None if self.carry else structure, self.sizes)
        identity, history = record.get("identity"), History.read(record, state.iteration)
        if not isinstance(identity, dict) or history is None:
            msg = (
                f"a checkpoint's history has one entry an epoch, {state.iteration}; {self.folder} is damaged. "
                "Start again"
            )
            raise CheckpointError(msg)
        for name, wanted in self.identity.items():
            if identity.get(name) != wanted:
                found = identity.get(name)
                msg = (
                    f"a checkpoint goes on with the job it was made for; {self.folder} has {name}={found!r}, "
                    f"this job {wanted!r}. Use the same options, or start again without resuming"
                )
                raise CheckpointError(msg)
        if self.carry:
            state = self.carry(state, checkpoints.structure_of(self.folder))
        logger.info("resuming from %s at iteration %d", self.folder, state.iteration)
        return state, history

    def save(self, state: LearnerState, structure: Structure, history: History) -> None:
        """Write where the job stands."""
        record = {
            "identity": self.identity,
            "about": self.about(),
            "steps": history.steps,
            "monitored": history.monitored,
            "ended": history.ended,
        }
        checkpoints.save(self.folder, state, structure, record)


class EpochLearner(Protocol):
    """What the loop runs."""

    @property
    def descent(self) -> Descent:
        """How many epochs."""

    @property
    def compiled(self) -> CompiledSampler:
        """The sampler of the negative phase; checkpoints carry its graph."""

    def epoch(self, state: LearnerState, rows: Rows) -> tuple[LearnerState, Progress]:
        """Return the state after one pass over the rows, and what its last step showed."""


# given the error and the state before the epoch: a learner on the graph as it is now, and the state on it
Recover = Callable[[GraphChangedError, LearnerState], tuple[EpochLearner, LearnerState]]


def descend(
    learner: EpochLearner,
    rows: Rows,
    *,
    start: Callable[[], LearnerState],
    observe: Observe,
    monitor: Monitor | None = None,
    monitor_every: int = 50,
    early_stopping: EarlyStopping | None = None,
    checkpoint: CheckpointPolicy | None = None,
    recover: Recover | None = None,
    title: str = "training",
    progress: Wanted = "auto",
) -> tuple[LearnerState, History]:
    """Run the descent to its last epoch; on an interrupt or a fault, save the last whole epoch and raise.

    A monitor ends training by raising `StopTraining`. With `recover`, an epoch that finds the working graph changed is
    made again on the graph as it is now.
    """
    num_epochs, changes = learner.descent.num_epochs, 0
    resumed = checkpoint.load(learner.compiled.structure) if checkpoint else None
    state, history = resumed or (start(), History())
    saved_at = time.monotonic()
    try:
        # matrices are small: the threads of BLAS would wait for each other longer than they work
        with (
            threadpool_limits(1, "blas"),
            progress_bar(title, num_epochs, done=state.iteration, wanted=progress) as advance,
        ):
            while state.iteration < num_epochs and history.ended is None:
                try:
                    after, shown = learner.epoch(state, rows)
                except GraphChangedError as error:
                    changes += 1
                    if recover is None or changes > _MOST_CHANGES:
                        raise
                    learner, state = recover(error, state)
                    continue
                changes = 0
                entry = shown.entry(after.iteration) | observe(state, shown)
                row, ended = None, None
                if after.iteration % monitor_every == 0 or after.iteration == num_epochs:
                    after, row, ended = _measure(state, shown, after, history, monitor, early_stopping)
                # from here to the end of the loop nothing takes long: an interrupt finds a whole epoch
                history.add(**entry)
                history.monitored += [row] if row else []
                history.ended = ended
                state = after
                advance(_note(entry, history))
                if checkpoint and time.monotonic() - saved_at > checkpoint.every_s:
                    checkpoint.save(state, learner.compiled.structure, history)
                    saved_at = time.monotonic()
    except BaseException:
        if checkpoint:
            # the fault may have fallen between the lines that end an epoch
            checkpoint.save(state, learner.compiled.structure, history.upto(state.iteration))
            logger.warning("stopped at iteration %d; saved to %s", state.iteration, checkpoint.folder)
        raise
    if history.ended:
        logger.info("training ended at iteration %d: %s", state.iteration, history.ended)
    if checkpoint:
        checkpoint.save(state, learner.compiled.structure, history)
    return state, history


def _measure(
    before: LearnerState,
    shown: Progress,
    after: LearnerState,
    history: History,
    monitor: Monitor | None,
    early_stopping: EarlyStopping | None,
) -> tuple[LearnerState, dict[str, float] | None, str | None]:
    """Return the state, what was measured (None if nothing is), and why to end, if so."""
    if monitor is None and early_stopping is None:
        return after, None, None
    row: dict[str, float] = {"iteration": after.iteration}
    ended: str | None = None
    if early_stopping is not None:
        after, held_out, ended = early_stopping.look(after, history)
        row |= held_out
    if monitor is not None:
        try:
            row |= monitor(before, shown, after, history)
        except StopTraining as stop:
            row |= stop.row
            ended = str(stop)
    return after, row, ended


def effective_particles(structure: Structure, parameters: Parameters, before: Spins, after: Spins) -> float:
    """Return how many independent reads the particles after an epoch are worth, given those before it.

    n (1 - rho) / (1 + rho), rho the correlation over particles of their energies before and after: the effective sample
    size of a first-order autoregressive series (Sokal 1997), one epoch a step.
    """
    if len(before) != len(after) or len(before) < _FEWEST_PARTICLES:
        return float(len(after))
    pairs = [structure.energies(parameters, spins) for spins in (before, after)]
    if min(float(np.ptp(energies)) for energies in pairs) == 0.0:
        return 0.0 if np.array_equal(before, after) else float(len(after))
    a, b = ((energies - energies.mean()) / energies.std() for energies in pairs)
    rho = max(0.0, float((a * b).mean()))
    return len(after) * (1.0 - rho) / (1.0 + rho)


def _note(entry: dict[str, float], history: History) -> str:
    """Return what the progress bar says beside the count."""
    parts = [f"moment error {entry['coupling_error']:.3f}", f"gradient {entry['gradient_norm']:.2g}"]
    measured = history.monitored[-1] if history.monitored else {}
    if "effective_particles" in measured:
        parts.append(f"ESS {measured['effective_particles']:.0f}")
    if "effective_beta" in entry:
        parts.append(f"beta {entry['effective_beta']:.3g}")
    if "held_out" in measured:
        parts.append(f"held-out {measured['held_out']:.2f} nats")
    return ", ".join(parts)
