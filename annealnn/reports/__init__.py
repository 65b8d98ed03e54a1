"""Figures and self-contained pages."""

from annealnn.reports._all_digits import write_all_digits_report
from annealnn.reports._benchmark import write_benchmark_report
from annealnn.reports._embedding import embedding_figure
from annealnn.reports._optdigits import write_optdigits_report
from annealnn.reports._page import format_estimate, write_figure

__all__ = [
    "embedding_figure",
    "format_estimate",
    "write_all_digits_report",
    "write_benchmark_report",
    "write_figure",
    "write_optdigits_report",
]
