"""The import contract in setup.cfg holds, and a breach of it fails."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lint(tmp_path):
    """Return a function that adds an import to a copy of the package and gives lint-imports' status and words."""
    shutil.copytree(ROOT / "annealnn", tmp_path / "annealnn", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)

    def run(module=None, statement=""):
        if module:
            with (tmp_path / "annealnn" / module).open("a") as file:
                file.write(f"\n{statement}\n")
        # run by this code and not the script, so that the copy in the working folder is the one found
        code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout

    return run


def test_the_package_keeps_it(lint):
    status, said = lint()
    assert status == 0, said
    assert "BROKEN" not in said


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("models/_ising.py", "import annealnn.samplers", "Imports point down"),
        ("models/_structure.py", "from annealnn.models._ising import IsingModel", "No import cycles"),
        ("learning/_loop.py", "import annealnn.testing", "Nobody imports the conformance kit"),
        ("kernels/sweeps.py", "import dimod", "Kernels know arrays only"),
    ],
)
def test_a_breach_fails(lint, module, statement, contract):
    status, said = lint(module, statement)
    assert status == 1
    assert any(contract in line and "BROKEN" in line for line in said.splitlines()), said
