"""Rows of data as spins of visible units: features first, then one unit for each class."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from annealnn.learning import Rows
from annealnn.models import Parameters, Structure, bits_to_spins
from annealnn.typing import AnyArray, Bits, Floats, Spins

MAX_MARGINALISED = 12  # class units summed over


@final
@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The visible units of a machine."""

    num_features: int
    classes: AnyArray | None  # sorted labels, or None for a machine without class units

    @classmethod
    def of(cls, num_features: int, y: AnyArray | None, classes: AnyArray | None = None) -> "Units":
        """Return the units of a data set; `classes` names all labels if `y` may lack some.

        Raises
        ------
        ValueError
            If labels cannot be sorted, or are not in one dimension.
        """
        if y is None and classes is None:
            return cls(num_features, None)
        labels = np.asarray(y if classes is None else classes)
        if labels.ndim != 1:
            msg = f"labels and classes are one after the other, of shape (n,); got shape {labels.shape}"
            raise ValueError(msg)
        try:
            return cls(num_features, np.unique(labels))
        except TypeError:
            kinds = sorted({type(label).__name__ for label in labels.tolist()})
            msg = f"labels are of one kind, so that they can be sorted; got {' and '.join(kinds)}"
            raise ValueError(msg) from None

    @property
    def num_classes(self) -> int:
        """Number of class units."""
        return 0 if self.classes is None else len(self.classes)

    @property
    def num_units(self) -> int:
        """Number of visible units."""
        return self.num_features + self.num_classes

    def join(self, bits: Bits, y: Any, known: AnyArray | None = None) -> Rows:
        """Return rows of all visible units: features, then +1 for the row's class and -1 for others.

        `known` (num_rows, num_features) is False where a bit is missing; class units are always known.

        Raises
        ------
        ValueError
            If labels are missing, not wanted, not as many as rows, or not among the classes.
        """
        if self.classes is None:
            if y is not None:
                msg = "this machine has no class units (it was fitted without y); got y. Leave y out, or fit with it"
                raise ValueError(msg)
            return Rows(bits_to_spins(bits), known)
        if y is None:
            msg = "this machine has class units (it was fitted with y), so rows need labels; got y=None"
            raise ValueError(msg)
        labels = np.asarray(y).ravel()
        check_classification_targets(labels)
        if len(labels) != len(bits):
            msg = f"y has one label per row of X, {len(bits)}; got {len(labels)}"
            raise ValueError(msg)
        if (unknown := ~np.isin(labels, self.classes)).any():
            msg = f"labels are among the classes {self.classes.tolist()}; got {labels[unknown].tolist()[0]!r}"
            raise ValueError(msg)
        spins = np.hstack([bits_to_spins(bits), self.one_hot()[np.searchsorted(self.classes, labels)]])
        if known is None:
            return Rows(spins)
        return Rows(spins, np.hstack([known, np.ones((len(known), self.num_classes), bool)]))

    def one_hot(self) -> Spins:
        """Return the setting of class units for each class, (num_classes, num_classes)."""
        return bits_to_spins(np.eye(self.num_classes, dtype=np.int8))

    def class_fields(self, structure: Structure, parameters: Parameters, bits: Bits) -> Floats:
        """Return the field on each class unit given the features, (num_rows, num_classes), Eq. (1)'s sign."""
        f = self.num_features
        J = structure.dense(parameters.couplings)
        return np.asarray(
            bits_to_spins(bits).astype(np.float64) @ J[:f, f : self.num_units] + parameters.fields[f : self.num_units]
        )

    def class_energies(self, structure: Structure, parameters: Parameters, bits: Bits, settings: Spins) -> Floats:
        """Return the part of the energy that depends on the class units, (num_rows, num_settings).

        `settings` is (num_settings, num_classes) spins.
        """
        f = self.num_features
        s = settings.astype(np.float64)
        J = structure.dense(parameters.couplings)[f : self.num_units, f : self.num_units]
        among = 0.5 * np.einsum("ki,ij,kj->k", s, J, s)
        return np.asarray(-(self.class_fields(structure, parameters, bits) @ s.T) - among)

    def all_settings(self) -> Spins:
        """Return every setting of the class units, (2**num_classes, num_classes).

        Raises
        ------
        ValueError
            If there are more than 12 class units.
        """
        if self.num_classes > MAX_MARGINALISED:
            msg = (
                f"class units are summed over up to {MAX_MARGINALISED} classes; got {self.num_classes}. "
                "Pass y for the joint log-likelihood"
            )
            raise ValueError(msg)
        patterns = (np.arange(2**self.num_classes)[:, None] >> np.arange(self.num_classes)) & 1
        return bits_to_spins(patterns)
