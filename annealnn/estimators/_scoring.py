"""Likelihoods and predictions of a fitted machine."""

from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.utils.validation import check_is_fitted

from annealnn._rng import child_seed
from annealnn.estimators._machine import LIKELIHOOD
from annealnn.estimators._reading import ReadingMachine
from annealnn.learning import Estimate, Rows, log_partition
from annealnn.learning.likelihood import RowEstimates, log_likelihood
from annealnn.models import Clamp, Parameters, bits_to_spins
from annealnn.typing import AnyArray, Bits, Floats, Spins

# rows times settings of class units whose free energies are held at a time
_MOST_STACKED = 1 << 16
# reads for each row where class probabilities are counted
_VOTES = 200
# ln Z where it is the same for all that is compared
_ANY_Z = Estimate(0.0, 0.0, "")


class ScoringMachine(ReadingMachine):
    """Abstract: `score_samples`, `score`, `log_likelihood`, `predict`, `predict_proba`."""

    def _likelihood_parameters(self) -> Parameters:
        """Return parameters at beta = 1 of the distribution that `score_samples` is about."""
        return self._parameters

    def _log_partition_of(self, parameters: Parameters, effort: tuple[int, int] | None = None) -> Estimate:
        """Return ln Z; `effort` is (runs, steps) of annealed importance sampling, the machine's own if None."""
        num_runs, num_steps = effort or (self.n_ais_runs, self.n_ais_steps)
        return log_partition(
            self.structure_,
            parameters,
            num_runs=num_runs,
            num_steps=num_steps,
            start_means=self._data_means,
            seed=child_seed(self._seed, LIKELIHOOD),
        )

    def _rows_given(self, parameters: Parameters, rows: Spins, log_z: Estimate) -> RowEstimates:
        """Return ln P of rows of visible units (num_rows, num_visible)."""
        seed = child_seed(self._seed, LIKELIHOOD, 1)
        return log_likelihood(self.structure_, parameters, rows, log_z=log_z, seed=seed)

    def _stacks_classes(self) -> bool:
        """Return whether class units enter other than by an energy that is quadratic in them."""
        return self.structure_.num_variables > self._units.num_units

    # -- likelihoods ---------------------------------------------------------------------------------------------

    @property
    def log_partition_(self) -> Estimate:
        """The ln Z of the distribution that `score_samples` is about, with its standard error and method."""
        check_is_fitted(self)
        effort = self.n_ais_runs, self.n_ais_steps, getattr(self, "num_slices", None)
        return self._estimate(f"log_partition {effort}", self._estimate_log_partition)

    def _estimate_log_partition(self) -> Estimate:
        return self._log_partition_of(self._likelihood_parameters())

    def _mean_log_likelihood(self, parameters: Parameters, rows: Rows, effort: tuple[int, int]) -> Estimate:
        """Return the mean of ln P over rows of visible units, with its own ln Z."""
        return self._rows_given(parameters, rows.spins, self._log_partition_of(parameters, effort)).mean()

    def score_samples(self, X: Any, y: Any = None) -> Floats:
        """Return the log-likelihood of every row, nats, (num_rows,).

        Parameters
        ----------
        X : (num_rows, n_features)
        y : (num_rows,), optional
            With labels: ln P(x, y) of all visible units. Without: ln P(x), class units summed over.

        Notes
        -----
        `log_likelihood` gives their mean with its standard error, most of which is common to all rows: that of
        `log_partition_`.
        """
        return self._row_estimates(X, y).values

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of the rows, nats: the mean of `score_samples`."""
        return float(self.score_samples(X, y).mean())

    def log_likelihood(self, X: Any, y: Any = None) -> Estimate:
        """Return the mean log-likelihood of the rows, nats, with its standard error and method.

        The error is that of these rows' values, not of how rows vary among themselves. Parameters are those of
        `score_samples`.
        """
        value, error, method = self._row_estimates(X, y).mean()
        return Estimate(value, error, f"{'marginal' if y is None else 'joint'}; {method}")

    def _row_estimates(self, X: Any, y: Any) -> RowEstimates:
        check_is_fitted(self)
        bits, known = self._validated(X, reset=False)
        if known is not None:
            row = int(np.flatnonzero(~known.all(axis=1))[0])
            msg = f"a log-likelihood is of whole rows; row {row} has missing values. Fill them in with reconstruct"
            raise ValueError(msg)
        parameters, log_z = self._likelihood_parameters(), self.log_partition_
        if y is not None or self._units.classes is None:
            return self._rows_given(parameters, self._units.join(bits, y).spins, log_z)
        joint = self._with_classes(parameters, bits, self._units.all_settings(), log_z)
        values = logsumexp(joint.values, axis=1)
        shares = np.exp(joint.values - values[:, None])
        errors = np.sqrt(((shares * joint.standard_errors) ** 2).sum(axis=1))
        return RowEstimates(np.asarray(values), errors, joint.common_error, joint.method)

    def _with_classes(self, parameters: Parameters, bits: Bits, settings: Spins, log_z: Estimate) -> RowEstimates:
        """Return ln P of every row with every setting of the class units; arrays (num_rows, num_settings)."""
        if not self._stacks_classes():
            absent = np.zeros((len(bits), self._units.num_classes), np.int8)
            alone = self.structure_.energies(parameters, np.hstack([bits_to_spins(bits), absent]))
            joint = self._units.class_energies(self.structure_, parameters, bits, settings)
            values = -(alone[:, None] + joint) - log_z.value
            return RowEstimates(values, np.zeros(values.shape), log_z.standard_error, log_z.method)
        parts = []
        size = max(1, _MOST_STACKED // len(settings))
        for start in range(0, len(bits), size):
            some = bits_to_spins(bits[start : start + size])
            stacked = np.empty((len(some), len(settings), self._units.num_units), np.int8)
            stacked[:, :, : self._units.num_features] = some[:, None]
            stacked[:, :, self._units.num_features :] = settings
            parts.append(self._rows_given(parameters, stacked.reshape(-1, stacked.shape[2]), log_z))
        values, errors = (
            np.concatenate(arrays).reshape(-1, len(settings)) for arrays in list(zip(*parts, strict=True))[:2]
        )
        return RowEstimates(values, errors, log_z.standard_error, parts[0].method)

    # -- predictions ---------------------------------------------------------------------------------------------

    def predict(self, X: Any) -> AnyArray:
        """Return the most probable class of every row, (num_rows,).

        Raises
        ------
        ValueError
            If the machine was fitted without y.
        """
        labels: AnyArray = self._classes()[self.predict_proba(X).argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Floats:
        """Return P(class | x) of every row, in the order of `classes_`, (num_rows, n_classes).

        Given that one class unit is on: by free energies where hidden units can be summed over exactly; else, and for
        rows with missing values, by counting reads with what is known clamped.

        Raises
        ------
        ValueError
            If the machine was fitted without y.
        """
        check_is_fitted(self)
        self._classes()
        return self._class_probabilities(*self._validated(X, reset=False))

    def _class_probabilities(self, bits: Bits, known: AnyArray | None = None) -> Floats:
        if known is None and self._sums_hidden:
            settings = self._units.one_hot()
            return np.asarray(softmax(self._with_classes(self._parameters, bits, settings, _ANY_Z).values, axis=1))
        # half a vote to each class, so that no probability is 0 (Jeffreys)
        votes = self._class_votes(bits, known) + 0.5
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    @property
    def _sums_hidden(self) -> bool:
        """Whether likelihoods of rows are exact but for ln Z."""
        row = np.ones((1, self._units.num_units), np.int8)
        return not self._rows_given(self._parameters, row, _ANY_Z).standard_errors.any()

    def _class_votes(self, bits: Bits, known: AnyArray | None = None) -> Floats:
        """Return how often a class unit alone is on in 200 reads; where none is ever alone, how often each is on."""
        f = self._units.num_features
        held = None if known is None else np.repeat(known, _VOTES, axis=0)
        clamp = Clamp(np.arange(f), np.repeat(bits_to_spins(bits), _VOTES, axis=0), held)
        reads = self._draw(len(bits) * _VOTES, self._read_seed(None), clamp)
        on = (reads[:, f : f + self._units.num_classes] > 0).reshape(len(bits), _VOTES, -1)
        alone = (on & (on.sum(axis=2, keepdims=True) == 1)).sum(axis=1)
        return np.asarray(np.where(alone.any(axis=1, keepdims=True), alone, on.sum(axis=1)), dtype=np.float64)
