"""`annealnn doctor`."""

import os
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from annealnn._resources import Kind

_PACKAGES = (
    "annealnn",
    "dwave-ocean-sdk",
    "dimod",
    "dwave-samplers",
    "dwave-system",
    "dwave-cloud-client",
    "minorminer",
    "numba",
    "numpy",
    "scipy",
    "scikit-learn",
)

# what may be printed of a D-Wave profile; a token, and a proxy with its password, may not
_PRINTABLE = ("endpoint", "region", "client", "solver")


def doctor() -> None:
    """Check the installation: versions, devices, shipped files, samplers, a processor's profile, a short self-test.

    Prints no secret. Ends with status 1 if something is wrong.
    """
    console = Console(highlight=False)
    checks = {
        "python": lambda: f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": _packages,
        "devices": _devices,
        "data": lambda: _shipped("datasets"),
        "embeddings": lambda: _shipped("embeddings"),
        "samplers": _samplers,
        "processor": _processor,
        "self-test": _self_test,
    }
    failed = 0
    for name, check in checks.items():
        try:
            mark, said = "[green]ok[/green]   ", check()
        except Exception as error:
            mark, said = "[red]wrong[/red]", str(error)
            failed += 1
        console.print(mark, end=" ")
        console.print(f"{name}: {said}", markup=False, soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


def _packages() -> str:
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        msg = f"not installed: {', '.join(missing)}. Install annealnn again"
        raise RuntimeError(msg)
    return ", ".join(found)


def _devices() -> str:
    from annealnn._parallel import available_threads

    return f"cpu, {available_threads()} threads of {os.cpu_count()} (this release uses no GPU)"


def _shipped(kind: "Kind") -> str:
    from annealnn._resources import data_root, folders, provenance, read_bytes

    found = []
    for folder in folders(kind):
        files = provenance(folder)["files"]
        for name in files:
            read_bytes(kind, folder.name, name)
        found.append(f"{folder.name} ({', '.join(files)})")
    return f"{', '.join(found)}; checksums agree; in {data_root(kind)}"


def _samplers() -> str:
    from annealnn.registry import SamplerSpec, sampler_names

    names = sampler_names(local=True)
    for name in names:
        SamplerSpec(name).open()
    return ", ".join(names)


def _processor() -> str:
    from dwave.cloud.config import get_configfile_paths, load_config, load_config_from_files

    config = load_config()
    if not config.get("token"):
        return "no D-Wave token is configured (none is needed locally; `dwave config create` makes a profile)"
    named = os.environ.get("DWAVE_CONFIG_FILE")
    files = [named] if named else get_configfile_paths()
    profiles = load_config_from_files(files)
    # as the client chooses: the environment, what the defaults say, the first one, the defaults themselves
    profile = os.environ.get("DWAVE_PROFILE") or profiles.defaults().get("profile") or next(iter(profiles), "defaults")
    shown = [f"{key} {_without_password(config[key])}" for key in _PRINTABLE if config.get(key)]
    source = ", ".join(files) or "the environment"
    return "; ".join([f"D-Wave profile {profile} from {source}", *shown, "a token is set"])


def _without_password(value: str) -> str:
    """Return a setting without the user and password that an address may hold."""
    return re.sub(r"//[^/@]*@", "//", str(value))


def _self_test() -> str:
    """Sample, anneal and embed in a few seconds, against exact answers."""
    import dimod
    import numpy as np

    from annealnn.embeddings import embed_structure
    from annealnn.models import IsingModel, Structure
    from annealnn.samplers import GibbsSampler, SimulatedAnnealingSampler

    started = time.perf_counter()
    rng = np.random.default_rng(0)
    model = IsingModel(rng.normal(size=12), np.triu(rng.normal(size=(12, 12)) / 4, 1))
    exact, bqm = model.exact(), model.to_bqm()

    reads = GibbsSampler().sample(bqm, num_reads=10_000, num_sweeps=50, seed=0)
    means = reads.record.sample[:, [reads.variables.index(v) for v in range(12)]].mean(axis=0)
    errors = np.sqrt((1 - exact.moments.spins**2) / 10_000)
    if (worst := float(np.abs((means - exact.moments.spins) / errors).max())) > 6:
        msg = f"Gibbs reads are {worst:.1f} standard errors off enumeration. Install numba again"
        raise RuntimeError(msg)

    best = SimulatedAnnealingSampler().sample(bqm, num_reads=50, num_sweeps=200, seed=0).first.energy
    if abs(best - exact.ground_energy) > 1e-9:
        msg = f"annealing found energy {best}, the ground state has {exact.ground_energy}"
        raise RuntimeError(msg)

    embedded = embed_structure(Structure.complete(12), "zephyr-3")
    spins = rng.choice([-1, 1], (20, 12)).astype(np.int8)
    if not np.array_equal(embedded.decode(embedded.encode(spins)).spins, spins):
        msg = "embedded spins do not decode to themselves"
        raise RuntimeError(msg)

    problem = dimod.generators.ran_r(1, 100, seed=0)
    GibbsSampler().sample(problem, num_reads=10, num_sweeps=1, seed=0)
    began = time.perf_counter()
    GibbsSampler().sample(problem, num_reads=200, num_sweeps=20, seed=0)
    rate = 200 * 20 * 100 / (time.perf_counter() - began)
    return (
        f"reads match enumeration (worst mean {worst:.1f} standard errors off), annealing finds the ground state, "
        f"chains decode; {rate / 1e6:.1f} million updates a second on 100 fully connected spins; "
        f"{time.perf_counter() - started:.1f} s"
    )
