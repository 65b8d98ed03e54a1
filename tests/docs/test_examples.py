"""Every example in a docstring runs, every Python block of README and pages, and every tutorial."""

import doctest
import pkgutil
import re
import runpy
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
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = {page.name: re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE) for page in PAGES}
TUTORIALS = sorted((ROOT / "examples").glob("*.py"))


def test_docstring_examples():
    results = {name: doctest.testmod(import_module(name)) for name in MODULES}
    assert not [name for name, result in results.items() if result.failed]
    assert sum(result.attempted for result in results.values()) > 5


@pytest.mark.parametrize("page", [name for name, blocks in BLOCKS.items() if blocks])
def test_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in BLOCKS[page]:
        exec(compile(block, page, "exec"), names)


def test_the_pages_that_teach_have_blocks():
    assert len(BLOCKS["README.md"]) == 1
    assert len(BLOCKS["user-guide.md"]) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("script", TUTORIALS, ids=lambda path: path.stem)
def test_tutorials_run(script, tmp_path, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script))
    matplotlib.pyplot.close("all")
