"""What a benchmark says of quantum speed-up, by the published categories, and what would change it.

The categories are those of T. F. Ronnow et al., Defining and detecting quantum speedup, Science 345, 420 (2014), arXiv
1401.2910. A speed-up is of scaling: the time of a classical rival over that of the processor grows with the size.

- *provable*: it is proven that no classical algorithm does better. No measurement gives that.
- *strong*: against the best possible classical algorithm, known or not. No measurement gives that either.
- *speed-up*, without a word: against the best classical algorithm that is known. Whether it took part is for the field
  to say, not for a program.
- *potential*: against certain classical algorithms, those that took part.
- *limited*: against algorithms that work alike, simulated annealing and simulated quantum annealing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from annealnn.benchmark._analysis import Analysis, ContestantRow, SpeedupRow
from annealnn.benchmark._comparison import Finding, compare, show

Category = Literal["none", "inconclusive", "limited", "potential"]

_WORDS: dict[Category, str] = {
    "none": "no quantum speed-up",
    "inconclusive": "inconclusive",
    "limited": "limited quantum speed-up",
    "potential": "potential quantum speed-up",
}
# what proved an optimum is an algorithm that solves the family, and has to take part
_SOLVES = {"planar": "planar", "tree decomposition": "tree"}
# on clusters of variables these are planar, or a tree, and solved in polynomial time (Mandra et al. 2017)
_EASY = ("frustrated-cluster-loops", "weak-strong")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupVerdict:
    """What is said of one group of instances."""

    group: str
    category: Category
    reasons: tuple[str, ...]  #: a sentence each
    what_would_change_it: tuple[str, ...]
    findings: tuple[Finding, ...]  #: one a rival


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a benchmark says of quantum speed-up.

    Parameters
    ----------
    category : "none", "inconclusive", "limited" or "potential"
        The highest that a group of instances gives, by Ronnow et al. 2014. "Provable", "strong" and the plain
        "speed-up" are never given: they say something of algorithms that took no part.
    processor : str
        The contestant it is about; empty if there is none.
    text : str
        In a sentence.
    reasons : tuple of str
        Why, a sentence each.
    what_would_change_it : tuple of str
        What another measurement would have to show, in numbers where there are any.
    groups : tuple of GroupVerdict
        By group of instances; empty if no processor was measured. Groups of one size say nothing of scaling, and are
        left out if there are others.
    """

    category: Category
    processor: str
    text: str
    reasons: tuple[str, ...]
    what_would_change_it: tuple[str, ...]
    groups: tuple[GroupVerdict, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds of it, without the numbers behind it."""
        return {
            "category": self.category,
            "processor": self.processor,
            "text": self.text,
            "reasons": list(self.reasons),
            "what_would_change_it": list(self.what_would_change_it),
            "groups": {each.group: each.category for each in self.groups},
        }


def verdict(analysis: Analysis, processor: str | None = None) -> Verdict:
    """Return what an analysis says of quantum speed-up.

    A group of instances gives a category only where, for every rival that the category is about,

    - the processor was measured: no time is invented;
    - both had their schedules optimised for each size, over three efforts or more, the rival's best effort within those
      that were tried; if the processor's lies at the shortest, or the rival's does, the speed-up is an upper bound;
    - at the largest size, of ten instances or more, the 95 % intervals of the ratio of median times and of the median
      ratio lie above 1, and no other quantile's lies below;
    - over three sizes or more, the intervals of the difference of the two exponents lie above 0 in each form of fit,
      the processor's times multiplied by N, for it runs N variables at once. If one holds 0, a ratio above 1 is a
      constant factor, or what N cores would gain;
    - no read contradicts a certified optimum.

    "Limited" takes all of simulated annealing and simulated quantum annealing that took part; "potential" all rivals,
    among them one of another kind, and the exact method if one solves the family.

    Parameters
    ----------
    analysis : Analysis
    processor : str, optional
        Label of the contestant that it is about; None: the one that ran on a quantum processor, most often if several
        contestants did on the same.

    Raises
    ------
    ValueError
        If no contestant has the label, or several processors took part and none is named.
    """
    chosen = _processor(analysis.contestants, processor)
    if chosen is None or chosen.simulated or chosen.hardware.get("kind") != "qpu":
        return _not_measured(chosen)
    groups = tuple(_group_verdict(analysis, group, chosen.label) for group in analysis.groups)
    compared = [group for group in groups if group.findings]
    # one size says nothing of scaling, where others do
    judged = [group for group in compared if len(analysis.sizes[group.group]) > 1] or compared
    if not judged:
        return Verdict(
            category="inconclusive",
            processor=chosen.label,
            text="Inconclusive: nothing was run that the processor could be compared with.",
            reasons=(f"No rival of {chosen.label} has times to solution on instances that it ran.",),
            what_would_change_it=("Simulated annealing on the same instances.",),
            groups=groups,
        )
    category = _highest([group.category for group in judged])
    where = [group.group for group in judged if group.category == category]
    text = {
        "none": f"No quantum speed-up of {chosen.label} on {_listed(where)}.",
        "inconclusive": f"Inconclusive: {_listed(where)} leave open whether {chosen.label} has a quantum speed-up.",
        "limited": f"Limited quantum speed-up of {chosen.label} on {_listed(where)}: against simulated annealing, "
        "thermal or quantum, and not against all algorithms that took part or are known.",
        "potential": f"Potential quantum speed-up of {chosen.label} on {_listed(where)}: against the classical "
        "algorithms that took part.",
    }[category]
    others = [f"{group.group}: {_WORDS[group.category]}." for group in judged if group.category != category]
    return Verdict(
        category=category,
        processor=chosen.label,
        text=" ".join([text, *others]),
        reasons=_once(reason for group in judged for reason in group.reasons),
        what_would_change_it=_once(change for group in judged for change in group.what_would_change_it),
        groups=tuple(judged),
    )


def _processor(contestants: Sequence[ContestantRow], label: str | None) -> ContestantRow | None:
    if label is not None:
        for row in contestants:
            if row.label == label:
                return row
        labels = ", ".join(row.label for row in contestants)
        msg = f"the processor is one of the contestants, {labels or 'of which there are none'}; got {label!r}"
        raise ValueError(msg)
    found = [row for row in contestants if row.hardware.get("kind") == "qpu"]
    # one that was measured says more than one that was simulated
    found = [row for row in found if not row.simulated] or found[:1]
    if len({row.hardware.get("name") for row in found}) > 1:
        msg = f"a verdict is of one processor; got {', '.join(row.label for row in found)}. Name one"
        raise ValueError(msg)
    # of one processor's several settings, those that most was run with
    return max(found, key=lambda row: row.num_tasks, default=None)


def _not_measured(chosen: ContestantRow | None) -> Verdict:
    if chosen is None:
        reason = "No contestant ran on a quantum processor."
    elif chosen.simulated:
        reason = (
            f"The times of {chosen.label} are SIMULATED: a program on this machine plays the processor's part and "
            "invents them. Whatever the figures show, they show nothing of a processor."
        )
    else:
        reason = (
            f"{chosen.label} ran on {chosen.hardware.get('name', 'hardware that is not known')}, no quantum processor."
        )
    return Verdict(
        category="none",
        processor="" if chosen is None else chosen.label,
        text="None: no processor was measured.",
        reasons=(reason,),
        what_would_change_it=("Reads of a quantum processor on the same instances: name a profile of its account.",),
    )


def _group_verdict(analysis: Analysis, group: str, processor: str) -> GroupVerdict:
    rivals = [row for row in analysis.contestants if row.hardware.get("kind") != "qpu" and row.label != processor]
    found = [compare(analysis, group, processor, rival) for rival in rivals]
    findings = tuple(finding for finding in found if finding is not None)
    alike = [finding for finding in findings if finding.kind == "annealing"]
    others = [finding for finding in findings if finding.kind != "annealing"]
    beaten = [finding.outcome == "speed-up" for finding in alike]
    reasons = [finding.text for finding in findings]
    changes = [change for finding in findings for change in finding.what_would_change_it]
    taking_part = {row.name for row in rivals if any(row.label == finding.rival for finding in findings)}
    missing = [
        (proof, name)
        for proof, name in _SOLVES.items()
        if analysis.proofs.get(group, {}).get(proof) and name not in taking_part
    ]
    easy = group.partition("(")[0] in _EASY and not taking_part & {*_SOLVES.values()}
    category: Category = "inconclusive"
    if findings and all(finding.outcome == "speed-up" for finding in findings):
        known = any(finding.kind == "other" for finding in others)
        category = "potential" if known and not missing and not easy else "limited" if alike else "inconclusive"
    elif alike and all(beaten):
        category = "limited"
    elif any(finding.outcome in ("slower", "constant factor") for finding in alike or others):
        category = "none"
    if category == "limited" and not others:
        reasons.append(f"{group}: only simulated annealing of either kind took part.")
        changes.append(f"{group}: rivals of other kinds, such as tempering, tabu and exact solvers.")
    for proof, name in missing:
        reasons.append(f"{group}: optima were proven by {proof}, which solves such instances; it took no part.")
        changes.append(f'{group}: contestant "{name}" on the same instances.')
    if easy:
        reasons.append(f"{group}: instances are solved exactly in polynomial time on clusters of their variables.")
        changes.append(f"{group}: an exact solver of the clusters as a contestant, or another family.")
    reasons += _cautions(analysis, group, processor)
    return GroupVerdict(
        group=group,
        category=category,
        reasons=tuple(reasons),
        what_would_change_it=tuple(changes),
        findings=findings,
    )


def _cautions(analysis: Analysis, group: str, processor: str) -> list[str]:
    told = []
    unproven = analysis.proofs.get(group, {}).get("agreement", 0)
    if unproven:
        of = sum(analysis.proofs[group].values())
        told.append(
            f"{group}: the optima of {unproven} of {of} instances are uncertified: solvers agree on them, nothing "
            "proves them, and true times to solution may be longer."
        )
    name = next(row.name for row in analysis.contestants if row.label == processor)
    if name != "qpu":
        told.append(f"{group}: times of {processor} are what the plug-in {name} states; no service's journal has them.")
    told += [
        f"{group}: with programming, readout, network and client {processor} is slower than {row.reference} at "
        f"size {row.size}: the ratio of median times is {show(row.ratio)}."
        for row in _slower_in_all(analysis, group, processor)
    ]
    failed = sum(row.contestant == processor and row.instance.group == group for row in analysis.failures)
    if failed:
        told.append(f"{group}: {failed} tasks of {processor} gave no reads; they are listed.")
    return told


def _slower_in_all(analysis: Analysis, group: str, processor: str) -> list[SpeedupRow]:
    """Return where, at the largest size, all of a processor's time is more than a rival's."""
    middle = min(analysis.quantiles, key=lambda quantile: abs(quantile - 0.5))
    question = ("wall", "optimised", 0.0, middle, "ratio of quantiles")
    rows = [
        row
        for row in analysis.speedups
        if (row.group, row.contestant) == (group, processor)
        and (row.clock, row.policy, row.epsilon, row.quantile, row.kind) == question
    ]
    return [row for row in rows if row.size == max(each.size for each in rows) and row.ratio.high < 1]


def _highest(categories: Sequence[Category]) -> Category:
    order: tuple[Category, ...] = ("potential", "limited", "inconclusive", "none")
    return next(category for category in order if category in categories)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _once(sentences: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))
