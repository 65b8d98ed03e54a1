"""From a recipe to an open processor."""

import hashlib
import json
import os
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dimod

from annealnn._validation import check_count
from annealnn.qpu._dispatcher import Dispatcher
from annealnn.qpu._quench import QuenchComposite
from annealnn.qpu._sampler import QPUSampler
from annealnn.samplers import EmbeddedSampler, PackedSampler

# those that are open, by what they were opened with: a machine opens its sampler whenever it draws
_OPEN: "weakref.WeakValueDictionary[str, Dispatcher]" = weakref.WeakValueDictionary()
_OPENING = threading.Lock()


def open_qpu(
    *,
    profile: str | None = None,
    solver: str | Mapping[str, Any] | None = None,
    region: str | None = None,
    config_file: str | bool | None = None,
    embedding: Any = None,
    num_copies: int = 1,
    num_gauges: int = 1,
    journal: str | None = None,
    experiment: str = "",
    budget_us: float | None = None,
    resubmit_in_doubt: bool = False,
    quench: Any = None,
) -> dimod.Sampler:
    """Return a processor's sampler, opened as `SamplerSpec.qpu` says: through the user's D-Wave configuration.

    Where the environment names `ANNEALNN_REPLAY`, everything is answered from that journal, without network.

    Raises
    ------
    ValueError
        If copies are asked for, which find embeddings of their own, and an embedding is given.
    QPUError
        If it cannot be opened, saying what to configure.
    JournalError
        If the journal cannot be used.
    """
    if num_copies != 1 and embedding not in (None, "find"):
        msg = f"copies find embeddings of their own; got num_copies={num_copies!r} and an embedding. Leave one out"
        raise ValueError(msg)
    opening = {"profile": profile, "solver": solver, "region": region, "config_file": config_file}
    rules = {"budget_us": budget_us, "resubmit_in_doubt": resubmit_in_doubt, "experiment": experiment}
    dispatcher = _dispatcher(opening, journal, rules)
    sampler: dimod.Sampler = QPUSampler(dispatcher, num_gauges=num_gauges, experiment=experiment)
    if check_count("num_copies", num_copies) > 1:
        sampler = PackedSampler(sampler, num_copies=num_copies)
    elif embedding is not None:
        sampler = EmbeddedSampler(sampler, embedding=None if embedding == "find" else embedding)
    return sampler if quench is None else QuenchComposite(sampler, quench)


def _dispatcher(opening: dict[str, Any], journal: str | None, rules: dict[str, Any]) -> Dispatcher:
    """Return the dispatcher that was opened in this way if somebody has it, else a new one."""
    surroundings = {name: value for name, value in os.environ.items() if name.startswith(("DWAVE_", "ANNEALNN_"))}
    asked = [os.getpid(), str(Path.cwd()), opening, journal, rules, surroundings]
    # hashed, for the environment may hold a token
    name = hashlib.sha256(json.dumps(asked, sort_keys=True, default=repr).encode()).hexdigest()
    with _OPENING:
        found = _OPEN.get(name)
        if found is not None:
            return found
        found = Dispatcher.open(journal=journal, opening=opening, **rules)
        if found.connection is not None:
            # at exit the client's threads end with the process
            weakref.finalize(found, found.connection.close).atexit = False
        _OPEN[name] = found
    return found
