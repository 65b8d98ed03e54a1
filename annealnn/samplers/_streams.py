"""Random numbers for a sampler written in numpy: one stream per read, so that more reads keep the earlier ones."""

import numpy as np

from annealnn._rng import streams_from_seed
from annealnn.kernels.sweeps import fill_uniforms
from annealnn.typing import Floats, Words

__all__ = ["streams_from_seed", "uniforms"]


def uniforms(streams: Words) -> Floats:
    """Return one double in [0, 1) from each stream, (num_reads,), and move the streams on in place.

    Parameters
    ----------
    streams : (num_reads, 4)
        As `streams_from_seed` gives.
    """
    out = np.empty(len(streams))
    fill_uniforms(streams, out)
    return out
