"""Fixtures that several rooms share."""

import os
import signal

# a shell that starts the tests in the background has told them to ignore Ctrl-C, and so their children; some send it
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# scikit-learn's suite skips its array-API check without this, and it counts only before scipy is imported
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import pytest
from threadpoolctl import threadpool_limits

from annealnn.datasets import make_bars_and_stripes, make_bernoulli_mixture
from annealnn.experiments._job import load_data


@pytest.fixture
def one_blas_thread():
    """Small matrices on one thread: on a busy machine the threads of BLAS wait for each other, eight times as long."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def optdigits46():
    """The 46-variable data: 1,545 training and 723 test rows."""
    return load_data()


@pytest.fixture(scope="session")
def bars():
    """Bars and stripes 3x3: 14 rows of 9 bits, and labels."""
    return make_bars_and_stripes(3, 3)


@pytest.fixture(scope="session")
def mixture():
    """500 rows of 6 bits."""
    return make_bernoulli_mixture(500, 6, 3, 0.9, random_state=1)[0]
