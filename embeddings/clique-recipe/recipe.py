"""Rebuild the shipped clique embeddings: minorminer's busclique on perfect graphs, deterministic.

python recipe.py
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from minorminer import busclique

from annealnn.embeddings import topology_graph

NUM_VARIABLES = 46
TARGETS = ("chimera-12", "pegasus-16", "zephyr-12")

PROVENANCE = """\
title = "Minor embedding of the complete graph K{n} in {target}"
what = "one chain of qubits for each of {n} variables; every pair of chains shares a coupler of the perfect graph"
shape = "{n} chains, {qubits} qubits, longest chain {longest}"
format = "JSON, key `format` 1: source, target, chains, method, seed, tools"
source = "minorminer {minorminer}, busclique.find_clique_embedding, on dwave-graphs' perfect graph"
licence = "Apache-2.0"
recipe = "embeddings/clique-recipe/recipe.py in the repository"
checked = "chains are connected, disjoint and cover every pair: tests/embeddings"

[files."{file}"]
sha256 = "{sha256}"
"""


def main():
    """Write one folder for each target graph."""
    for target in TARGETS:
        found = busclique.find_clique_embedding(NUM_VARIABLES, topology_graph(target), seed=0, use_cache=False)
        chains = [sorted(map(int, found[v])) for v in range(NUM_VARIABLES)]
        record = {
            "format": 1,
            "source": f"K{NUM_VARIABLES}",
            "target": target,
            "method": "minorminer.busclique.find_clique_embedding",
            "seed": 0,
            "tools": {name: version(name) for name in ("minorminer", "dwave-graphs")},
            "chains": chains,
        }
        folder = Path(__file__).parents[1] / target
        folder.mkdir(exist_ok=True)
        file = f"k{NUM_VARIABLES}_clique.json"
        content = (json.dumps(record) + "\n").encode()
        (folder / file).write_bytes(content)
        facts = {
            "n": NUM_VARIABLES,
            "target": target,
            "qubits": sum(map(len, chains)),
            "longest": max(map(len, chains)),
            "minorminer": version("minorminer"),
            "file": file,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        (folder / "PROVENANCE.toml").write_text(PROVENANCE.format(**facts), encoding="utf-8")
        print(target, facts["qubits"], "qubits, longest chain", facts["longest"])


if __name__ == "__main__":
    main()
