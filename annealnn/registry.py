"""Names of samplers, and frozen recipes that open them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, final

import dimod

from annealnn.exceptions import UnknownSamplerError
from annealnn.models import Structure
from annealnn.samplers import CompiledSampler, compile_sampler
from annealnn.samplers._compiled import Want

__all__ = ["ENTRY_POINT_GROUP", "SamplerSpec", "open_compiled", "resolve_sampler", "sampler_names"]

ENTRY_POINT_GROUP = "annealnn.samplers"

_BUILT_IN = {
    "anneal": "annealnn.samplers:SimulatedAnnealingSampler",
    "exact": "annealnn.samplers:ExactSampler",
    "gibbs": "annealnn.samplers:GibbsSampler",
    # dwave-neal is retired; its sampler lives on in dwave-samplers
    "neal": "dwave.samplers:SimulatedAnnealingSampler",
    "path-integral": "annealnn.samplers:PathIntegralSampler",
    "master-equation": "annealnn.dynamics:AdiabaticMasterEquationAnnealer",
    "schrodinger": "annealnn.dynamics:SchrodingerAnnealer",
    "dephasing": "annealnn.dynamics:DephasingAnnealer",
    "quantum-anneal": "annealnn.samplers:SimulatedQuantumAnnealingSampler",
    "population-annealing": "annealnn.samplers:PopulationAnnealingSampler",
    "tempering": "annealnn.samplers:ParallelTemperingSampler",
}


def sampler_names() -> list[str]:
    """Return the names that a `SamplerSpec` may have, those of installed plug-ins included."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


_SECRETS = {"token", "api_token", "password", "secret"}


@final
@dataclass(frozen=True, slots=True)
class SamplerSpec:
    """A frozen recipe for a sampler: cheap to copy and to pickle, opened when a fit begins.

    Parameters
    ----------
    name : str
        A registry name, or "package.module:factory".
    parameters : mapping, optional
        Fixed keywords of its sampling, such as `num_sweeps`.

    Raises
    ------
    ValueError
        If a keyword is a credential.

    Examples
    --------
    >>> from annealnn import SamplerSpec
    >>> SamplerSpec("anneal", {"num_sweeps": 20, "beta_range": (0.1, 2.0)}).name
    'anneal'
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        parameters = dict(self.parameters)
        if secret := [key for key in parameters if key.lower() in _SECRETS]:
            msg = (
                f"a spec holds no credentials, for it is printed, copied and saved; got {secret[0]!r}. "
                "Put them in D-Wave's configuration"
            )
            raise ValueError(msg)
        object.__setattr__(self, "parameters", parameters)

    def open(self) -> dimod.Sampler:
        """Return the sampler. The fixed keywords are not applied here but where it samples.

        Raises
        ------
        UnknownSamplerError
            If the name is not known.
        """
        return _factory(self.name)()


def _factory(name: str) -> Any:
    path = _BUILT_IN.get(name)
    if path is None:
        for point in entry_points(group=ENTRY_POINT_GROUP):
            if point.name == name:
                return point.load()
        if ":" not in name:
            msg = f"a sampler name is one of {', '.join(sampler_names())}, or 'package.module:factory'; got {name!r}"
            raise UnknownSamplerError(msg)
        path = name
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        msg = (
            f"a sampler path names an importable factory, 'package.module:factory'; got {name!r}: {error}. "
            "Install its package, or run in its folder"
        )
        raise UnknownSamplerError(msg) from error


def resolve_sampler(sampler: Any, *, default: SamplerSpec) -> tuple[dimod.Sampler, dict[str, Any]]:
    """Return (sampler, fixed keywords) for None, a name, a spec, or a dimod sampler.

    Raises
    ------
    UnknownSamplerError
        If a name is not known.
    TypeError
        If it is none of these.
    """
    if sampler is None:
        sampler = default
    if isinstance(sampler, str):
        sampler = SamplerSpec(sampler)
    if isinstance(sampler, SamplerSpec):
        return sampler.open(), dict(sampler.parameters)
    if isinstance(sampler, dimod.Sampler):
        return sampler, {}
    msg = f"a sampler is None, a name, a SamplerSpec or a dimod.Sampler; got {type(sampler).__name__}"
    raise TypeError(msg)


def open_compiled(sampler: Any, structure: Structure, *, default: SamplerSpec, want: Want = "spins") -> CompiledSampler:
    """Return the learner's door of a sampler given in any of the ways that `resolve_sampler` takes."""
    opened, parameters = resolve_sampler(sampler, default=default)
    return compile_sampler(opened, structure, want=want, **parameters)
