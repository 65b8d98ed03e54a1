"""What the Boltzmann machines share: data in, the training loop, checkpoints."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import validate_data

from annealnn._rng import child_seed
from annealnn.estimators._machine import TRAINING
from annealnn.estimators._parameters import check_parameters, check_penalty
from annealnn.estimators._scoring import ScoringMachine
from annealnn.estimators._training import QUICK, TrainedMachine
from annealnn.estimators._units import Units
from annealnn.exceptions import GraphChangedError
from annealnn.learning import (
    Descent,
    Estimate,
    History,
    Learner,
    LearnerState,
    Progress,
    Rows,
    effective_particles,
)
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.typing import AnyArray, Floats


class BoltzmannEstimator(TrainedMachine, ScoringMachine):
    """Abstract: a machine of bits that learns by the training loop."""

    _learner: Learner

    # -- what a machine says of itself ---------------------------------------------------------------------------

    @abstractmethod
    def _graph_of(self, num_visible: int) -> Structure:
        """Return the graph over all units."""

    @abstractmethod
    def _open(self, descent: Descent, *, has_missing: bool) -> Learner:
        """Return the learner over `structure_`, its sampler opened."""

    def _penalty(self, name: str) -> Any:
        among, hidden = check_penalty(name, getattr(self, name, 0.0))
        if among == hidden:
            return among
        return np.where(self.structure_.edges[:, 1] < self._units.num_units, among, hidden)

    def _logical(self, parameters: Parameters) -> Parameters:
        """Return parameters over the units for parameters that were learned."""
        return parameters

    def _model_of(self, parameters: Parameters) -> Any:
        """Return what `model_` is at parameters over the units."""
        return IsingModel.from_parameters(self.structure_, parameters)

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
        return self._fit_or_leave(X, y)

    def _held_out_score(self, parameters: Parameters, rows: Rows) -> Estimate:
        return self._mean_log_likelihood(self._logical(parameters), rows, QUICK)

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
            self._take_up_descent()
        learner, before = self._learner, self._state._replace(units=self._learner.first_units(rows))
        rate = float(self.learning_rate)
        try:
            state, shown = learner.step(before, rows, None, 0, rate)
        except GraphChangedError as error:
            if self._recover is None:
                raise
            _, before = self._recover(error, before)
            state, shown = self._learner.step(before, rows, None, 0, rate)
        state = state._replace(iteration=state.iteration + 1, units=None)
        for name, value in (shown.entry(state.iteration) | self._observe(before, shown)).items():
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

    def _set_fitted(self, num_features: int, parameters: Parameters, classes: Any = None) -> None:
        """Make this a fitted machine of these parameters on its own graph."""
        check_parameters(self)
        self.n_features_in_ = num_features
        self._units = Units.of(num_features, None, classes)
        if classes is not None:
            self.classes_ = np.asarray(self._units.classes)
        self.structure_ = self._graph_of(self._units.num_units)
        self._seed = self._seed_to_use()
        self._learner = self._open(self._descent(), has_missing=False)
        self._data_means = np.zeros(self.structure_.num_variables)
        particles = self._learner.compiled.init(self._num_reads(), child_seed(self._seed, TRAINING))
        self.history_, self.monitored_ = {}, []
        self._finish(LearnerState(0, parameters, self.structure_.zeros(), particles))

    def _first_state(self, rows: Rows) -> LearnerState:
        return self._learner.init(rows, weight_scale=float(getattr(self, "weight_scale", 0.0)))

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
        return row | self._called_back(after, history, self._model_of(self._logical(after.parameters)))

    def _finish(self, state: LearnerState) -> None:
        self._state = state
        self._estimates: dict[tuple[str, str], Estimate] = {}
        self.n_iter_ = state.iteration
        self._parameters = self._logical(state.parameters)
        self.model_ = self._model_of(self._parameters)
