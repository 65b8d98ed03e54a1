"""All ten digits, small: few rows, tiny machines, and a stand-in for the package rbms."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

from annealnn.estimators import BoltzmannMachine, RestrictedBoltzmannMachine
from annealnn.experiments import AllDigitsJob, AllDigitsResult, _all_digits, run_all_digits
from annealnn.experiments._all_digits import Scored
from annealnn.experiments._contestants import Contestant, Digits, _bernoulli_rbm, _of, _rbms, contestants
from annealnn.learning import Estimate

TINY = {"n_particles": 20, "n_iter": 3, "n_ais_runs": 10, "n_ais_steps": 20, "progress": False}


def few_digits(subset, *, return_X_y):
    """Rows of 3 x 3 of 64 pixels whose first ones tell the digit."""
    rng = np.random.default_rng(len(subset))
    y = np.repeat(np.arange(10), 6 if subset == "train" else 4)
    X = (rng.random((len(y), 64)) < 0.3).astype(np.int8)
    X[np.arange(len(y)), y] = 1
    return X, y


def tiny_contestants():
    return [
        Contestant(name="fully visible", fit=_of(BoltzmannMachine, **TINY), grid=({"l1": 0.0}, {"l1": 0.01})),
        Contestant(
            name="semi-restricted, 2 hidden",
            fit=_of(RestrictedBoltzmannMachine, n_components=2, lateral=True, **TINY),
            grid=({"learning_rate": 0.01}, {"learning_rate": 0.05}),
        ),
        Contestant(
            name="no likelihood",
            fit=_of(BoltzmannMachine, **TINY),
            grid=({"learning_rate": 0.01}, {"learning_rate": 0.1}),
            has_likelihood=False,
        ),
        Contestant(
            name="BernoulliRBM",
            fit=_bernoulli_rbm(n_components=2, n_iter=2),
            grid=({"learning_rate": 0.01}, {"learning_rate": 0.05}),
            ours=False,
        ),
    ]


@pytest.fixture
def tiny(monkeypatch):
    asked = []

    def entrants(**keywords):
        asked.append(keywords)
        return tiny_contestants()

    monkeypatch.setattr(_all_digits, "contestants", entrants)
    monkeypatch.setattr(_all_digits, "load_optdigits", few_digits)
    return asked


def refuse(entrant, *arguments):
    msg = f"{entrant.name} is fitted"
    raise AssertionError(msg)


def test_the_job_from_end_to_end_and_again(tiny, tmp_path, monkeypatch):
    job, said = AllDigitsJob(out=tmp_path / "report", rbms_python="python-of-rbms"), []
    result = run_all_digits(job, say=said.append)
    assert tiny == [{"rbms_python": "python-of-rbms", "quick": False}]
    assert "48 + 12 training rows, 40 test rows" in said[0]
    assert "rbms is not here" in said[1]
    names = [c.name for c in tiny_contestants()]
    assert len(said) == 2 + 3 * len(names) + 1
    # two settings each on the validation rows, the better one on the test rows
    for name in names:
        tried = result.trials[name]
        values = [(s.accuracy if name == "no likelihood" else s.log_likelihood).value for s in tried]
        assert result.chosen[name].settings == tried[int(np.argmax(values))].settings
        assert tried[0].accuracy.method == "12 rows, binomial"
        assert result.chosen[name].accuracy.method == "40 rows, binomial"
        assert np.shape(result.chosen[name].drawn) == (40, 64)
        assert (result.chosen[name].log_likelihood is None) == (name == "no likelihood")
    assert result.shuffled.settings == result.chosen["semi-restricted, 2 hidden"].settings
    assert result.ours == set(names) - {"BernoulliRBM"}
    assert result.real.shape == (40, 64)
    assert -74 * np.log(2) < result.independent.value < 0
    # what is written
    content = json.loads((job.out / "results.json").read_text())
    assert content["misses"] == result.misses
    assert set(content["test"]) == set(content["validation"]) == set(names)
    assert content["test"]["BernoulliRBM"]["log_likelihood"]["standard_error"] >= 0
    assert content["test"]["no likelihood"]["log_likelihood"] is None
    assert "drawn" not in content["shuffled_labels"]
    page = (job.out / "index.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert all(name in page for name in names)
    assert sorted(p.name for p in (job.out / "figures").iterdir()) == ["digits.png", "scores.png"]
    # resumed, nothing is fitted again
    monkeypatch.setattr(_all_digits, "_score", refuse)
    again = run_all_digits(replace(job, resume=True), say=lambda line: None)
    assert again.chosen == result.chosen
    assert again.trials == result.trials
    assert again.shuffled == result.shuffled
    # another seed is another job, and so is one that is not resumed
    for other in (replace(job, resume=True, seed=1), replace(job, resume=False)):
        with pytest.raises(AssertionError, match="fully visible is fitted"):
            run_all_digits(other, say=lambda line: None)


def test_an_interrupted_run_keeps_what_it_finished(tiny, tmp_path, monkeypatch):
    job, calls, score = AllDigitsJob(out=tmp_path), [], _all_digits._score

    def third_time(entrant, *arguments):
        calls.append(entrant.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return score(entrant, *arguments)

    monkeypatch.setattr(_all_digits, "_score", third_time)
    with pytest.raises(KeyboardInterrupt):
        run_all_digits(job, say=lambda line: None)
    assert len(list((tmp_path / "finished").iterdir())) == 2
    run_all_digits(replace(job, resume=True), say=lambda line: None)
    assert len(calls) == 3 + 3 * 4 + 1 - 2


def test_foreign_folders_are_left_alone(tiny, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ValueError, match="new or empty or an earlier report's; got"):
        run_all_digits(AllDigitsJob(out=tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ValueError, match="seed is a whole number of at least 0; got -1"):
        AllDigitsJob(seed=-1)


def scored(log_likelihood, accuracy):
    found = None if log_likelihood is None else Estimate(log_likelihood, 0.1, "")
    return Scored({}, found, Estimate(accuracy, 0.01, ""), 0.0, [])


def test_misses_name_rivals_that_are_not_behind():
    ours = {"a": scored(-20.0, 0.90), "b": scored(-19.0, 0.80), "c": scored(None, 0.95)}

    def misses(**rivals):
        return AllDigitsResult(
            job=AllDigitsJob(), trials={}, chosen=ours | rivals, shuffled=scored(-30.0, 0.1),
            independent=Estimate(-40.0, 0.0, ""), ours=set(ours), real=np.zeros((0, 64), np.int8),
        ).misses  # fmt: skip

    assert misses() == misses(r=scored(-19.5, 0.94)) == []
    assert misses(r=scored(-18.0, 0.94)) == ["r has log-likelihood -18.000, our best machine -19.000"]
    assert misses(r=scored(-19.5, 0.95)) == ["r has accuracy 0.950, our best machine 0.950"]
    assert len(misses(q=scored(-18.0, 0.99), r=scored(-18.0, 0.0))) == 3


def test_contestants_are_tuned_over_as_many_settings_each():
    entrants = contestants(rbms_python="python")
    assert {len(c.grid) for c in entrants} == {3}
    assert len({c.name for c in entrants}) == len(entrants) == 9
    assert [c.name for c in entrants if not c.ours] == ["BernoulliRBM of scikit-learn, 128 hidden", "rbms, 128 hidden"]
    assert [c.name for c in entrants if not c.has_likelihood] == ["embedded in zephyr-12"]


@pytest.mark.parametrize("name", ["fully visible", "restricted, 128 hidden"])
def test_quick_contestants_learn_from_any_of_their_settings(name):
    entrant = next(c for c in contestants(quick=True) if c.name == name)
    digits = Digits(*few_digits("train", return_X_y=True))
    for settings in entrant.grid[:2]:
        machine = entrant.fit(settings, digits, 0)
        assert machine.n_iter <= 100
        assert machine.predict(digits.X).shape == digits.y.shape


# -- the package rbms, of which the worker uses five names -------------------------------------------------------------

FAKES = {
    "torch.py": "float32 = 'float32'\ndevice = str\ndef manual_seed(seed): pass\n",
    "rbms/__init__.py": "",
    "rbms/dataset/__init__.py": "",
    "rbms/dataset/dataset_class.py": """
class RBMDataset:
    def __init__(self, **keywords):
        self.__dict__.update(keywords)
""",
    "rbms/training/__init__.py": "",
    "rbms/training/pcd.py": """
import json
import numpy as np
def train(train, test, kind, arguments, dtype, saved):
    assert kind == "BBRBM" and len(test.data) == 10 and list(saved) == [arguments["num_updates"]]
    assert train.data.dtype == np.float32
    if arguments["learning_rate"] > 1:
        raise ValueError("it diverges")
    means = train.data.mean(axis=0)
    weights = np.outer(means, np.arange(arguments["num_hiddens"])) * arguments["learning_rate"]
    with open(arguments["filename"], "w") as file:
        json.dump([weights.tolist(), (means - 0.5).tolist(), [arguments["L2"]] * arguments["num_hiddens"]], file)
""",
    "rbms/io.py": """
import json
from types import SimpleNamespace
import numpy as np
class Tensor:
    def __init__(self, values):
        self.values = np.array(values, np.float32)
    def numpy(self):
        return self.values
def load_params(filename, update, device, dtype):
    with open(filename) as file:
        weights, visible, hidden = map(Tensor, json.load(file))
    return SimpleNamespace(weight_matrix=weights, vbias=visible, hbias=hidden)
""",
}


@pytest.fixture
def fake_rbms(monkeypatch, tmp_path):
    for name, text in FAKES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fixed = {"n_components": 3, "num_updates": 7, "batch_size": 20, "num_chains": 20}
    return _rbms(sys.executable, fixed)


def test_a_rival_in_another_interpreter_comes_back_as_our_machine(fake_rbms):
    digits = Digits(*few_digits("train", return_X_y=True))
    machine = fake_rbms({"learning_rate": 0.2, "weight_decay": 0.25}, digits, 0)
    rows = np.hstack([digits.X, digits.y[:, None] == np.arange(10)])
    means = rows.mean(axis=0)
    weights, visible, hidden = np.outer(means, np.arange(3)) * 0.2, means - 0.5, 0.25
    minus_free = rows @ visible + np.logaddexp(0, rows @ weights + hidden).sum(axis=1)
    assert np.ptp(machine.score_samples(digits.X, digits.y) - minus_free) < 1e-4
    whole = np.stack([np.hstack([digits.X, np.tile(one, (60, 1))]) for one in np.eye(10)], axis=1)
    of_classes = whole @ visible + np.logaddexp(0, whole @ weights + hidden).sum(axis=2)
    shares = np.exp(of_classes - logsumexp(of_classes, axis=1, keepdims=True))
    np.testing.assert_allclose(machine.predict_proba(digits.X), shares, atol=1e-5)


def test_a_rival_that_fails_says_why(fake_rbms):
    digits = Digits(*few_digits("train", return_X_y=True))
    with pytest.raises(RuntimeError, match=r"(?s)rbms failed under .*it diverges"):
        fake_rbms({"learning_rate": 2.0, "weight_decay": 0.0}, digits, 0)
