"""An analysis that has something in every table; times of its processor are invented."""

import numpy as np
import pytest

from annealnn.benchmark import _analysis as tables
from annealnn.benchmark._contestant import TimeSplit
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark._verdict import verdict
from annealnn.benchmark.statistics._interval import Interval
from annealnn.reports import write_benchmark_report

SIZES = (2, 3, 4)
QUANTILES = (0.5, 0.9, 0.99)
LABELS = ("chip", "SA", "tabu")
GROUP = "ran(graph=chimera)"
EFFORTS = (10.0, 30.0, 100.0)
INF = float("inf")


def near(value, share=0.3):
    return Interval(value, value * (1 - share), value * (1 + share))


def of(size):
    return {"group": GROUP, "size": size, "num_variables": 8.0 * size**2}


def contestant(label, *, simulated):
    return tables.ContestantRow(
        label=label,
        name={"chip": "standin", "SA": "neal"}.get(label, label),
        settings={"beta": 2.0} if simulated else {},
        versions=("1.0",),
        hardware={
            "name": "a simulated chip" if simulated else "a CPU",
            "kind": "qpu" if simulated else "cpu",
            "num_cores": 1,
            "num_qubits": 128 if simulated else None,
            "simulated": simulated,
        },
        effort_name="" if label == "tabu" else "annealing_time_us" if simulated else "num_sweeps",
        power_w=10.0 if label == "SA" else None,
        simulated=simulated,
        num_tasks=20,
        num_done=19,
    )


def timed(label, size, scale, simulated, clock, policy, epsilon, quantile):
    lost = label == "SA" and size == 4 and quantile == 0.99
    return tables.TimeRow(
        **of(size),
        contestant=label,
        clock=clock,
        policy=policy,
        epsilon=epsilon,
        quantile=quantile,
        effort=None if label == "tabu" else 30.0,
        time=Interval(scale, scale, INF, True) if lost else near(scale),
        lower_edge=0.2 if label == "chip" else float("nan") if label == "tabu" else 0.0,
        upper_edge=0.0,
        optimism=1.02,
        num_instances=10,
        num_unsolved=int(lost),
        num_reads=1000,
        simulated=simulated,
    )


def analysis(*, simulated=True):
    """Return the analysis; its processor's times are invented, or not."""
    rows = {name: [] for name in ("times", "efforts", "speedups", "scalings", "splits", "overlaps", "residuals")}
    for k, label in enumerate(LABELS):
        invented = simulated and label == "chip"
        for size in SIZES:
            scale = 1e-4 * 10.0**k * size**2
            for quantile in QUANTILES:
                grid = [(clock, "optimised", 0.0) for clock in ("annealing", "service", "wall")]
                for what in [*grid, ("annealing", "fixed", 0.0), ("annealing", "optimised", 0.01)]:
                    rows["times"].append(timed(label, size, scale * (1 + quantile), invented, *what, quantile))
            who = {**of(size), "contestant": label}
            for effort in (None,) if label == "tabu" else EFFORTS:
                cost = scale * (1 if effort is None else 0.5 * (effort / 30 + 30 / effort))
                rows["efforts"].append(
                    tables.EffortRow(
                        **who,
                        clock="annealing",
                        epsilon=0.0,
                        quantile=0.5,
                        effort=effort,
                        time=near(cost),
                        success=near(0.5),
                        time_per_read=cost / 7,
                        num_instances=10,
                        num_unsolved=0,
                        num_reads=1000,
                        simulated=invented,
                    )
                )
                rows["residuals"].append(
                    tables.ResidualRow(
                        **who, effort=effort, residual=near(1 / (effort or 1)), num_instances=10, certified=True
                    )
                )
                split = TimeSplit(1e-3, 2e-3 if label == "chip" else 0.0, 1e-3, cost / 7, 1e-4, 0.0)
                rows["splits"].append(
                    tables.SplitRow(**who, effort=effort, split=split, num_cores=1, num_reads=1000, simulated=invented)
                )
            density = np.array([0.2, 0.3, 0.3, 0.2]) * 2
            rows["overlaps"].append(
                tables.OverlapRow(
                    **who,
                    effort=effort,
                    edges=np.linspace(-1, 1, 5),
                    density=density,
                    low=density - 0.1,
                    high=density + 0.1,
                    binder=Interval(0.4, 0.3, 0.5),
                    num_instances=10,
                    num_pairs=500,
                )
            )
            if label != "chip":
                rows["speedups"] += [
                    tables.SpeedupRow(
                        **of(size),
                        reference=label,
                        contestant="chip",
                        clock="annealing",
                        policy="optimised",
                        epsilon=0.0,
                        quantile=quantile,
                        kind=kind,
                        ratio=near(10.0**k * size, 0.1),
                        bound="none",
                        num_instances=10,
                        at_lower_edge=(),
                        simulated=simulated,
                    )
                    for quantile in QUANTILES
                    for kind in ("ratio of quantiles", "quantile of ratios")
                ]
        fit = {"clock": "annealing", "policy": "optimised", "epsilon": 0.0, "quantile": 0.5, "sizes": SIZES}
        rows["scalings"] += [
            tables.ScalingRow(
                group=GROUP,
                contestant=label,
                **fit,
                form=form,
                exponent=near(1.0),
                prefactor=near(1e-4 * 10.0**k / 6),
                excess=excess,
                misfit=0.5,
                left_out=(),
                at_lower_edge=(),
                simulated=invented,
            )
            for form, excess in (("power", 0.0), ("exponential", 7.0))
        ]
    spec = InstanceSpec(family="ran", size=4, options={"graph": "chimera"})
    small = {"group": "lattice", "contestant": "SA", "size": 3, "num_variables": 9.0, "effort": 30.0}
    quality = {
        name: value
        for measure in ("kl", "total_variation", "worst_mean", "worst_correlation")
        for name, value in ((measure, near(0.02)), (f"{measure}_floor", 0.01))
    }
    return tables.Analysis(
        groups=(GROUP, "lattice"),
        contestants=tuple(contestant(label, simulated=simulated and label == "chip") for label in LABELS),
        sizes={GROUP: SIZES, "lattice": (3,)},
        quantiles=QUANTILES,
        target=0.99,
        epsilons=(0.0, 0.01),
        seed=0,
        num_resamples=1000,
        optima=(
            tables.OptimumRow(
                instance=spec, group=GROUP, size=4, num_variables=128, energy=-9.0, proof="agreement", solvers=("SA",)
            ),
        ),
        proofs={GROUP: {"agreement": 1}},
        **{name: tuple(each) for name, each in rows.items()},
        joules=(
            tables.JouleRow(
                **of(4), contestant="SA", quantile=0.5, power_w=10.0, joules=near(0.02), simulated=False
            ),
        ),
        residual_fits=(
            tables.ResidualFitRow(**of(4), contestant="SA", kappa=near(0.4), efforts=EFFORTS, misfit=1.0),
        ),
        betas=(tables.BetaRow(**small, local=near(1.1), overall=None, num_instances=3),),
        qualities=(
            tables.QualityRow(
                **small, matched="global", beta=1.1, num_reads=1000, kl_corrected=near(0.01), num_instances=3, **quality
            ),
        ),
        valleys=tuple(
            tables.ValleyRow(
                instance=spec,
                group=GROUP,
                size=4,
                contestant=label,
                effort=30.0,
                num_reads=1000,
                found=near(3),
                num_missed_by_others=1.0,
                num_missed=0.5,
                lowest=-9.0,
                energies=(-9.0, -8.5, -8.0),
                unique_energies=(-8.0,),
            )
            for label in ("chip", "SA")
        ),
        trainings=(
            tables.TrainingRow(
                instance=InstanceSpec(family="bars-and-stripes", size=3),
                group="bars-and-stripes",
                contestant="SA",
                effort=30.0,
                log_likelihood=Interval(-3.2, -3.4, -3.0),
                untrained=-6.2,
                exact=-3.1,
                num_samples=10_000,
                num_seeds=3,
            ),
        ),
        failures=(
            tables.FailureRow(
                key="k", kind="sample", instance=spec, contestant="tabu", effort=None, status="timed out",
                message="<b>it took longer than 600 s</b>",
            ),
        ),
        contradictions=(
            tables.ContradictionRow(
                instance=spec, contestant="SA", energy=-10.0, certified_energy=-9.0, proof="planted"
            ),
        ),
        notes=("A note on the statistics.",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def simulated_analysis():
    return analysis()


@pytest.fixture(scope="session")
def measured_analysis():
    return analysis(simulated=False)


@pytest.fixture(scope="session")
def simulated_page(tmp_path_factory, simulated_analysis):
    """The folder of the analysis' page."""
    folder = tmp_path_factory.mktemp("page")
    write_benchmark_report(simulated_analysis, verdict(simulated_analysis), folder, facts={"reads": "100"})
    return folder
