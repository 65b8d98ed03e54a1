import gzip
import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from annealnn._resources import data_root, provenance, read_bytes
from annealnn.datasets import load_optdigits, make_bars_and_stripes, make_bernoulli_mixture
from annealnn.exceptions import DataFileError

UCI = {
    "optdigits.tra.gz": "e1b683cc211604fe8fd8c4417e6a69f31380e0c61d4af22e93cc21e9257ffedd",
    "optdigits.tes.gz": "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
}


@pytest.mark.parametrize("name", UCI)
def test_files_are_those_of_uci(name):
    content = gzip.decompress(read_bytes("datasets", "optdigits-uci", name))
    entry = provenance(data_root("datasets") / "optdigits-uci")["files"][name]
    assert hashlib.sha256(content).hexdigest() == UCI[name] == entry["content_sha256"]
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == entry["content_md5"]


def test_class_counts_are_the_published_ones():
    _, train = load_optdigits("train", return_X_y=True)
    _, test = load_optdigits("test", return_X_y=True)
    assert np.bincount(train).tolist() == [376, 389, 380, 389, 387, 376, 377, 387, 380, 382]
    assert np.bincount(test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_test_file_is_scikit_learns_in_order():
    ours, theirs = load_optdigits("test", binarize=None), load_digits()
    np.testing.assert_array_equal(ours.data, theirs.data)
    np.testing.assert_array_equal(ours.target, theirs.target)


def test_nearest_neighbour_accuracy_is_the_published_one():
    X, y = load_optdigits("train", binarize=None, return_X_y=True)
    X_test, y_test = load_optdigits("test", binarize=None, return_X_y=True)
    model = KNeighborsClassifier(1, algorithm="brute").fit(X.astype(float), y)
    assert model.score(X_test.astype(float), y_test) == pytest.approx(0.97997, abs=5e-6)


def test_46_variables_of_the_literature():
    whole = load_optdigits("test", binarize=None)
    train, test = (load_optdigits(s, classes=[1, 2, 3, 4], crop="7x6", labels="one-hot") for s in ("train", "test"))
    assert train.data.shape == (1545, 46)
    assert test.data.shape == (723, 46)
    assert test.images.shape == (723, 7, 6)
    kept = np.isin(whole.target, [1, 2, 3, 4])
    np.testing.assert_array_equal(test.images, whole.images[kept][:, :7, 1:7] >= 8)
    np.testing.assert_array_equal(test.data[:, 42:].argmax(axis=1) + 1, test.target)
    assert (test.data[:, 42:].sum(axis=1) == 1).all()
    assert test.feature_names[0] == "pixel_0_1"
    assert test.feature_names[-1] == "class_4"
    assert len(test.feature_names) == 46
    assert set(np.unique(test.data)) == {0, 1}
    assert "CC BY 4.0" in test.DESCR


def test_all_is_train_then_test():
    X, _ = load_optdigits("all", return_X_y=True)
    assert len(X) == 5620
    np.testing.assert_array_equal(X[3823:], load_optdigits("test").data)


def test_what_is_returned_may_be_changed():
    X, _ = load_optdigits("test", binarize=None, return_X_y=True)
    X[:] = 3
    assert load_optdigits("test", binarize=None).data.max() == 16


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"subset": "tset"}, "'train', 'test', 'all'; got 'tset'"),
        ({"crop": "7x7"}, "got '7x7'"),
        ({"labels": True}, "got True"),
        ({"classes": []}, r"at least one; got \[\]"),
        ({"classes": [1, 10]}, r"got \[1, 10\]"),
        ({"classes": [1, 1]}, r"got \[1, 1\]"),
        ({"binarize": 0}, "got 0"),
        ({"binarize": 17}, "got 17"),
        ({"binarize": "8"}, "got '8'"),
        ({"binarize": True}, "got True"),
        ({"classes": 3}, "got 3"),
        ({"classes": "3"}, "got '3'"),
        ({"classes": [True, False]}, "got .True, False."),
    ],
)
def test_bad_arguments_say_the_rule(arguments, says):
    with pytest.raises(ValueError, match=says):
        load_optdigits(**arguments)


def test_missing_and_changed_files_say_so(tmp_path, monkeypatch):
    with pytest.raises(DataFileError, match=r"no-such.csv. Install annealnn again"):
        read_bytes("datasets", "optdigits-uci", "no-such.csv")
    folder = tmp_path / "toy-data"
    folder.mkdir()
    (folder / "a.csv").write_text("1,2\n")
    (folder / "PROVENANCE.toml").write_text('[files."a.csv"]\nsha256 = "00"\n')
    monkeypatch.setattr("annealnn._resources.data_root", lambda kind: tmp_path)
    with pytest.raises(DataFileError, match="must have its recorded SHA-256, 00"):
        read_bytes("datasets", "toy-data", "a.csv")


@pytest.mark.parametrize(("height", "width", "count"), [(2, 2, 6), (3, 3, 14), (4, 3, 22), (1, 3, 8), (3, 1, 8)])
def test_bars_and_stripes_are_all_there_once(height, width, count):
    X, y = make_bars_and_stripes(height, width)
    images = X.reshape(-1, height, width)
    rows_uniform = (images == images[:, :, :1]).all(axis=(1, 2))
    columns_uniform = (images == images[:, :1, :]).all(axis=(1, 2))
    assert (rows_uniform | columns_uniform).all()
    assert len(np.unique(X, axis=0)) == len(X) == len(y)
    if min(height, width) > 1:
        assert len(X) == count
        np.testing.assert_array_equal(y == 1, columns_uniform & ~rows_uniform)


def test_bernoulli_mixture_matches_its_distribution():
    X, centres, p = make_bernoulli_mixture(40_000, 5, 3, 0.85, random_state=2, return_distribution=True)
    assert p.sum() == pytest.approx(1.0, abs=1e-12)
    by_hand = np.mean([0.85 ** (5 - d) * 0.15**d for d in (X[0] != centres).sum(axis=1)])
    assert p[X[0] @ (1 << np.arange(4, -1, -1))] == pytest.approx(by_hand)
    counts = np.bincount(X @ (1 << np.arange(4, -1, -1)), minlength=32)
    chi = ((counts - len(X) * p) ** 2 / (len(X) * p)).sum()
    assert chi < 86.0  # chi-square, 31 degrees of freedom: false alarm 5e-7
    wrong = ((counts - len(X) / 32) ** 2 / (len(X) / 32)).sum()
    assert wrong > 86.0
