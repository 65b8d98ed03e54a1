"""Every example in a docstring runs, every Python block of README and pages, and every tutorial."""

import doctest
import os
import pkgutil
import re
import runpy
from importlib import import_module
from pathlib import Path

import pytest

import annealnn
from annealnn.standin import PathIntegralPhysics, StandIn, serve_in_thread

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


def run(page):
    names = {}
    for block in BLOCKS[page]:
        exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize("page", [name for name, blocks in BLOCKS.items() if blocks and name != "qpu.md"])
def test_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(page)


def test_blocks_about_a_processor_run_in_order_on_a_simulated_one(tmp_path, monkeypatch):
    simulated = StandIn("zephyr-4", seed=1, physics=PathIntegralPhysics(s=0.4, num_sweeps=100))
    for name in [name for name in os.environ if name.startswith(("DWAVE_", "ANNEALNN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    Path("dwave.conf").touch()
    monkeypatch.setenv("DWAVE_CONFIG_FILE", "dwave.conf")
    monkeypatch.setenv("ANNEALNN_JOURNAL", "journal.sqlite")
    with serve_in_thread(simulated) as served:
        monkeypatch.setenv("DWAVE_API_ENDPOINT", served.endpoint)
        monkeypatch.setenv("DWAVE_API_TOKEN", served.token)
        run("qpu.md")


def test_the_pages_that_teach_have_blocks():
    assert len(BLOCKS["README.md"]) == 1
    assert len(BLOCKS["user-guide.md"]) >= 5
    assert len(BLOCKS["qpu.md"]) >= 5
    assert len(BLOCKS["benchmark.md"]) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("script", TUTORIALS, ids=lambda path: path.stem)
def test_tutorials_run(script, tmp_path, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script))
    matplotlib.pyplot.close("all")
