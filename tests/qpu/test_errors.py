"""All that a service does wrong, over HTTP: what of it is told, and that no job is lost, doubled or doubted in vain."""

import pytest

from annealnn.exceptions import (
    JobError,
    JobInDoubtError,
    QPUAuthenticationError,
    QPUUnavailableError,
    SolverNotFoundError,
)
from annealnn.qpu import Retries
from annealnn.standin import Fault, StandIn, serve_in_thread

PATIENT = Retries(num_retries=4, first_wait_s=0.01, longest_wait_s=0.05, settle_s=0.05, num_lookups=2)
# a slow service may act on a message after its sender has given up
SLOW = Retries(num_retries=4, first_wait_s=0.01, longest_wait_s=0.05, settle_s=0.6)
ALWAYS = ":probability=1.0"


@pytest.fixture(scope="module")
def served():
    with serve_in_thread(StandIn("zephyr-2", seed=1, latency_s=0.02)) as served:
        yield served


@pytest.fixture
def strike(served, no_account, monkeypatch):
    """Say what goes wrong from now on, requests counted anew."""
    monkeypatch.setenv("DWAVE_API_ENDPOINT", served.endpoint)
    monkeypatch.setenv("DWAVE_API_TOKEN", served.token)

    def strike(*faults):
        served.standin.faults = type(served.standin.faults)([Fault.parse(fault) for fault in faults], 0)
        return served.standin

    yield strike
    strike()


@pytest.fixture
def ask_anew(ask, request):
    """Make requests of an experiment of the test's own."""
    return lambda solver, number=0: ask(solver, number, experiment=request.node.name)


# what befalls the opening, and what is told of it if it goes on
CONNECT = [
    ("connect:status:status=401", QPUAuthenticationError, "token"),
    ("connect:status:status=403", QPUAuthenticationError, "DWAVE_API_TOKEN"),
    ("connect:status:status=400", QPUUnavailableError, "400"),
    ("connect:status:status=404", SolverNotFoundError, "dwave solvers"),
    ("connect:status:status=409", QPUUnavailableError, "409"),
    ("connect:status:status=429", QPUUnavailableError, "429"),
    ("connect:status:status=500", QPUUnavailableError, "500"),
    ("connect:status:status=503:plain", QPUUnavailableError, "503"),
    ("connect:media-type", QPUUnavailableError, "media type"),
    ("connect:no-media-type", QPUUnavailableError, "Media type"),
    ("connect:version", QPUUnavailableError, "version"),
    ("connect:not-json", QPUUnavailableError, "does not answer"),
    ("connect:slow:delay_s=0.6", QPUUnavailableError, "does not answer"),
    ("connect:drop", QPUUnavailableError, "does not answer"),
]


@pytest.mark.parametrize(("fault", "error", "said"), CONNECT)
def test_what_goes_on_while_opening_is_told(fault, error, said, strike, connect):
    strike(fault + ALWAYS)
    with pytest.raises(error, match=said) as caught:
        connect(defaults={"request_timeout": 0.4, "http_retry_total": 1})
    # the client's errors hold the request, and that the token
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("what", ["status:status=429", "status:status=502", "drop", "media-type"])
def test_what_passes_while_opening_is_tried_again(what, strike, connect):
    strike(f"connect:{what}:requests=[1,2]")
    assert "simulated" in connect().solver_id


def test_a_deprecation_is_the_clients_warning(strike, connect):
    from dwave.cloud.api.exceptions import ResourceDeprecationWarning

    strike("connect:deprecated")
    with pytest.warns(ResourceDeprecationWarning):
        connect()


# what befalls a job once, on its way there and back, and no more than it may: it is answered, accepted once
PASSING = [
    "submit:status:status=429",
    *(f"submit:status:status={status}{late}" for status in (500, 503) for late in ("", ":accepted", ":plain")),
    "submit:drop",
    "submit:drop:accepted",
    "submit:slow:delay_s=0.6",
    "submit:slow:delay_s=0.6:accepted",
    *(f"submit:{what}" for what in ("media-type", "no-media-type", "version", "not-json")),
    *(f"poll:{what}" for what in ("status:status=404", "status:status=429", "status:status=503")),
    *(f"poll:{what}" for what in ("drop", "media-type", "no-media-type", "version", "not-json", "slow:delay_s=0.6")),
    *(f"answer:{what}" for what in ("status:status=404", "status:status=429", "status:status=500", "drop")),
    *(f"answer:{what}" for what in ("media-type", "no-media-type", "version", "not-json", "slow:delay_s=0.6")),
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_costs_nothing_and_loses_nothing(fault, strike, dispatch, ask_anew):
    slow = "slow" in fault
    dispatcher = dispatch(retries=SLOW if slow else PATIENT, defaults={"request_timeout": 0.4} if slow else {})
    request = ask_anew(dispatcher.connection)
    standin = strike(fault)
    answer = dispatcher.run([request])[0]
    assert answer.spins.shape == (20, 3)
    told = standin.statistics()
    assert told["faults"], "the fault did not strike"
    of = told["labels"][request.key]
    assert (of["accepted"], of["billed"]) == (1, 1)
    assert [job.state for job in dispatcher.journal.jobs()] == ["answered"]


@pytest.mark.parametrize("what", ["failed", "offline"])
def test_a_failed_job_is_sent_again(what, strike, dispatch, ask_anew):
    dispatcher = dispatch()
    request = ask_anew(dispatcher.connection)
    standin = strike(f"job:{what}:requests=[1,2]")
    assert len(dispatcher.run([request])) == 1
    of = standin.statistics()["labels"][request.key]
    assert (of["accepted"], of["completed"]) == (3, 1)
    [job] = dispatcher.journal.jobs()
    assert (job.state, job.attempts) == ("answered", 2)
    assert job.billed_us == pytest.approx(of["billed_us"])


# what ends a job: the error, its state in the journal, and how often the service was asked
ENDING = [
    *((f"submit:status:status={status}", JobError, "failed", 1) for status in (400, 403, 404, 409)),
    ("submit:status:status=401", QPUAuthenticationError, "failed", 1),
    (f"submit:status:status=429{ALWAYS}", QPUUnavailableError, "failed", 3),
    (f"submit:status:status=503{ALWAYS}", QPUUnavailableError, "failed", 3),
    (f"submit:drop{ALWAYS}", QPUUnavailableError, "failed", 3),
    ("job:refused:status=400:message=no", JobError, "failed", 1),
    (f"job:failed{ALWAYS}", JobError, "failed", 3),
    (f"job:offline{ALWAYS}", QPUUnavailableError, "failed", 3),
    ("job:cancelled", JobError, "cancelled", 1),
    (f"answer:status:status=500{ALWAYS}", QPUUnavailableError, "accepted", 1),
    (f"answer:media-type{ALWAYS}", QPUUnavailableError, "accepted", 1),
    ("poll:status:status=401", QPUAuthenticationError, "accepted", 1),
    (f"answer:status:status=404{ALWAYS}", JobInDoubtError, "in-doubt", 1),
]


@pytest.mark.parametrize(("fault", "error", "state", "sent"), ENDING)
def test_what_ends_a_job_is_told(fault, error, state, sent, strike, dispatch, ask_anew):
    dispatcher = dispatch()
    request = ask_anew(dispatcher.connection)
    standin = strike(fault)
    with pytest.raises(error) as caught:
        dispatcher.run([request])
    assert type(caught.value) is error
    assert caught.value.__cause__ is None
    if isinstance(caught.value, JobError):
        assert caught.value.keys == (request.key,)
    [job] = dispatcher.journal.jobs()
    assert job.state == state
    told = standin.statistics()
    assert told["requests"]["submit"] == sent
    assert state in ("accepted", "in-doubt") or told["labels"].get(request.key, {"billed": 0})["billed"] == 0
    # the service is well again: what was accepted is collected, what was not is sent, and nothing twice
    strike()
    assert len(dispatcher.run([request])) == 1
    assert standin.statistics()["labels"][request.key]["billed"] == 1


def test_a_lost_job_that_cannot_be_looked_up_is_in_doubt(strike, dispatch, ask_anew):
    dispatcher = dispatch()
    request = ask_anew(dispatcher.connection)
    standin = strike("submit:drop:accepted", f"poll:status:status=500{ALWAYS}")
    with pytest.raises(JobInDoubtError, match=r"in doubt.*--resubmit-in-doubt") as caught:
        dispatcher.run([request])
    assert caught.value.keys == (request.key,)
    with pytest.raises(JobInDoubtError):
        dispatcher.run([request])
    assert standin.statistics()["requests"]["submit"] == 1
    # asked for, it is sent again, and the user was told what that may cost
    standin.inline = True
    bold = dispatch(dispatcher.connection, resubmit_in_doubt=True)
    assert len(bold.run([request])) == 1
    standin.inline = False
    assert standin.statistics()["labels"][request.key]["billed"] == 2


def test_one_silence_stands_for_all_lost_jobs(strike, dispatch, ask_anew):
    dispatcher = dispatch()
    requests = [ask_anew(dispatcher.connection, number) for number in range(9)]
    standin = strike(f"submit:drop{ALWAYS}:accepted", f"poll:status:status=500{ALWAYS}")
    with pytest.raises(JobInDoubtError, match="and 8 more: ") as caught:
        dispatcher.run(requests)
    assert sorted(caught.value.keys) == sorted(request.key for request in requests)
    # a lookup that times out takes a minute
    assert standin.statistics()["requests"]["poll"] == 3
    strike()
    assert len(dispatcher.run(requests)) == 9
    labels = standin.statistics()["labels"]
    assert [labels[request.key]["accepted"] for request in requests] == [1] * 9


def test_a_job_in_doubt_is_collected_once_the_service_tells(strike, dispatch, ask_anew):
    dispatcher = dispatch()
    request = ask_anew(dispatcher.connection)
    standin = strike("submit:drop:accepted", f"poll:status:status=400{ALWAYS}")
    with pytest.raises(JobInDoubtError):
        dispatcher.run([request])
    strike()
    assert len(dispatcher.run([request])) == 1
    assert standin.statistics()["labels"][request.key]["accepted"] == 1


def test_others_are_collected_when_one_job_fails(strike, dispatch, ask_anew):
    dispatcher = dispatch(in_flight=8)
    requests = [ask_anew(dispatcher.connection, number) for number in range(8)]
    standin = strike("job:cancelled:requests=[3]")
    with pytest.raises(JobError):
        dispatcher.run(requests)
    states = [job.state for job in dispatcher.journal.jobs()]
    assert sorted(states) == ["answered"] * 7 + ["cancelled"]
    assert len(dispatcher.run(requests)) == 8
    labels = standin.statistics()["labels"]
    assert [labels[request.key]["billed"] for request in requests] == [1] * 8


def test_the_count_has_teeth(strike, dispatch, ask_anew, monkeypatch):
    """A dispatcher that sends again what was lost, without a look, pays twice; and the service's account shows it."""

    def blindly(self, job):
        job.step = "send"

    monkeypatch.setattr("annealnn.qpu._dispatch.Dispatch._look_up", blindly)
    dispatcher = dispatch()
    request = ask_anew(dispatcher.connection)
    standin = strike("submit:drop:accepted")
    dispatcher.run([request])
    assert standin.statistics()["labels"][request.key]["accepted"] == 2
