"""Reads of the simulated chip against exact distributions, and what its imperfections do."""

import dimod
import networkx as nx
import numpy as np
import pytest
from dwave.system.temperatures import fast_effective_temperature, h_to_fluxbias, maximum_pseudolikelihood_temperature

from annealnn.models import Parameters, TransverseIsing
from annealnn.schedules import EnergyScales
from annealnn.standin import AnnealPhysics, Noise, PathIntegralPhysics, ThermalPhysics
from annealnn.standin._chip import Chip
from annealnn.standin._equilibrium import BoltzmannEquilibrium, TransverseEquilibrium
from annealnn.standin._parameters import checked_parameters
from annealnn.standin._problem import Problem
from annealnn.standin._timing import qpu_timing
from annealnn.testing._statistics import FALSE_ALARM, boltzmann_pvalue

BETA = 2.5  # of the session's stand-in


def lopsided(sampler, num_qubits, scale=1.0):
    """A connected problem with fields and couplings of all signs on the first qubits of the chip."""
    graph = sampler.to_networkx_graph()
    nodes = list(nx.bfs_tree(graph, sampler.nodelist[0]))[:num_qubits]
    rng = np.random.default_rng(3)
    h = {v: float(x) for v, x in zip(nodes, rng.uniform(-0.4, 0.6, num_qubits) * scale, strict=True)}
    J = {edge: float(rng.uniform(-0.5, 0.4) * scale) for edge in graph.subgraph(nodes).edges}
    return dimod.BQM.from_ising(h, J, 0.25)


def problem_of(chip, h, J, kind="ising", **given):
    """What `decode_problem` makes of a job, from mappings."""
    qubits = np.array(sorted(h))
    edges = np.array([sorted(edge) for edge in J], dtype=np.intp).reshape(-1, 2)
    linear, quadratic = np.array([h[v] for v in qubits], float), np.array(list(J.values()), float)
    parameters = checked_parameters(chip, kind, given)
    return Problem(
        kind=kind,
        qubits=qubits,
        linear=linear,
        edges=np.searchsorted(qubits, edges),
        quadratic=quadratic,
        fields=linear,
        couplings=quadratic,
        parameters=parameters,
        timing=qpu_timing(chip.properties, parameters, len(qubits)),
    )


def drawn(physics, problem, seed=1):
    return physics.draw(problem, Parameters(-problem.fields, -problem.couplings), seed)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize("answer_mode", ["raw", "histogram"])
def test_eight_spins_follow_the_hidden_boltzmann_distribution(qpu, vartype, answer_mode):
    bqm = lopsided(qpu, 8).change_vartype(vartype, inplace=False)
    reads = qpu.sample(bqm, num_reads=10_000, annealing_time=5.0, auto_scale=False, answer_mode=answer_mode)
    assert len(reads) == 10_000 if answer_mode == "raw" else len(reads) < 256
    np.testing.assert_allclose(reads.record.energy, bqm.energies(reads), atol=1e-9)  # the offset once
    assert boltzmann_pvalue(reads, bqm, BETA) > FALSE_ALARM
    assert boltzmann_pvalue(reads, bqm, 1.15 * BETA) < FALSE_ALARM


def test_auto_scale_fills_the_ranges(qpu):
    bqm = lopsided(qpu, 8, scale=0.3)
    fill = max(abs(J) for J in bqm.quadratic.values())  # |h| may be 4 times as large
    # negative J may not use the extended range
    assert fill > max(abs(h) for h in bqm.linear.values()) / 4
    reads = qpu.sample(bqm, num_reads=10_000, annealing_time=5.0)
    assert boltzmann_pvalue(reads, bqm, BETA / fill) > FALSE_ALARM
    assert boltzmann_pvalue(reads, bqm, BETA) < FALSE_ALARM


def test_ocean_s_thermometers_find_the_hidden_temperature(qpu):
    rng = np.random.default_rng(0)
    h = {v: float(rng.uniform(-0.2, 0.2)) for v in qpu.nodelist}
    J = {edge: float(rng.choice([-0.1, 0.1])) for edge in qpu.edgelist}
    bqm = dimod.BQM.from_ising(h, J)
    reads = qpu.sample(bqm, num_reads=500, auto_scale=False, answer_mode="raw")
    T, _ = maximum_pseudolikelihood_temperature(bqm, reads)
    assert pytest.approx(1 / BETA, rel=0.05) == T
    T, _ = fast_effective_temperature(qpu, seed=1)
    assert pytest.approx(1 / BETA, rel=0.05) == T


def test_large_parts_are_swept_to_the_same_distribution(qpu):
    bqm = lopsided(qpu, 14)
    thermal = BoltzmannEquilibrium(beta=1.5, num_sweeps=200)
    model = TransverseIsing.of(_ising(bqm), 0.0)
    spins = thermal.reads(model.structure, model.problem.parameters, 20_000, seed=1)
    reads = dimod.SampleSet.from_samples((spins, model.labels), "SPIN", energy=0)
    assert boltzmann_pvalue(reads, bqm, 1.5) > FALSE_ALARM
    assert boltzmann_pvalue(reads, bqm, 1.7) < FALSE_ALARM


def _ising(bqm):
    from annealnn.models import IsingModel

    return IsingModel.from_bqm(bqm)


@pytest.mark.parametrize(("num_qubits", "how"), [(1, "reads"), (7, "reads"), (9, "swept_reads")])
def test_reads_of_a_transverse_field_have_the_exact_moments(qpu, num_qubits, how):
    model = TransverseIsing.of(_ising(lopsided(qpu, num_qubits)), 0.6)
    thermal = TransverseEquilibrium(beta=2.0, gamma=0.6, num_sweeps=120, num_slices=20)
    num_reads = 4000
    spins = getattr(thermal, how)(model.structure, model.problem.parameters, num_reads, seed=1)
    exact, found = model.exact(2.0).moments, model.structure.moments_of(spins)
    for wanted, got in zip(exact, found, strict=True):
        # 5.5 standard errors: a false alarm in 1e6 of some twenty moments
        np.testing.assert_array_less(np.abs(got - wanted), 5.5 * np.sqrt((1 - wanted**2) / num_reads) + 1e-12)
    wrong = TransverseIsing.of(model.problem, 0.3).exact(2.0).moments.spins
    assert (np.abs(found.spins - wrong) > 5.5 / np.sqrt(num_reads)).any()


def test_a_pause_is_where_the_quantum_state_is_read():
    chip = Chip.of("chimera-1")
    scales = EnergyScales.from_ghz([0, 1], [10, 0], [0, 10])
    physics = PathIntegralPhysics(s=0.9, scales=scales, temperature_mk=60.0)
    h = {0: 1.0, 4: 0.0}
    paused = problem_of(chip, h, {}, num_reads=4000, anneal_schedule=[[0, 0], [1, 0.5], [50, 0.5], [50.5, 1]])
    plain = problem_of(chip, h, {}, num_reads=4000)
    for problem, s in ((paused, 0.5), (plain, 0.9)):
        beta, gamma = scales.beta_at(s, 60.0), (1 - s) / s
        level = np.hypot(1.0, gamma)
        mean = -np.tanh(beta * level) / level
        assert drawn(physics, problem)[:, 0].mean() == pytest.approx(mean, abs=5.5 / np.sqrt(4000))


@pytest.mark.parametrize("dynamics", ["classical", "quantum"])
def test_slower_anneals_end_lower(dynamics):
    chip = Chip.of("zephyr-2")
    rng = np.random.default_rng(2)
    h = dict.fromkeys(chip.qubits.tolist(), 0.0)
    J = {tuple(edge): float(rng.choice([-1, 1])) for edge in chip.couplers.tolist()}
    physics = AnnealPhysics(dynamics=dynamics, num_slices=8)
    means = []
    for duration in (0.5, 5.0, 40.0):
        problem = problem_of(chip, h, J, num_reads=50, annealing_time=duration)
        means.append(problem.energies(drawn(physics, problem)).mean())
    assert means[0] > means[1] > means[2]


@pytest.mark.parametrize("dynamics", ["classical", "quantum"])
@pytest.mark.parametrize("reinitialize", [True, False])
def test_reverse_anneals_begin_where_they_are_told(dynamics, reinitialize):
    chip = Chip.of("chimera-2")
    h = dict.fromkeys(chip.qubits.tolist(), 0.0)
    J = {tuple(edge): -1.0 for edge in chip.couplers.tolist()}
    state = np.where(np.arange(32) % 5 == 0, -1, 1).tolist()  # nearly the ground state: all up
    physics = AnnealPhysics(dynamics=dynamics, num_slices=8)
    given = {"initial_state": state, "reinitialize_state": reinitialize, "num_reads": 20}
    near = problem_of(chip, h, J, anneal_schedule=[[0, 1], [2, 0.7], [4, 1]], **given)
    assert (drawn(physics, near) == 1).all()
    far = problem_of(chip, h, J, anneal_schedule=[[0, 1], [2, 0.0], [9, 0.0], [12, 1]], **given)
    assert len(np.unique(drawn(physics, far).mean(axis=1))) > 1


def test_the_same_seed_and_label_give_the_same_reads_in_any_order(serve, connect):
    noise = Noise(h=0.02, j=0.02, readout=0.05, drift=0.02)

    def reads(labels, **settings):
        sampler = connect(serve(noise=noise, **settings))
        h = dict.fromkeys(sampler.nodelist, 0.1)
        futures = {label: sampler.sample_ising(h, {}, num_reads=20, label=label) for label in labels}
        return {label: future.record.sample.tobytes() for label, future in futures.items()}

    one, other = reads(["a", "b", None]), reads(["c", None, "b", "a"])
    assert {label: other[label] for label in one} == one
    assert len(set(other.values())) == 4
    assert not set(reads(["a"], seed=2).values()) & set(one.values())
    assert not set(reads(["a"], seed=None).values()) & set(one.values())


def test_control_noise_is_a_share_of_the_range():
    chip = Chip.of("zephyr-4")
    h = dict.fromkeys(chip.qubits.tolist(), 0.0)
    problem = problem_of(chip, h, {tuple(edge): 0.5 for edge in chip.couplers.tolist()})
    noise = Noise(h=0.02, j=0.03)
    fields, couplings = noise.realised(problem, chip, seed=1, chip_seed=1, moment=0.0)
    assert np.std(fields) == pytest.approx(0.02 * 4, rel=0.15)
    assert np.std(couplings) == pytest.approx(0.03 * 1, rel=0.05)
    assert np.mean(couplings) == pytest.approx(-0.5, abs=0.003)
    still = Noise().realised(problem, chip, seed=1, chip_seed=1, moment=0.0)
    assert not still.fields.any()
    assert (still.couplings == -0.5).all()


def test_reads_are_flipped_as_often_as_told():
    spins = np.ones((1000, 100), dtype=np.int8)
    assert (Noise(readout=0.1).read_out(spins, 1) == -1).mean() == pytest.approx(0.1, abs=0.006)
    assert Noise().read_out(spins, 1) is spins


def test_fields_drift_slowly():
    chip = Chip.of("zephyr-6")
    problem = problem_of(chip, dict.fromkeys(chip.qubits.tolist(), 0.0), {})
    noise = Noise(drift=0.05, drift_jobs=50.0)
    fields = [noise.realised(problem, chip, seed=1, chip_seed=7, moment=t).fields for t in (0.0, 5.0, 50.0, 5000.0)]
    assert np.std(fields[0]) == pytest.approx(0.05 * 4, rel=0.1)
    correlations = [np.corrcoef(fields[0], later)[0, 1] for later in fields[1:]]
    np.testing.assert_allclose(correlations, np.exp([-(0.1**2) / 2, -1 / 2, -5000]), atol=0.12)


def test_flux_biases_are_the_fields_that_ocean_says():
    chip = Chip.of("chimera-1")
    flux = [float(h_to_fluxbias(0.3))] + [0.0] * 7
    problem = problem_of(chip, {0: 0.2, 1: 0.0}, {}, flux_biases=flux)
    fields = Noise().realised(problem, chip, seed=1, chip_seed=1, moment=0.0).fields
    np.testing.assert_allclose(fields, [-0.5, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ThermalPhysics(beta=-1.0), "beta is a finite number, at least 0"),
        (lambda: PathIntegralPhysics(s=0.0), "s is a finite number, above 0"),
        (lambda: PathIntegralPhysics(scales=EnergyScales.linear()), "a temperature in mK goes with scales in GHz"),
        (lambda: AnnealPhysics(dynamics="coherent"), "dynamics is one of 'classical', 'quantum'"),
        (lambda: Noise(readout=1.5), "readout is a finite number"),
    ],
)
def test_bad_settings(make, said):
    with pytest.raises(ValueError, match=said):
        make()
