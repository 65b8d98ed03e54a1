"""What the Boltzmann machines do beyond the conformance kit."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from annealnn import BoltzmannMachine, EmbeddedBoltzmannMachine, SamplerSpec
from annealnn.exceptions import CheckpointError, EmbeddingError, UnknownSamplerError

SMALL = {"n_iter": 4, "n_ais_runs": 10, "n_ais_steps": 20, "random_state": 0}
READS = {"BoltzmannMachine": "n_particles", "EmbeddedBoltzmannMachine": "n_reads"}
CLASSES = [BoltzmannMachine, EmbeddedBoltzmannMachine]
each = pytest.mark.parametrize("cls", CLASSES)


def make(cls, **keywords):
    return cls(**(SMALL | {READS[cls.__name__]: 20} | keywords))


@each
def test_bits_in_bits_out(cls, bars):
    X, y = bars
    machine = make(cls).fit(X, y)
    drawn, labels = machine.sample(7, return_y=True)
    assert drawn.shape == (7, 9)
    assert drawn.dtype == np.int8
    assert set(np.unique(drawn)) <= {0, 1}
    assert set(labels) <= set(machine.classes_) == {0, 1}
    assert set(machine.predict(X)) <= {0, 1}
    assert machine.score_samples(X, y).shape == (14,)
    assert machine.score(X, y) == pytest.approx(machine.score_samples(X, y).mean())
    assert {"iteration", "field_error", "coupling_error"} <= set(machine.history_)
    assert all(len(values) == 4 for values in machine.history_.values())


@each
@pytest.mark.parametrize("labels", [["no", "yes"], [-1, 7]])
def test_labels_of_any_kind(cls, bars, labels):
    X, y = bars
    named = np.array(labels)[y]
    machine = make(cls).fit(X, named)
    assert machine.classes_.tolist() == sorted(labels)
    assert set(machine.predict(X)) <= set(labels)


@each
def test_joint_and_marginal_likelihoods_agree(cls, bars):
    X, y = bars
    machine = make(cls, n_iter=20).fit(X, y)
    joint = [machine.score_samples(X, np.full(len(X), label)) for label in (0, 1)]
    marginal = machine.score_samples(X)
    # the one-hot settings are two of the four that the marginal sums over
    assert (np.logaddexp(*joint) < marginal).all()
    every = (np.arange(512)[:, None] >> np.arange(9)) & 1
    assert np.exp(machine.score_samples(every)).sum() == pytest.approx(1.0, abs=1e-9)


@each
def test_predict_is_the_class_of_greater_joint_likelihood(cls, bars):
    X, y = bars
    machine = make(cls, n_iter=20).fit(X, y)
    joint = [machine.score_samples(X, np.full(len(X), label)) for label in (0, 1)]
    np.testing.assert_array_equal(machine.predict(X), np.argmax(joint, axis=0))


@each
def test_same_seed_same_machine(cls, bars):
    X, y = bars
    a, b = make(cls).fit(X, y), clone(make(cls)).fit(X, y)
    assert a.model_ == b.model_
    np.testing.assert_array_equal(a.sample(5), b.sample(5))
    assert make(cls, random_state=1).fit(X, y).model_ != a.model_
    restored = pickle.loads(pickle.dumps(a))
    np.testing.assert_array_equal(restored.sample(5), a.sample(5))
    np.testing.assert_array_equal(restored.partial_fit(X, y).model_.h, a.partial_fit(X, y).model_.h)


@each
def test_edges_in_any_order_give_the_same_machine(cls, mixture):
    edges = [(4, 5), (2, 3), (0, 1), (1, 2)]
    a = make(cls, graph=sorted(edges), n_iter=60, sampler="exact" if cls.__name__ == "BoltzmannMachine" else None)
    b = clone(a).set_params(graph=edges)
    a.fit(mixture), b.fit(mixture)
    if cls.__name__ == "BoltzmannMachine":
        np.testing.assert_allclose(a.model_.J, b.model_.J, atol=1e-12)
        np.testing.assert_allclose(a.score_samples(mixture), b.score_samples(mixture), atol=1e-9)
    assert (a.model_.J[[0, 1, 2, 4], [1, 2, 3, 5]] != 0).all()
    assert a.model_.J[0, 5] == 0
    every = (np.arange(64)[:, None] >> np.arange(6)) & 1
    for machine in (a, b):
        assert np.exp(machine.score_samples(every)).sum() == pytest.approx(1.0, abs=1e-9)


@each
def test_partial_fit_continues_and_knows_its_classes(cls, bars):
    X, y = bars
    machine = make(cls).partial_fit(X[:3], y[:3], classes=[0, 1])
    assert machine.classes_.tolist() == [0, 1]
    for _ in range(3):
        machine.partial_fit(X, y)
    assert machine.n_iter_ == 4
    assert machine.history_["iteration"] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"classes \[0, 1\]; got 5"):
        machine.partial_fit(X[:2], [0, 5])
    with pytest.raises(ValueError, match="learning_rate"):
        machine.set_params(learning_rate=-1.0).partial_fit(X, y)


@each
def test_reconstruct_keeps_what_is_known(cls, bars):
    X, y = bars
    machine = make(cls, n_iter=20).fit(X, y)
    known = np.random.default_rng(0).random(X.shape) < 0.6
    holes = np.where(known, X, np.nan)
    filled = machine.reconstruct(holes, known, n_reads=11)
    np.testing.assert_array_equal(filled[known], X[known])
    p = machine.reconstruct_proba(holes, known, n_reads=11)
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_array_equal(p[known], X[known])
    one_mask = machine.reconstruct(X, known[0])
    np.testing.assert_array_equal(one_mask[:, known[0]], X[:, known[0]])
    np.testing.assert_array_equal(machine.reconstruct(X, np.ones(9, bool)), X)


@each
def test_interrupted_fit_resumes_to_the_same_bits(cls, bars, tmp_path):
    X, y = bars

    class Stop:
        def __call__(self, iteration, model):
            if iteration == 3 and self.armed:
                raise KeyboardInterrupt
            return {"h0": float(model.h[0])}

    stop = Stop()
    for seed in (0, None):
        stop.armed = True
        keywords = {"n_iter": 6, "monitor": stop, "monitor_every": 1, "checkpoint": tmp_path / str(seed)}
        machine = make(cls, random_state=seed, **keywords)
        with pytest.raises(KeyboardInterrupt):
            machine.fit(X, y)
        with pytest.raises(NotFittedError):
            machine.predict(X)
        stop.armed = False
        machine.set_params(resume=True).fit(X, y)
        assert machine.history_["iteration"] == list(range(1, 7))
        assert [row["iteration"] for row in machine.monitored_] == list(range(1, 7))
        if seed is not None:
            whole = make(cls, n_iter=6).fit(X, y)
            assert machine.model_ == whole.model_
            assert machine.history_ == whole.history_
        again = make(cls, random_state=seed, resume=True, **keywords).fit(X, y)
        assert again.model_ == machine.model_
        assert again.log_partition_ == machine.log_partition_
        with pytest.raises(CheckpointError, match="has data="):
            machine.fit(X[::-1], y)


@each
def test_a_refused_fit_leaves_the_machine_as_it_was(cls, bars):
    X, y = bars
    machine = make(cls).fit(X, y)
    before = machine.predict(X)
    with pytest.raises(UnknownSamplerError):
        machine.set_params(sampler="gibs").fit(X)
    np.testing.assert_array_equal(machine.predict(X), before)


@each
@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        ([[0, 1], [2, 1]], None, r"holds bits, 0 or 1; got 2.0 at \(1, 0\) \(1 such values\).*binarize"),
        ([[0, 1], [np.nan, 1]], None, "NaN"),
        ([[0, 1], [np.inf, 1]], None, "infinity"),
        (np.empty((0, 3)), None, "0 sample"),
        ([[0, 1], [1, 1]], [0], "inconsistent numbers of samples"),
        ([[0, 1], [1, 1]], [0.5, 1.25], "continuous"),
        ([[0, 1], [1, 1]], [0, np.nan], "NaN"),
        ([[0, 1], [1, 1]], ["a", None], "got NoneType and str|contains None|NaN"),
        ([0, 1], None, "2D array"),
    ],
)
def test_bad_data_says_the_rule(cls, X, y, says):
    with pytest.raises(ValueError, match=says):
        make(cls).fit(X, y)


@each
@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"sampler": "gibs"}, UnknownSamplerError, "anneal, exact, gibbs, neal.*got 'gibs'"),
        ({"sampler": 3}, TypeError, "got int"),
        ({"sampler": SamplerSpec("gibbs", {"num_sweps": 3})}, ValueError, "num_sweps"),
        ({"n_iter": 0}, ValueError, "n_iter is a whole number of at least 1; got 0"),
        ({"learning_rate": 0.0}, ValueError, "above 0; got 0.0"),
        ({"learning_rate": True}, ValueError, "got True"),
        ({"momentum": 1.0}, ValueError, "got 1.0"),
        ({"binarize": "x"}, ValueError, "got 'x'"),
        ({"graph": [(0, 99)]}, ValueError, r"got \(0, 99\)"),
        ({"graph": 5}, ValueError, "got 5"),
        ({"graph": iter([(0, 1)])}, ValueError, "Make a list of it"),
        ({"graph": [(0, 1), (2,)]}, ValueError, "graph is None"),
        ({"graph": [("a", "b")]}, ValueError, "unit numbers"),
        ({"progress": "yes"}, ValueError, "got 'yes'"),
        ({"resume": True}, ValueError, "Name its folder"),
        ({"checkpoint": 5}, ValueError, "got 5"),
        ({"checkpoint": __file__}, ValueError, "is a file"),
        ({"monitor": 5}, ValueError, "got 5"),
    ],
)
def test_bad_arguments_say_the_rule(cls, keywords, error, says, bars):
    with pytest.raises(error, match=says):
        make(cls, **keywords).fit(*bars)


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"target": "zephyr"}, ValueError, "got 'zephyr'"),
        ({"embedding": {k: [k] for k in range(11)}}, EmbeddingError, "has none|is not in it"),
        ({"embedding": "mine.json"}, EmbeddingError, "got str"),
        ({"h_range": 4}, ValueError, "h_range is a pair of numbers; got 4"),
        ({"extended_j_range": (1, 2)}, ValueError, "holds 0; got"),
        ({"n_reads": 0}, ValueError, "n_reads"),
    ],
)
def test_bad_devices_say_the_rule(keywords, error, says, bars):
    with pytest.raises(error, match=says):
        make(EmbeddedBoltzmannMachine, **keywords).fit(*bars)


@each
def test_wrong_use_after_fitting_says_the_rule(cls, bars):
    X, y = bars
    with_classes, without = make(cls).fit(X, y), make(cls).fit(X)
    with pytest.raises(ValueError, match=r"fitted without it\. Fit with y"):
        without.predict(X)
    with pytest.raises(ValueError, match="no class units"):
        without.score_samples(X, y)
    with pytest.raises(ValueError, match=r"classes \[0, 1\]; got 3"):
        with_classes.score_samples(X, np.full(len(X), 3))
    with pytest.raises(ValueError, match="one label per row of X, 14; got 2"):
        with_classes.score_samples(X, y[:2])
    with pytest.raises(ValueError, match="known is boolean"):
        with_classes.reconstruct(X, np.ones(9))
    with pytest.raises(ValueError, match="known bits are finite; got nan"):
        with_classes.reconstruct(np.full(X.shape, np.nan), np.ones(9, bool))
    with pytest.raises(ValueError, match="n_samples"):
        with_classes.sample(0)
    unfitted = make(cls)
    for use in (lambda: unfitted.sample(), lambda: unfitted.predict(X), lambda: unfitted.log_partition_):
        with pytest.raises(NotFittedError):
            use()
