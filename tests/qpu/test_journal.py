"""The journal: what was written is there, whoever dies, and a file that is none of ours stays as it is."""

import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest

from annealnn.exceptions import JournalError
from annealnn.qpu import JobAnswer, JobRequest, Journal, SolverDefinition, default_journal

SOLVER = SimpleNamespace(solver_id="s;graph_id=1", nodelist=[4, 5, 9], edgelist=[(4, 5)])


def answer(reads=5, qubits=3, billed=100.0):
    spins = np.where(np.random.default_rng(0).random((reads, qubits)) < 0.5, 1, -1).astype(np.int8)
    return JobAnswer(spins, np.linspace(-1, 1, reads), {"qpu_access_time": billed}, "id-1", "s;graph_id=1")


def test_what_is_written_is_read(journal, ask):
    request = ask(SOLVER, couplers=np.array([[4, 5]]), couplings=np.array([-0.3]), parameters={"num_reads": 5})
    assert journal.claim([request])[0].step == "send"
    given = answer()
    journal.answered({request.key: given})
    with Journal(journal.path) as other:
        read = other.answers([request])[request.key]
        assert other.request(request.key).key == request.key
    np.testing.assert_array_equal(read.spins, given.spins)
    np.testing.assert_array_equal(read.energies, given.energies)
    assert (read.timing, read.problem_id, read.replayed) == (given.timing, "id-1", True)
    [job] = journal.jobs()
    assert (job.state, job.num_reads, job.billed_us, job.experiment) == ("answered", 5, 100.0, "a test")
    [run] = journal.runs()
    assert set(run.versions) >= {"annealnn", "dwave-cloud-client"}


@pytest.mark.parametrize("qubits", [1, 7, 8, 9, 4800])
def test_spins_are_a_bit_each(qubits, journal, ask):
    request = ask(SOLVER, qubits=np.arange(qubits), fields=np.zeros(qubits))
    journal.claim([request])
    given = answer(reads=3, qubits=qubits)
    journal.answered({request.key: given})
    np.testing.assert_array_equal(journal.answers([request])[request.key].spins, given.spins)
    with closing(sqlite3.connect(journal.path)) as database:
        assert database.execute("SELECT length(spins) FROM answers").fetchone()[0] == 3 * -(-qubits // 8)


LOOK = "import sys; from annealnn.qpu import Journal\nwith Journal(sys.argv[1]) as journal: print(len(journal.jobs()))"


def test_a_journal_opened_twice_keeps_its_log_when_another_process_looks(journal, ask):
    """Who opens the file beside SQLite drops this process's locks, and the next to close takes the log away."""

    def look():
        done = subprocess.run([sys.executable, "-c", LOOK, journal.path], capture_output=True, text=True, check=True)
        return int(done.stdout)

    seen = []
    for number in range(2):
        request = ask(SOLVER, number)
        journal.claim([request])
        journal.answered({request.key: answer()})
        with Journal(journal.path):
            seen.append(look())
    assert seen == [1, 2]


def test_a_job_is_claimed_once(journal, ask):
    request = ask(SOLVER)
    with Journal(journal.path) as other:
        assert [journal.claim([request])[0].step, other.claim([request])[0].step] == ["send", "wait"]
        # another thread of the same process waits too
        assert journal.claim([request])[0].step == "wait"
        journal.release([request.key])
        assert journal.claim([request])[0].step == "look-up"
        # the process ends: its jobs are the other's, who knows what is known of them
        journal.accepted({request.key: "id-1"})
        journal.close()
        assert other.claim([request])[0][:2] == ("collect", "id-1")
        other.answered({request.key: answer()})
        assert other.claim([request])[0].step == "answered"


if hasattr(os, "fork"):

    def test_a_forked_child_works_under_its_own_name(journal, ask):
        ours, childs = ask(SOLVER, 1), ask(SOLVER, 2)
        journal.claim([ours])
        child = os.fork()
        if child == 0:
            steps = [claim.step for claim in journal.claim([ours, childs])]
            os._exit(0 if steps == ["wait", "send"] else 1)
        assert os.waitpid(child, 0)[1] == 0
        # the child has ended without a word
        assert [claim.step for claim in journal.claim([ours, childs])] == ["wait", "look-up"]

    def test_a_forked_child_outlives_its_parent(journal, ask, tmp_path):
        """The parent's locks end with it: the child has its own, or the next to close takes its log away."""
        script = tmp_path / "forks.py"
        script.write_text(
            "import os, pickle, sys, time\n"
            "from annealnn.qpu import Journal\n"
            "path, requests, answer = pickle.load(open(sys.argv[1], 'rb'))\n"
            "journal, another = Journal(path), Journal(path)\n"
            "journal.claim(requests[:1])\n"
            "parent = os.getpid()\n"
            "if os.fork() == 0:\n"
            "    journal.jobs()\n"
            "    while os.getppid() == parent: time.sleep(0.01)\n"
            "    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, '-c', sys.argv[2], path]) == 0\n"
            "    steps = [claim.step for claim in journal.claim(requests)]\n"
            "    journal.answered({requests[1].key: answer})\n"
            "    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, '-c', sys.argv[2], path]) == 0\n"
            "    print(steps)\n"
        )
        requests = [ask(SOLVER, 1), ask(SOLVER, 2)]
        journal.close()
        (tmp_path / "given").write_bytes(pickle.dumps((str(journal.path), requests, answer())))
        command = [sys.executable, script, tmp_path / "given", LOOK]
        # the child holds the pipe, so this waits for it too
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        # the jobs of a parent that has ended are not waited for
        assert done.stdout.split("\n")[:3] == ["1", "2", "['look-up', 'send']"]
        with Journal(journal.path) as left:
            assert [claim.step for claim in left.claim(requests)] == ["look-up", "answered"]


def test_a_killed_process_leaves_its_jobs_and_nothing_else(journal, ask, tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(
        "import os, pickle, signal, sys\n"
        "from annealnn.qpu import Journal\n"
        "journal = Journal(sys.argv[1])\n"
        "requests = pickle.load(open(sys.argv[2], 'rb'))\n"
        "journal.claim(requests)\n"
        "journal.accepted({requests[1].key: 'id-7'})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    requests = [ask(SOLVER, 1), ask(SOLVER, 2)]
    (tmp_path / "requests").write_bytes(pickle.dumps(requests))
    killed = subprocess.run([sys.executable, script, journal.path, tmp_path / "requests"], check=False)
    assert killed.returncode != 0
    assert len(list(tmp_path.glob("*-owner-*"))) == 1
    assert [claim[:2] for claim in journal.claim(requests)] == [("look-up", None), ("collect", "id-7")]
    assert len(list(tmp_path.glob("*-owner-*"))) == 1  # ours


def test_threads_share_a_journal(journal, ask):
    requests = [ask(SOLVER, number) for number in range(40)]
    taken = []

    def work():
        for request in requests:
            if journal.claim([request])[0].step == "send":
                taken.append(request.key)
                journal.answered({request.key: answer()})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(request.key for request in requests)


def test_a_failed_attempt_is_remembered(journal, ask):
    request = ask(SOLVER)
    journal.claim([request])
    journal.accepted({request.key: "id-1"})
    journal.spent(request.key, "id-1", "failed")
    journal.ended(request.key, "failed", "no luck")
    journal.release([request.key])
    [job] = journal.jobs("a test")
    assert (job.state, job.attempts, job.note, job.problem_id) == ("failed", 1, "no luck", None)
    assert journal.spending("a test") == (0.0, 0.0)
    step, problem_id, spent_ids = journal.claim([request])[0]
    assert (step, problem_id, spent_ids) == ("send", None, {"id-1"})


def test_a_budget_counts_what_was_billed_and_what_is_expected(journal, ask):
    requests = [ask(SOLVER, number, estimated_us=100.0) for number in range(4)]
    assert [claim.step for claim in journal.claim(requests, budget_us=300.0)] == ["send"] * 3 + ["over-budget"]
    journal.answered({requests[0].key: answer(billed=40.0)})
    assert journal.spending("a test") == (40.0, 200.0)
    assert journal.claim(requests[3:], budget_us=339.0)[0].step == "over-budget"
    assert journal.claim(requests[3:], budget_us=340.0)[0].step == "send"
    # another experiment has its own
    assert journal.claim([ask(SOLVER, experiment="b", estimated_us=100.0)], budget_us=100.0)[0].step == "send"


def test_a_transaction_is_all_or_nothing(journal, ask):
    request = ask(SOLVER, parameters={"num_reads": 5, "odd": object}, draw=(1,))
    request.__dict__["key"] = "annealnn-odd"  # such a request has no key
    with pytest.raises(TypeError):
        journal.claim([ask(SOLVER, 1), request])
    assert journal.jobs() == []
    assert journal.runs() == []
    assert journal.claim([ask(SOLVER, 1)])[0].step == "send"


def test_definitions_come_in_the_order_of_their_use(journal, ask):
    for graph in ("b", "a"):
        definition = SolverDefinition(solver=f"s;graph_id={graph}", properties={"qubits": [0], "couplers": []})
        journal.remember(definition)
        journal.remember(definition)
        journal.claim([ask(SOLVER, solver=definition.solver)])
    assert [found.solver for found in journal.definitions()] == ["s;graph_id=b", "s;graph_id=a"]
    assert journal.definitions("another") == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b"not a journal" * 100), "SQLite"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:4096] + b"\x55" * (path.stat().st_size - 4096)), "damaged"),
        (lambda path: write(path, "PRAGMA user_version = 99"), "format 99"),
        (lambda path: write(path, "PRAGMA application_id = 5"), "no journal of jobs"),
    ],
    ids=["text", "cut", "overwritten", "version", "foreign"],
)
def test_a_file_that_is_no_journal_of_ours_is_left_alone(spoil, said, tmp_path, ask):
    path = tmp_path / "old.sqlite"
    with Journal(path) as journal:
        request = ask(SOLVER, qubits=np.arange(900), fields=np.random.default_rng(0).normal(size=900))
        journal.claim([request])
        journal.answered({request.key: answer(reads=100, qubits=900)})
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=said) as caught:
        Journal(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def write(path, statement):
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute(statement)
        database.commit()


def test_a_changed_answer_is_noticed(journal, ask):
    request = ask(SOLVER)
    journal.claim([request])
    journal.answered({request.key: answer()})
    with closing(sqlite3.connect(journal.path)) as database:
        database.execute("UPDATE answers SET spins = zeroblob(length(spins))")
        database.commit()
    with pytest.raises(JournalError, match="checksum"):
        journal.answers([request])


def test_a_path_that_is_no_file(tmp_path):
    with pytest.raises(JournalError, match=str(tmp_path)):
        Journal(tmp_path)


def test_where_the_journal_is_kept(no_account, monkeypatch, tmp_path):
    monkeypatch.setenv("ANNEALNN_JOURNAL", str(tmp_path / "deep" / "mine.sqlite"))
    with Journal.open_default() as journal:
        assert journal.path == tmp_path / "deep" / "mine.sqlite"
        with pickle.loads(pickle.dumps(journal)) as again:
            assert again.path == journal.path
    monkeypatch.delenv("ANNEALNN_JOURNAL")
    assert default_journal().name == "journal.sqlite"


def test_a_request_comes_back_whole(journal, ask):
    request = ask(SOLVER, parameters={"num_reads": 3, "anneal_schedule": [[0, 0], [20.0, 1]]}, draw=(2**63, 0))
    journal.claim([request])
    read = journal.request(request.key)
    assert isinstance(read, JobRequest)
    assert read.key == request.key
    with pytest.raises(JournalError, match="no job nothing"):
        journal.request("nothing")


def test_the_files_are_their_owners_alone(journal, ask):
    journal.claim([ask(SOLVER)])
    beside = list(journal.path.parent.glob(f"{journal.path.name}*"))
    assert len(beside) == 4  # the file, its log and index, the sign of life
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in beside} == {0o600}


def test_a_process_that_ends_in_order_leaves_no_sign_of_life(journal):
    code = f"""
import numpy as np
from annealnn.qpu import JobRequest, Journal
kept = Journal({str(journal.path)!r})
none = np.zeros(0)
kept.claim([JobRequest(solver="s", qubits=none, fields=none, couplers=none.reshape(0, 2), couplings=none)])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert len(journal.jobs()) == 1
    assert list(journal.path.parent.glob("*-owner-*")) == []


def test_credentials_in_a_command_line_are_hidden(journal, ask, monkeypatch):
    leap = f"DEV-{'0a' * 20}"
    words = ["job.py", "--token=abc", "--api-token", "def", leap, "--tokens", "3", "plain"]
    monkeypatch.setattr(sys, "argv", words)
    journal.claim([ask(SOLVER)])
    [run] = journal.runs()
    hidden = "(hidden)"
    assert run.command == ["job.py", f"--token={hidden}", "--api-token", hidden, hidden, "--tokens", "3", "plain"]
    assert (
        leap.encode() not in journal.path.read_bytes() + journal.path.with_name(f"{journal.path.name}-wal").read_bytes()
    )
