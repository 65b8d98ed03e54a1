"""Which release of a library a contestant is."""

from importlib.metadata import PackageNotFoundError, version

from annealnn._version import __version__


def release(*distributions: str) -> str:
    """Return names and releases, "dwave-samplers 1.8.0"; a library that is not installed is "not installed"."""
    return ", ".join(f"{name} {_version(name)}" for name in distributions)


def _version(name: str) -> str:
    if name == "annealnn":
        return __version__
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
