"""Gradient steps that bring a sampler's moments to the data's.

For visible units only, the gradient of the average log-likelihood with respect to a field or a coupling is the
difference of the moment in the data and in the model (Ackley, Hinton & Sejnowski 1985); the same difference is the
gradient of the relative entropy S(rho_data || rho) of a transverse-field model (Benedetti et al. 2017). The moments
are those of the sampler as it is: a hidden inverse temperature multiplies the effective rate and nothing else.
"""

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from annealnn.models import Moments, Parameters
from annealnn.samplers import CompiledSampler, SamplerState, Step
from annealnn.typing import Floats


class Bounds(NamedTuple):
    """Closed ranges that a device can program, in Eq. (1)'s sign."""

    fields: tuple[float, float] = (-np.inf, np.inf)
    couplings: tuple[float, float] = (-np.inf, np.inf)

    @classmethod
    def from_device(cls, h_range: tuple[float, float], j_range: tuple[float, float]) -> "Bounds":
        """Return the bounds of a device that states its ranges in dimod's sign, as D-Wave's do."""
        return cls((-h_range[1], -h_range[0]), (-j_range[1], -j_range[0]))

    def project(self, parameters: Parameters) -> tuple[Parameters, float]:
        """Return the parameters moved into the ranges, and the fraction of them that had to be."""
        inside = Parameters(np.clip(parameters.fields, *self.fields), np.clip(parameters.couplings, *self.couplings))
        moved = sum(int((a != b).sum()) for a, b in zip(inside, parameters, strict=True))
        return inside, moved / max(1, sum(map(len, parameters)))


UNBOUNDED = Bounds()


class LearnerState(NamedTuple):
    """What the next step needs, and nothing that it does not."""

    iteration: int
    parameters: Parameters
    velocity: Parameters
    sampler: SamplerState


class Progress(NamedTuple):
    """What one step showed."""

    step: Step  #: at the parameters before the update
    field_error: float  #: mean absolute difference of moments, data and sampler, over variables
    coupling_error: float  #: the same over edges
    clipped_fraction: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MomentMatching:
    """Configuration of the descent.

    The rate falls linearly from `learning_rate` to `final_rate` over `num_iterations`; parameters stay in `bounds`.
    """

    learning_rate: float
    num_iterations: int
    final_rate: float = 0.0
    momentum: float = 0.5
    bounds: Bounds = UNBOUNDED

    def rate(self, iteration: int) -> float:
        """Return the rate of step `iteration`, counted from 0. Steps past the last keep the final rate."""
        done = min(1.0, iteration / self.num_iterations)
        return self.learning_rate + (self.final_rate - self.learning_rate) * done

    def init(
        self, compiled: CompiledSampler, num_reads: int, seed: int, start: Parameters | None = None
    ) -> LearnerState:
        """Return the state before the first step, parameters zero unless given."""
        zeros = compiled.structure.zeros()
        return LearnerState(0, start or zeros, zeros, compiled.init(num_reads, seed))

    def step(
        self, state: LearnerState, data: Moments, compiled: CompiledSampler, *, rate: float | None = None
    ) -> tuple[LearnerState, Progress]:
        """Sample, step along the difference of moments, project. `state` is left as it was."""
        drawn = compiled.step(state.parameters, state.sampler)
        assert drawn.moments is not None  # noqa: S101 - learners compile with want="moments"
        eta = self.rate(state.iteration) if rate is None else rate
        velocity = Parameters(
            self.momentum * state.velocity.fields + eta * (data.spins - drawn.moments.spins),
            self.momentum * state.velocity.couplings + eta * (data.pairs - drawn.moments.pairs),
        )
        raw = Parameters(state.parameters.fields + velocity.fields, state.parameters.couplings + velocity.couplings)
        parameters, clipped = self.bounds.project(raw)
        fresh = LearnerState(state.iteration + 1, parameters, velocity, drawn.state)
        return fresh, Progress(
            drawn,
            mean_absolute(data.spins, drawn.moments.spins),
            mean_absolute(data.pairs, drawn.moments.pairs),
            clipped,
        )


def mean_absolute(a: Floats, b: Floats) -> float:
    """Return the mean of abs(a - b); 0 for empty arrays."""
    return float(np.abs(a - b).mean()) if len(a) else 0.0
