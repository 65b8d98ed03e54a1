"""The estimators under test, found and not listed."""

from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator

from annealnn.estimators import RestrictedBoltzmannMachine
from annealnn.testing._cases import discover, own_packages, strangers
from annealnn.testing._estimator_checks import EstimatorCase

VARIABLE = "ANNEALNN_TEST_ESTIMATORS"

# for those of an estimator's parameters that it has
_QUICK = {
    "n_iter": 4,
    "n_particles": 20,
    "n_reads": 20,
    # few enough for free energies to be exact
    "n_components": 3,
    "hidden_layer_sizes": (3, 2),
    "num_slices": 4,
    "n_ais_runs": 10,
    "n_ais_steps": 20,
    "progress": False,
}


def estimator_cases() -> list[EstimatorCase]:
    """Return the rows: the estimators that `ANNEALNN_TEST_ESTIMATORS` names if it is set, else ours."""
    if named := strangers(VARIABLE):
        return [EstimatorCase(name=path, make=_named(path), parameters=_QUICK) for path in named]
    return own_estimators()


def _named(path: str) -> Any:
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"{VARIABLE} holds paths 'package:Class'; got {path!r}: {error}"
        raise ValueError(msg) from error


def own_estimators() -> list[EstimatorCase]:
    """Return every public estimator of this package; one that holds a machine gets a quick one."""
    found = discover(BaseEstimator, own_packages())
    machine = RestrictedBoltzmannMachine(8, n_iter=20, learning_rate=0.02, random_state=0, progress=False)
    parameters = _QUICK | {"machine": machine}
    return [EstimatorCase(name=cls.__name__, make=cls, parameters=parameters) for cls in found]
