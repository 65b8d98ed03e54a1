"""`annealnn qpu journal` and `annealnn qpu replay`."""

import numpy as np
import pytest
import typer

from annealnn.cli import _app
from annealnn.qpu import JobAnswer, JobRequest, Journal, SolverDefinition
from annealnn.qpu._dispatcher import REPLAY_VARIABLE


@pytest.fixture
def annealnn(monkeypatch, capfd, tmp_path):
    """Run the command line in this process, its journal in a folder of the test; return status, output, errors."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("ANNEALNN_JOURNAL", str(tmp_path / "journal.sqlite"))
    monkeypatch.delenv(REPLAY_VARIABLE, raising=False)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["annealnn", *map(str, words)])
        status = _app.run()
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return run


def requests(solver, count, experiment):
    none = np.empty((0, 2), dtype=np.intp)
    return [
        JobRequest(
            solver=solver,
            qubits=np.arange(3),
            fields=np.zeros(3),
            couplers=none,
            couplings=np.empty(0),
            parameters={"num_reads": 10},
            experiment=experiment,
            draw=(number,),
            estimated_us=2000.0,
        )
        for number in range(count)
    ]


@pytest.fixture
def filled(monkeypatch, tmp_path):
    """A journal of two solvers, one of them simulated, and of jobs in many states."""
    monkeypatch.setattr("sys.argv", ["/usr/bin/annealnn", "optdigits", "--reads", "a b"])
    with Journal(tmp_path / "journal.sqlite") as journal:
        for name, marks in (("real", {}), ("simulated", {"annealnn_simulation": {}})):
            journal.remember(
                SolverDefinition(solver=f"{name};graph_id=1", properties={"qubits": [0], "couplers": [], **marks})
            )
        first, second = requests("real;graph_id=1", 4, "one"), requests("simulated;graph_id=1", 2, "two")
        journal.claim([*first, *second])
        spins = np.ones((10, 3), dtype=np.int8)
        for request in [*first[:2], *second]:
            timing, client_s = {"qpu_access_time": 1500.0}, {"encode_s": 0.25, "wait_s": 1.5}
            answer = JobAnswer(spins, np.zeros(10), timing, f"id {request.key}", request.solver, client_s)
            journal.answered({request.key: answer})
        journal.ended(first[2].key, "in-doubt", "nobody knows")
    return first


def test_a_journal_is_shown(annealnn, filled):
    status, out, _ = annealnn("qpu", "journal")
    assert status == 0
    one, two, real, simulated = (
        next(line for line in out.splitlines() if f"│ {name} " in line)
        for name in ("one", "two", "all", "all SIMULATED")
    )
    assert "2 answered, 1 in-doubt, 1 prepared" in one
    assert "20" in one
    assert "3.0 ms" in one
    assert "4.0 ms" in one
    assert "SIMULATED" not in one + real
    assert "3.0 ms SIMULATED" in two
    assert "3.0 ms SIMULATED" in simulated
    assert "250.0 ms to encode, 0.0 ms to go over the network, 1500.0 ms to queue" in out
    assert "1 jobs are in doubt" in out
    assert f"{filled[2].key}: nobody knows" in out
    assert "optdigits --reads 'a b'" in out
    assert "dwave-cloud-client" in out


def test_an_experiment_is_shown_job_by_job(annealnn, filled):
    status, out, _ = annealnn("qpu", "journal", "--experiment", "one")
    assert status == 0
    assert all(request.key in out for request in filled)
    assert "simulated" not in out
    assert "no jobs of experiment 'three'" in annealnn("qpu", "journal", "--experiment", "three")[1]


def test_nothing_is_cut_off_where_it_is_narrow_or_no_terminal(annealnn, filled, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    narrow = annealnn("qpu", "journal", "--experiment", "one")[1]
    assert "…" not in narrow
    assert max(map(len, narrow.splitlines()[1:])) <= 80
    monkeypatch.delenv("COLUMNS")
    assert all(request.key in annealnn("qpu", "journal", "--experiment", "one")[1] for request in filled)


def test_no_journal_is_made_by_looking(annealnn, tmp_path):
    status, _, err = annealnn("qpu", "journal")
    assert status == 2
    assert "there is no journal at" in err
    assert annealnn("qpu", "journal", "--journal", tmp_path / "else")[0] == 2
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def asked(monkeypatch):
    """What a command of its own was asked, and which journal it was to be answered from."""
    import os

    found = []

    def probe(words: list[str]) -> None:
        found.append((words, os.environ.get(REPLAY_VARIABLE)))

    app = typer.Typer()
    app.command("optdigits", context_settings={"ignore_unknown_options": True})(probe)
    app.command("other", context_settings={"ignore_unknown_options": True})(probe)
    monkeypatch.setattr(_app.app, "registered_commands", [*_app.app.registered_commands, *app.registered_commands])
    return found


def test_a_command_is_replayed(annealnn, filled, asked, tmp_path):
    path = str(tmp_path / "journal.sqlite")
    assert annealnn("qpu", "replay")[0] == 0
    assert annealnn("qpu", "replay", "--journal", path, "--", "other", "--seed", "3")[0] == 0
    assert asked == [(["--reads", "a b"], path), (["--seed", "3"], path)]
    import os

    assert REPLAY_VARIABLE not in os.environ


def test_a_journals_word_is_not_run_blindly(annealnn, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["/tmp/evil.py", "now"])
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.claim(requests("s", 1, "one"))
    status, _, err = annealnn("qpu", "replay")
    assert status == 2
    assert "evil.py" in err
    assert REPLAY_VARIABLE in err


def test_what_was_left_behind_is_collected(annealnn, monkeypatch, tmp_path):
    from annealnn.qpu import Connection
    from annealnn.standin import StandIn, serve_in_thread

    (tmp_path / "dwave.conf").touch()
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    with serve_in_thread(StandIn("chimera-1", seed=1)) as served:
        monkeypatch.setenv("DWAVE_API_ENDPOINT", served.endpoint)
        monkeypatch.setenv("DWAVE_API_TOKEN", served.token)
        with Connection.open() as connection, Journal(tmp_path / "journal.sqlite") as journal:
            left = requests(connection.solver_id, 2, "one")
            journal.claim(left)
            journal.accepted({request.key: connection.submit(request).wait_id() for request in left})
        status, out, _ = annealnn("qpu", "collect", "--experiment", "one")
        assert status == 0
        assert "2 jobs collected" in out
        assert "SIMULATED" in out
        assert served.standin.statistics()["accepted"] == 2
        assert "no job waits" in annealnn("qpu", "collect")[1]
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert [job.state for job in journal.jobs()] == ["answered"] * 2
