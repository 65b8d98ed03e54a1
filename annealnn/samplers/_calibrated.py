"""The learner's door of a sampler whose temperature is not known."""

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from annealnn._log import logger
from annealnn._validation import check_number
from annealnn.diagnostics._effective_beta import LocalFit, fit_pulls, pulls_of
from annealnn.models import Clamp, Parameters
from annealnn.samplers._clamps import Start
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers._couplings import SparseCouplings
from annealnn.samplers._drift import Drift, drift_of
from annealnn.typing import AnyArray, Bools, Spins

#: chance, at each step, that reads which do follow a Boltzmann distribution of the problem are said not to
FALSE_ALARM = 1e-6
_SIGMAS = 4.9  # of a normal number, two-sided, at that chance
# an estimate is taken if its standard error is below this part of it
_KNOWN_WITHIN = 0.25
# the first beta is within this factor
_FAR = 20.0
# a move of beta by this factor is told of
_LARGE_MOVE = 1.2
_LOG_BETA, _NUM_ESTIMATES = "log_beta", "num_estimates"
_ALL_MINIMA = "every read is a local minimum; if that stays so, begin with a larger beta"
_REUSED = "the reads are those of a step before"
_ANY = (-math.inf, math.inf)


@final
class CalibratedSampler(CompiledSampler):
    """A sampler of unknown temperature, sent such parameters that its reads are the model's at beta = 1.

    Each step sends parameters / beta to the child, beta being its effective inverse temperature so far, and fits beta
    to the reads that come back by maximum pseudo-likelihood (Besag 1975; Raymond et al. 2016), clamped variables left
    out. The estimate is smoothed on ln beta: the k-th one that is taken has the weight 1 / k, and at least `floor`.
    One that says too little (a standard error above a quarter of it, as with parameters near zero) or nothing (every
    read a local minimum, or no nearer to the problem than chance) is not taken. The child's temperature does not depend
    on the scale of the problem only if nothing on the way rescales it: turn `auto_scale` off.

    The state keeps "log_beta" and "num_estimates", (num_rows,) each, the same in every row, besides what the child's
    keeps; so a run that is resumed goes on to the same bits.

    Every step's reads are also tested: are they from a Boltzmann distribution of what was sent, at any temperature
    above 0? `info["boltzmann"]` has the answer, `drift_of` the method; a false alarm has a chance of 1e-6 a step. Those
    of a quench, and those of persistent particles that have not settled, are not. The first failure logs a warning.

    Parameters
    ----------
    child : CompiledSampler
        It draws classical spins, and takes parameters as if it were at beta = 1.
    want : "moments" or "spins"
    beta : float
        Effective beta of the child to begin with, 1/energy, within a factor of 20: reads that look hotter than that
        are taken not to follow the problem at all. Rather too large than too small: where every read is a local
        minimum nothing is learned of beta.
    floor : float
        Least weight of a new estimate, above 0 and at most 1: the number of steps that beta remembers is about 1 over
        it.
    bounds : ((low, high), (low, high))
        What the child can be sent: ranges of fields and of couplings, Eq. (1)'s sign; `annealnn.learning.Bounds` is
        such a pair. What is outside is moved to the nearest end.

    Raises
    ------
    ValueError
        If an argument breaks its rule.

    Examples
    --------
    >>> from annealnn.models import Structure
    >>> from annealnn.samplers import CalibratedSampler, GibbsSampler
    >>> structure = Structure.complete(6)
    >>> CalibratedSampler(GibbsSampler().compile(structure, beta=2.5), want="moments").want
    'moments'
    """

    def __init__(
        self,
        child: CompiledSampler,
        *,
        want: Want = "spins",
        beta: float = 1.0,
        floor: float = 0.1,
        bounds: tuple[tuple[float, float], tuple[float, float]] = (_ANY, _ANY),
    ) -> None:
        super().__init__(child.structure, want)
        self._child = child
        self.persistent = child.persistent
        self._first = math.log(check_number("beta", beta, low=0.0, open_low=True))
        self._floor = check_number("floor", floor, low=0.0, high=1.0, open_low=True)
        for name, (low, high) in zip(("fields", "couplings"), bounds, strict=True):
            if not low <= 0 <= high:
                msg = f"bounds of {name} are a range that has 0 in it, low to high; got {(low, high)}"
                raise ValueError(msg)
        self._bounds = bounds
        self._sparse = SparseCouplings.of(child.structure)
        self._warned = False

    def init(self, num_reads: int, seed: int) -> SamplerState:
        """Return the child's first state, and beta as it was given."""
        return self._remember(self._child.init(num_reads, seed), self._first, 0)

    def reads(self, state: SamplerState) -> Spins:
        """Return the reads that a state holds, (num_reads, num_variables)."""
        return self._child.reads(_childs(state))

    def beta(self, state: SamplerState) -> float:
        """Return the effective beta of the child as far as a state knows it, 1/energy."""
        return math.exp(_recall(state)[0])

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Sample at `parameters`, at beta = 1 as far as the child's temperature is known by now.

        `info` is the child's and: `scale`, what parameters were multiplied by; `clipped_fraction`, of them that had to
        be moved into the bounds; `effective_beta`, a dict of `value`, after this step, `estimate` and `standard_error`
        from its reads alone (None if they give none), and `why_kept`, why the estimate was not taken, or None;
        `boltzmann`, a dict of `passed` (None if there was nothing to test), `pvalue`, `energy_drift` and
        `moment_drift` in standard errors, and `why`, in words.

        Raises
        ------
        ValueError
            If the child gives no reads, or the state is not of this sampler.
        """
        before, count = _recall(state)
        sent, clipped = self._send(parameters, math.exp(-before))
        drawn = self._child.step(sent, _childs(state), clamp)
        if drawn.spins is None:
            name = type(self._child).__name__
            msg = f"beta is told by reads; {name} gave moments alone. Compile it with want='spins'"
            raise ValueError(msg)
        held = None if clamp is None else ~Start.of(drawn.spins, clamp).is_free()
        pulls = pulls_of(self.structure, sent, drawn.spins)
        if held is not None:
            pulls = np.where(held, 0.0, pulls)
        fit = fit_pulls(pulls)
        reused = bool(drawn.info.get("reused"))
        # what was given may be far off, what was estimated is not
        least = math.exp(before) / (2 if count else _FAR)
        why_kept, after = _REUSED if reused else _why_kept(fit, pulls), before
        if why_kept is None:
            count += 1
            after = before + max(self._floor, 1 / count) * (math.log(fit.beta.value) - before)
        # reads that were drawn for other parameters say nothing of these
        boltzmann = _verdict(None, None, _REUSED) if reused else self._test(sent, drawn, fit, least, held)
        self._tell(before, after, why_kept, boltzmann)
        known = not reused and math.isfinite(fit.beta.value) and math.isfinite(fit.beta.standard_error)
        info = drawn.info | {
            "scale": math.exp(-before),
            "clipped_fraction": clipped,
            "effective_beta": {
                "value": math.exp(after),
                "estimate": fit.beta.value if known else None,
                "standard_error": fit.beta.standard_error if known else None,
                "why_kept": why_kept,
            },
            "boltzmann": boltzmann,
        }
        moments = drawn.moments
        if self.want == "moments" and moments is None:
            moments = self.structure.moments_of(drawn.spins)
        return Step(self._remember(drawn.state, after, count), drawn.spins, moments, info)

    def _send(self, parameters: Parameters, scale: float) -> tuple[Parameters, float]:
        """Return what the child is sent, and the fraction of it that had to be moved into the bounds."""
        scaled = [scale * np.asarray(values, dtype=np.float64) for values in parameters]
        inside = [np.clip(values, *bounds) for values, bounds in zip(scaled, self._bounds, strict=True)]
        moved = sum(int((a != b).sum()) for a, b in zip(scaled, inside, strict=True))
        return Parameters(*inside), moved / max(1, sum(map(len, scaled)))

    def _remember(self, state: SamplerState, log_beta: float, count: int) -> SamplerState:
        rows = len(state.spins)
        kept = {_LOG_BETA: np.full(rows, log_beta), _NUM_ESTIMATES: np.full(rows, count, np.int64)}
        return state._replace(kept={**state.kept, **kept})

    def _test(self, sent: Parameters, drawn: Step, fit: LocalFit, least: float, held: Bools | None) -> dict[str, Any]:
        """Return `info["boltzmann"]`; `least` is a beta that the reads should have had at least."""
        assert drawn.spins is not None  # noqa: S101 - step has looked
        beta, error = fit.beta
        if not (math.isfinite(beta) and math.isfinite(error)):
            return _verdict(None, None, "nothing to test: no finite beta, or one read")
        # what moves on with the child's streams, and moves none of them on
        seed = int.from_bytes(drawn.state.streams[0].tobytes(), "little")
        drift = drift_of(self.structure, self._sparse, sent, drawn.spins, fit, seed=seed, held=held)
        if drift.pvalue < FALSE_ALARM:
            return _verdict(False, drift, "means of the reads drift under sweeps at their own beta")
        if beta < _SIGMAS * error and beta + _SIGMAS * error < least:
            return _verdict(False, drift, f"beta is 0 within errors ({fit.beta}) where {least:.3g} would have shown")
        return _verdict(True, drift, "no drift")

    def _tell(self, before: float, after: float, why_kept: str | None, boltzmann: Mapping[str, Any]) -> None:
        if why_kept is None:
            told = logger.info if abs(after - before) > math.log(_LARGE_MOVE) else logger.debug
            told("effective beta %.4g, was %.4g", math.exp(after), math.exp(before))
        else:
            told = logger.info if why_kept == _ALL_MINIMA else logger.debug
            told("effective beta stays %.4g: %s", math.exp(before), why_kept)
        if boltzmann["passed"] is False and not self._warned:
            self._warned = True
            logger.warning(
                "reads look like no Boltzmann distribution of the problem that was sent, at any temperature above 0: "
                "%s. What is learned from them is a model of this sampler, not of beta = 1",
                boltzmann["why"],
            )


def _why_kept(fit: LocalFit, pulls: AnyArray) -> str | None:
    """Return why an estimate of beta says too little to be taken, None if it does not."""
    beta, error = fit.beta
    if not pulls.any():
        return "parameters are zero, or all variables clamped"
    if math.isinf(beta):
        return _ALL_MINIMA
    if beta == 0:
        return "reads are no nearer to the problem than chance"
    if not error < _KNOWN_WITHIN * beta:
        return f"too few reads, or parameters too small, to tell ({fit.beta})"
    return None


def _verdict(passed: bool | None, drift: Drift | None, why: str) -> dict[str, Any]:
    return {
        "passed": passed,
        "pvalue": None if drift is None else drift.pvalue,
        "energy_drift": None if drift is None else drift.energy,
        "moment_drift": None if drift is None else drift.moment,
        "why": why,
    }


def _recall(state: SamplerState) -> tuple[float, int]:
    """Return ln beta, and how many estimates it is made of.

    Raises
    ------
    ValueError
        If it is the state of another sampler.
    """
    if not {_LOG_BETA, _NUM_ESTIMATES} <= set(state.kept):
        msg = f"a step goes on from a beta; the state keeps {sorted(state.kept) or 'nothing'}. Begin with init()"
        raise ValueError(msg)
    return float(state.kept[_LOG_BETA][0]), int(state.kept[_NUM_ESTIMATES][0])


def _childs(state: SamplerState) -> SamplerState:
    """Return the part of a state that is the child's."""
    kept = {name: part for name, part in state.kept.items() if name not in (_LOG_BETA, _NUM_ESTIMATES)}
    return state._replace(kept=kept)
