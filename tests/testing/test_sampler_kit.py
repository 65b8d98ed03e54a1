"""Tests of the tests: a sampler that is broken on purpose fails the kit, by the check that is about it."""

import subprocess
import sys

import dimod
import numpy as np
import pytest

from annealnn._rng import resolve_seed
from annealnn.exceptions import UnknownSamplerError
from annealnn.samplers import AnnealSampler, GibbsSampler, SimulatedAnnealingSampler
from annealnn.testing import SAMPLER_CHECKS, SamplerCase, parametrize
from annealnn.testing._cases import discover, failing
from annealnn.testing._estimators import estimator_cases
from annealnn.testing._ocean import EXCUSED, KEYWORDS, KNOWN_FAILURES, MAKERS
from annealnn.testing._sampler_checks import STEEP
from annealnn.testing._samplers import OCEAN, ocean_samplers, own_samplers, sampler_cases


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


class IgnoresBeta(Base):
    def sample(self, bqm, *, num_reads=1, beta=1.0, seed=None, num_threads=None, **kwargs):
        GibbsSampler().sample(bqm, beta=beta)
        return super().sample(bqm, num_reads=num_reads, seed=seed, num_threads=num_threads, **kwargs)


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
        (SharedPairs, {"reads_are_independent"}),
        (StreamsByThread, {"threads_do_not_show"}),
        (StreamsByCount, {"more_reads_keep_the_earlier_ones"}),
        (LyingParameters, {"parameters_equal_the_signature"}),
        (ForgetsItsSeed, {"seeds_replay"}),
        (NumpyInfo, {"info"}),
        (TooCold, {"bad_values_are_refused", "boltzmann_where_claimed"}),
        (IgnoresBeta, {"boltzmann_where_claimed"}),
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
    found = failing(SamplerCase(name=cls.__name__, make=cls), SAMPLER_CHECKS)
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
def test_an_excused_sampler_takes_no_ordinary_problem(name, monkeypatch, tmp_path):
    _, says = EXCUSED[name]
    (tmp_path / "dwave.conf").touch()
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(tmp_path / "dwave.conf"))
    monkeypatch.delenv("DWAVE_API_TOKEN", raising=False)
    (cls,) = (cls for cls in discover(dimod.Sampler, OCEAN) if cls.__name__ == name)
    with pytest.raises(
        (ValueError, TypeError, AttributeError, NotImplementedError, DeprecationWarning), match=says or None
    ):
        (cls(GibbsSampler()) if issubclass(cls, dimod.Composite) else cls()).sample(STEEP)


def test_a_known_failure_names_a_check():
    with pytest.raises(ValueError, match="mine names 'check_nothing'"):
        parametrize([SamplerCase(name="mine", make=Base, known_failures={"check_nothing": "x"})], SAMPLER_CHECKS)


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


def test_an_annealer_that_claims_nothing_passes():
    assert failing(SamplerCase(name="anneal", make=SimulatedAnnealingSampler), SAMPLER_CHECKS) == set()
