"""What ships, what loads, and where settings live."""

import ast
import configparser
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from setuptools import find_packages

import annealnn
from annealnn import benchmark, diagnostics

ROOT = Path(__file__).parents[2]
HEAVY = ("sklearn", "numba", "dimod", "networkx", "scipy", "torch", "matplotlib", "dwave.system", "typer", "rich")


@pytest.fixture(scope="module")
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def in_fresh_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_package_list_equals_what_is_on_disk(setup_cfg):
    listed = [line for line in setup_cfg["options"]["packages"].split("\n") if line and not line.startswith("#")]
    on_disk = find_packages(str(ROOT), include=["annealnn", "annealnn.*"])
    assert set(listed) == {*on_disk, "annealnn._files.datasets", "annealnn._files.embeddings"}


@pytest.mark.parametrize("kind", ["datasets", "embeddings"])
def test_data_folders_cannot_be_imported(kind):
    assert not list((ROOT / kind).rglob("__init__.py"))
    folders = [p for p in (ROOT / kind).iterdir() if p.is_dir() and p.name != "__pycache__"]
    assert folders
    assert not [p.name for p in folders if p.name.isidentifier()]
    holding_data = [p for p in folders if {f.suffix for f in p.iterdir()} - {".py", ""}]
    assert all((p / "PROVENANCE.toml").exists() for p in holding_data)


def test_no_setting_is_in_both_files(setup_cfg):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    # setuptools adds egg_info to that of an sdist
    assert set(setup_cfg.sections()) - {"egg_info"} == {
        "options",
        "options.package_data",
        *(s for s in setup_cfg.sections() if s.startswith("importlinter")),
    }
    assert "setuptools" not in project["tool"]
    assert "importlinter" not in project["tool"]
    assert not set(setup_cfg["options"]) & set(project["project"])


def test_versions_agree():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == annealnn.__version__
    assert f"version: {annealnn.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_import_is_light():
    code = f"import sys, annealnn; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert in_fresh_python(code) == "[]\n"


def test_samplers_do_not_wait_for_scipy_stats():
    code = "import sys, annealnn.samplers, annealnn.diagnostics; print('scipy.stats' in sys.modules)"
    assert in_fresh_python(code) == "False\n"


@pytest.mark.parametrize("package", [annealnn, benchmark, diagnostics], ids=["annealnn", "benchmark", "diagnostics"])
def test_lazy_names_are_the_same_everywhere(package):
    tree = ast.parse(Path(package.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {alias.name for node in block.body for alias in node.names}
    assert typed == set(package.__all__) - {"__version__"} == set(dir(package))
    for name in package.__all__:
        getattr(package, name)


def test_public_names_are_in_order_and_there():
    with pytest.raises(AttributeError, match=r"no attribute 'Boltzman'.*BoltzmannMachine"):
        annealnn.Boltzman  # noqa: B018
    for package in (
        "datasets",
        "diagnostics",
        "embeddings",
        "models",
        "samplers",
        "learning",
        "estimators",
        "experiments",
        "testing",
    ):
        module = import_module(f"annealnn.{package}")
        assert module.__all__ == sorted(module.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n)), package
        assert all(hasattr(module, name) for name in module.__all__)


def test_incomplete_installations_say_so(tmp_path, monkeypatch):
    from annealnn import _resources
    from annealnn.exceptions import DataFileError

    monkeypatch.setattr(_resources, "__file__", str(tmp_path / "annealnn" / "_resources.py"))
    with pytest.raises(DataFileError, match="incomplete: no datasets"):
        _resources.data_root("datasets")
