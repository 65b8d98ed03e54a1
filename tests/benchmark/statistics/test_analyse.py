"""From records to tables: what is certified, what failed, what is missing, and what a speed-up is worth."""

from dataclasses import replace

import numpy as np
import pytest

from annealnn.benchmark._analyse import analyse
from annealnn.benchmark._contestant import ContestantSpec, Hardware, TimeSplit
from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.benchmark._task import Record, Task
from annealnn.benchmark.statistics import Target, synthetic, time_to_solution
from annealnn.benchmark.statistics._quality import spins_of_indices
from annealnn.models import IsingModel

CPU = Hardware(name="one core", power_w=40.0)
QUICK = {"num_resamples": 100, "quantiles": (0.5,), "epsilons": (0.0,)}


def record(seed=0, *, size=4, label="sa", effort=1.0, hits=5, reads=10, status="done", energy=-4.0, **more):
    """Return a record of a contestant on an instance whose lowest energy is -4 and next one -3."""
    histogram = tuple((e, c) for e, c in ((energy, hits), (energy + 1, reads - hits)) if c)
    done = status == "done"
    return Record(
        task=Task(
            instance=InstanceSpec(family="toy", size=size, seed=seed),
            contestant=ContestantSpec(name="anneal", label=label, settings={"label": label}),
            effort=effort,
            num_reads=reads,
        ),
        status=status,
        message="" if done else "it said no",
        model={"digest": f"{size}-{seed}", "num_variables": size, "num_edges": 3},
        energies=histogram if done else (),
        timing=TimeSplit(client_s=3.0, programming_s=2.0, annealing_s=1.0)._asdict() if done else {},
        hardware=Hardware(name="one core", num_cores=2, power_w=40.0).to_dict(),
        **more,
    )


def certificate(seed=0, *, size=4, energy=-4.0, proof="planted", solvers=()):
    optimum = Optimum(energy=energy, proof=proof, solvers=solvers)
    task = Task(kind="certify", instance=InstanceSpec(family="toy", size=size, seed=seed))
    return Record(task=task, status="done", measures={"optimum": optimum.to_dict()})


def pick(rows, **wanted):
    return [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]


def test_times_by_hand():
    shown = analyse([certificate(), record()], **QUICK)
    clocks = {row.clock: row for row in pick(shown.times, policy="optimised")}
    runs = float(time_to_solution(0.5, 1.0))
    assert clocks["annealing"].time.value == pytest.approx(runs * 0.1 * 2)  # per core
    assert clocks["service"].time.value == pytest.approx(runs * 0.3)
    assert clocks["wall"].time.value == pytest.approx(runs * 0.6)
    assert clocks["effort"].time.value == pytest.approx(runs * 1.0)
    assert shown.joules[0].joules.value == pytest.approx(runs * 0.6 * 40)
    assert shown.splits[0].split == TimeSplit(client_s=0.3, programming_s=0.2, annealing_s=0.1)
    assert shown.proofs == {"toy": {"planted": 1}}
    assert any("one instance: intervals are over its reads only" in note for note in shown.notes)


def test_the_lowest_energy_is_certified_or_says_who_found_it():
    agreed = analyse([record(), record(label="tabu", hits=0), record(label="tree", hits=1)], **QUICK)
    assert (agreed.optima[0].proof, agreed.optima[0].solvers) == ("agreement", ("sa", "tree"))
    told = [record(), certificate(energy=-5.0, proof="agreement", solvers=("tabu",))]
    below = analyse(told, **QUICK)
    assert (below.optima[0].energy, below.optima[0].solvers) == (-5.0, ("tabu",))
    assert below.times[0].num_unsolved == 1
    assert below.times[0].time.is_bound


def test_a_read_below_a_certificate_is_a_contradiction():
    shown = analyse([certificate(energy=-3.0), record(), record(label="other", hits=0, reads=4)], **QUICK)
    [found] = shown.contradictions
    assert (found.contestant, found.energy, found.certified_energy) == ("sa", -4.0, -3.0)
    assert (shown.optima[0].energy, shown.optima[0].certified) == (-4.0, False)
    rounding = analyse([certificate(energy=-4.0 + 1e-12), record()], **QUICK)
    assert not rounding.contradictions


@pytest.mark.parametrize("status", ["failed", "timed out", "wrong energies"])
def test_what_fails_is_not_solved(status):
    records = [certificate(seed) for seed in range(3)]
    records += [record(0), record(1, status=status), record(2, status=status)]
    shown = analyse(records, **QUICK)
    assert len(shown.failures) == 2
    [row] = pick(shown.times, policy="optimised", clock="annealing")
    assert (row.num_instances, row.num_unsolved, row.time.is_bound, row.time.high) == (3, 2, True, np.inf)


def test_what_is_refused_did_not_run():
    shown = analyse([certificate(), certificate(1), record(), record(1, status="refused")], **QUICK)
    [row] = pick(shown.times, policy="optimised", clock="annealing")
    assert (row.num_instances, row.num_unsolved) == (1, 0)
    assert [(row.status, row.message) for row in shown.failures] == [("refused", "it said no")]


def test_a_run_that_was_stopped_keeps_what_is_complete():
    """Efforts 1 and 2 ran on all of six instances, effort 4 on the first two: these would be the easy ones."""
    records = [certificate(seed) for seed in range(6)]
    records += [record(seed, effort=effort) for effort in (1.0, 2.0) for seed in range(6)]
    records += [record(seed, effort=4.0, hits=10) for seed in range(2)]
    shown = analyse(records, **QUICK)
    assert {row.effort for row in shown.efforts} == {1.0, 2.0}
    assert all(row.num_instances == 6 for row in shown.efforts)
    assert any("leaves out efforts 4" in note for note in shown.notes)


def test_a_task_that_was_done_again_counts_once():
    failed, done = record(status="failed"), record()
    for records in ([failed, done], [done, failed], [done, done]):
        shown = analyse([certificate(), *records], **QUICK)
        assert not shown.failures
        assert shown.times[0].num_reads == 10


def test_a_wrong_claim_is_not_made_good_by_another_run():
    wrong, done = record(status="wrong energies"), record()
    for records in ([wrong, done], [done, wrong]):
        shown = analyse([certificate(), *records], **QUICK)
        assert [row.status for row in shown.failures] == ["wrong energies"]
        assert not shown.times


def test_one_read_told_many_times_is_noticed():
    def told(*energies):
        records = [certificate(seed) for seed in range(len(energies))]
        for seed, levels in enumerate(energies):
            records.append(replace(record(seed), energies=levels))
        return any("are all alike in each run" in note for note in analyse(records, **QUICK).notes)

    alike, mixed = ((-4.0, 10),), ((-4.0, 1), (-2.0, 9))
    assert told(alike, ((-2.0, 10),), ((-3.0, 10),))
    assert not told(alike, alike, alike)  # an exact solver
    assert not told(mixed, ((-2.0, 10),), ((-3.0, 10),))


def test_runs_of_other_seeds_are_pooled():
    again = record(hits=1)
    again = replace(again, task=replace(again.task, seed=1))
    shown = analyse([certificate(), record(), again], **QUICK)
    assert shown.times[0].num_reads == 20
    assert shown.efforts[0].success.value == pytest.approx(0.3)


def test_time_to_epsilon():
    shown = analyse([certificate(), record()], **(QUICK | {"epsilons": (0.0, 0.3)}))
    exact, near = (pick(shown.times, policy="optimised", clock="effort", epsilon=e)[0].time.value for e in (0.0, 0.3))
    assert near == 1.0  # an energy of -3 is within 30 % of -4
    assert exact > near


def test_contestants_without_efforts_and_alone():
    shown = analyse([certificate(), record(effort=None, hits=10)], **QUICK)
    [row] = pick(shown.times, clock="annealing")
    assert (row.effort, row.policy, row.optimism) == (None, "optimised", 1.0)
    assert np.isnan(row.lower_edge)
    assert not row.at_lower_edge
    assert not shown.speedups
    assert not shown.scalings


def test_contestants_of_other_settings_are_kept_apart():
    other = record(hits=1)
    other = replace(other, task=replace(other.task, contestant=ContestantSpec(name="anneal", label="sa")))
    shown = analyse([certificate(), record(), other], **QUICK)
    assert len({row.label for row in shown.contestants}) == 2
    assert any("different settings are called 'sa'" in note for note in shown.notes)


def test_an_instance_of_two_problems_is_told():
    other = replace(record(label="b"), model={"digest": "another", "num_variables": 4, "num_edges": 3})
    assert any("several problems" in note for note in analyse([record(), other], **QUICK).notes)


def test_pairs_of_different_instances_are_compared_on_those_of_both():
    records = [certificate(seed) for seed in range(4)]
    records += [record(seed) for seed in range(4)]
    records += [record(seed, label="b", hits=2) for seed in range(1, 3)]
    shown = analyse(records, **QUICK)
    assert {row.num_instances for row in shown.speedups} == {2}


def test_the_order_of_records_does_not_show():
    records = synthetic(sizes=(8, 16), num_instances=4, num_reads=20, efforts=(2.0, 8.0))
    shuffled = [records[k] for k in np.random.default_rng(0).permutation(len(records))]
    one, other = analyse(records, **QUICK), analyse(shuffled, **QUICK)
    for name in ("times", "scalings", "residuals", "optima"):
        assert repr(getattr(one, name)) == repr(getattr(other, name))


def test_one_size_has_no_scaling_and_no_records_no_tables():
    shown = analyse(synthetic(sizes=(8,), num_instances=4, num_reads=20), **QUICK)
    assert shown.times
    assert not shown.scalings
    empty = analyse([])
    assert (empty.groups, empty.times, empty.simulated) == ((), (), False)


def test_nothing_known_is_said():
    shown = analyse([record(status="failed"), record(1)], **QUICK)
    assert "Of 1 of 2 instances no energy is known: they are in no table." in shown.notes


def test_simulated_times_are_marked_everywhere():
    records = synthetic(num_instances=4, num_reads=20, sizes=(8, 16)) + synthetic(
        num_instances=4, num_reads=20, sizes=(8, 16), label="cpu", hardware=CPU
    )
    shown = analyse(records, **QUICK)
    assert shown.simulated
    for rows in (shown.times, shown.efforts, shown.scalings, shown.splits):
        assert {row.contestant: row.simulated for row in rows} == {"synthetic": True, "cpu": False}
    assert all(row.simulated for row in (*shown.speedups, *shown.relative_scalings))


def test_a_processor_is_compared_with_a_reference():
    qpu = Hardware(name="a processor", kind="qpu", num_qubits=160)
    records = synthetic(label="qpu", hardware=qpu, sizes=(8, 16), num_instances=4)
    records += synthetic(label="cpu", hardware=CPU, sizes=(8, 16), num_instances=4)
    shown = analyse(records, **QUICK)
    assert {(row.reference, row.contestant) for row in shown.speedups} == {("cpu", "qpu")}
    parallel = analyse(records, parallel=True, **QUICK)
    for label, share in (("qpu", 8 / 160), ("cpu", 1.0)):
        alone, shared = (
            pick(of.times, contestant=label, clock="annealing", policy="optimised", size=8)[0].time.value
            for of in (shown, parallel)
        )
        assert shared == pytest.approx(alone * share)


def test_a_long_fixed_effort_fakes_a_speed_up():
    """Two contestants that scale alike: with one's effort fixed it seems to scale better; optimised it does not."""
    records = [
        record
        for label in ("reference", "contestant")
        for record in synthetic(label=label, num_instances=24, efforts=tuple(4.0**k for k in range(6)), hardware=CPU)
    ]
    shown = analyse(records, clocks=("annealing",), **(QUICK | {"num_resamples": 300}))
    rows = pick(shown.relative_scalings, form="power")
    fixed, optimised = (pick(rows, policy=policy)[0].difference for policy in ("fixed", "optimised"))
    assert fixed.low > 0.3
    assert 0.0 in optimised
    flat = pick(shown.scalings, policy="fixed", contestant="contestant", form="power")[0].exponent
    assert flat.high < 1.5
    ratios = [row.ratio.value for row in pick(shown.speedups, policy="fixed", kind="ratio of quantiles")]
    assert ratios[-1] > 30 * ratios[0]  # "growing with size"


def test_an_optimum_below_the_shortest_effort_is_told():
    records = synthetic(sizes=(8, 32, 128), efforts=(16.0, 64.0, 256.0))
    shown = analyse(records, clocks=("effort",), **QUICK)
    edges = {row.size: row.at_lower_edge for row in pick(shown.times, policy="optimised")}
    assert edges[8]
    assert not edges[128]
    [row] = pick(shown.scalings, policy="optimised", form="power")
    assert set(row.left_out) | set(row.at_lower_edge) >= {8}


def test_resamples_that_solve_nothing_do_not_say_where_the_optimum_is():
    told = [record(effort=effort, hits=int(effort == 4), reads=20) for effort in (1.0, 4.0, 16.0)]
    [row] = pick(analyse([certificate(), *told], clocks=("effort",), **QUICK).times, policy="optimised")
    assert (row.effort, row.lower_edge, row.upper_edge) == (4.0, 0.0, 0.0)
    # where no read solves anything, the bounds choose
    told = [record(effort=effort, hits=0, reads=20) for effort in (1.0, 4.0)]
    [row] = pick(analyse([certificate(), *told], clocks=("effort",), **QUICK).times, policy="optimised")
    assert (row.effort, row.lower_edge) == (1.0, 1.0)


def test_choosing_by_one_half_scores_the_other():
    shown = analyse(synthetic(sizes=(8, 32)), choose="halves", clocks=("effort",), **QUICK)
    for row in pick(shown.times, policy="optimised"):
        assert 0 < row.time.low <= row.time.value <= row.time.high


MODEL = IsingModel({0: 0.4, 1: -0.2, 2: 0.0, 3: 0.3}, {(0, 1): 1.0, (1, 2): -0.7, (2, 3): 0.5})


def measured(beta, *, seed=0, label="sa", reads=3000):
    """Return a record of perfect reads at a beta, with its states, overlaps and local beta."""
    states, counts = np.unique(Target(MODEL, beta).draw(reads, np.random.default_rng(seed)), return_counts=True)
    energies = MODEL.energy(spins_of_indices(states, 4))
    measures = {
        "states": {"indices": states.tolist(), "counts": counts.tolist()},
        "overlaps": {"num_spins": 4, "values": [-4, 0, 4], "counts": [1, 2, 1]},
        "effective-beta": {"value": beta, "standard_error": 0.01, "method": "pseudo-likelihood"},
    }
    return replace(
        record(seed, label=label, reads=reads, measures=measures),
        energies=tuple(zip(energies.tolist(), counts.tolist(), strict=True)),
    )


def test_sampling_quality_at_a_matched_beta():
    shown = analyse([measured(0.7, seed=k) for k in range(4)], build=lambda spec: Instance(spec=spec, model=MODEL))
    [beta] = shown.betas
    assert abs(beta.overall.value - 0.7) < 0.1
    assert beta.local.value == pytest.approx(0.7)
    for matched in ("global", "local"):
        [row] = pick(shown.qualities, matched=matched)
        assert row.num_instances == 4
        assert row.kl_corrected.value == pytest.approx(row.kl.value - row.kl_floor)
        # perfect reads are near their floor: 16 states and 3000 reads have a KL of 15/6000 +- 0.001
        assert 0 < row.kl.value < 0.008
        assert row.total_variation.value < 3 * row.total_variation_floor
    [overlap] = shown.overlaps
    assert overlap.binder.value == pytest.approx(0.5 * (3 - 0.5 / 0.25))
    assert overlap.num_pairs == 16


def test_a_recipe_that_fails_is_told():
    def broken(_spec):
        raise RuntimeError("no such graph here")

    shown = analyse([measured(0.7)], build=broken, **QUICK)
    assert not shown.qualities
    assert any("no such graph here" in note for note in shown.notes)


def test_valleys_and_training():
    def valleys(**counts):
        told = [{"key": key, "energy": -4.0 + ord(key) - ord("a"), "count": n} for key, n in counts.items()]
        return {"valleys": {"valleys": told, "num_reads": sum(counts.values())}}

    records = [record(measures=valleys(a=9, b=1)), record(effort=2.0, measures=valleys(a=10))]
    records.append(record(label="cd", measures=valleys(a=5, c=15)))
    for seed, value in enumerate((-1.0, -1.2)):
        task = replace(records[0].task, kind="train", seed=seed)
        learned = {"log_likelihood": value, "untrained": -3.0, "exact": -0.9, "num_samples": 500}
        records.append(Record(task=task, status="done", measures=learned))
    shown = analyse(records, **QUICK)
    rows = {row.contestant: row for row in shown.valleys}
    assert (rows["sa"].effort, rows["sa"].num_reads, rows["sa"].unique_energies) == (1.0, 10, (-3.0,))
    assert rows["cd"].energies == (-4.0, -2.0)
    assert rows["cd"].num_missed_by_others > 0.9
    [training] = shown.trainings
    assert training.num_seeds == 2
    assert training.log_likelihood.value == pytest.approx(-1.1)
    assert training.log_likelihood.low < -1.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantiles": ()}, "quantiles are at least one; got none"),
        ({"quantiles": (1.0,)}, r"a quantile is below 1; got 1\.0"),
        ({"clocks": ("cpu",)}, "a clock is one of 'annealing', 'service', 'wall', 'effort'; got 'cpu'"),
        ({"choose": "best"}, "got 'best'"),
        ({"tables": ("failures",)}, "got 'failures'"),
        ({"epsilons": (-0.1,)}, r"at least 0; got -0\.1"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        analyse([], **arguments)


def test_a_quantile_of_few_instances_is_told_once():
    shown = analyse(synthetic(sizes=(8, 16), num_instances=4, num_reads=20), num_resamples=20, tables=("times",))
    [told] = [note for note in shown.notes if "nearly the slowest" in note]
    assert "of 4 instances or fewer at sizes 8, 16" in told


def test_an_effort_that_did_not_run_is_not_fixed():
    records = synthetic(sizes=(8, 16), num_instances=4, num_reads=20)
    absent = analyse(records, fixed_effort=3.0, tables=("times",), **QUICK)
    assert {row.policy for row in absent.times} == {"optimised"}
    assert any("did not run effort 3 at all sizes" in note for note in absent.notes)
    fixed = analyse(records, fixed_effort=8.0, tables=("times",), **QUICK)
    assert {row.effort for row in pick(fixed.times, policy="fixed")} == {8.0}


def test_reads_that_took_no_time_have_no_time_to_solution():
    timeless = replace(record(), timing=TimeSplit(client_s=1.0)._asdict())
    shown = analyse([certificate(), timeless], **QUICK)
    assert {row.clock for row in shown.times} == {"wall", "effort"}
    assert any("no time by the clocks annealing, service" in note for note in shown.notes)
