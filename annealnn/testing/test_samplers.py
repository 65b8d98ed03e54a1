"""Every sampler under test keeps every rule of the kit: run by `pytest --pyargs annealnn.testing`."""

from annealnn.testing._cases import Check, parametrize
from annealnn.testing._sampler_checks import SAMPLER_CHECKS, SamplerCase
from annealnn.testing._samplers import sampler_cases


@parametrize(sampler_cases(), SAMPLER_CHECKS)
def test_sampler(case: SamplerCase, check: Check) -> None:
    """One rule, one sampler."""
    check(case)
