"""Which betas a ladder has: as given, or such that neighbours exchange equally often.

Energies near one beta are taken to be normal with standard deviation sigma. Two replicas a distance d apart in beta
then exchange with probability erfc(sigma d / 2), so that even acceptance means an even length, the integral of sigma
over beta (Predescu, Predescu & Ciobanu 2004).
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import erfcinv

from annealnn._rng import child_seed, streams_from_seed
from annealnn._validation import check_count, check_number, check_pair
from annealnn.models import Parameters, Structure
from annealnn.samplers._couplings import Sweep
from annealnn.samplers._replicas import CompiledTempering, EdgeTerms, Ladder
from annealnn.samplers._tiles import Tiles
from annealnn.typing import Floats, Indices

# of exchanges between neighbours of an automatic ladder, and the length of a pair that has it
_ACCEPTANCE = 0.3
_LENGTH = 2 * float(erfcinv(_ACCEPTANCE))
MOST_REPLICAS = 512
# what sets the pilot's seeds apart
_PILOT = 1
# the pilot: reads that anneal, betas on the way, sweeps at each; reads of parallel tempering, sweeps, and rounds
_ANNEALED, _STOPS, _SWEEPS = 64, 24, 5
_TEMPERED, _TEMPERED_SWEEPS, _ROUNDS = 16, 60, 2
# cluster moves switch themselves on for so many variables, with no more neighbours each
_FEWEST_VARIABLES, _MOST_NEIGHBOURS = 64, 16.0
# mean size, as a fraction of the spins, above which clusters are not worth their time
_LARGEST = 0.42


class LadderRequest(NamedTuple):
    """What was asked for, checked."""

    beta: float
    betas: Floats | None
    beta_range: tuple[float, float] | None
    num_replicas: int | None

    @classmethod
    def of(cls, beta: Any, betas: Any, beta_range: Any, num_replicas: Any) -> "LadderRequest":
        """Check and return what was asked for; the beta of the reads is the coldest unless it is given, or 1.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        """
        if num_replicas is not None:
            check_count("num_replicas", num_replicas)
        if beta is not None:
            check_number("beta", beta, low=0.0)
        if betas is not None:
            for name, value in (("beta_range", beta_range), ("num_replicas", num_replicas)):
                if value is not None:
                    msg = f"a ladder is given by betas, or by {name}, not by both; got {name}={value!r}. Leave one out"
                    raise ValueError(msg)
            betas = check_betas(betas)
            beta = betas[-1] if beta is None else beta
            if not np.isclose(betas, beta, rtol=1e-9, atol=0).any():
                msg = f"the beta of the reads is one of the ladder's betas; got beta={beta} and betas={betas.tolist()}"
                raise ValueError(msg)
            return cls(float(beta), betas, None, None)
        if beta_range is not None:
            hot, cold = beta_range = check_pair("beta_range", beta_range)
            beta = cold if beta is None else beta
            if not 0 <= hot <= beta <= cold:
                msg = f"a ladder runs hot to cold, 0 <= start <= beta <= stop; got beta_range={beta_range}, beta={beta}"
                raise ValueError(msg)
            least = 1 + (cold > hot) + (hot < beta < cold)
            if num_replicas is not None and num_replicas < least:
                msg = (
                    f"a ladder has a replica at each end and at beta, so num_replicas is at least {least} here; "
                    f"got num_replicas={num_replicas}"
                )
                raise ValueError(msg)
        return cls(1.0 if beta is None else float(beta), None, beta_range, num_replicas)


def check_betas(betas: Any) -> Floats:
    """Return inverse temperatures as an array (num_betas,), finite, at least 0 and strictly rising.

    Raises
    ------
    ValueError
        If they are not.
    """
    try:
        values = np.asarray(betas, np.float64)
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all() or values[0] < 0:
        msg = f"betas is a list of one or more finite numbers, at least 0; got {betas!r}"
        raise ValueError(msg)
    if not (np.diff(values) > 0).all():
        k = int(np.argmin(np.diff(values)))
        msg = f"betas rise, hot to cold; got {values[k]:g} before {values[k + 1]:g}"
        raise ValueError(msg)
    return values


def choose_ladder(
    structure: Structure, parameters: Parameters, seed: int, request: LadderRequest, cluster_moves: bool | str
) -> Ladder:
    """Return the ladder for a problem. What a pilot finds follows from the seed, not from the number of reads."""
    betas = request.betas
    if betas is None:
        hot, cold = request.beta_range or (min(hot_beta(structure, parameters), request.beta), request.beta)
        betas = np.array([cold]) if hot == cold else _even_betas(structure, parameters, seed, request, hot, cold)
    target = int(np.argmin(np.abs(betas - request.beta)))
    degree = 2 * structure.num_edges / max(1, structure.num_variables)
    wanted = cluster_moves
    if cluster_moves == "auto":
        large = structure.num_variables >= _FEWEST_VARIABLES
        wanted = large and 0 < degree <= _MOST_NEIGHBOURS and len(betas) > 1
    if not wanted or not structure.num_variables:
        return Ladder(betas, target)
    every = Ladder(betas, target, 2, tuple(range(len(betas))))
    compiled = CompiledTempering(structure, every, num_sweeps=_TEMPERED_SWEEPS, num_threads=1)
    # the first run of sweeps is for the replicas to settle
    state = compiled.step(parameters, compiled.init(_TEMPERED // 2, child_seed(seed, _PILOT, 2))).state
    tally = compiled.run(parameters, state)[1]
    # at most half of the spins differ: a cluster of nearly all of these does little more than exchange the copies
    small = tally.sizes.sum(axis=0) <= _LARGEST * structure.num_variables * tally.tried.sum(axis=0)
    rungs = tuple(np.flatnonzero(small).tolist())
    return Ladder(betas, target, 2, rungs) if rungs else Ladder(betas, target)


def hot_beta(structure: Structure, parameters: Parameters) -> float:
    """Return a beta at which heat-bath sweeps forget their start by half a sweep or faster, whatever the fields.

    The sum of tanh(beta |J_ij|) over the neighbours j of any spin is at most one half (Dobrushin 1970).
    """
    couplings, n = np.abs(parameters.couplings), structure.num_variables
    sums = sum(np.bincount(ends, couplings, n) for ends in structure.ends)
    strongest = float(np.max(sums, initial=0.0))
    return 0.5 / strongest if strongest > 0 else np.inf


def _even_betas(
    structure: Structure, parameters: Parameters, seed: int, request: LadderRequest, hot: float, cold: float
) -> Floats:
    """Return betas from hot to cold, the reads' among them, between which a pilot exchanged equally often."""
    asked = request.num_replicas
    if asked == 1:
        return np.array([cold])
    stops, sigmas = _annealed(structure, parameters, child_seed(seed, _PILOT, 0), hot, cold)
    lengths = np.diff(stops) * (sigmas[1:] + sigmas[:-1]) / 2
    for k in range(_ROUNDS + 1):
        betas = _spread(stops, lengths, asked, request.beta)
        if k == _ROUNDS or len(betas) <= 2:
            break
        ladder = Ladder(betas, 0)
        compiled = CompiledTempering(structure, ladder, num_sweeps=_TEMPERED_SWEEPS, num_threads=1)
        state = compiled.init(_TEMPERED, child_seed(seed, _PILOT, 1, k))
        # the first run of sweeps is for the replicas to settle
        state = compiled.step(parameters, state).state
        chances = compiled.run(parameters, state)[1].chances.mean(axis=0)
        stops, lengths = betas, 2 * erfcinv(np.clip(chances, 1e-3, 1 - 1e-3))
    return betas


def _spread(stops: Floats, lengths: Floats, asked: int | None, beta: float) -> Floats:
    """Return betas that cut the length between the stops evenly, the one nearest to `beta` moved there."""
    reached = np.concatenate([[0.0], np.cumsum(lengths + 1e-9 * np.diff(stops))])
    inside = stops[0] < beta < stops[-1]
    count = asked or min(MOST_REPLICAS, max(2 + inside, 1 + int(np.ceil(reached[-1] / _LENGTH))))
    betas = np.interp(np.linspace(0, reached[-1], count), reached, stops)
    betas[0], betas[-1] = stops[0], stops[-1]
    if inside:
        betas[1 + int(np.argmin(np.abs(betas[1:-1] - beta)))] = beta
    return betas


def _annealed(
    structure: Structure, parameters: Parameters, seed: int, hot: float, cold: float
) -> tuple[Floats, Floats]:
    """Return betas from hot to cold, and the standard deviation of the energies of reads annealed along them."""
    hottest = max(hot, min(hot_beta(structure, parameters), cold / 2), 1e-3 * cold)
    stops = np.geomspace(hottest, cold, _STOPS)
    if hottest > hot:
        stops = np.concatenate([[hot], stops])
    order: Indices = np.arange(structure.num_variables)
    streams = streams_from_seed(seed, _ANNEALED)
    tiles = Tiles(np.full((_ANNEALED, structure.num_variables), -1, np.int8), streams)
    tiles.randomise(order)
    sweep, terms = Sweep(structure, metropolis=False).at(parameters, order), EdgeTerms.of(structure, parameters)
    energies, sigmas = np.empty(tiles.scales.shape), np.empty(len(stops))
    for k, beta in enumerate(stops):
        sweep.run(tiles, np.full(_SWEEPS, beta, np.float32))
        terms.energies(tiles, energies)
        sigmas[k] = energies.reshape(-1)[:_ANNEALED].std()
    return stops, sigmas
