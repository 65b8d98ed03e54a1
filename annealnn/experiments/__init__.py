"""The jobs that the commands run, callable from Python."""

from annealnn.experiments._all_digits import AllDigitsJob, AllDigitsResult, run_all_digits
from annealnn.experiments._job import OptDigitsJob, Processor
from annealnn.experiments._measure import DecodedQuality, embedded_misses, measure_embedded
from annealnn.experiments._optdigits import plan_optdigits, run_optdigits

__all__ = [
    "AllDigitsJob",
    "AllDigitsResult",
    "DecodedQuality",
    "OptDigitsJob",
    "Processor",
    "embedded_misses",
    "measure_embedded",
    "plan_optdigits",
    "run_all_digits",
    "run_optdigits",
]
