"""`annealnn qpu`: what has to do with a processor."""

import typer

from annealnn.cli import _qpu_standin

app = typer.Typer(name="qpu", no_args_is_help=True, rich_markup_mode="markdown", help="Work with a processor.")
app.command("standin")(_qpu_standin.standin)
