"""Machines whose negative phase is reads of a sampler over all of their units."""

import numpy as np

from annealnn._validation import check_count
from annealnn.estimators._transforming import TransformingMachine
from annealnn.learning import (
    Bounds,
    Descent,
    FactorisedPhase,
    HiddenFields,
    Learner,
    LearnerState,
    MeanFieldPhase,
    PositivePhase,
    Progress,
    SampledPhase,
    VisiblePhase,
    mean_field,
)
from annealnn.models import Clamp
from annealnn.registry import SamplerSpec, open_compiled, resolve_sampler
from annealnn.samplers import CalibratedSampler, CompiledSampler, compile_sampler
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
        contrastive = self.negative_phase == "contrastive"
        if contrastive and getattr(self, "calibrate", False):
            msg = (
                "a temperature is estimated from reads of the sampler's own distribution, and reads that began at the "
                "rows are not; got calibrate=True with negative_phase='contrastive'. Set negative_phase='persistent'"
            )
            raise ValueError(msg)
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
            contrastive=contrastive,
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
        if getattr(self, "calibrate", False):
            msg = (
                "a sampler whose temperature is being estimated draws the negative phase only; got calibrate=True "
                "where the positive phase draws. Set positive_phase to 'exact' or 'mean-field', or fill in the data"
            )
            raise ValueError(msg)
        return SampledPhase(structure, nv, self._compiled("spins"), self._hidden_of_reads(hidden))

    def _hidden_of_reads(self, hidden: HiddenFields | None) -> HiddenFields | None:
        """Return what gives the means of hidden units in place of their spins in reads, if it may."""
        # a sampler of the user's may have any temperature: its reads are taken as they are, unless it is estimated
        return hidden if self.sampler is None or getattr(self, "calibrate", False) else None

    def _compiled(self, want: Want, beta: float = 1.0) -> CompiledSampler:
        """Return the sampler over all units; `beta` is where the estimate of its own begins, if that is not known."""
        if not getattr(self, "calibrate", False):
            return open_compiled(self.sampler, self.structure_, default=self._default_sampler, want=want)
        sampler, parameters = resolve_sampler(self.sampler, default=self._default_sampler)
        child = compile_sampler(sampler, self.structure_, want="spins", **parameters)
        ranges = [sampler.properties.get(name, (-np.inf, np.inf)) for name in ("h_range", "j_range")]
        return CalibratedSampler(child, want=want, beta=beta, bounds=Bounds.from_device(*ranges))

    def _observe(self, state: LearnerState, shown: Progress) -> dict[str, float]:
        found = shown.step.info.get("effective_beta")
        return {} if found is None else {"effective_beta": found["value"]}

    def _finish(self, state: LearnerState) -> None:
        super()._finish(state)
        compiled = self._learner.compiled
        if isinstance(compiled, CalibratedSampler):
            self.effective_beta_ = compiled.beta(state.sampler)
        elif hasattr(self, "effective_beta_"):
            del self.effective_beta_

    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        compiled = self._compiled("spins", getattr(self, "effective_beta_", 1.0))
        start = compiled.init(num_reads, seed)
        return compiled.reads(compiled.advance(self._parameters, start, _EQUILIBRATION_STEPS, clamp))

    def _hidden_probabilities(self, rows: Floats) -> Floats:
        means = mean_field(self.structure_, self._units.num_units, self._parameters, rows)
        return np.asarray(0.5 * (1.0 + means))

    @property
    def _n_features_out(self) -> int:
        return int(self.structure_.num_variables - self._units.num_units)
