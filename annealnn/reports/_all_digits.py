"""The report of the comparison on all ten digits."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from annealnn.reports import _figures as draw
from annealnn.reports._page import write_page


def write_all_digits_report(result: Any) -> Path:
    """Write the report of an `AllDigitsResult` to its job's folder; return the page's path."""
    sheets = {"real (test file)": result.real}
    sheets |= {name: np.array(scored.drawn, dtype=np.int8) for name, scored in result.chosen.items()}
    figures = {"scores": _scores(result), "digits": _digits(sheets)}
    return write_page(result.job.out, "all_digits.html.j2", figures, result=result)


def _scores(result: Any) -> Figure:
    """Draw test log-likelihood and accuracy of every contestant, ours in blue, rivals in orange."""
    order = sorted(result.chosen, key=lambda name: result.chosen[name].accuracy.value)
    figure = Figure(figsize=(10, 0.42 * len(order) + 1.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for k, name in enumerate(order):
        scored, color = result.chosen[name], draw.BLUE if name in result.ours else draw.ORANGE
        if scored.log_likelihood is not None:
            left.errorbar(scored.log_likelihood.value, k, xerr=scored.log_likelihood.standard_error, fmt="o", c=color)
        right.errorbar(scored.accuracy.value, k, xerr=scored.accuracy.standard_error, fmt="o", c=color)
    left.set(yticks=range(len(order)), yticklabels=order, xlabel="nats per row", title="Log-likelihood, test")
    right.set(xlabel="fraction of rows", title="Accuracy, test")
    for ax in (left, right):
        ax.grid(axis="x", lw=0.4, color="#dddddd")
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _digits(sheets: Any) -> Figure:
    rows = -(-len(sheets) // 4)
    figure = Figure(figsize=(10, 2.0 * rows), layout="constrained")
    axes = figure.subplots(rows, 4).reshape(-1)
    for ax in axes:
        ax.set_axis_off()
    for ax, (title, bits) in zip(axes, sheets.items(), strict=False):
        ax.imshow(draw.sheet_of(bits, (8, 8)))
        ax.set_title(title, fontsize=8)
    return figure
