"""Stand-ins, and Ocean's own client connected to them."""

from contextlib import ExitStack

import pytest
from dwave.system import DWaveSampler

from annealnn.standin import Fault, StandIn, ThermalPhysics, serve_in_thread


@pytest.fixture
def serve():
    """Serve a stand-in of these settings until the test ends."""
    with ExitStack() as stack:

        def start(topology="chimera-2", *, faults=(), **settings):
            faults = [Fault.parse(one) if isinstance(one, str) else one for one in faults]
            standin = StandIn(topology, faults=faults, **{"seed": 1, **settings})
            return stack.enter_context(serve_in_thread(standin))

        yield start


@pytest.fixture
def connect():
    """Open Ocean's sampler on a stand-in until the test ends."""
    with ExitStack() as stack:

        def open_sampler(served, **config):
            wanted = {"endpoint": served.endpoint, "token": served.token, "config_file": False, **config}
            return stack.enter_context(DWaveSampler(**wanted))

        yield open_sampler


@pytest.fixture(scope="session")
def zephyr():
    """One stand-in for all tests that leave it as it is: Zephyr 3 with dead qubits, beta 2.5."""
    standin = StandIn("zephyr-3", num_dead_qubits=6, num_dead_couplers=10, physics=ThermalPhysics(beta=2.5), seed=5)
    with serve_in_thread(standin) as served:
        yield served


@pytest.fixture(scope="session")
def qpu(zephyr):
    with DWaveSampler(endpoint=zephyr.endpoint, token=zephyr.token, config_file=False) as sampler:
        yield sampler
