"""Public names that load on first use (PEP 562)."""

from collections.abc import Callable, Mapping
from importlib import import_module


def attach(
    package: str, sources: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for a package.

    `sources` maps each public name to the module that defines it. A name equal to its module's last part
    stands for the module itself.
    """
    names = sorted(sources)

    def load(name: str) -> object:
        if name not in sources:
            msg = f"module {package!r} has no attribute {name!r}; its public names are {', '.join(names)}"
            raise AttributeError(msg)
        module = import_module(sources[name])
        return module if sources[name] == f"{package}.{name}" else getattr(module, name)

    return load, lambda: names, names
