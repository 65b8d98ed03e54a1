"""Fit machines of few units to an explicit distribution, to convergence."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from annealnn._validation import check_count
from annealnn.learning.quantum._exact import bound_loss
from annealnn.learning.quantum._machine import QuantumParameters, check_distribution
from annealnn.learning.quantum._minimise import Minimum, minimise
from annealnn.learning.quantum._semi_quantum import SemiQuantumParameters, semi_quantum_loss
from annealnn.models import Structure
from annealnn.typing import Floats

# a loss of this package: (structure, parameters, distribution) -> loss and its gradient
QuantumLoss: TypeAlias = Callable[[Structure, QuantumParameters, Floats], tuple[float, QuantumParameters]]

_SPREAD = 0.1  # of the first couplings of hidden units


def fit_quantum_machine(
    structure: Structure,
    distribution: Floats,
    loss: QuantumLoss,
    *,
    gamma: float | Floats = 0.5,
    learn_gamma: bool = False,
    weight_decay: float | Floats = 0.0,
    max_iter: int = 5000,
    seed: int = 0,
) -> Minimum[QuantumParameters]:
    """Minimise a loss by BFGS from zero weights.

    Zero is a saddle point for the couplings of hidden units: these start at draws from N(0, 0.1^2).
    Where data leave out states, the minimum may lie at infinity: the search ends on the way there, and `slope` says
    how flat it has become. A little weight decay brings it back.

    Parameters
    ----------
    structure : Structure
        Up to 12 units.
    distribution : (2**num_visible,)
        Over basis states of the visible units.
    loss : callable
        `exact_loss`, `bound_loss` or `pure_state_loss`.
    gamma : float or (num_units,)
        Transverse field: what it is, or where it starts.
    learn_gamma : bool
        Whether to learn it: one number stays one shared number, an array has one for each unit. The result is not
        negative, for the sign of a unit's transverse field shows in no probability.
    weight_decay : float or (num_edges,)
        L2 penalty, part of the loss: weight_decay / 2 times the squares of the couplings, nats.
    max_iter : int
        Steps of BFGS.
    seed : int

    Returns
    -------
    Minimum
        Of `QuantumParameters`.

    Raises
    ------
    ValueError
        If the bound is to learn gamma, which it only drives to 0; or if shapes do not fit.
    """
    if learn_gamma and loss is bound_loss:
        msg = (
            "the bound only drives the transverse field of visible units to 0 and cannot learn it; "
            "got learn_gamma=True. Choose gamma, or use exact_loss"
        )
        raise ValueError(msg)
    num_visible = check_distribution(distribution, structure.num_variables)
    n, m = structure.num_variables, structure.num_edges
    transverse = np.array(gamma, dtype=np.float64)
    if transverse.shape not in ((), (n,)):
        msg = f"gamma is one number or one for each unit, shape ({n},); got shape {transverse.shape}"
        raise ValueError(msg)
    start = np.zeros(n + m)
    hidden = structure.edges[:, 1] >= num_visible
    start[n:][hidden] = np.random.default_rng(seed).normal(0.0, _SPREAD, int(hidden.sum()))
    if learn_gamma:
        start = np.append(start, transverse)

    def unpack(point: Floats) -> QuantumParameters:
        learned = point[n + m :].reshape(transverse.shape) if learn_gamma else transverse
        return QuantumParameters(point[:n], point[n : n + m], np.broadcast_to(learned, (n,)))

    def evaluate(point: Floats) -> tuple[float, Floats]:
        value, gradient = loss(structure, unpack(point), distribution)
        couplings = point[n : n + m]
        value += 0.5 * float((weight_decay * couplings**2).sum())
        by_gamma = gradient.gamma if transverse.shape else gradient.gamma.sum(keepdims=True)
        return value, np.concatenate(
            [gradient.fields, gradient.couplings + weight_decay * couplings, by_gamma if learn_gamma else []]
        )

    found = minimise(evaluate, start, max_iter=max_iter)
    parameters = unpack(found.parameters)
    return Minimum(parameters._replace(gamma=np.abs(parameters.gamma)), *found[1:])


def fit_semi_quantum_machine(
    distribution: Floats, num_hidden: int, *, num_paulis: int = 3, scale: float = 0.5, seed: int = 0
) -> Minimum[SemiQuantumParameters]:
    """Maximise the exact likelihood of a semi-quantum restricted machine by BFGS from one random start.

    The loss has many minima: take the best of several seeds.

    Parameters
    ----------
    distribution : (2**num_visible,)
        Over basis states of up to 16 visible units.
    num_hidden : int
    num_paulis : int
        1, 2 or 3; with 1 the machine is a classical restricted Boltzmann machine.
    scale : float
        Standard deviation of the parameters at the start.
    seed : int

    Returns
    -------
    Minimum
        Of `SemiQuantumParameters`.

    Raises
    ------
    ValueError
        If there are more visible units or Paulis.
    """
    check_count("num_hidden", num_hidden)
    if check_count("num_paulis", num_paulis) > 3:
        msg = f"num_paulis is 1, 2 or 3; got {num_paulis}"
        raise ValueError(msg)
    n = check_distribution(distribution, np.size(distribution).bit_length())
    shapes = ((n,), (num_paulis, num_hidden), (num_paulis, n, num_hidden))
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def unpack(point: Floats) -> SemiQuantumParameters:
        parts = np.split(point, cuts[:-1])
        return SemiQuantumParameters(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

    def evaluate(point: Floats) -> tuple[float, Floats]:
        value, gradient = semi_quantum_loss(unpack(point), distribution)
        return value, np.concatenate([part.ravel() for part in gradient])

    found = minimise(evaluate, np.random.default_rng(seed).normal(0.0, scale, cuts[-1]))
    return Minimum(unpack(found.parameters), *found[1:])
