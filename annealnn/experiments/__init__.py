"""The jobs that the commands run, callable from Python."""

from annealnn.experiments._all_digits import AllDigitsJob, AllDigitsResult, run_all_digits
from annealnn.experiments._benchmark import (
    BenchmarkJob,
    BenchmarkPart,
    BenchmarkResult,
    report_benchmark,
    run_benchmark,
)
from annealnn.experiments._flagship import flagship
from annealnn.experiments._job import OptDigitsJob, Processor
from annealnn.experiments._measure import DecodedQuality, embedded_misses, measure_embedded
from annealnn.experiments._optdigits import plan_optdigits, run_optdigits

__all__ = [
    "AllDigitsJob",
    "AllDigitsResult",
    "BenchmarkJob",
    "BenchmarkPart",
    "BenchmarkResult",
    "DecodedQuality",
    "OptDigitsJob",
    "Processor",
    "embedded_misses",
    "flagship",
    "measure_embedded",
    "plan_optdigits",
    "report_benchmark",
    "run_all_digits",
    "run_benchmark",
    "run_optdigits",
]
