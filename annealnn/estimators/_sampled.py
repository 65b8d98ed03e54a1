"""Machines whose negative phase is reads of a sampler over all of their units."""

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from annealnn._validation import check_count
from annealnn.estimators._base import BoltzmannEstimator
from annealnn.learning import (
    Descent,
    FactorisedPhase,
    HiddenFields,
    Learner,
    MeanFieldPhase,
    PositivePhase,
    SampledPhase,
    VisiblePhase,
    mean_field,
)
from annealnn.models import Clamp, bits_to_spins
from annealnn.registry import SamplerSpec, open_compiled
from annealnn.samplers import CompiledSampler
from annealnn.typing import Floats, Spins

_EQUILIBRATION_STEPS = 500


def _transforms(machine: Any) -> bool:
    return bool(machine._has_hidden())


class SampledMachine(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BoltzmannEstimator):
    """Abstract: particles of a sampler in the negative phase, hidden units summed over or drawn in the positive."""

    @abstractmethod
    def _has_hidden(self) -> bool:
        """Return whether the constructor's arguments ask for hidden units."""

    @property
    def _default_sampler(self) -> SamplerSpec:
        return SamplerSpec("gibbs", {"num_sweeps": check_count("n_sweeps", self.n_sweeps)})

    def _num_reads(self) -> int:
        return check_count("n_particles", self.n_particles)

    def _hidden_fields(self) -> HiddenFields | None:
        """Return what sums hidden units over at once; None if some are coupled to each other, or there are none."""
        nv = self._units.num_units
        if self.structure_.num_variables == nv or (self.structure_.edges[:, 0] >= nv).any():
            return None
        return HiddenFields(self.structure_, nv)

    def _open(self, descent: Descent, *, has_missing: bool) -> Learner:
        hidden = self._hidden_fields()
        # a sampler of the user's may have any temperature: its reads are taken as they are
        smooth = hidden if self.sampler is None else None
        compiled = open_compiled(
            self.sampler,
            self.structure_,
            default=self._default_sampler,
            want="moments" if smooth is None else "spins",
        )
        return Learner(
            descent,
            compiled,
            self._positive(hidden, has_missing=has_missing),
            num_particles=self._num_reads(),
            seed=self._seed,
            batch_size=None if self.batch_size is None else check_count("batch_size", self.batch_size),
            contrastive=self.negative_phase == "contrastive",
            hidden=smooth,
        )

    def _positive(self, hidden: HiddenFields | None, *, has_missing: bool) -> PositivePhase:
        structure, nv = self.structure_, self._units.num_units
        way = self.positive_phase
        if structure.num_variables == nv and not has_missing:
            return VisiblePhase(structure, nv)
        if way == "auto":
            way = "sampling" if hidden is None or has_missing else "exact"
        if way == "mean-field" and not has_missing:
            return MeanFieldPhase(structure, nv)
        if way == "exact" and hidden is not None and not has_missing:
            return FactorisedPhase(structure, nv)
        if way == "exact":
            compiled = open_compiled("exact", structure, default=self._default_sampler, want="moments")
            return SampledPhase(structure, nv, compiled)
        if way == "mean-field":
            msg = "missing values are drawn or summed over exactly; got positive_phase='mean-field'"
            raise ValueError(msg)
        return SampledPhase(structure, nv, self._reader(), hidden if self.sampler is None else None)

    def _reader(self) -> CompiledSampler:
        return open_compiled(self.sampler, self.structure_, default=self._default_sampler, want="spins")

    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        compiled = self._reader()
        start = compiled.init(num_reads, seed)
        return compiled.reads(compiled.advance(self.model_.parameters, start, _EQUILIBRATION_STEPS, clamp))

    # -- hidden units --------------------------------------------------------------------------------------------

    @available_if(_transforms)
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

    def _hidden_probabilities(self, rows: Floats) -> Floats:
        means = mean_field(self.structure_, self._units.num_units, self.model_.parameters, rows)
        return np.asarray(0.5 * (1.0 + means))

    @property
    def _n_features_out(self) -> int:
        return int(self.structure_.num_variables - self._units.num_units)

    @available_if(_transforms)
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return names of the hidden units: the machine's name in lower case, and a number."""
        return super().get_feature_names_out(input_features)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if not self._has_hidden():
            tags.transformer_tags = None
        return tags
