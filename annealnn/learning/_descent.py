"""Steps along a gradient: rate, momentum, penalties, and the ranges that parameters keep to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, final

import numpy as np

from annealnn._validation import check_choice, check_count, check_number
from annealnn.kernels.gradients import centre_gradient
from annealnn.models import Moments, Parameters, Structure
from annealnn.typing import Bools, Floats

Schedule = Literal["linear", "constant", "cosine"]
SCHEDULES = ("linear", "constant", "cosine")


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
        if self == UNBOUNDED:
            return parameters, 0.0
        inside = Parameters(np.clip(parameters.fields, *self.fields), np.clip(parameters.couplings, *self.couplings))
        moved = sum(int((a != b).sum()) for a, b in zip(inside, parameters, strict=True))
        return inside, moved / max(1, sum(map(len, parameters)))


UNBOUNDED = Bounds()


class Held(NamedTuple):
    """Couplings that are not learned, and the value that they are held at."""

    couplings: Bools  #: (num_edges,)
    value: float

    def hold(self, parameters: Parameters) -> Parameters:
        """Return the parameters with these couplings at their value."""
        return parameters._replace(couplings=np.where(self.couplings, self.value, parameters.couplings))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """How parameters follow a gradient of the log-likelihood.

    Parameters
    ----------
    learning_rate : float
        Rate of the first step.
    num_epochs : int
        Passes over the data.
    schedule : "linear", "constant" or "cosine"
        The rate falls to `final_rate` over `num_epochs`, or stays.
    final_rate : float
    momentum : float
        What is kept of the step before.
    average : float
        The share of epochs, the last ones, whose parameters are averaged (Polyak & Juditsky 1992).
    weight_decay : float or (num_edges,)
        L2 penalty: weight_decay / 2 times the squares of the couplings, nats.
    l1 : float or (num_edges,)
        L1 penalty: l1 times the sizes of the couplings, nats; by soft thresholding, so that couplings become exactly 0.
    centering : bool
        Follow the gradient of centred spins s - mu, mu half way between the phases' means (Montavon & Mueller 2012;
        Cho, Raiko & Ilin 2011 call it the enhanced gradient): a step that is the same for spins as for bits.
    bounds : Bounds
    held : Held, optional
    """

    learning_rate: float
    num_epochs: int
    schedule: Schedule = "linear"
    final_rate: float = 0.0
    momentum: float = 0.5
    average: float = 0.0
    weight_decay: float | Floats = 0.0
    l1: float | Floats = 0.0
    centering: bool = False
    bounds: Bounds = UNBOUNDED
    held: Held | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_number("learning_rate", self.learning_rate, low=0.0, open_low=True)
        check_count("num_epochs", self.num_epochs)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_number("momentum", self.momentum, low=0.0, high=0.999)
        check_number("average", self.average, low=0.0, high=1.0)

    def rate(self, epoch: float) -> float:
        """Return the rate after so many epochs. Past the last, the final rate."""
        if self.schedule == "constant":
            return self.learning_rate
        done = min(1.0, epoch / self.num_epochs)
        left = 1.0 - done if self.schedule == "linear" else 0.5 * (1.0 + np.cos(np.pi * done))
        return self.final_rate + (self.learning_rate - self.final_rate) * float(left)

    def averaged(self, epoch: int, mean: Parameters | None, parameters: Parameters) -> Parameters | None:
        """Return the mean of the parameters after `epoch` epochs and of those before that count; None while none do."""
        first = self.num_epochs - round(self.average * self.num_epochs) + 1
        if epoch < first:
            return None
        share = 1.0 / (epoch - first + 1)
        if mean is None:
            return parameters
        return Parameters(*(old + share * (new - old) for old, new in zip(mean, parameters, strict=True)))

    def update(
        self,
        parameters: Parameters,
        velocity: Parameters,
        gradient: Parameters,
        rate: float,
        shift: Callable[[Floats], Floats] | None = None,
    ) -> tuple[Parameters, Parameters, float]:
        """Return the parameters and the velocity after one step, and the fraction of parameters that were clipped.

        `shift` is for a gradient of centred spins: it says how much fields gain, (num_variables,), where penalties
        change couplings by so much, (num_edges,). Without it a penalty on couplings would move the fields, too, and
        with them the point that is converged to.
        """
        by_field, along = gradient
        if np.any(self.weight_decay):
            decay = -self.weight_decay * parameters.couplings
            along = along + decay
            by_field = by_field if shift is None else by_field + shift(decay)
        moved = Parameters(
            self.momentum * velocity.fields + rate * by_field,
            self.momentum * velocity.couplings + rate * along,
        )
        fields, couplings = parameters.fields + moved.fields, parameters.couplings + moved.couplings
        if np.any(self.l1):
            least = rate / (1.0 - self.momentum) * self.l1
            shrunk = np.sign(couplings) * np.maximum(np.abs(couplings) - least, 0.0)
            fields = fields if shift is None else fields + shift(shrunk - couplings)
            couplings = shrunk
        inside, clipped = self.bounds.project(Parameters(fields, couplings))
        return inside if self.held is None else self.held.hold(inside), moved, clipped


def difference(positive: Moments, negative: Moments) -> Parameters:
    """Return the gradient of the log-likelihood: the moments of the positive phase minus those of the negative.

    Ackley, Hinton & Sejnowski (1985). For a transverse field the same difference is the gradient of the relative
    entropy S(rho_data || rho) where all units are visible (Benedetti et al. 2017), and of the bound of Amin et al.
    (2018) otherwise.
    """
    return Parameters(positive.spins - negative.spins, positive.pairs - negative.pairs)


def centred(gradient: Parameters, positive: Moments, negative: Moments, structure: Structure) -> Parameters:
    """Return the gradient with respect to centred spins, as a step of the parameters as they are."""
    fields, couplings = gradient.fields.copy(), gradient.couplings.copy()
    centre_gradient(structure.edges, 0.5 * (positive.spins + negative.spins), fields, couplings)
    return Parameters(fields, couplings)


def centred_shift(structure: Structure, offsets: Floats, change: Floats) -> Floats:
    """Return what fields gain, (num_variables,), where couplings change and those of centred spins s - mu do not.

    - sum_j mu_j change_ij; offsets mu (num_variables,), change (num_edges,).
    """
    (heads, tails), n = structure.ends, structure.num_variables
    pulled = np.bincount(heads, change * offsets[tails], n) + np.bincount(tails, change * offsets[heads], n)
    return np.asarray(-pulled, dtype=np.float64)


def mean_absolute(a: Floats, b: Floats) -> float:
    """Return the mean of abs(a - b); 0 for empty arrays."""
    return float(np.abs(a - b).mean()) if len(a) else 0.0
