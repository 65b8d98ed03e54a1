"""What all machines share that learn by the training loop: the fit, its seed, its held-out rows, its checkpoints."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from annealnn._rng import child_seed
from annealnn.estimators._machine import HELD_OUT
from annealnn.estimators._parameters import describe_sampler
from annealnn.estimators._snapshot import Snapshot, callbacks_of, measured_by
from annealnn.learning import (
    CheckpointPolicy,
    Descent,
    EarlyStopping,
    Estimate,
    History,
    LearnerState,
    Progress,
    Recover,
    Rows,
    checkpoint,
    descend,
)
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.typing import AnyArray, Floats

# runs and steps of annealed importance sampling for a held-out likelihood during training
QUICK = 100, 500
_FEWEST_TO_SPLIT = 4


class TrainedMachine(BaseEstimator, ABC):
    """Abstract: an estimator that learns by the training loop."""

    _learner: Any
    _seed: int
    _save_every_s = 10.0
    # of machines that live on a processor's graph: how they go on when it changes, at work and between two runs
    _recover: Recover | None = None
    _carry: Callable[[LearnerState, Structure], LearnerState] | None = None

    @abstractmethod
    def _start(self, X: Any, y: Any, classes: Any) -> tuple[Rows, AnyArray | None]:
        """Check arguments and data, open `_learner`, and return the rows and their labels."""

    @abstractmethod
    def _first_state(self, rows: Rows) -> LearnerState:
        """Return the state before the first step."""

    @abstractmethod
    def _means_of(self, rows: Rows) -> Floats:
        """Return means for likelihoods to start from."""

    @abstractmethod
    def _held_out_score(self, parameters: Parameters, rows: Rows) -> Estimate:
        """Return the mean log-likelihood of rows that training does not see."""

    @abstractmethod
    def _monitor(
        self, before: LearnerState, shown: Progress, after: LearnerState, history: History
    ) -> dict[str, float]:
        """Measure, and call the callbacks."""

    @abstractmethod
    def _finish(self, state: LearnerState) -> None:
        """Set what a fitted machine has."""

    @abstractmethod
    def _num_reads(self) -> int:
        """Return the number of reads (or particles) of one step."""

    def _observe(self, state: LearnerState, shown: Progress) -> dict[str, float]:
        """Return what to add to the history of an epoch."""
        return {}

    def _about(self) -> dict[str, Any]:
        """Return what a checkpoint keeps beside the state."""
        return {}

    def _descent(self) -> Descent:
        return Descent(
            learning_rate=self.learning_rate,
            num_epochs=self.n_iter,
            schedule=getattr(self, "schedule", "linear"),
            momentum=self.momentum,
            average=getattr(self, "average", 0.0),
            weight_decay=self._penalty("weight_decay"),
            l1=self._penalty("l1"),
            centering=getattr(self, "centering", False),
        )

    def _take_up_descent(self) -> None:
        """Let the learner step as the arguments say by now: `set_params` may have changed them."""
        descent = self._learner.descent
        self._learner.descent = replace(self._descent(), bounds=descent.bounds, held=descent.held)

    def _penalty(self, name: str) -> Any:
        """Return a penalty on the couplings: one number, or one for each."""
        return getattr(self, name, 0.0)

    def _sizes(self) -> tuple[int, int] | None:
        """Return the numbers of fields and couplings that are learned, where they are not those of the graph."""
        return None

    # -- fitting -------------------------------------------------------------------------------------------------

    def _fit_or_leave(self, X: Any, y: Any) -> Self:
        """Fit; a refused or interrupted fit leaves the machine as it was."""
        before = dict(self.__dict__)
        try:
            return self._fit(X, y)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X: Any, y: Any) -> Self:
        rows, labels = self._start(X, y, classes=None)
        train, held_out = self._split(rows, labels)
        self._data_means = self._means_of(train)
        self._finish(self._train(train, held_out))
        return self

    def _train(self, rows: Rows, held_out: Rows | None) -> LearnerState:
        """Return the state at the end of training; set `history_` and `monitored_`."""
        state, history = descend(
            self._learner,
            rows,
            start=lambda: self._first_state(rows),
            observe=self._observe,
            monitor=self._monitor,
            monitor_every=self.monitor_every,
            early_stopping=self._early_stopping(held_out),
            checkpoint=self._checkpoint_policy(rows, held_out=held_out is not None),
            recover=self._recover,
            title=type(self).__name__,
            progress=self.progress,
        )
        self.history_, self.monitored_ = history.steps, history.monitored
        learned = state.best or state.average or state.parameters
        return state._replace(parameters=learned, units=None, best=None, average=None)

    def _seed_to_use(self) -> int:
        """Return the seed of a job that is resumed, else a new one from `random_state`."""
        if (folder := self._resumed_from()) is not None:
            about = checkpoint.read_record(folder).get("about")
            if isinstance(about, dict) and isinstance(about.get("seed"), int):
                return int(about["seed"])
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _resumed_from(self) -> Path | None:
        """Return the folder of the checkpoint that is resumed, if one is."""
        if self.checkpoint is None or not self.resume or not (Path(self.checkpoint) / "checkpoint.json").exists():
            return None
        return Path(self.checkpoint)

    def _split(self, rows: Rows, labels: AnyArray | None) -> tuple[Rows, Rows | None]:
        """Return the rows to train on, and those held out if training stops early."""
        if not getattr(self, "early_stopping", False):
            return rows, None
        # a likelihood is of whole rows
        whole = np.ones(len(rows.spins), bool) if rows.known is None else rows.known.all(axis=1)
        number = np.flatnonzero(whole)
        if len(number) < _FEWEST_TO_SPLIT:
            msg = (
                f"early stopping holds out some of at least {_FEWEST_TO_SPLIT} rows without missing values; "
                f"got {len(number)}"
            )
            raise ValueError(msg)
        seed = child_seed(self._seed, HELD_OUT) % 2**31
        try:
            _, held_out = train_test_split(
                number,
                test_size=self.validation_fraction,
                random_state=seed,
                stratify=None if labels is None else labels[number],
            )
        except ValueError:  # a class with too few rows to be in both parts
            _, held_out = train_test_split(number, test_size=self.validation_fraction, random_state=seed)
        train = np.setdiff1d(np.arange(len(rows.spins)), held_out)
        return rows.some(train), rows.some(np.sort(held_out))

    def _early_stopping(self, held_out: Rows | None) -> EarlyStopping | None:
        if held_out is None:
            return None
        return EarlyStopping(
            score=lambda parameters: self._held_out_score(parameters, held_out),
            patience=self.n_iter_no_change,
            tolerance=float(self.tol),
        )

    def _called_back(self, after: LearnerState, history: History, model: IsingModel) -> dict[str, float]:
        """Return what the callbacks return."""
        snapshot = Snapshot(
            iteration=after.iteration,
            n_iter=self.n_iter,
            model=model,
            history=history.steps,
            monitored=history.monitored,
        )
        row: dict[str, float] = {}
        for callback in callbacks_of(self.callbacks):
            row |= measured_by(callback, snapshot)
        return row

    def _checkpoint_policy(self, rows: Rows, *, held_out: bool) -> CheckpointPolicy | None:
        if self.checkpoint is None:
            return None
        digest = hashlib.sha256(repr(rows.spins.shape).encode() + rows.spins.tobytes())
        if rows.known is not None:
            digest.update(rows.known.tobytes())
        without = _NOT_OF_THE_JOB - ({"monitor_every"} if held_out else set())
        options = {
            name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
            for name, value in self.get_params(deep=False).items()
            if name not in without
        }
        plain = {
            name: value for name, value in options.items() if isinstance(value, str | int | float | tuple | list | None)
        }
        identity = {
            "machine": type(self).__name__,
            "data": digest.hexdigest(),
            "configuration": repr(replace(self._learner.descent, weight_decay=0.0, l1=0.0)),
            "num_reads": self._num_reads(),
            "sampler": describe_sampler(getattr(self, "sampler", None)),
            "options": repr(sorted(plain.items())),
        }
        return CheckpointPolicy(
            folder=Path(self.checkpoint),
            identity=identity,
            about=lambda: {"seed": self._seed, **self._about()},
            every_s=self._save_every_s,
            resume=bool(self.resume),
            sizes=self._sizes(),
            carry=self._carry,
        )

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # an open sampler may own a client and its threads: it is opened again when it is needed
        state.pop("_learner", None)
        return state


# constructor arguments that do not shape what is learned; and the graph, which a checkpoint carries, order and all
_NOT_OF_THE_JOB = {
    "callbacks",
    "checkpoint",
    "graph",
    "monitor_every",
    "n_ais_runs",
    "n_ais_steps",
    "progress",
    "resume",
}
