"""`annealnn qpu`: what has to do with a processor."""

import typer

from annealnn.cli import _qpu_journal, _qpu_plan, _qpu_standin

app = typer.Typer(name="qpu", no_args_is_help=True, rich_markup_mode="markdown", help="Work with a processor.")
app.command("collect")(_qpu_journal.collect)
app.command("journal")(_qpu_journal.journal)
app.command("plan")(_qpu_plan.plan)
app.command("replay")(_qpu_journal.replay)
app.command("standin")(_qpu_standin.standin)
