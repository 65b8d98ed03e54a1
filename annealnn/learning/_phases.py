"""The positive phase: moments of all units with the visible ones clamped to rows of data.

Visible units are variables 0..num_visible-1 of the graph, hidden units come after them.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, final

import numpy as np

from annealnn.kernels.gradients import hidden_moments
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.samplers import CompiledSampler
from annealnn.typing import AnyArray, Floats, Spins

# mean-field iterations end when no mean moves by more than this
_TOLERANCE, _MOST_ITERATIONS = 1e-5, 200


class Positive(NamedTuple):
    """What a positive phase gives."""

    moments: Moments
    units: Spins | None  #: (num_rows, num_units), where the phase draws them: what the next one begins with


class PositivePhase(ABC):
    """Abstract. `draws` says whether the phase samples, and so keeps the hidden spins of every row between steps."""

    draws = False

    def __init__(self, structure: Structure, num_visible: int) -> None:
        self.structure, self.num_visible = structure, num_visible

    @abstractmethod
    def run(self, parameters: Parameters, units: Spins, known: AnyArray | None, seed: int) -> Positive:
        """Return the moments with the visible part of `units` clamped.

        `units` is (num_rows, num_units), or (num_rows, num_visible) for a phase that does not draw.

        `known` (num_rows, num_visible) is False where a row's value is missing: there it is summed over. None means
        that all are known.
        """


@final
class VisiblePhase(PositivePhase):
    """There are no hidden units: the moments are the data's."""

    def run(self, parameters: Parameters, units: Spins, known: AnyArray | None, seed: int) -> Positive:
        """Return the data's moments."""
        return Positive(self.structure.moments_of(units), None)


@final
class HiddenFields:
    """Fields on hidden units given visible ones, for hidden units that are not coupled to each other.

    `moments` and the means of hidden units are exact, for P(h | v) is a product; of restricted
    and semi-restricted machines in float32.
    """

    def __init__(self, structure: Structure, num_visible: int) -> None:
        self.num_visible = num_visible
        self.num_hidden = structure.num_variables - num_visible
        heads, tails = structure.ends
        if (heads >= num_visible).any():
            k = int(np.flatnonzero(heads >= num_visible)[0])
            msg = f"hidden units that are summed over at once are not coupled; got the edge {(heads[k], tails[k])}"
            raise ValueError(msg)
        self._to_hidden = tails >= num_visible
        flat = heads * self.num_hidden + tails - num_visible
        self._places = flat[self._to_hidden]
        self._pairs, self._ends = heads * structure.num_variables + tails, (heads, tails)
        # edges among visible units, if those to hidden units come after them and are all there are, row by row
        lateral = int((~self._to_hidden).sum())
        every = np.arange(num_visible * self.num_hidden)
        self._lateral = lateral if np.array_equal(flat[lateral:], every) and self._to_hidden[lateral:].all() else None

    @property
    def in_float32(self) -> bool:
        """Whether moments come from a kernel: where each visible unit is coupled to each hidden one, in order."""
        return self._lateral is not None

    def weights(self, parameters: Parameters) -> Floats:
        """Return the couplings of visible to hidden units, (num_visible, num_hidden)."""
        if self._lateral is not None:
            return parameters.couplings[self._lateral :].reshape(self.num_visible, self.num_hidden)
        matrix = np.zeros((self.num_visible, self.num_hidden))
        matrix.reshape(-1)[self._places] = parameters.couplings[self._to_hidden]
        return matrix

    def fields(self, parameters: Parameters, rows: Floats) -> Floats:
        """Return the field on every hidden unit, (num_rows, num_hidden), for rows (num_rows, num_visible)."""
        return np.asarray(rows @ self.weights(parameters) + parameters.fields[self.num_visible :])

    def means(self, parameters: Parameters, rows: Floats) -> Floats:
        """Return the means of the hidden spins, (num_rows, num_hidden)."""
        return np.tanh(self.fields(parameters, rows))

    def moments(self, rows: Floats, hidden: Floats) -> Moments:
        """Return the moments of rows (num_rows, num_visible) and means of hidden spins (num_rows, num_hidden)."""
        scale = 1.0 / len(rows)
        spins = np.concatenate([rows.sum(axis=0), hidden.sum(axis=0)]) * scale
        products = np.hstack([rows.T @ rows, rows.T @ hidden]) * scale
        return Moments(spins, products.reshape(-1)[self._pairs])

    def moments_given(self, parameters: Parameters, spins: Spins) -> Moments:
        """Return the moments of visible spins and the means of hidden ones given them.

        Where each visible unit is coupled to each hidden one, in float32, as sweeps are.

        Parameters
        ----------
        parameters : Parameters
        spins : (num_rows, at least num_visible)
            Visible ones first; the rest is not looked at.
        """
        if self._lateral is None:
            rows = spins[:, : self.num_visible].astype(np.float64)
            return self.moments(rows, self.means(parameters, rows))
        found, at = Moments(np.empty(len(parameters.fields)), np.empty(len(parameters.couplings))), self._lateral
        hidden_moments(
            spins, self.num_visible, parameters.fields, parameters.couplings[at:], found.spins, found.pairs[at:]
        )
        if at:
            seen = spins[:, : self.num_visible].astype(np.float32)
            products = seen.T @ seen
            heads, tails = self._ends
            # whole numbers, exact in float32 up to 16 million rows
            found.pairs[:at] = products[heads[:at], tails[:at]] / len(seen)
        return found


@final
class FactorisedPhase(PositivePhase):
    """Hidden units are not coupled to each other: their means given a row are exact."""

    def __init__(self, structure: Structure, num_visible: int) -> None:
        super().__init__(structure, num_visible)
        self.hidden = HiddenFields(structure, num_visible)

    def run(self, parameters: Parameters, units: Spins, known: AnyArray | None, seed: int) -> Positive:
        """Return the exact moments."""
        return Positive(self.hidden.moments_given(parameters, units), None)


def mean_field(
    structure: Structure, num_visible: int, parameters: Parameters, rows: Floats, gammas: float | Floats = 0.0
) -> Floats:
    """Return the mean-field means of hidden spins given rows (num_rows, num_visible): (num_rows, num_hidden).

    Each hidden unit sees the means of the others (Peterson & Anderson 1987), in half steps to a fixed point from the
    means that the visible units alone would give. Exact where hidden units are not coupled. A row's means do not depend
    on the other rows. `gammas` are the transverse fields of hidden units: a spin in a field f along Z has the mean
    (f / D) tanh D, D^2 = f^2 + gamma^2.
    """

    def alone(field: Floats) -> Floats:
        length = np.hypot(field, gammas)
        return np.divide(field * np.tanh(length), length, out=np.zeros_like(field), where=length > 0)

    nv = num_visible
    couplings = structure.dense(parameters.couplings)
    outer = rows @ couplings[:nv, nv:] + parameters.fields[nv:]
    inner = couplings[nv:, nv:]
    means = alone(outer)
    left = np.arange(len(rows))
    for _ in range(_MOST_ITERATIONS):
        moved = 0.5 * (alone(outer[left] + means[left] @ inner) - means[left])
        means[left] += moved
        left = left[np.abs(moved).max(axis=1, initial=0.0) > _TOLERANCE]
        if not len(left):
            break
    return np.asarray(means)


@final
class MeanFieldPhase(PositivePhase):
    """The moments of the product of mean-field means: fast, biased where hidden units are coupled."""

    def run(self, parameters: Parameters, units: Spins, known: AnyArray | None, seed: int) -> Positive:
        """Return the moments."""
        rows = units[:, : self.num_visible].astype(np.float64)
        hidden = mean_field(self.structure, self.num_visible, parameters, rows)
        return Positive(self.structure.moments_of(np.hstack([rows, hidden])), None)


@final
class SampledPhase(PositivePhase):
    """A sampler draws what is not clamped, for all rows in one call; what it drew is where the next call begins.

    With `hidden`, the exact means of hidden units given the visible ones take the place of their spins.
    """

    draws = True

    def __init__(
        self,
        structure: Structure,
        num_visible: int,
        compiled: CompiledSampler,
        hidden: HiddenFields | None = None,
    ) -> None:
        super().__init__(structure, num_visible)
        self._compiled, self._hidden = compiled, hidden
        self._variables = np.arange(num_visible)

    def run(self, parameters: Parameters, units: Spins, known: AnyArray | None, seed: int) -> Positive:
        """Return the moments of one read for every row."""
        clamp = Clamp(self._variables, units[:, : self.num_visible], known)
        step = self._compiled.step(parameters, self._compiled.begin(units, seed), clamp)
        reads = self._compiled.reads(step.state)
        if self._hidden is None:
            return Positive(step.moments or self.structure.moments_of(reads), reads)
        return Positive(self._hidden.moments_given(parameters, reads), reads)
