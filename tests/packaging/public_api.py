"""Print every public name of the package with its signature, as the source spells it: `make api`.

Signatures come from the syntax tree, so that the list depends on neither Python's version nor a library's.
"""

import ast
import inspect
import pkgutil
import re
from functools import cache
from importlib import import_module

import annealnn


def public_modules():
    """Return the modules that have `__all__`; private ones and the kit's test files are not even imported."""
    names = [info.name for info in pkgutil.walk_packages(annealnn.__path__, "annealnn.")]
    public = [name for name in names if not re.search(r"\.(_|test_|conftest)", name)]
    return [module for module in map(import_module, ["annealnn", *public]) if hasattr(module, "__all__")]


@cache
def statements(module):
    return ast.parse(inspect.getsource(module)).body


def definition(thing):
    """Return the statement that defines a class or function: the last of its name, for overloads come first."""
    named = [node for node in statements(inspect.getmodule(thing)) if getattr(node, "name", None) == thing.__name__]
    return named[-1]


def is_ours(cls):
    return cls.__module__.startswith("annealnn.")


def signature(function):
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"{function.name}({ast.unparse(function.args)}){returns}"


def members(cls):
    """Return a line for every public field, property and method that this package's classes give `cls`."""
    lines = {}
    for owner in reversed(cls.__mro__):
        for node in definition(owner).body if is_ours(owner) else []:
            if isinstance(node, ast.FunctionDef):
                marks = [ast.unparse(mark) for mark in node.decorator_list]
                kind = next((mark for mark in marks if mark in ("property", "classmethod", "staticmethod")), "method")
                lines[node.name] = f"{kind} {signature(node)}"
            elif isinstance(node, ast.AnnAssign):
                lines[ast.unparse(node.target)] = f"field {ast.unparse(node)}"
    return [line for name, line in lines.items() if name == "__init__" or not name.startswith("_")]


def describe(module, name):
    """Return the lines of one public name."""
    thing = getattr(module, name)
    if inspect.isclass(thing):
        bases = ", ".join(ast.unparse(base) for base in definition(thing).bases)
        return [f"class {name}({bases})", *(f"    {line}" for line in members(thing))]
    if inspect.isfunction(thing):
        return [f"function {signature(definition(thing))}"]
    annotated = {ast.unparse(node.target): node for node in statements(module) if isinstance(node, ast.AnnAssign)}
    return [f"value {ast.unparse(annotated[name]) if name in annotated else name}"]


def listing():
    """Return the whole list as text."""
    blocks = []
    for module in public_modules():
        described = module is not annealnn  # whose names are described where they live
        lines = [line for name in sorted(module.__all__) for line in (describe(module, name) if described else [name])]
        blocks.append("\n".join([module.__name__, "", *(f"    {line}" for line in lines)]))
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    print(listing(), end="")
