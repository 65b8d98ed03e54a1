"""Machines with hidden units as transformers."""

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from annealnn.estimators._base import BoltzmannEstimator
from annealnn.models import bits_to_spins
from annealnn.typing import Floats


def _is_transformer(machine: Any) -> bool:
    return bool(machine._has_hidden())


class TransformingMachine(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BoltzmannEstimator):
    """Abstract: `transform` gives the hidden units' probabilities, if the machine is to have any."""

    @abstractmethod
    def _has_hidden(self) -> bool:
        """Return whether the constructor's arguments ask for hidden units."""

    @abstractmethod
    def _hidden_probabilities(self, rows: Floats) -> Floats:
        """Return P(hidden unit is 1 | v) of rows of visible spins (num_rows, num_visible): (num_rows, n_hidden)."""

    @available_if(_is_transformer)
    def transform(self, X: Any) -> Floats:
        """Return P(hidden unit is 1 | x), (num_rows, n_hidden).

        Exact where hidden units are not coupled to each other, else by mean field. Of a machine with class units, the
        mean over the classes, weighted by `predict_proba`.

        Parameters
        ----------
        X : (num_rows, n_features)
        """
        check_is_fitted(self)
        bits, known = self._validated(X, reset=False)
        if known is not None:
            msg = "hidden units are transformed given whole rows; got missing values. Fill them in with reconstruct"
            raise ValueError(msg)
        rows = bits_to_spins(bits).astype(np.float64)
        if self._units.classes is None:
            return self._hidden_probabilities(rows)
        weights, out = self._class_probabilities(bits), 0.0
        for weight, setting in zip(weights.T, self._units.one_hot(), strict=True):
            whole = np.hstack([rows, np.broadcast_to(setting, (len(rows), len(setting)))])
            out = out + weight[:, None] * self._hidden_probabilities(whole)
        return np.asarray(out)

    @available_if(_is_transformer)
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return names of the hidden units: the machine's name in lower case, and a number."""
        return super().get_feature_names_out(input_features)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if not self._has_hidden():
            tags.transformer_tags = None
        return tags
