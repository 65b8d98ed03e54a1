"""What a sampler's reads say of the sampler: is it thermal, how hot is it, and how many of its sweeps count.

Public names load on first use, so that samplers need not wait for scipy.stats.
"""

from typing import TYPE_CHECKING

from annealnn._lazy import attach

if TYPE_CHECKING:  # the same names for type checkers; tests/packaging holds the two lists together
    from annealnn.diagnostics._effective_beta import (
        effective_beta,
        effective_beta_by_log_ratio,
        effective_beta_by_moment,
    )
    from annealnn.diagnostics._histogram import EnergyHistogram, energy_histogram
    from annealnn.diagnostics._series import effective_sample_size, integrated_autocorrelation_time, split_r_hat
    from annealnn.diagnostics._thermalisation import Thermalisation, thermalisation
    from annealnn.diagnostics._value import ValueWithError
else:  # hidden from type checkers, for which a module's __getattr__ has every name
    __getattr__, __dir__, _ = attach(
        __name__,
        {
            "EnergyHistogram": "annealnn.diagnostics._histogram",
            "Thermalisation": "annealnn.diagnostics._thermalisation",
            "ValueWithError": "annealnn.diagnostics._value",
            "effective_beta": "annealnn.diagnostics._effective_beta",
            "effective_beta_by_log_ratio": "annealnn.diagnostics._effective_beta",
            "effective_beta_by_moment": "annealnn.diagnostics._effective_beta",
            "effective_sample_size": "annealnn.diagnostics._series",
            "energy_histogram": "annealnn.diagnostics._histogram",
            "integrated_autocorrelation_time": "annealnn.diagnostics._series",
            "split_r_hat": "annealnn.diagnostics._series",
            "thermalisation": "annealnn.diagnostics._thermalisation",
        },
    )

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
