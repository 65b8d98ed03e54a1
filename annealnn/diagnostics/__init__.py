"""What a sampler's reads say of the sampler: is it thermal, how hot is it, and how many of its sweeps count."""

from annealnn.diagnostics._effective_beta import (
    effective_beta,
    effective_beta_by_log_ratio,
    effective_beta_by_moment,
)
from annealnn.diagnostics._histogram import EnergyHistogram, energy_histogram
from annealnn.diagnostics._series import effective_sample_size, integrated_autocorrelation_time, split_r_hat
from annealnn.diagnostics._thermalisation import Thermalisation, thermalisation
from annealnn.diagnostics._value import ValueWithError

__all__ = [
    "EnergyHistogram",
    "Thermalisation",
    "ValueWithError",
    "effective_beta",
    "effective_beta_by_log_ratio",
    "effective_beta_by_moment",
    "effective_sample_size",
    "energy_histogram",
    "integrated_autocorrelation_time",
    "split_r_hat",
    "thermalisation",
]
