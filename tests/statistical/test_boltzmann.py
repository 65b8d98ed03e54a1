"""Reads against enumeration, at a stated false-alarm rate, each with a twin that must fail."""

import dimod
import numpy as np
import pytest

from annealnn import ExactSampler, GibbsSampler, SimulatedAnnealingSampler
from annealnn.models import Clamp, Structure, terms_of_bqm
from annealnn.models._exact import basis_energies
from annealnn.registry import SamplerSpec
from annealnn.samplers import compile_sampler
from annealnn.testing import LOPSIDED, boltzmann_pvalue
from annealnn.testing._sampler_checks import FRUSTRATED
from annealnn.testing._statistics import chi_square_pvalue

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass
BETA, WRONG_BETA, NUM_READS = 0.8, 0.9, 40_000

DRAWS = [
    pytest.param(
        lambda: GibbsSampler().sample(LOPSIDED, num_reads=NUM_READS, num_sweeps=60, beta=BETA, seed=1), id="gibbs"
    ),
    pytest.param(lambda: ExactSampler().sample(LOPSIDED, num_reads=NUM_READS, beta=BETA, seed=1), id="exact"),
    pytest.param(
        lambda: SimulatedAnnealingSampler().sample(
            LOPSIDED, num_reads=NUM_READS, num_sweeps=60, beta_range=(BETA, BETA), seed=1
        ),
        id="metropolis at one beta",
    ),
    pytest.param(
        lambda: SimulatedAnnealingSampler().sample(
            LOPSIDED,
            num_reads=NUM_READS,
            num_sweeps=60,
            beta_range=(BETA, BETA),
            proposal_acceptance_criteria="Gibbs",
            seed=1,
        ),
        id="heat-bath at one beta",
    ),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_matches_boltzmann_and_the_check_has_teeth(draw):
    reads = draw()
    assert boltzmann_pvalue(reads, LOPSIDED, BETA) > FALSE_ALARM
    assert boltzmann_pvalue(reads, LOPSIDED, WRONG_BETA) < FALSE_ALARM
    flipped = dimod.BQM({v: -b for v, b in LOPSIDED.linear.items()}, LOPSIDED.quadratic, 0.25, "SPIN")
    assert boltzmann_pvalue(reads, flipped, BETA) < FALSE_ALARM


def test_false_alarm_rate_is_as_stated():
    # 400 independent exact draws: p-values below 0.01 are binomial(400, 0.01)
    small = sum(
        boltzmann_pvalue(ExactSampler().sample(LOPSIDED, num_reads=500, beta=BETA, seed=s), LOPSIDED, BETA) < 0.01
        for s in range(400)
    )
    assert small <= 18  # P(more) < 1e-6


def test_false_alarm_rate_holds_with_many_rare_states():
    structure, parameters, _ = terms_of_bqm(FRUSTRATED)
    energies = -basis_energies(structure, parameters)
    p = np.exp(0.8 * (energies - energies.max()))
    draws = np.random.default_rng(0).multinomial(5000, p / p.sum(), size=20_000)
    pvalues = np.array([chi_square_pvalue(row.astype(float), 5000 * p / p.sum()) for row in draws])
    # binomial(20,000, 0.001): 20 +- 4.5, P(50 or more) < 1e-7
    assert 2 <= (pvalues < 1e-3).sum() < 50
    assert (pvalues < 1e-6).sum() <= 1


def test_chi_square_pools_rare_states():
    assert chi_square_pvalue(np.array([50.0, 50, 1]), np.array([50.0, 50, 1])) == pytest.approx(1.0)
    assert chi_square_pvalue(np.array([50.0, 49, 1]), np.array([50.0, 50, 0])) < 1
    assert chi_square_pvalue(np.array([9.0, 3, 50]), np.array([6.0, 6, 50])) == pytest.approx(1.0)


@pytest.mark.parametrize("spec", [SamplerSpec("gibbs", {"num_sweeps": 40}), SamplerSpec("exact")])
def test_clamped_reads_match_the_conditional(spec):
    structure, parameters, _ = terms_of_bqm(LOPSIDED)
    compiled = compile_sampler(spec.open(), structure, **spec.parameters)
    held = np.full((20_000, 1), -1, np.int8)
    step = compiled.step(parameters, compiled.init(len(held), 3), Clamp(np.array([1]), held))
    rest = LOPSIDED.copy()
    rest.fix_variable("b", -1)
    reads = dimod.SampleSet.from_samples_bqm((step.spins[:, [0, 2]], ["a", "c"]), rest)
    assert boltzmann_pvalue(reads, rest, 1.0) > FALSE_ALARM
    assert boltzmann_pvalue(reads, rest, 1.2) < FALSE_ALARM


def test_gibbs_first_sweep_is_not_biased():
    # one spin, one sweep: P(-1) must be exact at once (dwave-samplers 1.8 always flips its first two updates)
    bqm = dimod.BQM({"a": 0.5}, {}, 0.0, "SPIN")
    reads = GibbsSampler().sample(bqm, num_reads=NUM_READS, num_sweeps=1, seed=8)
    assert boltzmann_pvalue(reads, bqm, 1.0) > FALSE_ALARM


def test_annealing_finds_the_ground_state():
    structure = Structure.complete(12)
    rng = np.random.default_rng(0)
    bqm = dimod.BQM.from_ising(
        dict(enumerate(rng.normal(size=12))),
        {tuple(e): v for e, v in zip(structure.edges.tolist(), rng.normal(size=66), strict=True)},
    )
    found = SimulatedAnnealingSampler().sample(bqm, num_reads=50, num_sweeps=300, seed=0)
    best = dimod.ExactSolver().sample(bqm).first.energy
    assert found.first.energy == pytest.approx(best, abs=1e-9)
    untrained = SimulatedAnnealingSampler().sample(
        bqm, num_reads=50, num_sweeps=1, beta_range=(0.0, 0.0), beta_schedule_type="linear", seed=0
    )
    assert untrained.record.energy.mean() > found.record.energy.mean() + 1
