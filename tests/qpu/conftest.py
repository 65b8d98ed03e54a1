"""A simulated processor behind D-Wave's own client, and requests to it."""

import os
from contextlib import ExitStack

import numpy as np
import pytest

from annealnn.qpu import Connection, Dispatcher, JobRequest, Journal, Retries
from annealnn.standin import StandIn, serve_in_thread

TOKEN = "SIM-5a1ad0c0ffee-do-not-print"
FAST = Retries(num_retries=2, first_wait_s=0.01, longest_wait_s=0.05, settle_s=0.05, num_lookups=2)


@pytest.fixture
def no_account(monkeypatch, tmp_path):
    """No D-Wave configuration, and no journal, but what the test makes."""
    for name in list(os.environ):
        if name.startswith(("DWAVE_", "ANNEALNN_")):
            monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))


@pytest.fixture
def serve(no_account, monkeypatch):
    """Serve a stand-in for the length of a test; the environment leads to it."""
    with ExitStack() as stack:

        def start(topology="zephyr-2", *, token=TOKEN, **settings):
            served = stack.enter_context(serve_in_thread(StandIn(topology, seed=1, token=token, **settings)))
            monkeypatch.setenv("DWAVE_API_ENDPOINT", served.endpoint)
            monkeypatch.setenv("DWAVE_API_TOKEN", TOKEN)
            return served.standin

        yield start


@pytest.fixture
def connect():
    """Open connections, and close them after the test."""
    with ExitStack() as stack:

        def opened(**settings):
            settings.setdefault("retries", FAST)
            return stack.enter_context(Connection.open(config_file=False, **settings))

        yield opened


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as journal:
        yield journal


@pytest.fixture
def dispatch(journal, connect):
    """Make dispatchers that wait for little."""

    def make(connection=None, **settings):
        defaults = settings.pop("defaults", None)
        settings = {"retries": FAST, **settings}
        return Dispatcher(connection or connect(defaults=defaults), settings.pop("journal", journal), **settings)

    return make


@pytest.fixture
def ask():
    """Make requests that differ in their draw."""

    def request(of, number=0, **changes):
        settings = {
            "solver": of.solver_id,
            "qubits": np.array(of.nodelist[:3]),
            "fields": np.array([0.25, -0.5, 0.0]),
            "couplers": np.empty((0, 2), dtype=np.intp),
            "couplings": np.empty(0),
            "parameters": {"num_reads": 20, "answer_mode": "raw"},
            "experiment": "a test",
            "draw": (7, number),
            "estimated_us": 13_000.0,
        }
        return JobRequest(**{**settings, **changes})

    return request
