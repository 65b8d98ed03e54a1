"""The hardware-embedded graphical model."""

from dataclasses import replace
from typing import Any, final

import networkx as nx
import numpy as np
from sklearn.utils.validation import check_is_fitted

from annealnn._rng import child_seed
from annealnn._validation import check_count, check_pair
from annealnn.diagnostics import effective_beta
from annealnn.embeddings import EmbeddedStructure, embed_structure, topology_graph
from annealnn.estimators._base import BoltzmannEstimator
from annealnn.estimators._parameters import structure_of
from annealnn.learning import (
    Bounds,
    Descent,
    Estimate,
    Learner,
    LearnerState,
    Progress,
    VisiblePhase,
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


@final
class EmbeddedBoltzmannMachine(BoltzmannEstimator):
    """Fully visible machine that lives on a processor's graph (Benedetti et al. 2017, PRX 7, 041052).

    Every variable is copied to the qubits of its chain, and every qubit is a visible unit. All physical fields and
    couplers are learned, those inside chains too: their data moment is 1, so they grow until chains hold. No chain
    strength is set, and no temperature is asked for: the device's effective beta is absorbed in the learning rate.
    After each step the parameters are projected onto the device's ranges.

    Parameters
    ----------
    target : None, str or networkx.Graph
        Topology ("zephyr-12", "pegasus-16", "chimera-12", ...) or working graph of qubits. None is the graph of the
        sampler if it has one, else "zephyr-12".
    graph : None, networkx.Graph, or iterable of pairs
        Edges over units, features first, then class units; None is the complete graph.
    embedding : None, MinorEmbedding or mapping {variable: qubits}
        None takes a shipped one where it fits, else finds one.
    sampler : None, str, SamplerSpec or dimod.Sampler
        The device. None is a local stand-in: 20 sweeps of annealing, a quench. One under a transverse field is learned
        through alike: `SamplerSpec("path-integral", {"gamma": 0.5})`.
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
        sampler, parameters = resolve_sampler(self.sampler, default=DEFAULT_DEVICE)
        source = self.structure_
        if not hasattr(self, "embedded_") or self.embedded_.source is not source:
            self.embedded_: EmbeddedStructure = embed_structure(
                source, self._target_graph(sampler), embedding=self.embedding, seed=self._seed
            )
            self.embedding_ = self.embedded_.embedding
        self.bounds_ = Bounds.from_device(
            _range("h_range", self.h_range, sampler.properties.get("h_range", _H_RANGE)),
            _range(
                "extended_j_range",
                self.extended_j_range,
                sampler.properties.get("extended_j_range", sampler.properties.get("j_range", _EXTENDED_J_RANGE)),
            ),
        )
        return Learner(
            replace(descent, bounds=self.bounds_),
            compile_sampler(sampler, self.embedded_.physical, want="moments", **parameters),
            VisiblePhase(source, source.num_variables),
            num_particles=self._num_reads(),
            seed=self._seed,
            encode=self._encode_moments,
        )

    def _target_graph(self, sampler: Any) -> Any:
        if self.target is not None:
            return self.target
        if hasattr(sampler, "nodelist") and hasattr(sampler, "edgelist"):
            working = nx.Graph()
            working.add_nodes_from(sampler.nodelist)
            working.add_edges_from(sampler.edgelist)
            if hasattr(sampler, "to_networkx_graph"):
                working.graph.update(sampler.to_networkx_graph().graph)
            return working
        return topology_graph(DEFAULT_TARGET)

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
        return {"embedding": [list(chain) for chain in self.embedding_.chains]}

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
