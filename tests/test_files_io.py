import pytest

from annealnn import _files_io


def test_text_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    _files_io.write_text(path, "one")
    _files_io.write_text(path, "two ü")
    assert path.read_text(encoding="utf-8") == "two ü"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    _files_io.write_text(path, "old")

    def fail(*args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", fail)
        with pytest.raises(OSError, match="disk full"):
            _files_io.write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="no folder"):
        _files_io.write_text(tmp_path, "x")
