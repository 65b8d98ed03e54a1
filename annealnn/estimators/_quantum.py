"""Quantum Boltzmann machines."""

from typing import Any, final

import numpy as np

from annealnn._rng import child_seed
from annealnn._validation import check_choice, check_count
from annealnn.estimators._machine import LIKELIHOOD
from annealnn.estimators._parameters import structure_of
from annealnn.estimators._sampled import SampledMachine
from annealnn.learning import (
    Descent,
    Estimate,
    HiddenFields,
    Learner,
    LearnerState,
    PositivePhase,
    Rows,
    SampledPhase,
    VisiblePhase,
    mean_field,
)
from annealnn.learning.likelihood import (
    DIAGONALISED_UP_TO,
    RowEstimates,
    transverse_log_likelihood,
    transverse_log_partition,
)
from annealnn.learning.quantum import (
    QuantumClampedPhase,
    QuantumParameters,
    bound_loss,
    exact_loss,
    fit_quantum_machine,
    pure_state_loss,
    visible_distribution,
)
from annealnn.learning.quantum._machine import gibbs_state
from annealnn.models import IsingModel, Parameters, Structure, TransverseIsing
from annealnn.models._exact import basis_numbers
from annealnn.registry import SamplerSpec, resolve_sampler
from annealnn.samplers import CompiledSampler, compile_sampler
from annealnn.samplers._compiled import Want
from annealnn.typing import AnyArray, Floats, Spins

_LOSSES = {"bound": bound_loss, "likelihood": exact_loss, "relative-entropy": pure_state_loss}
# units of a machine that is fitted by diagonalisation unless told otherwise
_FITTED_EXACTLY = 8


@final
class QuantumBoltzmannMachine(SampledMachine):
    """Quantum Boltzmann machine, P(v) = Tr[Lambda_v exp(-H)] / Z with Eq. (1)'s H (Amin et al. 2018, PRX 8, 021050).

    Parameters
    ----------
    graph : None, networkx.Graph, or iterable of pairs
        Edges over units 0..n-1: features first, then class units, then hidden units. None is the complete graph, but
        without edges among hidden units: with hidden units, a semi-restricted machine.
    n_hidden : int
    gamma : float or (n_units,)
        Transverse field, energy units: one for all units, or one for each.
    learn_gamma : bool
        Learn the transverse field from `gamma` on, by the exact gradient.
    loss : "bound", "likelihood" or "relative-entropy"
        What is minimised. "bound": the Golden-Thompson bound of the negative log-likelihood; it needs moments only, so
        that a sampler can train it. "likelihood": the negative log-likelihood itself. "relative-entropy": to the pure
        state of amplitudes sqrt(q), q the data's distribution, all units visible (Kappen 2020). The last two need
        `solver="bfgs"`.
    solver : "auto", "bfgs" or "descent"
        "bfgs": by diagonalisation, up to 12 units, from zero weights to convergence, in at most `n_iter` steps; of what
        concerns steps, particles, early ends and checkpoints only `weight_decay` is used. "descent": steps along
        moments of a sampler; so are those of `partial_fit`, whatever the loss, at the `gamma_` that was learned.
        "auto": "bfgs" for up to 8 units and no sampler.
    sampler : None, str, SamplerSpec or dimod.Sampler
        None is path-integral Monte Carlo at `gamma_`, `num_slices` and `n_sweeps`; so is "path-integral", and a spec of
        it is completed by them. Another is taken as it is: it brings its own transverse field. A planned quench is
        refused if it is one of another gamma.
    num_slices : int
        Of imaginary time: for the sampler, and for likelihoods beyond 10 units.
    n_sweeps, negative_phase, n_particles, batch_size, n_iter, learning_rate, schedule, momentum, average,
    weight_decay, l1, centering, weight_scale, early_stopping, validation_fraction, n_iter_no_change, tol, binarize,
    n_ais_runs, n_ais_steps, callbacks, monitor_every, checkpoint, resume, progress, random_state
        As in `BoltzmannMachine`.

    Attributes
    ----------
    model_ : TransverseIsing
        Over features, class units, hidden units.
    gamma_ : (n_units,)
        Transverse fields.
    classes_, n_iter_, history_, monitored_, log_partition_
        As in `BoltzmannMachine`. With "bfgs", `history_` has the loss at the end, nats, and the largest slope there.

    Notes
    -----
    Likelihoods are exact up to 10 units; beyond, by annealed importance sampling of the system of `num_slices` slices,
    class units not summed over. Visible units of clamped reads (`reconstruct`) are held in all of imaginary time: that
    is not the conditional of P(v), for operators do not commute.

    Examples
    --------
    >>> from annealnn import QuantumBoltzmannMachine
    >>> X = [[0, 0, 1], [0, 1, 1], [1, 1, 1]]
    >>> QuantumBoltzmannMachine(gamma=1.0, random_state=0).fit(X).sample(2).shape
    (2, 3)
    """

    model_: TransverseIsing

    def __init__(
        self,
        graph: Any = None,
        *,
        n_hidden: int = 0,
        gamma: Any = 2.0,
        learn_gamma: bool = False,
        loss: str = "bound",
        solver: str = "auto",
        sampler: Any = None,
        num_slices: int = 16,
        n_sweeps: int = 1,
        negative_phase: str = "persistent",
        n_particles: int = 1000,
        batch_size: int | None = None,
        n_iter: int = 500,
        learning_rate: float = 0.05,
        schedule: str = "linear",
        momentum: float = 0.5,
        average: float = 0.0,
        weight_decay: Any = 0.0,
        l1: Any = 0.0,
        centering: bool = False,
        weight_scale: float = 0.01,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 0.0,
        binarize: float | None = None,
        n_ais_runs: int = 100,
        n_ais_steps: int = 500,
        callbacks: Any = None,
        monitor_every: int = 50,
        checkpoint: Any = None,
        resume: bool = False,
        progress: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self.graph = graph
        self.n_hidden = n_hidden
        self.gamma = gamma
        self.learn_gamma = learn_gamma
        self.loss = loss
        self.solver = solver
        self.sampler = sampler
        self.num_slices = num_slices
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

    # -- what kind of machine it is ------------------------------------------------------------------------------

    def _has_hidden(self) -> bool:
        return self.n_hidden != 0

    def _graph_of(self, num_visible: int) -> Structure:
        n = num_visible + check_count("n_hidden", self.n_hidden, minimum=0)
        if self.graph is not None:
            return structure_of(self.graph, n)
        whole = Structure.complete(n)
        return Structure(n, whole.edges[whole.edges[:, 0] < num_visible])

    def _gammas(self) -> Floats:
        n = self.structure_.num_variables
        gamma = np.asarray(self.gamma)
        is_number = gamma.dtype.kind in "iuf" and gamma.shape in ((), (n,))
        if not is_number or not np.isfinite(gamma).all() or (gamma < 0).any():
            msg = f"gamma is a finite number of at least 0, or one for each of {n} units; got {self.gamma!r}"
            raise ValueError(msg)
        return np.broadcast_to(gamma, (n,)).astype(np.float64)

    def _solves(self) -> bool:
        """Return whether the machine is fitted by diagonalisation."""
        check_choice("solver", self.solver, ["auto", "bfgs", "descent"])
        check_choice("loss", self.loss, list(_LOSSES))
        check_choice("learn_gamma", self.learn_gamma, [True, False])
        few = self.sampler is None and self.structure_.num_variables <= _FITTED_EXACTLY
        solves = self.solver == "bfgs" or (self.solver == "auto" and few)
        if not solves and (self.loss != "bound" or self.learn_gamma):
            msg = (
                f"a sampler gives the moments that the bound needs, at a given gamma; got loss={self.loss!r}, "
                f"learn_gamma={self.learn_gamma} for {self.structure_.num_variables} units. Set solver='bfgs' (up to "
                "12 units), or loss='bound' and learn_gamma=False"
            )
            raise ValueError(msg)
        return solves

    @property
    def _default_sampler(self) -> SamplerSpec:
        return SamplerSpec(
            "path-integral",
            {
                "gamma": self._gamma,
                "num_slices": check_count("num_slices", self.num_slices, minimum=2),
                "num_sweeps": check_count("n_sweeps", self.n_sweeps),
            },
        )

    def _compiled(self, want: Want, beta: float = 1.0) -> CompiledSampler:
        sampler = self.sampler
        if sampler == "path-integral":
            sampler = None
        elif isinstance(sampler, SamplerSpec) and sampler.name == "path-integral":
            sampler = SamplerSpec("path-integral", {**self._default_sampler.parameters, **sampler.parameters})
        opened, keywords = resolve_sampler(sampler, default=self._default_sampler)
        quench = opened.properties.get("quench")
        if quench is not None and not np.allclose(self._gamma, quench["gamma"]):
            msg = (
                f"a machine is learned at the gamma that its quench is planned for, {quench['gamma']:g}; got "
                f"gamma={self.gamma!r}. Set gamma={quench['gamma']:g}, or plan another quench"
            )
            raise ValueError(msg)
        return compile_sampler(opened, self.structure_, want=want, **keywords)

    # -- fitting -------------------------------------------------------------------------------------------------

    def _split(self, rows: Rows, labels: AnyArray | None) -> tuple[Rows, Rows | None]:
        return (rows, None) if self._solves() else super()._split(rows, labels)

    def _hidden_of_reads(self, hidden: HiddenFields | None) -> HiddenFields | None:
        return None

    def _positive(self, hidden: HiddenFields | None, *, has_missing: bool) -> PositivePhase:
        structure, nv = self.structure_, self._units.num_units
        if structure.num_variables == nv:
            return VisiblePhase(structure, nv)
        if hidden is not None:
            return QuantumClampedPhase(structure, nv, self._gamma)
        return SampledPhase(structure, nv, self._compiled("spins"))

    def _start(self, X: Any, y: Any, classes: Any) -> tuple[Rows, AnyArray | None]:
        self.__dict__.pop("_gamma", None)
        return super()._start(X, y, classes)

    def _open(self, descent: Descent, *, has_missing: bool) -> Learner:
        if not hasattr(self, "_gamma"):  # what was learned stays
            self._gamma = self._gammas()
        self._tables: list[tuple[Parameters, float, Floats]] = []  # at most one: filled, not set, by what only reads
        self._solves()
        return super()._open(descent, has_missing=has_missing)

    def _train(self, rows: Rows, held_out: Rows | None) -> LearnerState:
        if not self._solves():
            return super()._train(rows, held_out)
        found = fit_quantum_machine(
            self.structure_,
            visible_distribution(rows.spins),
            _LOSSES[self.loss],
            gamma=self._gamma if np.ndim(self.gamma) else float(self.gamma),
            learn_gamma=self.learn_gamma,
            weight_decay=self._penalty("weight_decay"),
            max_iter=self.n_iter,
            seed=self._seed,
        )
        self._gamma = found.parameters.gamma
        if self.learn_gamma:  # for the steps of partial_fit
            self._learner = self._open(self._descent(), has_missing=False)
        self.history_ = {"loss": [found.loss], "slope": [found.slope]}
        self.monitored_: list[dict[str, float]] = []
        state = self._first_state(rows)
        return state._replace(iteration=found.num_evaluations, parameters=found.parameters.diagonal)

    def _model_of(self, parameters: Parameters) -> TransverseIsing:
        return TransverseIsing.of(IsingModel.from_parameters(self.structure_, parameters), self._gamma)

    @property
    def gamma_(self) -> Floats:
        """Transverse fields, (n_units,)."""
        return np.asarray(self.model_.gamma)

    # -- likelihoods ---------------------------------------------------------------------------------------------

    def _stacks_classes(self) -> bool:
        return True

    @property
    def _sums_hidden(self) -> bool:
        # a row's estimate would say so, too, after seconds
        few = self.structure_.num_variables <= DIAGONALISED_UP_TO
        return few or (not self._gamma.any() and super()._sums_hidden)

    def _log_partition_of(self, parameters: Parameters, effort: tuple[int, int] | None = None) -> Estimate:
        if self.structure_.num_variables <= DIAGONALISED_UP_TO:
            return Estimate(self._solved(parameters)[0], 0.0, "diagonalisation")
        num_runs, num_steps = effort or (self.n_ais_runs, self.n_ais_steps)
        return transverse_log_partition(
            self.structure_,
            parameters,
            self._gamma,
            num_slices=self.num_slices,
            num_runs=num_runs,
            num_steps=num_steps,
            start_means=self._data_means,
            seed=child_seed(self._seed, LIKELIHOOD),
        )

    def _rows_given(self, parameters: Parameters, rows: Spins, log_z: Estimate) -> RowEstimates:
        if self.structure_.num_variables <= DIAGONALISED_UP_TO:
            # what is kept is worth having: the table of a hundred rows is that of one
            values = self._solved(parameters)[1][basis_numbers(rows)]
            return RowEstimates(values, np.zeros(len(rows)), 0.0, "diagonalisation")
        return transverse_log_likelihood(
            self.structure_,
            parameters,
            self._gamma,
            rows,
            log_z=log_z,
            num_slices=self.num_slices,
            start_means=self._data_means,
            seed=child_seed(self._seed, LIKELIHOOD, 1),
        )

    def _solved(self, parameters: Parameters) -> tuple[float, Floats]:
        """Return ln Z, and ln P(v) of every basis state; kept for the parameters at hand."""
        if not self._tables or self._tables[0][0] is not parameters:
            state = gibbs_state(self.structure_, QuantumParameters(*parameters, self._gamma))
            p = (np.square(state.vectors) @ state.weights).reshape(2**self._units.num_units, -1).sum(axis=1)
            with np.errstate(divide="ignore"):
                self._tables[:] = [(parameters, state.log_z, np.log(p))]
        return self._tables[0][1:]

    def _hidden_probabilities(self, rows: Floats) -> Floats:
        nv = self._units.num_units
        means = mean_field(self.structure_, nv, self._parameters, rows, self._gamma[nv:])
        return np.asarray(0.5 * (1.0 + means))
