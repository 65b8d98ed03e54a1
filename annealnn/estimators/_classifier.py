"""Classification by a Boltzmann machine."""

from typing import Any, Self, final

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from annealnn.estimators._base import BoltzmannEstimator
from annealnn.estimators._restricted import RestrictedBoltzmannMachine
from annealnn.typing import AnyArray, Floats


@final
class BoltzmannClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classifier that learns the joint distribution of rows and class units (Larochelle & Bengio 2008).

    Parameters
    ----------
    machine : estimator, optional
        A Boltzmann machine of this package; it is cloned, and fitted with class units. None is a
        `RestrictedBoltzmannMachine()`.
    binarize : float or None
        Threshold that makes bits of numbers. None leaves it to the machine's own `binarize`.

    Attributes
    ----------
    machine_ : estimator
        The fitted machine: what else it offers (likelihoods, reads, reconstructions) is asked of it.
    classes_ : (n_classes,)
    n_features_in_ : int
    feature_names_in_ : (n_features,)
        If X had names.

    Examples
    --------
    >>> from annealnn import BoltzmannClassifier, RestrictedBoltzmannMachine
    >>> from annealnn.datasets import make_bars_and_stripes
    >>> X, y = make_bars_and_stripes(3, 3)
    >>> machine = RestrictedBoltzmannMachine(8, learning_rate=0.1, random_state=0)
    >>> BoltzmannClassifier(machine).fit(X, y).predict_proba(X).shape
    (14, 2)
    """

    def __init__(self, machine: Any = None, *, binarize: float | None = None) -> None:
        self.machine = machine
        self.binarize = binarize

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the machine to rows and their labels.

        Parameters
        ----------
        X : (num_rows, n_features)
            Bits; any numbers if there is a threshold; NaN if the machine takes missing values.
        y : (num_rows,)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `machine` is no Boltzmann machine with class units; and what the machine's own `fit` raises.
        """
        unfitted = self._unfitted()
        rows, labels = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=self._finiteness())
        check_classification_targets(labels)
        self.machine_ = unfitted.fit(rows, labels)
        self.classes_ = self.machine_.classes_
        return self

    def predict(self, X: Any) -> AnyArray:
        """Return the most probable class of every row, (num_rows,)."""
        probabilities = self.predict_proba(X)
        labels: AnyArray = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Floats:
        """Return P(class | x) of every row in the order of `classes_`, (num_rows, n_classes).

        By free energies where the machine's hidden units can be summed over exactly, else by counting reads.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite=self._finiteness())
        probabilities: Floats = self.machine_.predict_proba(rows)
        return probabilities

    def predict_log_proba(self, X: Any) -> Floats:
        """Return ln P(class | x) of every row, (num_rows, n_classes); -inf where the probability is below 1e-308."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: Any) -> Floats:
        """Return ln P(class | x), (num_rows, n_classes); of two classes the log-odds of the second, (num_rows,).

        Probabilities below 1e-300 count as 1e-300, so that values are finite.
        """
        logs = np.log(np.maximum(self.predict_proba(X), 1e-300))
        return np.asarray(logs[:, 1] - logs[:, 0]) if len(self.classes_) == 2 else logs

    def _unfitted(self) -> BoltzmannEstimator:
        machine = RestrictedBoltzmannMachine() if self.machine is None else self.machine
        if not isinstance(machine, BoltzmannEstimator):
            msg = f"machine is None or a Boltzmann machine with class units; got {machine!r}"
            raise ValueError(msg)
        copied: BoltzmannEstimator = clone(machine)
        return copied if self.binarize is None else copied.set_params(binarize=self.binarize)

    def _finiteness(self) -> Any:
        return "allow-nan" if get_tags(self).input_tags.allow_nan else True

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "machine_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if isinstance(self.machine, BoltzmannEstimator):
            tags.input_tags.allow_nan = get_tags(self.machine).input_tags.allow_nan
        return tags
