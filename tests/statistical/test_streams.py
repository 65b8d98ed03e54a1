"""What seeds give: the right distribution over seeds, not over sweeps only, and reads that differ."""

import dimod
import numpy as np
import pytest

from annealnn import GibbsSampler, SimulatedAnnealingSampler
from annealnn.models import Clamp, Structure, terms_of_bqm
from annealnn.samplers import PathIntegralSampler, SimulatedQuantumAnnealingSampler, compile_sampler
from annealnn.testing import LOPSIDED
from annealnn.testing._sampler_checks import PAIRS

SPIN = dimod.BQM({"a": 0.5}, {}, 0.0, "SPIN")
P_DOWN = 1 / (1 + np.exp(-1.0))
ONE_SWEEP = {
    "heat bath": lambda seed: GibbsSampler().sample(SPIN, num_reads=1, num_sweeps=1, seed=seed, num_threads=1),
    "worldlines": lambda seed: PathIntegralSampler().sample(
        SPIN, num_reads=1, num_sweeps=1, gamma=0.0, num_slices=4, seed=seed, num_threads=1
    ),
}


@pytest.mark.parametrize("draw", ONE_SWEEP.values(), ids=ONE_SWEEP)
def test_one_sweep_of_one_spin_over_many_seeds(draw):
    down, error = np.mean([draw(seed).first.sample["a"] < 0 for seed in range(3000)]), np.sqrt(1 / 4 / 3000)
    assert abs(down - P_DOWN) < 4.9 * error
    # another temperature, and a generator that always flips or never, would be seen
    assert min(abs(down - p) for p in (1 / (1 + np.exp(-1.5)), 0.0, 1.0)) > 4.9 * error


SAMPLERS = [GibbsSampler, SimulatedAnnealingSampler, PathIntegralSampler, SimulatedQuantumAnnealingSampler]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_one_seed_gives_reads_that_differ(sampler):
    reads = sampler().sample(PAIRS, num_reads=50, num_sweeps=20, seed=1).record.sample
    assert len(np.unique(reads, axis=0)) > 30
    two = [sampler().sample(PAIRS, num_reads=5, num_sweeps=20).record.sample for _ in range(2)]
    assert not np.array_equal(*two)


DOORS = {
    "gibbs": (GibbsSampler(), {}),
    "discrete": (PathIntegralSampler(), {"gamma": 0.7, "num_slices": 8}),
    "continuous": (PathIntegralSampler(), {"gamma": 0.7, "imaginary_time": "continuous"}),
}


@pytest.mark.parametrize("clamped", [False, True], ids=["free", "clamped"])
@pytest.mark.parametrize(("sampler", "keywords"), DOORS.values(), ids=DOORS)
def test_a_run_that_is_saved_and_resumed_equals_an_unbroken_one(sampler, keywords, clamped, tmp_path):
    structure, parameters, _ = terms_of_bqm(LOPSIDED)
    clamp = Clamp(np.array([1]), np.array([[1], [-1]] * 20, np.int8)) if clamped else None
    compiled = compile_sampler(sampler, structure, **keywords)
    state = unbroken = compiled.init(40, 3)
    for k in range(6):
        unbroken = compiled.step(parameters, unbroken, clamp).state
        state = compiled.step(parameters, state, clamp).state
        if k % 2:  # through a file, and another process's worth of objects
            np.savez(tmp_path / "state.npz", spins=state.spins, streams=state.streams, **state.kept)
            with np.load(tmp_path / "state.npz") as file:
                kept = {name: file[name] for name in file.files if name not in ("spins", "streams")}
                state = type(state)(file["spins"], file["streams"], kept)
            compiled = compile_sampler(sampler, Structure(3, structure.edges, structure.labels), **keywords)
    np.testing.assert_array_equal(state.spins, unbroken.spins)
    np.testing.assert_array_equal(state.streams, unbroken.streams)
    assert state.kept.keys() == unbroken.kept.keys()
    for name, array in state.kept.items():
        np.testing.assert_array_equal(array, unbroken.kept[name])
    # the streams matter
    other = compiled.step(parameters, state._replace(streams=compiled.init(40, 4).streams), clamp).state
    assert not np.array_equal(other.streams, compiled.step(parameters, state, clamp).state.streams)
