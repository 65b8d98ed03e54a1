"""Measure the way to a processor on a SIMULATED one, and print it beside its targets.

Run with `python -m annealnn.experiments.qpu [--quick] [--out FOLDER]`. D-Wave's own client, unmodified, speaks over
HTTP to a stand-in on this machine; no account is needed, and none is used. The journals are left in the folder.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dimod
import numpy as np
from scipy.stats import chi2

from annealnn.diagnostics import ValueWithError
from annealnn.experiments._overhead import Overhead
from annealnn.experiments._rehearsal import rehearsal
from annealnn.experiments._rows import Row, folder_or_temporary, print_rows, say_line
from annealnn.experiments._standin_digits import Learned, StandInDigitsJob, StandInDigitsResult, run_standin_digits
from annealnn.models import IsingModel
from annealnn.models._exact import basis_numbers
from annealnn.qpu import QuenchPlan, estimate_gamma, plan_quench
from annealnn.registry import SamplerSpec
from annealnn.standin import AnnealPhysics, PathIntegralPhysics, Physics, StandIn, ThermalPhysics, simulated_scales

HIDDEN_BETA = 1.7
TEMPERATURE_MK = 18.0
WITHIN = 0.03
FALSE_ALARM = 1e-6
QUICK = StandInDigitsJob(target="zephyr-6", n_iter=16, num_gauges=4, num_gauges_read=10)
_FEW = 20.0


def main() -> None:
    """Print the table; exit with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that all of it runs")
    parser.add_argument("--out", type=Path, default=None, help="folder of the journals; a temporary one if left out")
    given = parser.parse_args()
    with folder_or_temporary(given.out) as folder:
        rows = measure(folder, quick=given.quick, say=say_line)
    if not print_rows("The way to a processor, SIMULATED", rows):
        sys.exit(1)


def measure(folder: Path, *, quick: bool = False, say: Callable[[str], None] = print) -> list[Row]:
    """Return all rows; journals are left in `folder`."""
    rows: list[Row] = []
    job = QUICK if quick else StandInDigitsJob()
    parts: list[tuple[str, Callable[[], list[Row]]]] = [
        ("8 spins, and the temperature", lambda: thermal_rows(folder / "thermal", 3_000 if quick else 20_000)),
        ("a quench", lambda: quench_rows(folder / "quench", 2_000 if quick else 20_000)),
        ("OptDigits", lambda: digits_rows(run_standin_digits(job, folder / "digits", say=say), job)),
    ]
    for title, part in parts:
        started = time.monotonic()
        say(f"{title} ...")
        rows += part()
        say(f"  {time.monotonic() - started:.0f} s")
    return rows


# -- small problems ------------------------------------------------------------------------------------------------


def thermal_rows(folder: Path, num_reads: int) -> list[Row]:
    """Return rows of an 8-spin problem's reads, and of the temperatures that Ocean's own functions find."""
    from dwave.system import DWaveSampler
    from dwave.system.temperatures import fast_effective_temperature, maximum_pseudolikelihood_temperature

    with rehearsal(StandIn("zephyr-3", seed=1, physics=ThermalPhysics(beta=HIDDEN_BETA)), folder):
        sampler: Any = SamplerSpec.qpu(experiment="8 spins").open()
        bqm = _problem(sampler, 8)
        reads = sampler.sample(bqm, num_reads=num_reads, seed=1)
        p = _pvalue(reads, bqm, HIDDEN_BETA)
        wrong = _pvalue(reads, bqm, 1.2 * HIDDEN_BETA)
        found, _ = maximum_pseudolikelihood_temperature(bqm, reads)
        theirs = DWaveSampler(failover=False)
        try:
            fast, _ = fast_effective_temperature(theirs, seed=1)
        finally:
            theirs.close()
    rows = [
        Row("8 spins, chi-square against enumeration", f"p > {FALSE_ALARM:g}", f"p = {p:.2g}", p > FALSE_ALARM),
        Row("the same against a beta 20 % off", f"p < {FALSE_ALARM:g}", f"p = {wrong:.2g}", wrong < FALSE_ALARM),
    ]
    for name, temperature in (("maximum_pseudolikelihood", found), ("fast_effective", fast)):
        off = float(temperature) * HIDDEN_BETA - 1
        what = f"{name}_temperature, hidden {1 / HIDDEN_BETA:.4f}"
        rows.append(Row(what, "within 5 %", f"{temperature:.4f}, {off:+.1%}", abs(off) < 0.05))
    return rows


def quench_rows(folder: Path, num_reads: int) -> list[Row]:
    """Return rows of a quantum model's gamma: on a chip that freezes at once, and on one that relaxes further."""
    scales = simulated_scales()
    rows = []
    for name, physics in (
        ("frozen", PathIntegralPhysics(scales=scales, temperature_mk=TEMPERATURE_MK)),
        ("Monte Carlo", AnnealPhysics(dynamics="quantum", scales=scales, temperature_mk=TEMPERATURE_MK)),
    ):
        plan, gamma, beta = achieved(physics, 1.0, folder / name, num_reads if name == "frozen" else num_reads // 10)
        ours = f"gamma {_show(gamma)}, beta {_show(beta)}; s* {plan.s_star:.3f}, scale {plan.scale:.3f}"
        if name == "frozen":
            good = abs(gamma.value - 1) < 5 * gamma.standard_error and abs(beta.value - 1) < 5 * beta.standard_error
            rows.append(Row("quench of gamma = 1, beta = 1, at once", "within 5 errors", ours, good))
        else:
            rows.append(Row(f"quench in {plan.quench_us:.2f} us: what it relaxes to", "", ours))
    return rows


def achieved(
    physics: Physics, gamma: float, folder: Path, num_reads: int
) -> tuple[QuenchPlan, ValueWithError, ValueWithError]:
    """Return the plan of a quench of 6 spins on a simulated chip, and the gamma and beta of its reads."""
    with rehearsal(StandIn("zephyr-2", seed=1, physics=physics), folder):
        plain: Any = SamplerSpec.qpu().open()
        model = IsingModel.from_bqm(_problem(plain, 6, largest=1.0))
        plan = plan_quench(gamma, simulated_scales(), TEMPERATURE_MK, properties=plain.properties, model=model)
        sampler: Any = SamplerSpec.qpu(quench=plan, experiment="quench").open()
        reads = sampler.sample(model.to_bqm(), num_reads=num_reads, seed=2)
    found = estimate_gamma(reads.record.sample[:, [reads.variables.index(v) for v in model.labels]], model)
    return plan, found.gamma, found.beta


def _problem(sampler: Any, num_qubits: int, largest: float = 0.7) -> dimod.BinaryQuadraticModel:
    """Return a connected problem on the first qubits of a chip that hang together, lopsided."""
    graph = sampler.to_networkx_graph()
    first = min(graph)
    nodes = [first]
    while len(nodes) < num_qubits:
        nodes.append(min(q for v in nodes for q in graph[v] if q not in nodes))
    rng = np.random.default_rng(8)
    part = graph.subgraph(nodes)
    fields = {q: rng.uniform(-0.6, 0.6) * largest for q in sorted(part)}
    return dimod.BQM(fields, {edge: rng.uniform(-1, 1) * largest for edge in sorted(part.edges)}, 0.0, "SPIN")


def _pvalue(reads: dimod.SampleSet, bqm: dimod.BinaryQuadraticModel, beta: float) -> float:
    """Return the p-value of reads under the Boltzmann distribution, by a chi-square with rare states together."""
    model = IsingModel.from_bqm(bqm)
    rows = np.repeat(reads.record.sample, reads.record.num_occurrences, axis=0)
    spins = rows[:, [reads.variables.index(v) for v in model.labels]]
    expected = model.exact(beta).probabilities * len(spins)
    observed = np.bincount(basis_numbers(spins), minlength=len(expected))
    rare = expected < _FEW
    cells = [(np.append(values[~rare], values[rare].sum())) for values in (observed, expected)]
    statistic = float(((cells[0] - cells[1]) ** 2 / cells[1]).sum())
    return float(chi2.sf(statistic, df=len(cells[0]) - 1))


# -- OptDigits -----------------------------------------------------------------------------------------------------


def digits_rows(result: StandInDigitsResult, job: StandInDigitsJob) -> list[Row]:
    """Return the rows of OptDigits on the simulated processor."""
    chip = f"{job.target}, {job.dead_share:.0%} dead, noise {job.noise:.0%}"
    rows = [Row("OptDigits, noiseless local run", "", _figures(result.local))]
    rows += _against(result.local, result.whole, f"OptDigits, {chip}")
    changes, n_iter = result.bereft.machine.graph_changes_, result.bereft.machine.n_iter_
    lost = sum(len(change["lost_qubits"]) for change in changes)
    words = "; ".join(
        f"at {change['iteration']} lost {len(change['lost_qubits'])}, embedding {change['method']}, "
        f"{len(change['trimmed_chains'])} chains trimmed, {len(change['moved_chains'])} moved"
        for change in changes
    )
    rows.append(
        Row(
            f"{job.num_deaths} of its qubits die at iteration {job.n_iter // 2}",
            f"it goes on to {job.n_iter}",
            f"{words}; went on to {n_iter}",
            n_iter == job.n_iter and lost == job.num_deaths,
        )
    )
    return rows + _against(result.local, result.bereft, "the same with deaths") + overhead_rows(result.overhead)


def _against(local: Learned, other: Learned, what: str) -> list[Row]:
    rows = [Row(what, "", _figures(other))]
    gaps = {
        "accuracy": abs(other.quality.accuracy.value - local.quality.accuracy.value),
        **dict(zip(("decoded <s_i>", "decoded <s_i s_j>"), other.distance(local), strict=True)),
    }
    return rows + [
        Row(f"  {name}, from the local run", f"within {WITHIN}", f"{gap:.4f}", gap < WITHIN)
        for name, gap in gaps.items()
    ]


def _figures(learned: Learned) -> str:
    q = learned.quality
    return (
        f"accuracy {q.accuracy.value:.3f}, errors of decoded moments {q.field_error.value:.4f} and "
        f"{q.coupling_error.value:.4f}, broken {q.broken_chains.value:.3f}"
    )


def overhead_rows(overhead: Overhead) -> list[Row]:
    """Return what a job took on the client's side, and what it would have been billed."""
    return [
        Row(f"a job's {words}", "", f"{each.value:.2f}+-{each.standard_error:.2f} ms, {total_s:.1f} s in all")
        for words, each, total_s in overhead.table()
    ]


def _show(value: ValueWithError) -> str:
    return f"{value.value:.3f}+-{value.standard_error:.3f}"


if __name__ == "__main__":
    main()
