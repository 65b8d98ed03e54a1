"""The sdist and the wheel: what they hold, that one rebuilds the other, and that the wheel works elsewhere."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("annealnn", "datasets", "embeddings", "tests", "docs", "examples", "changelog.d")
FILES = ("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md")


def run(*words, cwd):
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(what, sources, out):
    """Build a "wheel" or "sdist" with the setuptools at hand and return its path."""
    code = f"from setuptools import build_meta; build_meta.build_{what}({str(out)!r})"
    run(sys.executable, "-c", code, cwd=sources)
    (found,) = out.glob("*.whl" if what == "wheel" else "*.tar.gz")
    return found


@pytest.fixture(scope="module")
def tracked():
    """Paths of the project's files: in a checkout those not yet committed too, in an unpacked sdist what it lists."""
    if (ROOT / ".git").exists():
        listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines()
    else:
        listed = (ROOT / "annealnn.egg-info" / "SOURCES.txt").read_text().splitlines()
        listed = [name for name in listed if not name.startswith("annealnn.egg-info/")]
    return {name for name in listed if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def sdist(tracked, tmp_path_factory):
    """The sdist, built from a copy, so that the checkout stays clean."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in tracked:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    return build("sdist", copy, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory):
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


def test_sdist_holds_all_that_rebuilds_and_tests_it(tracked, unpacked):
    held = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    expected = {name for name in tracked if name.split("/")[0] in SOURCES or name in FILES}
    assert expected <= held
    made = {name for name in held - tracked if not name.startswith("annealnn.egg-info/")}
    assert made == {"PKG-INFO"}


def test_wheel_holds_the_package_and_the_data_and_nothing_else(tracked, wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in held} == {"annealnn"}
    data = {name for name in tracked if name.startswith(("datasets/", "embeddings/")) and not name.endswith(".py")}
    package = {name for name in tracked if name.startswith("annealnn/")}
    assert held == package | {f"annealnn/_files/{name}" for name in data}
    assert "annealnn/py.typed" in held


def test_wheel_works_away_from_the_checkout(wheel, tmp_path):
    home = tmp_path / "venv"
    venv.create(home)
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, cwd=tmp_path)
    # A plain path line: the folder's own .pth files, an editable install's hook among them, do not run.
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    shutil.copy(ROOT / "tests/packaging/smoke.py", tmp_path)
    assert site in run(python, "-I", "smoke.py", cwd=tmp_path)
