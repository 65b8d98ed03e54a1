"""Ocean's composites, its command and its estimates over the stand-in, all unmodified."""

import os
import subprocess
import sys
from pathlib import Path

import dimod
import minorminer
import networkx as nx
import numpy as np
import pytest
from dwave.system import (
    DWaveCliqueSampler,
    EmbeddingComposite,
    FixedEmbeddingComposite,
    LazyFixedEmbeddingComposite,
    ParallelEmbeddingComposite,
)

TRIANGLE = dimod.BQM.from_ising({"a": -0.25}, {"ab": 1.0, "bc": -1.0, "ac": 0.5}, 1.0)


def ground_energy(bqm):
    return dimod.ExactSolver().sample(bqm).first.energy


def test_the_sampler_states_what_the_service_states(zephyr, qpu):
    chip = zephyr.standin.chip
    assert qpu.nodelist == chip.qubits.tolist()
    assert len(qpu.edgelist) == len(chip.couplers)
    graph = qpu.to_networkx_graph()
    assert graph.graph["family"] == "zephyr"
    assert set(graph) == set(qpu.nodelist)
    assert qpu.properties["annealnn_simulation"]["seeded"] is True
    assert "2.5" not in str(qpu.properties["annealnn_simulation"])  # the temperature is hidden


@pytest.mark.parametrize("topology", ["chimera-3", "pegasus-2", "zephyr-2"])
def test_topologies(serve, connect, topology):
    family, _ = topology.split("-")
    sampler = connect(serve(topology, num_dead_qubits=2, num_dead_couplers=3))
    assert sampler.to_networkx_graph().graph["family"] == family
    assert sampler.properties["num_qubits"] >= max(sampler.nodelist) + 1
    bqm = dimod.BQM.from_ising({}, dict.fromkeys(sampler.edgelist, -1.0))
    assert len(sampler.sample(bqm, num_reads=3, answer_mode="raw")) == 3


def test_a_graph_of_one_s_own(serve, connect):
    served = serve(nx.cycle_graph(5))
    sampler = connect(served)
    assert sampler.properties["topology"] == {"type": "graph", "shape": [5]}
    out = sampler.sample_ising({}, dict.fromkeys(sampler.edgelist, 1.0), num_reads=20)
    assert out.first.energy == -3


@pytest.mark.parametrize("make", [EmbeddingComposite, LazyFixedEmbeddingComposite])
def test_embedding_composites(qpu, make):
    out = make(qpu).sample(TRIANGLE, num_reads=50, label="triangle")
    assert out.first.energy == ground_energy(TRIANGLE)
    assert out.info["problem_label"] == "triangle"


def test_a_fixed_embedding(qpu):
    embedding = minorminer.find_embedding(list(TRIANGLE.quadratic), qpu.edgelist, random_seed=1)
    out = FixedEmbeddingComposite(qpu, embedding).sample(TRIANGLE, num_reads=50)
    assert out.first.energy == ground_energy(TRIANGLE)


def test_cliques(zephyr):
    with DWaveCliqueSampler(endpoint=zephyr.endpoint, token=zephyr.token, config_file=False) as sampler:
        assert sampler.largest_clique_size >= 16
        rng = np.random.default_rng(1)
        bqm = dimod.BQM.from_ising({}, {(i, j): float(rng.choice([-1, 1])) for i in range(8) for j in range(i)})
        assert sampler.sample(bqm, num_reads=50).first.energy == ground_energy(bqm)


def test_parallel_embeddings(qpu):
    embeddings = [{"a": (u,), "b": (v,)} for u, v in _matching(qpu.edgelist)[:5]]
    sampler = ParallelEmbeddingComposite(qpu, embeddings=embeddings)
    bqms = [dimod.BQM.from_ising({"a": 0.3 * k}, {"ab": -1.0}) for k in range(5)]
    outs, _ = sampler.sample_multiple(bqms, num_reads=30)
    assert [out.first.energy for out in outs] == pytest.approx([ground_energy(bqm) for bqm in bqms])


def _matching(edges):
    used, out = set(), []
    for u, v in edges:
        if not {u, v} & used:
            used |= {u, v}
            out.append((u, v))
    return out


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"num_reads": 100, "annealing_time": 50.0},
        {"num_reads": 10, "programming_thermalization": 20.0, "readout_thermalization": 300.0},
        {"num_reads": 3, "anneal_schedule": [[0.0, 0.0], [10.0, 0.5], [15.0, 1.0]]},
        {"num_reads": 7, "reduce_intersample_correlation": True, "readout_thermalization": 10.0},
        {"num_reads": 7, "anneal_schedule": [[0.0, 1.0], [5.0, 0.5], [9.0, 1.0]], "initial_state": {0: 1}},
    ],
)
def test_times_add_up_to_what_the_client_estimates(qpu, parameters):
    qubits = qpu.nodelist[:40]
    if "initial_state" in parameters:
        parameters = {**parameters, "initial_state": dict.fromkeys(qubits, 1)}
    timing = qpu.sample_ising(dict.fromkeys(qubits, 1.0), {}, **parameters).info["timing"]
    per_sample = sum(timing[f"qpu_{part}_time_per_sample"] for part in ("anneal", "readout", "delay"))
    assert timing["qpu_sampling_time"] == pytest.approx(parameters.get("num_reads", 1) * per_sample, rel=1e-12)
    assert timing["qpu_access_time"] == pytest.approx(
        timing["qpu_programming_time"] + timing["qpu_sampling_time"], rel=1e-12
    )
    estimated = qpu.solver.estimate_qpu_access_time(len(qubits), **parameters)
    assert timing["qpu_access_time"] == pytest.approx(estimated, rel=1e-12)


def test_the_dwave_command(zephyr):
    command = Path(sys.executable).with_name("dwave")
    if not command.exists():
        pytest.fail(f"dwave-cloud-client installs the command dwave beside Python; there is no {command}")
    settings = {"DWAVE_API_ENDPOINT": zephyr.endpoint, "DWAVE_API_TOKEN": zephyr.token, "DWAVE_CONFIG_FILE": os.devnull}
    wanted = {
        ("ping",): "qpu_access_time",
        ("solvers",): "annealnn_simulated_zephyr3",
        ("sample", "--random-problem", "-n", "5"): "Energies",
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = [subprocess.Popen([command, *words], env={**os.environ, **settings}, **pipes) for words in wanted]
    for process, said in zip(running, wanted.values(), strict=True):
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out
        assert said in out
