"""Problems of any graph on a processor's."""

from collections.abc import Mapping
from typing import Any, final

import dimod
import numpy as np

from annealnn._rng import resolve_seed
from annealnn.embeddings import (
    ChainStrength,
    EmbeddedStructure,
    MinorEmbedding,
    embed_structure,
    unembed,
)
from annealnn.embeddings._unembed import Unembedding
from annealnn.models import Clamp, IsingModel, Parameters, Structure, bqm_of_terms
from annealnn.samplers._adapter import compile_sampler
from annealnn.samplers._compiled import CompiledSampler, SamplerState, Step, Want
from annealnn.samplers.composites._base import Reads
from annealnn.samplers.composites._chains import (
    ChainOptions,
    EmbeddingComposite,
    break_fraction,
    embedding_context,
    spread_states,
)
from annealnn.samplers.composites._values import check_values, low_value, states_of
from annealnn.typing import Spins


@final
class EmbeddedSampler(EmbeddingComposite):
    """Each variable is a chain of qubits of the child's graph; an embedding is found once for each graph of a problem.

    Fields and couplings are shared evenly among the qubits and couplers that carry them. Chains may break, and reads
    are no Boltzmann distribution of the problem even where the child's are of its own.

    Parameters
    ----------
    child : dimod.Sampler
        A processor, or any sampler if `target` is given.
    target : str or networkx.Graph, optional
        Topology or working graph; None is the child's own.
    embedding : MinorEmbedding or mapping {label: qubits}, optional
        Used for all problems; chains of an embedding without labels are in the order of the problem's variables. None
        finds one for each graph.
    chain_strength : float or ChainStrength, optional
        A number, or a rule that looks at each problem. In `sample` None is `UniformTorqueCompensation()`. A learner's
        None is a number, the strongest coupling that the child has, so that it does not drift with the weights; a rule
        that is given follows them, step by step.
    unembedding : {"majority", "weighted-random", "minimize-energy", "discard"}
        What is done where chains are broken; see `annealnn.embeddings.unembed`.
    embedding_seed : int
        Of the search for an embedding.

    Raises
    ------
    ValueError
        If there is no graph, or an argument breaks its rule.

    Examples
    --------
    >>> import dimod
    >>> from annealnn.samplers import EmbeddedSampler, GibbsSampler
    >>> triangle = dimod.BQM({}, {"ab": 1.0, "bc": 1.0, "ac": 1.0}, 0.0, "SPIN")
    >>> found = EmbeddedSampler(GibbsSampler(), target="chimera-1").sample(triangle, num_reads=5, seed=0)
    >>> sum(map(len, found.info["embedding_context"]["embedding"].values()))
    4
    """

    def __init__(
        self,
        child: dimod.Sampler,
        *,
        target: Any = None,
        embedding: MinorEmbedding | Mapping[Any, Any] | None = None,
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding = "majority",
        embedding_seed: int = 0,
    ) -> None:
        super().__init__(
            child,
            target=target,
            chain_strength=chain_strength,
            unembedding=unembedding,
            embedding_seed=embedding_seed,
        )
        self._embedding = embedding
        self._found: dict[tuple[int, bytes], MinorEmbedding] = {}

    def embed(self, structure: Structure) -> EmbeddedStructure:
        """Return the physical graph of a structure, by the given embedding or one found once.

        Raises
        ------
        EmbeddingError
            If the given embedding does not fit, or none was found.
        """
        if isinstance(self._embedding, Mapping):
            # a mapping names labels, and may name more than one problem has
            chains = {k: self._embedding[v] for k, v in enumerate(structure.labels) if v in self._embedding}
            return embed_structure(structure, self._graph, embedding=chains)
        if self._embedding is not None:
            return embed_structure(structure, self._graph, embedding=self._embedding)
        name = (structure.num_variables, structure.edges.tobytes())
        embedded = embed_structure(structure, self._graph, embedding=self._found.get(name), seed=self._embedding_seed)
        self._found[name] = embedded.embedding
        return embedded

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding | None = None,
        **kwargs: Any,
    ) -> dimod.SampleSet:
        """Draw reads of a dimod problem.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            In spin or binary form; reads come back in the same form.
        chain_strength : float or ChainStrength, optional
            In place of that of the sampler; energy units of the problem's spin form.
        unembedding : str, optional
            In place of that of the sampler. "discard" gives fewer reads than are asked for.
        **kwargs
            The child's keywords. `initial_state` and `initial_states` are of the problem's variables; what else is
            given by variable is of the child's qubits.

        Returns
        -------
        dimod.SampleSet
            One row for each read, `chain_break_fraction` being the fraction of its chains that were broken.
            `info["embedding_context"]` has the embedding, the chain strength and what was done with broken chains, as
            dwave-system spells them; `info["chain_break_fraction"]` is the mean over all reads, discarded ones
            included, and `info["discarded"]` their number.

        Raises
        ------
        ValueError
            If an argument breaks its rule.
        EmbeddingError
            If the problem does not fit the graph.
        """
        kwargs = self.remove_unknown_kwargs(**kwargs)
        options = self._options(chain_strength, unembedding)
        variables = list(bqm.variables)
        if kwargs.get("initial_states") is not None:
            kwargs["initial_states"] = states_of(kwargs["initial_states"], bqm, variables)
        if kwargs.get("initial_state") is not None:
            kwargs["initial_state"] = check_values("initial_state", kwargs["initial_state"], bqm)

        def draw(model: IsingModel, keywords: dict[str, Any]) -> tuple[Reads, dict[str, Any]]:
            embedded = self.embed(model.structure)
            strength = options.strength(model.structure, model.parameters)
            qubits = list(embedded.physical.labels)
            asked = dict(keywords)
            if asked.get("initial_states") is not None:
                rows = np.where(asked["initial_states"] > 0, 1, -1).astype(np.int8)
                asked["initial_states"] = (embedded.encode(rows), qubits)
            if asked.get("initial_state") is not None:
                # the child's problem is in spin form
                spins = {v: -1 if x == low_value(bqm) else x for v, x in asked["initial_state"].items()}
                asked["initial_state"] = spread_states(embedded, variables, spins)
            physical = embedded.spread(model.parameters, chain_coupling=strength)
            (reads,) = self.ask_child([(bqm_of_terms(embedded.physical, physical), asked)])
            used = keywords.get("seed")
            used = resolve_seed(None) if used is None else used
            found = unembed(embedded, reads.values, options.unembedding, parameters=model.parameters, seed=used)
            values = found.spins if bqm.vartype is dimod.SPIN else (found.spins > 0).astype(np.int8)
            vectors = {name: column[found.kept] for name, column in reads.vectors.items()}
            broken = embedded.decode(reads.values).broken
            context = embedding_context(model.structure, embedded, strength, options.unembedding)
            info = {
                "embedding_context": context | {"embedding_parameters": {"random_seed": self._embedding_seed}},
                "chain_break_fraction": float(broken.mean()) if broken.size else 0.0,
                "discarded": len(reads.values) - len(found.kept),
            }
            vectors["chain_break_fraction"] = break_fraction(found.broken)
            return Reads(values, vectors, reads.calls), info

        return self.sample_with(draw, bqm, kwargs)

    def compile(
        self,
        structure: Structure,
        *,
        want: Want = "spins",
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding | None = None,
        **kwargs: Any,
    ) -> "CompiledEmbedded":
        """Return the sampler bound to a structure, embedded once.

        Parameters
        ----------
        structure : Structure
        want : "spins" or "moments"
        chain_strength : float or ChainStrength, optional
            In place of that of the sampler. A rule is evaluated at each step's parameters, and drifts with them.
        unembedding : str, optional
            In place of that of the sampler; a learner takes no "discard".
        **kwargs
            The child's keywords.

        Raises
        ------
        ValueError
            If no chain strength is given and the child states no range of couplings, or an argument breaks its rule.
        EmbeddingError
            If the structure does not fit the graph.
        """
        options = self._learner_options(chain_strength, unembedding)
        embedded = self.embed(structure)
        child = compile_sampler(self.child, embedded.physical, want="spins", **kwargs)
        return CompiledEmbedded(structure, want, embedded, child, options)


@final
class CompiledEmbedded(CompiledSampler):
    """A structure through its embedding. `info` has the child's, `chain_strength` and `chain_break_fraction`.

    The state holds decoded reads; a child that goes on from its state begins each step at these, copied to the chains.
    """

    def __init__(
        self,
        structure: Structure,
        want: Want,
        embedded: EmbeddedStructure,
        child: CompiledSampler,
        options: ChainOptions,
    ) -> None:
        super().__init__(structure, want)
        self.embedded = embedded
        self.persistent = child.persistent
        self._child, self._options = child, options

    def step(self, parameters: Parameters, state: SamplerState, clamp: Clamp | None = None) -> Step:
        """Sample the qubits and decode them."""
        embedded, streams = self.embedded, state.streams.copy()
        seed = seed_of(state)
        strength = self._options.strength(self.structure, parameters)
        start = self._child.begin(embedded.encode(state.spins), seed)
        held = None if clamp is None else embedded.encode_clamp(clamp)
        inner = self._child.step(embedded.spread(parameters, chain_coupling=strength), start, held)
        reads: Spins = self._child.reads(inner.state) if inner.spins is None else inner.spins
        found = unembed(embedded, reads, self._options.unembedding, parameters=parameters, seed=seed)
        info = inner.info | {
            "chain_strength": strength,
            "chain_break_fraction": float(found.broken.mean()) if found.broken.size else 0.0,
        }
        return decoded_step(self, found.spins, streams, info)


def seed_of(state: SamplerState, read: int = 0) -> int:
    """Return a seed of 31 bits for a child's call, from the stream of a read."""
    return int(state.streams[read, 0] >> np.uint32(1))


def decoded_step(compiled: CompiledSampler, spins: Spins, streams: Any, info: dict[str, Any]) -> Step:
    """Return a step of decoded reads; every stream moves on, so that the next one asks with another seed."""
    streams += np.uint32(0x9E3779B9)
    moments = compiled.structure.moments_of(spins) if compiled.want == "moments" else None
    return Step(SamplerState(spins, streams), spins, moments, info)
