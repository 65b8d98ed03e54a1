"""For tests, ours and others': the conformance kit and statistical checks.

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
        "boltzmann_pvalue": "annealnn.testing._statistics",
        "parametrize": "annealnn.testing._cases",
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
    "boltzmann_pvalue",
    "parametrize",
    "two_sample_pvalue",
]
