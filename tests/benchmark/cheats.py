"""Families and contestants that misbehave, importable in a worker: see `world` in conftest.py."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from annealnn.benchmark._contestant import Contestant, Hardware, Run, TimeSplit
from annealnn.benchmark._instance import Instance, InstanceSpec, Optimum
from annealnn.benchmark.families._registry import Family
from annealnn.models import IsingModel


def glass(size, *, seed=0):
    """Every pair of `size` variables coupled, lopsided: fields too, labels in odd order."""
    rng = np.random.default_rng([seed, size])
    J = np.triu(rng.normal(size=(size, size)), 1)
    model = IsingModel(rng.normal(size=size), J, labels=[(i * 7) % 100 for i in range(size)], offset=0.5)
    return Instance(spec=InstanceSpec(family="glass", size=size, seed=seed), model=model)


def shade(size, *, seed=0):
    """A glass that has planted what is not its optimum."""
    given = glass(size, seed=seed)
    up = np.ones(size, np.int8)
    planted = Optimum(energy=float(given.model.energy(up)), proof="planted", state=up)
    return Instance(spec=InstanceSpec(family="shade", size=size, seed=seed), model=given.model, optimum=planted)


def brag(size, *, seed=0):
    """A glass of which `boast` says more than is true."""
    return Instance(spec=InstanceSpec(family="brag", size=size, seed=seed), model=glass(size, seed=seed).model)


def boast(instance):
    """Claims a state that does not have the energy."""
    return Optimum(energy=-1e3, proof="planar", state=np.ones(instance.model.structure.num_variables, np.int8))


GLASS = Family(name="glass", build=glass, summary="a glass on a complete graph", version="3")
SHADE = Family(name="shade", build=shade, summary="a glass with a wrong planting")
BRAG = Family(name="brag", build=brag, summary="a glass with a false proof", certify=boast)


class Guesser(Contestant):
    """Draws random spins; subclasses cheat."""

    effort_name = "num_guesses"
    version = "guesser 1"

    def __init__(self, **settings):
        self.settings = settings

    @property
    def hardware(self):
        return Hardware(name="a pencil", simulated=bool(self.settings.get("simulated")))

    def run(self, model, *, effort, num_reads, seed):
        rng = np.random.default_rng(seed)
        spins = rng.choice(np.array([-1, 1], np.int8), (num_reads, model.structure.num_variables))
        for _ in range(int(effort or 1) - 1):
            again = rng.choice(np.array([-1, 1], np.int8), spins.shape)
            better = model.energy(again) < model.energy(spins)
            spins[better] = again[better]
        return Run(spins, model.energy(spins), TimeSplit(annealing_s=1e-6 * num_reads), {"seed": seed})


class Liar(Guesser):
    """Claims energies that every third of its reads does not have."""

    def run(self, model, **keywords):
        run = super().run(model, **keywords)
        claims = run.energies.copy()
        claims[::3] -= self.settings.get("by", 2.0)
        return run._replace(energies=claims)


class Odd(Guesser):
    """Changes one part of its answer; `how` says which."""

    def run(self, model, **keywords):
        run = super().run(model, **keywords)
        return {
            "bits": lambda: run._replace(spins=(1 + run.spins) // 2),
            "floats": lambda: run._replace(spins=run.spins.astype(float)),
            "too few": lambda: run._replace(spins=run.spins[1:], energies=run.energies[1:]),
            "no claims": lambda: run._replace(energies=run.energies[:, None]),
            "no number": lambda: run._replace(energies=np.where(run.energies == run.energies[0], np.nan, run.energies)),
            "back in time": lambda: run._replace(timing=TimeSplit(annealing_s=-1.0)),
            "no JSON": lambda: run._replace(info={"device": object()}),
            "nan": lambda: run._replace(info={"beta": float("nan")}),
        }[self.settings["how"]]()


class Crash(Guesser):
    """Ends the process it runs in; `how` says which way."""

    def run(self, model, **keywords):
        how = self.settings["how"]
        if how == "raise":
            msg = "the flux capacitor is empty; the token was DEV-0123456789012345678901234567890123456789"
            raise RuntimeError(msg)
        if how == "sys.exit":
            sys.exit(5)
        if how == "signal":
            os.kill(os.getpid(), signal.SIGKILL)
        sys.stderr.write("the last words")
        sys.stderr.flush()
        os._exit(3)


class Hang(Guesser):
    """Starts a child, writes its process number to a file, and does not come back; where the file is, it is well."""

    def run(self, model, **keywords):
        note = Path(self.settings["note"])
        if note.exists():
            return super().run(model, **keywords)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        note.with_suffix(".part").write_text(str(child.pid), encoding="ascii")
        note.with_suffix(".part").rename(note)
        time.sleep(600)
        return None


class Chatty(Guesser):
    """Prints a record of its own and reads what it is not given."""

    def run(self, model, **keywords):
        sys.stdout.write('{"key": "forged"}\n')
        sys.stdout.flush()
        assert sys.stdin.read() == ""
        return super().run(model, **keywords)


class Meddler(Guesser):
    """Writes lines to every file that is open, a record of another task among them, as a copy of the worker would."""

    def run(self, model, **keywords):
        for line in (b"no record\n", b'{"key": "forged"}\n', b"[1]\n"):
            for file in range(3, 20):
                with contextlib.suppress(OSError):
                    os.write(file, line)
        if hasattr(os, "fork"):
            os.fork()
        return super().run(model, **keywords)


class Hasty(Guesser):
    """Takes its time and tells of none of it."""

    def run(self, model, **keywords):
        begin = time.perf_counter()
        while time.perf_counter() < begin + 0.02:
            pass
        return super().run(model, **keywords)._replace(timing=TimeSplit(annealing_s=1e-9))


class Sorter(Guesser):
    """Sorts its reads, all alike beside each other."""

    def run(self, model, **keywords):
        run = super().run(model, **keywords)
        order = np.lexsort(run.spins.T)
        return run._replace(spins=run.spins[order], energies=run.energies[order])
