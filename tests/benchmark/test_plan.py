"""Plans: which tasks, in which order, with which seeds."""

import pytest

from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._plan import Entrant, plan_tasks
from annealnn.exceptions import UnknownContestantError, UnknownFamilyError

pytestmark = pytest.mark.usefixtures("world")

NEAL = Entrant(contestant=ContestantSpec(name="neal"), efforts=(4, 16, 64))
GUESS = Entrant(contestant=ContestantSpec(name="cheats:Guesser"), efforts=(1.0, 8.0), num_reads=7)
INSTANCES = [InstanceSpec(family="glass", size=size, seed=seed) for size in (4, 6) for seed in range(3)]


def keys(tasks):
    return {task.key for task in tasks}


def test_every_contestant_meets_every_instance_at_every_effort():
    tasks = plan_tasks(INSTANCES, [NEAL, GUESS], num_reads=20, measures=("overlaps",))
    assert len(tasks) == len(keys(tasks)) == 6 * (1 + 3 + 2)
    runs = [task for task in tasks if task.kind == "sample"]
    met = {(task.instance.key, task.contestant.label, task.effort, task.num_reads) for task in runs}
    assert met == {
        (instance.key, entrant.contestant.label, effort, entrant.num_reads or 20)
        for instance in INSTANCES
        for entrant in (NEAL, GUESS)
        for effort in entrant.efforts
    }
    assert {task.measures for task in runs} == {("overlaps",)}


def test_what_shapes_a_result_is_in_its_code():
    certificate, *runs = plan_tasks(INSTANCES[:1], [NEAL, GUESS], num_reads=20)
    assert certificate.kind == "certify"
    assert certificate.code.keys() == {"family", "annealnn"}
    assert {task.code["family"] for task in runs} == {"3"}
    versions = {task.contestant.name: task.code["contestant"] for task in runs}
    assert versions["neal"].startswith("dwave-samplers ")
    assert versions["cheats:Guesser"].startswith("cheats ")


def test_instances_stand_together_their_certificate_first_and_contestants_mixed():
    tasks = plan_tasks(INSTANCES, [NEAL, GUESS], num_reads=20)
    assert [task.instance.key for task in tasks[::6]] == [instance.key for instance in INSTANCES]
    assert {task.kind for task in tasks[::6]} == {"certify"}
    orders = [tuple((t.contestant.name, t.effort) for t in tasks[k + 1 : k + 6]) for k in range(0, 36, 6)]
    # 6 of the 120 orders: all alike by chance once in 120^5
    assert len(set(orders)) > 1
    assert tasks == plan_tasks(INSTANCES, [NEAL, GUESS], num_reads=20)
    assert not [t for t in plan_tasks(INSTANCES, [NEAL], num_reads=20, certify=False) if t.kind == "certify"]


def test_more_to_compare_leaves_the_rest_as_it_was():
    few = plan_tasks(INSTANCES[1:3], [NEAL], num_reads=20)
    assert keys(few) < keys(plan_tasks(INSTANCES, [GUESS, NEAL], num_reads=20))
    longer = Entrant(contestant=NEAL.contestant, efforts=(2, *NEAL.efforts))
    assert keys(few) < keys(plan_tasks(INSTANCES[1:3], [longer], num_reads=20))


def test_seeds_differ_with_all_that_they_should():
    runs = [t for t in plan_tasks(INSTANCES, [NEAL, GUESS], num_reads=20) if t.kind == "sample"]
    assert len({task.seed for task in runs}) == len(runs)
    again = [t for t in plan_tasks(INSTANCES, [NEAL, GUESS], num_reads=20, seed=1) if t.kind == "sample"]
    assert not {task.seed for task in runs} & {task.seed for task in again}
    assert all(0 <= task.seed < 2**31 for task in runs)


def test_a_label_moves_no_seed():
    renamed = Entrant(contestant=ContestantSpec(name="neal", label="SA", power_w=15.0), efforts=NEAL.efforts)
    assert keys(plan_tasks(INSTANCES, [NEAL], num_reads=20)) == keys(plan_tasks(INSTANCES, [renamed], num_reads=20))


def test_four_sweeps_are_four_sweeps():
    whole, real = (Entrant(contestant=NEAL.contestant, efforts=efforts) for efforts in ((4,), (4.0,)))
    assert keys(plan_tasks(INSTANCES, [whole], num_reads=20)) == keys(plan_tasks(INSTANCES, [real], num_reads=20))


def test_what_comes_twice_runs_once():
    tasks = plan_tasks(INSTANCES, [NEAL], num_reads=20)
    assert plan_tasks([*INSTANCES, *INSTANCES], [NEAL, NEAL], num_reads=20) == tasks


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"num_reads": 0}, ValueError, "num_reads is a whole number of at least 1; got 0"),
        ({"seed": -1}, ValueError, "seed is a whole number of at least 0; got -1"),
        ({"measures": ("luck",)}, ValueError, "a measure is one of .*; got 'luck'"),
        ({"instances": [InstanceSpec(family="sudoku", size=9)]}, UnknownFamilyError, "got 'sudoku'"),
        ({"entrants": [Entrant(contestant=ContestantSpec(name="nael"))]}, UnknownContestantError, "got 'nael'"),
        (
            {"entrants": [NEAL, Entrant(contestant=ContestantSpec(name="neal", settings={"beta_range": [0, 1]}))]},
            ValueError,
            "labels tell contestants apart; got two with 'neal'",
        ),
        (
            {"entrants": [NEAL, Entrant(contestant=ContestantSpec(name="neal", label="SA"), efforts=(2, 4))]},
            ValueError,
            "contestants of the same settings are one; got 'neal' and 'SA'",
        ),
    ],
)
def test_what_cannot_be_planned(change, error, said):
    with pytest.raises(error, match=said):
        plan_tasks(**({"instances": INSTANCES, "entrants": [NEAL], "num_reads": 20} | change))


@pytest.mark.parametrize("efforts", [(), (4, 4), (0,), (float("inf"),), (True,)])
def test_efforts_are_numbers_above_0_each_once(efforts):
    with pytest.raises(ValueError, match="effort"):
        Entrant(contestant=ContestantSpec(name="neal"), efforts=efforts)
