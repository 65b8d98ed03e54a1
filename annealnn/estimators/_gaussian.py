"""Restricted Boltzmann machines with real visible units."""

from typing import Any, Self, final

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, DensityMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from annealnn._rng import child_seed
from annealnn._validation import check_count, check_number
from annealnn.estimators._machine import LIKELIHOOD, READS
from annealnn.estimators._parameters import check_parameters
from annealnn.estimators._training import QUICK, TrainedMachine
from annealnn.learning import (
    Estimate,
    GaussianLearner,
    GaussianParameters,
    History,
    LearnerState,
    Progress,
    Rows,
    effective_particles,
    log_partition,
)
from annealnn.learning._gaussian import (
    exact_completions,
    gaussian_free_energies,
    hidden_fields,
    hidden_parameters,
    sampled_completions,
    visible_means,
)
from annealnn.models import IsingModel, Parameters, Structure
from annealnn.registry import SamplerSpec, open_compiled
from annealnn.samplers import CompiledSampler
from annealnn.typing import AnyArray, Floats

_EQUILIBRATION_STEPS = 500
# hidden units that are summed over: by the default sampler, and where values are filled in
_MOST_SUMMED = 10


@final
class GaussianRestrictedBoltzmannMachine(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, DensityMixin, TrainedMachine
):
    """Restricted Boltzmann machine of real visible units with learned variances (Cho, Ilin & Raiko 2011).

    E(v, h) = sum_i (v_i - a_i)**2 / (2 sigma_i**2) - sum_j b_j h_j - sum_ij v_i W_ij h_j / sigma_i**2, h = -1 or +1: a
    mixture of 2**n_components normal distributions that share their variances. Summed over v, the hidden units follow
    an Ising model. It is what the sampler draws; all else is exact.

    What is learned does not depend on the units or the origin of a feature (with `centering`).

    Parameters
    ----------
    n_components : int
        Hidden units.
    sampler : None, str, SamplerSpec or dimod.Sampler
        Of the hidden units. None is exact up to 10 hidden units, and `n_sweeps` heat-bath sweeps a step beyond. The
        sampler's own temperature is taken for beta = 1. Modes far apart are hidden states that few sweeps join:
        "tempering" joins them.
    n_sweeps : int
        The k of PCD-k, where heat-bath sweeps draw.
    n_particles : int
        Reads of the negative phase; each goes on from its last hidden spins.
    batch_size, n_iter, learning_rate, schedule, momentum, average
        As in `BoltzmannMachine`. The further apart the data's clusters are, in units of sigma, the smaller the rate
        that learns them.
    weight_decay : float
        weight_decay / 2 times the squares of W_ij / sigma_i, nats.
    centering : bool
        Follow the gradient of centred units.
    weight_scale : float
        Standard deviation of W_ij / sigma_i at the start.
    min_variance : float
        The least sigma_i**2, as a share of the feature's variance; for a feature that is constant, of the mean variance
        of the others.
    early_stopping, validation_fraction, n_iter_no_change, tol, n_ais_runs, n_ais_steps, callbacks, monitor_every,
    checkpoint, resume, progress, random_state
        As in `BoltzmannMachine`. The `model` of a callback's snapshot is that of the hidden units.

    Attributes
    ----------
    visible_biases_ : (n_features,)
        a, in the units of the data.
    hidden_biases_ : (n_components,)
        b, nats.
    weights_ : (n_features, n_components)
        W, in the units of the data.
    variances_ : (n_features,)
        sigma**2, in squared units of the data.
    hidden_model_ : IsingModel
        Of the hidden units, visible ones integrated out.
    n_iter_, history_, monitored_
        As in `BoltzmannMachine`. Moments are compared in units of sigma.
    log_partition_ : Estimate

    Examples
    --------
    >>> from annealnn import GaussianRestrictedBoltzmannMachine
    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> GaussianRestrictedBoltzmannMachine(3, n_iter=20, random_state=0).fit(X).sample(2).shape
    (2, 4)
    """

    def __init__(
        self,
        n_components: int = 16,
        *,
        sampler: Any = None,
        n_sweeps: int = 5,
        n_particles: int = 100,
        batch_size: int | None = 20,
        n_iter: int = 100,
        learning_rate: float = 0.01,
        schedule: str = "linear",
        momentum: float = 0.5,
        average: float = 0.0,
        weight_decay: float = 0.0,
        centering: bool = True,
        weight_scale: float = 0.1,
        min_variance: float = 1e-3,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 0.0,
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
        self.sampler = sampler
        self.n_sweeps = n_sweeps
        self.n_particles = n_particles
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.momentum = momentum
        self.average = average
        self.weight_decay = weight_decay
        self.centering = centering
        self.weight_scale = weight_scale
        self.min_variance = min_variance
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_ais_runs = n_ais_runs
        self.n_ais_steps = n_ais_steps
        self.callbacks = callbacks
        self.monitor_every = monitor_every
        self.checkpoint = checkpoint
        self.resume = resume
        self.progress = progress
        self.random_state = random_state

    # -- learning ------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit to rows of numbers.

        Parameters
        ----------
        X : (num_rows, n_features)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is empty or not finite, or if a constructor argument breaks its rule.
        UnknownSamplerError
            If the sampler's name is not known.
        CheckpointError
            If `resume` is set and the checkpoint belongs to another job.
        """
        return self._fit_or_leave(X, y)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Make one step at the constant `learning_rate` towards these rows; y is ignored."""
        if not hasattr(self, "_state"):
            rows, _ = self._start(X, y, None)
            self._state, self.history_, self.monitored_ = self._first_state(rows), {}, []
            self._data_means = self._means_of(rows)
        else:
            check_parameters(self)
            rows = Rows(self._validated(X))
            if not hasattr(self, "_learner"):
                self._learner = self._open()
            self._take_up_descent()
        state, shown = self._learner.step(self._state, rows, float(self.learning_rate))
        state = state._replace(iteration=state.iteration + 1)
        for name, value in shown.entry(state.iteration).items():
            self.history_.setdefault(name, []).append(value)
        self._finish(state)
        return self

    def _start(self, X: Any, y: Any, classes: Any) -> tuple[Rows, AnyArray | None]:
        check_parameters(self)
        given = validate_data(self, X, dtype=np.float64)
        self._structure = Structure.complete(check_count("n_components", self.n_components))
        self._seed = self._seed_to_use()
        spread = given.var(axis=0)
        # rounding makes a little variance of a large constant
        constant = np.ptp(given, axis=0) == 0
        most = np.where(constant, 1.0 if constant.all() else spread[~constant].mean(), spread)
        self._variance_range = self.min_variance * most, most
        self._learner = self._open()
        return Rows(given), None

    def _open(self) -> GaussianLearner:
        return GaussianLearner(
            self._descent(),
            self._compiled("moments"),
            num_visible=self.n_features_in_,
            num_particles=self._num_reads(),
            seed=self._seed,
            batch_size=None if self.batch_size is None else check_count("batch_size", self.batch_size),
            variance_range=self._variance_range,
        )

    def _compiled(self, want: Any) -> CompiledSampler:
        default = SamplerSpec("gibbs", {"num_sweeps": check_count("n_sweeps", self.n_sweeps)})
        if self._structure.num_variables <= _MOST_SUMMED:
            default = SamplerSpec("exact")
        return open_compiled(self.sampler, self._structure, default=default, want=want)

    def _first_state(self, rows: Rows) -> LearnerState:
        state: LearnerState = self._learner.init(rows, weight_scale=float(self.weight_scale))
        return state

    def _num_reads(self) -> int:
        return check_count("n_particles", self.n_particles)

    def _penalty(self, name: str) -> float:
        return check_number(name, getattr(self, name, 0.0), low=0.0)

    def _sizes(self) -> tuple[int, int]:
        num_visible, num_hidden = self.n_features_in_, self._structure.num_variables
        return 2 * num_visible + num_hidden, num_visible * num_hidden

    def _means_of(self, rows: Rows) -> Floats:
        return np.asarray(rows.spins.mean(axis=0))

    def _held_out_score(self, parameters: Parameters, rows: Rows) -> Estimate:
        machine = GaussianParameters.unpacked(parameters, self.n_features_in_)
        log_z = self._log_partition_of(machine, QUICK)
        value = -float(gaussian_free_energies(machine, rows.spins).mean()) - log_z.value
        return Estimate(value, log_z.standard_error, log_z.method)

    def _monitor(
        self, before: LearnerState, shown: Progress, after: LearnerState, history: History
    ) -> dict[str, float]:
        hidden, _ = hidden_parameters(GaussianParameters.unpacked(after.parameters, self.n_features_in_))
        reads = [self._learner.compiled.reads(state.sampler) for state in (before, after)]
        row = {"effective_particles": effective_particles(self._structure, hidden, *reads)}
        return row | self._called_back(after, history, IsingModel.from_parameters(self._structure, hidden))

    def _finish(self, state: LearnerState) -> None:
        self._state = state
        self._parameters = GaussianParameters.unpacked(state.parameters, self.n_features_in_)
        self.n_iter_ = state.iteration
        self.visible_biases_, self.hidden_biases_, self.weights_, log_variances = self._parameters
        self.variances_ = np.exp(log_variances)
        self.hidden_model_ = IsingModel.from_parameters(self._structure, hidden_parameters(self._parameters)[0])
        self._estimates: dict[tuple[int, int], Estimate] = {}

    # -- likelihoods ---------------------------------------------------------------------------------------------

    @property
    def log_partition_(self) -> Estimate:
        """The ln Z, nats, with its standard error and method: exact up to 16 hidden units."""
        check_is_fitted(self)
        key = (self.n_ais_runs, self.n_ais_steps)
        if key not in self._estimates:
            self._estimates[key] = self._log_partition_of(self._parameters, key)
        return self._estimates[key]

    def _log_partition_of(self, parameters: GaussianParameters, effort: tuple[int, int]) -> Estimate:
        hidden, constant = hidden_parameters(parameters)
        found = log_partition(
            self._structure,
            hidden,
            num_runs=effort[0],
            num_steps=effort[1],
            start_means=np.tanh(hidden_fields(parameters, self._data_means[None])[0]),
            seed=child_seed(self._seed, LIKELIHOOD),
        )
        return Estimate(found.value + constant, found.standard_error, found.method)

    def score_samples(self, X: Any) -> Floats:
        """Return the log-density of every row, nats, (num_rows,); its zero depends on the units of the data.

        ln Z comes from `log_partition_`; its standard error is common to all rows.
        """
        check_is_fitted(self)
        return np.asarray(-gaussian_free_energies(self._parameters, self._validated(X)) - self.log_partition_.value)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-density of the rows, nats: the mean of `score_samples`."""
        return float(self.score_samples(X).mean())

    def log_likelihood(self, X: Any) -> Estimate:
        """Return the mean log-density of the rows, nats, with the standard error of ln Z and the method."""
        value = self.score(X)
        return Estimate(value, self.log_partition_.standard_error, self.log_partition_.method)

    # -- units ---------------------------------------------------------------------------------------------------

    def transform(self, X: Any) -> Floats:
        """Return P(hidden unit is +1 | x), (num_rows, n_components)."""
        check_is_fitted(self)
        return np.asarray(0.5 * (1.0 + np.tanh(hidden_fields(self._parameters, self._validated(X)))))

    def sample(self, n_samples: int = 1, *, random_state: Any = None) -> Floats:
        """Draw rows, (n_samples, n_features): hidden units by the sampler, visible units given them exactly.

        Parameters
        ----------
        n_samples : int
        random_state : int, RandomState or None
            None uses the estimator's own.
        """
        check_is_fitted(self)
        num_reads, seed = check_count("n_samples", n_samples), self._read_seed(random_state)
        compiled = self._compiled("spins")
        state = compiled.advance(self.hidden_model_.parameters, compiled.init(num_reads, seed), _EQUILIBRATION_STEPS)
        means = visible_means(self._parameters, compiled.reads(state))
        noise = np.random.default_rng(child_seed(seed, READS)).standard_normal(means.shape)
        return np.asarray(means + np.sqrt(self.variances_) * noise)

    def reconstruct(
        self, X: Any, known: Any = None, *, n_reads: int = 50, n_sweeps: int = 200, random_state: Any = None
    ) -> Floats:
        """Return rows with their unknown values at their means given the known ones, (num_rows, n_features).

        Parameters
        ----------
        X : (num_rows, n_features)
            Unknown values are ignored; they may be NaN.
        known : bool, (n_features,) or (num_rows, n_features), optional
            Which values are given. None: those that are not NaN.
        n_reads, n_sweeps : int
            Block Gibbs reads of every row, and sweeps of each, where there are more than 10 hidden units; up to there
            the means are exact.
        random_state : int, RandomState or None

        Raises
        ------
        ValueError
            If the mask has another shape, or a known value is not finite.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite=False)
        mask = ~np.isnan(rows) if known is None else np.asarray(known)
        if mask.dtype != np.bool_ or mask.shape not in (rows.shape, rows.shape[1:]):
            msg = f"known is boolean, of shape {rows.shape[1:]} or {rows.shape}; got {mask.dtype} of shape {mask.shape}"
            raise ValueError(msg)
        mask = np.broadcast_to(mask, rows.shape)
        given = np.where(mask, rows, 0.0)
        if not np.isfinite(given).all():
            msg = f"known values are finite; got {given[~np.isfinite(given)][0]}"
            raise ValueError(msg)
        if self._structure.num_variables <= _MOST_SUMMED:
            return exact_completions(self._parameters, given, mask)
        return sampled_completions(
            self._parameters,
            given,
            mask,
            num_reads=check_count("n_reads", n_reads),
            num_sweeps=check_count("n_sweeps", n_sweeps),
            seed=self._read_seed(random_state),
        )

    def _read_seed(self, random_state: Any) -> int:
        given = self.random_state if random_state is None else random_state
        return child_seed(int(check_random_state(given).randint(2**31 - 1)), READS)

    def _validated(self, X: Any) -> Floats:
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))

    @property
    def _n_features_out(self) -> int:
        return int(self._structure.num_variables)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_parameters")
