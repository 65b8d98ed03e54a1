"""The report of the OptDigits job."""

from pathlib import Path
from typing import Any

from annealnn.reports import _figures as draw
from annealnn.reports._embedding import embedding_figure
from annealnn.reports._page import write_page

_SHOWN = 20


def write_optdigits_report(result: Any) -> Path:
    """Write the report of an `OptDigitsResult` to its job's folder; return the page's path."""
    data, shape = result.data, (7, 6)
    rows = {row["model"]: row for row in result.table}
    baselines = {name: rows[name]["test_log_likelihood"].value for name in ("independent spins", "Chow-Liu tree")}
    real = data.X_test[:: max(1, len(data.X_test) // 40)][:40]
    figures = {
        "learning-curves": draw.learning_curves(
            result.machine.history_,
            result.machine.monitored_,
            rows["Boltzmann machine"]["test_log_likelihood"].value,
            baselines,
        ),
        "embedded-curves": draw.embedded_curves(result.embedded.history_, result.hebbian.quality.coupling_error.value),
        "embedding": embedding_figure(result.embedded.embedded_, result.graph),
        "digits": draw.digit_sheets({"real (test file)": real, **result.generated}, shape),
        "confusion": draw.confusion(
            {
                name: (data.y_test, machine.predict(data.X_test))
                for name, machine in (("Boltzmann machine", result.machine), ("embedded machine", result.embedded))
            }
        ),
    }
    for name, reconstruction in zip(("salt-and-pepper", "block"), result.reconstructions, strict=True):
        step = max(1, len(reconstruction.original) // _SHOWN)
        captions = {
            who: f"{who}: {e.value:.1%} ± {e.standard_error:.1%} of unknown pixels wrong"
            for who, e in reconstruction.wrong.items()
        }
        figures[name] = draw.reconstruction_sheet(
            reconstruction.original[::step][:_SHOWN],
            reconstruction.known[::step][:_SHOWN],
            {who: image[::step][:_SHOWN] for who, image in reconstruction.filled.items()},
            captions,
            shape,
            reconstruction.title,
        )
    return write_page(result.job.out, "optdigits.html.j2", figures, result=result)
