"""A rehearsal: a stand-in is served, and D-Wave's configuration leads to it and to nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annealnn.standin import Served, StandIn, leading_to, serve_in_thread


@contextmanager
def rehearsal(standin: StandIn, folder: Path) -> Iterator[Served]:
    """Serve a stand-in from a thread; while the context lasts, `SamplerSpec.qpu()` opens it.

    Parameters
    ----------
    standin : StandIn
    folder : path
        Of the journal and of an empty configuration file.
    """
    with serve_in_thread(standin) as served, leading_to(served, folder):
        yield served
