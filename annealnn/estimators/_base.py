"""What the Boltzmann machines share: data in, training loop, sampling, prediction, likelihood."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from annealnn._rng import child_seed
from annealnn._validation import check_bits, check_count
from annealnn.estimators._parameters import check_parameters, describe_sampler, structure_of
from annealnn.estimators._units import Units
from annealnn.learning import (
    Bounds,
    CheckpointPolicy,
    Estimate,
    LearnerState,
    MomentMatching,
    Progress,
    descend,
    log_partition,
    read_record,
)
from annealnn.models import Clamp, IsingModel, Moments, Parameters, Structure, bits_to_spins, spins_to_bits
from annealnn.samplers import CompiledSampler
from annealnn.typing import AnyArray, Bits, Floats, Spins

# what a part of the job draws from: children of one seed
_TRAINING, _LIKELIHOOD, _READS = range(3)


class VisibleBoltzmannMachine(DensityMixin, BaseEstimator, ABC):
    """Abstract: every unit is visible, and learning matches moments."""

    _compiled: CompiledSampler
    _units: Units
    structure_: Structure
    model_: IsingModel

    # -- what a machine says of itself ---------------------------------------------------------------------------

    @abstractmethod
    def _compile(self, source: Structure, seed: int) -> CompiledSampler:
        """Open the sampler over the graph that it sees, and keep what decoding needs."""

    @abstractmethod
    def _bounds(self) -> Bounds:
        """Return the ranges of the parameters that are learned."""

    @abstractmethod
    def _num_reads(self) -> int:
        """Return the number of reads (or particles) of one step."""

    @abstractmethod
    def _encode_moments(self, moments: Moments) -> Moments:
        """Return the data's moments on the graph that the sampler sees."""

    @abstractmethod
    def _observe(self, state: LearnerState, shown: Progress) -> dict[str, float]:
        """Return what to add to the history of a step."""

    @abstractmethod
    def _logical(self, parameters: Parameters) -> Parameters:
        """Return parameters over visible units for parameters that were learned."""

    @abstractmethod
    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        """Return fresh reads of the visible units (num_reads, num_units); `clamp` holds some of them."""

    @abstractmethod
    def _likelihood_parameters(self) -> Parameters:
        """Return parameters at beta = 1 of the distribution that `score_samples` is about."""

    # -- fitting -------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit to rows of bits, and to their labels if given.

        Parameters
        ----------
        X : (num_rows, n_features)
            Bits; any numbers if `binarize` is a threshold.
        y : (num_rows,), optional
            Labels. Each class becomes a visible unit: 1 in rows of that class, 0 in others.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is empty, has NaN or infinity, or (with binarize=None) a value other than 0 and 1; if y does not
            match; if a constructor argument breaks its rule.
        UnknownSamplerError
            If the sampler's name is not known.
        CheckpointError
            If `resume` is set and the checkpoint belongs to another job.
        """
        before = dict(self.__dict__)
        try:
            return self._fit(X, y)
        except BaseException:
            # a refused or interrupted fit leaves the machine as it was
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X: Any, y: Any) -> Self:
        spins = self._start(X, y, classes=None)
        data = self.structure_.moments_of(spins)
        state, history = descend(
            self._config(),
            self._compiled,
            self._encode_moments(data),
            start=self._first_state,
            observe=self._observe,
            monitor=self._call_monitor if self.monitor is not None else None,
            monitor_every=self.monitor_every,
            checkpoint=self._checkpoint_policy(spins),
            title=type(self).__name__,
            progress=self.progress,
        )
        self.history_, self.monitored_ = history.steps, history.monitored
        self._finish(state, data.spins)
        return self

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None) -> Self:
        """Make one step at the constant `learning_rate` towards the moments of these rows.

        Parameters
        ----------
        X : (num_rows, n_features)
        y : (num_rows,), optional
        classes : (n_classes,), optional
            All labels, at the first call, if `y` may lack some.

        Returns
        -------
        self
        """
        if not hasattr(self, "_state"):
            spins = self._start(X, y, classes=classes)
            self._state, self.history_, self.monitored_ = self._first_state(), {}, []
        else:
            check_parameters(self)
            spins = self._units.join(self._validated(X, reset=False), y)
            if not hasattr(self, "_compiled"):
                self._compiled = self._compile(self.structure_, self._seed)
        data = self.structure_.moments_of(spins)
        state, shown = self._config().step(
            self._state, self._encode_moments(data), self._compiled, rate=float(self.learning_rate)
        )
        entry = {"iteration": state.iteration, "field_error": shown.field_error, "coupling_error": shown.coupling_error}
        for name, value in (entry | self._observe(self._state, shown)).items():
            self.history_.setdefault(name, []).append(value)
        self._finish(state, data.spins)
        return self

    def _start(self, X: Any, y: Any, classes: Any) -> Spins:
        check_parameters(self)
        if y is None:
            X, labels = self._validated(X, reset=True), None
        else:
            X, labels = validate_data(self, X, y, dtype=np.float64, multi_output=False)
            X = check_bits(X, binarize=self.binarize)
        units = Units.of(self.n_features_in_, labels, classes)
        spins = units.join(X, labels)
        self._units = units
        if self._units.classes is not None:
            self.classes_ = self._units.classes
        elif hasattr(self, "classes_"):
            del self.classes_
        self.structure_ = structure_of(self.graph, units.num_units)
        self._seed = self._seed_to_use()
        self._compiled = self._compile(self.structure_, self._seed)
        return spins

    def _seed_to_use(self) -> int:
        """Return the seed of a job that is resumed, else a new one from `random_state`."""
        if self.checkpoint is not None and self.resume and (Path(self.checkpoint) / "checkpoint.json").exists():
            about = read_record(Path(self.checkpoint)).get("about")
            if isinstance(about, dict) and isinstance(about.get("seed"), int):
                return int(about["seed"])
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _validated(self, X: Any, *, reset: bool) -> Bits:
        return check_bits(validate_data(self, X, dtype=np.float64, reset=reset), binarize=self.binarize)

    def _config(self) -> MomentMatching:
        return MomentMatching(
            learning_rate=float(self.learning_rate),
            num_iterations=int(self.n_iter),
            momentum=float(self.momentum),
            bounds=self._bounds(),
        )

    def _first_state(self) -> LearnerState:
        return self._config().init(self._compiled, self._num_reads(), child_seed(self._seed, _TRAINING))

    def _call_monitor(self, state: LearnerState) -> dict[str, float]:
        model = IsingModel.from_parameters(self.structure_, self._logical(state.parameters))
        return {name: float(value) for name, value in self.monitor(state.iteration, model).items()}

    def _checkpoint_policy(self, spins: Spins) -> CheckpointPolicy | None:
        if self.checkpoint is None:
            return None
        identity = {
            "machine": type(self).__name__,
            "data": hashlib.sha256(repr(spins.shape).encode() + spins.tobytes()).hexdigest(),
            "configuration": repr(self._config()),
            "num_reads": self._num_reads(),
            "sampler": describe_sampler(self.sampler),
            "random_state": self.random_state if isinstance(self.random_state, int | np.integer) else None,
        }
        about = {"seed": self._seed, **self._about()}
        return CheckpointPolicy(folder=Path(self.checkpoint), identity=identity, about=about, resume=bool(self.resume))

    def _about(self) -> dict[str, Any]:
        """Return what a checkpoint keeps beside the state."""
        return {}

    def _finish(self, state: LearnerState, data_means: Floats) -> None:
        self._state, self._data_means = state, data_means
        self._estimates: dict[tuple[str, str], Estimate] = {}
        self.n_iter_ = state.iteration
        self.model_ = IsingModel.from_parameters(self.structure_, self._logical(state.parameters))

    # -- using the fitted machine --------------------------------------------------------------------------------

    @overload
    def sample(self, n_samples: int = ..., *, return_y: Literal[False] = ..., random_state: Any = ...) -> Bits: ...
    @overload
    def sample(
        self, n_samples: int = ..., *, return_y: Literal[True], random_state: Any = ...
    ) -> tuple[Bits, AnyArray]: ...
    def sample(self, n_samples: int = 1, *, return_y: bool = False, random_state: Any = None) -> Any:
        """Draw rows from the machine.

        Parameters
        ----------
        n_samples : int
        return_y : bool
            Whether to return labels too: the class whose unit alone is on, else (none or several on) the class
            that `predict` gives.
        random_state : int, RandomState or None
            None uses the estimator's own.

        Returns
        -------
        X : (n_samples, n_features) bits, or (X, y)
        """
        check_is_fitted(self)
        units = self._draw(check_count("n_samples", n_samples), self._read_seed(random_state))
        f = self._units.num_features
        X = spins_to_bits(units[:, :f])
        if not return_y:
            return X
        on = units[:, f:] > 0
        y = np.where(on.sum(axis=1) == 1, self._classes()[on.argmax(axis=1)], self._predict_bits(X))
        return X, y

    def predict(self, X: Any) -> AnyArray:
        """Return the class whose one-hot setting of the class units has the lowest energy, (num_rows,).

        Raises
        ------
        ValueError
            If the machine was fitted without y.
        """
        check_is_fitted(self)
        return self._predict_bits(self._validated(X, reset=False))

    def _predict_bits(self, bits: Bits) -> AnyArray:
        classes, one_hot = self._classes(), self._units.one_hot()
        energies = self._units.class_energies(self.structure_, self.model_.parameters, bits, one_hot)
        labels: AnyArray = classes[energies.argmin(axis=1)]
        return labels

    def _classes(self) -> AnyArray:
        if self._units.classes is None:
            msg = "classes come from y; this machine was fitted without it. Fit with y to predict"
            raise ValueError(msg)
        return self._units.classes

    def reconstruct_proba(self, X: Any, known: Any, *, n_reads: int = 50, random_state: Any = None) -> Floats:
        """Return the probability that each bit is 1 given the known ones, (num_rows, n_features).

        Parameters
        ----------
        X : (num_rows, n_features)
            Values of unknown bits are ignored; they may be NaN.
        known : bool, (n_features,) or (num_rows, n_features)
            Which bits are given. Class units are never given.
        n_reads : int
            Reads with the known bits clamped, for each row; the probability is their mean.
        random_state : int, RandomState or None

        Raises
        ------
        ValueError
            If the mask has another shape, or a known value is not a bit.
        """
        check_is_fitted(self)
        check_count("n_reads", n_reads)
        rows = validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite=False)
        mask = np.asarray(known)
        if mask.dtype != np.bool_ or mask.shape not in (rows.shape, rows.shape[1:]):
            msg = f"known is boolean, of shape {rows.shape[1:]} or {rows.shape}; got {mask.dtype} of shape {mask.shape}"
            raise ValueError(msg)
        mask = np.broadcast_to(mask, rows.shape)
        given_only = np.where(mask, rows, 0.0)
        if not np.isfinite(given_only).all():
            msg = f"known bits are finite; got {given_only[~np.isfinite(given_only)][0]}"
            raise ValueError(msg)
        bits = check_bits(given_only, binarize=self.binarize)
        seed = self._read_seed(random_state)
        out = np.empty(rows.shape)
        patterns, which = np.unique(mask, axis=0, return_inverse=True)
        for k, pattern in enumerate(patterns):
            mine = np.flatnonzero(which.reshape(-1) == k)
            given = np.flatnonzero(pattern)
            clamp = Clamp(given, np.repeat(bits_to_spins(bits[np.ix_(mine, given)]), n_reads, axis=0))
            reads = self._draw(len(mine) * n_reads, child_seed(seed, k), clamp)[:, : rows.shape[1]]
            out[mine] = spins_to_bits(reads).reshape(len(mine), n_reads, -1).mean(axis=1)
        return np.where(mask, bits, out)

    def reconstruct(self, X: Any, known: Any, *, n_reads: int = 50, random_state: Any = None) -> Bits:
        """Return rows with their unknown bits filled in: 1 where `reconstruct_proba` is above one half."""
        return (self.reconstruct_proba(X, known, n_reads=n_reads, random_state=random_state) > 0.5).astype(np.int8)

    @property
    def log_partition_(self) -> Estimate:
        """The ln Z of the distribution that `score_samples` is about, with its standard error and method."""
        check_is_fitted(self)
        return self._estimate("log_partition", self._estimate_log_partition)

    def _estimate(self, name: str, make: Callable[[], Estimate]) -> Estimate:
        """Return `make()`, kept for as long as the machine and its sampler stay what they are."""
        key = (name, describe_sampler(self.sampler))
        if key not in self._estimates:
            self._estimates[key] = make()
        return self._estimates[key]

    def _estimate_log_partition(self) -> Estimate:
        return self._log_partition_of(self._likelihood_parameters())

    def _log_partition_of(self, parameters: Parameters) -> Estimate:
        return log_partition(
            self.structure_,
            parameters,
            num_runs=self.n_ais_runs,
            num_steps=self.n_ais_steps,
            start_means=self._data_means,
            seed=child_seed(self._seed, _LIKELIHOOD),
        )

    def score_samples(self, X: Any, y: Any = None) -> Floats:
        """Return the log-likelihood of every row, nats, (num_rows,).

        Parameters
        ----------
        X : (num_rows, n_features)
        y : (num_rows,), optional
            With labels: ln P(x, y) of all units. Without: ln P(x), class units summed over.

        Notes
        -----
        ln Z comes from `log_partition_`; its standard error is common to all rows.
        """
        check_is_fitted(self)
        bits = self._validated(X, reset=False)
        parameters, log_z = self._likelihood_parameters(), self.log_partition_.value
        if y is not None or self._units.classes is None:
            return -self.structure_.energies(parameters, self._units.join(bits, y)) - log_z
        # with the class units at 0 the energy keeps its part among the features
        features_only = np.hstack([bits_to_spins(bits), np.zeros((len(bits), self._units.num_classes), np.int8)])
        among_features = self.structure_.energies(parameters, features_only)
        settings = self._units.all_settings()
        energies = self._units.class_energies(self.structure_, parameters, bits, settings)
        return np.asarray(logsumexp(-energies, axis=1) - among_features - log_z)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of the rows, nats: the mean of `score_samples`."""
        return float(self.score_samples(X, y).mean())

    def _read_seed(self, random_state: Any) -> int:
        given = self.random_state if random_state is None else random_state
        return child_seed(int(check_random_state(given).randint(2**31 - 1)), _READS)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # an open sampler may own a client and its threads: it is opened again when it is needed
        state.pop("_compiled", None)
        return state
