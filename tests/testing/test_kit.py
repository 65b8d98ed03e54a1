"""Tests of the tests: what is broken on purpose must fail the kit, and by the check that is about it."""

import dimod
import numpy as np
import pytest
from sklearn.base import BaseEstimator, DensityMixin, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from annealnn._rng import resolve_seed
from annealnn._validation import check_bits
from annealnn.embeddings import MinorEmbedding, load_embedding
from annealnn.exceptions import UnknownSamplerError
from annealnn.samplers import AnnealSampler, GibbsSampler, SimulatedAnnealingSampler, streams_from_seed, uniforms
from annealnn.testing import ESTIMATOR_CHECKS, SAMPLER_CHECKS, EstimatorCase, SamplerCase, parametrize
from annealnn.testing._data_checks import (
    EMBEDDING_CHECKS,
    FOLDER_CHECKS,
    LOADER_CHECKS,
    EmbeddingCase,
    FolderCase,
    LoaderCase,
)
from annealnn.testing._estimators import estimator_cases
from annealnn.testing._ocean import EXCUSED, KEYWORDS, KNOWN_FAILURES, MAKERS
from annealnn.testing._samplers import OCEAN, ocean_samplers, own_samplers, sampler_cases


def failures(case, checks):
    """Return the names of the checks that fail, without their prefix."""
    failed = set()
    for check in checks:
        try:
            check(case)
        except Exception:
            failed.add(check.__name__.removeprefix("check_"))
    return failed


# -- samplers --------------------------------------------------------------------------------------------------------


class Base(AnnealSampler):
    """A sound sampler; each one below breaks one rule of it."""

    boltzmann = True

    @property
    def properties(self):
        return {"distribution": "boltzmann" if self.boltzmann else None}

    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        self.remove_unknown_kwargs(**kwargs)

        def draw(structure, parameters, num_reads, seed):
            compiled = GibbsSampler().compile(structure, num_sweeps=60, beta=beta, num_threads=num_threads)
            state = compiled.init(num_reads, seed)
            state = state._replace(streams=self.streams(state.streams, num_threads))
            return compiled.step(parameters, state).spins, {"beta": beta}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed)

    def streams(self, streams, num_threads):
        return streams


class AllDown(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, **kwargs):
        self.remove_unknown_kwargs(**kwargs)
        return self.sample_with(
            lambda s, p, n, seed: (-np.ones((n, s.num_variables), np.int8), {"beta": beta}),
            bqm,
            num_reads=num_reads,
            seed=seed,
        )


class AllDownAndSilent(AllDown):
    boltzmann = False


class WrongSign(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, **kwargs):
        self.remove_unknown_kwargs(**kwargs)
        found = GibbsSampler().sample(bqm * -1, num_reads=num_reads, beta=beta, seed=seed)
        out = dimod.SampleSet.from_samples_bqm(found.samples(sorted_by=None), bqm)
        out.info.update(found.info, sampler={"name": "WrongSign"})
        return out


class SharedStream(Base):
    def streams(self, streams, num_threads):
        return np.repeat(streams[:1], len(streams), axis=0)


class SharedPairs(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, **kwargs):
        self.remove_unknown_kwargs(**kwargs)

        def draw(structure, parameters, num_reads, seed):
            found = GibbsSampler().compile(structure, num_sweeps=60, beta=beta)
            spins = found.step(parameters, found.init(-(-num_reads // 2), seed)).spins
            return np.repeat(spins, 2, axis=0)[:num_reads], {"beta": beta}

        return self.sample_with(draw, bqm, num_reads=num_reads, seed=seed)


class StreamsByThread(Base):
    def streams(self, streams, num_threads):
        return streams + np.uint64(num_threads or 1)


class StreamsByCount(Base):
    def streams(self, streams, num_threads):
        return streams[::-1].copy()


class LyingParameters(Base):
    @property
    def parameters(self):
        return super().parameters | {"annealing_time": []}


class ForgetsItsSeed(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        found = super().sample(bqm, num_reads=num_reads, beta=beta, seed=seed, num_threads=num_threads, **kwargs)
        found.info["seed"] = resolve_seed(None)
        return found


class NumpyInfo(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        found = super().sample(bqm, num_reads=num_reads, beta=beta, seed=seed, num_threads=num_threads, **kwargs)
        found.info["energies"] = found.record.energy
        return found


class TooCold(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        found = super().sample(bqm, num_reads=num_reads, beta=1.1 * beta, seed=seed, num_threads=num_threads, **kwargs)
        found.info["beta"] = beta
        return found


class SwallowsKeywords(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        return super().sample(bqm, num_reads=num_reads, beta=beta, seed=seed, num_threads=num_threads)


class ShiftsInPlace(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        bqm.offset += 1
        return super().sample(bqm, num_reads=num_reads, beta=beta, seed=seed, num_threads=num_threads, **kwargs)


class ByLabel(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        turned = dimod.BQM(bqm.vartype)
        for v in sorted(bqm.variables, key=repr):
            turned.add_linear(v, bqm.linear[v])
        turned.add_quadratic_from((u, v, bias) for (u, v), bias in bqm.quadratic.items())
        turned.offset = bqm.offset
        return super().sample(turned, num_reads=num_reads, beta=beta, seed=seed, num_threads=num_threads, **kwargs)


class ForcesSpins(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        return super().sample(bqm.spin, num_reads=num_reads, beta=beta, seed=seed, num_threads=num_threads, **kwargs)


class BitsAreHotter(Base):
    boltzmann = False

    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        hotter = beta if bqm.vartype is dimod.SPIN else 0.5 * beta
        return super().sample(bqm, num_reads=num_reads, beta=hotter, seed=seed, num_threads=num_threads, **kwargs)


@pytest.mark.parametrize(
    ("cls", "broken"),
    [
        (Base, set()),
        (
            AllDown,
            {
                "bad_values_are_refused",
                "boltzmann_where_claimed",
                "reads_are_independent",
                "reads_follow_the_problem",
                "seeds_replay",
            },
        ),
        (
            AllDownAndSilent,
            {"bad_values_are_refused", "reads_are_independent", "reads_follow_the_problem", "seeds_replay"},
        ),
        (WrongSign, {"boltzmann_where_claimed", "reads_follow_the_problem"}),
        (
            SharedStream,
            {"boltzmann_where_claimed", "reads_are_independent"},
        ),
        (SharedPairs, {"boltzmann_where_claimed", "reads_are_independent"}),
        (StreamsByThread, {"threads_do_not_show"}),
        (StreamsByCount, {"more_reads_keep_the_earlier_ones"}),
        (LyingParameters, {"parameters_equal_the_signature"}),
        (ForgetsItsSeed, {"seeds_replay"}),
        (NumpyInfo, {"info"}),
        (TooCold, {"bad_values_are_refused", "boltzmann_where_claimed"}),
        (SwallowsKeywords, {"unknown_keyword_warns"}),
        (ShiftsInPlace, {"dimod_problems", "edge_problems", "problem_is_left_alone"}),
        (ByLabel, {"relabelling_changes_labels_only"}),
        (ForcesSpins, {"dimod_problems", "edge_problems"}),
        (BitsAreHotter, {"spin_and_binary_forms_agree"}),
        (dimod.NullSampler, None),
        (dimod.RandomSampler, None),
    ],
)
def test_broken_samplers_fail_by_the_right_check(cls, broken):
    found = failures(SamplerCase(name=cls.__name__, make=cls), SAMPLER_CHECKS)
    # all reads being one, chance decides whether it is a likely one
    by_chance = {"reads_follow_the_problem", "spin_and_binary_forms_agree"} if cls is SharedStream else set()
    assert found - by_chance == broken if broken is not None else found


def test_every_sampler_check_fails_somewhere():
    """No check is one that cannot fail: all but the API's own are named above."""
    named = {name.removeprefix("check_") for name, _ in KNOWN_FAILURES}
    rows = [mark for mark in test_broken_samplers_fail_by_the_right_check.pytestmark if mark.name == "parametrize"]
    named |= set().union(*(broken for _, broken in rows[0].args[1] if broken))
    assert named | {"dimod_api"} == {check.__name__.removeprefix("check_") for check in SAMPLER_CHECKS}

    class NoSampler:
        parameters, properties = {}, {}

    with pytest.raises(AssertionError):
        SAMPLER_CHECKS[0](SamplerCase(name="none", make=NoSampler))


def test_the_table_finds_ours_and_oceans():
    assert {case.name for case in own_samplers()} >= {"ExactSampler", "GibbsSampler", "SimulatedAnnealingSampler"}
    found = {case.name for case in ocean_samplers()}
    assert found >= {"dwave.SimulatedAnnealingSampler", "dwave.EmbeddingComposite", "dimod.ExactSolver"}
    assert found >= set(KEYWORDS) | set().union(*KNOWN_FAILURES.values())
    assert {name.split(".")[1] for name in found} >= set(MAKERS)


@pytest.mark.parametrize("name", EXCUSED)
def test_an_excused_sampler_cannot_take_an_ordinary_problem(name, monkeypatch, tmp_path):
    from annealnn.testing._cases import discover

    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "none"))
    (tmp_path / "none").touch()
    monkeypatch.delenv("DWAVE_API_TOKEN", raising=False)
    (cls,) = (cls for cls in discover(dimod.Sampler, OCEAN) if cls.__name__ == name)
    with pytest.raises((ValueError, TypeError, AttributeError, NotImplementedError, DeprecationWarning)):
        (cls(GibbsSampler()) if issubclass(cls, dimod.Composite) else cls()).sample_ising({"a": 1.0, "b": 0.0}, {})


def test_a_known_failure_names_a_check():
    with pytest.raises(ValueError, match="mine names 'check_nothing'"):
        parametrize([SamplerCase(name="mine", make=Base, known_failures={"check_nothing": "x"})], SAMPLER_CHECKS)


# -- pointing the kit at a stranger's ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["no.such.module:Thing", "dimod:NoSuchSampler", "nothing"])
def test_a_wrong_name_says_so(value, monkeypatch):
    monkeypatch.setenv("ANNEALNN_TEST_SAMPLERS", value)
    with pytest.raises(UnknownSamplerError, match=value):
        sampler_cases()
    monkeypatch.setenv("ANNEALNN_TEST_ESTIMATORS", value)
    with pytest.raises(ValueError, match=value):
        estimator_cases()


@pytest.mark.parametrize(
    ("variable", "path", "sound"),
    [
        ("ANNEALNN_TEST_SAMPLERS", "anneal, mine:Mine", True),
        ("ANNEALNN_TEST_SAMPLERS", "dimod:RandomSampler", False),
    ],
)
def test_the_kit_can_be_pointed_at_a_sampler(variable, path, sound, tmp_path, monkeypatch):
    import subprocess
    import sys

    (tmp_path / "mine.py").write_text("from annealnn import SimulatedAnnealingSampler as Mine")
    monkeypatch.setenv(variable, path)
    # not `python -m pytest`, which puts the working folder on the path by itself
    code = "import pytest, sys; sys.path.remove(''); raise SystemExit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-q", "-p", "no:cacheprovider", "--pyargs", "annealnn.testing"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode == 0) == sound, run.stdout
    assert ("failed" in run.stdout) != sound
    assert "skipped" not in run.stdout
    assert f"{2 * len(SAMPLER_CHECKS)} passed" in run.stdout or not sound


# -- estimators ------------------------------------------------------------------------------------------------------


class Independent(DensityMixin, BaseEstimator):
    """A sound estimator: independent bits. Each one below breaks one rule of it."""

    def __init__(self, *, learning_rate=1.0, binarize=None, random_state=None):
        self.learning_rate = learning_rate
        self.binarize = binarize
        self.random_state = random_state

    def fit(self, X, y=None):
        bits = self.bits(validate_data(self, X, dtype=np.float64))
        noise = np.random.default_rng(self.random_state).uniform(0, 1e-3, bits.shape[1])
        self.p_ = np.clip(self.learn(bits), 0.01, 0.98) + noise
        return self

    def bits(self, X):
        return check_bits(X, binarize=self.binarize)

    def learn(self, bits):
        return bits.mean(axis=0)

    def score_samples(self, X):
        check_is_fitted(self)
        bits = check_bits(validate_data(self, X, reset=False, dtype=np.float64), binarize=self.binarize)
        return (bits * np.log(self.p_) + (1 - bits) * np.log(1 - self.p_)).sum(axis=1)

    def score(self, X, y=None):
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, random_state=None):
        rng = np.random.default_rng(self.random_state if random_state is None else random_state)
        return (rng.random((n_samples, len(self.p_))) < self.p_).astype(np.int8)


class ChecksInItsConstructor(Independent):
    def __init__(self, *, learning_rate=1.0, binarize=None, random_state=None):
        self.learning_rate = float(learning_rate)
        self.binarize = binarize
        self.random_state = random_state


class FreshEntropy(Independent):
    def fit(self, X, y=None):
        super().fit(X)
        self.p_ = np.clip(self.p_ + np.random.default_rng().uniform(-1e-3, 0, len(self.p_)), 0.001, 0.999)
        return self


class GlobalGenerator(Independent):
    def learn(self, bits):
        return bits.mean(axis=0) + 0 * np.random.rand()  # noqa: NPY002


class DrawsSpins(Independent):
    def sample(self, n_samples=1, random_state=None):
        return 2 * super().sample(n_samples, random_state) - 1


class LearnsNothing(Independent):
    def learn(self, bits):
        return np.full(bits.shape[1], 0.5)


class LearnsTheOpposite(Independent):
    def learn(self, bits):
        return 1 - bits.mean(axis=0)


class TakesAnyNumber(Independent):
    def bits(self, X):
        return (X > 0.5).astype(np.int8)


class NotNormalised(Independent):
    def score_samples(self, X):
        return super().score_samples(X) + 1


class ScoresTheSum(Independent):
    def score(self, X, y=None):
        return float(self.score_samples(X).sum())


class ForgetsBeforeItChecks(Independent):
    def fit(self, X, y=None):
        self.p_ = np.full(9, 0.5)
        return super().fit(X)


class IgnoresNames(Independent):
    def fit(self, X, y=None):
        return super().fit(np.asarray(X))


class HoldsALock(Independent):
    def fit(self, X, y=None):
        import threading

        self.lock_ = threading.Lock()
        return super().fit(X)


class LosesItsPlace(Independent):
    """Resumes, but not to the same bits."""

    def __init__(
        self,
        *,
        n_iter=4,
        monitor=None,
        monitor_every=1,
        checkpoint=None,
        resume=False,
        binarize=None,
        random_state=None,
        learning_rate=1.0,
    ):
        super().__init__(learning_rate=learning_rate, binarize=binarize, random_state=random_state)
        self.n_iter, self.monitor, self.monitor_every = n_iter, monitor, monitor_every
        self.checkpoint, self.resume = checkpoint, resume

    def fit(self, X, y=None):
        for iteration in range(1, self.n_iter + 1):
            if self.monitor is not None and iteration % self.monitor_every == 0:
                self.monitor(iteration, None)
        super().fit(X)
        self.n_iter_, self.p_ = self.n_iter, self.p_ + (1e-6 if self.resume else 0)
        return self


class Doubles(TransformerMixin, BaseEstimator):
    """A sound transformer."""

    def __init__(self, *, factor=2.0, binarize=None):
        self.factor = factor
        self.binarize = binarize

    def fit(self, X, y=None):
        numbers = validate_data(self, X, dtype=np.float64)
        if self.binarize is None:
            check_bits(numbers, binarize=None)
        self.fitted_ = True
        return self

    def transform(self, X):
        check_is_fitted(self)
        return self.factor * validate_data(self, X, reset=False)

    def get_feature_names_out(self, input_features=None):
        return np.asarray(_check_feature_names_in(self, input_features), dtype=object)


class NamesTooFew(Doubles):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out(input_features)[:1]


@pytest.mark.parametrize(
    ("cls", "broken"),
    [
        (Independent, set()),
        (Doubles, set()),
        (NamesTooFew, {"pandas_output"}),
        (ChecksInItsConstructor, {"constructor_only_stores"}),
        (FreshEntropy, {"seeds", "works_in_processes"}),
        (GlobalGenerator, {"seeds"}),
        (DrawsSpins, {"bits_in_bits_out", "learns_the_data"}),
        (LearnsNothing, {"learns_the_data"}),
        (LearnsTheOpposite, {"learns_the_data"}),
        (TakesAnyNumber, {"bits_in_bits_out"}),
        (NotNormalised, {"likelihood_sums_to_one"}),
        (ScoresTheSum, {"score_is_the_mean"}),
        (ForgetsBeforeItChecks, {"refused_fit_leaves_the_machine"}),
        (IgnoresNames, {"feature_names"}),
        (HoldsALock, {"clones_and_pickles"}),
        (LosesItsPlace, {"interrupted_fit_resumes"}),
    ],
)
def test_broken_estimators_fail_by_the_right_check(cls, broken):
    case = EstimatorCase(name=cls.__name__, make=cls)
    if "works_in_processes" not in broken:
        # processes take seconds to start, and are tried on a few
        checks = [check for check in ESTIMATOR_CHECKS if check.__name__ != "check_works_in_processes"]
    else:
        checks = ESTIMATOR_CHECKS
    assert failures(case, checks) == broken


def test_every_estimator_check_fails_somewhere():
    rows = [mark for mark in test_broken_estimators_fail_by_the_right_check.pytestmark if mark.name == "parametrize"]
    named = set().union(*(broken for _, broken in rows[0].args[1]))
    assert named == {check.__name__.removeprefix("check_") for check in ESTIMATOR_CHECKS}


# -- data ------------------------------------------------------------------------------------------------------------

PROVENANCE = "\n".join(
    f'{key} = "x"' for key in ("title", "what", "shape", "format", "source", "licence", "recipe", "checked")
)
RECORD = '\n[files."a.csv"]\nrows = 2\nsha256 = "{}"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    import hashlib

    monkeypatch.setattr("annealnn._resources.data_root", lambda kind: tmp_path)
    made = tmp_path / "toy-data"
    made.mkdir()
    (made / "a.csv").write_bytes(b"1,2\n3,4\n")
    (made / "PROVENANCE.toml").write_text(PROVENANCE + RECORD.format(hashlib.sha256(b"1,2\n3,4\n").hexdigest()))
    return FolderCase(name="toy", kind="datasets", folder=made)


def test_broken_folders_fail_by_the_right_check(folder):
    facts = folder.folder / "PROVENANCE.toml"
    sound = facts.read_text()
    assert failures(folder, FOLDER_CHECKS) == set()
    facts.write_text(sound.replace('licence = "x"', ""))
    assert failures(folder, FOLDER_CHECKS) == {"provenance_is_complete"}
    facts.write_text(sound.replace("rows = 2", "rows = 3"))
    assert failures(folder, FOLDER_CHECKS) == {"shape_is_the_stated_one"}
    facts.write_text(sound)
    (folder.folder / "b.csv").write_text("unrecorded")
    assert failures(folder, FOLDER_CHECKS) == {"files_are_the_recorded_ones"}


SHARED = np.eye(3, dtype=np.int8)


@pytest.mark.parametrize(
    ("make", "broken"),
    [
        (lambda random_state=None: (np.random.default_rng(random_state).integers(0, 2, (9, 9)), None), set()),
        (
            lambda random_state=None: (2 * np.random.default_rng(random_state).integers(0, 2, (9, 9)) - 1, None),
            {"gives_rows_and_labels"},
        ),
        (
            lambda random_state=None: (np.random.default_rng().integers(0, 2, (9, 9)), None),
            {"maker_repeats_with_its_seed"},
        ),
        (lambda: (SHARED, None), {"what_is_given_may_be_changed"}),
    ],
)
def test_broken_makers_fail_by_the_right_check(make, broken):
    found = failures(LoaderCase(name="toy", make=make), LOADER_CHECKS)
    assert found >= broken
    assert bool(found) == bool(broken)


def test_broken_embeddings_fail_by_the_right_check():
    def row(chains, shape="46 chains, 206 qubits, longest chain 5"):
        return EmbeddingCase(
            name="toy", make=lambda: MinorEmbedding(tuple(chains)), source="K46", target="zephyr-12", shape=shape
        )

    chains = load_embedding("zephyr-12").chains
    every = {check.__name__.removeprefix("check_") for check in EMBEDDING_CHECKS}
    assert failures(row(chains), EMBEDDING_CHECKS) == set()
    assert failures(row(chains, "46 chains, 207 qubits"), EMBEDDING_CHECKS) == {"embedding_has_the_stated_shape"}
    assert failures(row([*chains[:45], chains[45][:1]]), EMBEDDING_CHECKS) == every - {
        "first_chains_are_a_smaller_clique"
    }
    assert "first_chains_are_a_smaller_clique" in failures(row([chains[0][:1], *chains[1:]]), EMBEDDING_CHECKS)


def test_uniforms_move_each_stream_on_by_one():
    streams = streams_from_seed(3, 4)
    first, second = uniforms(streams), uniforms(streams)
    again = streams_from_seed(3, 2)
    np.testing.assert_array_equal(uniforms(again), first[:2])
    assert (first != second).all()
    assert ((first >= 0) & (first < 1)).all()
    np.testing.assert_array_equal(uniforms(streams_from_seed(3, 4), 2), np.column_stack([first, second]))


def test_an_annealer_that_claims_nothing_passes():
    assert failures(SamplerCase(name="anneal", make=SimulatedAnnealingSampler), SAMPLER_CHECKS) == set()
