"""How well a machine learns from a contestant: the same gradient steps for all, from as many reads."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import dimod
import numpy as np

from annealnn._rng import child_seed
from annealnn._validation import check_count, check_number
from annealnn.benchmark._contestant import Contestant, ContestantSpec, TimeSplit
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._task import Task
from annealnn.benchmark.contestants import contestant_version, open_contestant
from annealnn.datasets import make_bars_and_stripes, make_bernoulli_mixture
from annealnn.diagnostics import effective_beta
from annealnn.estimators import BoltzmannMachine
from annealnn.exceptions import ProblemRefusedError, UnknownFamilyError
from annealnn.models import IsingModel, bits_to_spins
from annealnn.typing import Bits, Spins

#: of a machine whose likelihood is summed exactly
MOST_VARIABLES = 20
# settings at which a contestant draws at beta = 1, or ends there; those of a task come first
_AT_BETA_ONE: dict[str, dict[str, Any]] = {
    "anneal": {"beta_range": [0.05, 1.0], "beta_schedule_type": "linear"},
    "dwave-path-integral": {"beta_range": [0.05, 1.0]},
    "exact": {"beta": 1.0},
    "gibbs": {"beta": 1.0},
    "neal": {"beta_range": [0.05, 1.0], "beta_schedule_type": "linear"},
    "openjij-sa": {"beta_min": 0.05, "beta_max": 1.0},
    "openjij-sqa": {"beta": 1.0},
    "population-annealing": {"beta": 1.0},
    "quantum-anneal": {"beta": 1.0, "gamma_range": [3.0, 0.01]},
    # a ladder of its own would be sought at each step
    "tempering": {"betas": [0.25, 0.5, 0.75, 1.0], "cluster_moves": False},
}
# whose temperature is not known: a factor that follows the parameters would change it from step to step. The strongest
# chains that the processors take
_ON_A_CHIP = {"auto_scale": False, "embedding": "find", "chain_strength": 2.0}
_UNKNOWN: dict[str, dict[str, Any]] = {"qpu": _ON_A_CHIP, "standin": _ON_A_CHIP}
# these answer with low energies, at no temperature
_SOLVERS = ("planar", "tabu", "tree")
_DEFAULTS = {"n_iter": 300, "learning_rate": 0.1, "momentum": 0.5}
_LAST = 1


def train(task: Task) -> dict[str, Any]:
    """Return how a fully visible Boltzmann machine learns from a contestant's reads.

    Each of `n_iter` gradient steps takes its negative phase from `num_reads` fresh reads, and its positive phase from
    all rows; rates, momentum and schedule are the same for every contestant (`BoltzmannMachine`). Log-likelihoods are
    exact, by enumeration, at beta = 1; for a contestant whose temperature is not known (a processor, a plug-in), at
    the effective beta of as many last reads: it is what the contestant has been taught to draw from.

    Parameters
    ----------
    task : Task
        Of kind "train". Its instance names the data: "bars-and-stripes", of `size` x `size` pixels, or
        "bernoulli-mixture", of `size` bits, with options `n_samples`, `n_modes`, `p`. Options: `n_iter`,
        `learning_rate`, `momentum`.

    Returns
    -------
    dict
        `log_likelihood`: nats per row. `untrained`: of the machine before the first step, all states alike. `exact`:
        of one that learned in the same steps from as many exact reads. `num_variables`; `num_rows`; `num_samples`, all
        reads of the training; `effective_beta`, of the last reads, with `value`, `standard_error` (None where no finite
        beta explains them) and `method`; `beta_known`; `log_likelihood_at_beta_one`; `timing`, seconds of all reads.

    Raises
    ------
    ProblemRefusedError
        If the contestant is a solver, which has no temperature; or does not take the problem.
    UnknownFamilyError
        If there are no such data.
    ValueError
        If the task is of another kind, names no contestant, has an unknown option, or more than 20 variables.
    RuntimeError
        If the temperature is not known, and no finite one explains the last reads.
    """
    if task.kind != "train" or task.contestant is None:
        msg = f"a training has kind 'train' and a contestant; got kind {task.kind!r} and {task.contestant!r}"
        raise ValueError(msg)
    if task.contestant.name in _SOLVERS:
        msg = f"a machine learns from reads at a temperature; {task.contestant.name!r} has none. Leave it out"
        raise ProblemRefusedError(msg)
    rows = bits_to_spins(_rows(task.instance))
    teacher = Teacher(open_contestant(_at_beta_one(task.contestant)), task.effort)
    machine = _learned(task, rows, teacher)
    num_samples = teacher.num_samples
    last = teacher.draw(machine, task.num_reads, child_seed(task.seed, _LAST))
    beta = effective_beta(machine.structure, machine.parameters, last)
    known = task.contestant.name in _AT_BETA_ONE
    if not known and not math.isfinite(beta.value):
        msg = (
            f"what {task.contestant.name!r} has been taught to draw from has a temperature; its last {task.num_reads} "
            "reads are all local minima, which no finite one explains. Take more reads, or a hotter setting"
        )
        raise RuntimeError(msg)
    oracle = Teacher(open_contestant(ContestantSpec(name="exact")), None)
    return {
        "log_likelihood": _log_likelihood(machine, rows, 1.0 if known else beta.value),
        "untrained": -rows.shape[1] * math.log(2),
        "exact": _log_likelihood(_learned(task, rows, oracle), rows, 1.0),
        "num_variables": rows.shape[1],
        "num_rows": len(rows),
        "num_samples": num_samples,
        "effective_beta": {
            "value": beta.value if math.isfinite(beta.value) else None,
            "standard_error": beta.standard_error if math.isfinite(beta.standard_error) else None,
            "method": "pseudo-likelihood, local",
        },
        "beta_known": known,
        "log_likelihood_at_beta_one": _log_likelihood(machine, rows, 1.0),
        "timing": teacher.timing._asdict(),
    }


def plan_trainings(
    contestants: Sequence[tuple[ContestantSpec, float | None]],
    data: InstanceSpec,
    *,
    num_reads: int,
    seeds: Sequence[int] = tuple(range(10)),
    options: Mapping[str, Any] | None = None,
) -> list[Task]:
    """Return trainings of several contestants, each with its effort, from the same data by the same seeds.

    Parameters
    ----------
    contestants : sequence of (ContestantSpec, effort)
    data : InstanceSpec
        See `train`.
    num_reads : int
        Of a gradient step.
    seeds : sequence of int
        A training for each; 10 or more tell contestants apart fairly.
    options : mapping, optional
        `n_iter`, `learning_rate`, `momentum`.
    """
    return [
        Task(
            kind="train",
            instance=data,
            contestant=spec,
            effort=effort,
            num_reads=num_reads,
            seed=seed,
            options=options or {},
            code={"contestant": contestant_version(spec), "training": "1"},
        )
        for seed in seeds
        for spec, effort in contestants
    ]


@final
class Teacher(dimod.Sampler):  # type: ignore[misc]
    """A contestant as the sampler that a machine draws from; it counts reads and adds up their seconds."""

    def __init__(self, contestant: Contestant, effort: float | None) -> None:
        self._contestant, self._effort = contestant, effort
        self.num_samples = 0
        self.timing = TimeSplit()

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Keywords that `sample` takes."""
        return {"num_reads": [], "seed": []}

    @property
    def properties(self) -> dict[str, Any]:
        """Nothing is known of a contestant."""
        return {}

    def sample(self, bqm: dimod.BinaryQuadraticModel, *, num_reads: int = 1, seed: int = 0) -> dimod.SampleSet:
        """Return the contestant's reads, a row for each."""
        model = IsingModel.from_bqm(bqm)
        spins = self.draw(model, num_reads, seed)
        return dimod.SampleSet.from_samples((spins, model.labels), dimod.SPIN, model.energy(spins), sort_labels=False)

    def draw(self, model: IsingModel, num_reads: int, seed: int) -> Spins:
        """Return reads (num_reads, num_variables)."""
        run = self._contestant.run(model, effort=self._effort, num_reads=num_reads, seed=seed)
        self.num_samples += num_reads
        self.timing = TimeSplit(*(before + now for before, now in zip(self.timing, run.timing, strict=True)))
        return run.spins


def _at_beta_one(spec: ContestantSpec) -> ContestantSpec:
    chosen = {**_AT_BETA_ONE, **_UNKNOWN}.get(spec.name, {})
    return ContestantSpec(name=spec.name, settings={**chosen, **spec.settings})


def _learned(task: Task, rows: Spins, teacher: Teacher) -> IsingModel:
    if unknown := sorted(set(task.options) - set(_DEFAULTS)):
        msg = f"options of a training are {', '.join(_DEFAULTS)}; got {unknown[0]!r}"
        raise ValueError(msg)
    options = {**_DEFAULTS, **task.options}
    num_steps = check_count("n_iter", options["n_iter"])
    machine = BoltzmannMachine(
        sampler=teacher,
        n_particles=task.num_reads,
        n_iter=num_steps,
        learning_rate=check_number("learning_rate", options["learning_rate"], low=0.0, open_low=True),
        momentum=check_number("momentum", options["momentum"], low=0.0, high=1.0),
        monitor_every=num_steps,
        progress=False,
        random_state=task.seed % 2**32,
    )
    return machine.fit((rows > 0).astype(np.int8)).model_


def _log_likelihood(model: IsingModel, rows: Spins, beta: float) -> float:
    """Return the mean of ln P(row) at beta, nats."""
    exact = model.exact(beta)
    return float((-beta * (model.energy(rows) - model.offset)).mean() - exact.log_z)


def _rows(data: InstanceSpec) -> Bits:
    """Return the rows of a data set, (num_rows, num_variables)."""
    makers: dict[str, Callable[..., Any]] = {"bars-and-stripes": _bars, "bernoulli-mixture": _mixture}
    if data.family not in makers:
        msg = f"a machine learns {' or '.join(makers)}; got {data.family!r}"
        raise UnknownFamilyError(msg)
    num_variables = data.size**2 if data.family == "bars-and-stripes" else data.size
    if num_variables > MOST_VARIABLES:
        msg = f"likelihoods are summed exactly up to {MOST_VARIABLES} variables; got {num_variables}. Make it smaller"
        raise ValueError(msg)
    try:
        rows: Bits = makers[data.family](data.size, data.seed, **data.options)
    except TypeError as error:
        msg = f"data {data.family!r} do not take an option: {error}"
        raise ValueError(msg) from error
    return rows


def _bars(size: int, _seed: int) -> Bits:
    return make_bars_and_stripes(size, size)[0]


def _mixture(size: int, seed: int, n_samples: int = 200, n_modes: int = 4, p: float = 0.9) -> Bits:
    return make_bernoulli_mixture(n_samples, size, n_modes, p, random_state=seed)[0]
