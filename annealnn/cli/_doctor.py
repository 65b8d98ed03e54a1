"""`annealnn doctor`."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import typer
from rich.console import Console

_PACKAGES = (
    "annealnn",
    "dwave-ocean-sdk",
    "dimod",
    "dwave-samplers",
    "dwave-system",
    "minorminer",
    "numba",
    "numpy",
    "scipy",
    "scikit-learn",
)


def doctor() -> None:
    """Check the installation: packages, shipped files, kernels, samplers. Prints no secret."""
    console = Console(highlight=False)
    console.print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    checks = [_packages, _shipped_files, _kernels, _samplers, _processor]
    failed = 0
    for check in checks:
        try:
            console.print(f"[green]ok[/green]    {check()}", soft_wrap=True)
        except Exception as error:
            failed += 1
            console.print("[red]wrong[/red] ", end=" ")
            console.print(f"{check.__name__.strip('_')}: {error}", markup=False, soft_wrap=True)
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


def _shipped_files() -> str:
    from annealnn._resources import folders, provenance, read_bytes

    count = 0
    for kind in ("datasets", "embeddings"):
        for folder in folders(kind):
            for name in provenance(folder)["files"]:
                read_bytes(kind, folder.name, name)
                count += 1
    return f"{count} shipped files have their checksums"


def _kernels() -> str:
    import dimod

    from annealnn._parallel import available_threads
    from annealnn.samplers import GibbsSampler

    bqm = dimod.BQM({"a": 0.7, "b": -0.3}, {"ab": -0.9}, 0.0, "SPIN")
    GibbsSampler().sample(bqm, num_reads=2, num_sweeps=2, seed=0)
    return f"kernels compile and run, {available_threads()} threads"


def _samplers() -> str:
    from annealnn.registry import SamplerSpec, sampler_names

    names = sampler_names()
    for name in names:
        SamplerSpec(name).open()
    return f"samplers open: {', '.join(names)}"


def _processor() -> str:
    from dwave.cloud.config import get_configfile_paths

    configured = bool(os.environ.get("DWAVE_API_TOKEN") or get_configfile_paths())
    return "a D-Wave configuration is there" if configured else "no D-Wave configuration (none is needed locally)"
