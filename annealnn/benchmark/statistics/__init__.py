"""What reads say of a contestant: arrays in, estimates with intervals out.

Functions take arrays and draw from the generator that they are given. `synthetic` makes records of a known truth, for
`annealnn.benchmark.analyse`. Public names load on first use.
"""

from typing import TYPE_CHECKING

from annealnn._lazy import attach

if TYPE_CHECKING:  # the same names for type checkers; tests/packaging holds the two lists together
    from annealnn.benchmark.statistics._bootstrap import (
        Optimised,
        Runs,
        Times,
        halves,
        optimise,
        optimism,
        percentile_interval,
        resample_instances,
        resample_runs,
        times_by_effort,
    )
    from annealnn.benchmark.statistics._energy import energy_per_solution
    from annealnn.benchmark.statistics._interval import Interval
    from annealnn.benchmark.statistics._means import mean_interval
    from annealnn.benchmark.statistics._overlap import OverlapStatistics, binder_cumulant, overlap_statistics
    from annealnn.benchmark.statistics._quality import Distances, Quality, Target, kl_bias, sampling_quality
    from annealnn.benchmark.statistics._residual import ResidualFit, fit_kappa, residual_energy
    from annealnn.benchmark.statistics._scaling import ScalingFit, fit_scaling, usable_sizes
    from annealnn.benchmark.statistics._speedup import Speedup, quantile_of_ratios, ratio_of_quantiles
    from annealnn.benchmark.statistics._synthetic import synthetic
    from annealnn.benchmark.statistics._tts import quantile_of_times, runs_to_solution, success_limit, time_to_solution
    from annealnn.benchmark.statistics._valleys import ValleyCount, chance_of_finding, compare_valleys
else:  # hidden from type checkers, for which a module's __getattr__ has every name
    __getattr__, __dir__, _ = attach(
        __name__,
        {
            "Distances": "annealnn.benchmark.statistics._quality",
            "Interval": "annealnn.benchmark.statistics._interval",
            "Optimised": "annealnn.benchmark.statistics._bootstrap",
            "OverlapStatistics": "annealnn.benchmark.statistics._overlap",
            "Quality": "annealnn.benchmark.statistics._quality",
            "ResidualFit": "annealnn.benchmark.statistics._residual",
            "Runs": "annealnn.benchmark.statistics._bootstrap",
            "ScalingFit": "annealnn.benchmark.statistics._scaling",
            "Speedup": "annealnn.benchmark.statistics._speedup",
            "Target": "annealnn.benchmark.statistics._quality",
            "Times": "annealnn.benchmark.statistics._bootstrap",
            "ValleyCount": "annealnn.benchmark.statistics._valleys",
            "binder_cumulant": "annealnn.benchmark.statistics._overlap",
            "chance_of_finding": "annealnn.benchmark.statistics._valleys",
            "compare_valleys": "annealnn.benchmark.statistics._valleys",
            "energy_per_solution": "annealnn.benchmark.statistics._energy",
            "fit_kappa": "annealnn.benchmark.statistics._residual",
            "fit_scaling": "annealnn.benchmark.statistics._scaling",
            "halves": "annealnn.benchmark.statistics._bootstrap",
            "kl_bias": "annealnn.benchmark.statistics._quality",
            "mean_interval": "annealnn.benchmark.statistics._means",
            "optimise": "annealnn.benchmark.statistics._bootstrap",
            "optimism": "annealnn.benchmark.statistics._bootstrap",
            "overlap_statistics": "annealnn.benchmark.statistics._overlap",
            "percentile_interval": "annealnn.benchmark.statistics._bootstrap",
            "quantile_of_ratios": "annealnn.benchmark.statistics._speedup",
            "quantile_of_times": "annealnn.benchmark.statistics._tts",
            "ratio_of_quantiles": "annealnn.benchmark.statistics._speedup",
            "resample_instances": "annealnn.benchmark.statistics._bootstrap",
            "resample_runs": "annealnn.benchmark.statistics._bootstrap",
            "residual_energy": "annealnn.benchmark.statistics._residual",
            "runs_to_solution": "annealnn.benchmark.statistics._tts",
            "sampling_quality": "annealnn.benchmark.statistics._quality",
            "success_limit": "annealnn.benchmark.statistics._tts",
            "synthetic": "annealnn.benchmark.statistics._synthetic",
            "time_to_solution": "annealnn.benchmark.statistics._tts",
            "times_by_effort": "annealnn.benchmark.statistics._bootstrap",
            "usable_sizes": "annealnn.benchmark.statistics._scaling",
        },
    )

__all__ = [
    "Distances",
    "Interval",
    "Optimised",
    "OverlapStatistics",
    "Quality",
    "ResidualFit",
    "Runs",
    "ScalingFit",
    "Speedup",
    "Target",
    "Times",
    "ValleyCount",
    "binder_cumulant",
    "chance_of_finding",
    "compare_valleys",
    "energy_per_solution",
    "fit_kappa",
    "fit_scaling",
    "halves",
    "kl_bias",
    "mean_interval",
    "optimise",
    "optimism",
    "overlap_statistics",
    "percentile_interval",
    "quantile_of_ratios",
    "quantile_of_times",
    "ratio_of_quantiles",
    "resample_instances",
    "resample_runs",
    "residual_energy",
    "runs_to_solution",
    "sampling_quality",
    "success_limit",
    "synthetic",
    "time_to_solution",
    "times_by_effort",
    "usable_sizes",
]
