"""Population annealing: ln Z, families, reads."""

import dimod
import dwave.graphs
import numpy as np
import pytest

from annealnn import ExactSampler, PopulationAnnealingSampler, SimulatedAnnealingSampler
from annealnn.testing import LOPSIDED, boltzmann_pvalue
from annealnn.testing._sampler_checks import FRUSTRATED

FALSE_ALARM = 1e-6  # per test, by design; seeds are fixed, so a pass stays a pass


def glass(graph, fields, seed=0):
    rng = np.random.default_rng(seed)
    linear = {node: float(rng.normal(0, fields)) for node in graph.nodes}
    return dimod.BQM.from_ising(linear, {edge: float(rng.choice([-1.0, 1.0])) for edge in graph.edges})


@pytest.mark.parametrize("bqm", [LOPSIDED, FRUSTRATED, glass(dwave.graphs.chimera_graph(2), 0.3)])
@pytest.mark.parametrize("population_size", [5, 32, 70])
def test_log_z_agrees_with_the_exact_one(bqm, population_size):
    found = PopulationAnnealingSampler().sample(
        bqm, num_reads=1000, num_sweeps=60, beta=1.2, population_size=population_size, seed=1
    )
    exact, hotter = (ExactSampler().sample(bqm, beta=beta).info["log_z"] for beta in (1.2, 1.15))
    error = found.info["log_z_error"]
    assert 0 < error < 0.05
    # five standard errors: false alarm 6e-7
    assert abs(found.info["log_z"] - exact) < 5 * error
    assert abs(found.info["log_z"] - hotter) > 5 * error


def test_reads_come_near_the_distribution_where_those_of_an_annealer_do_not():
    draw = {"num_reads": 5_000, "num_sweeps": 20, "seed": 2}
    found = PopulationAnnealingSampler().sample(FRUSTRATED, beta=1.5, **draw)
    assert boltzmann_pvalue(found, FRUSTRATED, 1.5) > FALSE_ALARM
    assert boltzmann_pvalue(found, FRUSTRATED, 1.3) < FALSE_ALARM
    annealed = SimulatedAnnealingSampler().sample(
        FRUSTRATED, beta_range=(0.0, 1.5), beta_schedule_type="linear", proposal_acceptance_criteria="Gibbs", **draw
    )
    assert boltzmann_pvalue(annealed, FRUSTRATED, 1.5) < FALSE_ALARM


def test_families_say_how_far_to_trust():
    bqm = glass(dwave.graphs.chimera_graph(4), 0.0)
    one = PopulationAnnealingSampler().sample(bqm, num_sweeps=20, population_size=1, seed=3).info
    assert one["family_size"] == 1
    assert one["log_z_error"] is None
    few, many = (
        PopulationAnnealingSampler().sample(bqm, num_reads=10, num_sweeps=n, beta=3.0, seed=3) for n in (10, 1000)
    )
    assert 1 < many.info["family_size"] < few.info["family_size"] <= few.info["population_size"] == 64
    assert many.record.energy.mean() < few.record.energy.mean()
    exact = ExactSampler().sample(bqm, beta=3.0).info["log_z"]
    assert abs(many.info["log_z"] - exact) < 5 * many.info["log_z_error"]


def test_reads_depend_neither_on_their_number_nor_on_threads():
    bqm = glass(dwave.graphs.chimera_graph(2), 0.3)

    def draw(num_reads, **keywords):
        return PopulationAnnealingSampler().sample(
            bqm, num_reads=num_reads, num_sweeps=20, population_size=11, seed=6, **keywords
        )

    three, seven = draw(3), draw(7)
    np.testing.assert_array_equal(three.record.sample, seven.record.sample[:3])
    for threads in (1, 2):
        again = draw(7, num_threads=threads)
        np.testing.assert_array_equal(again.record.sample, seven.record.sample)
        assert again.info["log_z"] == seven.info["log_z"]


def test_beta_0_is_uniform():
    info = PopulationAnnealingSampler().sample(LOPSIDED, num_reads=4, num_sweeps=3, beta=0.0, seed=0).info
    assert info["log_z"] == pytest.approx(3 * np.log(2))
    assert info["family_size"] == 1


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"population_size": 0}, r"population_size is a whole number of at least 1; got 0"),
        ({"population_size": 2.5}, r"population_size is a whole number of at least 1; got 2.5"),
        ({"num_threads": 0}, r"num_threads is a whole number of at least 1; got 0"),
        ({"beta": float("nan")}, r"beta is a finite number, at least 0; got nan"),
    ],
)
def test_bad_values_are_refused(keywords, said):
    with pytest.raises(ValueError, match=said):
        PopulationAnnealingSampler().sample(LOPSIDED, **keywords)
