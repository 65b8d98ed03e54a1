"""Figures of the OptDigits job. Each function returns a matplotlib Figure; none touches global state."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from sklearn.metrics import ConfusionMatrixDisplay

from annealnn.typing import AnyArray, Bits

INK, BLUE, ORANGE, GREEN, GREY = "#222222", "#0072b2", "#d55e00", "#009e73", "#999999"
_TINT = (0.85, 0.47, 0.30)


def learning_curves(
    steps: Mapping[str, Sequence[float]],
    monitored: Sequence[Mapping[str, float]],
    test: float,
    baselines: Mapping[str, float],
) -> Figure:
    """Draw moment errors and training log-likelihood by iteration; the test log-likelihood at the end; baselines."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(steps["iteration"], steps["coupling_error"], color=BLUE, lw=0.8, label=r"$\langle s_i s_j\rangle$")
    left.semilogy(steps["iteration"], steps["field_error"], color=ORANGE, lw=0.8, label=r"$\langle s_i\rangle$")
    left.set(xlabel="iteration", ylabel="mean |data - particles|", title="Moments")
    left.legend(frameon=False)
    _plain_ticks(left)
    at = [row["iteration"] for row in monitored]
    train, errors = [row["train"] for row in monitored], [row["standard_error"] for row in monitored]
    right.errorbar(at, train, errors, color=GREY, marker="o", ms=3, label="train")
    right.plot(steps["iteration"][-1], test, color=BLUE, marker="D", ls="", label="test, scored once")
    for name, value in baselines.items():
        right.axhline(value, color=ORANGE, lw=0.8, ls="--")
        right.annotate(
            f"{name}, test", (steps["iteration"][-1], value), ha="right", va="bottom", fontsize=8, color=ORANGE
        )
    low = min([test, *baselines.values(), *train]) - 0.6
    right.set(xlabel="iteration", ylabel="nats per row", title="Log-likelihood (46 variables)", ylim=(low, None))
    right.legend(frameon=False, loc="center right", bbox_to_anchor=(1.0, 0.3))
    return figure


def embedded_curves(steps: Mapping[str, Sequence[float]], hebbian_coupling_error: float) -> Figure:
    """Draw decoded errors, broken chains, chain couplers and clipped fraction by iteration of the embedded machine."""
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    (errors, broken), (couplers, clipped) = figure.subplots(2, 2, sharex=True)
    at = steps["iteration"]
    errors.semilogy(at, steps["decoded_coupling_error"], color=BLUE, label=r"$\langle s_i s_j\rangle$")
    errors.semilogy(at, steps["decoded_field_error"], color=ORANGE, label=r"$\langle s_i\rangle$")
    errors.axhline(
        hebbian_coupling_error, color=BLUE, ls="--", lw=0.8, label=r"$\langle s_i s_j\rangle$, untrained Hebbian"
    )
    errors.set(ylabel="mean |data - decoded reads|", title="Decoded moments")
    errors.legend(frameon=False, fontsize=8)
    _plain_ticks(errors)
    broken.plot(at, steps["broken_chains"], color=BLUE)
    broken.set(ylabel="fraction of (chain, read)", title="Broken chains", ylim=(0, 1))
    couplers.plot(at, steps["chain_coupling"], color=GREEN)
    couplers.set(xlabel="iteration", ylabel="mean J inside chains", title="Learned chain couplers", ylim=(0, None))
    clipped.plot(at, steps["clipped_fraction"], color=INK)
    top = max(0.01, 1.1 * max(steps["clipped_fraction"]))
    clipped.set(
        xlabel="iteration", ylabel="fraction of parameters", title="Clipped to the device's ranges", ylim=(0, top)
    )
    return figure


def digit_sheets(sheets: Mapping[str, Bits], shape: tuple[int, int], columns: int = 10) -> Figure:
    """Draw sheets of digits side by side."""
    figure = Figure(figsize=(3.5 * len(sheets), 2.1), layout="constrained")
    for ax, (title, rows) in zip(np.atleast_1d(figure.subplots(1, len(sheets))), sheets.items(), strict=True):
        ax.imshow(sheet_of(rows, shape, columns))
        ax.set_title(title, fontsize=10)
        ax.set_axis_off()
    return figure


def reconstruction_sheet(
    original: Bits,
    known: AnyArray,
    filled: Mapping[str, Bits],
    captions: Mapping[str, str],
    shape: tuple[int, int],
    title: str,
) -> Figure:
    """Draw rows of images: original, damaged (a tint hides unknown pixels), filled in (wrong pixels tinted)."""
    damaged = _tinted(original, None)
    damaged[~known] = _TINT
    lines: list[tuple[str, Any]] = [("original", _tinted(original, None)), ("damaged", damaged)]
    lines += [(captions[name], _tinted(image, image != original)) for name, image in filled.items()]
    figure = Figure(figsize=(10, 1.0 * len(lines) + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=11)
    for ax, (name, images) in zip(figure.subplots(len(lines), 1), lines, strict=True):
        ax.imshow(_sheet(images, shape, len(original)))
        ax.set_title(name, fontsize=9, loc="left")
        ax.set_axis_off()
    return figure


def confusion(pairs: Mapping[str, tuple[AnyArray, AnyArray]]) -> Figure:
    """Draw a confusion matrix for each (true, predicted)."""
    figure = Figure(figsize=(3.6 * len(pairs), 3.4), layout="constrained")
    for ax, (title, (true, predicted)) in zip(
        np.atleast_1d(figure.subplots(1, len(pairs))), pairs.items(), strict=True
    ):
        ConfusionMatrixDisplay.from_predictions(true, predicted, ax=ax, colorbar=False, cmap="Blues")
        ax.set_title(title, fontsize=10)
    return figure


def sheet_of(rows: Bits, shape: tuple[int, int], columns: int = 10) -> AnyArray:
    """Return one image of rows of pixels (num_rows, num_pixels), dark where 1."""
    return _sheet(_tinted(rows, None), shape, columns)


def _plain_ticks(ax: Axes) -> None:
    """Label a logarithmic axis in plain decimals."""
    ax.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _tinted(images: Bits, marked: AnyArray | None) -> AnyArray:
    """Return (num_rows, num_pixels, 3): dark where 1, tinted where marked."""
    rgb = np.repeat(1.0 - np.asarray(images, dtype=float)[:, :, None], 3, axis=2)
    if marked is not None:
        rgb[marked] = 0.55 * rgb[marked] + 0.45 * np.array(_TINT)
    return rgb


def _sheet(images: AnyArray, shape: tuple[int, int], columns: int) -> AnyArray:
    """Tile rows of pixels (num_rows, num_pixels[, 3]) into one image with a margin of one pixel."""
    count = -(-len(images) // columns)
    height, width = shape
    sheet = np.full((count * (height + 1) + 1, columns * (width + 1) + 1, *images.shape[2:]), 0.85)
    for k, image in enumerate(images):
        top, left = (k // columns) * (height + 1) + 1, (k % columns) * (width + 1) + 1
        sheet[top : top + height, left : left + width] = image.reshape(height, width, *images.shape[2:])
    return sheet
