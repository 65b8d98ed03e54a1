"""The samplers under test: ours and Ocean's, found and not listed."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import dimod

from annealnn.testing._cases import discover, own_packages, strangers
from annealnn.testing._sampler_checks import SamplerCase

OCEAN = ("dimod", "dwave.preprocessing", "dwave.samplers", "dwave.system", "dwave.system.testing")
VARIABLE = "ANNEALNN_TEST_SAMPLERS"


def sampler_cases() -> list[SamplerCase]:
    """Return the rows: the samplers that `ANNEALNN_TEST_SAMPLERS` names if it is set, else ours and Ocean's.

    Raises
    ------
    UnknownSamplerError
        If a name or path is not known.
    """
    from annealnn.registry import SamplerSpec

    if named := [(name, SamplerSpec(name)) for name in strangers(VARIABLE)]:
        for _, spec in named:
            spec.open()
        return [SamplerCase(name=name, make=spec.open) for name, spec in named]
    return own_samplers() + ocean_samplers()


def own_samplers() -> list[SamplerCase]:
    """Return every public sampler and composite of this package; composites stand over a Gibbs sampler."""
    return [_case(cls, make=_EMBEDDING.get(cls.__name__)) for cls in discover(dimod.Sampler, own_packages())]


def ocean_samplers() -> list[SamplerCase]:
    """Return Ocean's samplers and composites, with the rules that each is known to break."""
    from annealnn.testing._ocean import EXCUSED, KEYWORDS, KNOWN_FAILURES, MAKERS

    cases = []
    for cls in discover(dimod.Sampler, OCEAN):
        name = f"{cls.__module__.split('.')[0]}.{cls.__name__}"
        if cls.__name__ in EXCUSED:
            continue
        known = {check: reason for (check, reason), names in KNOWN_FAILURES.items() if name in names}
        make = MAKERS.get(cls.__name__)
        cases.append(_case(cls, name=name, make=make, keywords=KEYWORDS.get(name, {}), known_failures=known))
    return cases


@cache
def _embedding(name: str) -> dimod.Sampler:
    """Return a composite over a graph of its own; one for all checks, as it finds its embeddings once."""
    from annealnn import samplers

    made: dimod.Sampler = getattr(samplers, name)(samplers.GibbsSampler(), target="chimera-4")
    return made


_EMBEDDING: dict[str, Callable[[], dimod.Sampler]] = {
    name: partial(_embedding, name) for name in ("EmbeddedSampler", "PackedSampler")
}


def _case(cls: type, *, name: str | None = None, make: Callable[[], Any] | None = None, **rest: Any) -> SamplerCase:
    from annealnn.samplers import GibbsSampler

    if make is None:
        make = (lambda: cls(GibbsSampler())) if issubclass(cls, dimod.Composite) else partial(cls)
    return SamplerCase(name=name or cls.__name__, make=make, **rest)
