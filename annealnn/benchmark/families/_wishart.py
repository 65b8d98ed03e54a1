"""The Wishart planted ensemble."""

import numpy as np

from annealnn._validation import check_count, check_number
from annealnn.benchmark._instance import Instance, InstanceSpec
from annealnn.benchmark.families._build import draws
from annealnn.benchmark.families._planting import model_of_bonds, plant
from annealnn.benchmark.families._registry import Family

_LARGEST = 1000
# below it, or with one column, other states come within rounding of the planted energy: about 2^n (5e-5)^M of them
# within the 1e-9 that `Optimum.reached` allows
_LEAST_ALPHA, _LEAST_COLUMNS = 0.1, 2
# standard deviations, more than any draw is away from 0
_WIDEST = 8


def wishart(size: int, *, seed: int = 0, alpha: float = 0.75, gauge: bool = True) -> Instance:
    """Return a problem of the Wishart planted ensemble: all variables coupled, one planted pair of ground states.

    With R (n, M) of Gaussian numbers, M = alpha n, and t the planted state, the columns of
    W = sqrt(n/(n-1)) (1 - t t^T/n) R are Gaussian vectors orthogonal to t, and J = -(1/n) W W^T off the diagonal.

    Proof: E(s) = (1/2n) (s^T W W^T s - sum W^2), whose first term is a square's and 0 at t. So E0 = -(1/2n) sum W^2.

    Parameters
    ----------
    size : int
        Number of variables n, 2 to 1000.
    seed : int
    alpha : float
        M/n, at least 0.1; M is rounded, and at least 2. The smaller, the harder: median time to solution at
        99 % of dwave-samplers' simulated annealing at n = 24, in sweeps, 20 problems: 7e4, 4.6e3, 1.0e3, 4.0e2, 1.0e2
        for alpha = 0.3, 0.5, 0.75, 1.0, 1.5. At 0.75 it is 4.2e2 at n = 16.
    gauge : bool
        Flip variables at random, so that the planted state is not all up.

    Raises
    ------
    ValueError
        If n or alpha is out of range.

    References
    ----------
    F. Hamze, J. Raymond, C. A. Pattison, K. Biswas, H. G. Katzgraber, "Wishart planted ensemble: A tunably
    rugged pairwise Ising model with a first-order phase transition", Phys. Rev. E 101, 052102 (2020).
    """
    n = check_count("size", size, minimum=2)
    if n > _LARGEST:
        msg = f"a Wishart problem couples all its variables, at most {_LARGEST}; got {n}"
        raise ValueError(msg)
    num_columns = max(_LEAST_COLUMNS, round(check_number("alpha", alpha, low=_LEAST_ALPHA, high=10.0) * n))
    spec = InstanceSpec(family="wishart", size=n, seed=seed, options={"alpha": alpha, "gauge": gauge})
    rng = draws(n, spec.seed)
    # Gaussian numbers as multiples of 1/grid, the finest one whose sums of products still fit into 64 bits: these are
    # exact, whatever adds them up, so all machines build the same problem and W is orthogonal to t to the last bit
    grid = 1 << ((2**62 // (num_columns * (2 * _WIDEST * n) ** 2)).bit_length() - 1) // 2
    drawn = np.rint(rng.standard_normal((n, num_columns)) * grid).astype(np.int64)
    orthogonal = n * drawn - drawn.sum(axis=0)  # n times the drawn columns less their means
    unit = float(n**2 * (n - 1) * grid**2)  # of n W W^T in these whole numbers

    products = orthogonal @ orthogonal.T
    heads, tails = np.triu_indices(n, 1)
    model = model_of_bonds(n, np.column_stack([heads, tails]), -products[heads, tails] / unit)
    energy = -sum(np.diagonal(products).tolist()) / (2 * unit)
    return plant(spec, model, energy, rng=rng, gauge=gauge)


FAMILY = Family(
    name="wishart",
    build=wishart,
    summary="all variables coupled, by Gaussian vectors orthogonal to the planted state",
    source="Hamze et al., Phys. Rev. E 101, 052102 (2020)",
)
