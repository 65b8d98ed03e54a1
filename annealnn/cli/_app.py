"""The commands, and how errors reach the user."""

import logging
from typing import Annotated

import typer
from rich.console import Console

from annealnn._log import show_messages
from annealnn._version import __version__
from annealnn.cli import _benchmark, _datasets, _doctor, _embed, _optdigits, _qpu
from annealnn.exceptions import AnnealnnError

app = typer.Typer(
    name="annealnn",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Train Boltzmann machines on the sampler of your choice.",
)
app.command("optdigits")(_optdigits.optdigits)
app.command("datasets")(_datasets.datasets)
app.command("embed")(_embed.embed)
app.command("doctor")(_doctor.doctor)
app.add_typer(_benchmark.app)
app.add_typer(_qpu.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"annealnn {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more of what is done, on standard error.")
    ] = False,
) -> None:
    show_messages(logging.INFO if verbose else logging.WARNING)


def run() -> int:
    """Run the command line; a broken rule is one line on standard error and status 2, an interrupt status 130."""
    err = Console(stderr=True, highlight=False)
    try:
        status = app(standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        err.print("interrupted", style="yellow")
        return 130
    except (AnnealnnError, ValueError, OSError) as error:
        err.print("error:", style="bold red", end=" ")
        err.print(str(error), markup=False, soft_wrap=True)
        return 2
    except Exception as error:
        # usage errors of the parser know how to print themselves
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return int(status or 0)
