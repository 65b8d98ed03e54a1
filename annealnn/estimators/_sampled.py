"""Machines whose negative phase is reads of a sampler over all of their units."""

import numpy as np

from annealnn._validation import check_count
from annealnn.estimators._transforming import TransformingMachine
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
from annealnn.models import Clamp
from annealnn.registry import SamplerSpec, open_compiled
from annealnn.samplers import CompiledSampler
from annealnn.samplers._compiled import Want
from annealnn.typing import Floats, Spins

_EQUILIBRATION_STEPS = 500


class SampledMachine(TransformingMachine):
    """Abstract: particles of a sampler in the negative phase, hidden units summed over or drawn in the positive."""

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
        smooth = self._hidden_of_reads(hidden)
        compiled = self._compiled("moments" if smooth is None else "spins")
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
        return SampledPhase(structure, nv, self._compiled("spins"), self._hidden_of_reads(hidden))

    def _hidden_of_reads(self, hidden: HiddenFields | None) -> HiddenFields | None:
        """Return what gives the means of hidden units in place of their spins in reads, if it may."""
        # a sampler of the user's may have any temperature: its reads are taken as they are
        return hidden if self.sampler is None else None

    def _compiled(self, want: Want) -> CompiledSampler:
        return open_compiled(self.sampler, self.structure_, default=self._default_sampler, want=want)

    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        compiled = self._compiled("spins")
        start = compiled.init(num_reads, seed)
        return compiled.reads(compiled.advance(self._parameters, start, _EQUILIBRATION_STEPS, clamp))

    def _hidden_probabilities(self, rows: Floats) -> Floats:
        means = mean_field(self.structure_, self._units.num_units, self._parameters, rows)
        return np.asarray(0.5 * (1.0 + means))

    @property
    def _n_features_out(self) -> int:
        return int(self.structure_.num_variables - self._units.num_units)
