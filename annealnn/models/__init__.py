"""Ising, QUBO and transverse-field Ising models: energies, conversions, exact statistics.

Sign (the whole package's, Eq. (1) of Markovic & Grollier 2020, each pair once)::

    H = - sum_{i<j} J_ij Z_i Z_j - sum_i h_i Z_i - sum_i gamma_i X_i

dimod's sign is the opposite: linear = -h, quadratic = -J. Only this package crosses that border.
"""

from annealnn.models._encodings import basis_digits_to_spins, bits_to_spins, spins_to_basis_digits, spins_to_bits
from annealnn.models._exact import ExactStatistics
from annealnn.models._ising import IsingModel, bqm_of_terms, terms_of_bqm
from annealnn.models._structure import Clamp, Moments, Parameters, Structure, dimod_terms
from annealnn.models._transverse import TransverseIsing, TransverseStatistics

__all__ = [
    "Clamp",
    "ExactStatistics",
    "IsingModel",
    "Moments",
    "Parameters",
    "Structure",
    "TransverseIsing",
    "TransverseStatistics",
    "basis_digits_to_spins",
    "bits_to_spins",
    "bqm_of_terms",
    "dimod_terms",
    "spins_to_basis_digits",
    "spins_to_bits",
    "terms_of_bqm",
]
