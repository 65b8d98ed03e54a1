"""Synthetic data sets."""

from typing import Any, Literal, overload

import numpy as np
from sklearn.utils import check_random_state

from annealnn._validation import check_count, check_number
from annealnn.typing import Bits, Floats


def make_bars_and_stripes(height: int = 4, width: int = 4) -> tuple[Bits, Bits]:
    """Make every bars-and-stripes image once: all rows uniform (stripes), or all columns uniform (bars).

    Parameters
    ----------
    height, width : int

    Returns
    -------
    X : (2**height + 2**width - 2, height * width) bits
        The two uniform images are in once.
    y : (num_rows,) bits
        1 for bars, 0 for stripes and the uniform images.

    Notes
    -----
    MacKay (2003), *Information Theory, Inference, and Learning Algorithms*, section 43.
    """
    check_count("height", height)
    check_count("width", width)
    if max(height, width) > 16:
        msg = f"height and width are at most 16 (2**16 images); got {height} x {width}"
        raise ValueError(msg)
    stripes = np.repeat(_all_patterns(height)[:, :, None], width, axis=2).reshape(-1, height * width)
    bars = np.repeat(_all_patterns(width)[1:-1, None, :], height, axis=1).reshape(-1, height * width)
    if height == 1 or width == 1:
        # one line of pixels: the two families are the same images
        longest = stripes if width == 1 else np.vstack([stripes[:1], bars, stripes[-1:]])
        return longest, np.zeros(len(longest), dtype=np.int8)
    y = np.concatenate([np.zeros(len(stripes), np.int8), np.ones(len(bars), np.int8)])
    return np.vstack([stripes, bars]), y


def _all_patterns(length: int) -> Bits:
    shifts = np.arange(length - 1, -1, -1)
    return ((np.arange(2**length)[:, None] >> shifts) & 1).astype(np.int8)


@overload
def make_bernoulli_mixture(
    n_samples: int = ...,
    n_features: int = ...,
    n_modes: int = ...,
    p: float = ...,
    *,
    random_state: Any = ...,
    return_distribution: Literal[False] = ...,
) -> tuple[Bits, Bits]: ...
@overload
def make_bernoulli_mixture(
    n_samples: int = ...,
    n_features: int = ...,
    n_modes: int = ...,
    p: float = ...,
    *,
    random_state: Any = ...,
    return_distribution: Literal[True],
) -> tuple[Bits, Bits, Floats]: ...
def make_bernoulli_mixture(
    n_samples: int = 100,
    n_features: int = 8,
    n_modes: int = 8,
    p: float = 0.9,
    *,
    random_state: Any = None,
    return_distribution: bool = False,
) -> tuple[Bits, Bits] | tuple[Bits, Bits, Floats]:
    """Draw from a mixture of Bernoulli modes around random centres.

    P(v) = (1/M) sum_k p^(N - d_k) (1-p)^(d_k), d_k the Hamming distance from v to centre k
    (Amin et al. 2018, PRX 8, 021050, Eq. (53)).

    Parameters
    ----------
    n_samples, n_features, n_modes : int
    p : float
        Probability that a bit agrees with its centre.
    random_state : int, RandomState or None
    return_distribution : bool
        Whether to return P over all 2**n_features rows too (up to 20 features).

    Returns
    -------
    X : (n_samples, n_features) bits
    centres : (n_modes, n_features) bits
    distribution : (2**n_features,), if asked for
        Row k of the distribution has the bits of k, the first bit most significant.
    """
    check_count("n_samples", n_samples)
    check_count("n_features", n_features)
    check_count("n_modes", n_modes)
    check_number("p", p, low=0.0, high=1.0)
    rng = check_random_state(random_state)
    centres = rng.randint(0, 2, (n_modes, n_features)).astype(np.int8)
    agree = rng.random_sample((n_samples, n_features)) < p
    chosen = centres[rng.randint(n_modes, size=n_samples)]
    X = np.where(agree, chosen, 1 - chosen).astype(np.int8)
    if not return_distribution:
        return X, centres
    if n_features > 20:
        msg = f"the distribution is enumerated up to 20 features; got n_features={n_features}"
        raise ValueError(msg)
    distances = (_all_patterns(n_features)[:, None, :] != centres).sum(axis=2)
    return X, centres, (p ** (n_features - distances) * (1 - p) ** distances).mean(axis=1)
