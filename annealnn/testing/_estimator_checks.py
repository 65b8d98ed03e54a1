"""What an estimator of bits must do beyond scikit-learn's own suite.

Each `check_*` takes an `EstimatorCase` and raises AssertionError if the rule is broken, or what the estimator itself
raises. A check of something that an estimator does not offer (likelihoods, checkpoints, a transform) holds trivially.
"""

import inspect
import pickle
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from annealnn.datasets import make_bars_and_stripes
from annealnn.exceptions import StopTraining
from annealnn.testing._cases import checks_of
from annealnn.typing import AnyArray, Bits


@final
@dataclass(frozen=True, kw_only=True)
class EstimatorCase:
    """An estimator under test.

    Parameters
    ----------
    name : str
    make : callable, keywords to estimator
        A class will do.
    parameters : mapping, optional
        Passed to every call of `make`, to keep checks quick.
    known_failures : {name of a check: reason}, optional
        Of this kit's checks.
    """

    name: str
    make: Callable[..., Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    known_failures: Mapping[str, str] = field(default_factory=dict)

    def build(self, **parameters: Any) -> Any:
        """Return a new estimator; parameters that it does not take are left out."""
        given = {"random_state": 0, **self.parameters, **parameters}
        return self.make(**{name: value for name, value in given.items() if self.takes(name)})

    def takes(self, name: str) -> bool:
        """Return whether the constructor has a parameter of this name."""
        return name in inspect.signature(self.make).parameters


def bars() -> tuple[Bits, Bits]:
    """Return all 14 bars and stripes of 3 x 3 pixels, and which are bars."""
    return make_bars_and_stripes(3, 3)


def every_row(num_bits: int) -> Bits:
    """Return all 2**num_bits rows of bits."""
    return ((np.arange(2**num_bits)[:, None] >> np.arange(num_bits)) & 1).astype(np.int8)


def outcome(machine: Any, X: AnyArray) -> AnyArray:
    """Return what a fitted machine makes of `X`, by the first of its methods that says it in numbers."""
    for method in ("score_samples", "transform", "decision_function", "predict"):
        if hasattr(machine, method):
            return np.asarray(getattr(machine, method)(X))
    msg = f"an estimator scores, transforms or predicts; {type(machine).__name__} does none"
    raise AssertionError(msg)


def check_constructor_only_stores(case: EstimatorCase) -> None:
    """The constructor keeps what it is given, checks nothing and changes nothing."""
    given = {name: object() for name in inspect.signature(case.make).parameters}
    stored = case.make(**given).get_params(deep=False)
    assert set(stored) == set(given), f"get_params differs from the signature by {sorted(set(stored) ^ set(given))}"
    changed = [name for name in given if stored[name] is not given[name]]
    assert not changed, f"the constructor changed {changed}"


def check_clones_and_pickles(case: EstimatorCase) -> None:
    """A clone is unfitted with equal parameters; a pickled machine answers as before and goes on as before."""
    X, y = bars()
    machine = case.build()
    machine.fit(X, y)
    copied = clone(machine)
    assert repr(copied.get_params()) == repr(machine.get_params())
    try:
        outcome(copied, X)
    except NotFittedError:
        pass
    else:
        msg = "a clone is fitted"
        raise AssertionError(msg)
    restored = pickle.loads(pickle.dumps(machine))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(outcome(restored, X), outcome(machine, X))
    if hasattr(machine, "sample"):
        np.testing.assert_array_equal(restored.sample(5), machine.sample(5))
    if hasattr(machine, "partial_fit"):
        np.testing.assert_array_equal(outcome(restored.partial_fit(X, y), X), outcome(machine.partial_fit(X, y), X))


def check_seeds(case: EstimatorCase) -> None:
    """The same `random_state` gives the same machine, another gives another, and no global generator is touched."""
    if not case.takes("random_state"):
        return
    X, y = bars()
    before = repr(np.random.get_state())  # noqa: NPY002 - to see that nobody uses it
    a, b, other = (case.build(random_state=seed).fit(X, y) for seed in (0, 0, 1))
    np.testing.assert_array_equal(outcome(a, X), outcome(b, X))
    assert not np.array_equal(outcome(a, X), outcome(other, X)), "another random_state gives the same machine"
    if hasattr(a, "sample"):
        np.testing.assert_array_equal(a.sample(5), b.sample(5))
        assert not np.array_equal(a.sample(50, random_state=1), a.sample(50, random_state=2))
    assert repr(np.random.get_state()) == before, "numpy's global generator was used"  # noqa: NPY002


def check_bits_in_bits_out(case: EstimatorCase) -> None:
    """Data are bits: others are refused with the value in the text, and what is drawn is bits.

    An estimator without `binarize` takes any numbers.
    """
    if not case.takes("binarize"):
        return
    X, y = bars()
    machine = case.build().fit(X, y)
    if hasattr(machine, "sample"):
        drawn = machine.sample(7)
        assert drawn.shape == (7, X.shape[1])
        assert np.isin(drawn, (0, 1)).all(), f"bits are 0 and 1; drew {np.unique(drawn)}"
    wrong = X.astype(float)
    wrong[1, 2] = 2.5
    said = ""
    try:
        case.build(binarize=None).fit(wrong, y)
    except ValueError as error:
        said = str(error)
    assert said, "2.5 was taken for a bit"
    assert "2.5" in said, f"the error does not say what came: {said}"


def check_works_in_processes(case: EstimatorCase) -> None:
    """A grid search over two processes finds what one process finds."""
    X, y = bars()
    if not hasattr(case.build(), "score"):
        return
    order = np.random.default_rng(0).permutation(len(X))
    name = next((n for n in ("learning_rate", "n_iter") if case.takes(n)), None)
    default = case.build().get_params().get(name)
    grid = {name: [default, default * 2]} if name else {}
    one, two = (
        GridSearchCV(case.build(), grid, n_jobs=jobs, cv=2, error_score="raise").fit(X[order], y[order]).cv_results_
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one["mean_test_score"], two["mean_test_score"])


def check_feature_names(case: EstimatorCase) -> None:
    """Names of a data frame's columns are kept, and a frame with others, or in another order, is refused."""
    import pandas as pd

    X, y = bars()
    frame = pd.DataFrame(X, columns=[f"bit_{k}" for k in range(X.shape[1])])
    machine = case.build().fit(frame, y)
    assert machine.feature_names_in_.tolist() == list(frame.columns)
    # scikit-learn's own check of the rest feeds numbers, and wants the names in the docstring of the class
    estimator_checks.check_dataframe_column_names_consistency(case.name, case.build(binarize=0.0))


def check_pandas_output(case: EstimatorCase) -> None:
    """A transformer answers `set_output(transform="pandas")` with named columns."""
    machine = case.build(binarize=0.0)
    if not hasattr(machine, "transform"):
        assert not hasattr(machine, "set_output"), "set_output is for transformers"
        return
    with warnings.catch_warnings():
        # scikit-learn's checks fit with names and transform without, on purpose
        warnings.filterwarnings("ignore", "X (has|does not have valid) feature names", UserWarning)
        estimator_checks.check_set_output_transform_pandas(case.name, machine)
        estimator_checks.check_transformer_get_feature_names_out_pandas(case.name, machine)


def check_score_is_the_mean(case: EstimatorCase) -> None:
    """`score` is the mean of `score_samples`, one number for each row."""
    if not hasattr(case.build(), "score_samples"):
        return
    X, y = bars()
    machine = case.build().fit(X, y)
    rows = machine.score_samples(X)
    assert rows.shape == (len(X),)
    np.testing.assert_allclose(machine.score(X), rows.mean(), rtol=1e-12)


def check_likelihood_sums_to_one(case: EstimatorCase) -> None:
    """exp(score_samples) over every row of bits adds up to 1; without `binarize`, rows are any numbers."""
    if not hasattr(case.build(), "score_samples") or not case.takes("binarize"):
        return
    X, y = bars()
    X = X[:, :5]  # few enough for every likelihood to be exact
    for labels in (None, y):
        machine = case.build().fit(X, labels)
        total = np.exp(machine.score_samples(every_row(X.shape[1]))).sum()
        np.testing.assert_allclose(total, 1.0, atol=1e-9)


def check_learns_the_data(case: EstimatorCase) -> None:
    """Drawn rows have the data's means; those of the data with every bit flipped are far off."""
    X = (np.random.default_rng(5).random((400, 5)) < [0.9, 0.8, 0.7, 0.2, 0.1]).astype(np.int8)
    machine = case.build(n_iter=200, n_particles=200, n_reads=200)
    if not hasattr(machine, "sample"):
        return
    machine.fit(X)
    means = machine.sample(2000).mean(axis=0)
    error, opposite = (float(np.abs(means - data.mean(axis=0)).mean()) for data in (X, 1 - X))
    assert error < 0.08, f"the means of drawn rows are {error:.3f} off those of the data"
    assert opposite > 0.4, f"the means of drawn rows are {opposite:.3f} off those of flipped data: nothing is learned"


def check_refused_fit_leaves_the_machine(case: EstimatorCase) -> None:
    """A fit that is refused leaves a fitted machine as it was."""
    X, y = bars()
    machine = case.build().fit(X, y)
    before = outcome(machine, X)
    try:
        machine.fit(np.full(X.shape, np.nan), y)
    except ValueError:
        np.testing.assert_array_equal(outcome(machine, X), before)
    else:
        msg = "NaN was taken for data"
        raise AssertionError(msg)


def check_class_probabilities(case: EstimatorCase) -> None:
    """`predict_proba` gives a distribution over `classes_` for each row, `predict` the class where it is greatest."""
    X, y = bars()
    labels = np.array(["across", "along"])[y]
    machine = case.build().fit(X, labels)
    if not hasattr(machine, "predict_proba"):
        return
    p = machine.predict_proba(X)
    assert machine.classes_.tolist() == ["across", "along"]
    assert p.shape == (len(X), 2), f"there is a column for each class; got {p.shape}"
    assert ((p >= 0) & (p <= 1)).all(), f"probabilities are between 0 and 1; got {p.min()} to {p.max()}"
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_array_equal(machine.predict(X), machine.classes_[p.argmax(axis=1)])


def check_hidden_probabilities(case: EstimatorCase) -> None:
    """A machine that draws and transforms gives P(hidden unit is 1 | x), each column with a name."""
    X, y = bars()
    if not all(hasattr(case.build(), name) for name in ("transform", "sample")):
        return
    for labels in (None, y):
        machine = case.build().fit(X, labels)
        p = machine.transform(X)
        assert ((p >= 0) & (p <= 1)).all(), f"probabilities are between 0 and 1; got {p.min()} to {p.max()}"
        names = machine.get_feature_names_out()
        assert len(set(names)) == p.shape[1], f"each of {p.shape[1]} columns has a name of its own; got {list(names)}"
        np.testing.assert_array_equal(case.build().fit_transform(X, labels), p)


def check_missing_values(case: EstimatorCase) -> None:
    """NaN is refused, or summed over: what is learned without a third of the values is what the data say."""
    if not case.takes("missing"):
        return
    rng = np.random.default_rng(5)
    X = (rng.random((600, 5)) < [0.5, 0.9, 0.5, 0.2, 0.1]).astype(float)
    X[:, 2] = X[:, 0]  # a pair that always agrees
    holes = np.where(rng.random(X.shape) < 1 / 3, np.nan, X)
    said = ""
    try:
        case.build(missing="error").fit(holes)
    except ValueError as error:
        said = str(error)
    assert "NaN" in said, f"missing='error' refuses NaN by name; said {said!r}"
    quick = {"n_iter": 100, "n_particles": 200, "batch_size": 100, "learning_rate": 0.05, "weight_scale": 0.2}
    machine = case.build(missing="marginalise", **quick).fit(holes)
    assert np.isfinite(outcome(machine, X)).all()
    drawn = machine.sample(2000)
    off = float(np.abs(drawn.mean(axis=0) - X.mean(axis=0)).mean())
    assert off < 0.08, f"the means of drawn rows are {off:.3f} off those of the whole data"
    agree = float((drawn[:, 0] == drawn[:, 2]).mean())
    assert agree > 0.75, f"two bits that always agree in the data agree in {agree:.2f} of drawn rows"


def check_early_stopping(case: EstimatorCase) -> None:
    """Training ends when the held-out likelihood does not rise, and the best parameters are kept."""
    if not all(map(case.takes, ("early_stopping", "n_iter_no_change", "tol", "monitor_every", "callbacks"))):
        return
    X, y = bars()
    seen: list[Any] = []
    machine = case.build(
        early_stopping=True,
        n_iter=20,
        monitor_every=2,
        n_iter_no_change=3,
        tol=1e9,  # nothing rises by so much
        validation_fraction=0.3,
        callbacks=lambda snapshot: seen.append(snapshot.model),
    ).fit(X, y)
    assert machine.n_iter_ == 8, (
        f"the first look and 3 more, every 2 epochs, end training after 8; got {machine.n_iter_}"
    )
    assert all(np.isfinite(row["held_out"]) for row in machine.monitored_)
    model = machine.model_ if hasattr(machine, "model_") else machine.hidden_model_
    np.testing.assert_equal(model, seen[0])


def check_pipelines(case: EstimatorCase) -> None:
    """An estimator works inside a pipeline as it does alone, at its end and, a transformer, before a classifier."""
    X, y = bars()
    alone, last = case.build().fit(X, y), make_pipeline("passthrough", case.build()).fit(X, y)
    np.testing.assert_array_equal(outcome(last, X), outcome(alone, X))
    if hasattr(alone, "transform"):
        first = make_pipeline(case.build(), LogisticRegression()).fit(X, y)
        assert first.predict(X).shape == (len(X),)


def check_html(case: EstimatorCase) -> None:
    """Notebooks show a diagram, fitted or not, that names the estimator."""
    X, y = bars()
    for machine in (case.build(), case.build().fit(X, y)):
        page = machine._repr_html_()
        assert type(machine).__name__ in page, "the diagram does not name the estimator"


def check_interrupted_fit_resumes(case: EstimatorCase) -> None:
    """A fit that was interrupted and resumed from its checkpoint is, bit for bit, the unbroken one."""
    if not all(map(case.takes, ("checkpoint", "resume", "callbacks", "monitor_every", "n_iter"))):
        return
    X, y = bars()
    stopped = False

    def stop_once(snapshot: Any) -> dict[str, float]:
        nonlocal stopped
        if snapshot.iteration == 3 and not stopped:
            stopped = True
            raise KeyboardInterrupt
        return {}

    whole = case.build(n_iter=6, callbacks=stop_once, monitor_every=7).fit(X, y)
    with tempfile.TemporaryDirectory() as folder:
        machine = case.build(n_iter=6, callbacks=stop_once, monitor_every=1, checkpoint=Path(folder) / "kept")
        try:
            machine.fit(X, y)
        except KeyboardInterrupt:
            pass
        else:
            msg = "KeyboardInterrupt was swallowed"
            raise AssertionError(msg)
        machine.set_params(resume=True).fit(X, y)
    assert machine.n_iter_ == whole.n_iter_
    np.testing.assert_array_equal(outcome(machine, X), outcome(whole, X))


def check_a_callback_ends_training(case: EstimatorCase) -> None:
    """`StopTraining` from a callback ends training with a fitted machine; resumed, it has ended."""
    if not all(map(case.takes, ("checkpoint", "resume", "callbacks", "monitor_every", "n_iter"))):
        return
    X, y = bars()

    def enough(snapshot: Any) -> None:
        if snapshot.iteration == 2:
            raise StopTraining(str(snapshot.iteration))

    with tempfile.TemporaryDirectory() as folder:
        machine = case.build(n_iter=5, callbacks=enough, monitor_every=1, checkpoint=Path(folder) / "kept").fit(X, y)
        assert machine.n_iter_ == 2, f"training was to end after 2 epochs; it ended after {machine.n_iter_}"
        before = outcome(machine, X)
        machine.set_params(resume=True, callbacks=None).fit(X, y)
    assert machine.n_iter_ == 2, f"training that had ended went on to epoch {machine.n_iter_}"
    np.testing.assert_array_equal(outcome(machine, X), before)


ESTIMATOR_CHECKS = checks_of(globals())
