"""Path-integral Monte Carlo: thermal reads of Eq. (1) with its transverse field."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, final, get_args

import dimod
import numpy as np

from annealnn._memory import check_memory
from annealnn._parallel import Watch
from annealnn._validation import check_choice, check_count, check_number
from annealnn.diagnostics import ValueWithError
from annealnn.models import Moments, Parameters, Structure, terms_of_bqm
from annealnn.samplers._base import AnnealSampler, Draw
from annealnn.samplers._compiled import SamplerState, Step, Want
from annealnn.samplers._continuous import CompiledContinuous, kinks_at_first
from annealnn.samplers._control import Interrupt, Progress, RunControl
from annealnn.samplers._gamma import Gamma, gamma_by_variable, is_many
from annealnn.samplers._gamma_ladder import CompiledGammaLadder
from annealnn.samplers._worldlines import CompiledWorldlines
from annealnn.typing import Floats, Spins

_Compiled: TypeAlias = CompiledWorldlines | CompiledContinuous | CompiledGammaLadder
_Run: TypeAlias = tuple[_Compiled, SamplerState]
ImaginaryTime = Literal["discrete", "continuous"]
# dtau times the largest energy of a spin; the Trotter error of <ZZ> was seen to be up to half its square
_FINENESS, _FEWEST, _LEARNERS = 0.1, 4, 16
_READS_AT_ONCE = 256


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransverseObservables:
    """Thermal values of rho = exp(-beta H) / Z, estimated from independent reads; errors are standard errors."""

    energy: ValueWithError  #: `<H>`, offset included
    problem_energy: ValueWithError  #: of the diagonal part of H, offset included
    moments: Moments  #: `<Z_i>` (num_variables,), and `<Z_i Z_j>` (num_edges,) in the order of `edges`
    moment_errors: Moments
    transverse_moments: Floats  #: `<X_i>`, (num_variables,)
    transverse_moment_errors: Floats
    labels: tuple[Hashable, ...]  #: of the variables
    edges: tuple[tuple[Hashable, Hashable], ...]
    samples: dimod.SampleSet  #: the reads


@final
class PathIntegralSampler(AnnealSampler):
    """Reads in the z basis of the thermal state rho = exp(-beta H) / Z of Eq. (1), H = E(Z) - gamma sum_i X_i.

    Reads approach the diagonal of rho as `num_sweeps` grows. Imaginary time is discrete (Suzuki 1976), with an error
    that falls as 1 / num_slices**2, or continuous (Rieger & Kawashima 1999), slower and without it. An update draws a
    whole worldline, or the segments of one, so that a weak transverse field freezes no single spin; groups of spins may
    still need `gamma_ladder`.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.samplers import PathIntegralSampler
    >>> bqm = dimod.BQM({"a": 1.0}, {}, 0.0, "SPIN")
    >>> PathIntegralSampler().sample(bqm, num_reads=3, gamma=0.5, seed=7).info["gamma"]
    0.5
    """

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        num_sweeps: int = 1000,
        beta: float = 1.0,
        gamma: Gamma = 1.0,
        num_slices: int | None = None,
        imaginary_time: ImaginaryTime = "discrete",
        gamma_ladder: Sequence[float] | None = None,
        seed: int | None = None,
        progress: Progress = "auto",
        interrupt_function: Interrupt | None = None,
        num_threads: int | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a dimod problem under a transverse field.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        num_reads : int
        num_sweeps : int
            Of each read, from its own random start.
        beta : float
            Inverse temperature, 1/energy.
        gamma : float, or mapping from label to float, or array of shape (num_variables,)
            Transverse field, at least 0, energy units. An array is in the order of the problem's variables, and so is
            `info["gamma"]` where it is a list.
        num_slices : int, optional
            Of discrete imaginary time. If None, at least 4, and so many that dtau = beta / num_slices times the largest
            transverse field, or root of a spin's sum of squared field and couplings, is at most 0.1. `info["dtau"]`
            says what it was: the error of moments is about half the square of that product.
        imaginary_time : "discrete" or "continuous"
        gamma_ladder : sequence of float, optional
            Transverse fields above `gamma`, falling, each of a replica with which the read exchanges (replica exchange
            in gamma); in discrete time, and for a `gamma` that is one number above 0. `info["swap_acceptance"]` has
            the mean chance of each exchange, the last one with the read.
        seed : int, optional
            None draws a fresh one; either way it is in `info["seed"]`.
        progress : "auto", bool or callable
            "auto" shows a bar on terminals and in notebooks once the run has lasted a second. A callable is called as
            `progress(done, total)`, in sweeps times reads, about ten times a second and at the end.
        interrupt_function : callable, optional
            Asked about ten times a second; True ends the run, as Ctrl-C does.
        num_threads : int, optional
            All processors if None. Reads do not depend on it.

        Returns
        -------
        dimod.SampleSet
            One row for each read: its slice 0, or time 0. `info` holds what shaped them; after an interrupt see
            `GibbsSampler.sample`.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        TypeError
            If `interrupt_function` cannot be called.
        MemoryError
            If the worldlines would not fit in memory.
        """
        self.remove_unknown_kwargs(**kwargs)
        settings = _Settings(num_sweeps, beta, gamma, num_slices, imaginary_time, gamma_ladder, num_threads)
        draw = self._drawing(settings, RunControl(progress, interrupt_function), [])
        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps, beta=beta)

    def observe(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1000,
        num_sweeps: int = 1000,
        beta: float = 1.0,
        gamma: Gamma = 1.0,
        num_slices: int | None = None,
        imaginary_time: ImaginaryTime = "discrete",
        gamma_ladder: Sequence[float] | None = None,
        seed: int | None = None,
        progress: Progress = "auto",
        num_threads: int | None = None,
    ) -> TransverseObservables:
        """Return energies and moments with their errors, `<X_i>` included; arguments as in `sample`.

        Each read counts with its mean over imaginary time; of X, with the mean given all other worldlines. An interrupt
        is raised: no reads, no observables.

        Raises
        ------
        ValueError
            If an argument breaks its rule, or there are fewer than two reads.
        MemoryError
            If the worldlines would not fit in memory.
        """
        check_count("num_reads", num_reads, minimum=2)
        structure, parameters, offset = terms_of_bqm(bqm)
        settings = _Settings(num_sweeps, beta, gamma, num_slices, imaginary_time, gamma_ladder, num_threads)
        found: list[_Run] = []
        draw = self._drawing(settings, RunControl(progress), found)
        samples = self.sample_with(draw, bqm, num_reads=num_reads, seed=seed, num_sweeps=num_sweeps, beta=beta)
        if samples.info["interrupted"]:
            raise KeyboardInterrupt
        return _observables(*found[0], parameters, offset, gamma_by_variable(gamma, structure), samples)

    def _drawing(self, settings: "_Settings", control: RunControl, found: list[_Run]) -> Draw:
        """Return a function that draws, and that adds what it ran and the state it left to `found`."""

        def draw(
            structure: Structure, parameters: Parameters, num_reads: int, seed: int
        ) -> tuple[Spins, dict[str, Any]]:
            gammas = gamma_by_variable(settings.gamma, structure)
            num_slices = settings.num_slices
            if settings.imaginary_time == "discrete":
                num_slices = _slices(settings.num_slices, parameters, structure, settings.beta, gammas)
            num_rows = num_reads * (1 + len(settings.gamma_ladder or ()))
            cuts = settings.beta * gammas
            room = num_slices or 8 * kinks_at_first(cuts)
            check_memory(
                f"Worldlines of {num_rows:,} reads or replicas and {structure.num_variables:,} variables, with "
                + (
                    f"{num_slices:,} slices,"
                    if num_slices
                    else f"beta gamma {settings.beta * gammas.max(initial=0.0):g},"
                ),
                2 * num_rows * structure.num_variables * room,
                "Ask for fewer reads at a time, or fewer slices",
            )
            compiled = self.compile(structure, **settings._replace(gamma=gammas, num_slices=num_slices)._asdict())
            start = compiled.init(num_reads, seed)

            said: dict[str, Any] = {}

            def sweeps(watch: Watch) -> Step:
                step = compiled.run(parameters, start, watch=watch)
                found.append((compiled, step.state))
                said.update({k: v for k, v in step.info.items() if k == "swap_acceptance"})
                return step

            spins, info = control.run(type(self).__name__, sweeps, num_reads=num_reads, num_sweeps=settings.num_sweeps)
            info |= {
                "gamma": gammas.tolist() if is_many(settings.gamma) or not len(gammas) else float(gammas[0]),
                "imaginary_time": "continuous" if num_slices is None else "discrete",
                "num_slices": num_slices,
                "dtau": None if num_slices is None else settings.beta / num_slices,
            }
            return spins, info | said

        return draw

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        num_sweeps: int = 1,
        beta: float = 1.0,
        gamma: Gamma = 1.0,
        num_slices: int | None = None,
        imaginary_time: ImaginaryTime = "discrete",
        gamma_ladder: Sequence[float] | None = None,
        num_threads: int | None = None,
    ) -> _Compiled:
        """Return persistent worldlines over `structure`: each step runs `num_sweeps` more sweeps on them.

        A clamped variable is held at its value in all of imaginary time: its transverse field does not act (the
        bound-based positive phase of Amin et al. 2018). `num_slices` is 16 if None: parameters change between steps.
        """
        check_count("num_sweeps", num_sweeps)
        check_number("beta", beta, low=0.0)
        check_choice("imaginary_time", imaginary_time, get_args(ImaginaryTime))
        if num_slices is not None and imaginary_time == "continuous":
            msg = f"num_slices is for discrete imaginary time; got {num_slices} with continuous. Leave it out"
            raise ValueError(msg)
        num_slices = check_count("num_slices", _LEARNERS if num_slices is None else num_slices, minimum=2)
        gammas = gamma_by_variable(gamma, structure)
        if gamma_ladder is not None:
            if imaginary_time == "continuous" or beta == 0:
                msg = (
                    "gamma_ladder is for discrete imaginary time and a beta above 0; "
                    f"got imaginary_time={imaginary_time!r}, beta={beta}. Leave it out"
                )
                raise ValueError(msg)
            return CompiledGammaLadder(
                structure,
                beta=beta,
                gammas=_ladder(gamma_ladder, gammas),
                num_slices=num_slices,
                num_sweeps=num_sweeps,
                want=want,
                num_threads=num_threads,
            )
        if imaginary_time == "continuous" and beta > 0:
            return CompiledContinuous(
                structure, beta=beta, gammas=gammas, num_sweeps=num_sweeps, want=want, num_threads=num_threads
            )
        return CompiledWorldlines(
            structure,
            betas=np.full(num_sweeps, float(beta)),
            ramps=np.ones(num_sweeps),
            gammas=gammas,
            num_slices=num_slices,
            fresh=False,
            want=want,
            num_threads=num_threads,
        )


class _Settings(NamedTuple):
    """Keywords of `sample` that `compile` takes too."""

    num_sweeps: int
    beta: float
    gamma: Gamma
    num_slices: int | None
    imaginary_time: ImaginaryTime
    gamma_ladder: Sequence[float] | None
    num_threads: int | None


def _ladder(gamma_ladder: Sequence[float], gammas: Floats) -> Floats:
    """Return the transverse fields of all replicas, falling, the read's last."""
    if not len(gammas) or gammas.min() != gammas.max() or gammas[0] == 0:
        msg = f"gamma_ladder goes with a gamma that is one number above 0; got {gammas[:4].tolist()}. Leave one out"
        raise ValueError(msg)
    ladder = np.array([*(check_number("gamma_ladder", g, low=0.0) for g in gamma_ladder), gammas[0]])
    if not (np.diff(ladder) < 0).all():
        msg = f"gamma_ladder falls, and ends above gamma; got {list(gamma_ladder)} with gamma={gammas[0]:g}"
        raise ValueError(msg)
    return ladder


def _slices(num_slices: int | None, parameters: Parameters, structure: Structure, beta: float, gammas: Floats) -> int:
    """Return the number of slices: as given, or fine enough for the problem."""
    if num_slices is not None:
        return check_count("num_slices", num_slices, minimum=2)
    heads, tails = structure.ends
    squares, n = parameters.couplings**2, structure.num_variables
    typical = np.sqrt(parameters.fields**2 + np.bincount(heads, squares, n) + np.bincount(tails, squares, n))
    energy = float(max(typical.max(initial=0.0), gammas.max(initial=0.0)))
    wanted = check_number("beta", beta, low=0.0) * energy / _FINENESS
    if not math.isfinite(wanted):
        msg = f"beta times the largest energy of a spin is finite; got beta={beta:g} and {energy:g}. Scale the problem"
        raise ValueError(msg)
    return max(_FEWEST, math.ceil(wanted))


def _observables(
    compiled: _Compiled,
    state: SamplerState,
    parameters: Parameters,
    offset: float,
    gammas: Floats,
    samples: dimod.SampleSet,
) -> TransverseObservables:
    """Return the observables of a state's reads, block by block, so that no read's moments are held for long."""
    structure, num_reads = compiled.structure, len(compiled.reads(state))
    sizes = structure.num_variables, structure.num_edges, structure.num_variables
    sums, squares = [np.zeros(size) for size in sizes], [np.zeros(size) for size in sizes]
    problem, total = np.empty(num_reads), np.empty(num_reads)
    for start in range(0, num_reads, _READS_AT_ONCE):
        block = slice(start, start + _READS_AT_ONCE)
        parts = [part.astype(np.float64) for part in compiled.average(parameters, state, block)]
        for sum_, square, part in zip(sums, squares, parts, strict=True):
            sum_ += part.sum(axis=0)
            square += (part**2).sum(axis=0)
        problem[block] = offset - parts[0] @ parameters.fields - parts[1] @ parameters.couplings
        total[block] = problem[block] - parts[2] @ gammas
    means = [s / num_reads for s in sums]
    errors = [
        np.sqrt(np.maximum(q / num_reads - m**2, 0.0) / (num_reads - 1)) for q, m in zip(squares, means, strict=True)
    ]
    labels = structure.labels
    return TransverseObservables(
        energy=_mean(total),
        problem_energy=_mean(problem),
        moments=Moments(means[0], means[1]),
        moment_errors=Moments(errors[0], errors[1]),
        transverse_moments=means[2],
        transverse_moment_errors=errors[2],
        labels=labels,
        edges=tuple((labels[i], labels[j]) for i, j in structure.edges),
        samples=samples,
    )


def _mean(values: Floats) -> ValueWithError:
    return ValueWithError(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))
