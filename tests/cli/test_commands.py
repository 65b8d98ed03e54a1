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
    for command in ("optdigits", "datasets", "embed", "doctor"):
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


def test_doctor_finds_nothing_wrong_and_prints_no_secret(annealnn, monkeypatch):
    monkeypatch.setenv("DWAVE_API_TOKEN", "SECRET-TOKEN")
    status, out, err = annealnn("doctor")
    assert status == 0
    assert out.count("ok ") == 5
    assert "wrong" not in out
    assert "SECRET" not in out + err


def test_doctor_says_what_is_wrong(annealnn, monkeypatch, tmp_path):
    monkeypatch.setattr("annealnn._resources.data_root", lambda kind: tmp_path)
    (tmp_path / "toy-data").mkdir()
    (tmp_path / "toy-data" / "PROVENANCE.toml").write_text('[files."a.csv"]\nsha256 = "00"\n')
    status, out, _ = annealnn("doctor")
    assert status == 1
    assert re.search(r"wrong\s+shipped_files: a shipped file is missing", out)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("datasets", "mnist"), "got 'mnist'"),
        (("embed", "5", "--target", "foo"), "got 'foo'"),
        (("embed", "500", "--target", "chimera-2"), "at least as many qubits"),
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
    edges.write_text("# nothing\n")
    assert "at least one edge" in annealnn("embed", "--edges", edges)[2]
    status, _, err = annealnn("embed", "3", "--target", "zephyr-2", "--out", tmp_path)
    assert status == 2
    assert "no folder" in err
