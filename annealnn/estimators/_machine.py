"""What every machine has, fitted or not: data at the front door, seeds, classes."""

from abc import ABC
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from annealnn._rng import child_seed
from annealnn._validation import check_bits
from annealnn.estimators._parameters import describe_sampler
from annealnn.estimators._units import Units
from annealnn.learning import Estimate
from annealnn.models import Parameters, Structure
from annealnn.typing import AnyArray, Bits, Floats

# what a part of the job draws from: children of one seed
TRAINING, LIKELIHOOD, READS, HELD_OUT = range(4)


class Machine(DensityMixin, BaseEstimator, ABC):
    """Abstract: a distribution over rows of bits.

    Units are features, then class units, then hidden units; the first two kinds are visible.
    """

    _units: Units
    _seed: int
    _parameters: Parameters  #: over the units, as they were learned
    _data_means: Floats  #: of all units, (num_units,), what likelihoods start from
    _estimates: dict[tuple[str, str], Estimate]
    structure_: Structure
    model_: Any

    def _finiteness(self) -> Any:
        return "allow-nan" if getattr(self, "missing", "error") == "marginalise" else True

    def _validated(self, X: Any, *, reset: bool) -> tuple[Bits, AnyArray | None]:
        """Return rows as bits, and which values are known: None if all are."""
        return self._to_bits(
            validate_data(self, X, dtype=np.float64, reset=reset, ensure_all_finite=self._finiteness())
        )

    def _to_bits(self, X: Floats) -> tuple[Bits, AnyArray | None]:
        known = ~np.isnan(X)
        if known.all():
            return check_bits(X, binarize=self.binarize), None
        return check_bits(np.where(known, X, 0.0), binarize=self.binarize), known

    def _classes(self) -> AnyArray:
        check_is_fitted(self)
        if self._units.classes is None:
            msg = "classes come from y; this machine was fitted without it. Fit with y to predict"
            raise ValueError(msg)
        return self._units.classes

    def _read_seed(self, random_state: Any) -> int:
        given = self.random_state if random_state is None else random_state
        return child_seed(int(check_random_state(given).randint(2**31 - 1)), READS)

    def _estimate(self, name: str, make: Callable[[], Estimate]) -> Estimate:
        """Return `make()`, kept for as long as the machine and its sampler stay what they are."""
        key = (name, describe_sampler(getattr(self, "sampler", None)))
        if key not in self._estimates:
            self._estimates[key] = make()
        return self._estimates[key]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._finiteness() == "allow-nan"
        return tags
