"""Does an installed annealnn work? Run by an environment's Python, away from the checkout: `python -I smoke.py`."""

import subprocess
import sysconfig
from importlib.metadata import version
from pathlib import Path

import numpy as np

import annealnn
from annealnn import BoltzmannMachine
from annealnn.datasets import load_optdigits
from annealnn.embeddings import load_embedding

COMMAND = Path(sysconfig.get_path("scripts")) / "annealnn"


def command(*words):
    return subprocess.run([COMMAND, *words], check=True, capture_output=True, text=True).stdout


def main():
    assert Path(annealnn.__file__).is_relative_to(sysconfig.get_path("purelib")), annealnn.__file__
    assert annealnn.__version__ == version("annealnn")
    assert command("--version").split() == ["annealnn", annealnn.__version__]
    command("doctor")  # whose status says whether anything is wrong

    X, y = load_optdigits(classes=[1, 2], crop="7x6", return_X_y=True)
    assert X.shape == (len(y), 42)
    assert load_embedding("zephyr-12").num_qubits == 206
    machine = BoltzmannMachine(n_particles=20, n_iter=2, n_ais_runs=20, n_ais_steps=20)
    assert np.isfinite(machine.fit(X[:50], y[:50]).score(X[:50], y[:50]))
    print(f"annealnn {annealnn.__version__} works in {Path(annealnn.__file__).parent}")


if __name__ == "__main__":
    main()
