"""Contestants that are samplers of this package.

Each read is a run of its own, from its own random start. `num_threads`, 1 unless given, is the number of cores.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from annealnn._validation import check_count
from annealnn.benchmark.contestants._compiled import CompiledContestant, Prepare, Prepared
from annealnn.benchmark.contestants._dimod import DimodContestant
from annealnn.benchmark.contestants._release import release
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.samplers import (
    CompiledSampler,
    ExactSampler,
    GibbsSampler,
    PathIntegralSampler,
    PopulationAnnealingSampler,
    SimulatedAnnealingSampler,
    SimulatedQuantumAnnealingSampler,
)
from annealnn.samplers._ladder import LadderRequest, choose_ladder
from annealnn.samplers._replicas import CompiledTempering
from annealnn.samplers._simulated_annealing import default_beta_range
from annealnn.samplers._simulated_quantum_annealing import typical_field

_DEFAULT_SWEEPS = 1000
# of the pilot that chooses a ladder: one ladder for all runs of a problem, on any machine
_PILOT_SEED = 0


def anneal(*, num_threads: int = 1, **settings: Any) -> CompiledContestant:
    """Return simulated annealing. Effort: sweeps of a read.

    Unless told otherwise betas are those that `SimulatedAnnealingSampler.sample` chooses for each problem, in geometric
    progression, and spins are accepted by Metropolis, as in dwave-samplers. Settings are those of its `compile`.
    """
    given = _checked(SimulatedAnnealingSampler().compile, settings)
    fixed = {"beta_schedule_type": "geometric", "proposal_acceptance_criteria": "Metropolis"} | given

    def prepare(structure: Structure, parameters: Parameters) -> Prepared:
        chosen = dict(fixed)
        if "beta_range" not in given and "beta_schedule" not in given:
            chosen["beta_range"] = default_beta_range(structure, parameters)
        return _compile(SimulatedAnnealingSampler().compile, structure, chosen, num_threads)

    return _ours(prepare, num_threads)


def gibbs(*, num_threads: int = 1, **settings: Any) -> CompiledContestant:
    """Return heat-bath sweeps at one `beta`, 1 unless given. Effort: sweeps of a read from its random start."""
    given = _checked(GibbsSampler().compile, settings)

    def prepare(structure: Structure, _parameters: Parameters) -> Prepared:
        return _compile(GibbsSampler().compile, structure, given, num_threads)

    return _ours(prepare, num_threads)


def tempering(
    *,
    beta: float | None = None,
    num_replicas: int | None = None,
    beta_range: tuple[float, float] | None = None,
    betas: list[float] | None = None,
    cluster_moves: bool | str = "auto",
    num_threads: int = 1,
) -> CompiledContestant:
    """Return parallel tempering. Effort: sweeps of each replica of a read.

    A read is a ladder of its own (two where clusters are flipped), from its own random start, and gives the replica at
    `beta` after the last sweep: its seconds are those of all replicas. `beta` is where an annealer of the same problem
    ends, unless it is given. The pilot that chooses the ladder runs once for each problem, from a fixed seed, and its
    seconds are the client's.
    """

    def prepare(structure: Structure, parameters: Parameters) -> Prepared:
        cold = beta
        if beta is None and beta_range is None and betas is None:
            cold = default_beta_range(structure, parameters)[1]
        request = LadderRequest.of(cold, betas, beta_range, num_replicas)
        ladder = choose_ladder(structure, parameters, _PILOT_SEED, request, cluster_moves)

        def compile_(effort: int | None) -> CompiledSampler:
            return CompiledTempering(
                structure, ladder, num_sweeps=effort or _DEFAULT_SWEEPS, want="spins", num_threads=num_threads
            )

        at = {"betas": ladder.betas.tolist(), "beta": float(ladder.betas[ladder.target])}
        return Prepared(compile_, at | {"cluster_betas": ladder.betas[list(ladder.rungs)].tolist()})

    return _ours(prepare, num_threads)


def quantum_anneal(*, num_threads: int = 1, **settings: Any) -> CompiledContestant:
    """Return simulated quantum annealing. Effort: sweeps of a read, each over all of its `num_slices` slices.

    Unless given, beta and the range of the transverse field are those that `SimulatedQuantumAnnealingSampler.sample`
    chooses for each problem.
    """
    given = _checked(SimulatedQuantumAnnealingSampler().compile, settings)

    def prepare(structure: Structure, parameters: Parameters) -> Prepared:
        field = typical_field(structure, parameters)
        num_slices = check_count("num_slices", given.get("num_slices", 16), minimum=2)
        fitted = {"beta": num_slices / field, "gamma_range": (field, field / 100), "num_slices": num_slices}
        return _compile(SimulatedQuantumAnnealingSampler().compile, structure, fitted | given, num_threads)

    return _ours(prepare, num_threads)


def exact(*, beta: float = 1.0) -> CompiledContestant:
    """Return independent reads of the Boltzmann distribution at `beta`: the oracle. There is no effort.

    All seconds count as annealing: those of the enumeration or of the tree decomposition, which do not grow with reads.
    """

    def prepare(structure: Structure, _parameters: Parameters) -> Prepared:
        return Prepared(lambda _effort: ExactSampler().compile(structure, beta=beta), {"beta": beta})

    return CompiledContestant(prepare, version=release("annealnn"), effort_name="")


def population_annealing(*, num_threads: int = 1, **settings: Any) -> DimodContestant:
    """Return population annealing. Effort: sweeps of each of the `population_size` replicas of a read.

    A read is a population of its own and gives one of its replicas, drawn at random: a success is that this one has the
    energy, and the seconds are those of all. `beta`, at the end, is where an annealer of the same problem ends, unless
    it is given.
    """

    def fitted(model: IsingModel) -> dict[str, Any]:
        return {"beta": default_beta_range(model.structure, model.parameters)[1]}

    return _by_dimod(PopulationAnnealingSampler(), settings, num_threads, fitted)


def path_integral(*, num_threads: int = 1, **settings: Any) -> DimodContestant:
    """Return thermal reads under a transverse field, by path-integral Monte Carlo. Effort: sweeps of a read.

    `beta` and `gamma` are 1 unless given: reads are not those of the problem alone.
    """
    return _by_dimod(PathIntegralSampler(), settings, num_threads)


def _ours(prepare: Prepare, num_threads: int) -> CompiledContestant:
    return CompiledContestant(prepare, version=release("annealnn"), num_cores=check_count("num_threads", num_threads))


def _by_dimod(
    sampler: Any,
    settings: Mapping[str, Any],
    num_threads: int,
    fitted: Callable[[IsingModel], Mapping[str, Any]] | None = None,
) -> DimodContestant:
    return DimodContestant(
        sampler,
        version=release("annealnn"),
        effort_name="num_sweeps",
        keywords={"progress": False, "num_threads": check_count("num_threads", num_threads), **settings},
        fitted=fitted,
        num_cores=num_threads,
    )


def _checked(compile_: Callable[..., CompiledSampler], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that a sampler's `compile` takes.

    Raises
    ------
    ValueError
        If it does not know one, or it is not for a benchmark to set.
    """
    taken = sorted({*inspect.signature(compile_).parameters} - {"structure", "want", "num_sweeps", "num_threads"})
    if unknown := [name for name in settings if name not in taken]:
        msg = f"settings are {', '.join([*taken, 'num_threads'])}; got {unknown[0]!r}. Sweeps are the effort"
        raise ValueError(msg)
    return dict(settings)


def _compile(
    compile_: Callable[..., CompiledSampler], structure: Structure, keywords: Mapping[str, Any], num_threads: int
) -> Prepared:
    def of_effort(effort: int | None) -> CompiledSampler:
        return compile_(structure, num_sweeps=effort or _DEFAULT_SWEEPS, num_threads=num_threads, **keywords)

    return Prepared(of_effort, dict(keywords))
