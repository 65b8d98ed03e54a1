"""What the composites that embed problems share: the graph, the chains' strength, and broken chains."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import dimod
import networkx as nx
import numpy as np

from annealnn._validation import check_choice, check_count
from annealnn.embeddings import ChainStrength, EmbeddedStructure, FixedStrength, UniformTorqueCompensation
from annealnn.embeddings._chain_strength import chain_strength_rule
from annealnn.embeddings._topology import as_target
from annealnn.embeddings._unembed import UNEMBEDDINGS, Unembedding
from annealnn.models import Structure
from annealnn.samplers.composites._base import AnnealComposite


class ChainOptions(NamedTuple):
    """How chains are coupled, and what is done where they break."""

    strength: ChainStrength
    unembedding: Unembedding


class EmbeddingComposite(AnnealComposite):
    """Abstract: problems of any graph over a child that takes one graph.

    Parameters
    ----------
    child : dimod.Sampler
    target : str or networkx.Graph, optional
        Topology or working graph; None is the child's own.
    chain_strength : float or ChainStrength, optional
        In dimod's door None is `UniformTorqueCompensation()`; in the learner's door, where a rule would drift with the
        weights, the strongest coupling that the child has.
    unembedding : str
        See `annealnn.embeddings.unembed`.
    embedding_seed : int
        Of the search for an embedding.

    Raises
    ------
    ValueError
        If there is no graph, or an argument breaks its rule.
    """

    def __init__(
        self,
        child: dimod.Sampler,
        *,
        target: Any = None,
        chain_strength: float | ChainStrength | None = None,
        unembedding: Unembedding = "majority",
        embedding_seed: int = 0,
    ) -> None:
        super().__init__(child)
        graph = working_graph(child) if target is None else as_target(target)[0]
        if graph is None:
            msg = (
                f"problems are embedded in the child's own graph; {type(child).__name__} has none. "
                "Give target, such as 'zephyr-12'"
            )
            raise ValueError(msg)
        self._graph: nx.Graph = graph
        self._chain_strength = None if chain_strength is None else chain_strength_rule(chain_strength)
        self._unembedding: Unembedding = check_choice("unembedding", unembedding, UNEMBEDDINGS)
        self._embedding_seed = check_count("embedding_seed", embedding_seed, minimum=0)

    @property
    def nodelist(self) -> list[Any]:
        """AttributeError: problems of any graph are taken."""
        msg = f"{type(self).__name__} takes problems of any graph, and has no nodelist of its own"
        raise AttributeError(msg)

    @property
    def edgelist(self) -> list[Any]:
        """AttributeError: problems of any graph are taken."""
        msg = f"{type(self).__name__} takes problems of any graph, and has no edgelist of its own"
        raise AttributeError(msg)

    def _options(self, chain_strength: Any, unembedding: Unembedding | None) -> ChainOptions:
        """Return the options of a call in dimod's door."""
        strength = self._chain_strength or UniformTorqueCompensation()
        if chain_strength is not None:
            strength = chain_strength_rule(chain_strength)
        return ChainOptions(strength, check_choice("unembedding", unembedding or self._unembedding, UNEMBEDDINGS))

    def _learner_options(self, chain_strength: Any, unembedding: Unembedding | None) -> ChainOptions:
        """Return the options of a learner's door: unless it is told otherwise, a chain strength that does not drift."""
        options = self._options(chain_strength, unembedding)
        if options.unembedding == "discard":
            msg = (
                "a learner gets as many reads as it asks for; got unembedding='discard', which leaves some out. "
                "Take 'majority' or 'weighted-random'"
            )
            raise ValueError(msg)
        if chain_strength is not None or self._chain_strength is not None:
            return options
        properties = self.child.properties
        ranges = properties.get("extended_j_range") or properties.get("j_range")
        if not ranges or ranges[0] >= 0:
            msg = (
                f"the chain strength of a training is a number, or the strongest coupling of the child; "
                f"{type(self.child).__name__} states no j_range. Give chain_strength"
            )
            raise ValueError(msg)
        return options._replace(strength=FixedStrength(-float(ranges[0])))


def working_graph(sampler: dimod.Sampler) -> nx.Graph | None:
    """Return the graph of a structured sampler, with its topology's attributes where it knows them, or None."""
    if not (hasattr(sampler, "nodelist") and hasattr(sampler, "edgelist")):
        return None
    working = nx.Graph()
    working.add_nodes_from(sampler.nodelist)
    working.add_edges_from(sampler.edgelist)
    below: Any = sampler
    while not hasattr(below, "to_networkx_graph") and getattr(below, "children", None):
        below = below.children[0]
    if hasattr(below, "to_networkx_graph"):
        working.graph.update(below.to_networkx_graph().graph)
    return working


def embedding_context(
    structure: Structure, embedded: EmbeddedStructure, strength: float, unembedding: str
) -> dict[str, Any]:
    """Return `info["embedding_context"]` as dwave-system spells it; labels that JSON cannot hold are spelled out."""
    chains = zip(structure.labels, embedded.embedding.chains, strict=True)
    return {
        "embedding": {_key(label): list(chain) for label, chain in chains},
        "chain_strength": strength,
        "chain_break_method": unembedding,
    }


def spread_states(embedded: EmbeddedStructure, variables: list[Hashable], given: Mapping[Hashable, int]) -> Any:
    """Return values of variables as values of the qubits of their chains."""
    return {
        q: given[v] for v, chain in zip(variables, embedded.embedding.chains, strict=True) if v in given for q in chain
    }


def break_fraction(broken: Any) -> Any:
    """Return the fraction of broken chains in each read, (num_reads,)."""
    return broken.mean(axis=1) if broken.shape[1] else np.zeros(len(broken))


def _key(label: Hashable) -> Any:
    return label if isinstance(label, str | int | float) else repr(label)
