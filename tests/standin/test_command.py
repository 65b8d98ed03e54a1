"""`annealnn qpu standin`, as a user starts it."""

import json
import re
import signal
import socket
import subprocess
import sys

import pytest
import requests
from dwave.system import DWaveSampler

from annealnn.cli import _app


@pytest.fixture
def command():
    started = []

    def start(*words):
        line = [sys.executable, "-m", "annealnn", "qpu", "standin", *words]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_it_serves_until_ctrl_c(command, tmp_path):
    script = tmp_path / "faults.json"
    script.write_text(json.dumps([{"on": "poll", "what": "status", "status": 503, "requests": [1]}]))
    process = command(
        *("--topology", "chimera-2", "--dead", "0.1", "--dead-couplers", "2", "--property", "h_range=[-2,2]"),
        *("--token", "SIM-secret", "--seed", "3", "--beta", "1.5", "--latency", "0.1"),
        *("--fault", str(script), "--fault", "job:failed:requests=[2]"),
    )
    said = [process.stdout.readline() for _ in range(6)]
    assert said[0].startswith("SIMULATION: no quantum processor")
    assert said[1].startswith("solver annealnn_simulated_chimera2: 29 qubits, ")
    endpoint = re.fullmatch(r"export DWAVE_API_ENDPOINT=(\S+)\n", said[3])[1]
    assert said[4] == "export DWAVE_API_TOKEN=SIM-secret\n"
    with DWaveSampler(endpoint=endpoint, token="SIM-secret", config_file=False) as sampler:
        assert sampler.properties["h_range"] == [-2, 2]
        sampler.sample_ising({sampler.nodelist[0]: 1.0}, {}).resolve()
    headers = {"X-Auth-Token": "SIM-secret"}
    url = re.search(r"http\S+stats", said[5])[0]
    assert requests.get(url, headers=headers, timeout=10).json()["faults"] == {"poll status": 1}
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dead", "-1"], "--dead is a whole number of at least 0, or a share below 1; got -1"),
        (["--topology", "torus-3"], "a topology is chimera-M"),
        (["--fault", "submit:drop:often"], "a fault has on, what, and"),
        (["--fault", "submit:burn"], "what is one of 'drop', 'status'"),
        (["--fault", "submit:failed"], "befall jobs, and all else requests"),
        (["--property", "h_range"], "--property is NAME=VALUE, the value JSON; got 'h_range'"),
        (["--property", "beta=3"], "properties that may be set are"),
        (["--port", "65536"], "a port is a whole number from 0, which takes a free one, to 65535; got 65536"),
        (["--beta", "-1"], "beta is a finite number, at least 0; got -1"),
        (["--physics", "path-integral", "--freeze-at", "2"], "s is a finite number, above 0 and at most 1; got 2"),
    ],
)
def test_bad_options(monkeypatch, capfd, words, said):
    monkeypatch.setattr("sys.argv", ["annealnn", "qpu", "standin", *words])
    assert _app.run() == 2
    assert said in capfd.readouterr().err


def test_a_port_that_is_taken(monkeypatch, capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("sys.argv", ["annealnn", "qpu", "standin", "--topology", "chimera-1", "--port", str(port)])
        assert _app.run() == 2
    assert f"port {port} cannot be served on" in capfd.readouterr().err
