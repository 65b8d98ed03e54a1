"""Verdicts: one made-up analysis that just earns a category, and each rule broken in turn."""

import re
from dataclasses import replace

import pytest

from annealnn.benchmark._analysis import (
    Analysis,
    ContestantRow,
    ContradictionRow,
    EffortRow,
    FailureRow,
    RelativeScalingRow,
    SpeedupRow,
    TimeRow,
)
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._verdict import verdict
from annealnn.benchmark.statistics._interval import Interval

SIZES = (2, 4, 6, 8)
FORMS = ("power", "exponential", "root exponential")


def contestant(label, name=None, *, kind="cpu", simulated=False):
    return ContestantRow(
        label=label,
        name=name or label,
        settings={},
        versions=("1",),
        hardware={"name": f"the {kind}", "kind": kind, "simulated": simulated},
        effort_name="num_sweeps",
        power_w=None,
        simulated=simulated,
        num_tasks=1,
        num_done=1,
    )


def against(
    rival, group, *, ratio=3.0, spread=1.5, difference=(0.4, 0.2, 0.6), edge=(), efforts=4, upper=0.0, count=20
):
    """Return the tables about a processor and a rival; its ratio at the largest size, and the growth of it."""
    of = {"group": group, "clock": "annealing", "policy": "optimised", "epsilon": 0.0, "simulated": False}
    found = {"speedups": [], "relative_scalings": [], "efforts": [], "times": []}
    for size in SIZES:
        for quantile in (0.5, 0.9):
            found["speedups"] += [
                SpeedupRow(
                    **of,
                    reference=rival,
                    contestant="chip",
                    size=size,
                    num_variables=8.0 * size**2,
                    quantile=quantile,
                    kind=kind,
                    ratio=Interval(ratio, ratio / spread, ratio * spread),
                    bound="none",
                    num_instances=count,
                    at_lower_edge=edge,
                )
                for kind in ("ratio of quantiles", "quantile of ratios")
            ]
        for who in (rival, "chip"):
            one = {"contestant": who, "size": size, "num_variables": 8.0 * size**2, "quantile": 0.5, "num_unsolved": 0}
            one |= {"num_instances": count, "num_reads": 100, "group": group, "clock": "annealing", "epsilon": 0.0}
            found["efforts"] += [
                EffortRow(
                    **one,
                    effort=2.0**k,
                    time=Interval(1, 1, 1),
                    success=Interval(0.5, 0.4, 0.6),
                    time_per_read=1e-3,
                    simulated=False,
                )
                for k in range(efforts)
            ]
            found["times"].append(
                TimeRow(
                    **one,
                    policy="optimised",
                    effort=4.0,
                    time=Interval(1, 1, 1),
                    lower_edge=0.0,
                    upper_edge=upper if who == rival else 0.0,
                    optimism=1.0,
                    simulated=False,
                )
            )
    found["relative_scalings"] = [
        RelativeScalingRow(
            **of,
            reference=rival,
            contestant="chip",
            quantile=0.5,
            form=form,
            difference=Interval(*difference),
            sizes=SIZES,
            at_lower_edge=edge,
        )
        for form in FORMS
    ]
    return {name: tuple(rows) for name, rows in found.items()}


def analysis(rivals, *, chip=None, **other):
    """Return an analysis; `rivals` maps (label, registry name, group) to what `against` is told."""
    tables = [against(label, group, **told) for (label, _, group), told in rivals.items()]
    joined = {name: sum((each[name] for each in tables), ()) for name in tables[0]} if tables else {}
    groups = tuple(dict.fromkeys(group for _, _, group in rivals))
    named = {label: contestant(label, name) for label, name, _ in rivals}
    return Analysis(
        groups=groups,
        contestants=(chip or contestant("chip", "qpu", kind="qpu"), *named.values()),
        sizes=dict.fromkeys(groups, SIZES),
        quantiles=(0.5, 0.9, 0.99),
        target=0.99,
        epsilons=(0.0,),
        seed=0,
        num_resamples=1000,
        **joined,
        **other,
    )


SA, SQA, TABU = ("SA", "neal", "ran"), ("SQA", "path-integral", "ran"), ("tabu", "tabu", "ran")


def test_speed_up_against_annealing_alone_is_limited():
    found = verdict(analysis({SA: {}, SQA: {}}))
    assert found.category == "limited"
    assert "Limited quantum speed-up of chip on ran" in found.text
    assert any("only simulated annealing" in reason for reason in found.reasons)
    assert any("rivals of other kinds" in change for change in found.what_would_change_it)


def test_speed_up_against_all_is_potential_and_never_more():
    assert verdict(analysis({SA: {}, SQA: {}, TABU: {}})).category == "potential"


def test_a_plug_in_lifts_nothing_and_must_be_beaten():
    plug_in = ("mine", "package.module:factory", "ran")
    assert verdict(analysis({SA: {}, plug_in: {}})).category == "limited"
    assert verdict(analysis({SA: {}, TABU: {}, plug_in: {"ratio": 0.2}})).category == "limited"


def test_a_processor_that_is_a_plug_in_is_told_of():
    words = "times of chip are what the plug-in mine:chip states"
    for name, told in (("mine:chip", True), ("qpu", False)):
        found = verdict(analysis({SA: {}}, chip=contestant("chip", name, kind="qpu")))
        assert any(words in reason for reason in found.reasons) == told


@pytest.mark.parametrize(("ratio", "told"), [(0.1, True), (0.9, False), (3.0, False)])
def test_a_processor_that_is_slower_in_all_is_told_of(ratio, told):
    fast = analysis({SA: {}})
    whole = [row for row in against("SA", "ran", ratio=ratio)["speedups"] if row.quantile == 0.5]
    found = verdict(replace(fast, speedups=(*fast.speedups, *(replace(row, clock="wall") for row in whole))))
    assert found.category == "limited"
    said = "slower than SA at size 8: the ratio of median times is 0.1 (0.0667 to 0.15)"
    assert any(said in reason for reason in found.reasons) == told


@pytest.mark.parametrize(
    ("told", "category", "words", "change"),
    [
        ({"ratio": 0.2}, "none", "slower, by a factor of 3.33 or more", "shorter by a factor of 7.5 at size 8"),
        ({"ratio": 1.2}, "inconclusive", "interval holds 1", "about 99 instances of size 8 in place of 20"),
        (
            {"difference": (0.1, -0.1, 0.3)},
            "none",
            "divided by N, exponents differ by power 0.1 (-0.1 to 0.3)",
            "about 4 times the instances",
        ),
        ({"difference": (-0.1, -0.3, 0.1)}, "none", "constant factor", "at present it is -0.1"),
        ({"edge": ("chip",)}, "inconclusive", "at most that", "shorter efforts of chip"),
        ({"edge": ("SA",)}, "inconclusive", "at most that", "shorter efforts of SA"),
        ({"upper": 0.5}, "inconclusive", "above the longest", "longer efforts of SA"),
        ({"efforts": 1}, "inconclusive", "not optimised: 1 efforts", "3 efforts or more of SA"),
        ({"count": 4}, "inconclusive", "4 instances are too few", "10 instances or more"),
    ],
    ids=["slower", "open", "constant", "worse", "edge", "rival-edge", "upper", "unoptimised", "few"],
)
def test_each_rule_withholds(told, category, words, change):
    found = verdict(analysis({SA: told, TABU: {}}))
    assert found.category == category
    assert any(words in reason for reason in found.reasons), found.reasons
    assert any(change in each for each in found.what_would_change_it), found.what_would_change_it


def test_one_rival_that_is_not_beaten_is_enough():
    assert verdict(analysis({SA: {}, SQA: {"ratio": 0.2}})).category == "none"
    assert verdict(analysis({SA: {}, SQA: {}, TABU: {"ratio": 0.2}})).category == "limited"


def test_one_form_of_fit_or_one_quantile_that_disagrees_is_enough():
    whole = analysis({SA: {}})
    rows = whole.relative_scalings
    flat = replace(rows[0], difference=Interval(0.1, -0.2, 0.4))
    assert verdict(replace(whole, relative_scalings=(flat, *rows[1:]))).category == "none"
    few = tuple(replace(row, sizes=SIZES[:2]) for row in rows)
    assert verdict(replace(whole, relative_scalings=few)).category == "inconclusive"
    hard = tuple(
        replace(row, ratio=Interval(0.5, 0.3, 0.8)) if row.quantile == 0.9 and row.size == 8 else row
        for row in whole.speedups
    )
    found = verdict(replace(whole, speedups=hard))
    assert found.category == "inconclusive"
    assert "slower at quantile 0.9" in found.reasons[0]


def test_unsolved_instances_are_bounds():
    whole = analysis({SA: {}})
    lower = tuple(replace(row, ratio=Interval(3, 2, float("inf")), bound="lower") for row in whole.speedups)
    found = verdict(replace(whole, speedups=lower))
    assert found.category == "limited"
    assert "is at least 3" in found.reasons[0]
    nan = float("nan")
    neither = tuple(replace(row, ratio=Interval(nan, nan, nan), bound="undefined") for row in whole.speedups)
    assert verdict(replace(whole, speedups=neither)).category == "inconclusive"
    upper = tuple(replace(row, ratio=Interval(3, 0, 4.5), bound="upper") for row in whole.speedups)
    found = verdict(replace(whole, speedups=upper))
    assert found.category == "inconclusive"
    assert "how many, this ratio does not tell" in found.what_would_change_it[0]


@pytest.mark.parametrize(("proof", "name"), [("planar", "planar"), ("tree decomposition", "tree")])
def test_what_proves_the_optima_must_take_part(proof, name):
    rivals = {SA: {}, TABU: {}}
    found = verdict(analysis(rivals, proofs={"ran": {proof: 20}}))
    assert found.category == "limited"
    assert any(f"proven by {proof}" in reason for reason in found.reasons)
    assert verdict(analysis(rivals | {(name, name, "ran"): {}}, proofs={"ran": {proof: 20}})).category == "potential"


@pytest.mark.parametrize("family", ["frustrated-cluster-loops", "weak-strong"])
def test_families_that_are_easy_on_clusters_lift_nothing(family):
    group = f"{family}(alpha=0.65)"
    rivals = {("SA", "neal", group): {}, ("tabu", "tabu", group): {}}
    found = verdict(analysis(rivals))
    assert found.category == "limited"
    assert any("polynomial time" in reason for reason in found.reasons)
    assert verdict(analysis(rivals | {("tree", "tree", group): {}})).category == "potential"


def test_uncertified_optima_and_failures_are_said():
    spec = InstanceSpec(family="ran", size=8)
    failure = FailureRow(
        key="k", kind="sample", instance=spec, contestant="chip", effort=1.0, status="timed out", message=""
    )
    found = verdict(analysis({SA: {}}, proofs={"ran": {"planted": 15, "agreement": 5}}, failures=(failure,)))
    assert any("5 of 20 instances are uncertified" in reason for reason in found.reasons)
    assert any("1 tasks of chip gave no reads" in reason for reason in found.reasons)
    assert "uncertified" not in " ".join(verdict(analysis({SA: {}}, proofs={"ran": {"planted": 20}})).reasons)


def test_a_wrong_certificate_ends_claims():
    row = ContradictionRow(
        instance=InstanceSpec(family="ran", size=8),
        contestant="SA",
        energy=-9.0,
        certified_energy=-8.0,
        proof="planted",
    )
    assert verdict(analysis({SA: {}}, contradictions=(row,))).category == "inconclusive"


def test_no_processor_no_speed_up():
    simulated = contestant("chip", "standin", kind="qpu", simulated=True)
    for chip, words in (
        (simulated, "SIMULATED"),
        (contestant("chip", "neal"), "No contestant ran on a quantum processor"),
    ):
        found = verdict(analysis({SA: {"ratio": 1e6}, TABU: {"ratio": 1e6}}, chip=chip))
        assert found.category == "none"
        assert found.text == "None: no processor was measured."
        assert words in found.reasons[0]
        assert not found.groups
        assert "profile" in found.what_would_change_it[0]
    named = verdict(analysis({SA: {"ratio": 1e6}}, chip=contestant("chip", "neal")), "chip")
    assert "no quantum processor" in named.reasons[0]


def test_one_invented_time_is_enough():
    whole = analysis({SA: {}})
    marked = tuple(replace(row, simulated=row.size == 8) for row in whole.speedups)
    found = verdict(replace(whole, speedups=marked))
    assert found.category == "inconclusive"
    assert "SIMULATED" in found.reasons[0]


def test_groups_are_judged_one_by_one():
    other = ("SA", "neal", "frustrated-loops")
    found = verdict(analysis({SA: {}, other: {"ratio": 0.2}}))
    assert found.category == "limited"
    assert "on ran: against" in found.text
    assert "frustrated-loops: no quantum speed-up." in found.text
    assert found.to_dict()["groups"] == {"ran": "limited", "frustrated-loops": "none"}


def test_one_size_says_nothing_of_scaling():
    single = ("SA", "neal", "learned")
    whole = analysis({SA: {"ratio": 0.2}, single: {"efforts": 1}})
    assert verdict(whole).category == "inconclusive"
    found = verdict(replace(whole, sizes={"ran": SIZES, "learned": (8,)}))
    assert found.category == "none"
    assert [group.group for group in found.groups] == ["ran"]
    # unless there is nothing else
    alone = verdict(replace(analysis({single: {}}), sizes={"learned": (8,)}))
    assert [group.group for group in alone.groups] == ["learned"]


def test_which_processor():
    whole = analysis({SA: {}})
    with pytest.raises(ValueError, match=re.escape("one of the contestants, chip, SA; got 'else'")):
        verdict(whole, "else")
    other = contestant("chip 2", "qpu", kind="qpu")
    # the same chip, timed often and embedded in passing
    often = tuple(replace(row, num_tasks=100) for row in whole.contestants)
    assert verdict(replace(whole, contestants=(other, *often))).processor == "chip"
    other = replace(other, hardware={**other.hardware, "name": "another"})
    two = replace(whole, contestants=(*whole.contestants, other))
    with pytest.raises(ValueError, match=r"chip, chip 2\. Name one"):
        verdict(two)
    assert verdict(two, "chip").category == "limited"
    beside = replace(whole, contestants=(contestant("toy", "standin", kind="qpu", simulated=True), *whole.contestants))
    assert verdict(beside).processor == "chip"
    nothing = verdict(analysis({}, chip=None))
    assert nothing.category == "inconclusive"
