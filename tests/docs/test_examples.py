"""Every example in a docstring runs, and every Python block of the README."""

import doctest
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import annealnn

ROOT = Path(__file__).parents[2]
MODULES = [
    info.name
    for info in pkgutil.walk_packages(annealnn.__path__, "annealnn.")
    if not info.name.startswith(("annealnn._files", "annealnn.__main__"))
]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_docstring_examples():
    results = {name: doctest.testmod(import_module(name)) for name in MODULES}
    assert not [name for name, result in results.items() if result.failed]
    assert sum(result.attempted for result in results.values()) > 5


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_readme_blocks_run(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})


def test_readme_has_examples_and_its_files_exist():
    text = (ROOT / "README.md").read_text()
    assert len(BLOCKS) >= 2
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
