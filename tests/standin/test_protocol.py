"""The solver API over HTTP, as plain requests and Ocean's api classes see it."""

import base64
import re
import time
import zlib

import numpy as np
import pytest
import requests
from dwave.cloud import Client
from dwave.cloud.api import Problems, Solvers
from dwave.cloud.exceptions import CanceledFutureError, SolverFailureError

from annealnn.exceptions import MissingDependencyError
from annealnn.standin import StandIn, serve_in_thread


@pytest.fixture
def get(zephyr):
    def ask(path, token=zephyr.token, **headers):
        return requests.get(zephyr.endpoint + path, headers={"X-Auth-Token": token, **headers}, timeout=10)

    return ask


def body_of(sampler, h, J=None, *, label=None, **parameters):
    """A job as the client writes it."""
    lin = [h.get(v, np.nan) for v in sampler.properties["qubits"]]
    inside = [(u, v) for u, v in sampler.properties["couplers"] if u in h and v in h]
    quad = [(J or {}).get(edge, 0.0) for edge in inside]
    data = {"format": "qp", "offset": 0.0}
    for name, numbers in (("lin", lin), ("quad", quad)):
        data[name] = base64.b64encode(np.array(numbers, dtype="<f8").tobytes()).decode()
    solver = sampler.solver.identity.dict()
    return {"solver": solver, "type": "ising", "data": data, "params": parameters} | ({"label": label} if label else {})


def post(served, jobs, **kwargs):
    reply = requests.post(
        served.endpoint + "problems/", json=jobs, headers={"X-Auth-Token": served.token}, timeout=20, **kwargs
    )
    assert reply.ok
    return reply.json()


def test_definitions_and_filters(get, zephyr):
    whole = get("solvers/remote/")
    assert whole.headers["content-type"] == "application/vnd.dwave.sapi.solver-definition-list+json; version=3.0.0"
    assert whole.headers["cache-control"] == "no-store"
    (one,) = whole.json()
    assert set(one) == {"identity", "status", "description", "properties", "avg_load"}
    assert "simulated" in one["identity"]["name"]
    assert one["properties"]["annealnn_simulation"]["physics"] == {"name": "thermal", "num_sweeps": 200}
    name = one["identity"]["name"]
    assert get("solvers/remote/", token="no").status_code == 401
    for path in (name, f"{name};graph_id={zephyr.standin.chip.graph_id}", f"{name}/"):
        definition = get(f"solvers/remote/{path}?filter=none,%2Bidentity,%2Bproperties.h_range")
        assert definition.headers["content-type"].startswith("application/vnd.dwave.sapi.solver-definition+json")
        assert definition.json() == {"identity": one["identity"], "properties": {"h_range": [-4.0, 4.0]}}
    left = get("solvers/remote/?filter=all,-status,-avg_load,-properties.couplers").json()[0]
    assert set(left) == {"identity", "description", "properties"}
    assert set(one["properties"]) - set(left["properties"]) == {"couplers"}
    assert get("solvers/remote/another").status_code == 404
    assert get("solvers/remote/?filter=some").status_code == 400


def test_caching(serve):
    served = serve(max_age_s=60)
    first = requests.get(served.endpoint + "solvers/remote/", headers={"X-Auth-Token": served.token}, timeout=10)
    assert first.headers["cache-control"] == "max-age=60"
    headers = {"X-Auth-Token": served.token, "If-None-Match": first.headers["etag"]}
    again = requests.get(served.endpoint + "solvers/remote/", headers=headers, timeout=10)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    served.standin.kill_qubits(num=1)
    assert requests.get(served.endpoint + "solvers/remote/", headers=headers, timeout=10).status_code == 200


def test_the_client_keeps_a_definition_and_asks_whether_it_is_still_so(serve, tmp_path):
    served = serve(max_age_s=0)
    with Solvers(endpoint=served.endpoint, token=served.token, cache={"enabled": True, "home": str(tmp_path)}) as one:
        one.session.hooks["response"].append(lambda reply, **_: seen.append(reply.status_code))
        seen = []
        (first,) = one.list_solvers()
        assert one.list_solvers() == [first]
        served.standin.kill_qubits(num=1)
        assert one.list_solvers() != [first]
    assert seen == [200, 304, 200]


def test_ocean_s_api_classes(zephyr, qpu):
    config = {"endpoint": zephyr.endpoint, "token": zephyr.token}
    with Solvers(**config) as solvers:
        (solver,) = solvers.list_solvers()
        assert solvers.get_solver(solver.identity.name).identity == solver.identity
    label = f"api-{time.time()}"
    future = qpu.solver.sample_ising({qpu.nodelist[0]: 1.0}, {}, num_reads=7, label=label, answer_mode="raw")
    future.result()
    with Problems(**config) as problems:
        (status,) = problems.list_problems(label=label)
        assert (status.id, status.status, status.label) == (future.id, "COMPLETED", label)
        assert problems.list_problems(label=label, status="PENDING") == []
        assert problems.list_problems(label=label, solver=solver.identity)[0].id == status.id
        assert len(problems.list_problems(max_results=1)) == 1
        assert problems.get_problem_status(status.id) == status
        assert [one.id for one in problems.get_problem_statuses([status.id] * 2)] == [status.id] * 2
        answer = problems.get_problem_answer(status.id)
        assert problems.get_problem(status.id, timeout=1).answer == answer
        info = problems.get_problem_info(status.id)
        assert info.params == {"num_reads": 7, "answer_mode": "raw"}
        assert (info.metadata.label, info.answer) == (label, answer)
        assert problems.get_problem_messages(status.id) == []
        # and the same job once more, from what the service tells of it
        again = problems.submit_problem(data=info.data, params=info.params, solver=solver.identity, type="ising")
        assert problems.get_problem(again.id, timeout=5).status == "COMPLETED"
        assert [one.error_code for one in problems.cancel_problems([again.id, "none"])] == [409, 404]
    assert zephyr.standin.job(again.id).label is None


@pytest.mark.parametrize("inline", [False, True])
def test_answers_come_inline_or_are_waited_for(serve, connect, inline):
    served = serve(inline=inline, latency_s=0.1)
    sampler = connect(served)
    started = time.perf_counter()
    sampler.sample_ising({sampler.nodelist[0]: 1.0}, {}).resolve()
    assert 0.1 <= time.perf_counter() - started < 5
    requests_made = served.standin.statistics()["requests"]
    assert ("poll" in requests_made, "answer" in requests_made) == (not inline, not inline)


def test_bodies_are_inflated_and_batches_answered_item_by_item(zephyr, qpu):
    v = qpu.nodelist[0]
    good, bad = body_of(qpu, {v: 1.0}, label="good"), body_of(qpu, {v: 1.0}, num_reads=0)
    first, second = post(zephyr, [good, bad])
    assert first["label"] == "good"
    assert second == {
        "error_code": 400,
        "error_msg": "num_reads is a whole number in [1, 10000]; got 0",
    }
    headers = {"X-Auth-Token": zephyr.token, "Content-Encoding": "deflate"}
    url = zephyr.endpoint + "problems/"
    raw = requests.Request("POST", url, json=[good]).prepare().body
    assert requests.post(url, data=zlib.compress(raw), headers=headers, timeout=10).json()[0]["type"] == "ising"
    assert requests.post(url, data=b"nonsense", headers=headers, timeout=10).status_code == 400
    assert requests.get(f"{url}?id={first['id']},none", headers=headers, timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"params": {"num_reads": 20_000}}, "num_reads is a whole number in [1, 10000]; got 20000"),
        ({"params": {"annealing_time": 3000}}, "annealing_time_range is [0.5, 2000.0] us; got 3000"),
        ({"params": {"annealing_time": 2000, "num_reads": 600}}, "A job takes at most 1e+06 us, readout and delay"),
        ({"params": {"anneal_schedule": [[0, 0], [1, 0.5]]}}, "anneal_schedule is 2 to 12 points"),
        ({"params": {"anneal_schedule": [[0, 0], [9, 1]], "annealing_time": 9}}, "exclude each other; got both"),
        ({"params": {"anneal_schedule": [[0, 1], [5, 0.5], [9, 1]]}}, "initial_state goes with an anneal_schedule"),
        ({"params": {"anneal_schedule": [[0, 0], [5, 0.1], [5.1, 1]]}}, "slopes up to 2 per us; got 9 from 5 us"),
        ({"params": {"readout_thermalization": -1}}, "readout_thermalization is in [0.0, 10000.0]; got -1"),
        ({"params": {"flux_biases": [0.0]}}, "flux_biases is 336 numbers; got [0.0]"),
        ({"params": {"fast_anneal": True, "annealing_time": 0.1}}, "A fast anneal takes no fields"),
        ({"params": {"beta": 1}}, "Unknown parameter 'beta'; this solver's are anneal_schedule"),
        ({"params": {"auto_scale": False}, "h": 5.0}, "h_range is [-4.0, 4.0]; got 5. Scale the problem"),
        ({"params": {"auto_scale": False}, "J": -2.5}, "extended_j_range is [-2.0, 1.0]; got -2.5"),
        ({"type": "bqm"}, "Problem types of this solver are ising and qubo; got 'bqm'"),
        ({"data": {"format": "ref", "data": "x"}}, "Problem data is an object of format 'qp'"),
        ({"lin": "AAAA"}, "'lin', the base64 of 64-bit floats"),
        ({"quad": ""}, "'quad' has 1 numbers on this working graph; got 0"),
        ({"h": np.inf}, "Biases are finite numbers"),
        ({"solver": {"name": "another"}}, "Solver 'another' does not exist"),
        ({"label": 3}, "label is a string; got 3"),
    ],
)
def test_jobs_that_break_a_rule_are_refused(zephyr, qpu, change, said):
    before = zephyr.standin.statistics()["accepted"]
    u, v = qpu.edgelist[0]
    job = body_of(qpu, {u: change.pop("h", 1.0), v: 0.0}, {(u, v): change.pop("J", 0.5)})
    for name in ("lin", "quad"):
        if name in change:
            job["data"][name] = change.pop(name)
    (item,) = post(zephyr, [job | change])
    assert said in item["error_msg"]
    assert zephyr.standin.statistics()["accepted"] == before


def test_a_fast_anneal_and_few_answers(qpu):
    J = dict.fromkeys(qpu.edgelist[:20], 0.1)
    out = qpu.sample_ising({}, J, num_reads=200, fast_anneal=True, annealing_time=0.01, max_answers=3)
    assert len(out) == 3
    assert (np.diff(out.record.energy) >= 0).all()
    assert out.info["timing"]["qpu_anneal_time_per_sample"] == 0.01


def test_a_job_over_the_run_duration_is_one_that_max_num_reads_lets_pass(qpu):
    reads = qpu.solver.max_num_reads(annealing_time=100.0)
    with pytest.raises(SolverFailureError, match="Ask for fewer reads or shorter anneals"):
        qpu.sample_ising({qpu.nodelist[0]: 1.0}, {}, num_reads=reads, annealing_time=100.0).resolve()


def test_cancelling(serve, connect):
    served = serve(latency_s=20.0)
    sampler = connect(served)
    future = sampler.solver.sample_ising({sampler.nodelist[0]: 1.0}, {})
    waiting = sampler.solver.sample_ising({sampler.nodelist[0]: 1.0}, {})
    for one in (future, waiting):
        one.wait_id(timeout=60)  # the client cancels what it knows the id of
        one.cancel()
        with pytest.raises(CanceledFutureError):
            one.result()
    statistics = served.standin.statistics()
    assert statistics["statuses"]["CANCELLED"] == 2
    assert statistics["billed_us"] == 0
    url = f"{served.endpoint}problems/"
    reply = requests.delete(url, json=[waiting.id], headers={"X-Auth-Token": served.token}, timeout=10)
    assert reply.json()[0]["error_code"] == 409


def test_qubits_die_in_mid_run(serve, connect):
    served = serve()
    sampler = connect(served)
    u, v = sampler.edgelist[0]
    url = served.admin + "kill-qubits"
    reply = requests.post(url, json={"qubits": [u]}, headers={"X-Auth-Token": served.token}, timeout=10).json()
    assert reply == {"dead": [u], "identity": served.standin.chip.identity}
    with pytest.raises(SolverFailureError, match=re.escape("has no graph_id")):
        sampler.sample_ising({v: 1.0}, {}).resolve()
    changed = connect(served)
    assert u not in changed.nodelist
    assert changed.solver.identity.name == sampler.solver.identity.name
    changed.sample_ising({v: 1.0}, {}).resolve()
    again = requests.post(url, json={"qubits": [u]}, headers={"X-Auth-Token": served.token}, timeout=10)
    assert again.status_code == 400
    assert "qubits that can die are working ones" in again.json()["error_msg"]


def test_a_job_fails_whose_qubits_die_before_it_runs(serve, connect):
    served = serve(latency_s=1.0)
    sampler = connect(served)
    first, second = (sampler.sample_ising({v: 1.0}, {}) for v in sampler.nodelist[:2])
    while served.standin.statistics()["statuses"]["IN_PROGRESS"] == 0 or served.standin.statistics()["accepted"] < 2:
        time.sleep(0.01)
    served.standin.kill_qubits(sampler.nodelist[1:2])
    first.resolve()
    with pytest.raises(SolverFailureError, match="has left the working graph"):
        second.resolve()
    assert served.standin.statistics()["statuses"]["COMPLETED"] == 1


def test_accounts_by_label(serve, connect):
    served = serve(topology="chimera-1")
    sampler = connect(served)
    for label in ("a", "a", "b"):
        sampler.sample_ising({sampler.nodelist[0]: 1.0}, {}, label=label).resolve()
    statistics = requests.get(served.admin + "stats", headers={"X-Auth-Token": served.token}, timeout=10).json()
    assert statistics["simulated"] is True
    once = statistics["labels"]["b"]
    assert once["accepted"] == once["completed"] == once["billed"] == 1
    assert statistics["labels"]["a"] == {key: 2 * value for key, value in once.items()}
    assert statistics["billed_us"] == pytest.approx(3 * once["billed_us"])
    assert requests.get(served.admin + "stats", timeout=10).status_code == 401


def test_old_answers_are_given_up(serve):
    served = serve(kept_bytes=1)
    with Client(endpoint=served.endpoint, token=served.token, config_file=False) as client:
        solver = client.get_solver()
        first = solver.sample_ising({min(solver.nodes): 1.0}, {})
        first.result()
        solver.sample_ising({min(solver.nodes): 1.0}, {}).result()
    for part in ("answer", "info"):
        reply = requests.get(
            f"{served.endpoint}problems/{first.id}/{part}", headers={"X-Auth-Token": served.token}, timeout=10
        )
        assert reply.status_code == 404


def test_many_jobs_at_once(serve):
    served = serve("chimera-1")
    with Client(endpoint=served.endpoint, token=served.token, config_file=False) as client:
        solver = client.get_solver()
        futures = [solver.sample_ising({v: 1.0}, {}) for v in sorted(solver.nodes) * 10]
        assert len({future.id for future in futures if future.result()}) == 80
    assert served.standin.statistics()["requests"]["submit"] < 80


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"topology": "torus-3"}, "a topology is chimera-M"),
        ({"num_dead_couplers": 10**6}, "num_dead_couplers is at most the number of couplers"),
        ({"name": "Advantage2_system1"}, "holds \"simulated\"; got 'Advantage2_system1'"),
        ({"properties": {"beta": 3}}, "properties that may be set are annealing_time_range"),
        ({"properties": {"j_range": [0, 1]}}, "j_range is a lower and a higher number, below and above 0"),
        ({"properties": {"num_reads_range": [10, 1]}}, "num_reads_range is a lower and a higher number; got [10, 1]"),
        ({"latency_s": -1}, "latency_s is a finite number, at least 0; got -1"),
        ({"seed": -1}, "seed is a whole number of at least 0; got -1"),
    ],
)
def test_bad_settings(settings, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        StandIn(**{"topology": "chimera-1", **settings})


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    with (
        pytest.raises(MissingDependencyError, match=re.escape("pip install 'annealnn[standin]'")),
        serve_in_thread(StandIn("chimera-1")),
    ):
        pass


def test_a_port_that_is_taken(zephyr):
    port = int(zephyr.endpoint.split(":")[2].split("/")[0])
    with pytest.raises(OSError), serve_in_thread(StandIn("chimera-1"), port=port):
        pass
