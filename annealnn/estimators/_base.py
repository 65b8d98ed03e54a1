"""What the Boltzmann machines share: data in, the training loop, checkpoints."""

import hashlib
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from annealnn._rng import child_seed
from annealnn.estimators._machine import HELD_OUT
from annealnn.estimators._parameters import check_parameters, check_penalty, describe_sampler
from annealnn.estimators._scoring import ScoringMachine
from annealnn.estimators._snapshot import Snapshot, callbacks_of
from annealnn.estimators._units import Units
from annealnn.learning import (
    CheckpointPolicy,
    Descent,
    EarlyStopping,
    Estimate,
    History,
    Learner,
    LearnerState,
    Progress,
    Rows,
    checkpoint,
    descend,
    effective_particles,
)
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.typing import AnyArray, Floats

# runs and steps of annealed importance sampling for a held-out likelihood during training
_QUICK = 100, 500
_FEWEST_TO_SPLIT = 4


class BoltzmannEstimator(ScoringMachine):
    """Abstract: a machine that learns by the training loop."""

    _learner: Learner
    _save_every_s = 10.0

    # -- what a machine says of itself ---------------------------------------------------------------------------

    @abstractmethod
    def _graph_of(self, num_visible: int) -> Structure:
        """Return the graph over all units."""

    @abstractmethod
    def _open(self, descent: Descent, *, has_missing: bool) -> Learner:
        """Return the learner over `structure_`, its sampler opened."""

    @abstractmethod
    def _num_reads(self) -> int:
        """Return the number of reads (or particles) of one step."""

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

    def _penalty(self, name: str) -> Any:
        among, hidden = check_penalty(name, getattr(self, name, 0.0))
        if among == hidden:
            return among
        return np.where(self.structure_.edges[:, 1] < self._units.num_units, among, hidden)

    def _observe(self, state: LearnerState, shown: Progress) -> dict[str, float]:
        """Return what to add to the history of an epoch."""
        return {}

    def _logical(self, parameters: Parameters) -> Parameters:
        """Return parameters over the units for parameters that were learned."""
        return parameters

    def _model_of(self, parameters: Parameters) -> Any:
        """Return what `model_` is at parameters over the units."""
        return IsingModel.from_parameters(self.structure_, parameters)

    def _about(self) -> dict[str, Any]:
        """Return what a checkpoint keeps beside the state."""
        return {}

    # -- fitting -------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit to rows of bits, and to their labels if given.

        Parameters
        ----------
        X : (num_rows, n_features)
            Bits; any numbers if `binarize` is a threshold.
        y : (num_rows,), optional
            Labels. Each class becomes a visible unit: 1 in rows of that class, 0 in others.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is empty, has NaN or infinity, or (with binarize=None) a value other than 0 and 1; if y does not
            match; if a constructor argument breaks its rule.
        UnknownSamplerError
            If the sampler's name is not known.
        CheckpointError
            If `resume` is set and the checkpoint belongs to another job.
        """
        before = dict(self.__dict__)
        try:
            return self._fit(X, y)
        except BaseException:
            # a refused or interrupted fit leaves the machine as it was
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
            title=type(self).__name__,
            progress=self.progress,
        )
        self.history_, self.monitored_ = history.steps, history.monitored
        learned = state.best or state.average or state.parameters
        return state._replace(parameters=learned, units=None, best=None, average=None)

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None) -> Self:
        """Make one step at the constant `learning_rate` towards these rows.

        Parameters
        ----------
        X : (num_rows, n_features)
        y : (num_rows,), optional
        classes : (n_classes,), optional
            All labels, at the first call, if `y` may lack some.

        Returns
        -------
        self
        """
        first = not hasattr(self, "_state")
        if first:
            rows, _ = self._start(X, y, classes=classes)
            self._state, self.history_, self.monitored_ = self._first_state(rows), {}, []
        else:
            check_parameters(self)
            bits, known = self._validated(X, reset=False)
            rows = self._units.join(bits, y, known)
            if not hasattr(self, "_learner") or rows.known is not None:
                self._learner = self._open(self._descent(), has_missing=rows.known is not None)
        learner, before = self._learner, self._state._replace(units=self._learner.first_units(rows))
        state, shown = learner.step(before, rows, None, 0, float(self.learning_rate))
        state = state._replace(iteration=state.iteration + 1, units=None)
        entry = {
            "iteration": state.iteration,
            "field_error": shown.field_error,
            "coupling_error": shown.coupling_error,
            "gradient_norm": shown.gradient_norm,
        }
        for name, value in (entry | self._observe(before, shown)).items():
            self.history_.setdefault(name, []).append(value)
        self._data_means = self._means_of(rows)
        self._finish(state)
        return self

    def _start(self, X: Any, y: Any, classes: Any) -> tuple[Rows, AnyArray | None]:
        check_parameters(self)
        if y is None:
            (bits, known), labels = self._validated(X, reset=True), None
        else:
            X, labels = validate_data(
                self, X, y, dtype=np.float64, multi_output=False, ensure_all_finite=self._finiteness()
            )
            bits, known = self._to_bits(X)
        units = Units.of(self.n_features_in_, labels, classes)
        rows = units.join(bits, labels, known)
        self._units = units
        if units.classes is not None:
            self.classes_ = units.classes
        elif hasattr(self, "classes_"):
            del self.classes_
        self.structure_ = self._graph_of(units.num_units)
        self._seed = self._seed_to_use()
        self._learner = self._open(self._descent(), has_missing=rows.known is not None)
        return rows, labels

    def _first_state(self, rows: Rows) -> LearnerState:
        return self._learner.init(rows, weight_scale=float(getattr(self, "weight_scale", 0.0)))

    def _seed_to_use(self) -> int:
        """Return the seed of a job that is resumed, else a new one from `random_state`."""
        if self.checkpoint is not None and self.resume and (Path(self.checkpoint) / "checkpoint.json").exists():
            about = checkpoint.read_record(Path(self.checkpoint)).get("about")
            if isinstance(about, dict) and isinstance(about.get("seed"), int):
                return int(about["seed"])
        return int(check_random_state(self.random_state).randint(2**31 - 1))

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

        def score(parameters: Parameters) -> Estimate:
            return self._mean_log_likelihood(self._logical(parameters), held_out, _QUICK)

        return EarlyStopping(score=score, patience=self.n_iter_no_change, tolerance=float(self.tol))

    def _means_of(self, rows: Rows) -> Floats:
        """Return means of all units for likelihoods to start from: those of the rows, and 0 for hidden units."""
        seen = rows.spins.mean(axis=0) if rows.known is None else self._learner.visible_means(rows)
        return np.concatenate([seen, np.zeros(self.structure_.num_variables - len(seen))])

    def _monitor(
        self, before: LearnerState, shown: Progress, after: LearnerState, history: History
    ) -> dict[str, float]:
        compiled = self._learner.compiled
        reads = [compiled.reads(state.sampler) for state in (before, after)]
        row = {"effective_particles": effective_particles(compiled.structure, after.parameters, *reads)}
        if callbacks := callbacks_of(self.callbacks):
            snapshot = Snapshot(
                iteration=after.iteration,
                n_iter=self.n_iter,
                model=self._model_of(self._logical(after.parameters)),
                history=history.steps,
                monitored=history.monitored,
            )
            for callback in callbacks:
                row |= {name: float(value) for name, value in (callback(snapshot) or {}).items()}
        return row

    def _checkpoint_policy(self, rows: Rows, *, held_out: bool) -> CheckpointPolicy | None:
        if self.checkpoint is None:
            return None
        digest = hashlib.sha256(repr(rows.spins.shape).encode() + rows.spins.tobytes())
        if rows.known is not None:
            digest.update(rows.known.tobytes())
        without = _NOT_OF_THE_JOB - ({"monitor_every"} if held_out else set())
        options = {name: value for name, value in self.get_params(deep=False).items() if name not in without}
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
        about = {"seed": self._seed, **self._about()}
        return CheckpointPolicy(
            folder=Path(self.checkpoint),
            identity=identity,
            about=about,
            every_s=self._save_every_s,
            resume=bool(self.resume),
        )

    def _finish(self, state: LearnerState) -> None:
        self._state = state
        self._estimates: dict[tuple[str, str], Estimate] = {}
        self.n_iter_ = state.iteration
        self._parameters = self._logical(state.parameters)
        self.model_ = self._model_of(self._parameters)

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
