"""One step of learning: both phases, the gradient, the descent. State in, state out."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, final

import numpy as np

from annealnn._rng import child_seed, streams_from_seed
from annealnn.learning._descent import Descent, centred, centred_shift, difference, mean_absolute
from annealnn.learning._phases import HiddenFields, Positive, PositivePhase, VisiblePhase, mean_field
from annealnn.models import Moments, Parameters, bits_to_spins
from annealnn.samplers import CompiledSampler, SamplerState, Step, uniforms
from annealnn.typing import AnyArray, Floats, Spins

# what a learner draws from: children of its seed
_PARTICLES, _ORDER, _HIDDEN, _POSITIVE, _CONTRAST, _WEIGHTS = range(6)


class Rows(NamedTuple):
    """Rows of data."""

    #: (num_rows, num_visible): spins, any value where one is missing; or the real values of Gaussian units
    spins: AnyArray
    known: AnyArray | None = None  #: bool, the same shape: False where a value is missing. None: all are known

    def some(self, at: AnyArray) -> "Rows":
        """Return the rows named by `at`."""
        # sooner than by self.spins[at]
        return Rows(self.spins.take(at, axis=0), None if self.known is None else self.known.take(at, axis=0))


class LearnerState(NamedTuple):
    """What the next step needs, and nothing that it does not."""

    iteration: int  #: epochs done
    parameters: Parameters
    velocity: Parameters
    sampler: SamplerState  #: the particles of the negative phase
    units: Spins | None = None  #: (num_rows, num_units), spins of every row, where the positive phase draws them
    best: Parameters | None = None  #: those of the greatest held-out likelihood, where it is watched
    average: Parameters | None = None  #: the mean over the last epochs, where they are averaged


class Progress(NamedTuple):
    """What a step showed."""

    step: Step  #: of the negative phase, at the parameters before the update
    positive: Moments
    negative: Moments
    gradient: Parameters
    clipped_fraction: float

    @property
    def field_error(self) -> float:
        """Mean absolute difference of the phases' spin moments, over variables."""
        return mean_absolute(self.positive.spins, self.negative.spins)

    @property
    def coupling_error(self) -> float:
        """The same of the pair moments, over edges."""
        return mean_absolute(self.positive.pairs, self.negative.pairs)

    @property
    def gradient_norm(self) -> float:
        """Euclidean norm of the gradient."""
        return float(np.sqrt(sum(float(part @ part) for part in self.gradient)))

    def entry(self, iteration: int) -> dict[str, float]:
        """Return what the history of an epoch says of its last step."""
        return {
            "iteration": iteration,
            "field_error": self.field_error,
            "coupling_error": self.coupling_error,
            "gradient_norm": self.gradient_norm,
        }


def shuffled_batches(num_rows: int, batch_size: int | None, seed: int) -> list[AnyArray]:
    """Return the rows of every step of an epoch; all at once if `batch_size` is None or not below `num_rows`."""
    if batch_size is None or batch_size >= num_rows:
        return [np.arange(num_rows)]
    order = np.random.default_rng(seed).permutation(num_rows)
    return np.array_split(order, -(-num_rows // batch_size))


@final
class Learner:
    """Learning bound to a sampler and to phases.

    Parameters
    ----------
    descent : Descent
    compiled : CompiledSampler
        Of the negative phase, over all units.
    positive : PositivePhase
    num_particles : int
        Reads of the negative phase.
    seed : int
    batch_size : int or None
        Rows of a step; None takes all, and then an epoch is a step.
    contrastive : bool
        The negative phase begins at the rows of the step (CD-k, Hinton 2002); else at its own last reads (PCD, Tieleman
        2008).
    hidden : HiddenFields, optional
        Take the exact means of hidden units given the particles' visible ones in place of their spins: a smaller
        variance. For a sampler at beta = 1.
    encode : callable, optional
        Makes moments of the sampler's graph of those of the positive phase.
    """

    def __init__(
        self,
        descent: Descent,
        compiled: CompiledSampler,
        positive: PositivePhase,
        *,
        num_particles: int,
        seed: int,
        batch_size: int | None = None,
        contrastive: bool = False,
        hidden: HiddenFields | None = None,
        encode: Callable[[Moments], Moments] | None = None,
    ) -> None:
        self.descent, self.compiled, self.positive = descent, compiled, positive
        self.num_particles, self.seed, self.batch_size = num_particles, seed, batch_size
        self._contrastive, self._hidden, self._encode = contrastive, hidden, encode
        self._fixed: tuple[Rows, Moments] | None = None

    def init(self, rows: Rows, *, weight_scale: float = 0.0) -> LearnerState:
        """Return the state before the first step.

        Couplings to hidden units are drawn from N(0, weight_scale**2), for units that begin alike stay alike; the
        fields of visible units begin where independent units would have the data's means if there are hidden ones.
        All else is 0.
        """
        structure, nv = self.compiled.structure, self.positive.num_visible
        start = structure.zeros()
        if nv < structure.num_variables and self._encode is None:
            rng = np.random.default_rng(child_seed(self.seed, _WEIGHTS))
            hidden = structure.edges[:, 1] >= nv
            start.couplings[hidden] = rng.normal(0.0, weight_scale, int(hidden.sum()))
            start.fields[:nv] = np.arctanh(np.clip(self.visible_means(rows), -0.95, 0.95))
        if self.descent.held is not None:
            start = self.descent.held.hold(start)
        particles = self.compiled.init(self.num_particles, child_seed(self.seed, _PARTICLES))
        return LearnerState(0, start, structure.zeros(), particles, self.first_units(rows))

    def first_units(self, rows: Rows) -> Spins | None:
        """Return the spins that a positive phase which draws begins with: rows, and random spins for the rest."""
        if not self.positive.draws:
            return None
        num_rows, n = len(rows.spins), self.positive.structure.num_variables
        rng = np.random.default_rng(child_seed(self.seed, _HIDDEN))
        units: Spins = rng.choice(np.array([-1, 1], np.int8), (num_rows, n))
        seen = units[:, : self.positive.num_visible]
        np.copyto(seen, rows.spins, where=True if rows.known is None else rows.known)
        return units

    def batches(self, num_rows: int, iteration: int) -> list[AnyArray]:
        """Return the rows of every step of an epoch, in the order of a shuffle that is the epoch's own."""
        return shuffled_batches(num_rows, self.batch_size, child_seed(self.seed, _ORDER, iteration))

    def epoch(self, state: LearnerState, rows: Rows) -> tuple[LearnerState, Progress]:
        """Return the state after one pass over the rows, and what its last step showed."""
        batches = self.batches(len(rows.spins), state.iteration)
        for k, at in enumerate(batches):
            rate = self.descent.rate(state.iteration + k / len(batches))
            state, shown = self.step(state, rows, at if len(batches) > 1 else None, k, rate)
        done = state.iteration + 1
        average = self.descent.averaged(done, state.average, state.parameters)
        return state._replace(iteration=done, average=average), shown

    def step(
        self, state: LearnerState, rows: Rows, at: AnyArray | None, number: int, rate: float
    ) -> tuple[LearnerState, Progress]:
        """Run both phases on the rows named by `at` (all if None), and step. `state` is left as it was."""
        some = rows if at is None else rows.some(at)
        positive, units = self._positive(state, some, at, number)
        particles, encoded = state.sampler, positive if self._encode is None else self._encode(positive)
        if self._contrastive:
            particles = self._contrast(state, some, units, number)
        drawn = self.compiled.step(state.parameters, particles)
        negative = self._negative(state.parameters, drawn)
        gradient = difference(encoded, negative)
        along, shift = gradient, None
        if self.descent.centering:
            structure = self.compiled.structure
            along = centred(gradient, encoded, negative, structure)
            shift = partial(centred_shift, structure, 0.5 * (encoded.spins + negative.spins))
        parameters, velocity, clipped = self.descent.update(state.parameters, state.velocity, along, rate, shift)
        kept = state.units
        if units is not None and kept is not None:
            if at is None:
                kept = units
            else:
                kept = kept.copy()
                kept[at] = units
        after = LearnerState(state.iteration, parameters, velocity, drawn.state, kept, state.best, state.average)
        return after, Progress(drawn, encoded, negative, gradient, clipped)

    def _positive(self, state: LearnerState, some: Rows, at: AnyArray | None, number: int) -> Positive:
        if isinstance(self.positive, VisiblePhase) and at is None:
            # the data's moments do not change from step to step
            if self._fixed is None or self._fixed[0] is not some:
                self._fixed = some, self.positive.run(state.parameters, some.spins, None, 0).moments
            return Positive(self._fixed[1], None)
        if not self.positive.draws:
            return self.positive.run(state.parameters, some.spins, some.known, 0)
        assert state.units is not None  # noqa: S101 - init made them
        units = state.units if at is None else state.units[at]
        seed = child_seed(self.seed, _POSITIVE, state.iteration, number)
        return self.positive.run(state.parameters, units, some.known, seed)

    def _contrast(self, state: LearnerState, some: Rows, units: Spins | None, number: int) -> SamplerState:
        """Return particles that begin at the rows, hidden units drawn given them (where coupled, by mean field)."""
        path = (_CONTRAST, state.iteration, number)
        if units is None:
            rows = some.spins.astype(np.float64)
            if self._hidden is not None:
                means = self._hidden.means(state.parameters, rows)
            else:
                means = mean_field(self.positive.structure, self.positive.num_visible, state.parameters, rows)
            # streams that the sampler does not go on with
            streams = streams_from_seed(child_seed(self.seed, *path, 0), len(rows))
            hidden = bits_to_spins(uniforms(streams, means.shape[1]) < 0.5 * (1.0 + means))
            units = np.hstack([some.spins, hidden])
        return self.compiled.begin(units, child_seed(self.seed, *path))

    def _negative(self, parameters: Parameters, drawn: Step) -> Moments:
        if self._hidden is None:
            assert drawn.moments is not None  # noqa: S101 - compiled with want="moments"
            return drawn.moments
        assert drawn.spins is not None  # noqa: S101 - compiled with want="spins"
        return self._hidden.moments_given(parameters, drawn.spins)

    def visible_means(self, rows: Rows) -> Floats:
        """Return the means of what is known, (num_visible,)."""
        if rows.known is None:
            return np.asarray(rows.spins.mean(axis=0, dtype=np.float64))
        seen = np.maximum(rows.known.sum(axis=0), 1)
        return np.asarray((rows.spins * rows.known).sum(axis=0) / seen)
