"""Reads that serve several steps, of any sampler."""

import numpy as np
import pytest

from annealnn import BoltzmannMachine, SamplerSpec
from annealnn.models import Clamp, Parameters, Structure
from annealnn.registry import open_compiled

STRUCTURE = Structure(4, np.array([[0, 1], [1, 2], [2, 3]]))
MODEL = Parameters(np.array([0.3, -0.2, 0.1, 0.4]), np.array([0.5, -0.6, 0.7]))


def door(name, reuse_steps, want="spins"):
    spec = SamplerSpec(name, {"reuse_steps": reuse_steps})
    return open_compiled(spec, STRUCTURE, default=spec, want=want)


@pytest.mark.parametrize("name", ["gibbs", "neal", "path-integral"])
def test_every_kth_step_draws_and_the_others_give_its_reads(name):
    compiled, plain = door(name, 3, "moments"), door(name, 1, "moments")
    state, other, seen = compiled.init(40, 2), plain.init(40, 2), []
    for k in range(7):
        step = compiled.step(MODEL, state)
        if k % 3 == 0:
            drawn = plain.step(MODEL, other)
            other = drawn.state
        np.testing.assert_array_equal(step.spins, drawn.spins)
        expected = STRUCTURE.moments_of(drawn.spins) if k % 3 else drawn.moments
        np.testing.assert_allclose(step.moments.pairs, expected.pairs, atol=1e-12)
        seen.append(step.info["reused"])
        state = step.state
    assert seen == [0, 1, 2, 0, 1, 2, 0]
    # reads that began elsewhere have served no step; those of a clamp are new, and serve no other
    assert compiled.step(MODEL, compiled.begin(compiled.reads(state), 3)).info["reused"] == 0
    assert compiled.step(MODEL, state).info["reused"] == 1
    clamp = Clamp(np.array([0]), np.ones((40, 1), np.int8))
    held = compiled.step(MODEL, state, clamp)
    assert (held.spins[:, 0] == 1).all()
    assert compiled.step(MODEL, held.state).info["reused"] == 0
    after = compiled.advance(MODEL, state, 2)
    assert compiled.step(MODEL, after).info["reused"] == 0


def test_a_resumed_machine_goes_on_to_the_same_bits(tmp_path):
    rows = np.random.default_rng(0).integers(2, size=(50, 4))
    common = {"sampler": SamplerSpec("gibbs", {"reuse_steps": 4}), "random_state": 1, "progress": False}
    whole = BoltzmannMachine(n_iter=10, **common).fit(rows)

    def stop(snapshot):
        if snapshot.iteration == 6:
            raise KeyboardInterrupt

    job = common | {"n_iter": 10, "checkpoint": tmp_path / "job"}
    stopping = BoltzmannMachine(**job, callbacks=[stop], monitor_every=1)
    with pytest.raises(KeyboardInterrupt):
        stopping.fit(rows)
    rest = BoltzmannMachine(**job, resume=True).fit(rows)
    np.testing.assert_array_equal(whole.model_.h, rest.model_.h)


def test_moments_without_reads_serve_one_step():
    compiled = door("exact", 2, "moments")
    with pytest.raises(ValueError, match="reads are what serves several steps"):
        compiled.step(MODEL, compiled.init(3, 1))
    with pytest.raises(ValueError, match="reuse_steps is a whole number of at least 1; got 0"):
        door("gibbs", 0)
