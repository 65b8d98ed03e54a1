"""What the simulated chip does with a problem: reads from its fields and couplings."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, final

import numpy as np

from annealnn._rng import child_seed
from annealnn._validation import check_choice, check_count, check_number
from annealnn.models import Parameters
from annealnn.samplers import CompiledSampler
from annealnn.samplers._sweeps import CompiledSweeps
from annealnn.samplers._worldlines import CompiledWorldlines
from annealnn.schedules import EnergyScales
from annealnn.standin._equilibrium import BoltzmannEquilibrium, TransverseEquilibrium
from annealnn.standin._problem import Problem
from annealnn.typing import Spins

_FINENESS, _FEWEST_SLICES = 0.1, 4


def simulated_scales() -> EnergyScales:
    """Return A(s) = 10 (1-s)**5 and B(s) = 13.9 s**2, GHz: made up for the stand-in, near to an Advantage2's ends."""
    s = np.linspace(0.0, 1.0, 201)
    return EnergyScales.from_ghz(s, 10.0 * (1 - s) ** 5, 13.9 * s**2, name="SIMULATED")


class Physics(ABC):
    """Abstract: how reads come about."""

    @abstractmethod
    def draw(self, problem: Problem, parameters: Parameters, seed: int) -> Spins:
        """Return reads (num_reads, num_active).

        Parameters
        ----------
        problem : Problem
            Its graph, its number of reads and its anneal.
        parameters : Parameters
            What the chip realises, scaled and with its errors; Eq. (1)'s sign.
        seed : int
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return what it is, for JSON; without a temperature, which a learner must not read."""


@final
@dataclass(frozen=True, kw_only=True)
class ThermalPhysics(Physics):
    """Reads from the Boltzmann distribution at a beta that the chip does not tell, whatever the anneal.

    Connected parts of up to 12 qubits are enumerated: their reads are exact and independent. Larger ones are annealed
    from beta 0 by heat-bath sweeps, and then swept at `beta`.

    Parameters
    ----------
    beta : float
        Inverse temperature, 1/energy in the chip's units of h and J.
    num_sweeps : int
        Of larger parts: half to come from beta 0 to `beta`, half there.
    num_threads : int, optional
        All processors if None. Reads do not depend on it.
    """

    beta: float = 3.0
    num_sweeps: int = 200
    num_threads: int | None = None

    def __post_init__(self) -> None:
        check_number("beta", self.beta, low=0.0)
        check_count("num_sweeps", self.num_sweeps, minimum=2)

    def draw(self, problem: Problem, parameters: Parameters, seed: int) -> Spins:
        """Return reads at `beta`."""
        thermal = BoltzmannEquilibrium(beta=self.beta, num_sweeps=self.num_sweeps, num_threads=self.num_threads)
        return thermal.reads(problem.structure, parameters, problem.num_reads, seed)

    def to_dict(self) -> dict[str, Any]:
        """Return what it is, without beta."""
        return {"name": "thermal", "num_sweeps": self.num_sweeps}


@final
@dataclass(frozen=True, kw_only=True)
class PathIntegralPhysics(Physics):
    """Reads of the thermal quantum state at one s of the anneal, as if all dynamics froze there.

    H/h = A(s)/2 transverse + B(s)/2 problem: in the problem's units beta = h B(s) / (2 k_B T), gamma = A(s) / B(s).
    A job that pauses is read where it pauses last: it is meant to be quenched from there.
    Connected parts of up to 10 qubits are diagonalised: their reads are exact and independent. Larger ones are sampled
    by path-integral Monte Carlo; where they are cold and frustrated and the transverse field is weak, they stay about
    where its descent has left them.

    Parameters
    ----------
    s : float
        Where jobs without a pause freeze.
    scales : EnergyScales
        In GHz: of `EnergyScales.from_ghz` or `load`.
    temperature_mk : float
    num_sweeps : int
        Of larger parts: half to bring the transverse field down, half where it freezes.
    num_slices : int, optional
        Of imaginary time; if None, fine enough for the problem.
    num_threads : int, optional
        All processors if None. Reads do not depend on it.
    """

    s: float = 0.4
    scales: EnergyScales = field(default_factory=simulated_scales)
    temperature_mk: float = 18.0
    num_sweeps: int = 400
    num_slices: int | None = None
    num_threads: int | None = None

    def __post_init__(self) -> None:
        check_number("s", self.s, low=0.0, high=1.0, open_low=True)
        check_count("num_sweeps", self.num_sweeps, minimum=2)
        if self.scales.beta_at(self.s, self.temperature_mk) == 0:
            msg = f"B(s) is above 0 where all dynamics freeze; it is 0 at s={self.s}"
            raise ValueError(msg)

    def draw(self, problem: Problem, parameters: Parameters, seed: int) -> Spins:
        """Return reads of the frozen state."""
        schedule = problem.parameters.get("anneal_schedule") or []
        pauses = [before[1] for before, after in pairwise(schedule) if before[1] == after[1] > 0]
        s = pauses[-1] if pauses else self.s
        beta, (a, b) = self.scales.beta_at(s, self.temperature_mk), self.scales.at(s)
        gamma = float(a / b)
        squares = np.bincount(
            problem.edges.ravel(), np.repeat(parameters.couplings**2, 2), minlength=len(parameters.fields)
        )
        largest = max(gamma, float(np.sqrt(parameters.fields**2 + squares).max()))
        thermal = TransverseEquilibrium(
            beta=beta,
            gamma=gamma,
            num_sweeps=self.num_sweeps,
            num_slices=self.num_slices or max(_FEWEST_SLICES, int(np.ceil(beta * largest / _FINENESS))),
            num_threads=self.num_threads,
        )
        return thermal.reads(problem.structure, parameters, problem.num_reads, seed)

    def to_dict(self) -> dict[str, Any]:
        """Return what it is, without the temperature."""
        return {"name": "path-integral", "s": self.s, "scales": self.scales.name, "num_sweeps": self.num_sweeps}


@final
@dataclass(frozen=True, kw_only=True)
class AnnealPhysics(Physics):
    """Monte Carlo along the anneal that the job asks for: schedules, pauses, quenches and reverse anneals matter.

    Its dynamics are those of Monte Carlo, not of a quantum processor; a sweep stands for a stretch of time.

    Parameters
    ----------
    dynamics : "classical" or "quantum"
        Simulated annealing along beta(s) = h B(s) / (2 k_B T), or simulated quantum annealing with gamma = A(s) / B(s).
    scales : EnergyScales
        In GHz: of `EnergyScales.from_ghz` or `load`.
    temperature_mk : float
    sweeps_per_us : float
        At least one sweep is made, and at most `max_sweeps`.
    max_sweeps : int
    num_slices : int
        Of imaginary time, of the quantum dynamics.
    num_threads : int, optional
        All processors if None. Reads do not depend on it.
    """

    dynamics: Literal["classical", "quantum"] = "classical"
    scales: EnergyScales = field(default_factory=simulated_scales)
    temperature_mk: float = 18.0
    sweeps_per_us: float = 10.0
    max_sweeps: int = 2000
    num_slices: int = 32
    num_threads: int | None = None

    def __post_init__(self) -> None:
        check_choice("dynamics", self.dynamics, ["classical", "quantum"])
        check_number("sweeps_per_us", self.sweeps_per_us, low=0.0, open_low=True)
        check_count("max_sweeps", self.max_sweeps)
        check_count("num_slices", self.num_slices, minimum=2)
        self.scales.beta_at(1.0, self.temperature_mk)

    def draw(self, problem: Problem, parameters: Parameters, seed: int) -> Spins:
        """Return reads as the anneal leaves them."""
        annealed, num_reads = self._compiled(problem), problem.num_reads
        given = problem.parameters.get("initial_state")
        if given is None:
            return _end(annealed, parameters, annealed.init(num_reads, seed))
        state = np.array(given, dtype=np.int8)[problem.qubits]
        start = np.where(state == 1, 1, -1).astype(np.int8)[None, :]
        if problem.parameters.get("reinitialize_state", True):
            return _end(annealed, parameters, annealed.begin(np.repeat(start, num_reads, axis=0), seed))
        reads = []
        for number in range(num_reads):
            start = _end(annealed, parameters, annealed.begin(start, child_seed(seed, number)))
            reads.append(start[0])
        return np.array(reads)

    def _compiled(self, problem: Problem) -> CompiledSampler:
        job = problem.parameters
        duration = problem.timing["qpu_anneal_time_per_sample"]
        points = np.array(job.get("anneal_schedule") or [[0.0, 0.0], [duration, 1.0]])
        num_sweeps = int(np.clip(round(self.sweeps_per_us * duration), 1, self.max_sweeps))
        # each sweep stands for the end of its stretch, so that the last one is at s = 1
        s = np.interp(duration * np.arange(1, num_sweeps + 1) / num_sweeps, *points.T)
        betas = np.array([self.scales.beta_at(x, self.temperature_mk) for x in s])
        if self.dynamics == "classical":
            return CompiledSweeps(
                problem.structure, metropolis=False, betas=betas, fresh=False, num_threads=self.num_threads
            )
        transverse, problem_scale = self.scales.at(s)
        return CompiledWorldlines(
            problem.structure,
            # where there is no problem yet, of the transverse field alone: beta gamma is what it is
            betas=np.maximum(betas, 1e-6),
            ramps=transverse / np.maximum(problem_scale, 1e-6 * problem_scale.max() if betas.any() else 1.0),
            gammas=np.ones(problem.structure.num_variables),
            num_slices=self.num_slices,
            fresh=False,
            num_threads=self.num_threads,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what it is, without the temperature."""
        return {"name": "anneal", "dynamics": self.dynamics, "scales": self.scales.name}


def _end(annealed: CompiledSampler, parameters: Parameters, state: Any) -> Spins:
    return annealed.reads(annealed.step(parameters, state).state)
