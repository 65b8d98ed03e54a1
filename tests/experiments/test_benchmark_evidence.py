"""The evidence of the benchmark, in small: it passes what is right, and would miss what is wrong."""

from dataclasses import replace

import pytest

from annealnn.benchmark import InstanceSpec
from annealnn.benchmark.families import build_instance, certify
from annealnn.experiments import benchmark
from annealnn.experiments.benchmark import QUICK, SMALL, lowest_energy, optimum_rows, pitfall_rows, weak_strong_rows


def test_the_weak_strong_pair_has_its_published_energies_and_gap():
    assert [row.good for row in weak_strong_rows()] == [True, True, True]


@pytest.fixture
def two_families(monkeypatch):
    """One planted, one proven."""
    chosen = tuple(row for row in SMALL if row[0] in ("wishart", "sherrington-kirkpatrick"))
    monkeypatch.setattr(benchmark, "SMALL", chosen)


def test_optima_are_lowest_and_wrong_ones_are_caught(two_families):
    assert [row.good for row in optimum_rows(2)] == [True, True]


def test_optima_that_are_not_lowest_are_missed(two_families, monkeypatch):
    def too_high(instance):
        found = certify(instance)
        return replace(found, energy=found.energy + 0.5)

    monkeypatch.setattr(benchmark, "certify", too_high)
    assert [row.good for row in optimum_rows(1)] == [False, False]


def test_a_check_that_lets_wrong_plantings_pass_is_missed(two_families, monkeypatch):
    def credulous(instance):
        return instance.optimum or certify(instance)

    monkeypatch.setattr(benchmark, "certify", credulous)
    assert [row.good for row in optimum_rows(1)] == [False, False]


@pytest.mark.parametrize(("family", "size", "options"), SMALL, ids=[f"{row[0]}-{k}" for k, row in enumerate(SMALL)])
def test_exact_solvers_find_what_is_certified(family, size, options):
    instance = build_instance(InstanceSpec(family=family, size=size, seed=100, options=options))
    assert lowest_energy(instance.model)[0] == pytest.approx(certify(instance).energy, abs=1e-9)


def test_a_fixed_anneal_fakes_a_speed_up_and_an_optimised_one_does_not(tmp_path):
    rows = pitfall_rows(tmp_path, QUICK._replace(pitfall_instances=5))
    assert [row.good for row in rows] == [None, True, None, True, True]
