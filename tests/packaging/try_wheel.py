"""Install a wheel in a fresh environment, in a folder of its own, and try it: `python try_wheel.py WHEEL`."""

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

TESTS = Path(__file__).parents[1]
PYTHON = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


def main(wheel):
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder, "venv"), with_pip=True)

        def python(*words):
            subprocess.run([Path(folder, "venv", PYTHON), *words], cwd=folder, check=True)

        for script in ("packaging/smoke.py", "typing/public_types.py", "typing/mypy.ini"):
            shutil.copy(TESTS / script, folder)
        python("-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel.resolve()}[test]", "mypy")
        python("-I", "smoke.py")
        python("-m", "mypy", "--config-file", "mypy.ini", "public_types.py")
        python("-m", "pytest", "--pyargs", "annealnn.testing", "-x", "-q")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
