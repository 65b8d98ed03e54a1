"""Random numbers for a sampler written in numpy: one stream per read, so that more reads keep the earlier ones."""

import numpy as np

from annealnn._rng import streams_from_seed
from annealnn.kernels.tiles import fill_uniforms
from annealnn.typing import Floats, Words

__all__ = ["streams_from_seed", "uniforms"]


def uniforms(streams: Words, count: int | None = None) -> Floats:
    """Return doubles in [0, 1) from each stream, and move the streams on in place.

    Parameters
    ----------
    streams : (num_reads, 4)
        As `streams_from_seed` gives.
    count : int, optional
        How many from each stream.

    Returns
    -------
    (num_reads, count), or (num_reads,) if `count` is None
    """
    out = np.empty((len(streams), 1 if count is None else count))
    fill_uniforms(streams, out)
    return out[:, 0] if count is None else out
