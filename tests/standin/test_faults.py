"""Faults: how they are told, and how often they strike."""

import json
import re

import pytest

from annealnn.standin import Fault
from annealnn.standin._faults import FaultPlan


def test_texts():
    assert Fault.parse("submit:drop") == Fault(on="submit", what="drop", requests=[1])
    wanted = Fault(on="submit", what="status", status=429, probability=0.1, accepted=True, message="too many")
    assert Fault.parse("submit:status:status=429:probability=0.1:accepted:message=too many") == wanted
    assert Fault.parse("job:failed:requests=[2,5]").requests == (2, 5)


def test_files(tmp_path):
    faults = [Fault.parse("poll:slow:delay_s=0.5"), Fault.parse("job:offline:probability=0.2")]
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([fault.to_dict() for fault in faults]))
    assert Fault.load(path) == faults
    for wrong in ("{}", "no JSON", "[3]"):
        path.write_text(wrong)
        with pytest.raises(ValueError, match=r"faults are a JSON file|a fault has"):
            Fault.load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("submit:drop:probability=0.1:requests=[1]", "a fault has either a probability or the numbers"),
        ("submit:drop:probability=2", "probability is a finite number, at least 0 and at most 1; got 2"),
        ("job:drop", "befall jobs"),
        ("submit:drop:often", "a fault has on, what, and of probability"),
        ("submit:drop:requests=[0]", "requests is a whole number of at least 1; got 0"),
        ("everything:drop", "on is one of 'connect'"),
    ],
)
def test_bad_texts(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Fault.parse(text)


def test_they_strike_as_often_as_told_and_the_same_for_a_seed():
    faults = [Fault.parse("submit:drop:probability=0.1"), Fault.parse("submit:not-json:probability=0.1")]

    def struck(seed):
        plan = FaultPlan(faults, seed)
        return [getattr(plan.strike("submit"), "what", None) for _ in range(1000)], plan.statistics()

    first, statistics = struck(1)
    assert struck(1)[0] == first
    assert struck(2)[0] != first
    # 100 and 90 expected, standard deviations below 10
    assert statistics["faults"]["submit drop"] == pytest.approx(100, abs=50)
    assert statistics["faults"]["submit not-json"] == pytest.approx(90, abs=50)
    assert statistics["requests"] == {"submit": 1000}
