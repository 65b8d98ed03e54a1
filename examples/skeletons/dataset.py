"""Copy me: a data set that ships. `write` is its recipe.py, in datasets/glyphs-toy/; `load_glyphs` is its loader, in
annealnn/datasets/ and its __init__.py. Add the suffix of its files to setup.cfg if it is a new one.
"""

import hashlib
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from annealnn._resources import data_root, provenance, read_bytes

FOLDER, FILE = "glyphs-toy", "glyphs.csv"
PROVENANCE = """\
title = "Three glyphs"
what = "the letters L, T and X on 3 x 3 pixels"
shape = "3 rows of 10 integers: 9 bits, row by row, then the class 0..2"
format = "comma-separated values, one row a line"
source = "drawn for this skeleton"
licence = "Apache-2.0"
recipe = "datasets/glyphs-toy/recipe.py in the repository"
checked = "2026-11-22: by eye"

[files."glyphs.csv"]
rows = 3
sha256 = "{sha256}"
"""


def write(root: Path) -> None:
    """Write the folder below `root`: the file, and where it comes from."""
    rows = ["1,0,0,1,0,0,1,1,1,0", "1,1,1,0,1,0,0,1,0,1", "1,0,1,0,1,0,1,0,1,2"]
    content = ("\n".join(rows) + "\n").encode()
    folder = root / FOLDER
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(content)
    text = PROVENANCE.format(sha256=hashlib.sha256(content).hexdigest())
    (folder / "PROVENANCE.toml").write_text(text, encoding="utf-8")


def load_glyphs(*, return_X_y: bool = False):
    """Load the glyphs: `data` (3, 9) bits, `target` (3,)."""
    lines = read_bytes("datasets", FOLDER, FILE).decode("ascii").splitlines()
    table = np.array([line.split(",") for line in lines], dtype=np.int8)
    X, y = table[:, :9].copy(), table[:, 9].astype(np.int64)
    if return_X_y:
        return X, y
    facts = provenance(data_root("datasets") / FOLDER)
    names = [f"pixel_{r}_{c}" for r in range(3) for c in range(3)]
    description = "\n".join(f"{key}: {facts[key]}" for key in ("title", "what", "shape", "source", "licence"))
    return Bunch(data=X, target=y, feature_names=names, target_names=np.array(["L", "T", "X"]), DESCR=description)
