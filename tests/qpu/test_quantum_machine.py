"""A quantum Boltzmann machine that learns from a device, frozen where the plan of its quench rests."""

import numpy as np
import pytest

from annealnn import QuantumBoltzmannMachine, SamplerSpec
from annealnn.qpu import plan_quench
from annealnn.standin import PathIntegralPhysics, simulated_scales

TEMPERATURE_MK = 18.0
SCALES = simulated_scales()
PATH = [(0, 1), (1, 2)]


@pytest.fixture
def spec(serve):
    serve(physics=PathIntegralPhysics(scales=SCALES, temperature_mk=TEMPERATURE_MK))
    device = SamplerSpec.qpu().open()
    middle = device.nodelist[5]
    ends = sorted(device.adjacency[middle])[:2]
    plan = plan_quench(0.5, SCALES, TEMPERATURE_MK, properties=device.properties)
    return SamplerSpec.qpu(quench=plan, embedding={0: ends[:1], 1: [middle], 2: ends[1:]})


@pytest.fixture(scope="module")
def rows():
    """Three bits that follow a fourth, which is on more often than not."""
    rng = np.random.default_rng(0)
    cause = rng.random((400, 1)) < 0.7
    return (cause ^ (rng.random((400, 3)) < 0.15)).astype(int)


def machine(**keywords):
    return QuantumBoltzmannMachine(
        gamma=0.5, graph=PATH, n_particles=200, learning_rate=0.3, random_state=0, progress=False, **keywords
    )


def test_it_learns_what_diagonalisation_does(spec, rows):
    exact = machine(solver="bfgs").fit(rows).score(rows)
    learned = machine(sampler=spec, n_iter=30).fit(rows).score(rows)
    untrained = machine(sampler=spec, n_iter=1).set_params(learning_rate=1e-9).fit(rows).score(rows)
    assert exact - learned < 0.02 < exact - untrained


def test_a_plan_for_another_gamma_is_refused(spec, rows):
    with pytest.raises(ValueError, match=r"planned for, 0\.5; got gamma=0\.7"):
        machine(sampler=spec).set_params(gamma=0.7).fit(rows)
