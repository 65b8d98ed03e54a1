"""D-Wave's configuration for a while: it leads to a stand-in and to nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annealnn.standin._serve import Served

_OURS = ("DWAVE_", "ANNEALNN_JOURNAL", "ANNEALNN_REPLAY")


@contextmanager
def leading_to(served: Served, folder: Path) -> Iterator[None]:
    """While the context lasts, `SamplerSpec.qpu()` opens a stand-in that is served.

    Whatever else of D-Wave's the environment holds is set aside, so that nothing can reach a real processor.

    Parameters
    ----------
    served : Served
    folder : path
        Of the journal and of an empty configuration file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dwave.conf"
    configuration.touch()
    before = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
    for name in before:
        del os.environ[name]
    os.environ.update(
        DWAVE_CONFIG_FILE=str(configuration),
        DWAVE_API_ENDPOINT=served.endpoint,
        DWAVE_API_TOKEN=served.token,
        ANNEALNN_JOURNAL=str(folder / "journal.sqlite"),
    )
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith(_OURS)]:
            del os.environ[name]
        os.environ.update(before)
