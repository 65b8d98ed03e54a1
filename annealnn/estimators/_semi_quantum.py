"""Semi-quantum restricted Boltzmann machines."""

from typing import Any, final

import numpy as np

from annealnn._rng import child_seed
from annealnn._validation import check_choice, check_count
from annealnn.estimators._machine import LIKELIHOOD
from annealnn.estimators._transforming import TransformingMachine
from annealnn.learning import Descent, Estimate, Learner
from annealnn.learning.likelihood import RowEstimates
from annealnn.learning.quantum import (
    CompiledSemiQuantum,
    SemiQuantumParameters,
    SemiQuantumPhase,
    semi_quantum_log_partition,
    semi_quantum_log_weights,
    semi_quantum_parameters,
    semi_quantum_structure,
)
from annealnn.learning.quantum._semi_quantum import semi_quantum_hidden_means
from annealnn.models import Clamp, Parameters, Structure
from annealnn.typing import Floats, Spins

_EQUILIBRATION_STEPS = 500


@final
class SemiQuantumRestrictedBoltzmannMachine(TransformingMachine):
    """Restricted machine whose hidden units are qubits (Demidik et al. 2025, arXiv 2502.17562).

    H = - sum_i a_i Z_i - sum_j sum_P B_j^P P_j with B_j^P = b_j^P + sum_i w_ij^P Z_i and P among the Paulis X, Y, Z:
    only Z acts on visible units, so p(v) = exp(a.v) prod_j 2 cosh|B_j(v)| / Z in closed form. Trained by gradients of
    the log-likelihood: exact in the positive phase, by particles of p(v) in the negative.

    Parameters
    ----------
    n_components : int
        Hidden units.
    n_paulis : 1, 2 or 3
        Paulis that act on each. 1 is the classical machine; a rotation of a hidden unit changes nothing, so which ones
        they are does not matter.
    n_sweeps, negative_phase, n_particles, batch_size, n_iter, learning_rate, schedule, momentum, average,
    weight_decay, l1, centering, weight_scale, early_stopping, validation_fraction, n_iter_no_change, tol, binarize,
    n_ais_runs, n_ais_steps, callbacks, monitor_every, checkpoint, resume, progress, random_state
        As in `BoltzmannMachine`.

    Attributes
    ----------
    model_ : SemiQuantumParameters
        `fields` (n_visible,), `hidden_fields` (n_paulis, n_components), `weights` (n_paulis, n_visible, n_components).
    classes_, n_iter_, history_, monitored_, log_partition_
        As in `BoltzmannMachine`; ln Z is exact up to 16 visible units.

    Examples
    --------
    >>> from annealnn import SemiQuantumRestrictedBoltzmannMachine
    >>> from annealnn.datasets import make_bars_and_stripes
    >>> X, y = make_bars_and_stripes(3, 3)
    >>> machine = SemiQuantumRestrictedBoltzmannMachine(4, n_particles=50, n_iter=10, random_state=0)
    >>> machine.fit(X).transform(X).shape
    (14, 12)
    """

    model_: SemiQuantumParameters

    def __init__(
        self,
        n_components: int = 16,
        *,
        n_paulis: int = 3,
        n_sweeps: int = 1,
        negative_phase: str = "persistent",
        n_particles: int = 100,
        batch_size: int | None = 20,
        n_iter: int = 100,
        learning_rate: float = 0.02,
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
        binarize: float | None = None,
        n_ais_runs: int = 200,
        n_ais_steps: int = 500,
        callbacks: Any = None,
        monitor_every: int = 50,
        checkpoint: Any = None,
        resume: bool = False,
        progress: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.n_paulis = n_paulis
        self.n_sweeps = n_sweeps
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

    def _num_reads(self) -> int:
        return check_count("n_particles", self.n_particles)

    def _graph_of(self, num_visible: int) -> Structure:
        check_choice("n_paulis", self.n_paulis, [1, 2, 3])
        return semi_quantum_structure(num_visible, check_count("n_components", self.n_components), self.n_paulis)

    def _open(self, descent: Descent, *, has_missing: bool) -> Learner:
        nv = self._units.num_units
        return Learner(
            descent,
            self._particles(),
            SemiQuantumPhase(self.structure_, nv, self.n_paulis),
            num_particles=self._num_reads(),
            seed=self._seed,
            batch_size=None if self.batch_size is None else check_count("batch_size", self.batch_size),
            contrastive=self.negative_phase == "contrastive",
        )

    def _particles(self) -> CompiledSemiQuantum:
        num_sweeps = check_count("n_sweeps", self.n_sweeps)
        return CompiledSemiQuantum(self.structure_, self._units.num_units, self.n_paulis, num_sweeps=num_sweeps)

    def _own(self, parameters: Parameters) -> SemiQuantumParameters:
        return semi_quantum_parameters(parameters, self._units.num_units, self.n_paulis)

    def _model_of(self, parameters: Parameters) -> SemiQuantumParameters:
        return self._own(parameters)

    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        compiled = self._particles()
        start = compiled.init(num_reads, seed)
        return compiled.advance(self._parameters, start, _EQUILIBRATION_STEPS, clamp).spins[:, : self._units.num_units]

    # -- likelihoods ---------------------------------------------------------------------------------------------

    def _log_partition_of(self, parameters: Parameters, effort: tuple[int, int] | None = None) -> Estimate:
        num_runs, num_steps = effort or (self.n_ais_runs, self.n_ais_steps)
        seed = child_seed(self._seed, LIKELIHOOD)
        return semi_quantum_log_partition(self._own(parameters), num_runs=num_runs, num_steps=num_steps, seed=seed)

    def _rows_given(self, parameters: Parameters, rows: Spins, log_z: Estimate) -> RowEstimates:
        values = semi_quantum_log_weights(self._own(parameters), rows) - log_z.value
        return RowEstimates(values, np.zeros(len(rows)), log_z.standard_error, log_z.method)

    def _hidden_probabilities(self, rows: Floats) -> Floats:
        means = semi_quantum_hidden_means(self._own(self._parameters), rows)
        return np.asarray(0.5 * (1.0 + np.moveaxis(means, 1, 0).reshape(len(rows), -1)))

    @property
    def _n_features_out(self) -> int:
        return int(self.n_paulis * self.n_components)
