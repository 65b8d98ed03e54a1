"""Restricted and semi-restricted Boltzmann machines."""

from typing import Any, final

import numpy as np

from annealnn._validation import check_choice, check_count
from annealnn.estimators._sampled import SampledMachine
from annealnn.models import IsingModel, Structure


@final
class RestrictedBoltzmannMachine(SampledMachine):
    """Boltzmann machine whose hidden units are coupled to visible ones only (Smolensky 1986; Hinton 2002).

    Parameters
    ----------
    n_components : int
        Hidden units.
    lateral : bool
        Couple visible units to each other too: a semi-restricted machine (Osindero & Hinton 2007). Hidden units can
        still be summed over exactly.
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
    >>> from annealnn import RestrictedBoltzmannMachine
    >>> from annealnn.datasets import make_bars_and_stripes
    >>> X, y = make_bars_and_stripes(3, 3)
    >>> RestrictedBoltzmannMachine(8, n_particles=100, n_iter=50, random_state=0).fit(X).transform(X).shape
    (14, 8)
    """

    model_: IsingModel

    def __init__(
        self,
        n_components: int = 64,
        *,
        lateral: bool = False,
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
        weight_scale: float = 0.01,
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
        self.n_components = n_components
        self.lateral = lateral
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
        num_hidden = check_count("n_components", self.n_components)
        visible, hidden = np.arange(num_visible), num_visible + np.arange(num_hidden)
        edges = np.stack(np.meshgrid(visible, hidden, indexing="ij"), axis=-1).reshape(-1, 2)
        if check_choice("lateral", self.lateral, [True, False]):
            edges = np.vstack([np.column_stack(np.triu_indices(num_visible, 1)), edges])
        return Structure(num_visible + num_hidden, edges)
