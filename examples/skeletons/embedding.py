"""Copy me: a minor embedding that ships, found once and kept. For a clique on another topology it is enough to add the
topology to embeddings/clique-recipe/recipe.py; this is the same in small.
"""

import hashlib
import json
from pathlib import Path

from annealnn.embeddings import find_minor_embedding
from annealnn.models import Structure

NUM_VARIABLES, TARGET, SEED = 8, "chimera-3", 0
PROVENANCE = """\
title = "Minor embedding of the complete graph K{n} in {target}"
what = "one chain of qubits for each of {n} variables; every pair of chains shares a coupler of the perfect graph"
shape = "one chain a variable; each file states its chains, qubits and longest chain"
format = "JSON, key `format` 1: source, target, chains, method, seed"
source = "annealnn.embeddings.find_minor_embedding"
licence = "Apache-2.0"
recipe = "embeddings/{target}/recipe.py in the repository"
checked = "by the conformance kit: chains are connected, disjoint and cover every pair"

[files."k{n}_clique.json"]
shape = "{n} chains, {qubits} qubits, longest chain {longest}"
sha256 = "{sha256}"
"""


def write(root: Path) -> None:
    """Write the folder below `root`: the chains in the order of the variables, and where they come from."""
    chains = find_minor_embedding(Structure.complete(NUM_VARIABLES), TARGET, seed=SEED).chains
    record = {"format": 1, "source": f"K{NUM_VARIABLES}", "target": TARGET, "seed": SEED, "chains": chains}
    content = (json.dumps(record) + "\n").encode()
    folder = root / TARGET
    folder.mkdir(parents=True)
    (folder / f"k{NUM_VARIABLES}_clique.json").write_bytes(content)
    lengths = [len(chain) for chain in chains]
    facts = {"n": NUM_VARIABLES, "target": TARGET, "qubits": sum(lengths), "longest": max(lengths)}
    text = PROVENANCE.format(**facts, sha256=hashlib.sha256(content).hexdigest())
    (folder / "PROVENANCE.toml").write_text(text, encoding="utf-8")
