"""One self-contained HTML page from a template, with its figures inside and beside it."""

import base64
from collections.abc import Mapping
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from annealnn._files_io import write_bytes, write_text


def write_page(out: Path, template: str, figures: Mapping[str, Figure], **values: Any) -> Path:
    """Write `figures/*.png` and `index.html` below `out`; return the page's path."""
    pictures = {}
    for name, figure in figures.items():
        path = write_figure(out / "figures" / f"{name}.png", figure)
        pictures[name] = "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["estimate"] = format_estimate
    source = files("annealnn.reports").joinpath(template).read_text(encoding="utf-8")
    page = out / "index.html"
    write_text(page, environment.from_string(source).render(pictures=pictures, **values))
    return page


def write_figure(path: Path, figure: Figure) -> Path:
    """Write a figure as PNG; return its path."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    write_bytes(path, buffer.getvalue())
    return path


def format_estimate(estimate: Any, digits: int = 3) -> str:
    """Return "value ± error", "value" if the error is zero, or a dash for None."""
    if estimate is None:
        return "\N{EN DASH}"
    if estimate.standard_error == 0:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} ± {estimate.standard_error:.{digits}f}"
