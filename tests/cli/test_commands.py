import json
import re

import pytest

from annealnn import __version__
from annealnn.cli import _app


@pytest.fixture
def annealnn(monkeypatch, capfd):
    """Run the command line in this process; return status, output, errors, on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        monkeypatch.setattr("sys.argv", ["annealnn", *map(str, words)])
        try:
            status = _app.run()
        except SystemExit as stop:
            status = stop.code
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return run


def test_help_names_the_commands(annealnn):
    status, out, _ = annealnn("--help")
    assert status == 0
    for command in ("optdigits", "datasets", "embed", "qpu", "doctor"):
        assert command in out
        sub_status, sub_out, _ = annealnn(command, "--help")
        assert sub_status == 0
        assert "Usage" in sub_out


def test_version(annealnn):
    assert annealnn("--version")[:2] == (0, f"annealnn {__version__}\n")


def test_datasets_are_listed_and_described(annealnn):
    assert "optdigits-uci" in annealnn("datasets")[1]
    status, out, _ = annealnn("datasets", "optdigits-uci")
    assert status == 0
    assert "CC BY 4.0" in out
    assert out.count("SHA-256 verified") == 2


def test_embed_describes_and_writes(annealnn, tmp_path):
    out_file = tmp_path / "k5.json"
    status, out, _ = annealnn("embed", 5, "--target", "chimera-4", "--dead", 3, "--out", out_file)
    assert status == 0
    assert "5 variables, 10 edges in chimera-4, 3 qubits dead: verified" in out
    record = json.loads(out_file.read_text())
    assert len(record["chains"]) == 5
    edges = tmp_path / "ring.txt"
    edges.write_text("# a ring\n0 1\n1 2\n2 0\n")
    status, out, _ = annealnn("embed", "--edges", edges, "--target", "zephyr-2")
    assert status == 0
    assert "3 variables, 3 edges" in out


def test_embed_takes_layers_and_draws_them(annealnn, tmp_path):
    picture = tmp_path / "rbm.png"
    status, out, _ = annealnn("embed", "--biclique", "6x4x2", "--target", "zephyr-2", "--picture", picture)
    assert status == 0
    assert "12 variables, 32 edges in zephyr-2" in out
    assert "chains by length:" in out
    assert "couplers of an edge: 1 to" in out
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_embed_finds_copies(annealnn, tmp_path):
    out_file = tmp_path / "copies.json"
    status, out, _ = annealnn("embed", 4, "--copies", 0, "--target", "chimera-2", "--out", out_file)
    assert status == 0
    record = json.loads(out_file.read_text())
    assert f"{len(record['copies'])} copies on" in out
    qubits = [q for copy in record["copies"] for chain in copy for q in chain]
    assert len(qubits) == len(set(qubits))


def test_embed_checks_a_file_and_repairs_it(annealnn, tmp_path):
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    annealnn("embed", "--biclique", "6x4", "--target", "zephyr-3", "--out", first)
    status, out, _ = annealnn("embed", "--check", first, "--target", "zephyr-3")
    assert status == 0
    assert "a.json fits" in out.replace("\n", "")
    assert "10 variables, 24 edges" in out
    status, out, _ = annealnn("embed", "--check", first, "--target", "zephyr-3", "--dead", 150, "--out", second)
    assert status == 0
    assert "does not fit" in out
    assert len(json.loads(second.read_text())["chains"]) == 10
    first.write_text('{"chains": 3}')
    assert "a list of lists of qubits" in annealnn("embed", "--check", first)[2]


PROFILE = """
[defaults]
token = SECRET-TOKEN
profile = lab
[first]
[lab]
endpoint = https://me:SECRET-PASSWORD@example.com/sapi/v2/
region = eu-central-1
solver = {"topology__type": "zephyr"}
proxy = http://me:SECRET-PASSWORD@proxy
"""


@pytest.mark.parametrize("configured", [True, False])
def test_doctor_finds_nothing_wrong_and_prints_no_secret(annealnn, monkeypatch, tmp_path, configured):
    (tmp_path / "dwave.conf").write_text(PROFILE if configured else "[defaults]\n")
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    monkeypatch.delenv("DWAVE_PROFILE", raising=False)
    monkeypatch.delenv("DWAVE_API_TOKEN", raising=False)
    status, out, err = annealnn("doctor")
    assert status == 0, out
    assert [line.split(":")[0].split()[1] for line in out.splitlines()] == [
        *("python", "packages", "devices", "data", "embeddings", "samplers", "processor", "self-test")
    ]
    assert "optdigits-uci (optdigits.tra.gz, optdigits.tes.gz)" in out
    assert "zephyr-12 (" in out
    assert "k46_clique.json" in out
    assert ("profile lab" in out) == ("region eu-central-1" in out) == ("a token is set" in out) == configured
    assert ("no D-Wave token" in out) != configured
    assert ("endpoint https://example.com/sapi/v2/" in out) == configured
    assert "SECRET" not in out + err


def test_a_self_test_can_fail(annealnn, monkeypatch):
    from annealnn.samplers import GibbsSampler

    sound = GibbsSampler.sample
    monkeypatch.setattr(GibbsSampler, "sample", lambda self, bqm, **keywords: sound(self, bqm * 0.9, **keywords))
    status, out, _ = annealnn("doctor")
    assert status == 1
    assert re.search(r"wrong\s+self-test: Gibbs reads are .* off enumeration", out)


def test_verbose_says_more(annealnn, tmp_path):
    import logging

    from annealnn._log import logger

    annealnn("datasets")
    assert logger.level == logging.WARNING
    annealnn("-v", "datasets")
    assert logger.level == logging.INFO
    assert [handler.get_name() for handler in logger.handlers].count("annealnn") == 1


def test_doctor_says_what_is_wrong(annealnn, monkeypatch, tmp_path):
    monkeypatch.setattr("annealnn._resources.data_root", lambda kind: tmp_path)
    (tmp_path / "toy-data").mkdir()
    (tmp_path / "toy-data" / "PROVENANCE.toml").write_text('[files."a.csv"]\nsha256 = "00"\n')
    status, out, _ = annealnn("doctor")
    assert status == 1
    assert re.search(r"wrong\s+data: a shipped file is missing", out)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("datasets", "mnist"), "got 'mnist'"),
        (("embed", "5", "--target", "foo"), "got 'foo'"),
        (("embed", "500", "--target", "chimera-2"), "at least as many qubits"),
        (("embed", "5", "--edges", "nowhere.txt"), "got the number of variables 5 and --edges nowhere.txt"),
        (("embed", "--biclique", "3x", "--edges", "e.txt"), "got --biclique 3x and --edges e.txt"),
        (("embed", "--biclique", "3x"), "got '3x'"),
        (("embed", "--biclique", "3x0"), "got '3x0'"),
        (("embed", "9", "--copies", "50", "--target", "chimera-2"), "50 copies of"),
        (("embed", "--check", "nowhere.json"), "a JSON file that --out wrote; got nowhere.json"),
        (("embed", "--edges", "nowhere.txt"), "nowhere.txt, which is none"),
        (("optdigits", "--target", "foo"), "got 'foo'"),
        (("optdigits", "--seed", "-3"), "seed"),
        (("optdigits", "--iterations", "x"), "Invalid value"),
        (("embed", "0"), "Invalid value"),
        (("nonsense",), "No such command"),
    ],
)
def test_bad_words_are_one_line_and_status_2(annealnn, words, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = annealnn(*words)
    assert status == 2
    assert says in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_bad_edge_files_name_the_line(annealnn, tmp_path):
    edges = tmp_path / "e.txt"
    edges.write_text("0 1\n1 two\n")
    status, _, err = annealnn("embed", "--edges", edges)
    assert status == 2
    assert "e.txt:2" in err
    edges.write_bytes(bytes(range(256)))
    assert "is no text in UTF-8" in annealnn("embed", "--edges", edges)[2]
    edges.write_text("# nothing\n")
    assert "at least one edge" in annealnn("embed", "--edges", edges)[2]
    status, _, err = annealnn("embed", "3", "--target", "zephyr-2", "--out", tmp_path)
    assert status == 2
    assert "no folder" in err


def test_all_digits_are_compared(annealnn, monkeypatch, tmp_path):
    import numpy as np

    from annealnn import experiments
    from annealnn.experiments import AllDigitsResult
    from annealnn.experiments._all_digits import Scored
    from annealnn.learning import Estimate

    jobs = []

    def scored(log_likelihood, accuracy):
        found = None if log_likelihood is None else Estimate(log_likelihood, 0.02, "")
        return Scored({}, found, Estimate(accuracy, 0.005, ""), 1.0, [])

    def compare(job, *, say):
        jobs.append(job)
        say("one is fitted")
        if job.seed == 9:
            raise KeyboardInterrupt
        return AllDigitsResult(
            job=job, trials={},
            chosen={"ours": scored(-21.5, 0.9), "theirs": scored(-20.25, 0.875), "third": scored(None, 0.5)},
            shuffled=scored(-23.0, 0.1), independent=Estimate(-30.0, 0.0, ""), ours={"ours", "third"},
            real=np.zeros((0, 64), np.int8),
        )  # fmt: skip

    monkeypatch.setattr(experiments, "run_all_digits", compare)
    monkeypatch.chdir(tmp_path)
    status, out, _ = annealnn("optdigits", "--all", "--quick", "--rbms-python", "py", "--seed", 3, "--resume")
    assert status == 0, out
    (job,) = jobs
    assert (str(job.out), job.quick, job.rbms_python, job.seed, job.resume) == (
        "optdigits-all-report", True, "py", 3, True
    )  # fmt: skip
    assert "one is fitted" in out
    assert out.index("ours") < out.index("theirs") < out.index("third") < out.index("independent units")
    assert "-20.25" in out
    assert "not ahead: theirs has log-likelihood -20.250, our best machine -21.500" in out
    status, out, _ = annealnn("optdigits", "--all", "--out", "mine", "--seed", 9)
    assert status == 130
    assert "interrupted" in out
    assert str(jobs[1].out) == "mine"
    assert not jobs[1].quick
    assert annealnn("optdigits", "--all", "--seed", -1)[0] == 2
