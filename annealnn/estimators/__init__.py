"""Boltzmann machines with scikit-learn's manners. The mathematics is in `annealnn.learning` and `annealnn.models`."""

from annealnn.estimators._boltzmann import BoltzmannMachine
from annealnn.estimators._embedded import EmbeddedBoltzmannMachine

__all__ = ["BoltzmannMachine", "EmbeddedBoltzmannMachine"]
