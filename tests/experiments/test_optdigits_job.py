"""The main job, small: what it writes, what it refuses, how it resumes."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

from annealnn.exceptions import CheckpointError
from annealnn.experiments import OptDigitsJob, run_optdigits
from annealnn.experiments._job import claim_folder

SMALL = {"n_iter": 60, "embedded_n_iter": 8}
FIGURES = ("learning-curves", "embedded-curves", "embedding", "digits", "confusion", "salt-and-pepper", "block")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    out = tmp_path_factory.mktemp("job") / "report"
    said = []
    result = run_optdigits(OptDigitsJob(out=out, **SMALL), say=said.append)
    return out, result, said


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.cells = [], [], []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "img":
            self.images.append(attributes)
        if tag in ("link", "script"):
            self.links.append(attributes)
        self._in_cell = tag == "td"

    def handle_data(self, data):
        if self._in_cell and data.strip():
            self.cells.append(data.strip())


def test_report_is_one_self_contained_page(report):
    out, result, _ = report
    page = Page((out / "index.html").read_text())
    assert len(page.images) == len(FIGURES)
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] for image in page.images)
    assert page.links == []
    models = [row["model"] for row in result.table]
    assert [cell for cell in page.cells if cell in models] == models
    assert {"independent spins", "Chow-Liu tree", "logistic regression", "Boltzmann machine"} <= set(models)


def test_figures_are_there_and_not_blank(report):
    out, *_ = report
    assert sorted(p.name for p in (out / "figures").iterdir()) == sorted(f"{name}.png" for name in FIGURES)
    for name in FIGURES:
        picture = imread(out / "figures" / f"{name}.png")
        assert min(picture.shape[:2]) > 150
        assert picture[:, :, :3].std() > 0.05
        assert not np.isnan(picture).any()


def test_results_carry_their_errors_and_methods(report):
    out, result, said = report
    content = json.loads((out / "results.json").read_text())
    assert content["misses"] == result.misses
    machine = next(row for row in content["table"] if row["model"] == "Boltzmann machine")
    for key in ("train_log_likelihood", "test_log_likelihood", "accuracy"):
        assert machine[key]["standard_error"] > 0
        assert machine[key]["method"]
    assert content["embedding"] == {"qubits": 206, "couplers": 1576, "longest_chain": 5}
    assert len(said) == 5


def test_so_little_training_misses_the_targets(report):
    _, result, _ = report
    assert any("broken chains" in miss for miss in result.misses)


def test_a_resumed_run_gives_the_same_figures(report):
    out, result, _ = report
    again = run_optdigits(OptDigitsJob(out=out, resume=True, **SMALL), say=lambda line: None)
    assert again.quality == result.quality
    assert again.table == result.table


def test_starting_anew_sets_earlier_checkpoints_aside(tmp_path):
    job, said = OptDigitsJob(out=tmp_path / "report"), []
    claim_folder(job, said.append)
    (job.out / "checkpoints").mkdir()
    (job.out / "checkpoints" / "x").write_text("learned")
    claim_folder(replace(job, resume=True), said.append)
    assert said == []
    claim_folder(job, said.append)
    assert (job.out / "checkpoints-previous" / "x").read_text() == "learned"
    assert "--resume" in said[0]


def test_another_jobs_checkpoints_are_refused(report):
    out, *_ = report
    with pytest.raises(CheckpointError, match="num_epochs=60"):
        run_optdigits(OptDigitsJob(out=out, n_iter=61, embedded_n_iter=8, resume=True), say=lambda line: None)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"target": "zephyr"}, "got 'zephyr'"),
        ({"target": "chimera-2"}, "at least as many qubits"),
        ({"n_iter": 0}, "n_iter"),
        ({"device_beta": 0.0}, "device_beta"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_jobs_are_refused_at_once_and_write_nothing(tmp_path, keywords, says):
    started = time.monotonic()
    with pytest.raises(ValueError, match=says):
        run_optdigits(OptDigitsJob(out=tmp_path / "report", **keywords), say=lambda line: None)
    assert time.monotonic() - started < 20
    assert list(tmp_path.iterdir()) == []


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "mine.pt").write_text("precious")
    with pytest.raises(ValueError, match="holds other things"):
        run_optdigits(OptDigitsJob(out=tmp_path, **SMALL), say=lambda line: None)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="is a file"):
        run_optdigits(OptDigitsJob(out=tmp_path / "file", **SMALL), say=lambda line: None)
    assert (tmp_path / "checkpoints" / "mine.pt").read_text() == "precious"


if sys.platform != "win32":  # which cannot be sent SIGINT

    def interrupted(tmp_path, *words):
        """Start the command, interrupt it two seconds into the first machine; return status, output and checkpoint."""
        command = [
            sys.executable,
            "-u",
            "-m",
            "annealnn",
            "--verbose",
            "optdigits",
            "--out",
            "report",
            "--iterations",
            "8000",
            *words,
        ]
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("1/4"):
                    break
            time.sleep(2)
            process.send_signal(signal.SIGINT)
            lines.append(process.stdout.read())
        checkpoint = tmp_path / "report" / "checkpoints" / "visible" / "checkpoint.json"
        return process.returncode, "".join(lines), json.loads(checkpoint.read_text())["iteration"]

    def test_ctrl_c_leaves_a_checkpoint_that_resume_goes_on_from(tmp_path):
        status, output, iteration = interrupted(tmp_path)
        assert status == 130, output
        assert "--resume" in output
        assert "Traceback" not in output
        assert 0 <= iteration < 8000
        status, output, later = interrupted(tmp_path, "--resume")
        assert status == 130, output
        assert f"resuming from report/checkpoints/visible at iteration {iteration}\n" in output
        assert later >= iteration
        assert not (tmp_path / "report" / "results.json").exists()
