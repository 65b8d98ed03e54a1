"""What the Boltzmann machines do beyond the conformance kit."""

import pickle

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from annealnn import (
    BoltzmannMachine,
    DeepBoltzmannMachine,
    EmbeddedBoltzmannMachine,
    RestrictedBoltzmannMachine,
    SamplerSpec,
)
from annealnn.estimators._base import BoltzmannEstimator
from annealnn.estimators._parameters import describe_sampler
from annealnn.exceptions import CheckpointError, EmbeddingError, StopTraining, UnknownSamplerError
from annealnn.models._exact import basis_spins
from annealnn.schedules import AnnealSchedule, EnergyScales
from annealnn.testing._estimators import own_estimators

CASES = [case for case in own_estimators() if issubclass(case.make, BoltzmannEstimator)]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_sampled = pytest.mark.parametrize(
    "case", [case for case in CASES if case.takes("sampler")], ids=lambda case: case.name
)
each_graph = pytest.mark.parametrize(
    "case", [case for case in CASES if case.takes("graph")], ids=lambda case: case.name
)


def test_machines_are_found_and_not_listed():
    assert {"BoltzmannMachine", "DeepBoltzmannMachine", "EmbeddedBoltzmannMachine"} < {case.name for case in CASES}


def same(a, b):
    try:
        np.testing.assert_equal(a, b)
    except AssertionError:
        return False
    return True


@each
def test_bits_in_bits_out(case, bars):
    X, y = bars
    machine = case.build().fit(X, y)
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
def test_labels_of_any_kind(case, bars, labels):
    X, y = bars
    named = np.array(labels)[y]
    machine = case.build().fit(X, named)
    assert machine.classes_.tolist() == sorted(labels)
    assert set(machine.predict(X)) <= set(labels)


@each
def test_joint_and_marginal_likelihoods_agree(case, bars):
    X, y = bars[0][:, :6], bars[1]  # few enough to be exact
    machine = case.build(n_iter=20).fit(X, y)
    joint = [machine.score_samples(X, np.full(len(X), label)) for label in (0, 1)]
    marginal = machine.score_samples(X)
    # the one-hot settings are two of the four that the marginal sums over
    assert (np.logaddexp(*joint) < marginal).all()
    every = (np.arange(64)[:, None] >> np.arange(6)) & 1
    assert np.exp(machine.score_samples(every)).sum() == pytest.approx(1.0, abs=1e-9)


@each
def test_predict_is_the_class_of_greater_joint_likelihood(case, bars):
    X, y = bars
    X = X[:, :7]  # with its two classes, few enough units for a quantum machine's likelihoods to be exact
    machine = case.build(n_iter=20).fit(X, y)
    joint = [machine.score_samples(X, np.full(len(X), label)) for label in (0, 1)]
    np.testing.assert_array_equal(machine.predict(X), np.argmax(joint, axis=0))


@each
def test_same_seed_same_machine(case, bars):
    X, y = bars
    a, b = case.build().fit(X, y), clone(case.build()).fit(X, y)
    np.testing.assert_equal(a.model_, b.model_)
    np.testing.assert_array_equal(a.sample(5), b.sample(5))
    assert not same(case.build(random_state=1).fit(X, y).model_, a.model_)
    restored = pickle.loads(pickle.dumps(a))
    np.testing.assert_array_equal(restored.sample(5), a.sample(5))
    np.testing.assert_equal(restored.partial_fit(X, y).model_, a.partial_fit(X, y).model_)


@each_graph
def test_edges_in_any_order_give_the_same_machine(case, mixture):
    edges = [(4, 5), (2, 3), (0, 1), (1, 2)]
    exact = {} if case is EMBEDDED else {"sampler": "exact", "solver": "bfgs"}
    a = case.build(graph=sorted(edges), n_iter=60, **exact)
    b = clone(a).set_params(graph=edges)
    a.fit(mixture), b.fit(mixture)
    if exact:
        np.testing.assert_allclose(a.model_.J, b.model_.J, atol=1e-6)
        np.testing.assert_allclose(a.score_samples(mixture), b.score_samples(mixture), atol=1e-6)
    assert (a.model_.J[[0, 1, 2, 4], [1, 2, 3, 5]] != 0).all()
    assert a.model_.J[0, 5] == 0
    every = (np.arange(64)[:, None] >> np.arange(6)) & 1
    for machine in (a, b):
        assert np.exp(machine.score_samples(every)).sum() == pytest.approx(1.0, abs=1e-9)


def test_a_checkpoint_goes_on_with_edges_in_another_order(mixture, tmp_path):
    edges = [(4, 5), (2, 3), (0, 1), (1, 2)]
    whole = BoltzmannMachine(edges, sampler="exact", n_particles=1, n_iter=60, random_state=0, progress=False)
    half = clone(whole).set_params(callbacks=stop_at(30), monitor_every=30, checkpoint=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        half.fit(mixture)
    half.set_params(graph=edges[::-1], callbacks=None, resume=True).fit(mixture)
    np.testing.assert_allclose(half.model_.J, whole.fit(mixture).model_.J, atol=1e-12)
    with pytest.raises(CheckpointError, match=r"lacks edges \(4, 5\) \(1\)"):
        half.set_params(graph=edges[1:]).fit(mixture)


def stop_at(iteration):
    def stop(snapshot):
        if snapshot.iteration == iteration:
            raise KeyboardInterrupt

    return stop


@each
def test_partial_fit_continues_and_knows_its_classes(case, bars):
    X, y = bars
    machine = case.build().partial_fit(X[:3], y[:3], classes=[0, 1])
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
def test_reconstruct_keeps_what_is_known(case, bars):
    X, y = bars
    machine = case.build(n_iter=20).fit(X, y)
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
@pytest.mark.parametrize("seed", [0, None])
def test_interrupted_fit_resumes_to_the_same_bits(case, bars, tmp_path, seed):
    X, y = bars
    keywords = {"n_iter": 6, "monitor_every": 1, "random_state": seed, "checkpoint": tmp_path / "kept"}
    machine = case.build(callbacks=stop_at(3), **keywords)
    with pytest.raises(KeyboardInterrupt):
        machine.fit(X, y)
    with pytest.raises(NotFittedError):
        machine.predict(X)
    machine.set_params(resume=True, callbacks=count_model).fit(X, y)
    assert machine.history_["iteration"] == list(range(1, 7))
    assert [row["iteration"] for row in machine.monitored_] == list(range(1, 7))
    assert [row["done"] for row in machine.monitored_[2:]] == [0.5, 4 / 6, 5 / 6, 1.0]
    if seed is not None:
        whole = case.build(n_iter=6).fit(X, y)
        np.testing.assert_equal(machine.model_, whole.model_)
        assert machine.history_ == whole.history_
    again = case.build(resume=True, **keywords).fit(X, y)
    np.testing.assert_equal(again.model_, machine.model_)
    assert again.log_partition_ == machine.log_partition_
    with pytest.raises(CheckpointError, match="has data="):
        machine.fit(X[::-1], y)


def count_model(snapshot):
    return {"done": snapshot.iteration / snapshot.n_iter}


@each_sampled
def test_a_refused_fit_leaves_the_machine_as_it_was(case, bars):
    X, y = bars
    X = X[:, :7]  # few enough units for every machine to predict without its sampler
    machine = case.build().fit(X, y)
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
def test_bad_data_says_the_rule(case, X, y, says):
    with pytest.raises(ValueError, match=says):
        case.build().fit(X, y)


BAD = [
    ({"sampler": "gibs"}, UnknownSamplerError, "anneal, .*exact, gibbs, .*neal, .*got 'gibs'"),
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
    ({"callbacks": 5}, ValueError, "got 5"),
    ({"callbacks": [len, "x"]}, ValueError, "got 'x'"),
    ({"n_hidden": -1}, ValueError, "n_hidden is a whole number of at least 0; got -1"),
    ({"n_components": 0}, ValueError, "n_components is a whole number of at least 1; got 0"),
    ({"hidden_layer_sizes": ()}, ValueError, r"got \(\)"),
    ({"hidden_layer_sizes": (3, 0)}, ValueError, r"got \(3, 0\)"),
    ({"hidden_layer_sizes": 5}, ValueError, "got 5"),
    ({"lateral": "yes"}, ValueError, "got 'yes'"),
    ({"n_sweeps": 0}, ValueError, "n_sweeps is a whole number of at least 1; got 0"),
    ({"batch_size": 0}, ValueError, "batch_size is a whole number of at least 1; got 0"),
    ({"positive_phase": "guess"}, ValueError, "got 'guess'"),
    ({"negative_phase": "guess"}, ValueError, "got 'guess'"),
    ({"schedule": "step"}, ValueError, "got 'step'"),
    ({"average": 1.5}, ValueError, "got 1.5"),
    ({"weight_decay": -1.0}, ValueError, "got -1.0"),
    ({"l1": (0.1, 0.2, 0.3)}, ValueError, r"a pair .*; got \(0.1, 0.2, 0.3\)"),
    ({"weight_scale": -0.1}, ValueError, "got -0.1"),
    ({"centering": 2}, ValueError, "got 2"),
    ({"missing": "guess"}, ValueError, "got 'guess'"),
    ({"early_stopping": "yes"}, ValueError, "got 'yes'"),
    ({"validation_fraction": 1.0}, ValueError, "got 1.0"),
    ({"n_iter_no_change": 0}, ValueError, "got 0"),
    ({"tol": -1.0}, ValueError, "got -1.0"),
]


@pytest.mark.parametrize(
    ("case", "keywords", "error", "says"),
    [
        pytest.param(case, keywords, error, says, id=f"{case.name}-{number}")
        for case in CASES
        for number, (keywords, error, says) in enumerate(BAD)
        if all(map(case.takes, keywords))
    ],
)
def test_bad_arguments_say_the_rule(case, keywords, error, says, bars):
    with pytest.raises(error, match=says):
        case.build(**keywords).fit(*bars)


EMBEDDED = next(case for case in CASES if case.make is EmbeddedBoltzmannMachine)


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
        EMBEDDED.build(**keywords).fit(*bars)


@each
def test_wrong_use_after_fitting_says_the_rule(case, bars):
    X, y = bars
    with_classes, without = case.build().fit(X, y), case.build().fit(X)
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
    unfitted = case.build()
    for use in (lambda: unfitted.sample(), lambda: unfitted.predict(X), lambda: unfitted.log_partition_):
        with pytest.raises(NotFittedError):
            use()


# -- hidden units against enumeration ----------------------------------------------------------------------------------

HIDDEN = {
    "restricted": RestrictedBoltzmannMachine(3),
    "semi-restricted": RestrictedBoltzmannMachine(3, lateral=True),
    "deep": DeepBoltzmannMachine((2, 2)),
    "any": BoltzmannMachine([(0, 1), (0, 5), (1, 6), (2, 5), (3, 6), (4, 5), (5, 6)], n_hidden=2),
}
X3 = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 0]] * 3)
Y3 = np.array([0, 0, 1, 1, 0, 1] * 3)


@pytest.fixture(params=HIDDEN, ids=str)
def hidden(request):
    machine = clone(HIDDEN[request.param]).set_params(
        n_iter=30, n_particles=50, learning_rate=0.1, weight_scale=0.5, random_state=0, progress=False
    )
    return machine.fit(X3, Y3)


def joint_of(machine):
    """Return the settings of all units, bits, and their probabilities."""
    spins = basis_spins(machine.model_.structure.num_variables)
    log_p = -machine.model_.energy(spins)
    return (spins > 0).astype(int), np.exp(log_p - logsumexp(log_p))


def test_likelihoods_sum_hidden_units_out(hidden):
    units, p = joint_of(hidden)
    for x, y, both, alone in zip(
        X3[:6], Y3[:6], hidden.score_samples(X3[:6], Y3[:6]), hidden.score_samples(X3[:6]), strict=True
    ):
        at = (units[:, :3] == x).all(axis=1)
        of_class = at & (units[:, 3] == (y == 0)) & (units[:, 4] == (y == 1))
        np.testing.assert_allclose(np.exp([both, alone]), [p[of_class].sum(), p[at].sum()], atol=1e-9)


def test_class_probabilities_are_those_of_one_class_unit_alone(hidden):
    units, p = joint_of(hidden)
    for x, found in zip(X3[:6], hidden.predict_proba(X3[:6]), strict=True):
        at = (units[:, :3] == x).all(axis=1)
        weights = [p[at & (units[:, 3] == a) & (units[:, 4] == 1 - a)].sum() for a in (1, 0)]
        np.testing.assert_allclose(found, np.array(weights) / sum(weights), atol=1e-9)


def test_transform_is_the_conditional_of_hidden_units(hidden):
    """Exact where hidden units are not coupled, mean field where they are."""
    units, p = joint_of(hidden)
    coupled = (hidden.model_.structure.edges[:, 0] >= 5).any()
    one_hot = units[:, 3] + units[:, 4] == 1
    for x, found in zip(X3[:6], hidden.transform(X3[:6]), strict=True):
        at = (units[:, :3] == x).all(axis=1) & one_hot
        truth = p[at] @ units[at, 5:] / p[at].sum()
        np.testing.assert_allclose(found, truth, atol=0.3 if coupled else 1e-9)
    names = hidden.get_feature_names_out()
    assert names[0] == f"{type(hidden).__name__.lower()}0"
    assert len(names) == units.shape[1] - 5


def test_a_machine_without_hidden_units_is_no_transformer():
    for machine in (BoltzmannMachine(), EmbeddedBoltzmannMachine()):
        for name in ("transform", "fit_transform", "set_output", "get_feature_names_out"):
            assert not hasattr(machine, name)
        assert machine.__sklearn_tags__().transformer_tags is None
    assert hasattr(BoltzmannMachine(n_hidden=2), "transform")


@pytest.mark.parametrize("sampler", [None, "gibbs", "tempering"])
@pytest.mark.parametrize("negative_phase", ["persistent", "contrastive"])
@pytest.mark.parametrize("positive_phase", ["auto", "mean-field", "sampling", "exact"])
def test_phases_and_samplers_go_together(sampler, negative_phase, positive_phase, bars):
    X, y = bars
    for machine in (RestrictedBoltzmannMachine(2), DeepBoltzmannMachine((2, 1))):
        machine.set_params(
            sampler=sampler,
            negative_phase=negative_phase,
            positive_phase=positive_phase,
            n_iter=2,
            n_particles=10,
            random_state=0,
            progress=False,
        )
        machine.fit(X, y)
        assert np.isfinite(machine.model_.J).all()
        assert machine.predict(X).shape == y.shape


def test_restricted_machines_learn_bars_and_stripes(bars):
    """Within 0.3 nats of the best there is, ln 14; units that are not coupled stay at 9 ln 2."""
    X, _ = bars
    machine = RestrictedBoltzmannMachine(
        7, n_sweeps=5, n_particles=300, batch_size=None, n_iter=1000, learning_rate=0.05, weight_scale=0.1, average=0.1,
        random_state=0, progress=False,
    ).fit(X)  # fmt: skip
    assert "enumeration" in machine.log_partition_.method
    apart = BoltzmannMachine([], sampler="exact", n_particles=1, n_iter=100, random_state=0, progress=False).fit(X)
    best = -np.log(14)
    assert best - 0.3 < machine.score(X) < best
    assert apart.score(X) < -9 * np.log(2) + 0.01


@pytest.mark.parametrize("returned", [5, [1.0], {"a": "b"}, {"a": None}, {"iteration": 3}], ids=repr)
def test_a_callback_that_measures_no_numbers_says_the_rule(returned, bars):
    machine = RestrictedBoltzmannMachine(3, n_iter=1, callbacks=lambda snapshot: returned, progress=False)
    with pytest.raises(ValueError, match="a callback returns None, or a dict of numbers"):
        machine.fit(bars[0])


def test_classes_come_in_one_dimension(bars):
    X, y = bars
    with pytest.raises(ValueError, match=r"of shape \(n,\); got shape \(1, 2\)"):
        RestrictedBoltzmannMachine(3, progress=False).partial_fit(X, y, classes=[[0, 1]])


def test_more_runs_give_another_log_partition(bars):
    machine = RestrictedBoltzmannMachine(30, lateral=True, n_iter=2, n_ais_runs=20, n_ais_steps=20, progress=False)
    rough = machine.fit(np.tile(bars[0], (1, 3))).log_partition_
    assert "20 runs x 20 steps" in rough.method
    assert "40 runs x 30 steps" in machine.set_params(n_ais_runs=40, n_ais_steps=30).log_partition_.method
    assert machine.set_params(n_ais_runs=20, n_ais_steps=20).log_partition_ is rough


def test_a_callback_may_stop_without_a_reason(bars):
    def stop(snapshot):
        raise StopTraining

    machine = RestrictedBoltzmannMachine(3, n_iter=9, monitor_every=2, callbacks=stop, progress=False)
    assert machine.fit(bars[0]).n_iter_ == 2


def test_samplers_that_differ_in_one_number_of_a_long_array_are_told_apart():
    s, rows = np.linspace(0, 1, 2001), np.ones((3, 2001))
    rows[1, 1000], rows[2, 1000] = 2, 1 + 1e-12
    specs = [
        SamplerSpec(
            "schrodinger",
            {"schedule": AnnealSchedule.linear(5.0, scales=EnergyScales(s=s, transverse=row, problem=row))},
        )
        for row in rows
    ]
    assert len({describe_sampler(spec) for spec in specs}) == 3
    known = describe_sampler(specs[2])
    with np.printoptions(precision=2, linewidth=200):
        assert describe_sampler(pickle.loads(pickle.dumps(specs[2]))) == known
