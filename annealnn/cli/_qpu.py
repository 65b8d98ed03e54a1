"""`annealnn qpu`: what has to do with a processor."""

import typer

from annealnn.cli import _qpu_plan, _qpu_standin

app = typer.Typer(name="qpu", no_args_is_help=True, rich_markup_mode="markdown", help="Work with a processor.")
app.command("plan")(_qpu_plan.plan)
app.command("standin")(_qpu_standin.standin)
