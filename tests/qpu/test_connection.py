"""Opening a solver through D-Wave's configuration, and the token that shows nowhere."""

import copy
import io
import logging
import os
import pickle
import traceback

import numpy as np
import pytest

from annealnn._log import logger
from annealnn.exceptions import (
    JobError,
    QPUAuthenticationError,
    QPUConfigurationError,
    QPUError,
    QPUUnavailableError,
    SolverNotFoundError,
)
from annealnn.qpu import Connection, Retries, SolverDefinition
from annealnn.qpu._answer import read_answer
from annealnn.qpu._faults import opening_error
from annealnn.standin import Fault

TOKEN = "SIM-5a1ad0c0ffee-do-not-print"


def test_a_solver_is_opened(serve, connect):
    standin = serve()
    solver = connect()
    assert solver.solver_id == f"{standin.chip.name};graph_id={standin.chip.graph_id}"
    assert solver.simulated
    assert solver.nodelist == sorted(standin.chip.qubits)
    assert solver.edgelist == sorted(tuple(sorted(pair)) for pair in standin.chip.properties["couplers"])
    assert not solver.refresh()
    standin.kill_qubits(num=2)
    assert solver.refresh()
    assert len(solver.nodelist) == len(standin.chip.qubits)


def test_the_configuration_file_is_read(serve, tmp_path, monkeypatch):
    standin = serve()
    file = tmp_path / "dwave.conf"
    file.write_text(
        f"[mine]\nendpoint = {os.environ['DWAVE_API_ENDPOINT']}\ntoken = {TOKEN}\nsolver = {standin.chip.name}\n"
    )
    monkeypatch.delenv("DWAVE_API_TOKEN")
    monkeypatch.delenv("DWAVE_API_ENDPOINT")
    with Connection.open(config_file=str(file), profile="mine") as solver:
        assert solver.solver_id.startswith(standin.chip.name)
    with pytest.raises(QPUConfigurationError, match="absent"):
        Connection.open(config_file=str(file), profile="absent")


def test_a_working_graph_by_name(serve, connect):
    standin = serve()
    identity = f"{standin.chip.name};graph_id={standin.chip.graph_id}"
    assert connect(solver=identity).solver_id == identity
    assert connect(solver={"num_active_qubits__gt": 10}).solver_id == identity
    with pytest.raises(SolverNotFoundError, match="another"):
        connect(solver=f"{standin.chip.name};graph_id=another")
    with pytest.raises(SolverNotFoundError, match="num_active_qubits"):
        connect(solver={"num_active_qubits__gt": 1e6})


@pytest.mark.parametrize("file", [False, None])
def test_nothing_is_configured(file, no_account):
    with pytest.raises(QPUConfigurationError, match="dwave config create") as caught:
        Connection.open(config_file=file)
    assert "DWAVE_API_TOKEN" in str(caught.value)


@pytest.mark.parametrize("content", ["not a section", "[defaults]\ntoken = x\npoll_strategy = nonsense\n"])
def test_a_configuration_that_makes_no_sense(content, no_account, tmp_path):
    file = tmp_path / "dwave.conf"
    file.write_text(content)
    with pytest.raises(QPUConfigurationError) as caught:
        Connection.open(config_file=str(file))
    assert "token = x" not in str(caught.value)


def test_a_file_that_is_not_there(no_account, tmp_path):
    with pytest.raises(QPUConfigurationError, match="absent"):
        Connection.open(config_file=str(tmp_path / "absent.conf"))


def test_a_service_that_is_not_there(no_account, monkeypatch):
    monkeypatch.setenv("DWAVE_API_TOKEN", TOKEN)
    with pytest.raises(QPUUnavailableError, match="cannot be reached"):
        Connection.open(config_file=False, endpoint="http://127.0.0.1:9/sapi/v2/")


@pytest.mark.parametrize("around", ["{}\n", " {}"])
def test_a_token_with_blanks_is_not_shown(around, no_account, monkeypatch):
    monkeypatch.setenv("DWAVE_API_TOKEN", around.format(TOKEN))
    with pytest.raises(QPUConfigurationError, match="one line without blanks") as caught:
        Connection.open(config_file=False, endpoint="http://127.0.0.1:9/sapi/v2/")
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_password_in_an_endpoint_is_not_shown(scheme):
    error = opening_error(OSError("no answer"), endpoint=f"{scheme}me:p@ss@solver.example/sapi/v2/", solver=None)
    assert f"at {scheme}solver.example/sapi" in str(error)
    assert "p@ss" not in str(error)


def test_the_token_shows_nowhere(serve, dispatch, ask, journal):
    """Not in the journal's bytes, our log at its most talkative, repr, pickle, nor errors and what caused them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    texts = []
    try:
        faults = ["submit:drop:requests=[1]", "submit:status:status=503:requests=[2]", "job:cancelled:requests=[2]"]
        serve(faults=[Fault.parse(fault) for fault in [*faults, "answer:status:status=500:requests=[1]"]])
        dispatcher = dispatch(retries=Retries(first_wait_s=0.01, settle_s=0.05, num_retries=3))
        requests = [ask(dispatcher.connection, number) for number in range(4)]
        with pytest.raises(JobError) as job_error:
            dispatcher.run(requests)
        serve(token="another")
        with pytest.raises(QPUAuthenticationError) as open_error:
            Connection.open(config_file=False)
        with pytest.raises(TypeError) as pickle_error:
            pickle.dumps(dispatcher.connection)
        for caught in (job_error, open_error, pickle_error):
            texts += traceback.format_exception(caught.value)
            texts.append(repr(pickle.dumps(caught.value)))
        texts += [repr(dispatcher.connection), repr(dispatcher), repr(journal), repr(pickle.dumps(journal))]
        texts.append(repr(vars(dispatcher.connection.definition)))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    journal.close()
    texts.append(stream.getvalue())
    assert "annealnn-" in stream.getvalue()
    assert not [text for text in texts if TOKEN in text]
    for path in journal.path.parent.iterdir():
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes()


def test_a_connection_is_of_one_process(serve, connect):
    serve()
    solver = connect()
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(solver)
    solver._process += 1
    with pytest.raises(QPUError, match="Open one there"):
        solver.refresh()
    solver._process -= 1


def test_an_answer_holds_what_was_asked_for(serve, connect, ask):
    serve()
    solver = connect()
    request = ask(solver)
    future = solver.submit(request)
    answer = read_answer(future, request)
    assert answer.solver == solver.solver_id
    assert answer.timing["qpu_access_time"] > 0
    more = ask(solver, qubits=np.array(solver.nodelist[:4]), fields=np.zeros(4))
    with pytest.raises(ValueError, match="lacks qubits"):
        read_answer(future, more)
    with pytest.raises(ValueError, match="20 reads, where 30"):
        read_answer(future, ask(solver, parameters={"num_reads": 30}))
    [listing] = solver.find(request.key)
    assert listing == (answer.problem_id, "COMPLETED")
    assert solver.find("annealnn-of-nobody") == []
    again = solver.retrieve(listing.problem_id, request.key)
    np.testing.assert_array_equal(read_answer(again, request).spins, answer.spins)


def test_a_problem_has_one_future_at_a_time(serve, connect, ask):
    """The client would drop the second one of two, unfinished."""
    serve(latency_s=0.5)
    solver = connect()
    request = ask(solver)
    future = solver.submit(request)
    problem_id = future.wait_id()
    assert solver.retrieve(problem_id, request.key) is solver.flying(request.key) is future
    read_answer(future, request)
    assert solver.retrieve(problem_id, request.key) is not future
    solver.landed(request.key)
    assert solver.flying(request.key) is None


def test_an_estimate_is_oceans(serve, connect):
    serve()
    solver = connect()
    few, many = (solver.estimate_us(100, num_qubits=qubits, annealing_time=50.0) for qubits in (1, 160))
    assert few <= many
    assert many == pytest.approx(solver._solver.estimate_qpu_access_time(160, num_reads=100, annealing_time=50.0))
    silent = SolverDefinition(solver="s", properties={"qubits": [0], "couplers": [], "supported_problem_types": []})
    with pytest.raises(QPUError, match="no timing data"):
        silent.estimate_us(10)
