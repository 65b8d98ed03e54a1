"""How strongly the qubits of a chain are coupled: rules that look at a problem, and a number that does not."""

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from annealnn._validation import check_number
from annealnn.models import Parameters, Structure


class ChainStrength(Protocol):
    """A rule for the coupling inside chains, J > 0 in Eq. (1)'s sign, in the problem's energy units.

    A rule follows the problem: over a training it drifts with the weights. A number does not; a rule called once, at
    parameters such as a training is expected to reach, gives one.
    """

    def __call__(self, structure: Structure, parameters: Parameters) -> float:
        """Return the chain strength of a problem over variables."""


@final
@dataclass(frozen=True, slots=True)
class UniformTorqueCompensation:
    """`prefactor` times the root mean square of J, times the root of the mean degree (dwave-system's rule).

    The torque that random neighbours put on a chain (Raymond et al. 2020, arXiv 2003.00133). 1 without couplings.
    """

    prefactor: float = 1.414

    def __post_init__(self) -> None:
        check_number("prefactor", self.prefactor, low=0.0, open_low=True)

    def __call__(self, structure: Structure, parameters: Parameters) -> float:
        """Return the chain strength of a problem over variables."""
        if not structure.num_edges:
            return 1.0
        mean_degree = 2 * structure.num_edges / structure.num_variables
        rms = np.sqrt(np.mean(np.square(parameters.couplings)))
        return float(self.prefactor * rms * np.sqrt(mean_degree))


@final
@dataclass(frozen=True, slots=True)
class ScaledStrength:
    """`prefactor` times the largest magnitude of h or J (dwave-system's `scaled`). 1 without couplings."""

    prefactor: float = 1.0

    def __post_init__(self) -> None:
        check_number("prefactor", self.prefactor, low=0.0, open_low=True)

    def __call__(self, structure: Structure, parameters: Parameters) -> float:
        """Return the chain strength of a problem over variables."""
        if not structure.num_edges:
            return 1.0
        return float(self.prefactor * max(np.abs(parameters.fields).max(), np.abs(parameters.couplings).max()))


@final
@dataclass(frozen=True, slots=True)
class FixedStrength:
    """One number for all problems: it does not drift while weights are learned."""

    value: float

    def __post_init__(self) -> None:
        check_number("chain_strength", self.value, low=0.0, open_low=True)

    def __call__(self, structure: Structure, parameters: Parameters) -> float:  # noqa: ARG002 - the same for all
        """Return the number."""
        return float(self.value)


def chain_strength_rule(given: float | ChainStrength) -> ChainStrength:
    """Return the rule that is given, or that of a number.

    Raises
    ------
    ValueError
        If it is neither a number above 0 nor callable.
    """
    if callable(given):
        return given
    return FixedStrength(check_number("chain_strength", given, low=0.0, open_low=True))
