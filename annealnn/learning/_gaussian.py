"""Restricted Boltzmann machines with real visible units: energies, exact conditionals, gradients, the learner.

With v real, (num_visible,), and spins h, (num_hidden,), in the parametrisation of Cho, Ilin & Raiko (2011), Eq. (4)::

    E(v, h) = sum_i (v_i - a_i)**2 / (2 sigma_i**2) - sum_j b_j h_j - sum_ij v_i W_ij h_j / sigma_i**2

and z_i = ln sigma_i**2. Given h the visible units are independent and normal, of means a + W h and variances sigma**2.
Summed over v, the hidden units follow an Ising model on the complete graph, `hidden_parameters`; any sampler draws it.
"""

from typing import NamedTuple, cast, final

import numpy as np

from annealnn._rng import child_seed
from annealnn.learning._descent import Descent
from annealnn.learning._learner import LearnerState, Progress, Rows, shuffled_batches
from annealnn.models import Moments, Parameters
from annealnn.samplers import CompiledSampler, streams_from_seed, uniforms
from annealnn.typing import AnyArray, Floats

# what a step may add to a hidden unit's field (root mean square over rows), to b, and to z
_LONGEST = 0.1

# what a learner draws from: children of its seed
_PARTICLES, _ORDER, _WEIGHTS = range(3)


class GaussianParameters(NamedTuple):
    """Parameters of a machine with real visible units."""

    visible: Floats  #: a, (num_visible,), units of the data
    hidden: Floats  #: b, (num_hidden,), nats
    weights: Floats  #: W, (num_visible, num_hidden), units of the data
    log_variances: Floats  #: z, (num_visible,), logarithms of squared units of the data

    @property
    def precisions(self) -> Floats:
        """1 / sigma**2, (num_visible,)."""
        return np.exp(-self.log_variances)

    def packed(self) -> Parameters:
        """Return a, b, z one after the other as fields, and W row by row as couplings."""
        return Parameters(
            np.concatenate([self.visible, self.hidden, self.log_variances]), self.weights.reshape(-1).copy()
        )

    @classmethod
    def unpacked(cls, parameters: Parameters, num_visible: int) -> "GaussianParameters":
        """Return the parameters that `packed` packed."""
        nv, num_hidden = num_visible, len(parameters.couplings) // num_visible
        a, b, z = np.split(parameters.fields, [nv, nv + num_hidden])
        return cls(a, b, parameters.couplings.reshape(nv, num_hidden), z)


def hidden_parameters(parameters: GaussianParameters) -> tuple[Parameters, float]:
    """Return the hidden units' Ising model on `Structure.complete(num_hidden)`, and what else is in ln Z, nats.

    Fields are b + W^T (a / sigma**2), couplings the entries of W^T diag(1 / sigma**2) W above the diagonal; and
    ln Z = ln Z_Ising + sum_i ln(2 pi sigma_i**2) / 2 + sum_ij W_ij**2 / (2 sigma_i**2).
    """
    W, precisions = parameters.weights, parameters.precisions
    scaled = W * precisions[:, None]
    products = W.T @ scaled
    constant = 0.5 * float((np.log(2 * np.pi) + parameters.log_variances).sum() + np.trace(products))
    fields = parameters.hidden + parameters.visible @ scaled
    return Parameters(fields, products[np.triu_indices(W.shape[1], 1)]), constant


def hidden_fields(parameters: GaussianParameters, rows: Floats) -> Floats:
    """Return the field on every hidden unit given rows (num_rows, num_visible): (num_rows, num_hidden)."""
    return np.asarray(parameters.hidden + (rows * parameters.precisions) @ parameters.weights)


def gaussian_free_energies(parameters: GaussianParameters, rows: Floats) -> Floats:
    """Return F(v) = -ln sum_h exp(-E(v, h)) of rows (num_rows, num_visible): (num_rows,)."""
    fields = hidden_fields(parameters, rows)
    normal = 0.5 * (rows - parameters.visible) ** 2 @ parameters.precisions
    return np.asarray(normal - np.logaddexp(fields, -fields).sum(axis=1))


def visible_means(parameters: GaussianParameters, hidden: AnyArray) -> Floats:
    """Return the means of the visible units, a + W h, given hidden spins (or their means) (num_rows, num_hidden)."""
    return np.asarray(parameters.visible + hidden @ parameters.weights.T)


def positive_statistics(parameters: GaussianParameters, rows: Floats) -> GaussianParameters:
    """Return the means over rows of the derivatives of -E by a, b, W, z, with h at its means given each row."""
    hidden = np.tanh(hidden_fields(parameters, rows))
    precisions = parameters.precisions
    off = rows - parameters.visible
    pulled = hidden @ parameters.weights.T
    return GaussianParameters(
        off.mean(axis=0) * precisions,
        hidden.mean(axis=0),
        rows.T @ hidden * (precisions[:, None] / len(rows)),
        (0.5 * off**2 - rows * pulled).mean(axis=0) * precisions,
    )


def negative_statistics(parameters: GaussianParameters, moments: Moments) -> GaussianParameters:
    """Return the model's means of the derivatives of -E by a, b, W, z, exact given moments of the hidden units.

    `moments` are on `Structure.complete(num_hidden)`. With m = <h> and C = <h h^T>: <v - a> = W m,
    <v h^T> = a m^T + W C, and <(v - a)**2 / 2 - v W h> = (sigma**2 - diag(W C W^T)) / 2 - a W m.
    """
    a, W, precisions = parameters.visible, parameters.weights, parameters.precisions
    m = moments.spins
    C = np.eye(len(m))
    C[np.triu_indices(len(m), 1)] = moments.pairs
    C += np.triu(C, 1).T
    mean, product = W @ m, W @ C
    spread = (product * W).sum(axis=1)
    return GaussianParameters(
        mean * precisions,
        m,
        (np.outer(a, m) + product) * precisions[:, None],
        0.5 - (0.5 * spread + a * mean) * precisions,
    )


def gaussian_gradient(positive: GaussianParameters, negative: GaussianParameters) -> GaussianParameters:
    """Return the gradient of the mean log-likelihood by a, b, W, z."""
    return GaussianParameters(*(p - n for p, n in zip(positive, negative, strict=True)))


def centred_coordinates(parameters: GaussianParameters, mu: Floats, lam: Floats) -> GaussianParameters:
    """Return the same machine's parameters with v - mu and h - lam in the place of v and h in the third sum of E.

    a' = a + W lam and b' = b + W^T (mu / sigma**2): Montavon & Mueller (2012), for real visible units. mu is
    (num_visible,), lam (num_hidden,).
    """
    a, b, W, z = parameters
    return GaussianParameters(a + W @ lam, b + (mu * parameters.precisions) @ W, W, z)


def plain_coordinates(centred: GaussianParameters, mu: Floats, lam: Floats) -> GaussianParameters:
    """Return what `centred_coordinates` was given."""
    return centred_coordinates(centred, -mu, -lam)


def centred_gradient(
    parameters: GaussianParameters, gradient: GaussianParameters, mu: Floats, lam: Floats
) -> GaussianParameters:
    """Return the gradient by the parameters of `centred_coordinates`, by the chain rule."""
    by_a, by_b, by_weights, by_z = gradient
    shift = mu * parameters.precisions
    return GaussianParameters(
        by_a,
        by_b,
        by_weights - np.outer(by_a, lam) - np.outer(shift, by_b),
        by_z + shift * (parameters.weights @ by_b),
    )


def hidden_states(num_hidden: int) -> Floats:
    """Return every setting of the hidden units, (2**num_hidden, num_hidden), values -1.0 or +1.0."""
    bits = (np.arange(2**num_hidden)[:, None] >> np.arange(num_hidden)) & 1
    return (2 * bits - 1).astype(np.float64)


def exact_completions(parameters: GaussianParameters, rows: Floats, known: AnyArray) -> Floats:
    """Return the means of the visible units given the known ones, by a sum over all settings of hidden units.

    The unknown ones are integrated out in closed form. rows, and known (bool), are (num_rows, num_visible).
    """
    states = hidden_states(parameters.weights.shape[1])
    means = states @ parameters.weights.T  # W h, (num_states, num_visible)
    pulls = means * parameters.precisions
    free = pulls * (parameters.visible + 0.5 * means)
    logs = states @ parameters.hidden + np.where(known, rows, 0.0) @ pulls.T + (~known).astype(np.float64) @ free.T
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    hidden = weights @ states / weights.sum(axis=1, keepdims=True)
    return np.where(known, rows, visible_means(parameters, hidden))


def sampled_completions(
    parameters: GaussianParameters, rows: Floats, known: AnyArray, *, num_reads: int, num_sweeps: int, seed: int
) -> Floats:
    """Return the same means from reads: block Gibbs sweeps h | v, v | h with what is known held.

    Of the last half of the sweeps of `num_reads` reads of every row, the means of v given h are averaged.
    """
    streams = streams_from_seed(seed, len(rows) * num_reads)
    rng = np.random.default_rng(child_seed(seed, 1))
    given, held = np.repeat(rows, num_reads, axis=0), np.repeat(known, num_reads, axis=0)
    v = np.where(held, given, parameters.visible)
    sigma = np.exp(0.5 * parameters.log_variances)
    total, first = np.zeros_like(v), num_sweeps // 2
    for sweep in range(num_sweeps):
        p = 0.5 * (1.0 + np.tanh(hidden_fields(parameters, v)))
        means = visible_means(parameters, np.where(uniforms(streams, p.shape[1]) < p, 1.0, -1.0))
        v = np.where(held, given, means + sigma * rng.standard_normal(v.shape))
        if sweep >= first:
            total += means
    averaged = total.reshape(len(rows), num_reads, -1).mean(axis=1) / (num_sweeps - first)
    return np.where(known, rows, averaged)


@final
class GaussianLearner:
    """Learning bound to a sampler of the hidden units: what `descend` runs for real visible units.

    The state's parameters are packed `GaussianParameters`. Steps of a and W are the gradient times sigma**2, so that
    what is learned does not depend on the units of the data.

    Parameters
    ----------
    descent : Descent
        Its weight decay is on W / sigma. With `centering`, steps are made in centred coordinates.
    compiled : CompiledSampler
        Of the hidden units, on the complete graph, with moments.
    num_visible, num_particles, seed : int
    batch_size : int or None
    variance_range : pair of (num_visible,)
        sigma**2 stays between these. At a maximum of the likelihood a feature's variance is sigma**2 plus that of W h:
        its own variance is a bound from above.
    """

    def __init__(
        self,
        descent: Descent,
        compiled: CompiledSampler,
        *,
        num_visible: int,
        num_particles: int,
        seed: int,
        batch_size: int | None,
        variance_range: tuple[Floats, Floats],
    ) -> None:
        self.descent, self.compiled = descent, compiled
        self.num_visible, self.num_particles = num_visible, num_particles
        self.seed, self.batch_size = seed, batch_size
        self.log_range = np.log(variance_range[0]), np.log(variance_range[1])

    def init(self, rows: Rows, *, weight_scale: float) -> LearnerState:
        """Return the state before the first step: the data's means and variances, W / sigma from N(0, weight_scale**2).

        b is where the hidden units have mean 0 at the data's means.
        """
        X = np.asarray(rows.spins, dtype=np.float64)
        variances = np.clip(X.var(axis=0), *np.exp(self.log_range))
        rng = np.random.default_rng(child_seed(self.seed, _WEIGHTS))
        num_hidden = self.compiled.structure.num_variables
        W = rng.normal(0.0, weight_scale, (X.shape[1], num_hidden)) * np.sqrt(variances)[:, None]
        mean = X.mean(axis=0)
        start = GaussianParameters(mean, -(mean / variances) @ W, W, np.log(variances)).packed()
        still = Parameters(np.zeros_like(start.fields), np.zeros_like(start.couplings))
        particles = self.compiled.init(self.num_particles, child_seed(self.seed, _PARTICLES))
        return LearnerState(0, start, still, particles)

    def epoch(self, state: LearnerState, rows: Rows) -> tuple[LearnerState, Progress]:
        """Return the state after one pass over the rows, and what its last step showed."""
        seed = child_seed(self.seed, _ORDER, state.iteration)
        batches = shuffled_batches(len(rows.spins), self.batch_size, seed)
        for k, at in enumerate(batches):
            rate = self.descent.rate(state.iteration + k / len(batches))
            state, shown = self.step(state, rows.some(at), rate)
        done = state.iteration + 1
        average = self.descent.averaged(done, state.average, state.parameters)
        return state._replace(iteration=done, average=average), shown

    def step(self, state: LearnerState, rows: Rows, rate: float) -> tuple[LearnerState, Progress]:
        """Run both phases on these rows, and step. `state` is left as it was."""
        before = GaussianParameters.unpacked(state.parameters, self.num_visible)
        drawn = self.compiled.step(hidden_parameters(before)[0], state.sampler)
        positive = positive_statistics(before, np.asarray(rows.spins, dtype=np.float64))
        negative = negative_statistics(before, cast("Moments", drawn.moments))
        variances = np.exp(before.log_variances)
        mu, lam = np.zeros(self.num_visible), np.zeros(len(before.hidden))
        if self.descent.centering:
            mu = before.visible + 0.5 * (positive.visible + negative.visible) * variances
            lam = 0.5 * (positive.hidden + negative.hidden)
        a, b, W, z = centred_gradient(before, gaussian_gradient(positive, negative), mu, lam)
        # where the data vary by many sigma, a step of the usual rate would throw the machine far: it is shortened
        spread = ((np.asarray(rows.spins, dtype=np.float64) - mu) ** 2).mean(axis=0) / variances
        fields = np.sqrt(spread / variances @ (W * variances[:, None]) ** 2)
        reach = rate * float(max(fields.max(), np.abs(b).max(), np.abs(z).max()))
        share = min(1.0, _LONGEST / reach) if reach > 0.0 else 1.0
        along = GaussianParameters(*(share * g for g in (a * variances, b, W * variances[:, None], z))).packed()
        centred = centred_coordinates(before, mu, lam).packed()
        stepped, velocity, clipped = self.descent.update(centred, state.velocity, along, rate)
        a, b, W, z = GaussianParameters.unpacked(stepped, self.num_visible)
        kept = GaussianParameters(a, b, W, np.clip(z, *self.log_range))
        after = plain_coordinates(kept, mu, lam).packed()
        shown = Progress(drawn, _told(positive, variances), _told(negative, variances), along, clipped)
        return LearnerState(state.iteration, after, velocity, drawn.state, None, state.best, state.average), shown


def _told(statistics: GaussianParameters, variances: Floats) -> Moments:
    """Return means of v - a and of h, and of v h, in units of sigma: what history compares."""
    sigma = np.sqrt(variances)
    return Moments(
        np.concatenate([statistics.visible * sigma, statistics.hidden]),
        (statistics.weights * sigma[:, None]).reshape(-1),
    )
