"""Specs, tasks and records: their keys, their JSON, and what they refuse."""

import json

import numpy as np
import pytest

from annealnn.benchmark._contestant import ContestantSpec, TimeSplit
from annealnn.benchmark._instance import InstanceSpec, Optimum
from annealnn.benchmark._task import Record, Task

INSTANCE = InstanceSpec(family="ran", size=4, seed=3, options={"k": 1, "graph": ("chimera",)})
CONTESTANT = ContestantSpec(name="anneal", settings={"beta_range": (0.1, 3.0)})
TASK = Task(instance=INSTANCE, contestant=CONTESTANT, effort=64, num_reads=10, seed=1, measures=("overlaps",))


def test_records_survive_json():
    record = Record(task=TASK, status="done", energies=((-3.0, 4), (-1.0, 6)), timing=TimeSplit(1.0)._asdict())
    again = Record.from_dict(json.loads(json.dumps(record.to_dict())))
    assert again == record
    assert again.key == TASK.key


@pytest.mark.parametrize(
    "change",
    [
        {"effort": 65},
        {"num_reads": 11},
        {"seed": 2},
        {"measures": ()},
        {"code": {"contestant": "annealnn 2"}},
        {"instance": InstanceSpec(family="ran", size=4, seed=4, options=INSTANCE.options)},
        {"contestant": ContestantSpec(name="anneal", settings={"beta_range": (0.1, 4.0)})},
    ],
)
def test_what_shapes_a_result_shapes_its_key(change):
    fields = {name: getattr(TASK, name) for name in TASK.__slots__}
    assert Task(**{**fields, **change}).key != TASK.key


def test_a_label_does_not_shape_the_key():
    renamed = ContestantSpec(name="anneal", settings=CONTESTANT.settings, label="ours", power_w=15.0)
    fields = {name: getattr(TASK, name) for name in TASK.__slots__}
    assert Task(**{**fields, "contestant": renamed}).key == TASK.key


SECRET = "DEV-0123456789012345678901234567890123456789"


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"settings": {"token": "x"}}, "'token'"),
        ({"settings": {"client": {"token": "x"}}}, "'client.token'"),
        ({"settings": {"clients": [{"password": "x"}]}}, "'clients.password'"),
        ({"settings": {"ways": ("near", SECRET), "none of JSON's": object()}}, "'ways'"),
        ({"settings": {SECRET: 1}}, "'settings'"),
        ({"label": f"qpu,way={SECRET}"}, "'label'"),
    ],
)
def test_credentials_are_refused(parts, where):
    with pytest.raises(ValueError, match=f"hold no credentials, .*; got one in {where}") as raised:
        ContestantSpec(name="qpu", **parts)
    assert SECRET not in str(raised.value)


def test_settings_that_json_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="settings hold what JSON can"):
        ContestantSpec(name="anneal", settings={"schedule": object()})


def test_reached_is_exact_to_rounding():
    optimum = Optimum(energy=-10.0, proof="planted")
    np.testing.assert_array_equal(optimum.reached([-10.0 + 1e-12, -9.9, -9.0]), [True, False, False])
    np.testing.assert_array_equal(optimum.reached([-10.0, -9.9, -9.0], epsilon=0.02), [True, True, False])


def test_an_agreement_names_its_solvers():
    with pytest.raises(ValueError, match="names the solvers"):
        Optimum(energy=-1.0, proof="agreement")


def test_where_a_file_lies_does_not_shape_the_key():
    here, there = (
        InstanceSpec(family="ran", size=4, options={"graph": f"{folder}/g.json", "graph_sha256": "0" * 64})
        for folder in ("here", "there")
    )
    other = InstanceSpec(family="ran", size=4, options={"graph": "here/g.json", "graph_sha256": "1" * 64})
    assert here.key == there.key != other.key
    assert Task(instance=here).key == Task(instance=there).key != Task(instance=other).key


def test_a_budget_does_not_shape_the_key_and_a_profile_does():
    specs = [
        ContestantSpec(name="qpu", settings=settings)
        for settings in ({}, {"budget_us": 1e6, "journal": "j.sqlite"}, {"profile": "another"})
    ]
    assert specs[0].key == specs[1].key != specs[2].key
