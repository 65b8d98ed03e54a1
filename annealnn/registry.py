"""Names of samplers, and frozen recipes that open them."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Self, final

import dimod

from annealnn._secrets import is_secret_name, is_secret_text
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
    "qpu": "annealnn.qpu:open_qpu",
    "tempering": "annealnn.samplers:ParallelTemperingSampler",
}


# what takes an account, or the stand-in for one
_REMOTE = {"qpu"}


def sampler_names(*, local: bool = False) -> list[str]:
    """Return the names that a `SamplerSpec` may have, those of installed plug-ins included.

    Parameters
    ----------
    local : bool
        Leave out those that need an account.
    """
    names = {*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))}
    return sorted(names - _REMOTE if local else names)


# where and how jobs are sent, which does not shape their reads
_NOT_OF_THE_READS = {"profile", "region", "config_file", "journal", "budget_us", "resubmit_in_doubt"}


@final
@dataclass(frozen=True, slots=True)
class SamplerSpec:
    """A frozen recipe for a sampler: cheap to copy and to pickle, opened when a fit begins.

    Parameters
    ----------
    name : str
        A registry name, or "package.module:factory".
    parameters : mapping, optional
        Fixed keywords of its sampling, such as `num_sweeps`. `reuse_steps` is any sampler's: for how many steps of a
        learner its reads are used.
    opening : mapping, optional
        Keywords of its factory, such as a solver's name. `SamplerSpec.qpu` names those of a processor.

    Raises
    ------
    ValueError
        If a keyword or a value, at any depth, is a credential.

    Examples
    --------
    >>> from annealnn import SamplerSpec
    >>> SamplerSpec("anneal", {"num_sweeps": 20, "beta_range": (0.1, 2.0)}).name
    'anneal'
    >>> SamplerSpec.qpu(solver={"topology__type": "zephyr"}, num_gauges=4, annealing_time=5.0)
    SamplerSpec('qpu', {'annealing_time': 5.0}, {'solver': {'topology__type': 'zephyr'}, 'num_gauges': 4})
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    opening: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for secret in _secrets_in([self.parameters, self.opening]):
            msg = (
                f"a spec holds no credentials, for it is printed, copied and saved; got {secret}. "
                "Put them in D-Wave's configuration: a profile of `dwave config create`, or DWAVE_API_TOKEN"
            )
            raise ValueError(msg)
        object.__setattr__(self, "parameters", dict(self.parameters))
        object.__setattr__(self, "opening", deepcopy(dict(self.opening)))

    def __repr__(self) -> str:
        opening = f", {self.opening!r}" if self.opening else ""
        return f"SamplerSpec({self.name!r}, {self.parameters!r}{opening})"

    @classmethod
    def qpu(
        cls,
        *,
        profile: str | None = None,
        solver: str | Mapping[str, Any] | None = None,
        region: str | None = None,
        config_file: str | bool | None = None,
        embedding: Any = None,
        num_copies: int = 1,
        num_gauges: int = 1,
        journal: Any = None,
        experiment: str = "",
        budget_us: float | None = None,
        reuse_steps: int = 1,
        resubmit_in_doubt: bool = False,
        quench: Any = None,
        **defaults: Any,
    ) -> Self:
        """Return the recipe of a processor, opened through the user's own D-Wave configuration.

        Parameters
        ----------
        profile, region, config_file : str, optional
            Of D-Wave's configuration. None leaves each to the environment and the configuration file; `config_file`
            False reads no file.
        solver : str or mapping, optional
            A solver's name, or the features that it must have: `{"topology__type": "zephyr"}`.
        embedding : optional
            Variables are embedded in the working graph in this way: a `MinorEmbedding` or a mapping from variable to
            qubits; "find" finds one for each graph. None: variables are qubits.
        num_copies : int
            Above 1, as many copies of a small problem, or of what held rows leave free, share one job on disjoint
            parts of the working graph.
        num_gauges : int
            Random gauges (spin-reversal transforms) that reads are averaged over; 1 sends problems as they are.
        journal : path, optional
            Of the journal. None: that of `$ANNEALNN_JOURNAL`, else one in the user's data folder.
        experiment : str
            Names the reads. Another name draws other reads, the same name takes those that the journal has.
        budget_us : float, optional
            QPU access time that the experiment may take, microseconds. It stops before that is broken.
        reuse_steps : int
            For how many steps of a learner reads are used.
        resubmit_in_doubt : bool
            Send jobs again of which it cannot be found out whether they were accepted: they may be paid twice.
        quench : QuenchPlan, optional
            How a machine with a transverse field is annealed, paused and quenched.
        **defaults
            Fixed keywords of its sampling: `annealing_time` (microseconds), `auto_scale`, what the solver advertises.
        """
        given = {
            "profile": (profile, None),
            "solver": (solver, None),
            "region": (region, None),
            "config_file": (config_file, None),
            "embedding": (embedding, None),
            "num_copies": (num_copies, 1),
            "num_gauges": (num_gauges, 1),
            "journal": (None if journal is None else str(journal), None),
            "experiment": (experiment, ""),
            "budget_us": (budget_us, None),
            "resubmit_in_doubt": (resubmit_in_doubt, False),
            "quench": (quench, None),
        }
        # what is left out equals what is given as it would be anyway
        opening = {name: value for name, (value, default) in given.items() if value is not default and value != default}
        return cls("qpu", {**defaults, "reuse_steps": reuse_steps} if reuse_steps != 1 else defaults, opening)

    @property
    def shaping(self) -> dict[str, Any]:
        """What of `opening` shapes reads: all but the way to the solver, the journal and the budget."""
        return {name: value for name, value in self.opening.items() if name not in _NOT_OF_THE_READS}

    def open(self) -> dimod.Sampler:
        """Return the sampler. The fixed keywords are not applied here but where it samples.

        Raises
        ------
        UnknownSamplerError
            If the name is not known.
        QPUError
            If a processor cannot be opened, saying what to configure.
        """
        sampler: dimod.Sampler = _factory(self.name)(**self.opening)
        return sampler


def _secrets_in(value: Any) -> Iterator[str]:
    """Yield what looks like a credential among keywords, at any depth: a keyword's name, never its value."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if is_secret_name(str(key)):
                yield repr(key)
            else:
                yield from (f"one under {key!r}" if found == "one" else found for found in _secrets_in(part))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _secrets_in(part)
    elif isinstance(value, str) and is_secret_text(value):
        yield "one"


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
