"""Likelihoods and predictions of a fitted machine."""

from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.utils.validation import check_is_fitted

from annealnn._rng import child_seed
from annealnn.estimators._machine import LIKELIHOOD
from annealnn.estimators._reading import ReadingMachine
from annealnn.learning import Estimate, Rows, log_partition
from annealnn.learning.likelihood import free_energies
from annealnn.models import Clamp, Parameters, bits_to_spins
from annealnn.typing import AnyArray, Bits, Floats, Spins

# rows times settings of class units whose free energies are held at a time
_MOST_STACKED = 1 << 16
# reads for each row where class probabilities are counted
_VOTES = 200


class ScoringMachine(ReadingMachine):
    """Abstract: `score_samples`, `score`, `log_likelihood`, `predict`, `predict_proba`."""

    def _likelihood_parameters(self) -> Parameters:
        """Return parameters at beta = 1 of the distribution that `score_samples` is about."""
        return self._parameters

    def _free_energies(self, parameters: Parameters, rows: Spins) -> Floats:
        """Return -ln of the unnormalised probability of rows of visible units (num_rows, num_visible): (num_rows,)."""
        return free_energies(self.structure_, parameters, rows)

    def _stacks_classes(self) -> bool:
        """Return whether class units enter other than by an energy that is quadratic in them."""
        return self.structure_.num_variables > self._units.num_units

    # -- likelihoods ---------------------------------------------------------------------------------------------

    @property
    def log_partition_(self) -> Estimate:
        """The ln Z of the distribution that `score_samples` is about, with its standard error and method."""
        check_is_fitted(self)
        return self._estimate("log_partition", self._estimate_log_partition)

    def _estimate_log_partition(self) -> Estimate:
        return self._log_partition_of(self._likelihood_parameters())

    def _log_partition_of(self, parameters: Parameters, **keywords: int) -> Estimate:
        given = {"num_runs": self.n_ais_runs, "num_steps": self.n_ais_steps} | keywords
        return log_partition(
            self.structure_,
            parameters,
            start_means=self._data_means,
            seed=child_seed(self._seed, LIKELIHOOD),
            **given,
        )

    def _mean_log_likelihood(self, parameters: Parameters, rows: Rows, **keywords: int) -> Estimate:
        """Return the mean of ln P over rows of visible units."""
        log_z = self._log_partition_of(parameters, **keywords)
        energies = self._free_energies(parameters, rows.spins)
        return Estimate(-float(energies.mean()) - log_z.value, log_z.standard_error, log_z.method)

    def score_samples(self, X: Any, y: Any = None) -> Floats:
        """Return the log-likelihood of every row, nats, (num_rows,).

        Parameters
        ----------
        X : (num_rows, n_features)
        y : (num_rows,), optional
            With labels: ln P(x, y) of all visible units. Without: ln P(x), class units summed over.

        Notes
        -----
        ln Z comes from `log_partition_`; its standard error is common to all rows.
        """
        check_is_fitted(self)
        bits, known = self._validated(X, reset=False)
        if known is not None:
            row = int(np.flatnonzero(~known.all(axis=1))[0])
            msg = f"a log-likelihood is of whole rows; row {row} has missing values. Fill them in with reconstruct"
            raise ValueError(msg)
        parameters, log_z = self._likelihood_parameters(), self.log_partition_.value
        if y is not None or self._units.classes is None:
            rows = self._units.join(bits, y)
            return np.asarray(-self._free_energies(parameters, rows.spins) - log_z)
        energies = self._class_free_energies(parameters, bits, self._units.all_settings())
        return np.asarray(logsumexp(-energies, axis=1) - log_z)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of the rows, nats: the mean of `score_samples`."""
        return float(self.score_samples(X, y).mean())

    def log_likelihood(self, X: Any, y: Any = None) -> Estimate:
        """Return the mean log-likelihood of the rows, nats, with its standard error and method.

        The standard error is that of ln Z. Parameters and errors are those of `score_samples`.
        """
        value, log_z = self.score(X, y), self.log_partition_
        return Estimate(value, log_z.standard_error, f"{'marginal' if y is None else 'joint'}, {log_z.method}")

    def _class_free_energies(self, parameters: Parameters, bits: Bits, settings: Spins) -> Floats:
        """Return the free energy of every row with every setting of the class units, (num_rows, num_settings)."""
        f = self._units.num_features
        if not self._stacks_classes():
            absent = np.zeros((len(bits), self._units.num_classes), np.int8)
            alone = self.structure_.energies(parameters, np.hstack([bits_to_spins(bits), absent]))
            joint = self._units.class_energies(self.structure_, parameters, bits, settings)
            return np.asarray(alone[:, None] + joint)
        out = np.empty((len(bits), len(settings)))
        size = max(1, _MOST_STACKED // len(settings))
        for start in range(0, len(bits), size):
            some = bits_to_spins(bits[start : start + size])
            stacked = np.empty((len(some), len(settings), f + settings.shape[1]), np.int8)
            stacked[:, :, :f], stacked[:, :, f:] = some[:, None], settings
            flat = self._free_energies(parameters, stacked.reshape(-1, stacked.shape[2]))
            out[start : start + size] = flat.reshape(len(some), -1)
        return out

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
            energies = self._class_free_energies(self._parameters, bits, self._units.one_hot())
            return np.asarray(softmax(-energies, axis=1))
        # half a vote to each class, so that no probability is 0 (Jeffreys)
        votes = self._class_votes(bits, known) + 0.5
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    @property
    def _sums_hidden(self) -> bool:
        """Whether hidden units can be summed over exactly: all that free energies refuse of a row that is sound."""
        try:
            self._free_energies(self._parameters, np.ones((1, self._units.num_units), np.int8))
        except ValueError:
            return False
        return True

    def _class_votes(self, bits: Bits, known: AnyArray | None = None) -> Floats:
        """Return how often a class unit alone is on in 200 reads; where none is ever alone, how often each is on."""
        f = self._units.num_features
        held = None if known is None else np.repeat(known, _VOTES, axis=0)
        clamp = Clamp(np.arange(f), np.repeat(bits_to_spins(bits), _VOTES, axis=0), held)
        reads = self._draw(len(bits) * _VOTES, self._read_seed(None), clamp)
        on = (reads[:, f : f + self._units.num_classes] > 0).reshape(len(bits), _VOTES, -1)
        alone = (on & (on.sum(axis=2, keepdims=True) == 1)).sum(axis=1)
        return np.asarray(np.where(alone.any(axis=1, keepdims=True), alone, on.sum(axis=1)), dtype=np.float64)
