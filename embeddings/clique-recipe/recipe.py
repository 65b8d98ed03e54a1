"""Rebuild the shipped clique and biclique embeddings: minorminer's busclique on perfect graphs, deterministic.

python recipe.py
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from annealnn.embeddings import EmbeddedStructure, topology_graph
from annealnn.embeddings._cliques import find_biclique, find_clique, two_sides
from annealnn.models import Structure

# the data sets' models: four digits with their class units, all ten, and restricted machines of as many visible units
SOURCES = {
    "chimera-12": [(46,), (46, 32)],
    "chimera-16": [(64,), (64, 32)],
    "pegasus-16": [(46,), (74,), (64, 32), (74, 128)],
    "zephyr-12": [(46,), (74,), (64, 32), (74, 128)],
}

PROVENANCE = """\
title = "Minor embeddings of complete and complete bipartite graphs in {target}"
what = "one chain of qubits for each variable; in Kn, every pair of chains shares a coupler of the perfect graph; in \
Ka,b, each of the first a chains shares one with each of the other b"
shape = "one chain a variable; each file states its chains, qubits and longest chain"
format = "JSON, key `format` 1: source, target, chains, method, seed, tools"
source = "minorminer {minorminer}, busclique, on dwave-graphs' perfect graph"
licence = "Apache-2.0"
recipe = "embeddings/clique-recipe/recipe.py in the repository"
checked = "chains are connected, disjoint and cover every edge: tests/embeddings"
"""
FILE = """
[files."{file}"]
shape = "{chains} chains, {qubits} qubits, longest chain {longest}"
sha256 = "{sha256}"
"""


def main():
    """Write one folder for each target graph."""
    for target, sources in SOURCES.items():
        folder = Path(__file__).parents[1] / target
        folder.mkdir(exist_ok=True)
        graph = topology_graph(target)
        stated = PROVENANCE.format(target=target, minorminer=version("minorminer"))
        for sizes in sources:
            stated += FILE.format(**write(folder, graph, sizes))
        (folder / "PROVENANCE.toml").write_text(stated, encoding="utf-8")


def write(folder, graph, sizes):
    """Write one embedding; return what is stated of it."""
    if len(sizes) == 1:
        source, kind, method = Structure.complete(*sizes), "clique", "minorminer.busclique.find_clique_embedding"
        found = find_clique(*sizes, graph, seed=0)
    else:
        source, kind, method = Structure.layered(*sizes), "biclique", "minorminer.busclique.busgraph_cache, bicliques"
        found = find_biclique(source, two_sides(source), graph, seed=0)
    chains = [sorted(map(int, chain)) for chain in found.chains]
    EmbeddedStructure.build(found, source, graph)
    record = {
        "format": 1,
        "source": "K" + ",".join(map(str, sizes)),
        "target": folder.name,
        "method": method,
        "seed": 0,
        "tools": {name: version(name) for name in ("minorminer", "dwave-graphs")},
        "chains": chains,
    }
    file = f"k{'_'.join(map(str, sizes))}_{kind}.json"
    content = (json.dumps(record) + "\n").encode()
    (folder / file).write_bytes(content)
    facts = {
        "file": file,
        "chains": len(chains),
        "qubits": sum(map(len, chains)),
        "longest": max(map(len, chains)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    print(folder.name, file, facts["qubits"], "qubits, longest chain", facts["longest"])
    return facts


if __name__ == "__main__":
    main()
