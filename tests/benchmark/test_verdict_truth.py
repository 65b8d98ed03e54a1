"""Verdicts on contestants whose scaling is known, from records on: what is there is seen, what is faked is not."""

from dataclasses import replace

import pytest

from annealnn.benchmark._analyse import analyse
from annealnn.benchmark._contestant import ContestantSpec, Hardware
from annealnn.benchmark._verdict import verdict
from annealnn.benchmark.statistics import synthetic

CHIP = Hardware(name="chip", kind="qpu", num_qubits=2048)
CPU = Hardware(name="a CPU")


def records(name, hardware, **truth):
    """Return records of a contestant that goes by a registry's name."""
    spec = ContestantSpec(name=name)
    return [
        record if record.task.contestant is None else replace(record, task=replace(record.task, contestant=spec))
        for record in synthetic(label=name, hardware=hardware, seed=1, spread=0.5, num_reads=200, **truth)
    ]


def analysed(*entrants):
    """Return the analysis of several contestants' records, of what a verdict reads."""
    joined = [record for entrant in entrants for record in entrant]
    return analyse(joined, quantiles=(0.5, 0.9), epsilons=(0.0,), clocks=("annealing",), num_resamples=200, seed=2)


def verdict_on(*entrants):
    return verdict(analysed(*entrants))


@pytest.fixture(scope="module")
def annealing():
    return records("neal", CPU, exponent=2.0, prefactor=0.4)


def test_better_scaling_is_seen(annealing):
    chip = records("qpu", CHIP, exponent=0.5, prefactor=30.0, unit_s=1e-8)
    assert verdict_on(chip, annealing).category == "limited"
    tabu = records("tabu", CPU, exponent=2.0, prefactor=0.4)
    assert verdict_on(chip, annealing, tabu).category == "potential"


def test_running_all_variables_at_once_is_no_better_scaling(annealing):
    # as of N copies of the rival's core: the ratio of times grows as N, and divided by N does not
    chip = records("qpu", CHIP, exponent=1.0, prefactor=4.0, unit_s=1e-8)
    table = analysed(chip, annealing)
    ratios = [
        row.ratio.value
        for row in table.speedups
        if (row.policy, row.quantile, row.kind) == ("optimised", 0.5, "ratio of quantiles")
    ]
    assert ratios[-1] > 5 * ratios[0]
    found = verdict(table)
    assert found.category == "none"
    assert any("no more than a processor gains in running N variables at once" in reason for reason in found.reasons)
    # the same at N / N_max of a chip that copies fill
    filled = analyse([*chip, *annealing], quantiles=(0.5,), clocks=("annealing",), parallel=True, num_resamples=200)
    assert verdict(filled).category == "none"


def test_a_constant_factor_is_none(annealing):
    found = verdict_on(records("qpu", CHIP, exponent=2.0, prefactor=0.4, unit_s=1e-8), annealing)
    assert found.category == "none"
    assert any("constant factor" in reason for reason in found.reasons)


def test_a_slower_processor_is_none(annealing):
    found = verdict_on(records("qpu", CHIP, exponent=2.0, prefactor=0.4, unit_s=1e-5), annealing)
    assert found.category == "none"
    assert any("slower" in reason for reason in found.reasons)


def test_anneals_that_cannot_be_short_fake_nothing(annealing):
    # the same scaling but for N at once. No anneal is shorter than 64 units: small sizes take too long, and the curve
    # is flat
    late = records("qpu", CHIP, exponent=1.0, unit_s=1e-7, efforts=(64.0, 128.0, 256.0, 512.0))
    table = analysed(late, annealing)
    faked = [
        row
        for row in table.relative_scalings
        if (row.reference, row.contestant, row.clock, row.policy, row.epsilon, row.quantile)
        == ("neal", "qpu", "annealing", "optimised", 0.0, 0.5)
    ]
    assert any(row.form == "power" and row.difference.low > 0 and "qpu" in row.at_lower_edge for row in faked)
    assert verdict(table).category in ("none", "inconclusive")


def test_the_same_figures_of_a_simulated_chip_are_none(annealing):
    found = verdict_on(records("standin", replace(CHIP, simulated=True), exponent=1.0, prefactor=0.4), annealing)
    assert found.category == "none"
    assert found.text == "None: no processor was measured."
