"""Jobs are sent once, answered in order, kept within a budget, and answered again without a service."""

import threading
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from annealnn.exceptions import (
    BudgetError,
    GraphChangedError,
    JobError,
    JournalError,
    NotInJournalError,
    QPUUnavailableError,
)
from annealnn.qpu import Connection, Dispatcher, Journal
from annealnn.qpu._answer import read_answer
from annealnn.standin import Fault


def test_answers_come_in_order_and_once(serve, dispatch, ask):
    standin = serve()
    dispatcher = dispatch(in_flight=7)
    fields = np.eye(3)[:, ::-1] * 4.0
    requests = [ask(dispatcher.connection, number, fields=fields[number % 3]) for number in range(30)]
    answers = dispatcher.run([*requests, requests[4]])
    assert standin.statistics()["accepted"] == 30
    for request, answer in zip(requests, answers, strict=False):
        # a strong field turns its qubit down: H = +h s
        np.testing.assert_array_equal(answer.spins[:, request.fields > 1], -1)
        np.testing.assert_allclose(answer.energies, answer.spins @ request.fields)
        assert set(answer.client_s) == {"encode_s", "submit_s", "wait_s", "decode_s"}
        assert not answer.replayed
    np.testing.assert_array_equal(answers[4].spins, answers[30].spins)
    again = dispatcher.run(requests)
    assert all(answer.replayed for answer in again)
    for first, second in zip(answers, again, strict=False):
        np.testing.assert_array_equal(first.spins, second.spins)
    assert standin.statistics()["accepted"] == 30
    billed = dispatcher.journal.spending("a test").billed_us
    assert billed == pytest.approx(standin.statistics()["billed_us"])


def test_reads_do_not_depend_on_who_asks(serve, dispatch, ask, tmp_path):
    serve()
    first, second = dispatch(), dispatch(journal=Journal(tmp_path / "other.sqlite"))
    requests = [ask(first.connection, number, fields=np.zeros(3)) for number in range(4)]
    ours, theirs = first.run(requests), second.run(requests[::-1])[::-1]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.spins, other.spins)
    assert not np.array_equal(ours[0].spins, ours[1].spins)
    second.journal.close()


def test_merged_reads_are_unfolded(serve, dispatch, ask):
    serve()
    dispatcher = dispatch()
    request = ask(dispatcher.connection, parameters={"num_reads": 200, "answer_mode": "histogram"})
    answer = dispatcher.run([request])[0]
    assert answer.spins.shape == (200, 3)
    np.testing.assert_allclose(answer.energies, answer.spins @ request.fields)
    future = dispatcher.connection.submit(request)
    assert len(future.result()["energies"]) <= 8
    # the client's lists, where its future was not ours, give the same
    future.result()["solutions"] = future.result()["solutions"].tolist()
    np.testing.assert_array_equal(read_answer(future, request).spins, answer.spins)


def test_two_dispatchers_send_a_job_once(serve, dispatch, ask, journal):
    standin = serve(latency_s=0.05)
    dispatchers = [dispatch(), dispatch(journal=Journal(journal.path)), dispatch()]
    requests = [ask(dispatchers[0].connection, number) for number in range(12)]
    answers = [None] * 3

    def work(which):
        answers[which] = dispatchers[which].run(requests[::-1] if which else requests)

    threads = [threading.Thread(target=work, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dispatchers[1].journal.close()
    assert standin.statistics()["accepted"] == 12
    np.testing.assert_array_equal(answers[0][0].spins, answers[1][-1].spins)
    np.testing.assert_array_equal(answers[0][0].spins, answers[2][-1].spins)


def test_an_interrupt_loses_nothing(serve, dispatch, ask, monkeypatch):
    standin = serve(latency_s=0.3)
    dispatcher = dispatch(in_flight=4)
    requests = [ask(dispatcher.connection, number) for number in range(6)]
    pauses = []

    def pause(self):
        pauses.append(1)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("annealnn.qpu._dispatch.Dispatch._pause", pause)
    with pytest.raises(KeyboardInterrupt):
        dispatcher.run(requests)
    monkeypatch.undo()
    states = {job.state for job in dispatcher.journal.jobs()}
    assert states <= {"prepared", "accepted"}
    assert len(dispatch(dispatcher.connection).run(requests)) == 6
    assert standin.statistics()["accepted"] == 6


def test_a_run_after_an_interrupt_waits_for_what_the_client_still_sends(serve, dispatch, ask, monkeypatch):
    """A slow message outlasts the time after which a lost job is sent again."""
    standin = serve(faults=[Fault.parse("submit:slow:delay_s=1.0")])
    dispatcher = dispatch()
    requests = [ask(dispatcher.connection, number) for number in range(3)]

    def pause(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("annealnn.qpu._dispatch.Dispatch._pause", pause)
    with pytest.raises(KeyboardInterrupt):
        dispatcher.run(requests)
    monkeypatch.undo()
    assert len(dispatcher.run(requests)) == 3
    # the message has come by now, whoever waited for it
    time.sleep(1.2)
    assert standin.statistics()["accepted"] == 3


@pytest.mark.parametrize("budget", [0, -1.0, float("nan"), "5", True])
def test_a_budget_is_above_zero(budget, journal):
    with pytest.raises(BudgetError, match="above 0"):
        Dispatcher(None, journal, budget_us=budget)


def test_a_budget_is_kept(serve, dispatch, ask):
    standin = serve()
    open_ended = dispatch()
    connection = open_ended.connection
    cost = open_ended.run([ask(connection)])[0].timing["qpu_access_time"]
    dispatcher = dispatch(connection, budget_us=3.5 * cost)
    requests = [ask(connection, number, estimated_us=cost) for number in range(6)]
    with pytest.raises(BudgetError, match=r"were billed.*next job needs.*with a larger budget") as caught:
        dispatcher.run(requests)
    assert "'a test'" in str(caught.value)
    assert standin.statistics()["billed_us"] <= 3.5 * cost
    assert standin.statistics()["accepted"] == len(dispatcher.journal.jobs()) == 3
    # what was answered costs nothing more
    assert len(dispatcher.run(requests[:3])) == 3


def test_a_job_without_an_estimate_gets_oceans(serve, dispatch, ask):
    serve()
    dispatcher = dispatch(budget_us=1e9)
    dispatcher.run([ask(dispatcher.connection, estimated_us=0.0)])
    [job] = dispatcher.journal.jobs()
    assert job.estimated_us == pytest.approx(job.billed_us, rel=0.05)


def test_a_replay_needs_no_service(serve, dispatch, ask, journal, monkeypatch):
    standin = serve()
    dispatcher = dispatch()
    requests = [ask(dispatcher.connection, number) for number in range(3)]
    answers = dispatcher.run(requests)
    monkeypatch.setattr(Connection, "open", None)
    monkeypatch.setenv("ANNEALNN_REPLAY", str(journal.path))
    with Dispatcher.open(budget_us=1.0) as replay:
        assert replay.replay_only
        assert replay.solver.nodelist == dispatcher.solver.nodelist
        assert replay.solver.simulated
        for first, second in zip(answers, replay.run(requests), strict=True):
            np.testing.assert_array_equal(first.spins, second.spins)
        with pytest.raises(NotInJournalError, match="no answer of 1 jobs"):
            replay.run([requests[0], ask(dispatcher.connection, 9)])
    assert standin.statistics()["accepted"] == 3


def test_a_replay_of_nothing(journal, tmp_path, monkeypatch):
    with pytest.raises(NotInJournalError, match="holds none"):
        Dispatcher(None, journal)
    monkeypatch.setenv("ANNEALNN_REPLAY", str(tmp_path / "absent"))
    with pytest.raises(JournalError, match="absent"):
        Dispatcher.open()
    assert not (tmp_path / "absent").exists()


def test_a_new_working_graph_is_noticed(serve, dispatch, ask, journal):
    standin = serve()
    dispatcher = dispatch()
    old = ask(dispatcher.connection)
    dispatcher.run([old])
    standin.kill_qubits(num=1)
    before = dispatcher.solver.solver
    with pytest.raises(GraphChangedError, match="now"):
        dispatcher.run([ask(dispatcher.connection, 1)])
    assert dispatcher.solver.solver != before
    # made for the old graph: refused before it is written down; what was answered stays answered
    with pytest.raises(GraphChangedError, match="Nothing was sent"):
        dispatcher.run([old, replace(old, draw=(2,))])
    assert len(journal.jobs()) == 2
    new = ask(dispatcher.connection, 1)
    assert len(dispatcher.run([new])) == 1
    # a replay meets the change where the experiment met it
    replay = Dispatcher(None, journal)
    assert replay.solver.solver == before
    assert len(replay.run([old])) == 1
    with pytest.raises(GraphChangedError, match="became"):
        replay.run([replace(old, draw=(7, 1))])
    assert replay.solver.solver == new.solver
    assert len(replay.run([new])) == 1


def test_a_job_of_an_old_graph_is_collected_and_never_sent_to_the_new_one(serve, dispatch, ask, journal):
    standin = serve(faults=[Fault.parse("submit:drop:accepted:requests=[1]"), Fault.parse("submit:drop:requests=[2]")])
    connection = dispatch().connection
    there, lost = ask(connection, 1), ask(connection, 2)
    journal.claim([there, lost])
    for request in (there, lost):
        with pytest.raises(OSError, match="aborted"):
            connection.submit(request).result()
    journal.release([there.key, lost.key])
    standin.kill_qubits(num=1)
    assert connection.refresh()
    dispatcher = dispatch(connection)
    assert len(dispatcher.run([there])) == 1
    with pytest.raises(GraphChangedError, match="Nothing was sent"):
        dispatcher.run([there, lost])
    assert [job.state for job in journal.jobs()] == ["answered", "failed"]
    assert standin.statistics()["accepted"] == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"qubits": np.array([1, 2, 100_000])}, "100000"),
        ({"qubits": np.array([1, 2, 2])}, "more than once"),
        (
            {"qubits": np.array([0, 1, 4]), "couplers": np.array([[0, 4]]), "couplings": np.ones(1)},
            "not in its working graph",
        ),
        ({"couplers": np.array([[0, 100_001]]), "couplings": np.ones(1)}, "does not name"),
        ({"parameters": {"num_reads": 1, "num_spin_reversal_transforms": 2}}, "no parameter num_spin"),
    ],
)
def test_what_the_solver_cannot_take_is_not_sent(changes, said, serve, dispatch, ask, journal):
    standin = serve()
    dispatcher = dispatch()
    good, bad = ask(dispatcher.connection), ask(dispatcher.connection, **changes)
    with pytest.raises(JobError, match=said) as caught:
        dispatcher.run([good, bad])
    assert caught.value.keys == (bad.key,)
    assert standin.statistics()["accepted"] == 0
    assert journal.jobs() == []


def test_a_service_that_is_gone(serve, dispatch, ask, monkeypatch):
    standin = serve()
    dispatcher = dispatch(defaults={"http_retry_total": 0})
    standin.faults = type(standin.faults)([Fault.parse("submit:drop:probability=1.0")], 0)
    with pytest.raises(QPUUnavailableError):
        dispatcher.run([ask(dispatcher.connection)])
    with monkeypatch.context() as patch:
        patch.setattr(dispatcher.connection._client.config, "endpoint", "http://127.0.0.1:9/sapi/v2/")
        away = dispatch(dispatcher.connection)
        with pytest.raises(QPUUnavailableError):
            away.run([ask(dispatcher.connection)])


class DyingJournal:
    """A journal whose process is killed at a write, before it or just after; nothing is written then."""

    def __init__(self, journal, write, late):
        self._journal, self._left, self._late, self.dead = journal, write, late, False

    def __getattr__(self, name):
        found = getattr(self._journal, name)
        if name not in ("claim", "accepted", "answered", "spent", "sending", "ended", "release"):
            return found

        def write(*given, **named):
            if not self.dead and (self._left or self._late):
                self._left -= 1
                done = found(*given, **named)
                self.dead = self._left < 0
                if not self.dead:
                    return done
            self.dead = True
            raise Killed

        return write


class Killed(BaseException):
    pass


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_death_at_any_write_loses_and_doubles_nothing(late, serve, connect, dispatch, ask, tmp_path):
    faults = [Fault.parse("job:failed:requests=[2]"), Fault.parse("submit:status:status=429:requests=[3]")]
    standin = serve()
    connection = connect()
    for write in range(40):
        standin.faults = type(standin.faults)(faults, 0)
        before = standin.statistics()["statuses"]["COMPLETED"]
        requests = [ask(connection, 100 * write + number) for number in range(3)]
        path = tmp_path / f"{write}.sqlite"
        with Journal(path) as journal:
            dying = DyingJournal(journal, write, late)
            with suppress(Killed):
                dispatch(connection, journal=dying, in_flight=2).run(requests)
        with Journal(path) as journal:
            assert len(dispatch(connection, journal=journal).run(requests)) == 3
            assert [job.state for job in journal.jobs()] == ["answered"] * 3
            billed = journal.spending("a test").billed_us
        labels = standin.statistics()["labels"]
        assert [labels[request.key]["billed"] for request in requests] == [1, 1, 1]
        assert billed == pytest.approx(sum(labels[request.key]["billed_us"] for request in requests))
        assert standin.statistics()["statuses"]["COMPLETED"] == before + 3
        if not dying.dead:
            break
    assert write > 8
    assert not dying.dead
