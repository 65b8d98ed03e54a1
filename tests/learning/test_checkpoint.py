"""Checkpoints: moved to a graph in another order, refused where they do not fit, harmless whatever they hold."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest

from annealnn.exceptions import CheckpointError
from annealnn.learning import Descent, Learner, Rows, SampledPhase, VisiblePhase, checkpoint
from annealnn.models import Parameters, Structure
from annealnn.samplers import ExactSampler, GibbsSampler, SamplerState

LABELS = ("a", ("b", 1), 2, "d", 7)
EDGES = [[0, 1], [1, 2], [2, 3], [0, 3], [3, 4]]
STRUCTURE = Structure(5, EDGES, LABELS)
ORDER = [3, 0, 4, 2, 1]
PERMUTED = Structure.from_edges([LABELS[k] for k in ORDER], [(LABELS[j], LABELS[i]) for i, j in reversed(EDGES)])
ROWS = np.random.default_rng(0).choice(np.array([-1, 1], np.int8), (20, 5), p=[0.3, 0.7])


def learner_of(structure):
    compiled = ExactSampler().compile(structure, want="moments")
    return Learner(
        Descent(learning_rate=0.2, num_epochs=50, average=0.9),
        compiled,
        VisiblePhase(structure, 5),
        num_particles=3,
        seed=0,
    )


def trained(structure, rows, num_epochs, state=None):
    learner = learner_of(structure)
    state = learner.init(Rows(rows)) if state is None else state
    for _ in range(num_epochs):
        state, _ = learner.epoch(state, Rows(rows))
    return state


@pytest.fixture
def saved(tmp_path):
    """A folder with a checkpoint, and the state in it."""
    rng = np.random.default_rng(1)
    state = trained(STRUCTURE, ROWS, 7)
    state = state._replace(
        best=Parameters(rng.normal(size=5), rng.normal(size=5)),
        units=ROWS.copy(),
        sampler=state.sampler._replace(kept={"worldlines": rng.integers(0, 9, (3, 5, 4)), "kinks": np.arange(3)}),
    )
    checkpoint.save(tmp_path / "saved", state, STRUCTURE, {"good": True})
    return tmp_path / "saved", state


def content_of(folder):
    return json.loads((folder / "checkpoint.json").read_text())


def write_content(folder, content):
    (folder / "checkpoint.json").write_text(content if isinstance(content, str) else json.dumps(content))


def arrays_of(folder):
    with np.load(folder / content_of(folder)["arrays"]) as arrays:
        return dict(arrays)


def write_arrays(folder, arrays):
    np.savez(folder / content_of(folder)["arrays"], **arrays)


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        if isinstance(x, dict):
            assert_same(x.values(), y.values())
        elif isinstance(x, tuple):
            assert_same(x, y)
        else:
            np.testing.assert_array_equal(x, y)


# -- the graph ---------------------------------------------------------------------------------------------------------


def test_a_checkpoint_comes_back_whole_with_its_graph(saved):
    folder, state = saved
    for structure in (None, STRUCTURE):
        loaded, record = checkpoint.load(folder, structure)
        assert_same(loaded, state)
        assert record == checkpoint.read_record(folder) == {"good": True}
    own = checkpoint.structure_of(folder)
    assert own.labels == LABELS
    np.testing.assert_array_equal(own.edges, STRUCTURE.edges)


def test_arrays_move_to_their_labels(saved):
    folder, state = saved
    moved, _ = checkpoint.load(folder, PERMUTED)
    for part in ("parameters", "velocity", "best", "average"):
        old, new = getattr(state, part), getattr(moved, part)
        np.testing.assert_array_equal(new.fields, old.fields[ORDER])
        assert dict(zip(named_edges(PERMUTED), new.couplings, strict=True)) == dict(
            zip(named_edges(STRUCTURE), old.couplings, strict=True)
        )
    np.testing.assert_array_equal(moved.sampler.spins, state.sampler.spins[:, ORDER])
    np.testing.assert_array_equal(moved.sampler.streams, state.sampler.streams)
    np.testing.assert_array_equal(moved.sampler.kept["worldlines"], state.sampler.kept["worldlines"][:, ORDER])
    np.testing.assert_array_equal(moved.sampler.kept["kinks"], state.sampler.kept["kinks"])
    np.testing.assert_array_equal(moved.units, state.units[:, ORDER])


def named_edges(structure):
    return [frozenset((structure.labels[i], structure.labels[j])) for i, j in structure.edges]


def test_training_goes_on_to_the_permuted_parameters(tmp_path):
    checkpoint.save(tmp_path, trained(STRUCTURE, ROWS, 20), STRUCTURE, {})
    whole = trained(STRUCTURE, ROWS, 50)
    moved, _ = checkpoint.load(tmp_path, PERMUTED)
    found = trained(PERMUTED, ROWS[:, ORDER], 30, moved)
    back = {edge: k for k, edge in enumerate(named_edges(PERMUTED))}
    order = [back[edge] for edge in named_edges(STRUCTURE)]
    for part in ("parameters", "velocity", "average"):
        a, b = getattr(whole, part), getattr(found, part)
        np.testing.assert_allclose(b.fields, a.fields[ORDER], atol=1e-12)
        np.testing.assert_allclose(b.couplings[order], a.couplings, atol=1e-12)
    # teeth: as they are, unmoved, they lead elsewhere
    unmoved = trained(PERMUTED, ROWS[:, ORDER], 1, checkpoint.load(tmp_path)[0])
    assert np.abs(unmoved.parameters.fields - moved.parameters.fields).max() > 0.05


@pytest.mark.parametrize(
    ("labels", "edges", "says"),
    [
        (LABELS[:4], EDGES[:4], r"the graph at hand lacks variables 7 \(1\); the graph at hand lacks edges .*\(1\)"),
        ((*LABELS, "new"), EDGES, r"the checkpoint lacks variables 'new' \(1\)"),
        (LABELS, EDGES[1:], r"the graph at hand lacks edges \((\('b', 1\), 'a'|'a', \('b', 1\))\) \(1\)"),
        (LABELS, [*EDGES, [0, 2]], r"the checkpoint lacks edges \((2, 'a'|'a', 2)\) \(1\)"),
        (("A", *LABELS[1:]), EDGES, r"lacks variables 'a' \(1\).*the checkpoint lacks variables 'A' \(1\)"),
        (range(5), EDGES, r"lacks variables .*\(4\)"),
    ],
)
def test_smaller_and_larger_graphs_are_refused_by_name(saved, labels, edges, says):
    with pytest.raises(CheckpointError, match=says) as told:
        checkpoint.load(saved[0], Structure(len(labels), edges, tuple(labels)))
    assert "Start again without resuming" in str(told.value)


def test_a_long_list_is_cut(tmp_path):
    structure = Structure(40, np.zeros((0, 2), int))
    sampler = SamplerState(np.ones((1, 40), np.int8), np.ones((1, 4), np.uint32))
    state = trained(STRUCTURE, ROWS, 0)._replace(
        parameters=structure.zeros(), velocity=structure.zeros(), sampler=sampler
    )
    checkpoint.save(tmp_path, state, structure, {})
    with pytest.raises(CheckpointError, match=r"10, 11, .*, \.\.\. \(39\)"):
        checkpoint.load(tmp_path, Structure(1, np.zeros((0, 2), int)))


def test_spins_of_the_positive_phase_go_on(tmp_path):
    """A machine with hidden units on a graph in another order: whose spins are whose."""
    structure = Structure(5, [[0, 3], [1, 3], [2, 4], [3, 4]])
    gibbs = GibbsSampler().compile(structure, want="moments")
    learner = Learner(
        Descent(learning_rate=0.1, num_epochs=3),
        gibbs,
        SampledPhase(structure, 3, gibbs),
        num_particles=4,
        seed=0,
    )
    rows = Rows(ROWS[:, :3])
    state, _ = learner.epoch(learner.init(rows, weight_scale=0.1), rows)
    checkpoint.save(tmp_path, state, structure, {})
    moved, _ = checkpoint.load(tmp_path, Structure(5, [[3, 4], [0, 3], [2, 4], [1, 3]]))
    np.testing.assert_array_equal(moved.units, state.units)
    np.testing.assert_array_equal(moved.parameters.couplings, state.parameters.couplings[[3, 0, 2, 1]])


# -- what is refused ---------------------------------------------------------------------------------------------------


def refuse(folder, says="Start again"):
    with pytest.raises(CheckpointError, match=says):
        checkpoint.load(folder, STRUCTURE)


def test_nothing_there_is_refused(tmp_path):
    refuse(tmp_path / "none", r"whole; .* is not: FileNotFoundError")


def test_another_format_is_refused(saved):
    folder, _ = saved
    for other in (99, 3, None, "4"):
        write_content(folder, content_of(folder) | {"format": other})
        refuse(folder, rf"reads checkpoints of format {checkpoint.FORMAT}; .* has format {other}")
        write_content(folder, content_of(folder) | {"format": checkpoint.FORMAT})


@pytest.mark.parametrize(
    "change",
    [
        {"record": 3},
        {"iteration": "3"},
        {"iteration": -1},
        {"iteration": True},
        {"iteration": 1e300},
        {"arrays": "arrays-7-00000000.npz"},
        {"arrays": 5},
        {"arrays": ""},
        {"arrays": ".."},
        {"arrays": "checkpoint.json"},
        {"arrays": "arrays-7-\0.npz"},
        {"graph": None},
        {"graph": {"labels": [0, 1], "edges": [[0, 5]]}},
        {"graph": {"labels": [0, 0], "edges": []}},
        {"graph": {"labels": [{}, {}], "edges": []}},
        {"graph": {"labels": [0, 1, 2, 3, 4], "edges": [[0, 1], [1]]}},
        {"graph": {"labels": [0, 1, 2, 3, 4], "edges": [[0, 10**30]]}},
        {"graph": {"labels": list(range(4)), "edges": EDGES[:4]}},
    ],
    ids=str,
)
def test_wrong_entries_are_refused(saved, change):
    folder, _ = saved
    write_content(folder, content_of(folder) | change)
    refuse(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"checkpoint"',
        "{",
        '{"format": 4}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"format": ' + "9" * 10_000 + "}",
        "\0" * 1000,
    ],
    ids=lambda text: f"{text[:12]!r} of {len(text)}",
)
def test_wrong_json_is_refused(saved, text):
    folder, _ = saved
    write_content(folder, text)
    refuse(folder)
    with pytest.raises(CheckpointError):
        checkpoint.read_record(folder)
    with pytest.raises(CheckpointError):
        checkpoint.structure_of(folder)


def test_bytes_that_are_no_text_are_refused(saved):
    folder, _ = saved
    (folder / "checkpoint.json").write_bytes(b"\xff\xfe\x00")
    refuse(folder)


@pytest.mark.parametrize("outside", ["../other.npz", "{}/other.npz", "sub/other.npz"])
def test_paths_that_leave_the_folder_are_refused(saved, outside):
    folder, _ = saved
    for place in (folder.parent / "other.npz", folder / "sub" / "other.npz"):
        place.parent.mkdir(exist_ok=True)
        np.savez(place, **arrays_of(folder))
    write_content(folder, content_of(folder) | {"arrays": outside.format(folder.parent)})
    refuse(folder, "no file beside it")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_cut_files_are_refused(saved, share):
    folder, _ = saved
    for path in (folder / content_of(folder)["arrays"], folder / "checkpoint.json"):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        refuse(folder)
        path.write_bytes(whole)
    checkpoint.load(folder, STRUCTURE)


def test_flipped_bytes_are_refused_or_read(saved):
    """A zip file holds checksums: a changed byte is found, unless it changes nothing that is read."""
    folder, state = saved
    path = folder / content_of(folder)["arrays"]
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 60):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        try:
            found, _ = checkpoint.load(folder, STRUCTURE)
        except CheckpointError:
            continue
        assert_same(found.parameters, state.parameters)
        assert_same(found.velocity, state.velocity)


@pytest.mark.parametrize(
    "change",
    [
        {"sampler.spins": np.ones((3, 4), np.int8)},
        {"sampler.spins": np.ones((3, 5))},
        {"sampler.spins": np.full((3, 5), 100, np.int8)},
        {"sampler.spins": np.int8(1)},
        {"sampler.streams": np.ones((3, 4))},
        {"sampler.streams": np.ones((2, 4), np.uint32)},
        {"sampler.kept.kinks": np.arange(4)},
        {"sampler.kept.kinks": np.array(1)},
        {"parameters.fields": np.ones(4)},
        {"parameters.fields": np.ones(5, complex)},
        {"parameters.couplings": np.array(list("abcde"))},
        {"velocity.couplings": np.ones((5, 1))},
        {"best.fields": np.ones(5, np.float32)},
        {"average.couplings": np.ones(6)},
        {"units": np.ones((20, 4), np.int8)},
        {"units": np.zeros((20, 5), np.int8)},
    ],
    ids=lambda change: "-".join(f"{name} {a.dtype}{a.shape}" for name, a in change.items()),
)
def test_arrays_that_do_not_fit_are_refused(saved, change):
    folder, _ = saved
    write_arrays(folder, arrays_of(folder) | change)
    refuse(folder)


@pytest.mark.parametrize("name", ["parameters.fields", "velocity.couplings", "sampler.spins", "sampler.streams"])
def test_a_missing_array_is_refused(saved, name):
    folder, _ = saved
    arrays = arrays_of(folder)
    del arrays[name]
    write_arrays(folder, arrays)
    refuse(folder)


class Hostile:
    """Pickled, it makes a file as it is loaded."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickles_are_not_run(saved, tmp_path):
    folder, _ = saved
    mark = tmp_path / "was-here"
    bomb = np.array([Hostile(mark)] * 5, dtype=object)
    pickle.loads(pickle.dumps(bomb))[0].close()
    assert mark.exists()  # it would
    mark.unlink()
    arrays, path = arrays_of(folder), folder / content_of(folder)["arrays"]
    np.savez(path, allow_pickle=True, **(arrays | {"parameters.fields": bomb}))
    refuse(folder, "allow_pickle=False")
    np.savez(path, allow_pickle=True, **(arrays | {"sampler.kept.more": bomb}))
    refuse(folder, "allow_pickle=False")
    path.write_bytes(pickle.dumps({"parameters.fields": bomb}))
    refuse(folder)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("parameters.fields.npy", pickle.dumps(bomb))
    refuse(folder)
    np.save(path.with_suffix(".npy"), bomb, allow_pickle=True)
    path.with_suffix(".npy").replace(path)
    refuse(folder)
    assert not mark.exists()


def test_arrays_that_claim_to_be_huge_are_refused(saved):
    folder, _ = saved
    header = repr({"descr": "<f8", "fortran_order": False, "shape": (10**15,)}).encode()
    member = io.BytesIO(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n")
    with zipfile.ZipFile(folder / content_of(folder)["arrays"], "a") as file:
        file.writestr("sampler.kept.huge.npy", member.getvalue())
    refuse(folder)


# -- crashes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["write_bytes", "write_text"])
def test_a_failed_save_keeps_the_old_one(saved, monkeypatch, where):
    folder, state = saved

    def fail(*args, **kwargs):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(f"annealnn.learning.checkpoint.{where}", fail)
        with pytest.raises(OSError, match="disk full"):
            checkpoint.save(folder, state._replace(iteration=8), STRUCTURE, {"good": False})
    loaded, record = checkpoint.load(folder, STRUCTURE)
    assert (loaded.iteration, record) == (7, {"good": True})
    checkpoint.save(folder, state, STRUCTURE, {"good": "again"})
    assert checkpoint.load(folder, STRUCTURE)[1] == {"good": "again"}
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("name", ["os.fdopen", "pathlib.Path.replace"])
def test_what_a_killed_process_had_begun_is_cleared_away(saved, monkeypatch, name):
    """SIGKILL runs no cleaning up: what was being written stays, until the next save."""
    folder, state = saved

    class Killed(BaseException):
        pass

    def die(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(name, die)
        patch.setattr("pathlib.Path.unlink", lambda *args, **kwargs: None)
        with pytest.raises(Killed):
            checkpoint.save(folder, state._replace(iteration=8), STRUCTURE, {"good": False})
    assert len(list(folder.iterdir())) == 3
    loaded, record = checkpoint.load(folder, STRUCTURE)
    assert (loaded.iteration, record) == (7, {"good": True})
    checkpoint.save(folder, state, STRUCTURE, {})
    assert len(list(folder.iterdir())) == 2
