"""The picture of an embedding."""

import networkx as nx
import numpy as np
import pytest

from annealnn.embeddings import MinorEmbedding, embed_structure, topology_graph, with_dead_qubits
from annealnn.models import Structure
from annealnn.reports import embedding_figure, write_figure


@pytest.mark.parametrize("target", ["chimera-3", "pegasus-3", "zephyr-3"])
def test_every_chain_is_named_once_on_one_of_its_qubits(target):
    import dwave.graphs

    graph = with_dead_qubits(topology_graph(target), 2, seed=0)
    embedded = embed_structure(Structure.complete(7), graph)
    part = embedding_figure(embedded, graph).axes[1]
    places = getattr(dwave.graphs, f"{target.split('-')[0]}_layout")(graph)
    assert [text.get_text() for text in part.texts] == [str(v) for v in range(7)]
    for text, chain in zip(part.texts, embedded.embedding.chains, strict=True):
        assert any(np.allclose(text.xy, places[q]) for q in chain)
    labels = np.array([text.xy for text in part.texts])
    gaps = np.linalg.norm(labels[:, None] - labels[None], axis=2) + np.eye(7)
    assert gaps.min() > 0.01


def test_large_and_empty_embeddings_and_other_graphs_are_drawn(tmp_path):
    grid = nx.grid_2d_graph(3, 3)
    for source, chains, target in [
        (Structure.complete(2), [[(0, 0)], [(0, 1), (0, 2)]], grid),
        (Structure(0, []), [], grid),
        (Structure(200, []), [[q] for q in range(200)], topology_graph("zephyr-4")),
    ]:
        embedded = embed_structure(source, target, embedding=MinorEmbedding(tuple(map(tuple, chains))))
        path = write_figure(tmp_path / "e.png", embedding_figure(embedded, target, title="t"))
        assert path.stat().st_size > 5000
