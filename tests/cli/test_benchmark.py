"""`annealnn benchmark`."""

import pytest

from annealnn.cli import _app


@pytest.fixture
def annealnn(monkeypatch, capfd):
    """Run the command line in this process; return status, output, errors."""
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words):
        monkeypatch.setattr("sys.argv", ["annealnn", "benchmark", *map(str, words)])
        status = _app.run()
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return run


OWN = (
    "--family",
    "lattice,dimension=2,periodic=false",
    "--size",
    2,
    "--seeds",
    2,
    "--reads",
    5,
    "--power-w",
    "neal=10",
)


def test_a_comparison_of_ones_own(annealnn, tmp_path):
    run = (
        "run",
        "--out",
        tmp_path / "a",
        *OWN,
        "--contestant",
        "neal,beta_schedule_type=linear",
        "--contestant",
        "exact",
    )
    status, out, err = annealnn(*run, "--effort", "neal=1,2")
    assert status == 0, err
    assert "8 runs" in out
    assert "None: no processor was measured." in out
    assert "Median times to solution at the largest size, 2, are: " in out
    lines = (tmp_path / "a" / "results.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 2 * (1 + 2 + 1)
    assert sum('"beta_schedule_type":"linear"' in line and '"power_w":10' in line for line in lines) == 4
    # merged with itself it is the same, and the report of it too
    merged = tmp_path / "both.jsonl"
    assert annealnn("merge", tmp_path / "a" / "results.jsonl", tmp_path / "a" / "results.jsonl", "-o", merged)[0] == 0
    assert len(merged.read_text().splitlines()) == len(lines)
    status, out, err = annealnn("report", merged, "--out", tmp_path / "b", "--processor", "exact")
    assert status == 0, err
    assert "exact ran on" in out
    assert (tmp_path / "b" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("run", "--size", 2), "--family too"),
        (("run", "--family", "ran"), "one --size or more"),
        (("run", *OWN, "--contestant", "nobody"), "a contestant is one of"),
        (("run", *OWN[2:], "--family", "nobody", "--contestant", "neal"), "a family is one of"),
        (("run", *OWN, "--contestant", "neal", "--effort", "many"), "--effort is numbers"),
        (("run", *OWN, "--contestant", "neal", "--effort", "tabu=1"), "--effort names contestants"),
        (("run", "--power-w", "neal"), "--power-w is a contestant and watts"),
        (("run", *OWN, "--contestant", "neal", "--power-w", "tabu=9"), "comparison, neal; got 'tabu'"),
        (("run", "--family", "ran,q=1", "--size", 2, "--contestant", "neal"), "options of family 'ran'"),
        (("run", *OWN, "--contestant", "neal,beta_range=3"), "no contestant of beta_range=3"),
        (("run", "--solver", "A"), "go with --profile"),
        (("report", "none.jsonl"), "none.jsonl is no file"),
        (("merge", "none.jsonl", "-o", "out.jsonl"), "none.jsonl is no file"),
        (("instance", "ran,q=1", 1, "-o", "x.bqm"), "options of family 'ran'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_are_one_line(annealnn, monkeypatch, tmp_path, words, rule):
    monkeypatch.chdir(tmp_path)
    status, _, err = annealnn(*words)
    assert status == 2
    assert rule in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "benchmark-report").exists()


def test_why_runs_failed_is_said(annealnn, tmp_path):
    status, out, err = annealnn("run", "--out", tmp_path / "a", *OWN, "--contestant", "neal", "--effort", "4.5")
    assert status == 1, err
    assert "nothing was measured" in out
    assert "- 2: failed, ValueError: num_sweeps is a whole number of at least 1; got 4.5" in out


def test_lists(annealnn):
    status, out, _ = annealnn("families")
    assert status == 0
    assert all(name in out for name in ("ran", "frustrated-loops", "wishart"))
    status, out, _ = annealnn("contestants")
    assert status == 0
    assert "dwave-samplers" in next(line for line in out.splitlines() if line.split()[:1] == ["neal"])
    # the command alone tells what there is
    _, out, err = annealnn()
    assert "contestants" in out + err


def test_an_instance_is_written(annealnn, tmp_path):
    status, out, err = annealnn("instance", "frustrated-loops,alpha=0.25", 3, "--seed", 2, "-o", tmp_path / "x.bqm")
    assert status == 0, err
    assert "72 variables" in out
    assert "planted" in out
    assert (tmp_path / "x.bqm").stat().st_size > 100
