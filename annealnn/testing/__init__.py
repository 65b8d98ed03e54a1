"""For tests, ours and others': statistical checks, and a slow readable twin of every kernel."""

from annealnn.testing._statistics import LOPSIDED, boltzmann_pvalue
from annealnn.testing._twins import (
    annealed_importance_sweeps_reference,
    heat_bath_sweeps_reference,
    metropolis_sweeps_reference,
    random_spins_reference,
    sum_moments_reference,
)

__all__ = [
    "LOPSIDED",
    "annealed_importance_sweeps_reference",
    "boltzmann_pvalue",
    "heat_bath_sweeps_reference",
    "metropolis_sweeps_reference",
    "random_spins_reference",
    "sum_moments_reference",
]
