"""Measure every figure that the project states about OptDigits, and print it: `make evidence`."""

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import dimod
import numpy as np

from annealnn.estimators import EmbeddedBoltzmannMachine
from annealnn.experiments._job import OptDigits, OptDigitsJob, load_data
from annealnn.experiments._measure import DecodedQuality, embedded_misses, measure_embedded, proportion
from annealnn.experiments._optdigits import fit_embedded, fit_visible, measure_hebbian
from annealnn.learning import Estimate

GRID = {"zephyr-12": (0.5, 1.0, 2.0, 4.0), "chimera-12": (2.0, 4.0)}
SEEDS = (0, 1, 2)

_IMPORT = "import numpy, time; t = time.perf_counter(); import annealnn; print(time.perf_counter() - t)"


def fit_ignoring_moments(job: OptDigitsJob, data: OptDigits) -> EmbeddedBoltzmannMachine:
    """Return a machine whose learner saw coin flips in place of the device's reads, back on the device."""
    machine = EmbeddedBoltzmannMachine(
        job.target, sampler=dimod.RandomSampler(), n_iter=job.embedded_n_iter, random_state=job.seed
    )
    machine.fit(data.X, data.y)
    machine.set_params(sampler=job.device)
    return machine


def measure(machine: EmbeddedBoltzmannMachine, data: OptDigits, seed: int) -> DecodedQuality:
    """Return the quality of a machine fitted to the 46-variable data."""
    return measure_embedded(machine, *data, seed=seed)


def main() -> None:
    """Print the figures."""
    data = load_data()
    with tempfile.TemporaryDirectory() as folder:
        job = OptDigitsJob(out=Path(folder))
        _print_import_time()
        _print_visible(job, data)
        for target, betas in GRID.items():
            for beta in betas:
                _print_device(replace(job, target=target, device_beta=beta), data)
        _print_teeth(job, data)


def _print_import_time() -> None:
    times = [
        float(subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True).stdout)  # noqa: S603
        for _ in range(5)
    ]
    _line(f"import annealnn after numpy: {1e3 * min(times):.1f} to {1e3 * max(times):.1f} ms in 5 runs (under 300)")


def _print_visible(job: OptDigitsJob, data: OptDigits) -> None:
    started = time.monotonic()
    machine = fit_visible(job, data)
    test = machine.score(data.X_test, data.y_test)
    accuracy = proportion(machine.predict(data.X_test) == data.y_test, "test rows, binomial")
    _line(
        f"BoltzmannMachine: test log-likelihood {test:.3f} +- {machine.log_partition_.standard_error:.3f} nats "
        f"(at least -14.65; {machine.log_partition_.method}), accuracy {_show(accuracy, 4)} (at least 0.945), "
        f"{time.monotonic() - started:.0f} s with its learning curve (under 120)"
    )


def _print_device(job: OptDigitsJob, data: OptDigits) -> None:
    hebbian = None
    for seed in SEEDS:
        started = time.monotonic()
        mine = replace(job, seed=seed)
        machine = fit_embedded(mine, data, data.y, f"{job.target}-{job.device_beta}-{seed}")
        fitted_s = time.monotonic() - started
        if hebbian is None:
            hebbian = measure_hebbian(mine, machine, data)
            _line(f"{job.target}, device beta {job.device_beta:g}")
            _line(f"  untrained Hebbian ({hebbian.form}, scale {hebbian.scale:g}): {_figures(hebbian.quality)}")
        quality = measure(machine, data, seed)
        verdict = _verdict(embedded_misses(quality, hebbian.quality))
        _line(f"  seed {seed}: {_figures(quality)}; {fitted_s:.0f} s; {verdict}")


def _print_teeth(job: OptDigitsJob, data: OptDigits) -> None:
    shuffled = fit_embedded(job, data, np.random.default_rng(0).permutation(data.y), "shuffled")
    hebbian = measure_hebbian(job, shuffled, data).quality
    for name, machine in (("shuffled labels", shuffled), ("ignores the device", fit_ignoring_moments(job, data))):
        quality = measure(machine, data, 0)
        _line(f"{name}, must miss: {_figures(quality)}; {_verdict(embedded_misses(quality, hebbian))}")


def _figures(q: DecodedQuality) -> str:
    return (
        f"accuracy {_show(q.accuracy, 3)}, field error {_show(q.field_error, 4)}, "
        f"broken {_show(q.broken_chains, 3)}, pair error {_show(q.coupling_error, 4)}"
    )


def _show(estimate: Estimate, digits: int) -> str:
    return f"{estimate.value:.{digits}f}+-{estimate.standard_error:.{digits}f}"


def _verdict(misses: list[str]) -> str:
    return f"misses: {'; '.join(misses)}" if misses else "meets all"


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
