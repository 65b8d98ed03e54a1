"""A rehearsal: a stand-in is served, and D-Wave's configuration leads to it and to nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annealnn.standin import Served, StandIn, serve_in_thread

_OURS = ("DWAVE_", "ANNEALNN_JOURNAL", "ANNEALNN_REPLAY")


@contextmanager
def rehearsal(standin: StandIn, folder: Path) -> Iterator[Served]:
    """Serve a stand-in from a thread; while the context lasts, `SamplerSpec.qpu()` opens it.

    Whatever else of D-Wave's the environment holds is set aside, so that nothing can reach a real processor.

    Parameters
    ----------
    standin : StandIn
    folder : path
        Of the journal and of an empty configuration file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dwave.conf"
    configuration.touch()
    before = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
    with serve_in_thread(standin) as served:
        for name in before:
            del os.environ[name]
        os.environ.update(
            DWAVE_CONFIG_FILE=str(configuration),
            DWAVE_API_ENDPOINT=served.endpoint,
            DWAVE_API_TOKEN=served.token,
            ANNEALNN_JOURNAL=str(folder / "journal.sqlite"),
        )
        try:
            yield served
        finally:
            for name in [name for name in os.environ if name.startswith(_OURS)]:
                del os.environ[name]
            os.environ.update(before)
