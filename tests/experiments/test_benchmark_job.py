"""A benchmark as a job, tiny: what it writes, how it goes on, and that a stand-in gets no speed-up."""

import json
import re

import pytest

from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._plan import Entrant
from annealnn.experiments import BenchmarkJob, BenchmarkPart, flagship, report_benchmark, run_benchmark
from annealnn.experiments._benchmark import read_results

STANDIN = ContestantSpec(name="standin", settings={"topology": "chimera-1", "num_sweeps": 20}, label="chip")


def tiny(out, count):
    """A stand-in that claims anneals of a microsecond and less, against simulated annealing."""
    part = BenchmarkPart(
        instances=tuple(InstanceSpec(family="ran", size=1, seed=k) for k in range(count)),
        entrants=(
            Entrant(contestant=STANDIN, efforts=(0.5, 0.7, 1.0)),
            Entrant(contestant=ContestantSpec(name="neal", label="SA"), efforts=(8, 32, 128)),
        ),
        num_reads=20,
    )
    return BenchmarkJob(out=out, parts=(part,), num_resamples=100)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("job") / "report"
    said = []
    run_benchmark(tiny(out, 1), say=said.append)
    before = (out / "results.jsonl").read_bytes()
    return out, run_benchmark(tiny(out, 10), say=said.append), before, said


def test_what_is_there_is_not_run_again(done):
    out, result, before, said = done
    after = (out / "results.jsonl").read_bytes()
    assert after.startswith(before)
    assert len(after.splitlines()) == 1 + len(result.records) == 1 + 10 * (1 + 3 + 3)
    assert "70 runs" in said[2]


def test_a_stand_in_that_claims_a_microsecond_gets_no_speed_up(done):
    out, result, _, _ = done
    apparent = [row for row in result.analysis.speedups if (row.reference, row.contestant) == ("SA", "chip")]
    # the figures alone would say that it is faster
    assert any(row.quantile == 0.5 and row.policy == "optimised" and row.ratio.low > 1 for row in apparent)
    assert all(row.simulated for row in apparent)
    assert result.verdict.category == "none"
    assert result.verdict.text == "None: no processor was measured."
    assert json.loads((out / "verdict.json").read_text())["category"] == "none"


def test_the_report_is_complete(done):
    out, result, _, _ = done
    text = result.page.read_text(encoding="utf-8")
    assert "SIMULATED: chip." in text
    assert "chip SIMULATED" in text
    assert {"times.csv", "speedups.csv", "contestants.csv"} <= {path.name for path in (out / "tables").iterdir()}
    assert "Reads of a run: 20." in text


def test_a_report_is_made_again_from_the_results(done, tmp_path):
    out, result, _, _ = done
    records = read_results([out / "results.jsonl", out / "results.jsonl"])
    again = report_benchmark(records, tmp_path, num_resamples=100)
    assert again.verdict == result.verdict
    assert len(again.records) == len(result.records)
    with pytest.raises(ValueError, match=re.escape("none.jsonl is no file")):
        read_results([tmp_path / "none.jsonl"])


def test_other_peoples_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match="holds other things"):
        run_benchmark(tiny(tmp_path, 1))
    with pytest.raises(ValueError, match="is a file"):
        run_benchmark(tiny(tmp_path / "thesis.tex", 1))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_flagship_is_on_the_processors_own_qubits(tmp_path):
    dead = {"topology": "chimera-3", "num_dead_qubits": 5}
    job = flagship(out=tmp_path / "report", processor=ContestantSpec(name="standin", settings=dead), quick=True)
    graph = json.loads(next((tmp_path / "report").glob("graph-*.json")).read_text())
    assert len(graph["qubits"]) == 72 - 5
    timed = job.parts[0]
    assert {spec.options["graph_sha256"] for spec in timed.instances} != {""}
    assert {spec.group.partition("(")[0] for spec in timed.instances} == {"ran", "frustrated-loops"}
    assert len({spec.group for spec in timed.instances}) == 2
    chip = next(entrant for entrant in timed.entrants if entrant.contestant.name == "standin")
    # the shortest anneal that the solver allows is among the efforts: an optimum there is told as such
    assert min(chip.efforts) == 0.5
    assert {task.kind for task in job.tasks()} == {"certify", "sample", "train"}
    trained = [task for task in job.tasks() if task.kind == "train"]
    # another recipe of training is another task
    assert all(task.code.get("training") for task in trained)
