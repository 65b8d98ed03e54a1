"""The hardware-embedded graphical model."""

from dataclasses import replace
from typing import Any, NamedTuple, final

import numpy as np
from sklearn.utils.validation import check_is_fitted

from annealnn._log import logger
from annealnn._rng import child_seed
from annealnn._validation import check_count, check_number, check_pair
from annealnn.diagnostics import effective_beta
from annealnn.embeddings import EmbeddedStructure, MinorEmbedding, Repair, embed_structure, repair_embedding
from annealnn.embeddings._topology import as_target
from annealnn.embeddings._transfer import Transfer
from annealnn.estimators._base import BoltzmannEstimator
from annealnn.estimators._parameters import structure_of
from annealnn.estimators._working_graph import described, labelled_graph, working_graph
from annealnn.exceptions import CheckpointError, GraphChangedError
from annealnn.learning import (
    Bounds,
    Descent,
    Estimate,
    Held,
    Learner,
    LearnerState,
    Progress,
    VisiblePhase,
    checkpoint,
    mean_absolute,
)
from annealnn.models import Clamp, IsingModel, Moments, Parameters, Structure
from annealnn.registry import SamplerSpec, resolve_sampler
from annealnn.samplers import compile_sampler
from annealnn.typing import Spins

DEFAULT_TARGET = "zephyr-12"
DEFAULT_DEVICE = SamplerSpec("anneal", {"num_sweeps": 20, "beta_range": (0.1, 2.0)})

# dimod's sign: what current processors advertise as h_range and extended_j_range
_H_RANGE = (-4.0, 4.0)
_EXTENDED_J_RANGE = (-2.0, 1.0)
_BETA_READS = 1000
# of particles that go on with on another graph
_CARRIED = 0x6A


class _Opened(NamedTuple):
    """A device that a machine learns on."""

    learner: Learner
    embedded: EmbeddedStructure
    repair: Repair | None  #: of the embedding that was known before, if one was


@final
class EmbeddedBoltzmannMachine(BoltzmannEstimator):
    """Fully visible machine that lives on a processor's graph (Benedetti et al. 2017, PRX 7, 041052).

    Every variable is copied to the qubits of its chain, and every qubit is a visible unit. All physical fields and
    couplers are learned, those inside chains too: their data moment is 1, so they grow until chains hold. No chain
    strength is set, and no temperature is asked for: the device's effective beta is absorbed in the learning rate.
    After each step the parameters are projected onto the device's ranges.

    When the device's working graph changes while it learns, the sampler is opened again, the embedding is mended,
    what was learned is carried over by the names of qubits, and learning goes on; so does a checkpoint of before.

    Parameters
    ----------
    target : None, str or networkx.Graph
        Topology ("zephyr-12", "pegasus-16", "chimera-12", ...) or working graph of qubits, as far as a sampler with a
        graph of its own has it. None is the graph of the sampler if it has one, else "zephyr-12".
    graph : None, networkx.Graph, or iterable of pairs
        Edges over units, features first, then class units; None is the complete graph.
    embedding : None, MinorEmbedding or mapping {variable: qubits}
        None takes a shipped one where it fits, else finds one. A fit that is resumed goes on with its checkpoint's.
    sampler : None, str, SamplerSpec or dimod.Sampler
        The device. None is a local stand-in: 20 sweeps of annealing, a quench. One under a transverse field is learned
        through alike: `SamplerSpec("path-integral", {"gamma": 0.5})`. For reads in random gauges, a `GaugeComposite`
        over a dimod sampler, or a processor's own option.
    chain_coupling : float, optional
        Hold all couplers inside chains at this, Eq. (1)'s sign: above 0, and in the device's range. None learns them.
    n_reads : int
        Reads for each gradient.
    n_iter, learning_rate, momentum, binarize, n_ais_runs, n_ais_steps,
    callbacks, monitor_every, checkpoint, resume, progress, random_state
        As in `BoltzmannMachine`.
    h_range, extended_j_range : (low, high), optional
        What the device can program, in dimod's sign. None asks the sampler's properties, else (-4, 4) and (-2, 1),
        which in Eq. (1)'s sign is J in [-1, 2].

    Attributes
    ----------
    model_ : IsingModel
        Over the units: physical parameters summed over chains and over couplers between chains.
    physical_model_ : IsingModel
        Over the qubits: what the device was last programmed with.
    embedding_ : MinorEmbedding
    embedded_ : EmbeddedStructure
        The physical graph: qubits, couplers, encoding and decoding.
    bounds_ : Bounds
        The device's ranges in Eq. (1)'s sign.
    graph_changes_ : list of dict
        Each time the working graph changed: `iteration`; `lost_qubits`, those of the machine that are gone; `method`,
        how the embedding was repaired; and `trimmed_chains` and `moved_chains`, of which variables.
    classes_, n_iter_, monitored_
        As in `BoltzmannMachine`.
    history_ : dict of list
        `iteration`; `field_error`, `coupling_error` (moments on qubits and couplers); `broken_chains` (fraction of
        chain and read pairs); `chain_coupling` (mean over couplers inside chains); `clipped_fraction`;
        `decoded_field_error`, `decoded_coupling_error` (moments of decoded reads).
    effective_beta_ : Estimate
        Of decoded reads under `model_`.

    Notes
    -----
    `score_samples` and `log_partition_` are about the Boltzmann distribution of `model_` at `effective_beta_`. A quench
    is not that distribution: judge the machine by its decoded reads.
    """

    model_: IsingModel

    def __init__(
        self,
        target: Any = None,
        *,
        graph: Any = None,
        embedding: Any = None,
        sampler: Any = None,
        chain_coupling: float | None = None,
        n_reads: int = 500,
        n_iter: int = 200,
        learning_rate: float = 0.05,
        momentum: float = 0.5,
        h_range: Any = None,
        extended_j_range: Any = None,
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
        self.target = target
        self.graph = graph
        self.embedding = embedding
        self.sampler = sampler
        self.chain_coupling = chain_coupling
        self.n_reads = n_reads
        self.n_iter = n_iter
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.h_range = h_range
        self.extended_j_range = extended_j_range
        self.binarize = binarize
        self.n_ais_runs = n_ais_runs
        self.n_ais_steps = n_ais_steps
        self.callbacks = callbacks
        self.monitor_every = monitor_every
        self.checkpoint = checkpoint
        self.resume = resume
        self.progress = progress
        self.random_state = random_state

    def _graph_of(self, num_visible: int) -> Structure:
        return structure_of(self.graph, num_visible)

    def _open(self, descent: Descent, *, has_missing: bool) -> Learner:
        known = getattr(self, "embedded_", None)
        if known is None or known.source is not self.structure_:
            known = self._saved()
            self.graph_changes_: list[dict[str, Any]] = []
        opened = self._open_on(descent, known)
        self._take_up(opened)
        return opened.learner

    def _open_on(self, descent: Descent, known: EmbeddedStructure | None) -> "_Opened":
        """Return a learner on the device as it is now, and its physical graph: the known one where that still holds."""
        sampler, parameters = resolve_sampler(self.sampler, default=DEFAULT_DEVICE)
        source, target = self.structure_, working_graph(sampler, self.target, DEFAULT_TARGET)
        repair = None
        if known is None:
            embedded = embed_structure(source, target, embedding=self.embedding, seed=self._seed)
        else:
            graph, _ = as_target(target)
            repair = repair_embedding(known.embedding, source, graph, seed=self._seed)
            embedded = EmbeddedStructure.build(repair.embedding, source, graph)
            embedded = known if Transfer(known, embedded).is_identity else embedded
        bounds = Bounds.from_device(
            _range("h_range", self.h_range, sampler.properties.get("h_range", _H_RANGE)),
            _range(
                "extended_j_range",
                self.extended_j_range,
                sampler.properties.get("extended_j_range", sampler.properties.get("j_range", _EXTENDED_J_RANGE)),
            ),
        )
        learner = Learner(
            replace(descent, bounds=bounds, held=self._held(embedded, bounds)),
            compile_sampler(sampler, embedded.physical, want="moments", **parameters),
            VisiblePhase(source, source.num_variables),
            num_particles=self._num_reads(),
            seed=self._seed,
            encode=self._encode_moments,
        )
        return _Opened(learner, embedded, repair)

    def _take_up(self, opened: "_Opened") -> None:
        self._learner, self.embedded_, self._repair = opened
        self.embedding_, self.bounds_ = self.embedded_.embedding, self._learner.descent.bounds

    def _held(self, embedded: EmbeddedStructure, bounds: Bounds) -> Held | None:
        if self.chain_coupling is None:
            return None
        most = bounds.couplings[1]
        value = check_number("chain_coupling", self.chain_coupling, low=0.0, high=most, open_low=True)
        return Held(embedded.in_chain, value)

    # -- a working graph that changes ------------------------------------------------------------------------------

    def _recover(self, error: GraphChangedError, state: LearnerState) -> tuple[Learner, LearnerState]:
        before = self.embedded_
        logger.warning("iteration %d: %s; looking at the working graph again", state.iteration, error)
        opened = self._open_on(self._learner.descent, before)
        after = self._carried(state, before, opened)
        self._take_up(opened)
        return opened.learner, after

    def _carried(self, state: LearnerState, old: EmbeddedStructure, opened: "_Opened") -> LearnerState:
        """Return a state on the old physical graph as one on the new."""
        learner, new, repair = opened
        assert repair is not None  # noqa: S101 - the old graph was known
        self.graph_changes_ = [*self.graph_changes_, {"iteration": state.iteration, **described(repair)}]
        logger.warning(
            "iteration %d: the machine lost %d qubits; embedding %s, %d chains trimmed and %d moved",
            *(state.iteration, len(repair.gone), repair.method, len(repair.trimmed), len(repair.moved)),
        )
        transfer, descent = Transfer(old, new), learner.descent
        if transfer.is_identity:
            return state

        def parameters(of: Parameters) -> Parameters:
            inside, _ = descent.bounds.project(transfer.parameters(of))
            return inside if descent.held is None else descent.held.hold(inside)

        spins = transfer.spins(learner.compiled.reads(state.sampler))
        return state._replace(
            parameters=parameters(state.parameters),
            velocity=transfer.values(state.velocity),
            sampler=learner.compiled.begin(spins, child_seed(self._seed, _CARRIED, state.iteration)),
            best=None if state.best is None else parameters(state.best),
            average=None if state.average is None else parameters(state.average),
        )

    def _saved(self) -> EmbeddedStructure | None:
        """Return the physical graph of the checkpoint that is resumed, if one is."""
        folder = self._resumed_from()
        if folder is None:
            return None
        physical, about = checkpoint.structure_of(folder), checkpoint.read_record(folder).get("about")
        try:
            sizes, first = [len(chain) for chain in about["embedding"]], 0  # type: ignore[index]
            chains = []
            for size in sizes:
                chains.append(physical.labels[first : first + size])
                first += size
            return EmbeddedStructure.build(MinorEmbedding(tuple(chains)), self.structure_, labelled_graph(physical))
        except (KeyError, TypeError, ValueError) as error:
            msg = (
                f"a checkpoint of this machine holds an embedding of its variables; that of {folder} does not fit: "
                f"{error}. Start again without resuming"
            )
            raise CheckpointError(msg) from error

    def _carry(self, state: LearnerState, physical: Structure) -> LearnerState:
        """Return a checkpoint's state on the graph at hand."""
        folder = self._resumed_from()
        saved = self._saved()
        assert folder is not None and saved is not None  # noqa: S101, PT018 - a checkpoint is being loaded
        self.graph_changes_ = list(checkpoint.read_record(folder)["about"].get("graph_changes", []))
        if Transfer(saved, self.embedded_).is_identity:
            return state
        return self._carried(state, saved, _Opened(self._learner, self.embedded_, self._repair))

    def _num_reads(self) -> int:
        return check_count("n_reads", self.n_reads)

    def _encode_moments(self, moments: Moments) -> Moments:
        self._source_moments = moments
        return self.embedded_.encode_moments(moments)

    def _observe(self, state: LearnerState, shown: Progress) -> dict[str, float]:
        in_chain = self.embedded_.in_chain
        entry = {
            "chain_coupling": float(state.parameters.couplings[in_chain].mean()) if in_chain.any() else 0.0,
            "clipped_fraction": shown.clipped_fraction,
        }
        if shown.step.spins is None:
            return entry
        decoded = self.embedded_.decode(shown.step.spins)
        moments = self.structure_.moments_of(decoded.spins)
        return entry | {
            "broken_chains": float(decoded.broken.mean()),
            "decoded_field_error": mean_absolute(moments.spins, self._source_moments.spins),
            "decoded_coupling_error": mean_absolute(moments.pairs, self._source_moments.pairs),
        }

    def _about(self) -> dict[str, Any]:
        return {
            "embedding": [list(chain) for chain in self.embedding_.chains],
            "graph_changes": self.graph_changes_,
        }

    def _logical(self, parameters: Parameters) -> Parameters:
        return self.embedded_.collapse(parameters)

    @property
    def physical_model_(self) -> IsingModel:
        """The model over the qubits."""
        check_is_fitted(self)
        return IsingModel.from_parameters(self.embedded_.physical, self._state.parameters)

    @property
    def effective_beta_(self) -> Estimate:
        """The beta that best explains decoded reads under `model_`, by maximum pseudo-likelihood."""
        check_is_fitted(self)
        return self._estimate("effective_beta", self._estimate_beta)

    def _estimate_beta(self) -> Estimate:
        reads = self._draw(_BETA_READS, child_seed(self._seed, _BETA_READS))
        beta, error = effective_beta(self.structure_, self.model_.parameters, reads)
        return Estimate(beta, error, f"maximum pseudo-likelihood, {_BETA_READS} decoded reads")

    def _scaled(self, beta: float) -> Parameters:
        return Parameters(beta * self.model_.h, beta * self.model_.parameters.couplings)

    def _likelihood_parameters(self) -> Parameters:
        beta = self.effective_beta_.value
        if not np.isfinite(beta):
            msg = (
                "a likelihood needs a finite effective beta; every decoded read is a local minimum of model_, "
                "so none explains them. Judge the machine by its decoded reads"
            )
            raise ValueError(msg)
        return self._scaled(beta)

    def _estimate_log_partition(self) -> Estimate:
        at_beta = self._log_partition_of(self._likelihood_parameters())
        beta, error, _ = self.effective_beta_
        # the same draws at beta plus its standard error: their noise cancels in the difference
        shift = self._log_partition_of(self._scaled(beta + error)).value - at_beta.value
        total = float(np.hypot(at_beta.standard_error, shift))
        return Estimate(at_beta.value, total, f"{at_beta.method}, at effective beta {beta:.3f} +- {error:.3f}")

    def draw_qubits(self, n_reads: int, *, random_state: Any = None) -> Spins:
        """Return fresh reads of the qubits, (n_reads, num_qubits) spins, chain after chain as in `physical_model_`."""
        check_is_fitted(self)
        return self._reads(check_count("n_reads", n_reads), self._read_seed(random_state), None)

    def _draw(self, num_reads: int, seed: int, clamp: Clamp | None = None) -> Spins:
        held = None
        if clamp is not None:
            qubits = np.flatnonzero(np.isin(self.embedded_.chain_of, clamp.variables))
            column = np.empty(self.structure_.num_variables, dtype=np.intp)
            column[clamp.variables] = np.arange(len(clamp.variables))
            columns = column[self.embedded_.chain_of[qubits]]
            known = None if clamp.known is None else clamp.known[:, columns]
            held = Clamp(qubits, clamp.spins[:, columns], known)
        return self.embedded_.decode(self._reads(num_reads, seed, held)).spins

    def _reads(self, num_reads: int, seed: int, clamp: Clamp | None) -> Spins:
        sampler, parameters = resolve_sampler(self.sampler, default=DEFAULT_DEVICE)
        compiled = compile_sampler(sampler, self.embedded_.physical, want="spins", **parameters)
        return compiled.reads(compiled.step(self._state.parameters, compiled.init(num_reads, seed), clamp).state)


def _range(name: str, given: Any, otherwise: Any) -> tuple[float, float]:
    low, high = check_pair(name, otherwise if given is None else given)
    if not low <= 0.0 <= high:
        msg = f"{name} is a range (low, high) that holds 0; got {(low, high)}"
        raise ValueError(msg)
    return low, high
