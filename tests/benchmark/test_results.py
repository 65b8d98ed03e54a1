"""Files of results: what survives a cut, a second writer, a merge; what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from annealnn.benchmark._contestant import ContestantSpec
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._results import ResultsFile, merge_results
from annealnn.benchmark._task import Record, Task
from annealnn.exceptions import ResultsError


def record(seed=0, *, status="done", at="2026-01-01T00:00:00+00:00", digest="d", **parts):
    task = Task(
        instance=InstanceSpec(family="glass", size=4),
        contestant=ContestantSpec(name="neal"),
        effort=16,
        seed=seed,
        code={"family": "3"},
    )
    model = {"digest": digest, "num_variables": 4, "num_edges": 6}
    return Record(task=task, status=status, at=at, model=model, energies=((-1.5, 2),), **parts)


@pytest.fixture
def no_waiting(monkeypatch):
    """Files that are not flushed to the disk: these tests are about their bytes."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)


@pytest.fixture
def file(tmp_path):
    return ResultsFile(tmp_path / "deep" / "results.jsonl")


def test_what_is_written_is_read(file):
    assert file.read() == []
    records = [record(seed, message="ünfug \U0001f600\n") for seed in range(3)]
    for each in records:
        file.append(each)
    assert file.read() == records
    head, *lines = file.path.read_text(encoding="ascii").splitlines()
    assert json.loads(head) == {"file": "annealnn benchmark results", "format": 1}
    assert [json.loads(line)["key"] for line in lines] == [each.key for each in records]


def test_a_record_is_on_the_disk_when_append_returns(file, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_size))
    file.append(record())
    assert flushed == [file.path.stat().st_size]


def test_a_cut_loses_at_most_the_last_record(file, no_waiting):
    first, last, new = record(0), record(1), record(2)
    file.append(first)
    start = file.path.stat().st_size
    file.append(last)
    content = file.path.read_bytes()
    for size in range(start, len(content) + 1):
        file.path.write_bytes(content[:size])
        # without its newline alone the record is whole
        kept = [first, last] if size >= len(content) - 1 else [first]
        assert file.read() == kept, size
        file.append(new)
        assert file.read() == [*kept, new], size


def test_a_cut_in_the_header_leaves_an_empty_file(file, no_waiting):
    file.append(record(0))
    content = file.path.read_bytes()
    for size in range(content.index(b"\n") + 2):
        file.path.write_bytes(content[:size])
        assert file.read() == []
        file.append(record(1))
        assert file.read() == [record(1)], size


def test_an_unfinished_line_is_told_of(file, caplog):
    file.append(record(0))
    with file.path.open("ab") as raw:
        raw.write(b'{"key": "12')
    assert file.read() == [record(0)]
    assert "line 3 of" in caplog.text
    assert "unfinished" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"x", b"[1]", b'{"key": "1"}', b"\x00\xff"])
def test_a_damaged_line_is_named(file, damage):
    for seed in range(3):
        file.append(record(seed))
    lines = file.path.read_bytes().split(b"\n")
    lines[2] = damage
    file.path.write_bytes(b"\n".join(lines))
    with pytest.raises(ResultsError, match=r"line 3 of .*results\.jsonl is damaged"):
        file.read()


def test_a_status_that_is_none_is_damage(file):
    file.append(record(0))
    file.path.write_bytes(file.path.read_bytes().replace(b'"status":"done"', b'"status":"won"'))
    with pytest.raises(ResultsError, match=r"line 2 of .* is damaged: .*status.*'won'"):
        file.read()


def test_a_changed_task_is_seen(file):
    file.append(record(0))
    file.path.write_bytes(file.path.read_bytes().replace(b'"effort":16', b'"effort":8'))
    with pytest.raises(ResultsError, match=r"line 2 of .* was changed"):
        file.read()


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"notes", b'{"rows": 3}\n', b"\n"])
def test_files_of_other_things_are_left_alone(file, content):
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    for act in (file.read, lambda: file.append(record())):
        with pytest.raises(ResultsError, match="holds no results of a benchmark"):
            act()
    assert file.path.read_bytes() == content


def test_another_format_is_refused(file):
    file.append(record())
    file.path.write_bytes(file.path.read_bytes().replace(b'"format":1', b'"format":2'))
    for act in (file.read, lambda: file.append(record())):
        with pytest.raises(ResultsError, match=r"reads results of format 1; .* has format 2"):
            act()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_never_get_in(file, value):
    with pytest.raises(ValueError, match=f"finite numbers; got {value} as info.beta.low of"):
        file.append(record(info={"beta": {"low": [value]}}))
    assert not file.path.exists()


def test_a_full_disk_leaves_the_file_as_it_was(file, monkeypatch):
    file.append(record(0))
    content = file.path.read_bytes()
    write = os.write

    def half(handle, data):
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return write(handle, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left") as raised:
        file.append(record(1))
    assert str(file.path) in str(raised.value)
    assert file.path.read_bytes() == content


def test_a_run_that_came_to_its_end_stands(file):
    failed, done, later = (
        record(0, status="failed"),
        record(0, at="2026-01-02T00:00:00+00:00"),
        record(0, at="2026-01-03T00:00:00+00:00"),
    )
    for each in (failed, record(1), done, later):
        file.append(each)
    assert file.read() == [done, record(1)]


APPEND = """
import sys
from itertools import count
sys.path[:0] = sys.argv[1:3]
from test_results import record
from annealnn.benchmark._results import ResultsFile
file, mine, others = ResultsFile(sys.argv[3]), *map(int, sys.argv[4:])
for seed in count(mine):
    file.append(record(seed, message="m" * 9_000))
    # neither stops before both have written side by side
    if seed % 1000 >= 20 and file.path.read_bytes().count(b'"seed":%d' % (others // 1000)) >= 20:
        break
print(seed)
"""


def test_two_processes_append_at_once(file):
    roots = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    command = [sys.executable, "-c", APPEND, *roots, str(file.path)]
    writers = {
        mine: subprocess.Popen([*command, str(mine), str(others)], stdout=subprocess.PIPE)
        for mine, others in ((1000, 2000), (2000, 1000))
    }
    last = {mine: int(writer.communicate()[0]) for mine, writer in writers.items()}
    seeds = [each.task.seed for each in file.read()]
    assert sorted(seeds) == [*range(1000, last[1000] + 1), *range(2000, last[2000] + 1)]


# merging


def written(path, *records):
    for each in records:
        ResultsFile(path).append(each)
    return path


def test_a_merge_has_each_task_once_whatever_the_order(tmp_path):
    early, late = record(0, at="2026-01-01T00:00:00+00:00"), record(0, at="2026-01-02T00:00:00+00:00")
    a = written(tmp_path / "a", late, record(1, status="failed"), record(2))
    b = written(tmp_path / "b", record(1), early, record(3), record(2))
    merged = merge_results([a, b], tmp_path / "ab")
    assert merged == [early, record(1), record(2), record(3)]
    assert ResultsFile(tmp_path / "ab").read() == merged
    again = merge_results([b, a], tmp_path / "ba")
    assert {each.key: each for each in again} == {each.key: each for each in merged}
    assert merge_results([tmp_path / "ab", b], tmp_path / "ab") == merged


def test_a_wrong_claim_is_not_forgotten(tmp_path):
    wrong = record(0, status="wrong energies", at="2026-02-01T00:00:00+00:00")
    a, b = written(tmp_path / "a", record(0)), written(tmp_path / "b", wrong)
    assert merge_results([a, b], tmp_path / "out") == [wrong]


def test_two_problems_of_one_instance_do_not_merge(tmp_path):
    a, b = written(tmp_path / "a", record(0)), written(tmp_path / "b", record(1, digest="e"))
    with pytest.raises(ResultsError, match=r"one problem; got two for .*'glass'.*: d under .* and e under"):
        merge_results([a, b], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_merge_overwrites_nothing_else(tmp_path):
    a, out = written(tmp_path / "a", record(0)), written(tmp_path / "out", record(1))
    with pytest.raises(ResultsError, match=r"makes a new file, or replaces one of those merged; got .*out"):
        merge_results([a], out)
    with pytest.raises(FileNotFoundError, match=r"that are there can be merged; got .*b"):
        merge_results([a, tmp_path / "b"], tmp_path / "new")
