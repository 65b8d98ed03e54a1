"""Progress, interrupts, and energies along the way: the same for all samplers that sweep."""

import json
import os
import signal
import sys
import threading
import time

import dimod
import numpy as np
import pytest

from annealnn import (
    GibbsSampler,
    ParallelTemperingSampler,
    PopulationAnnealingSampler,
    SimulatedAnnealingSampler,
)
from annealnn import _memory as memory
from annealnn import _parallel as parallel
from annealnn import _progress as progress_module
from annealnn.diagnostics import thermalisation
from annealnn.models import terms_of_bqm
from annealnn.samplers import _energy_record as energy_record
from annealnn.samplers import _population as population_module
from annealnn.samplers import _replicas as replicas_module
from annealnn.samplers import _sweeps as sweeps_module
from annealnn.samplers import compile_sampler
from annealnn.samplers._energy_record import EnergyRecord
from annealnn.testing import LOPSIDED

GLASS = dimod.generators.ran_r(3, 40, seed=1)
# a minute or more
FOREVER = 2 * 10**6
LARGE = dimod.generators.ran_r(3, 200, seed=1)
SAMPLERS = [SimulatedAnnealingSampler(), GibbsSampler(), ParallelTemperingSampler(), PopulationAnnealingSampler()]
each = pytest.mark.parametrize("sampler", SAMPLERS, ids=["anneal", "gibbs", "tempering", "population"])
# reads that are several replicas
of_replicas = pytest.mark.parametrize("sampler", SAMPLERS[2:], ids=["tempering", "population"])


class AfterSeconds:
    """True so many seconds after it was first asked: after the run began."""

    def __init__(self, seconds):
        self._seconds = seconds
        self._due = None

    def __call__(self):
        if self._due is None:
            self._due = time.monotonic() + self._seconds
        return time.monotonic() > self._due


class AfterAShare:
    """True once the run says that more than a share of it is done, however long that takes."""

    def __init__(self, share):
        self._share = share
        self._passed = False

    def progress(self, done, total):
        self._passed = done > self._share * total

    def __call__(self):
        return self._passed


def keywords_of_a_light_run(sampler):
    """Return keywords with which all reads of LARGE begin at once."""
    if isinstance(sampler, ParallelTemperingSampler):
        # no pilot
        return {"betas": [0.1, 0.4, 1.0], "cluster_moves": False}
    return {"population_size": 4} if isinstance(sampler, PopulationAnnealingSampler) else {}


# interrupts


@each
def test_an_interrupt_before_any_read_is_finished_gives_all_as_they_stand(sampler):
    sampler.sample(LARGE, num_sweeps=1)
    keywords = keywords_of_a_light_run(sampler)
    found = sampler.sample(
        LARGE, num_reads=40, num_sweeps=FOREVER, seed=1, interrupt_function=AfterSeconds(0.5), **keywords
    )
    assert found.info["interrupted"]
    made = found.info["num_sweeps"]
    assert 0 < made < FOREVER
    assert len(found) == 40
    dimod.testing.assert_sampleset_energies(found, LARGE)
    json.dumps(found.info)


def test_reads_of_an_interrupted_run_made_the_sweeps_that_it_says():
    # one block: every read made as many
    cut = GibbsSampler().sample(
        LARGE, num_reads=30, num_sweeps=FOREVER, beta=0.5, seed=1, interrupt_function=AfterSeconds(0.2), num_threads=1
    )
    whole = GibbsSampler().sample(LARGE, num_reads=30, num_sweeps=cut.info["num_sweeps"], beta=0.5, seed=1)
    np.testing.assert_array_equal(cut.record.sample, whole.record.sample)
    assert not whole.info["interrupted"]


@pytest.mark.parametrize("sampler", SAMPLERS[:2], ids=["anneal", "gibbs"])
def test_finished_reads_are_kept_and_the_others_left_out(sampler, monkeypatch):
    # small blocks, one after another on one thread
    monkeypatch.setattr(parallel, "_CALL", 20_000)
    monkeypatch.setattr(parallel, "_LOOK_S", 0.001)
    keywords = {"num_reads": 32 * 200, "num_sweeps": 3000, "seed": 1, "num_threads": 1}
    # many blocks of the 200
    soon = AfterAShare(0.05)
    cut = sampler.sample(GLASS, **keywords, interrupt_function=soon, progress=soon.progress)
    assert cut.info["interrupted"]
    assert cut.info["num_sweeps"] == 3000
    assert 0 < len(cut) < 32 * 200
    assert len(cut) % 32 == 0
    first = sampler.sample(GLASS, **keywords | {"num_reads": 32})
    np.testing.assert_array_equal(cut.record.sample[:32], first.record.sample)


@of_replicas
def test_finished_reads_of_replicas_are_kept_and_the_others_left_out(sampler, monkeypatch):
    monkeypatch.setattr(parallel, "_CALL", 20_000)
    monkeypatch.setattr(parallel, "_LOOK_S", 0.001)
    keywords = {"num_reads": 20_000, "num_sweeps": 300, "beta": 1.0, "seed": 1, "num_threads": 1}
    if isinstance(sampler, PopulationAnnealingSampler):
        keywords["population_size"] = 4
    sampler.sample(GLASS, **keywords | {"num_reads": 1})
    # a block at least of the many
    soon = AfterAShare(0.005)
    cut = sampler.sample(GLASS, **keywords, interrupt_function=soon, progress=soon.progress)
    assert (cut.info["interrupted"], cut.info["num_sweeps"], cut.info["beta"]) == (True, 300, 1.0)
    assert 0 < len(cut) < 20_000
    # what is said of the run is said of those reads
    same = sampler.sample(GLASS, **keywords | {"num_reads": len(cut)})
    np.testing.assert_array_equal(cut.record.sample, same.record.sample)
    for key in ("log_z", "log_z_error", "family_size", "swap_acceptance", "round_trips"):
        assert cut.info.get(key) == same.info.get(key)
    assert "beta_reached" not in cut.info


def test_replicas_of_an_interrupted_run_made_the_sweeps_that_it_says():
    keywords = {"num_reads": 10, "betas": [0.1, 0.4, 0.8], "cluster_moves": True, "beta": 0.8, "seed": 1}
    cut = ParallelTemperingSampler().sample(
        LARGE, **keywords, num_sweeps=FOREVER, interrupt_function=AfterSeconds(0.2), num_threads=1
    )
    whole = ParallelTemperingSampler().sample(LARGE, **keywords, num_sweeps=cut.info["num_sweeps"])
    np.testing.assert_array_equal(cut.record.sample, whole.record.sample)
    assert cut.info["swap_acceptance"] == whole.info["swap_acceptance"]
    assert cut.info["round_trips"] == whole.info["round_trips"]


def test_populations_that_were_stopped_say_which_beta_they_reached():
    keywords = {"num_reads": 5, "beta": 3.0, "seed": 1}
    cut = (
        PopulationAnnealingSampler()
        .sample(LARGE, **keywords, num_sweeps=FOREVER, interrupt_function=AfterSeconds(0.2), num_threads=1)
        .info
    )
    assert (cut["beta"], cut["log_z"], cut["log_z_error"]) == (None, None, None)
    # one block: all came as far
    assert cut["beta_reached"] == pytest.approx([3.0 * cut["num_sweeps"] / FOREVER] * 2)
    whole = PopulationAnnealingSampler().sample(LARGE, **keywords, num_sweeps=5).info
    assert (whole["beta"], whole["interrupted"]) == (3.0, False)
    assert "beta_reached" not in whole


@pytest.mark.parametrize(
    ("sampler", "module", "said"),
    [
        (ParallelTemperingSampler(), replicas_module, {"swap_acceptance": None, "round_trips": None}),
        (PopulationAnnealingSampler(), population_module, {"log_z": None, "beta": None, "beta_reached": [0.0, 0.0]}),
    ],
    ids=["tempering", "population"],
)
def test_reads_of_replicas_come_back_as_they_began_if_none_was_begun(sampler, module, said, monkeypatch):
    def stop_at_once(work, *, num_reads, **rest):
        work(slice(0, num_reads), iter([]))
        return True

    whole = sampler.sample(GLASS, num_reads=300, num_sweeps=1, beta=0.0, seed=0)
    monkeypatch.setattr(module, "run_blocks", stop_at_once)
    found = sampler.sample(
        GLASS, num_reads=300, num_sweeps=4, seed=0, **({"betas": [0.1, 1.0]} if "swap_acceptance" in said else {})
    )
    assert (len(found), found.info["interrupted"], found.info["num_sweeps"]) == (300, True, 0)
    assert {key: found.info[key] for key in said} == said
    assert abs(found.record.sample.mean()) < 6 / np.sqrt(300 * 40)
    assert not np.array_equal(found.record.sample, whole.record.sample)
    json.dumps(found.info)


def test_reads_that_were_not_begun_are_left_out(monkeypatch):
    monkeypatch.setattr(parallel, "_CALL", 1000)
    structure, parameters, _ = terms_of_bqm(GLASS)
    compiled = GibbsSampler().compile(structure, num_sweeps=200_000, num_threads=1)
    state = compiled.init(32 * 50, 0)
    step = compiled.run(parameters, state, watch=lambda _: True)
    assert step.info["stopped"]
    assert 0 < len(step.spins) < 32 * 50
    assert len(step.spins) == len(step.state.streams) == len(step.info["sweeps_done"])
    assert (step.info["sweeps_done"] > 0).all()


def test_reads_come_back_as_they_began_if_none_was_begun(monkeypatch):
    def stop_at_once(work, *, num_reads, **rest):
        work(slice(0, num_reads), iter([]))
        return True

    monkeypatch.setattr(sweeps_module, "run_blocks", stop_at_once)
    structure, parameters, _ = terms_of_bqm(GLASS)
    compiled = GibbsSampler().compile(structure, num_sweeps=5)
    state = compiled.init(3, 0)
    step = compiled.run(parameters, state, watch=lambda _: True)
    np.testing.assert_array_equal(step.spins, state.spins)
    np.testing.assert_array_equal(step.state.streams, state.streams)
    found = GibbsSampler().sample(GLASS, num_reads=3, seed=0)
    assert (len(found), found.info["interrupted"], found.info["num_sweeps"]) == (3, True, 0)
    np.testing.assert_array_equal(found.record.sample, state.spins)


@each
def test_what_an_interrupt_function_raises_is_raised(sampler):
    def broken():
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        sampler.sample(LARGE, num_reads=2, num_sweeps=FOREVER, interrupt_function=broken)
    with pytest.raises(TypeError, match="interrupt_function is None or a callable of no arguments; got 3"):
        sampler.sample(LARGE, interrupt_function=3)


if sys.platform != "win32":  # which has no such signals

    @each
    @pytest.mark.parametrize("num_threads", [1, 2])
    def test_ctrl_c_returns_soon_what_is_done(sampler, num_threads):
        sampler.sample(LARGE, num_sweeps=1)
        pressed = []

        def press():
            pressed.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.5, press)
        timer.start()
        found = sampler.sample(
            LARGE,
            num_reads=100,
            num_sweeps=FOREVER,
            seed=1,
            num_threads=num_threads,
            **keywords_of_a_light_run(sampler),
        )
        # a machine under load may take longer than the tenth of a second that it takes alone
        assert time.monotonic() - pressed[0] < 10
        timer.join()
        assert found.info["interrupted"]
        assert 0 < found.info["num_sweeps"] < FOREVER
        assert len(found)

    def test_ctrl_c_is_raised_through_the_learners_door():
        structure, parameters, _ = terms_of_bqm(LARGE)
        compiled = GibbsSampler().compile(structure, num_sweeps=FOREVER, num_threads=2)
        ladders = ParallelTemperingSampler().compile(structure, num_sweeps=FOREVER, num_threads=2)
        populations = compile_sampler(PopulationAnnealingSampler(), structure, num_sweeps=FOREVER)
        # a sampler below a composite has no door of its own, and is called as any dimod sampler
        below = dimod.StructureComposite(GibbsSampler(), list(LARGE.variables), list(LARGE.quadratic))
        adapted = compile_sampler(below, structure, num_sweeps=FOREVER)
        for door in (compiled, adapted, ladders, populations):
            state = door.init(40, 0)
            timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                door.step(parameters, state)
            timer.join()


# progress


@each
def test_a_callable_is_told_sweeps_times_reads(sampler, monkeypatch):
    monkeypatch.setattr(parallel, "_LOOK_S", 0.01)
    told = []
    num_sweeps = 4000 if sampler in SAMPLERS[2:] else 40_000
    sampler.sample(GLASS, num_reads=50, num_sweeps=num_sweeps, seed=1, progress=lambda *seen: told.append(seen))
    assert {total for _, total in told} == {50 * num_sweeps}
    done = [seen for seen, _ in told]
    assert done == sorted(done)
    assert done[-1] == 50 * num_sweeps
    assert len(done) > 2


def test_a_callable_is_told_of_the_end_of_a_short_run():
    told = []
    GibbsSampler().sample(LOPSIDED, num_reads=2, num_sweeps=3, progress=lambda *seen: told.append(seen))
    assert told[-1] == (6, 6)


@each
def test_progress_changes_no_read(sampler):
    plain, told = (
        sampler.sample(GLASS, num_reads=70, num_sweeps=50, seed=1, progress=wanted).record.sample
        for wanted in (False, lambda done, total: None)
    )
    np.testing.assert_array_equal(plain, told)


def test_the_bar_waits_and_is_silent_elsewhere(monkeypatch, capsys):
    GibbsSampler().sample(GLASS, num_sweeps=10)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress_module, "is_shown", bool)
    GibbsSampler().sample(GLASS, num_sweeps=10)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress_module, "_PATIENCE_S", 0.0)
    GibbsSampler().sample(GLASS, num_sweeps=10)
    assert capsys.readouterr().err
    GibbsSampler().sample(GLASS, num_sweeps=10, progress=True)
    assert "100%" in capsys.readouterr().err


# energies along the way


@pytest.mark.parametrize("randomize_order", [False, True])
def test_diagnosing_changes_no_read(randomize_order):
    keywords = {"num_reads": 70, "num_sweeps": 100, "seed": 1, "randomize_order": randomize_order}
    plain, diagnosed = (GibbsSampler().sample(GLASS, **keywords, diagnose=wanted) for wanted in (False, True))
    np.testing.assert_array_equal(plain.record.sample, diagnosed.record.sample)
    assert "thermalisation" not in plain.info
    json.dumps(diagnosed.info)


def test_recorded_energies_are_those_of_the_reads():
    structure, parameters, _ = terms_of_bqm(GLASS)
    record = EnergyRecord(40, 30)
    compiled = GibbsSampler().compile(structure, num_sweeps=30)
    step = compiled.run(parameters, compiled.init(40, 0), record=record)
    energies = record._energies
    assert energies.shape == (40, 30)
    np.testing.assert_allclose(energies[:, -1], structure.energies(parameters, step.spins), rtol=1e-5)
    assert record.verdict(30) == thermalisation(energies).to_dict() | {"recorded_every": 1}


@pytest.mark.parametrize("ladder", [{}, {"cluster_moves": True}, {"betas": [0.5]}, {"betas": [0.2, 0.5, 1.0]}], ids=str)
def test_diagnosing_ladders_changes_no_read(ladder, monkeypatch):
    records = []
    keep = EnergyRecord.verdict
    monkeypatch.setattr(EnergyRecord, "verdict", lambda self, *a, **k: records.append(self) or keep(self, *a, **k))
    keywords = {"num_reads": 40, "num_sweeps": 100, "beta": 0.5, "seed": 1} | ladder
    plain, diagnosed = (
        ParallelTemperingSampler().sample(GLASS, **keywords, diagnose=wanted) for wanted in (False, True)
    )
    np.testing.assert_array_equal(plain.record.sample, diagnosed.record.sample)
    assert plain.info["swap_acceptance"] == diagnosed.info["swap_acceptance"]
    assert "thermalisation" not in plain.info
    json.dumps(diagnosed.info)
    # the last recorded ones are those of the reads
    np.testing.assert_allclose(records[0]._energies[:, -1], diagnosed.record.energy, rtol=1e-5, atol=1e-4)


def test_a_verdict_on_ladders():
    found = ParallelTemperingSampler().sample(GLASS, num_reads=50, num_sweeps=1000, beta=1.0, seed=1, diagnose=True)
    assert found.info["thermalisation"]["thermalised"], found.info["thermalisation"]["reason"]
    short = ParallelTemperingSampler().sample(GLASS, num_reads=5, num_sweeps=20, seed=1, diagnose=True)
    assert not short.info["thermalisation"]["thermalised"]
    with pytest.raises(ValueError, match="diagnose is one of True, False; got 'yes'"):
        ParallelTemperingSampler().sample(GLASS, diagnose="yes")


def test_a_verdict_tells_hot_from_frozen():
    hot = GibbsSampler().sample(GLASS, num_reads=50, num_sweeps=2000, beta=0.02, seed=1, diagnose=True)
    cold = GibbsSampler().sample(GLASS, num_reads=50, num_sweeps=1000, beta=8.0, seed=1, diagnose=True)
    assert hot.info["thermalisation"]["thermalised"], hot.info["thermalisation"]["reason"]
    assert not cold.info["thermalisation"]["thermalised"]
    flat = GibbsSampler().sample(dimod.BQM({"a": 0.0}, {}, 0.0, "SPIN"), num_reads=2, diagnose=True)
    assert flat.info["thermalisation"]["thermalised"]


def test_memory_of_a_record_is_bounded(monkeypatch):
    monkeypatch.setattr(energy_record, "_MOST_READS", 40)
    monkeypatch.setattr(energy_record, "_MOST_RECORDS", 64)
    found = GibbsSampler().sample(GLASS, num_reads=200, num_sweeps=640, beta=0.2, seed=1, diagnose=True)
    verdict = found.info["thermalisation"]
    assert (verdict["recorded_every"], verdict["num_reads"]) == (10, 40)
    assert verdict["num_sweeps_discarded"] + verdict["num_sweeps_kept"] == 64
    plain = GibbsSampler().sample(GLASS, num_reads=200, num_sweeps=640, beta=0.2, seed=1)
    np.testing.assert_array_equal(plain.record.sample, found.record.sample)


def test_an_interrupted_run_is_judged_by_what_it_recorded():
    found = GibbsSampler().sample(
        GLASS, num_reads=40, num_sweeps=10**6, beta=0.2, seed=1, diagnose=True, interrupt_function=AfterSeconds(0.3)
    )
    assert found.info["interrupted"]
    verdict = found.info["thermalisation"]
    every = verdict["recorded_every"]
    assert verdict["num_sweeps_discarded"] + verdict["num_sweeps_kept"] == found.info["num_sweeps"] // every
    assert EnergyRecord(3, 10).verdict(10) is None


# memory


@each
def test_reads_that_do_not_fit_in_memory_are_refused_at_once(sampler):
    with pytest.raises(
        MemoryError, match=r"1,000,000,000,000 reads of 40 variables need about .* GiB, and .* free. Ask"
    ):
        sampler.sample(GLASS, num_reads=10**12)


def test_memory_is_the_least_that_the_system_tells(tmp_path, monkeypatch):
    for name, text in [("meminfo", "MemTotal: 9 kB\nMemAvailable: 8 kB\n"), ("max", "5000\n"), ("now", "1000\n")]:
        (tmp_path / name).write_text(text, encoding="ascii")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_LIMITS", [(tmp_path / "max", tmp_path / "now"), (tmp_path / "no", tmp_path / "now")])
    assert memory.available_bytes() == 4000
    (tmp_path / "max").write_text("max\n", encoding="ascii")
    assert memory.available_bytes() == 8 * 1024
    with pytest.raises(MemoryError, match=r"Things need about 100.0 MiB, and 0.0 MiB of memory are free. Buy"):
        memory.check_memory("Things", 100 << 20, "Buy")
    memory.check_memory("Things", 1 << 20, "Buy")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "no")
    assert memory.available_bytes() is None
    memory.check_memory("Things", 2**60, "Buy")
