"""Which local minima contestants find, at equal reads."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from annealnn._validation import check_count
from annealnn.benchmark.statistics._interval import Interval
from annealnn.typing import AnyArray, Floats

_DRAWS = 200


class ValleyCount(NamedTuple):
    """What one contestant finds of an instance's valleys, in as many reads as all others are given."""

    found: Interval  #: expected number
    missed_by_others: float  #: expected number that it finds and no other does
    missed: float  #: expected number that others find and it does not


def chance_of_finding(counts: AnyArray, num_reads: int, num_drawn: int) -> Floats:
    """Return with what chance a valley is among reads drawn without replacement (Hurlbert 1971; rarefaction).

    1 - C(R - c, m) / C(R, m) for a valley with c of R reads, m drawn.

    Parameters
    ----------
    counts : (...)
        c.
    num_reads : int
        R.
    num_drawn : int
        m, at most R.

    Raises
    ------
    ValueError
        If more reads are drawn than there are.
    """
    check_count("num_drawn", num_drawn, minimum=0)
    if num_drawn > num_reads:
        msg = f"reads drawn are at most those there are; got {num_drawn} of {num_reads}"
        raise ValueError(msg)
    c = np.asarray(counts, np.float64)
    rest = num_reads - c - num_drawn
    possible = rest >= 0
    left = np.where(possible, rest, 0.0)
    log_missed = (
        gammaln(num_reads - c + 1) - gammaln(left + 1) - gammaln(num_reads + 1) + gammaln(num_reads - num_drawn + 1)
    )
    return np.asarray(np.where(possible, -np.expm1(np.minimum(log_missed, 0.0)), 1.0))


def compare_valleys(
    counts: Mapping[str, Mapping[str, int]], num_reads: Mapping[str, int], rng: np.random.Generator
) -> dict[str, ValleyCount]:
    """Compare what contestants find at equal reads, the least that one of them has (Koshka & Novotny).

    Parameters
    ----------
    counts : mapping from contestant to mapping from valley to reads
        A valley's name is the minimum that steepest descent reaches.
    num_reads : mapping from contestant to number of reads
    rng : Generator
        For the interval of `found`: reads drawn again.

    Raises
    ------
    ValueError
        If a contestant has fewer reads than its valleys count.
    """
    for name, valleys in counts.items():
        if sum(valleys.values()) > num_reads[name]:
            msg = f"valleys count at most the reads; {name!r} has {sum(valleys.values())} of {num_reads[name]}"
            raise ValueError(msg)
    least = min(num_reads.values())
    names = list(counts)
    known = sorted({key for valleys in counts.values() for key in valleys})
    table = np.array([[counts[name].get(key, 0) for key in known] for name in names])
    chances = np.array(
        [chance_of_finding(row, num_reads[name], least) for name, row in zip(names, table, strict=True)]
    ).reshape(len(names), len(known))
    result = {}
    for k, name in enumerate(names):
        others = 1 - np.prod(np.delete(1 - chances, k, axis=0), axis=0)
        value = float(chances[k].sum())
        spread = _spread(table[k], num_reads[name], least, rng)
        found = Interval(value, max(0.0, value - 1.96 * spread), min(float(least), value + 1.96 * spread))
        result[name] = ValleyCount(
            found, float((chances[k] * (1 - others)).sum()), float(((1 - chances[k]) * others).sum())
        )
    return result


def richest(candidates: Sequence[tuple[Sequence[int], int]], num_drawn: int) -> int:
    """Return which of several runs finds most valleys in equally many reads: runs are (counts, num_reads)."""
    found = [float(chance_of_finding(np.array(counts), reads, num_drawn).sum()) for counts, reads in candidates]
    return int(np.argmax(found))


def _spread(counts: AnyArray, num_reads: int, num_drawn: int, rng: np.random.Generator) -> float:
    """Return the standard deviation of the expected number found, reads drawn again."""
    share = counts / num_reads
    drawn = rng.multinomial(num_reads, np.append(share, max(0.0, 1 - share.sum())), size=_DRAWS)[:, :-1]
    return float(chance_of_finding(drawn, num_reads, num_drawn).sum(axis=1).std(ddof=1))
