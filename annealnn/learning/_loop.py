"""The training loop: steps, history, checkpoints, progress, interruption."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from annealnn._log import logger
from annealnn._progress import Wanted, progress_bar
from annealnn.exceptions import CheckpointError
from annealnn.learning._checkpoint import load_checkpoint, save_checkpoint
from annealnn.learning._moment_matching import LearnerState, MomentMatching, Progress
from annealnn.models import Moments
from annealnn.samplers import CompiledSampler

Observe = Callable[[LearnerState, Progress], dict[str, float]]
Monitor = Callable[[LearnerState], dict[str, float]]


@final
@dataclass(slots=True)
class History:
    """What training showed: a list for each quantity, with one entry a step; and rows of what a monitor returned."""

    steps: dict[str, list[float]] = field(default_factory=dict)
    monitored: list[dict[str, float]] = field(default_factory=list)

    def add(self, **values: float) -> None:
        """Append one step."""
        for name, value in values.items():
            self.steps.setdefault(name, []).append(value)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPolicy:
    """Where and how often to save.

    `identity` says what a checkpoint belongs to (data, configuration) and must agree on resuming; `about` is kept
    beside it (the seed that was drawn, the embedding).
    """

    folder: Path
    identity: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)
    every_s: float = 10.0
    resume: bool = False

    def load(self, compiled: CompiledSampler) -> tuple[LearnerState, History] | None:
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
        state, record = load_checkpoint(self.folder, compiled.structure)
        identity: Any = record.get("identity")
        steps: Any = record.get("steps")
        monitored: Any = record.get("monitored")
        whole = isinstance(identity, dict) and isinstance(steps, dict) and isinstance(monitored, list)
        if not whole or any(len(values) != state.iteration for values in steps.values()):
            msg = (
                f"a checkpoint's history has one entry a step, {state.iteration}; {self.folder} is damaged. Start again"
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
        logger.info("resuming from %s at iteration %d", self.folder, state.iteration)
        return state, History(steps, monitored)

    def save(self, state: LearnerState, compiled: CompiledSampler, history: History) -> None:
        """Write where the job stands."""
        record = {
            "identity": self.identity,
            "about": self.about,
            "steps": history.steps,
            "monitored": history.monitored,
        }
        save_checkpoint(self.folder, state, compiled.structure, record)


def descend(
    config: MomentMatching,
    compiled: CompiledSampler,
    data: Moments,
    *,
    start: Callable[[], LearnerState],
    observe: Observe,
    monitor: Monitor | None = None,
    monitor_every: int = 50,
    checkpoint: CheckpointPolicy | None = None,
    title: str = "training",
    progress: Wanted = "auto",
) -> tuple[LearnerState, History]:
    """Run the descent to its last iteration; on an interrupt or a fault, save the last whole step and raise."""
    resumed = checkpoint.load(compiled) if checkpoint else None
    state, history = resumed or (start(), History())
    saved_at = time.monotonic()
    try:
        with progress_bar(title, config.num_iterations, done=state.iteration, wanted=progress) as advance:
            while state.iteration < config.num_iterations:
                after, shown = config.step(state, data, compiled)
                entry = {
                    "iteration": after.iteration,
                    "field_error": shown.field_error,
                    "coupling_error": shown.coupling_error,
                    **observe(state, shown),
                }
                row = None
                if monitor and (after.iteration % monitor_every == 0 or after.iteration == config.num_iterations):
                    row = {"iteration": after.iteration, **monitor(after)}
                # from here to the end of the loop nothing takes long: an interrupt finds a whole step
                history.add(**entry)
                history.monitored += [row] if row else []
                state = after
                advance(f"moment error {shown.coupling_error:.3f}")
                if checkpoint and time.monotonic() - saved_at > checkpoint.every_s:
                    checkpoint.save(state, compiled, history)
                    saved_at = time.monotonic()
    except BaseException:
        if checkpoint:
            _save_whole_step(checkpoint, state, compiled, history)
        raise
    if checkpoint:
        checkpoint.save(state, compiled, history)
    return state, history


def _save_whole_step(
    checkpoint: CheckpointPolicy, state: LearnerState, compiled: CompiledSampler, history: History
) -> None:
    """Save after an interrupt or a fault, which may have fallen between the lines that end a step."""
    steps = {name: values[: state.iteration] for name, values in history.steps.items()}
    monitored = [row for row in history.monitored if row["iteration"] <= state.iteration]
    checkpoint.save(state, compiled, History(steps, monitored))
    logger.warning("stopped at iteration %d; saved to %s", state.iteration, checkpoint.folder)
