"""Problems in files: round trips to the last bit, and damage told."""

import json

import dimod
import numpy as np
import pytest
from dimod.serialization import coo

from annealnn.benchmark._canonical import model_digest
from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.benchmark.families import (
    build_instance,
    certify,
    lattice,
    problem_file,
    ran,
    sherrington_kirkpatrick,
    weak_strong_clusters,
    write_instance,
)
from annealnn.benchmark.families._graphs import working_graph
from annealnn.models import IsingModel

TINY = IsingModel([1e-17, -0.1, 0.0, 2.5e300], {(4, 9): 1 / 3, (4, 1): -7e-290}, labels=[4, 1, 9, 0], offset=-1 / 7)


def instance_of(model, optimum=None):
    spec = InstanceSpec(family="file", size=model.structure.num_variables)
    return Instance(spec=spec, model=model, optimum=optimum)


@pytest.mark.parametrize("ending", [".bqm", ".coo", ".txt"])
@pytest.mark.parametrize(
    "instance", [instance_of(TINY), sherrington_kirkpatrick(9), weak_strong_clusters(2)], ids=["tiny", "sk", "pairs"]
)
def test_round_trips_are_exact(instance, ending, tmp_path):
    path = write_instance(instance, tmp_path / f"problem{ending}")
    again = problem_file(path=str(path))
    assert again.model == instance.model
    assert again.model.labels == instance.model.labels
    assert model_digest(again.model) == model_digest(instance.model)
    assert again.optimum is None
    assert build_instance(again.spec).model == instance.model
    assert again.spec.options["sha256"]


@pytest.mark.parametrize("ending", [".bqm", ".coo"])
def test_optima_go_with_their_problems(ending, tmp_path):
    instance = lattice(4)
    instance = Instance(spec=instance.spec, model=instance.model, optimum=certify(instance))
    path = write_instance(instance, tmp_path / f"problem{ending}")
    again = problem_file(path=str(path))
    assert again.optimum.to_dict() == instance.optimum.to_dict()
    made_again = certify(again)
    assert (made_again.energy, made_again.proof) == (instance.optimum.energy, instance.optimum.proof)
    beside = tmp_path / f"problem{ending}.optimum.json"
    told = json.loads(beside.read_text())
    told["optimum"]["energy"] -= 1
    beside.write_text(json.dumps(told))
    with pytest.raises(ValueError, match="has the energy that is claimed"):
        certify(problem_file(path=str(path)))
    beside.write_text(beside.read_text()[:40])
    with pytest.raises(ValueError, match=r"optimum.json is damaged"):
        problem_file(path=str(path))
    write_instance(Instance(spec=instance.spec, model=lattice(4, seed=1).model), path)
    assert problem_file(path=str(path)).optimum is None


def test_an_optimum_of_another_problem_is_refused(tmp_path):
    optimum = Optimum(energy=0.0, proof="planted", state=np.ones(4, np.int8))
    path = write_instance(instance_of(TINY, optimum), tmp_path / "problem.bqm")
    with ran(1).model.to_bqm().to_file() as other:
        path.write_bytes(other.read())
    with pytest.raises(ValueError, match=r"is the optimum of another problem than problem.bqm holds"):
        problem_file(path=str(path))


def test_labels_of_any_kind_go_into_a_bqm_file(tmp_path):
    model = IsingModel({"a": 0.5, ("b", 2): -1.0}, {("a", ("b", 2)): 0.1})
    assert problem_file(path=str(write_instance(instance_of(model), tmp_path / "x.bqm"))).model == model
    with pytest.raises(ValueError, match=r"COOrdinate text has labels 0, 1, 2, ...; got 'a'"):
        write_instance(instance_of(model), tmp_path / "x.coo")


def test_dimod_reads_what_is_written(tmp_path):
    model = ran(2, k=4, fields=True, seed=1).model
    path = write_instance(instance_of(model), tmp_path / "x.coo")
    with path.open() as text:
        assert IsingModel.from_bqm(coo.load(text)) == model
    with write_instance(instance_of(model), tmp_path / "x.bqm").open("rb") as file:
        assert IsingModel.from_bqm(dimod.BQM.from_file(file)) == model


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_what_dimod_writes_is_read(vartype, tmp_path):
    bqm = dimod.BQM({0: 1.5, 1: -0.5, 2: 0.25}, {(0, 1): -1.25, (1, 2): 2.0}, 0.0, vartype)
    with (tmp_path / "x.txt").open("w") as text:
        coo.dump(bqm, text, vartype_header=True)
    with bqm.to_file() as file:
        (tmp_path / "x.bqm").write_bytes(file.read())
    for name in ("x.txt", "x.bqm"):
        model = problem_file(path=str(tmp_path / name)).model
        for spins in ([1, 1, -1], [-1, 1, 1], [1, -1, 1]):
            values = spins if vartype == "SPIN" else [(1 + s) // 2 for s in spins]
            assert model.energy(spins) == pytest.approx(bqm.energy(dict(enumerate(values))))


def test_a_file_that_changed_is_refused(tmp_path):
    path = write_instance(ran(1), tmp_path / "x.coo")
    spec = problem_file(path=str(path)).spec
    path.write_text(path.read_text().replace("0 4 1", "0 4 2").replace("0 4 -1", "0 4 2"))
    with pytest.raises(ValueError, match=r"x.coo has changed since the instance was named: its SHA-256 was"):
        build_instance(spec)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "COOrdinate text says '# vartype=SPIN' or '# vartype=BINARY'; .* says None"),
        ("# vartype=SPIN\n", "has at least one variable"),
        ("# vartype=COLOUR\n0 0 1\n", "says 'COLOUR'"),
        ("# vartype=SPIN\n0 1\n", "line 2 of .* is '0 1'"),
        ("# vartype=SPIN\n0 1 x\n", "line 2 of .* is '0 1 x'"),
        ("# vartype=SPIN\n0 1 nan\n", "line 2 of .* is '0 1 nan'"),
        ("# vartype=SPIN\n0 -1 1.0\n", "line 2 of .* is '0 -1 1.0'"),
        ("# vartype=SPIN\n0 1 1.0\n1 0 2.0\n", "each bias is given once; line 3"),
        ("# vartype=SPIN\n# offset=much\n0 1 1.0\n", "an offset is a number; .* says 'much'"),
        (b"\xff\xfe\x00", "is neither dimod's BQM file nor text"),
        (b"DIMODBQM\x02\x00", "begins as dimod's BQM file does, and is damaged"),
    ],
)
def test_damaged_files_are_told(content, match, tmp_path):
    path = tmp_path / "x.coo"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=match):
        problem_file(path=str(path))


def test_every_cut_of_a_bqm_file_is_told(tmp_path):
    path = write_instance(ran(1, fields=True), tmp_path / "x.bqm")
    content = path.read_bytes()
    for end in range(8, len(content), 7):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match="and is damaged"):
            problem_file(path=str(path))


def test_arguments_of_files_are_checked(tmp_path):
    path = str(write_instance(ran(1), tmp_path / "x.coo"))
    with pytest.raises(ValueError, match=r"size counts the variables of the file, 8 in .*; got 9"):
        problem_file(9, path=path)
    with pytest.raises(ValueError, match="so its seed is 0; got 1"):
        problem_file(seed=1, path=path)
    with pytest.raises(ValueError, match="has a path; got none"):
        problem_file()
    with pytest.raises(ValueError, match=r"ends in .bqm, .coo, .txt; got"):
        write_instance(ran(1), tmp_path / "x.csv")
    with pytest.raises(FileNotFoundError):
        problem_file(path=str(tmp_path / "none.coo"))


@pytest.mark.parametrize("form", ["solver", "graph"])
def test_graphs_come_from_files(form, tmp_path):
    perfect = working_graph("chimera", 1).structure
    nodes, edges = list(perfect.labels)[:-1], [e for e in perfect.edges.tolist() if 7 not in e]
    path = tmp_path / "graph.json"
    told = (
        {"properties": {"qubits": nodes, "couplers": edges}} if form == "solver" else {"nodes": nodes, "edges": edges}
    )
    path.write_text(json.dumps(told))
    instance = ran(7, graph=str(path), seed=2)
    assert instance.model.labels == tuple(range(7))
    assert instance.model.structure.edges.tolist() == edges
    assert build_instance(instance.spec).model == instance.model
    assert certify(instance).proof == "exhaustive"
    with pytest.raises(ValueError, match=r"size counts qubits, at most the 7 that hang together; got 8"):
        ran(8, graph=str(path))
    with pytest.raises(ValueError, match="num_dead goes with a topology"):
        ran(7, graph=str(path), num_dead=1)
    path.write_text(json.dumps({"nodes": nodes, "edges": edges[1:]}))
    with pytest.raises(ValueError, match=r"graph.json has changed since"):
        build_instance(instance.spec)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[1, 2", "is JSON with lists of qubits and couplers"),
        ("{}", "KeyError: 'nodes'"),
        ('{"nodes": [0, 1], "edges": [[0, 2]]}', "0 loops and 1 unknown ends"),
        ('{"nodes": [0, 1], "edges": [[1, 1]]}', "1 loops and 0 unknown ends"),
        ('{"nodes": [0, 1], "edges": [[0]]}', "is JSON with lists"),
    ],
)
def test_damaged_graphs_are_told(content, match, tmp_path):
    (tmp_path / "g.json").write_text(content)
    with pytest.raises(ValueError, match=match):
        ran(2, graph=str(tmp_path / "g.json"))
