"""Who is compared on all ten digits: our machines and two rivals, each with the settings among which it is tuned."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
from sklearn.neural_network import BernoulliRBM

from annealnn.estimators import (
    BoltzmannMachine,
    DeepBoltzmannMachine,
    EmbeddedBoltzmannMachine,
    QuantumBoltzmannMachine,
    RestrictedBoltzmannMachine,
    SemiQuantumRestrictedBoltzmannMachine,
    from_bernoulli_rbm,
)
from annealnn.typing import AnyArray, Bits

Settings = Mapping[str, Any]


class Digits(NamedTuple):
    """Rows of pixels and their labels."""

    X: Bits
    y: AnyArray


# a machine of these settings and this seed, fitted; it predicts, and if it has likelihoods it scores
Fit = Callable[[Settings, Digits, int], Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One of those compared.

    Parameters
    ----------
    name : str
    fit : callable
    grid : tuple of mapping
        Settings; all contestants have as many.
    ours : bool
    has_likelihood : bool
        Whether it is chosen by log-likelihood; else by accuracy.
    """

    name: str
    fit: Fit
    grid: tuple[Settings, ...]
    ours: bool = True
    has_likelihood: bool = True


# full batches, rates that fall to 0, the last tenth of the epochs averaged: found on the validation rows, all alike
_COMMON: dict[str, Any] = {"batch_size": None, "n_particles": 1000, "average": 0.1, "progress": False}


def _of(cls: Any, **fixed: Any) -> Fit:
    def fit(settings: Settings, digits: Digits, seed: int) -> Any:
        return cls(**{**fixed, **settings}, random_state=seed).fit(digits.X, digits.y)

    return fit


def contestants(*, rbms_python: str | None = None, quick: bool = False) -> list[Contestant]:
    """Return the contestants; `rbms` only if a Python that has it is known.

    Parameters
    ----------
    rbms_python : str, optional
        An interpreter with the package rbms and torch; None takes this one if it has them.
    quick : bool
        A hundredth of the steps: to see that all of it runs.
    """

    def steps(count: int) -> int:
        return max(2, count // 100) if quick else count

    found = [
        Contestant(
            name="fully visible",
            fit=_of(BoltzmannMachine, **_COMMON, n_iter=steps(10000), learning_rate=0.02),
            grid=({"l1": 0.0005}, {"l1": 0.001}, {"l1": 0.002}),
        ),
        Contestant(
            name="restricted, 128 hidden",
            fit=_of(RestrictedBoltzmannMachine, **_COMMON, n_components=128, n_iter=steps(6000), learning_rate=0.05),
            grid=({"weight_decay": 0.004}, {"weight_decay": 0.006}, {"weight_decay": 0.01}),
        ),
        Contestant(
            name="semi-restricted, 128 hidden",
            fit=_of(
                RestrictedBoltzmannMachine,
                **_COMMON,
                n_components=128,
                lateral=True,
                l1=(0.002, 0.0),
                n_iter=steps(6000),
                learning_rate=0.05,
            ),
            grid=tuple({"weight_decay": (0.0, decay)} for decay in (0.003, 0.006, 0.01)),
        ),
        Contestant(
            name="deep, 64 + 10 hidden",
            fit=_of(
                DeepBoltzmannMachine,
                **_COMMON,
                hidden_layer_sizes=(64, 10),
                n_iter=steps(3000),
                learning_rate=0.05,
            ),
            grid=({"weight_decay": 0.001}, {"weight_decay": 0.003}, {"weight_decay": 0.006}),
        ),
        Contestant(
            name="semi-quantum restricted, 24 hidden",
            fit=_of(
                SemiQuantumRestrictedBoltzmannMachine,
                **{**_COMMON, "n_particles": 500},
                n_components=24,
                n_iter=steps(600),
                learning_rate=0.1,
            ),
            grid=({"weight_decay": 0.001}, {"weight_decay": 0.003}, {"weight_decay": 0.006}),
        ),
        Contestant(
            name="quantum, fully visible",
            fit=_of(
                QuantumBoltzmannMachine,
                **{**_COMMON, "n_particles": 320},
                num_slices=8,
                l1=0.002,
                n_iter=steps(3000),
                learning_rate=0.05,
            ),
            grid=({"gamma": 0.25}, {"gamma": 0.5}, {"gamma": 1.0}),
        ),
        Contestant(
            name="embedded in zephyr-12",
            fit=_of(EmbeddedBoltzmannMachine, target="zephyr-12", n_iter=steps(400), progress=False),
            grid=({"learning_rate": 0.02}, {"learning_rate": 0.05}, {"learning_rate": 0.1}),
            has_likelihood=False,
        ),
        Contestant(
            name="BernoulliRBM of scikit-learn, 128 hidden",
            fit=_bernoulli_rbm(n_components=128, n_iter=steps(600)),
            grid=(
                {"learning_rate": 0.02, "batch_size": 100},
                {"learning_rate": 0.05, "batch_size": 100},
                {"learning_rate": 0.1, "batch_size": 100},
            ),
            ours=False,
        ),
    ]
    python = rbms_python or (sys.executable if find_spec("rbms") and find_spec("torch") else None)
    if python is not None:
        fixed = {"n_components": 128, "num_updates": steps(6000), "batch_size": 1500, "num_chains": 1000}
        found.append(
            Contestant(
                name="rbms, 128 hidden",
                fit=_rbms(python, fixed),
                grid=tuple({"learning_rate": 0.2, "weight_decay": decay} for decay in (0.0002, 0.001, 0.003)),
                ours=False,
            )
        )
    return found


def with_classes(weights: AnyArray, visible: AnyArray, hidden: AnyArray, digits: Digits, seed: int) -> Any:
    """Return our machine with the distribution of a rival's, in bits; its last visible units are one for each class.

    weights (n_hidden, n_visible), visible (n_visible,), hidden (n_hidden,).
    """
    rbm = BernoulliRBM(n_components=len(hidden))
    rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_ = weights, visible, hidden
    rbm.n_features_in_ = len(visible)
    return from_bernoulli_rbm(rbm, classes=np.unique(digits.y), random_state=seed)


def _joined(digits: Digits) -> AnyArray:
    return np.hstack([digits.X, digits.y[:, None] == np.unique(digits.y)]).astype(np.float64)


def _bernoulli_rbm(**fixed: Any) -> Fit:
    def fit(settings: Settings, digits: Digits, seed: int) -> Any:
        rbm = BernoulliRBM(**fixed, **settings, random_state=seed).fit(_joined(digits))
        return with_classes(rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_, digits, seed)

    return fit


def _rbms(python: str, fixed: Settings) -> Fit:
    def fit(settings: Settings, digits: Digits, seed: int) -> Any:
        with tempfile.TemporaryDirectory() as folder, as_file(files(__package__) / "_rbms_worker.py") as worker:
            np.save(Path(folder) / "rows.npy", _joined(digits))
            (Path(folder) / "settings.json").write_text(json.dumps({**fixed, **settings, "seed": seed}))
            # our own script, under an interpreter that the user names
            done = subprocess.run([python, str(worker), folder], capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode:
                msg = f"rbms failed under {python}: {done.stderr[-500:]}"
                raise RuntimeError(msg)
            with np.load(Path(folder) / "fitted.npz") as fitted:
                return with_classes(fitted["weights"], fitted["visible"], fitted["hidden"], digits, seed)

    return fit
