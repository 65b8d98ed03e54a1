import json

import numpy as np
import pytest

from annealnn.exceptions import CheckpointError
from annealnn.learning import (
    Bounds,
    CheckpointPolicy,
    MomentMatching,
    descend,
    load_checkpoint,
    save_checkpoint,
)
from annealnn.models import IsingModel, Moments, Parameters, Structure
from annealnn.samplers import ExactSampler, GibbsSampler

STRUCTURE = Structure.complete(4)
TRUE = Parameters(np.array([0.4, -0.3, 0.2, 0.0]), np.array([0.5, -0.4, 0.3, 0.2, -0.1, 0.6]))
DATA = IsingModel.from_parameters(STRUCTURE, TRUE).exact().moments


def run(compiled, config, **keywords):
    return descend(
        config,
        compiled,
        DATA,
        start=lambda: config.init(compiled, 50, seed=3),
        observe=lambda state, shown: {"first": float(state.parameters.fields[0])},
        **keywords,
    )


def test_exact_moments_lead_to_the_true_parameters():
    compiled = ExactSampler().compile(STRUCTURE, want="moments")
    config = MomentMatching(learning_rate=0.3, num_iterations=600, final_rate=0.3)
    state, history = run(compiled, config)
    np.testing.assert_allclose(state.parameters.fields, TRUE.fields, atol=1e-6)
    np.testing.assert_allclose(state.parameters.couplings, TRUE.couplings, atol=1e-6)
    assert history.steps["coupling_error"][-1] < 1e-6 < 0.05 < history.steps["coupling_error"][0]
    assert history.steps["iteration"] == list(range(1, 601))


def test_a_hidden_beta_scales_the_parameters_and_nothing_else():
    compiled = ExactSampler().compile(STRUCTURE, want="moments", beta=2.5)
    state, _ = run(compiled, MomentMatching(learning_rate=0.1, num_iterations=800, final_rate=0.1))
    np.testing.assert_allclose(2.5 * state.parameters.couplings, TRUE.couplings, atol=1e-6)


def test_first_step_by_hand():
    compiled = ExactSampler().compile(STRUCTURE, want="moments")
    config = MomentMatching(learning_rate=0.2, num_iterations=10, momentum=0.5)
    state, _ = config.step(config.init(compiled, 1, 0), DATA, compiled)
    np.testing.assert_allclose(state.parameters.couplings, 0.2 * DATA.pairs, atol=1e-12)
    second, _ = config.step(state, DATA, compiled)
    now = IsingModel.from_parameters(STRUCTURE, state.parameters).exact().moments
    expected = state.parameters.couplings + 0.5 * 0.2 * DATA.pairs + 0.9 * 0.2 * (DATA.pairs - now.pairs)
    np.testing.assert_allclose(second.parameters.couplings, expected, atol=1e-12)


def test_rate_falls_linearly():
    config = MomentMatching(learning_rate=1.0, num_iterations=4)
    assert [config.rate(k) for k in (0, 1, 2, 4, 9)] == [1.0, 0.75, 0.5, 0.0, 0.0]


def test_bounds_flip_dimods_sign_and_count_what_they_clip():
    bounds = Bounds.from_device((-4.0, 4.0), (-2.0, 1.0))
    assert bounds.couplings == (-1.0, 2.0)
    inside, fraction = bounds.project(Parameters(np.array([5.0, 1.0]), np.array([-1.5, 1.5, 2.5])))
    np.testing.assert_array_equal(inside.fields, [4.0, 1.0])
    np.testing.assert_array_equal(inside.couplings, [-1.0, 1.5, 2.0])
    assert fraction == pytest.approx(3 / 5)


# -- checkpoints -------------------------------------------------------------------------------------------------------


def gibbs():
    return GibbsSampler().compile(STRUCTURE, want="moments")


CONFIG = MomentMatching(learning_rate=0.1, num_iterations=30)


def policy(folder, **keywords):
    return CheckpointPolicy(folder=folder / "saved", identity={"job": 1}, **keywords)


class Stop:
    """A monitor that interrupts at one iteration."""

    def __init__(self, at):
        self.at = at

    def __call__(self, state):
        if state.iteration == self.at:
            raise KeyboardInterrupt
        return {"n": state.iteration}


@pytest.mark.parametrize("at", [1, 7, 30])
def test_interrupted_and_resumed_gives_the_same_bits(tmp_path, at):
    whole, whole_history = run(gibbs(), CONFIG, monitor=lambda s: {"n": s.iteration}, monitor_every=1)
    with pytest.raises(KeyboardInterrupt):
        run(gibbs(), CONFIG, monitor=Stop(at), monitor_every=1, checkpoint=policy(tmp_path))
    saved, _ = load_checkpoint(tmp_path / "saved", STRUCTURE)
    assert saved.iteration == at - 1
    resumed, history = run(
        gibbs(), CONFIG, monitor=lambda s: {"n": s.iteration}, monitor_every=1, checkpoint=policy(tmp_path, resume=True)
    )
    for a, b in zip(
        (*whole.parameters, *whole.velocity, *whole.sampler),
        (*resumed.parameters, *resumed.velocity, *resumed.sampler),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
    assert history.steps == whole_history.steps
    assert history.monitored == whole_history.monitored
    again, _ = run(gibbs(), CONFIG, checkpoint=policy(tmp_path, resume=True))
    np.testing.assert_array_equal(again.parameters.fields, whole.parameters.fields)


def test_resume_without_a_checkpoint_starts(tmp_path):
    state, _ = run(gibbs(), CONFIG, checkpoint=policy(tmp_path, resume=True))
    assert state.iteration == 30
    assert sorted(p.name for p in tmp_path.iterdir()) == ["saved"]


def test_a_checkpoint_of_another_job_is_refused(tmp_path):
    run(gibbs(), CONFIG, checkpoint=policy(tmp_path))
    other = CheckpointPolicy(folder=tmp_path / "saved", identity={"job": 2}, resume=True)
    with pytest.raises(CheckpointError, match="job=1, this job 2"):
        run(gibbs(), CONFIG, checkpoint=other)


def test_a_checkpoint_of_another_graph_is_refused(tmp_path):
    state = CONFIG.init(gibbs(), 5, 0)
    save_checkpoint(tmp_path / "saved", state, STRUCTURE, {})
    relabelled = Structure(4, STRUCTURE.edges, ("a", "b", "c", "d"))
    for other in (relabelled, Structure(4, [[0, 1]])):
        with pytest.raises(CheckpointError, match="another"):
            load_checkpoint(tmp_path / "saved", other)


def test_damaged_checkpoints_are_refused(tmp_path):
    folder = tmp_path / "saved"
    with pytest.raises(CheckpointError, match=r"whole; .* is not: FileNotFoundError"):
        load_checkpoint(folder, STRUCTURE)
    save_checkpoint(folder, CONFIG.init(gibbs(), 5, 0), STRUCTURE, {})
    content = json.loads((folder / "checkpoint.json").read_text())
    (folder / "checkpoint.json").write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(CheckpointError, match=r"format 3; .* has format 99"):
        load_checkpoint(folder, STRUCTURE)
    for broken in ([], None, content | {"record": 3}, content | {"iteration": "3"}, content | {"arrays": "no.npz"}):
        (folder / "checkpoint.json").write_text(json.dumps(broken))
        with pytest.raises(CheckpointError, match="Start again"):
            load_checkpoint(folder, STRUCTURE)
    (folder / "checkpoint.json").write_text(json.dumps(content))
    (arrays,) = folder.glob("arrays-*.npz")
    whole = arrays.read_bytes()
    arrays.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="Start again"):
        load_checkpoint(folder, STRUCTURE)
    arrays.write_bytes(whole)
    load_checkpoint(folder, STRUCTURE)
    with np.load(arrays) as parts:
        cut = {name: value[:3] if name == "spins" else value for name, value in parts.items()}
    np.savez(arrays, **cut)
    with pytest.raises(CheckpointError, match="its arrays have shapes"):
        load_checkpoint(folder, STRUCTURE)


def test_a_history_that_does_not_fit_is_refused(tmp_path):
    run(gibbs(), CONFIG, checkpoint=policy(tmp_path))
    path = tmp_path / "saved" / "checkpoint.json"
    content = json.loads(path.read_text())
    for broken in ({}, content["record"] | {"steps": {"iteration": [1]}}):
        path.write_text(json.dumps(content | {"record": broken}))
        with pytest.raises(CheckpointError, match="one entry a step, 30"):
            run(gibbs(), CONFIG, checkpoint=policy(tmp_path, resume=True))


def test_a_fault_saves_the_last_whole_step(tmp_path):
    def fail(state):
        raise RuntimeError("the device is gone")

    with pytest.raises(RuntimeError, match="gone"):
        run(gibbs(), CONFIG, monitor=fail, monitor_every=9, checkpoint=policy(tmp_path))
    assert load_checkpoint(tmp_path / "saved", STRUCTURE)[0].iteration == 8


def test_a_failed_save_keeps_the_old_one(tmp_path, monkeypatch):
    folder = tmp_path / "saved"
    state = CONFIG.init(gibbs(), 5, 0)
    save_checkpoint(folder, state, STRUCTURE, {"good": True})

    def fail(*args, **kwargs):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("annealnn.learning._checkpoint.write_text", fail)
        with pytest.raises(OSError, match="disk full"):
            save_checkpoint(folder, state, STRUCTURE, {"good": False})
    assert load_checkpoint(folder, STRUCTURE)[1] == {"good": True}
    save_checkpoint(folder, state, STRUCTURE, {"good": "again"})
    assert load_checkpoint(folder, STRUCTURE)[1] == {"good": "again"}
    assert len(list(folder.iterdir())) == 2


def test_zero_coupling_graph_learns_fields():
    structure = Structure(3, np.zeros((0, 2), int))
    compiled = GibbsSampler().compile(structure, want="moments")
    config = MomentMatching(learning_rate=0.1, num_iterations=300)
    state, _ = descend(
        config,
        compiled,
        Moments(np.array([0.5, 0.0, -0.8]), np.zeros(0)),
        start=lambda: config.init(compiled, 2000, 0),
        observe=lambda state, shown: {},
    )
    np.testing.assert_allclose(np.tanh(state.parameters.fields), [0.5, 0.0, -0.8], atol=0.02)
