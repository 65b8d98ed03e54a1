"""What Ocean's own client raises when the service misbehaves: each row provoked over HTTP."""

import re

import dimod
import pytest
import requests
from dwave.cloud import Client
from dwave.cloud.api import exceptions as api
from dwave.cloud.exceptions import (
    CanceledFutureError,
    InvalidAPIResponseError,
    RequestTimeout,
    SolverAuthenticationError,
    SolverError,
    SolverFailureError,
    SolverNotFoundError,
    SolverOfflineError,
)
from dwave.system.exceptions import FailoverCondition, RetryCondition


def sample(sampler, **parameters):
    return sampler.sample_ising({sampler.nodelist[0]: 0.5}, {}, **parameters).resolve()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, api.ResourceBadRequestError),
        (403, api.ResourceAccessForbiddenError),
        (404, api.ResourceNotFoundError),
        (409, api.ResourceConflictError),
        (429, api.ResourceLimitsExceededError),
        (500, api.InternalServerError),
        (503, api.InternalServerError),
    ],
)
def test_connecting(serve, connect, status, expected):
    served = serve(faults=[f"connect:status:status={status}"])
    with pytest.raises(expected) as raised:
        connect(served)
    assert type(raised.value) is expected
    assert served.standin.statistics()["requests"] == {"connect": 1}  # not asked twice


def test_a_wrong_token(serve, connect):
    served = serve()
    with pytest.raises(SolverAuthenticationError):
        connect(served, token="another")
    sampler = connect(served)
    served.standin.token = "changed since"
    with pytest.raises(SolverAuthenticationError):
        sample(sampler)


@pytest.mark.parametrize(
    ("fault", "expected", "accepted"),
    [
        ("submit:status:status=429", SolverError, 0),
        ("submit:status:status=400:plain", SolverError, 0),
        ("submit:status:status=503:accepted", SolverError, 1),
        ("submit:status:status=401", SolverAuthenticationError, 0),
        ("submit:media-type", InvalidAPIResponseError, 1),
        ("submit:no-media-type", InvalidAPIResponseError, 1),
        ("submit:version", InvalidAPIResponseError, 1),
        ("submit:not-json", InvalidAPIResponseError, 1),
        ("submit:drop", requests.ConnectionError, 0),
        ("submit:drop:accepted", requests.ConnectionError, 1),
        ("job:refused:status=400", SolverFailureError, 0),
        ("job:failed", SolverFailureError, 1),
        ("job:offline", SolverOfflineError, 1),
        ("job:cancelled", CanceledFutureError, 1),
        ("poll:status:status=404", SolverError, 1),
        ("answer:status:status=500", SolverError, 1),
    ],
)
def test_a_job(serve, connect, fault, expected, accepted):
    # later than the first answer, so that the client polls
    served = serve(faults=[fault], latency_s=0.05)
    with pytest.raises(expected) as raised:
        sample(connect(served))
    assert type(raised.value) is expected
    if match := re.search(r"submit:status:status=(4[02][09]|5..)", fault):
        assert raised.value.error_code == int(match[1])
    statistics = served.standin.statistics()
    assert statistics["requests"]["submit"] == 1  # not sent twice
    assert statistics["accepted"] == accepted
    assert sum(statistics["faults"].values()) == 1


@pytest.mark.parametrize("fault", ["poll:status:status=503", "poll:drop", "answer:drop", "connect:drop"])
def test_what_the_client_puts_up_with(serve, connect, fault):
    served = serve(faults=[fault], latency_s=0.05)
    sample(connect(served))
    statistics = served.standin.statistics()
    assert sum(statistics["faults"].values()) == 1
    assert statistics["statuses"]["COMPLETED"] == 1


def test_time_runs_out(serve, connect):
    served = serve(faults=["submit:slow:delay_s=1.5:accepted"])
    with pytest.raises(RequestTimeout):
        sample(connect(served, request_timeout=0.5))
    with pytest.raises(RequestTimeout):  # what the client says when nobody listens
        connect(served, endpoint="http://127.0.0.1:9/sapi/v2/", http_retry_total=1)


def test_no_such_solver(serve, connect):
    served = serve()
    for wanted in ("another", {"num_qubits__gt": 10_000}):
        with pytest.raises(SolverNotFoundError):
            connect(served, solver=wanted)


def test_the_client_s_own_checks(serve, connect):
    served = serve()
    sampler = connect(served)
    with pytest.raises(dimod.exceptions.BinaryQuadraticModelStructureError):
        sampler.sample_ising({}, {(0, 1): 1.0})
    with pytest.raises(KeyError, match="unheard_of"):
        sample(sampler, unheard_of=1)
    assert served.standin.statistics()["accepted"] == 0
    with Client(endpoint=served.endpoint, token=served.token, config_file=False) as client:
        client.get_solver().sample_ising({sampler.nodelist[0]: 1.0}, {}, x_try=1).result()


def test_failover_is_signalled(serve, connect):
    served = serve(faults=["submit:status:requests=[1]", "submit:slow:delay_s=1.5:requests=[2]"])
    sampler = connect(served, failover=True, request_timeout=0.5)
    with pytest.raises(FailoverCondition) as raised:
        sample(sampler)
    assert not isinstance(raised.value, RetryCondition)
    with pytest.raises(RetryCondition):
        sample(sampler)


def test_deprecation(serve, connect):
    with pytest.warns(api.ResourceDeprecationWarning, match="This solver is deprecated"):
        connect(serve(faults=["connect:deprecated"]))
