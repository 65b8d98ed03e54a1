"""Handwritten digits (UCI), whole or as the annealing literature uses them."""

import gzip
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from sklearn.utils import Bunch

from annealnn._resources import data_root, provenance, read_bytes
from annealnn._validation import check_choice, check_count
from annealnn.typing import AnyArray, Bits

FOLDER = "optdigits-uci"
GREY_LEVELS = 16


class _Crop(NamedTuple):
    rows: slice
    columns: slice


_WHOLE = _Crop(slice(0, 8), slice(0, 8))
_CROPS = {"7x6": _Crop(slice(0, 7), slice(1, 7))}


@overload
def load_optdigits(
    subset: Literal["train", "test", "all"] = ...,
    classes: Sequence[int] | None = ...,
    crop: Literal["7x6"] | None = ...,
    binarize: int | None = ...,
    labels: Literal["none", "one-hot"] = ...,
    return_X_y: Literal[False] = ...,
) -> Bunch: ...
@overload
def load_optdigits(
    subset: Literal["train", "test", "all"] = ...,
    classes: Sequence[int] | None = ...,
    crop: Literal["7x6"] | None = ...,
    binarize: int | None = ...,
    labels: Literal["none", "one-hot"] = ...,
    *,
    return_X_y: Literal[True],
) -> tuple[Bits, AnyArray]: ...
def load_optdigits(
    subset: Literal["train", "test", "all"] = "train",
    classes: Sequence[int] | None = None,
    crop: Literal["7x6"] | None = None,
    binarize: int | None = 8,
    labels: Literal["none", "one-hot"] = "none",
    return_X_y: bool = False,
) -> Any:
    """Load the UCI optical digits, in the files' row order.

    Parameters
    ----------
    subset : "train", "test" or "all"
        The official split: 3,823 and 1,797 rows by different writers. "all" is the first, then the second.
    classes : sequence of int, optional
        Digits to keep; all ten if None.
    crop : "7x6", optional
        Drop the first and last column and the bottom row (42 pixels of 64).
    binarize : int or None
        1 where grey >= binarize, else 0; None keeps the grey values 0..16.
    labels : "none" or "one-hot"
        Whether to append one bit for each class to every row, in ascending order of classes.
    return_X_y : bool
        Whether to return (X, y) instead of a `Bunch`.

    Returns
    -------
    Bunch or (X, y)
        `data` (num_rows, num_features) int8, `target` (num_rows,) int64, `images` (num_rows, height, width),
        `target_names`, `feature_names`, `frame` (None), `DESCR`.

    Raises
    ------
    ValueError
        If an argument is not one of its choices, or a class is not one of 0..9.
    DataFileError
        If a shipped file is missing or damaged.

    Notes
    -----
    Licence CC BY 4.0; cite Alpaydin & Kaynak (1998). With classes 1, 2, 3, 4, crop "7x6", binarize 8 and one-hot
    labels these are the 46 variables of Benedetti et al. (2017, PRX 7, 041052): 1,545 training and 723 test rows.
    """
    check_choice("subset", subset, ["train", "test", "all"])
    check_choice("crop", crop, [None, *_CROPS])
    check_choice("labels", labels, ["none", "one-hot"])
    kept = _check_classes(classes)
    if binarize is not None and check_count("binarize", binarize) > GREY_LEVELS:
        msg = f"binarize is None or a grey level in 1..{GREY_LEVELS}; got {binarize!r}"
        raise ValueError(msg)

    files = {"train": ["optdigits.tra.gz"], "test": ["optdigits.tes.gz"]}
    names = files.get(subset, files["train"] + files["test"])
    table = np.concatenate([_table(name) for name in names])
    table = table[np.isin(table[:, 64], kept)]
    window = _CROPS[crop] if crop else _WHOLE
    images = table[:, :64].reshape(-1, 8, 8)[:, window.rows, window.columns]
    images = images.copy() if binarize is None else (images >= binarize).astype(np.int8)
    target = table[:, 64].astype(np.int64)
    X = images.reshape(len(images), -1)
    features = [f"pixel_{r}_{c}" for r in range(8)[window.rows] for c in range(8)[window.columns]]
    if labels == "one-hot":
        X = np.hstack([X, (target[:, None] == kept).astype(np.int8)])
        features += [f"class_{c}" for c in kept]
    if return_X_y:
        return X, target
    return Bunch(
        data=X,
        target=target,
        images=images,
        target_names=kept,
        feature_names=features,
        frame=None,
        DESCR=_description(),
    )


def _check_classes(classes: Sequence[int] | None) -> AnyArray:
    if classes is None:
        return np.arange(10)
    given = np.asarray(classes)
    kept = np.unique(given)
    if given.ndim != 1 or given.dtype.kind not in "iu" or len(kept) != len(given) or not np.isin(kept, range(10)).all():
        msg = f"classes are distinct digits from 0 to 9, at least one; got {classes!r}"
        raise ValueError(msg)
    return kept.astype(np.int64)


@cache
def _table(name: str) -> AnyArray:
    text = gzip.decompress(read_bytes("datasets", FOLDER, name)).decode("ascii")
    table = np.array([line.split(",") for line in text.splitlines()], dtype=np.int8)
    table.setflags(write=False)
    return table


def _description() -> str:
    facts = provenance(data_root("datasets") / FOLDER)
    return "\n".join(f"{key}: {facts[key]}" for key in ("title", "what", "shape", "source", "licence", "cite"))
