"""Deep Boltzmann machines."""

from itertools import pairwise
from typing import Any, final

import numpy as np

from annealnn._validation import check_count
from annealnn.estimators._sampled import SampledMachine
from annealnn.models import IsingModel, Structure


@final
class DeepBoltzmannMachine(SampledMachine):
    """Layers of units, each coupled to the next layer only (Salakhutdinov & Hinton 2009).

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Hidden units of each layer, from the one next to the visible units on.
    sampler, calibrate, n_sweeps, positive_phase, negative_phase, n_particles, batch_size, n_iter, learning_rate,
    schedule, momentum, average, weight_decay, l1, centering, weight_scale, early_stopping, validation_fraction,
    n_iter_no_change, tol, missing, binarize, n_ais_runs, n_ais_steps, callbacks, monitor_every, checkpoint, resume,
    progress, random_state
        As in `BoltzmannMachine`.

    Attributes
    ----------
    model_, classes_, n_iter_, history_, monitored_, log_partition_
        As in `BoltzmannMachine`.

    Examples
    --------
    >>> from annealnn import DeepBoltzmannMachine
    >>> from annealnn.datasets import make_bars_and_stripes
    >>> X, y = make_bars_and_stripes(3, 3)
    >>> DeepBoltzmannMachine((6, 4), n_particles=100, n_iter=50, random_state=0).fit(X).transform(X).shape
    (14, 10)
    """

    model_: IsingModel

    def __init__(
        self,
        hidden_layer_sizes: Any = (64, 32),
        *,
        sampler: Any = None,
        calibrate: bool = False,
        n_sweeps: int = 1,
        positive_phase: str = "auto",
        negative_phase: str = "persistent",
        n_particles: int = 100,
        batch_size: int | None = 20,
        n_iter: int = 100,
        learning_rate: float = 0.005,
        schedule: str = "linear",
        momentum: float = 0.5,
        average: float = 0.0,
        weight_decay: Any = 0.0,
        l1: Any = 0.0,
        centering: bool = True,
        weight_scale: float = 0.1,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 0.0,
        missing: str = "error",
        binarize: float | None = None,
        n_ais_runs: int = 500,
        n_ais_steps: int = 2000,
        callbacks: Any = None,
        monitor_every: int = 50,
        checkpoint: Any = None,
        resume: bool = False,
        progress: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.sampler = sampler
        self.calibrate = calibrate
        self.n_sweeps = n_sweeps
        self.positive_phase = positive_phase
        self.negative_phase = negative_phase
        self.n_particles = n_particles
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.average = average
        self.weight_decay = weight_decay
        self.l1 = l1
        self.centering = centering
        self.weight_scale = weight_scale
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.missing = missing
        self.binarize = binarize
        self.n_ais_runs = n_ais_runs
        self.n_ais_steps = n_ais_steps
        self.callbacks = callbacks
        self.monitor_every = monitor_every
        self.checkpoint = checkpoint
        self.resume = resume
        self.progress = progress
        self.random_state = random_state

    def _has_hidden(self) -> bool:
        return True

    def _graph_of(self, num_visible: int) -> Structure:
        try:
            sizes = [check_count("a layer", size) for size in self.hidden_layer_sizes]
        except (TypeError, ValueError):
            sizes = []
        if not sizes:
            msg = f"hidden_layer_sizes is a tuple of whole numbers of at least 1; got {self.hidden_layer_sizes!r}"
            raise ValueError(msg)
        ends = np.cumsum([num_visible, *sizes])
        layers = [np.arange(num_visible), *(np.arange(a, b) for a, b in pairwise(ends))]
        joins = [np.stack(np.meshgrid(a, b, indexing="ij"), axis=-1).reshape(-1, 2) for a, b in pairwise(layers)]
        return Structure(int(ends[-1]), np.vstack(joins))
