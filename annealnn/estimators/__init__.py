"""Boltzmann machines with scikit-learn's manners. The mathematics is in `annealnn.learning` and `annealnn.models`."""

from annealnn.estimators._boltzmann import BoltzmannMachine
from annealnn.estimators._classifier import BoltzmannClassifier
from annealnn.estimators._conversions import from_bernoulli_rbm, from_graph_rbm, to_bernoulli_rbm, to_graph_rbm
from annealnn.estimators._deep import DeepBoltzmannMachine
from annealnn.estimators._embedded import EmbeddedBoltzmannMachine
from annealnn.estimators._gaussian import GaussianRestrictedBoltzmannMachine
from annealnn.estimators._quantum import QuantumBoltzmannMachine
from annealnn.estimators._restricted import RestrictedBoltzmannMachine
from annealnn.estimators._semi_quantum import SemiQuantumRestrictedBoltzmannMachine
from annealnn.estimators._snapshot import Callback, Snapshot

__all__ = [
    "BoltzmannClassifier",
    "BoltzmannMachine",
    "Callback",
    "DeepBoltzmannMachine",
    "EmbeddedBoltzmannMachine",
    "GaussianRestrictedBoltzmannMachine",
    "QuantumBoltzmannMachine",
    "RestrictedBoltzmannMachine",
    "SemiQuantumRestrictedBoltzmannMachine",
    "Snapshot",
    "from_bernoulli_rbm",
    "from_graph_rbm",
    "to_bernoulli_rbm",
    "to_graph_rbm",
]
