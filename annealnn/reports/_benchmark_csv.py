"""The tables of a benchmark as CSV. A time that was invented is marked SIMULATED in each."""

import csv
import io
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from annealnn.benchmark._analysis import Analysis
from annealnn.benchmark._canonical import canonical
from annealnn.benchmark._instance import InstanceSpec
from annealnn.benchmark.statistics._interval import Interval
from annealnn.reports._benchmark_tables import MARK


def csv_tables(analysis: Analysis) -> dict[str, str]:
    """Return every table of an analysis that is not empty as CSV, by name.

    An interval is four columns, arrays are joined by semicolons; both are rounded to six significant digits. The first
    column says SIMULATED where the times of the row's contestant, or reference, were invented.
    """
    invented = {row.label for row in analysis.contestants if row.simulated}
    tables = {}
    for part in fields(analysis):
        rows = getattr(analysis, part.name)
        if isinstance(rows, tuple) and rows and is_dataclass(rows[0]):
            tables[part.name] = _csv(rows, invented)
    return tables


def _csv(rows: Iterable[Any], invented: set[str]) -> str:
    buffer = io.StringIO()
    writer = None
    for row in rows:
        who = {getattr(row, name, None) for name in ("label", "contestant", "reference")}
        told: dict[str, Any] = {"marked": MARK if who & invented or getattr(row, "simulated", False) else ""}
        for part in fields(row):
            told |= _cells(part.name, getattr(row, part.name), optional="Interval" in str(part.type))
        if writer is None:
            writer = csv.DictWriter(buffer, told, lineterminator="\n")
            writer.writeheader()
        writer.writerow(told)
    return buffer.getvalue()


def _cells(name: str, value: Any, *, optional: bool) -> dict[str, Any]:
    if isinstance(value, Interval) or (optional and value is None):
        parts: Any = ("", "", "", "") if value is None else (*map(_rounded, value[:3]), value.is_bound)
        return dict(zip((name, f"{name}_low", f"{name}_high", f"{name}_is_bound"), parts, strict=True))
    if isinstance(value, InstanceSpec):
        return {"family": value.family, "instance_size": value.size, "seed": value.seed}
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    if isinstance(value, dict):
        return {name: canonical(value)}
    if isinstance(value, tuple | np.ndarray):
        return {name: ";".join(str(_rounded(each)) for each in value)}
    return {name: "" if value is None else value}


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
