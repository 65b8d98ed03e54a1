"""Quantum Boltzmann machines rho = exp(-H) / Z: losses with their gradients, arrays in and arrays out.

- Eq. (1)'s machine of up to 12 units by diagonalisation: `exact_loss` and `bound_loss` (Amin et al. 2018),
  `pure_state_loss` (Kappen 2020). `clamped_moments`, the positive phase, takes any number of units.
- Semi-quantum restricted machines in closed form (Demidik et al. 2025).
- Relative-entropy training with any Pauli strings (Kieferova & Wiebe 2017).

Visible units are variables 0..num_visible-1. Distributions are over basis states: variable 0 is most significant,
basis digit 0 is spin +1. Those of `annealnn.datasets` are over bits, of which 1 is spin +1: reverse them.
"""

from annealnn.learning.quantum._clamped import clamped_moments
from annealnn.learning.quantum._exact import bound_loss, exact_loss, pure_state_loss, visible_probabilities
from annealnn.learning.quantum._fit import fit_quantum_machine, fit_semi_quantum_machine
from annealnn.learning.quantum._machine import QuantumMoments, QuantumParameters, visible_distribution
from annealnn.learning.quantum._minimise import Minimum
from annealnn.learning.quantum._pauli import (
    PauliOperators,
    fit_relative_entropy,
    pauli_gibbs_state,
    pauli_strings,
    pure_state,
    relative_entropy_loss,
)
from annealnn.learning.quantum._semi_quantum import (
    SemiQuantumParameters,
    semi_quantum_log_probabilities,
    semi_quantum_log_weights,
    semi_quantum_loss,
    semi_quantum_moments,
    semi_quantum_sweeps,
)
from annealnn.learning.quantum._training import (
    CompiledSemiQuantum,
    QuantumClampedPhase,
    SemiQuantumPhase,
    semi_quantum_log_partition,
    semi_quantum_parameters,
    semi_quantum_structure,
)

__all__ = [
    "CompiledSemiQuantum",
    "Minimum",
    "PauliOperators",
    "QuantumClampedPhase",
    "QuantumMoments",
    "QuantumParameters",
    "SemiQuantumParameters",
    "SemiQuantumPhase",
    "bound_loss",
    "clamped_moments",
    "exact_loss",
    "fit_quantum_machine",
    "fit_relative_entropy",
    "fit_semi_quantum_machine",
    "pauli_gibbs_state",
    "pauli_strings",
    "pure_state",
    "pure_state_loss",
    "relative_entropy_loss",
    "semi_quantum_log_partition",
    "semi_quantum_log_probabilities",
    "semi_quantum_log_weights",
    "semi_quantum_loss",
    "semi_quantum_moments",
    "semi_quantum_parameters",
    "semi_quantum_structure",
    "semi_quantum_sweeps",
    "visible_distribution",
    "visible_probabilities",
]
