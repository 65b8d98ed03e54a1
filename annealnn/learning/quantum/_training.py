"""Phases of quantum machines for the training loop, which holds parameters as fields and couplings of a graph."""

from itertools import pairwise
from typing import final

import numpy as np
from scipy.special import logsumexp

from annealnn._rng import streams_from_seed
from annealnn.learning._phases import Positive, PositivePhase
from annealnn.learning.likelihood import Estimate
from annealnn.learning.likelihood._estimate import log_mean_weights
from annealnn.learning.quantum._clamped import clamped_moments
from annealnn.learning.quantum._machine import QuantumParameters
from annealnn.learning.quantum._semi_quantum import (
    MAX_ENUMERATED_VISIBLE,
    SemiQuantumParameters,
    semi_quantum_log_weights,
    semi_quantum_moments,
    semi_quantum_sweeps,
)
from annealnn.models import Clamp, Moments, Parameters, Structure
from annealnn.models._exact import basis_spins
from annealnn.samplers import CompiledSampler, SamplerState, Step, uniforms
from annealnn.typing import AnyArray, Floats, Spins


@final
class QuantumClampedPhase(PositivePhase):
    """Hidden units of a transverse-field machine that are not coupled to each other: closed form (Amin et al. 2018).

    Parameters
    ----------
    structure, num_visible
    gamma : (num_units,)
        Transverse fields.
    """

    def __init__(self, structure: Structure, num_visible: int, gamma: Floats) -> None:
        super().__init__(structure, num_visible)
        self._gamma = gamma

    def run(self, parameters: Parameters, units: Spins, known: AnyArray | None, seed: int) -> Positive:
        """Return the exact moments of the clamped machine."""
        rows = units[:, : self.num_visible]
        moments = clamped_moments(self.structure, QuantumParameters(*parameters, self._gamma), rows)
        return Positive(Moments(moments.spins, moments.pairs), None)


def semi_quantum_structure(num_visible: int, num_hidden: int, num_paulis: int) -> Structure:
    """Return the graph that holds a semi-quantum machine: a node for each visible unit and each Pauli of a hidden one.

    Nodes of hidden units come Pauli after Pauli; every visible node is joined to each of them.
    """
    hidden = num_visible + np.arange(num_paulis * num_hidden)
    edges = np.stack(np.meshgrid(np.arange(num_visible), hidden, indexing="ij"), axis=-1)
    return Structure(num_visible + len(hidden), edges.reshape(-1, 2))


def semi_quantum_parameters(parameters: Parameters, num_visible: int, num_paulis: int) -> SemiQuantumParameters:
    """Return what fields and couplings of `semi_quantum_structure` stand for."""
    weights = parameters.couplings.reshape(num_visible, num_paulis, -1)
    return SemiQuantumParameters(
        parameters.fields[:num_visible],
        parameters.fields[num_visible:].reshape(num_paulis, -1),
        np.ascontiguousarray(np.moveaxis(weights, 1, 0)),
    )


def _moments(parameters: Parameters, rows: AnyArray, num_paulis: int) -> Moments:
    found = semi_quantum_moments(semi_quantum_parameters(parameters, rows.shape[1], num_paulis), rows)
    return Moments(
        np.concatenate([found.fields, found.hidden_fields.ravel()]), np.moveaxis(found.weights, 0, 1).reshape(-1)
    )


@final
class SemiQuantumPhase(PositivePhase):
    """Hidden units of a semi-quantum machine, in closed form (Demidik et al. 2025)."""

    def __init__(self, structure: Structure, num_visible: int, num_paulis: int) -> None:
        super().__init__(structure, num_visible)
        self._num_paulis = num_paulis

    def run(self, parameters: Parameters, units: Spins, known: AnyArray | None, seed: int) -> Positive:
        """Return the exact moments."""
        return Positive(_moments(parameters, units[:, : self.num_visible], self._num_paulis), None)


@final
class CompiledSemiQuantum(CompiledSampler):
    """Persistent particles of p(v), swept one visible unit at a time; moments of hidden units are exact given them.

    A state has a column for every node of the graph; those of hidden units have no meaning.
    """

    persistent = True

    def __init__(self, structure: Structure, num_visible: int, num_paulis: int, *, num_sweeps: int) -> None:
        super().__init__(structure, "moments")
        self._num_visible, self._num_paulis, self._num_sweeps = num_visible, num_paulis, num_sweeps

    def begin(self, spins: Spins, seed: int) -> SamplerState:
        """Return particles at `spins`, of visible units or of all nodes."""
        state = self.init(len(spins), seed)
        state.spins[:, : spins.shape[1]] = spins
        return state

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Run the sweeps from `state`."""
        after = self.advance(parameters, state, 1, clamp)
        seen = after.spins[:, : self._num_visible]
        return Step(after, after.spins, _moments(parameters, seen, self._num_paulis), {})

    def advance(
        self, parameters: Parameters, state: SamplerState, num_steps: int, clamp: Clamp | None = None
    ) -> SamplerState:
        """Return the state after `num_steps` steps."""
        nv = self._num_visible
        own = semi_quantum_parameters(parameters, nv, self._num_paulis)
        spins, held = state.spins.copy(), None
        if clamp is not None:
            known = np.ones(clamp.spins.shape, bool) if clamp.known is None else clamp.known
            spins[:, clamp.variables] = np.where(known, clamp.spins, spins[:, clamp.variables])
            held = np.zeros((len(spins), nv), bool)
            held[:, clamp.variables] = known
        start = SamplerState(np.ascontiguousarray(spins[:, :nv]), state.streams)
        after = semi_quantum_sweeps(own, start, num_steps * self._num_sweeps, held=held)
        spins[:, :nv] = after.spins
        return SamplerState(spins, after.streams)


def semi_quantum_log_partition(
    parameters: SemiQuantumParameters,
    *,
    num_runs: int = 500,
    num_steps: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return ln Z of p(v): by enumeration of up to 16 visible units, else by annealed importance sampling.

    The path goes from hidden fields of 0, where visible units are independent, to those of the model; one sweep a step.
    """
    n, num_hidden = len(parameters.fields), parameters.hidden_fields.shape[1]
    if n <= MAX_ENUMERATED_VISIBLE:
        return Estimate(float(logsumexp(semi_quantum_log_weights(parameters, basis_spins(n)))), 0.0, "enumeration")
    streams = streams_from_seed(seed, num_runs)
    up = uniforms(streams, n) < 0.5 * (1 + np.tanh(parameters.fields))
    state = SamplerState(np.where(up, 1, -1).astype(np.int8), streams)
    log_weights = np.zeros(num_runs)
    path = np.linspace(0.0, 1.0, num_steps)
    scaled = [
        parameters._replace(hidden_fields=t * parameters.hidden_fields, weights=t * parameters.weights) for t in path
    ]
    for before, after in pairwise(scaled):
        log_weights += semi_quantum_log_weights(after, state.spins) - semi_quantum_log_weights(before, state.spins)
        state = semi_quantum_sweeps(after, state, 1)
    log_start = float(np.log(2 * np.cosh(parameters.fields)).sum() + num_hidden * np.log(2))
    value, error = log_mean_weights(log_weights)
    return Estimate(
        log_start + float(value), float(error), f"annealed importance sampling, {num_runs} runs x {num_steps} steps"
    )
