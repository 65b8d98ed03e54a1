"""What a sampler must do: dimod's contract, and the half of a contract that dimod's asserts do not see.

Each `check_*` takes a `SamplerCase` and raises AssertionError if the rule is broken, or what the sampler itself raises.
Draws have fixed seeds where the sampler takes one; statistical checks raise a false alarm about once in a million runs.
"""

import inspect
import json
import re
import unittest
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import dimod
import numpy as np
from dimod.exceptions import SamplerUnknownArgWarning

from annealnn.testing._cases import checks_of
from annealnn.testing._statistics import FALSE_ALARM, LOPSIDED, boltzmann_pvalue, two_sample_pvalue
from annealnn.typing import AnyArray

# 256 ground states: a sampler that knows only the energy has no reason to prefer one
PAIRS = dimod.BQM({}, {(f"a{k}", f"b{k}"): 1.0 for k in range(8)}, 0.0, "SPIN")
# one ground state, and another one of the negated problem; at beta 1 it is the most frequent state by far
STEEP = dimod.BQM(
    {"a": 2.0, "b": -1.5, "c": 0.0, "d": 1.0, "e": -2.0}, {"ab": -1.5, "bc": 2.0, "cd": -1.0, "ae": 0.5}, 0.0, "SPIN"
)
# eight bits, all coupled, no two alike: slow mixing shows, and so does a swap of spins and bits
FRUSTRATED = dimod.BQM(
    dict(enumerate(np.random.default_rng(0).normal(0, 1, 8))),
    {(i, j): np.random.default_rng([i, j]).normal(0, 2) for j in range(8) for i in range(j)},
    -1.0,
    "BINARY",
)

INFO_KEYS = {"seed", "beta", "gamma", "schedule", "num_sweeps", "timing", "sampler"}
TIMING_KEYS = {"preprocess_s", "sample_s", "postprocess_s"}


@final
@dataclass(frozen=True, kw_only=True)
class SamplerCase:
    """A sampler under test.

    Parameters
    ----------
    name : str
    make : () -> dimod.Sampler
        Gives a new sampler; a class will do.
    keywords : mapping, optional
        Passed to every call of `sample`, to keep checks quick.
    known_failures : {name of a check: reason}, optional
    """

    name: str
    make: Callable[[], dimod.Sampler]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    known_failures: Mapping[str, str] = field(default_factory=dict)

    def sample(self, bqm: dimod.BinaryQuadraticModel, **keywords: Any) -> dimod.SampleSet:
        """Sample a copy, with those keywords that the sampler advertises; its warnings are not this kit's business."""
        sampler = self.make()
        taken = {k: v for k, v in {**self.keywords, **keywords}.items() if k in sampler.parameters}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return sampler.sample(bqm.copy(), **taken)

    def reads(self, bqm: dimod.BinaryQuadraticModel, **keywords: Any) -> AnyArray:
        """Return the reads of `sample`, one to a row, columns in the problem's order."""
        return rows_of(self.sample(bqm, **keywords), bqm)


def rows_of(samples: dimod.SampleSet, bqm: dimod.BinaryQuadraticModel) -> AnyArray:
    """Return a sample set's reads, one to a row, columns in the problem's order."""
    columns = [samples.variables.index(v) for v in bqm.variables]
    return np.repeat(samples.record.sample, samples.record.num_occurrences, axis=0)[:, columns]


def check_dimod_api(case: SamplerCase) -> None:
    """dimod's own asserts hold, and a claimed distribution is one that is known."""
    sampler = case.make()
    dimod.testing.assert_sampler_api(sampler)
    if isinstance(sampler, dimod.Composite):
        dimod.testing.assert_composite_api(sampler)
    claimed = sampler.properties.get("distribution")
    assert claimed in ("boltzmann", None), f"distribution is 'boltzmann' or None; got {claimed!r}"


def check_dimod_problems(case: SamplerCase) -> None:
    """dimod's generated tests pass: 0 to 3 variables, every class of BQM, both forms."""

    def factory() -> dimod.Sampler:
        return case.make()

    tests = dimod.testing.load_sampler_bqm_tests(factory)(type("Generated", (unittest.TestCase,), {}))
    result = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unittest.defaultTestLoader.loadTestsFromTestCase(tests).run(result)
    broken = result.errors + result.failures
    assert result.testsRun >= 32
    assert not broken, f"{len(broken)} of {result.testsRun} of dimod's tests fail; the first:\n{broken[0][1]}"


def check_parameters_equal_the_signature(case: SamplerCase) -> None:
    """`parameters` names what `sample` takes; a composite's may add its child's."""
    sampler = case.make()
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    taken = {p.name for p in list(inspect.signature(sampler.sample).parameters.values())[1:] if p.kind not in variadic}
    advertised = set(sampler.parameters)
    assert taken <= advertised, f"takes {sorted(taken - advertised)} and does not advertise them"
    of_child = set(sampler.child.parameters) if isinstance(sampler, dimod.Composite) else set()
    extra = advertised - taken - of_child
    assert not extra, f"advertises {sorted(extra)} and does not take them"


def check_seeds_replay(case: SamplerCase) -> None:
    """The same seed gives the same reads, `info["seed"]` replays a call without one, another seed gives others."""
    first = case.sample(PAIRS, num_reads=20)
    if "seed" not in case.make().parameters:
        again = case.reads(PAIRS, num_reads=20)
        assert np.array_equal(rows_of(first, PAIRS), again), "takes no seed, and two calls differ"
        assert first.info.get("seed") is None
        return
    seed = first.info.get("seed")
    assert seed is not None, "info has no seed to replay the call with"
    assert np.array_equal(rows_of(first, PAIRS), case.reads(PAIRS, num_reads=20, seed=seed)), "a seed does not replay"
    assert case.sample(PAIRS, num_reads=20).info["seed"] != seed, "two calls without a seed drew the same one"
    other = case.reads(PAIRS, num_reads=20, seed=seed + 1)
    assert not np.array_equal(rows_of(first, PAIRS), other), "another seed gives the same reads"


def check_more_reads_keep_the_earlier_ones(case: SamplerCase) -> None:
    """The first 5 of 50 reads are the 5 reads, where a seed is taken."""
    if "seed" not in case.make().parameters:
        return
    five, fifty = (case.reads(PAIRS, num_reads=n, seed=4) for n in (5, 50))
    assert np.array_equal(five, fifty[: len(five)]), "the reads change when more are asked for"


def check_threads_do_not_show(case: SamplerCase) -> None:
    """1, 2 and 7 threads give the same reads, where their number is taken."""
    if "num_threads" not in case.make().parameters:
        return
    one, two, seven = (case.reads(PAIRS, num_reads=65, seed=3, num_threads=n) for n in (1, 2, 7))
    assert np.array_equal(one, two), "1 and 2 threads give different reads"
    assert np.array_equal(one, seven), "1 and 7 threads give different reads"


def check_relabelling_changes_labels_only(case: SamplerCase) -> None:
    """Other names for the variables, in the same order, give the same columns, where a seed is taken."""
    if "seed" not in case.make().parameters:
        return
    for bqm in (LOPSIDED, PAIRS):
        names = {v: [("z", k), 100 - k, f"{k}"][k % 3] for k, v in enumerate(bqm.variables)}
        renamed = bqm.relabel_variables(names, inplace=False)
        before, after = (case.reads(b, num_reads=30, seed=9) for b in (bqm, renamed))
        assert np.array_equal(before, after), "the reads depend on the names of the variables"


def check_spin_and_binary_forms_agree(case: SamplerCase) -> None:
    """Reads of the two forms of one problem have the same distribution."""
    binary = LOPSIDED.change_vartype("BINARY", inplace=False)
    a = case.reads(LOPSIDED, num_reads=1000, seed=5) > 0
    b = case.reads(binary, num_reads=1000, seed=6) > 0
    p = two_sample_pvalue(a, b)
    assert p > FALSE_ALARM, f"spin and binary forms give different distributions, p = {p:.1e}"


def check_info(case: SamplerCase) -> None:
    """`info` has the package's one shape, and JSON can hold it."""
    info = case.sample(LOPSIDED, num_reads=2, seed=1).info
    assert set(info) >= INFO_KEYS, f"info lacks {sorted(INFO_KEYS - set(info))}"
    assert set(info["timing"]) >= TIMING_KEYS, f"timing lacks {sorted(TIMING_KEYS - set(info['timing']))}"
    assert all(info["timing"][key] >= 0 for key in TIMING_KEYS)
    assert info["beta"] is None or info["beta"] >= 0
    name, known = json.loads(json.dumps(info))["sampler"]["name"], _names(case.make())
    assert name in known, f"info names the sampler {name}; it is {' over '.join(known)}"


def _names(sampler: dimod.Sampler) -> list[str]:
    """Return the names of a sampler and, for a composite, of what it stands over: the one that drew may sign."""
    below = _names(sampler.child) if isinstance(sampler, dimod.Composite) else []
    return [type(sampler).__name__, *below]


def check_boltzmann_where_claimed(case: SamplerCase) -> None:
    """Where `properties["distribution"]` is "boltzmann", reads match enumeration, and no other temperature or sign."""
    if case.make().properties.get("distribution") != "boltzmann":
        return
    for bqm in (LOPSIDED, FRUSTRATED):
        found = case.sample(bqm, num_reads=5_000, beta=0.8, seed=1)
        beta = found.info["beta"]
        assert beta == 0.8 or "beta" not in case.make().parameters, f"asked for beta 0.8, info says {beta}"
        p = boltzmann_pvalue(found, bqm, beta)
        assert p > FALSE_ALARM, f"claims a Boltzmann distribution at beta {beta}; p = {p:.1e}"
        # these must fail, or the check above could not see anything
        assert boltzmann_pvalue(found, bqm, 1.25 * beta) < FALSE_ALARM, "reads agree with another temperature too"
        assert boltzmann_pvalue(found, bqm * -1, beta) < FALSE_ALARM, "reads agree with the opposite sign too"


def check_reads_follow_the_problem(case: SamplerCase) -> None:
    """The most frequent read is the ground state, of a steep problem and of its negative."""
    for bqm in (STEEP, STEEP * -1):
        (ground,) = rows_of(dimod.ExactSolver().sample(bqm).truncate(1), bqm).tolist()
        counts = Counter(map(tuple, case.reads(bqm, num_reads=200, seed=2).tolist()))
        (most, _), *others = counts.most_common(2)
        # by a margin, so that a sampler that guesses does not pass by chance
        assert not others or others[0][1] + 20 <= counts[most], "no read is clearly the most frequent"
        assert most == tuple(ground), f"the most frequent read is {most}, the ground state {tuple(ground)}"


def check_reads_are_independent(case: SamplerCase) -> None:
    """Reads of a problem with 256 ground states are spread over them.

    60 draws from 256 states have 53.5 +- 2.4 distinct ones; two reads to a stream would leave 30.
    """
    rows = case.reads(PAIRS, num_reads=60, seed=8)
    assert len(rows) >= 60, f"asked for 60 reads; got {len(rows)}"
    distinct = len(np.unique(rows, axis=0))
    assert distinct >= 40, f"60 reads of a problem with 256 ground states are {distinct} different ones"


def check_edge_problems(case: SamplerCase) -> None:
    """Zero and one variable, no couplings, isolated variables, tuple and integer labels, in both forms."""
    problems: list[tuple[dict[Any, float], dict[Any, float]]] = [
        ({}, {}),
        ({"a": 1.0}, {}),
        ({"a": 0.0}, {}),
        ({0: 0.0, 5: 1.0, 9: -1.0}, {}),
        ({("x", 1): 1.0, ("x", 2): 0.0, "alone": 0.5}, {(("x", 1), ("x", 2)): 1.0}),
        ({"a": 1.0, "b": 0.0}, {"ab": 0.0}),
    ]
    for vartype in ("SPIN", "BINARY"):
        for linear, quadratic in problems:
            bqm = dimod.BQM(linear, quadratic, 0.5, vartype)
            try:
                found = case.sample(bqm, num_reads=3, seed=0)
            except Exception as error:
                msg = f"{bqm} cannot be sampled: {type(error).__name__}: {error}"
                raise AssertionError(msg) from error
            dimod.testing.assert_sampleset_energies(found, bqm)
            assert set(found.variables) == set(bqm.variables)
            assert found.vartype is bqm.vartype
            if bqm.num_variables and "num_reads" in case.make().parameters:
                assert found.record.num_occurrences.sum() == 3, f"asked for 3 reads of {bqm}"


def check_bad_values_are_refused(case: SamplerCase) -> None:
    """No reads, no sweeps, half a sweep, a negative beta or seed: a ValueError that names the keyword and the value."""
    values = {"num_reads": (0, 1.5), "num_sweeps": (0, -3, 2.5), "beta": (-1.0, float("nan")), "seed": (-1, 0.5)}
    for keyword, bad in values.items():
        for value in bad if keyword in case.make().parameters else ():
            said = ""
            try:
                case.sample(LOPSIDED, **{keyword: value})
            except ValueError as error:
                said = str(error)
            assert said, f"{keyword}={value} is taken"
            assert keyword in said, f"the error for {keyword}={value} does not name the keyword: {said}"
            assert re.search(rf"(?<![\d.]){re.escape(str(value))}(?![\d.])", said), (
                f"the error for {keyword}={value} does not name the value: {said}"
            )


def check_unknown_keyword_warns(case: SamplerCase) -> None:
    """A keyword that is not known is dropped with dimod's warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        case.make().sample(LOPSIDED, flux_capacitor=1)
    said = [w for w in caught if issubclass(w.category, SamplerUnknownArgWarning)]
    assert any("flux_capacitor" in str(w.message) for w in said), "an unknown keyword passes without a warning"


def check_problem_is_left_alone(case: SamplerCase) -> None:
    """Sampling does not change the problem."""
    for vartype in ("SPIN", "BINARY"):
        bqm = LOPSIDED.change_vartype(vartype, inplace=False)
        before = bqm.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case.make().sample(bqm)
        assert bqm == before, "the problem that was given is another one after sampling"
        assert bqm.vartype is before.vartype


SAMPLER_CHECKS = checks_of(globals())
