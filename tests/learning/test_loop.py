"""The training loop: interruption, resuming, early stopping, callbacks that end training."""

import json
from contextlib import contextmanager

import numpy as np
import pytest

from annealnn.exceptions import CheckpointError, StopTraining
from annealnn.learning import (
    CheckpointPolicy,
    Descent,
    EarlyStopping,
    Estimate,
    FactorisedPhase,
    HiddenFields,
    Learner,
    Rows,
    SampledPhase,
    VisiblePhase,
    checkpoint,
    descend,
    effective_particles,
)
from annealnn.models import Parameters, Structure
from annealnn.samplers import ExactSampler, GibbsSampler, ParallelTemperingSampler

STRUCTURE = Structure.complete(4)
RESTRICTED = Structure(7, [[i, j] for i in range(4) for j in range(4, 7)])
ANY = Structure(7, [[0, 1], [0, 4], [1, 5], [2, 6], [3, 4], [4, 5], [5, 6]])
DATA = Rows(np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (25, 4), p=[0.3, 0.7]))


def visible(**keywords):
    compiled = GibbsSampler().compile(STRUCTURE, want="moments")
    return Learner(Descent(learning_rate=0.1, num_epochs=30), compiled, VisiblePhase(STRUCTURE, 4),
                   num_particles=50, seed=3, **keywords)  # fmt: skip


def restricted(**keywords):
    return Learner(
        Descent(learning_rate=0.1, num_epochs=30, average=0.5, centering=True),
        GibbsSampler().compile(RESTRICTED, want="spins"),
        FactorisedPhase(RESTRICTED, 4),
        num_particles=20,
        seed=3,
        batch_size=10,
        hidden=HiddenFields(RESTRICTED, 4),
        **keywords,
    )


def drawn():
    return Learner(
        Descent(learning_rate=0.1, num_epochs=30),
        GibbsSampler().compile(ANY, want="moments"),
        SampledPhase(ANY, 4, GibbsSampler().compile(ANY, want="spins")),
        num_particles=20,
        seed=3,
        batch_size=10,
    )


def tempered():
    compiled = ParallelTemperingSampler().compile(STRUCTURE, want="moments", num_replicas=4)
    return Learner(
        Descent(learning_rate=0.1, num_epochs=30), compiled, VisiblePhase(STRUCTURE, 4), num_particles=10, seed=3
    )


LEARNERS = {
    "visible": visible,
    "minibatches": restricted,
    "contrastive": lambda: restricted(contrastive=True),
    "drawn hidden units": drawn,
    "tempered": tempered,
}


def run(learner, data=DATA, **keywords):
    return descend(
        learner,
        data,
        start=lambda: learner.init(data, weight_scale=0.1),
        observe=lambda state, shown: {"first": float(state.parameters.fields[0])},
        progress=False,
        **keywords,
    )


def count(before, shown, after, history):
    return {"n": after.iteration, "seen": len(history.steps.get("iteration", ()))}


def policy(folder, **keywords):
    return CheckpointPolicy(folder=folder / "saved", identity={"job": 1}, **keywords)


class Raise:
    """A monitor that raises at one iteration, once."""

    def __init__(self, at, error):
        self.at, self.error = at, error

    def __call__(self, before, shown, after, history):
        if after.iteration == self.at and self.error:
            error, self.error = self.error, None
            raise error
        return count(before, shown, after, history)


def arrays_of(state):
    """Return every array of a state, by name."""
    named = {"spins": state.sampler.spins, "streams": state.sampler.streams, "units": state.units}
    named |= {f"kept.{name}": array for name, array in state.sampler.kept.items()}
    for part in ("parameters", "velocity", "best", "average"):
        fields, couplings = getattr(state, part) or (None, None)
        named |= {f"{part}.fields": fields, f"{part}.couplings": couplings}
    return named


def assert_same(a, b):
    assert a.iteration == b.iteration
    x, y = arrays_of(a), arrays_of(b)
    assert set(x) == set(y)
    for name, array in x.items():
        np.testing.assert_array_equal(array, y[name], err_msg=name, strict=True)


# -- history -----------------------------------------------------------------------------------------------------------


def test_history_has_an_entry_an_epoch_and_a_row_each_time_it_is_measured():
    _, history = run(visible(), monitor=count, monitor_every=7)
    assert {"iteration", "field_error", "coupling_error", "gradient_norm", "first"} == set(history.steps)
    assert history.steps["iteration"] == list(range(1, 31))
    assert [row["iteration"] for row in history.monitored] == [7, 14, 21, 28, 30]
    assert [row["seen"] for row in history.monitored] == [6, 13, 20, 27, 29]
    assert history.ended is None


# -- interruption ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("at", [1, 17, 30])
def test_interrupted_and_resumed_gives_the_same_bits(tmp_path, name, at):
    make = LEARNERS[name]
    whole, whole_history = run(make(), monitor=count, monitor_every=1)
    with pytest.raises(KeyboardInterrupt):
        run(make(), monitor=Raise(at, KeyboardInterrupt()), monitor_every=1, checkpoint=policy(tmp_path))
    assert checkpoint.load(tmp_path / "saved")[0].iteration == at - 1
    resumed, history = run(make(), monitor=count, monitor_every=1, checkpoint=policy(tmp_path, resume=True))
    assert_same(whole, resumed)
    assert history.steps == whole_history.steps
    assert history.monitored == whole_history.monitored
    again, _ = run(make(), checkpoint=policy(tmp_path, resume=True))
    assert_same(whole, again)


def test_it_saves_as_often_as_it_is_told(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(checkpoint, "save", lambda folder, state, *_: saved.append(state.iteration))
    run(visible(), checkpoint=policy(tmp_path, every_s=0.0))
    assert saved == [*range(1, 31), 30]
    saved.clear()
    run(visible(), checkpoint=policy(tmp_path))
    assert saved == [30]


def test_a_fault_saves_the_last_whole_epoch(tmp_path):
    with pytest.raises(RuntimeError, match="gone"):
        run(
            visible(),
            monitor=Raise(9, RuntimeError("the device is gone")),
            monitor_every=9,
            checkpoint=policy(tmp_path),
        )
    assert checkpoint.load(tmp_path / "saved")[0].iteration == 8


def test_resume_without_a_checkpoint_starts(tmp_path):
    state, _ = run(visible(), checkpoint=policy(tmp_path, resume=True))
    assert state.iteration == 30
    assert sorted(p.name for p in tmp_path.iterdir()) == ["saved"]


def test_a_checkpoint_of_another_job_is_refused(tmp_path):
    run(visible(), checkpoint=policy(tmp_path))
    other = CheckpointPolicy(folder=tmp_path / "saved", identity={"job": 2}, resume=True)
    with pytest.raises(CheckpointError, match="job=1, this job 2"):
        run(visible(), checkpoint=other)


def test_a_history_that_does_not_fit_is_refused(tmp_path):
    run(visible(), checkpoint=policy(tmp_path))
    path = tmp_path / "saved" / "checkpoint.json"
    content = json.loads(path.read_text())
    for broken in (
        {},
        content["record"] | {"steps": {"iteration": [1]}},
        content["record"] | {"steps": {}},
        content["record"] | {"steps": {"iteration": 30}},
        content["record"] | {"steps": {"iteration": "x" * 30}},
        content["record"] | {"monitored": ["row"]},
        content["record"] | {"monitored": [{"held_out": 1.0}]},
        content["record"] | {"ended": 3},
    ):
        path.write_text(json.dumps(content | {"record": broken}))
        with pytest.raises(CheckpointError, match="one entry an epoch, 30"):
            run(visible(), checkpoint=policy(tmp_path, resume=True))


# -- ending early ------------------------------------------------------------------------------------------------------


def test_a_monitor_ends_training_and_that_is_remembered(tmp_path):
    stop = StopTraining("good enough", {"quality": 0.9})
    state, history = run(visible(), monitor=Raise(12, stop), monitor_every=4, checkpoint=policy(tmp_path))
    assert (state.iteration, history.ended) == (12, "good enough")
    assert history.monitored[-1] == {"iteration": 12, "quality": 0.9}
    again, remembered = run(visible(), monitor=count, monitor_every=4, checkpoint=policy(tmp_path, resume=True))
    assert_same(state, again)
    assert remembered == history


def test_an_interrupt_after_the_end_was_decided_does_not_forget_it(tmp_path, monkeypatch):
    """The progress bar is told of the last epoch when the state is already the new one."""

    @contextmanager
    def bar(*args, done, **keywords):
        told = iter(range(done + 1, 99))

        def advance(note):
            if next(told) == 12:
                raise KeyboardInterrupt

        yield advance

    with monkeypatch.context() as patch:
        patch.setattr("annealnn.learning._loop.progress_bar", bar)
        with pytest.raises(KeyboardInterrupt):
            run(visible(), monitor=Raise(12, StopTraining("enough")), monitor_every=4, checkpoint=policy(tmp_path))
    state, history = run(visible(), monitor=count, monitor_every=4, checkpoint=policy(tmp_path, resume=True))
    assert (state.iteration, history.ended) == (12, "enough")


def scores(values, errors=0.1):
    """Return a score that gives these values, one at a call, and what it was asked about."""
    asked, left = [], iter(values)

    def score(parameters):
        asked.append(parameters)
        return Estimate(next(left), errors, "made up")

    return score, asked


def test_early_stopping_keeps_the_best_parameters_and_ends(tmp_path):
    score, asked = scores([-5.0, -4.0, -4.5, -4.1, -3.0])
    stopping = EarlyStopping(score=score, patience=2)
    state, history = run(visible(), early_stopping=stopping, monitor_every=3, checkpoint=policy(tmp_path))
    assert state.iteration == 12
    assert "has not risen 2 times in a row, from -4.000 nats" in history.ended
    assert [row["held_out"] for row in history.monitored] == [-5.0, -4.0, -4.5, -4.1]
    for a, b in zip(state.best, asked[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(state.best.fields, state.parameters.fields)
    # resumed, it has ended: nothing is asked
    again, _ = run(visible(), early_stopping=stopping, monitor_every=3, checkpoint=policy(tmp_path, resume=True))
    assert_same(state, again)
    assert len(asked) == 4


def test_a_rise_within_the_tolerance_is_none():
    score, asked = scores([-5.0, -4.95, -4.9, -4.85])
    state, _ = run(visible(), early_stopping=EarlyStopping(score=score, patience=3, tolerance=0.2), monitor_every=3)
    assert state.iteration == 12
    np.testing.assert_array_equal(state.best.fields, asked[0].fields)


@pytest.mark.parametrize("at", [2, 4, 6])
def test_early_stopping_resumes_to_the_same_bits(tmp_path, at):
    held_out = DATA.spins[:8]

    def score(parameters):
        log_z = ExactSampler().compile(STRUCTURE, want="moments")
        step = log_z.step(parameters, log_z.init(1, 0))
        return Estimate(-STRUCTURE.energies(parameters, held_out).mean() - step.info["log_z"], 0.0, "enumeration")

    def job(**keywords):
        stopping = EarlyStopping(score=score, patience=2)
        return run(visible(), Rows(DATA.spins[8:]), early_stopping=stopping, monitor_every=1, **keywords)

    whole, whole_history = job()
    assert 6 <= whole.iteration < 30
    with pytest.raises(KeyboardInterrupt):
        job(monitor=Raise(at, KeyboardInterrupt()), checkpoint=policy(tmp_path))
    resumed, history = job(checkpoint=policy(tmp_path, resume=True))
    assert_same(whole, resumed)
    assert (history.ended, history.steps) == (whole_history.ended, whole_history.steps)
    assert [row["held_out"] for row in history.monitored] == [row["held_out"] for row in whole_history.monitored]


# -- effective particles -----------------------------------------------------------------------------------------------


def test_effective_particles_of_a_known_correlation():
    """One unit of field 1 and many of 0: energies are spins, and a share of them is drawn anew."""
    structure = Structure(2, np.zeros((0, 2), int))
    parameters = Parameters(np.array([1.0, 0.0]), np.zeros(0))
    rng = np.random.default_rng(0)
    before = rng.choice(np.array([-1, 1], np.int8), (20_000, 2))
    for share in (0.0, 0.25, 0.6, 1.0):
        after = before.copy()
        anew = rng.random(20_000) < share
        after[anew, 0] = rng.choice(np.array([-1, 1], np.int8), anew.sum())
        found = effective_particles(structure, parameters, before, after)
        rho = 1 - share
        # rho is found to 6 standard errors of 1 / sqrt(20,000)
        low, high = (20_000 * (1 - r) / (1 + r) for r in (min(1.0, rho + 0.043), max(0.0, rho - 0.043)))
        assert low - 1e-6 <= found <= high + 1e-6


def test_effective_particles_at_the_edges():
    structure = Structure(2, np.zeros((0, 2), int))
    parameters = Parameters(np.array([1.0, 0.0]), np.zeros(0))
    same = np.ones((30, 2), np.int8)
    assert effective_particles(structure, parameters, same, same) == 0.0
    assert effective_particles(structure, parameters, same, -same) == 30.0
    assert effective_particles(structure, parameters, same[:3], same[:3]) == 3.0
