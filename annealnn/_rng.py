"""One seed in, one independent random stream per read.

A stream is the state of a xoshiro128++ generator (Blackman & Vigna 2021), four words of 32 bits. Read r owns the
64-bit words 2r and 2r+1 of a splitmix64 sequence that starts at a key drawn from the seed, so asking for more reads
leaves the earlier ones as they were.
"""

import numpy as np

from annealnn.typing import Words

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def resolve_seed(seed: int | None) -> int:
    """Return `seed`, or a fresh one of 63 bits from the operating system."""
    if seed is not None:
        return int(seed)
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))


def streams_from_seed(seed: int, num_reads: int) -> Words:
    """Return one generator state per read, (num_reads, 4) uint32."""
    key = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    count = np.arange(1, 2 * num_reads + 1, dtype=np.uint64)
    z = key + count * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    z ^= z >> np.uint64(31)
    # low half, then high half, on any processor
    return np.stack([z & _LOW_HALF, z >> np.uint64(32)], axis=1).astype(np.uint32).reshape(num_reads, 4)


def child_seed(seed: int, *path: int) -> int:
    """Return a seed for one part of a job, independent of its siblings."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1, np.uint64)[0] >> np.uint64(1))
