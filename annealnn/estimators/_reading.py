"""Reads of a fitted machine: samples and reconstructions."""

from abc import abstractmethod
from typing import Any, Literal, overload

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from annealnn._validation import check_bits, check_count
from annealnn.estimators._machine import Machine
from annealnn.models import Clamp, bits_to_spins, spins_to_bits
from annealnn.typing import AnyArray, Bits, Floats, Spins


class ReadingMachine(Machine):
    """Abstract: `sample`, `reconstruct`, `reconstruct_proba`."""

    @abstractmethod
    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        """Return fresh reads of the units (num_reads, num_units or more); `clamp` holds some of them."""

    @abstractmethod
    def _class_probabilities(self, bits: Bits, known: AnyArray | None = None) -> Floats:
        """Return P(class | x) of every row, (num_rows, n_classes)."""

    @overload
    def sample(self, n_samples: int = ..., *, return_y: Literal[False] = ..., random_state: Any = ...) -> Bits: ...
    @overload
    def sample(
        self, n_samples: int = ..., *, return_y: Literal[True], random_state: Any = ...
    ) -> tuple[Bits, AnyArray]: ...
    def sample(self, n_samples: int = 1, *, return_y: bool = False, random_state: Any = None) -> Any:
        """Draw rows from the machine.

        Parameters
        ----------
        n_samples : int
        return_y : bool
            Whether to return labels too: the class whose unit alone is on, else (none or several on) the class
            that `predict` gives.
        random_state : int, RandomState or None
            None uses the estimator's own.

        Returns
        -------
        X : (n_samples, n_features) bits, or (X, y)
        """
        check_is_fitted(self)
        units = self._draw(check_count("n_samples", n_samples), self._read_seed(random_state))
        f, c = self._units.num_features, self._units.num_classes
        X = spins_to_bits(units[:, :f])
        if not return_y:
            return X
        on = units[:, f : f + c] > 0
        classes = self._classes()
        likely = classes[self._class_probabilities(X).argmax(axis=1)]
        return X, np.where(on.sum(axis=1) == 1, classes[on.argmax(axis=1)], likely)

    def reconstruct_proba(self, X: Any, known: Any = None, *, n_reads: int = 50, random_state: Any = None) -> Floats:
        """Return the probability that each bit is 1 given the known ones, (num_rows, n_features).

        Parameters
        ----------
        X : (num_rows, n_features)
            Values of unknown bits are ignored; they may be NaN.
        known : bool, (n_features,) or (num_rows, n_features), optional
            Which bits are given. None: those that are not NaN. Class units are never given.
        n_reads : int
            Reads with the known bits clamped, for each row; the probability is their mean.
        random_state : int, RandomState or None

        Raises
        ------
        ValueError
            If the mask has another shape, or a known value is not a bit.
        """
        check_is_fitted(self)
        check_count("n_reads", n_reads)
        rows = validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite=False)
        mask = ~np.isnan(rows) if known is None else np.asarray(known)
        if mask.dtype != np.bool_ or mask.shape not in (rows.shape, rows.shape[1:]):
            msg = f"known is boolean, of shape {rows.shape[1:]} or {rows.shape}; got {mask.dtype} of shape {mask.shape}"
            raise ValueError(msg)
        mask = np.broadcast_to(mask, rows.shape)
        given_only = np.where(mask, rows, 0.0)
        if not np.isfinite(given_only).all():
            msg = f"known bits are finite; got {given_only[~np.isfinite(given_only)][0]}"
            raise ValueError(msg)
        bits = check_bits(given_only, binarize=self.binarize)
        clamp = Clamp(
            np.arange(rows.shape[1]),
            np.repeat(bits_to_spins(bits), n_reads, axis=0),
            np.repeat(mask, n_reads, axis=0),
        )
        reads = self._draw(len(rows) * n_reads, self._read_seed(random_state), clamp)[:, : rows.shape[1]]
        means = spins_to_bits(reads).reshape(len(rows), n_reads, -1).mean(axis=1)
        return np.where(mask, bits, means)

    def reconstruct(self, X: Any, known: Any = None, *, n_reads: int = 50, random_state: Any = None) -> Bits:
        """Return rows with their unknown bits filled in: 1 where `reconstruct_proba` is above one half."""
        return (self.reconstruct_proba(X, known, n_reads=n_reads, random_state=random_state) > 0.5).astype(np.int8)
