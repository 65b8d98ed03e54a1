"""For tests, ours and others': the conformance kit, statistical checks, and a slow readable twin of every kernel.

`pytest --pyargs annealnn.testing` puts every sampler, estimator, data set and embedding to the kit. With
`ANNEALNN_TEST_SAMPLERS=package:factory` (or a registry name; or `ANNEALNN_TEST_ESTIMATORS`; several are separated by
commas) it tests yours and nothing else; a module in the working folder will do. Or in a test of your own::

    from annealnn.testing import SAMPLER_CHECKS, SamplerCase, parametrize

    @parametrize([SamplerCase(name="mine", make=MySampler)], SAMPLER_CHECKS)
    def test_sampler(case, check):
        check(case)
"""

from typing import TYPE_CHECKING

from annealnn._lazy import attach

if TYPE_CHECKING:  # the same names for type checkers; tests/packaging holds the two lists together
    from annealnn.testing._cases import Check, parametrize
    from annealnn.testing._estimator_checks import ESTIMATOR_CHECKS, EstimatorCase
    from annealnn.testing._sampler_checks import SAMPLER_CHECKS, SamplerCase
    from annealnn.testing._statistics import FALSE_ALARM, LOPSIDED, boltzmann_pvalue, two_sample_pvalue
    from annealnn.testing._twins import (
        annealed_importance_sweeps_reference,
        fill_uniforms_reference,
        heat_bath_sweeps_reference,
        metropolis_sweeps_reference,
        random_spins_reference,
        sum_moments_reference,
    )

# lazy, so that pytest's settings for scipy come before scipy
__getattr__, __dir__, _ = attach(
    __name__,
    {
        "Check": "annealnn.testing._cases",
        "ESTIMATOR_CHECKS": "annealnn.testing._estimator_checks",
        "EstimatorCase": "annealnn.testing._estimator_checks",
        "FALSE_ALARM": "annealnn.testing._statistics",
        "LOPSIDED": "annealnn.testing._statistics",
        "SAMPLER_CHECKS": "annealnn.testing._sampler_checks",
        "SamplerCase": "annealnn.testing._sampler_checks",
        "annealed_importance_sweeps_reference": "annealnn.testing._twins",
        "boltzmann_pvalue": "annealnn.testing._statistics",
        "fill_uniforms_reference": "annealnn.testing._twins",
        "heat_bath_sweeps_reference": "annealnn.testing._twins",
        "metropolis_sweeps_reference": "annealnn.testing._twins",
        "parametrize": "annealnn.testing._cases",
        "random_spins_reference": "annealnn.testing._twins",
        "sum_moments_reference": "annealnn.testing._twins",
        "two_sample_pvalue": "annealnn.testing._statistics",
    },
)
__all__ = [
    "ESTIMATOR_CHECKS",
    "FALSE_ALARM",
    "LOPSIDED",
    "SAMPLER_CHECKS",
    "Check",
    "EstimatorCase",
    "SamplerCase",
    "annealed_importance_sweeps_reference",
    "boltzmann_pvalue",
    "fill_uniforms_reference",
    "heat_bath_sweeps_reference",
    "metropolis_sweeps_reference",
    "parametrize",
    "random_spins_reference",
    "sum_moments_reference",
    "two_sample_pvalue",
]
