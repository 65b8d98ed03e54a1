"""How a processor compares with one rival on one group of instances: the rules behind a verdict."""

import math
from dataclasses import dataclass
from typing import Literal, final

from annealnn.benchmark._analysis import Analysis, ContestantRow, RelativeScalingRow, SpeedupRow, TimeRow
from annealnn.benchmark.statistics._interval import Interval

#: "annealing": simulated annealing, thermal or quantum, which works as the processor does. "other": another known
#: algorithm. "unknown": a plug-in, which has to be beaten, but lifts no verdict.
Kind = Literal["annealing", "other", "unknown"]
#: "at most": an upper bound on a speed-up. "undecided": no claim either way.
Outcome = Literal["speed-up", "constant factor", "slower", "at most", "undecided"]

_ANNEALING = {"anneal", "gibbs", "neal", "openjij-sa", "openjij-sqa", "path-integral", "quantum-anneal"}
_ANNEALING |= {"dwave-path-integral"}
_OTHER = {"exact", "planar", "population-annealing", "tabu", "tempering", "tree"}
# fewer resample too coarsely for a 95 % interval over instances
_LEAST_INSTANCES = 10
_LEAST_SIZES = 3
_LEAST_EFFORTS = 3
_EDGE = 0.05


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How a processor compares with one rival on one group of instances."""

    group: str
    rival: str
    kind: Kind
    outcome: Outcome
    text: str  #: a sentence
    what_would_change_it: tuple[str, ...]
    size: int  #: the largest that both ran
    ratio: Interval  #: of median times at that size, the rival's over the processor's


def compare(analysis: Analysis, group: str, processor: str, rival: ContestantRow) -> Finding | None:
    """Return how a processor compares with a rival on a group; None if they have no size in common."""
    ratios = [
        row
        for row in analysis.speedups
        if (row.group, row.reference, row.contestant) == (group, rival.label, processor)
        and (row.clock, row.policy, row.epsilon) == ("annealing", "optimised", 0.0)
    ]
    if not ratios:
        return None
    median = min(analysis.quantiles, key=lambda quantile: abs(quantile - 0.5))
    size = max(row.size for row in ratios)
    at_size = [row for row in ratios if row.size == size]
    middle = [row for row in at_size if row.quantile == median]
    slopes = [
        row
        for row in analysis.relative_scalings
        if (row.group, row.reference, row.contestant) == (group, rival.label, processor)
        and (row.clock, row.policy, row.epsilon, row.quantile) == ("annealing", "optimised", 0.0, median)
    ]
    shown = next((row for row in middle if row.kind == "ratio of quantiles"), middle[0])
    about = f"{group}, {processor} against {rival.label}"
    outcome, why, changes = _judge(analysis, group, processor, rival.label, at_size, middle, slopes)
    bound = {"lower": " at least", "upper": " at most", "undefined": " unknown,", "none": ""}[shown.bound]
    sentence = (
        f"{about}: at size {size} ({shown.num_variables:.0f} variables, {shown.num_instances} instances) the ratio of "
        f"median times is{bound} {show(shown.ratio)}; {why}."
    )
    return Finding(
        group=group,
        rival=rival.label,
        kind="annealing" if rival.name in _ANNEALING else "other" if rival.name in _OTHER else "unknown",
        outcome=outcome,
        text=sentence,
        what_would_change_it=tuple(f"{about}: {change}." for change in changes),
        size=size,
        ratio=shown.ratio,
    )


def show(interval: Interval) -> str:
    """Return "2.1 (1.5 to 3.0)"."""
    return f"{interval.value:.3g} ({interval.low:.3g} to {interval.high:.3g})"


def _judge(
    analysis: Analysis,
    group: str,
    processor: str,
    rival: str,
    at_size: list[SpeedupRow],
    middle: list[SpeedupRow],
    slopes: list[RelativeScalingRow],
) -> tuple[Outcome, str, list[str]]:
    """Return the outcome, why, and what would change it."""
    size = middle[0].size
    if any(row.simulated for row in at_size):
        return "undecided", "some of these times are SIMULATED", ["measured times alone"]
    if any(row.instance.group == group for row in analysis.contradictions):
        return "undecided", "reads lie below a certified optimum, so that certificate is wrong", ["right certificates"]
    for who in (processor, rival):
        tried = _efforts(analysis, group, who, size)
        if None not in tried and len(tried) < _LEAST_EFFORTS:
            why = f"the schedule of {who} is not optimised: {len(tried)} efforts were tried at that size"
            return "undecided", why, [f"{_LEAST_EFFORTS} efforts or more of {who} at each size"]
    if all(row.bound == "undefined" for row in middle):
        return "undecided", "neither solves half of the instances", ["more reads, or longer anneals"]
    if slower := [row.ratio for row in middle if row.ratio.high < 1]:
        change = f"times of {processor} shorter by a factor of {_inverse(min(ratio.low for ratio in slower))}"
        why = f"it is slower, by a factor of {_inverse(max(ratio.high for ratio in slower))} or more"
        return "slower", why, [f"{change} at size {size}"]
    if middle[0].num_instances < _LEAST_INSTANCES:
        why = f"{middle[0].num_instances} instances are too few for an interval over instances"
        return "undecided", why, [f"{_LEAST_INSTANCES} instances or more of each size"]
    if any(not row.ratio.low > 1 for row in middle):
        return "undecided", "the 95 % interval holds 1", [_more(middle, size)]
    if reverse := [row.quantile for row in at_size if row.ratio.high < 1]:
        why = f"faster at the median, slower at quantile {reverse[0]:g}"
        return "undecided", why, [f"quantile {reverse[0]:g} on the same side as the median"]
    return _scaling(analysis, group, processor, rival, size, slopes, middle)


def _scaling(
    analysis: Analysis,
    group: str,
    processor: str,
    rival: str,
    size: int,
    slopes: list[RelativeScalingRow],
    middle: list[SpeedupRow],
) -> tuple[Outcome, str, list[str]]:
    """Return what the growth of a ratio above 1 says."""
    late = [row for row in _best(analysis, group, rival) if row.upper_edge >= _EDGE]
    if late:
        why = (
            f"it is faster, but the best effort of {rival} may be above the longest that was tried, {late[0].effort:g}"
        )
        return "undecided", why, [f"longer efforts of {rival}, until the best lies within"]
    known = [row for row in slopes if len(row.sizes) >= _LEAST_SIZES]
    if not known:
        need = [f"{_LEAST_SIZES} sizes or more, to tell a constant factor from better scaling"]
        return "undecided", "it is faster, and too few sizes were run to say how that grows", need
    flat = [row for row in known if not row.difference.low > 0]
    told = "; ".join(f"{row.form} {show(row.difference)}" for row in known)
    if flat:
        worst = min(flat, key=lambda row: row.difference.low)
        change = _clearer(worst.difference, "a difference of exponents above 0", f"({worst.form} fit)")
        why = (
            "it is faster by a constant factor, or by no more than a processor gains in running N variables at once: "
            f"divided by N, exponents differ by {told}"
        )
        return "constant factor", why, [change]
    edge = {who for edges in (row.at_lower_edge for rows in (middle, known) for row in rows) for who in edges}
    if edge:
        who = processor if processor in edge else rival
        why = (
            f"the speed-up is at most that: the best effort of {who} may lie below the shortest that was tried, and "
            "times at small sizes are then too long"
        )
        return "at most", why, [f"shorter efforts of {who}, or sizes whose best effort lies above its minimum"]
    return (
        "speed-up",
        f"and it grows with size: divided by N, exponents differ by {told}",
        [f"a faster rival, or sizes above {size} where the ratio stops growing"],
    )


def _efforts(analysis: Analysis, group: str, who: str, size: int) -> set[float | None]:
    return {row.effort for row in analysis.efforts if (row.group, row.contestant, row.size) == (group, who, size)} or {
        None
    }


def _best(analysis: Analysis, group: str, who: str) -> list[TimeRow]:
    return [
        row
        for row in analysis.times
        if (row.group, row.contestant, row.clock, row.policy, row.epsilon)
        == (group, who, "annealing", "optimised", 0.0)
    ]


def _inverse(ratio: float) -> str:
    return f"{1 / ratio:.3g}" if ratio > 0 else "an unknown number"


def _more(rows: list[SpeedupRow], size: int) -> str:
    """Return how many instances would make an interval of ratios exclude 1, if the estimate stayed."""
    row = max(rows, key=lambda row: _widening(_logs(row.ratio)))
    more = _widening(_logs(row.ratio))
    if not math.isfinite(more):
        return f"more reads and instances at size {size}; how many, this ratio does not tell"
    need, stays = math.ceil(row.num_instances * more), f"{row.ratio.value:.3g}"
    return f"about {need} instances of size {size} in place of {row.num_instances}, if the ratio stays {stays}"


def _clearer(interval: Interval, what: str, where: str) -> str:
    more = _widening(interval)
    if interval.value <= 0 or not math.isfinite(more):
        return f"{what} {where}: at present it is {interval.value:.3g}"
    return f"{what} {where}: about {more:.2g} times the instances, if it stays {interval.value:.3g}"


def _logs(interval: Interval) -> Interval:
    return interval.map(lambda ratio: math.log(ratio) if ratio > 0 else -math.inf)


def _widening(interval: Interval) -> float:
    """Return by how much the number of instances must grow for an interval about the same value to exclude 0."""
    distance = abs(interval.value)
    width = interval.value - interval.low if interval.value > 0 else interval.high - interval.value
    if distance == 0 or not math.isfinite(width) or not math.isfinite(distance):
        return math.inf
    return (width / distance) ** 2
