"""`annealnn datasets`."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def datasets(
    name: Annotated[str | None, typer.Argument(help="A shipped data set; leave out to list them.")] = None,
) -> None:
    """List the shipped data sets, or say where one comes from. Checksums are verified."""
    from annealnn._resources import folders, provenance, read_bytes

    console = Console(highlight=False)
    shipped = {folder.name: provenance(folder) for folder in folders("datasets")}
    if name is None:
        table = Table("name", "what", "licence")
        for key, facts in shipped.items():
            table.add_row(key, f"{facts['title']}: {facts['shape']}", facts["licence"])
        console.print(table)
        console.print("load them with annealnn.datasets.load_*; make_* are synthetic")
        return
    if name not in shipped:
        msg = f"shipped data sets are {', '.join(shipped)}; got {name!r}"
        raise ValueError(msg)
    facts = shipped[name]
    for key in ("title", "what", "shape", "format", "source", "licence", "cite", "checked"):
        console.print(f"[bold]{key}[/bold]: ", end="")
        console.print(facts[key], markup=False)
    for file, entry in facts["files"].items():
        size = len(read_bytes("datasets", name, file))
        console.print(f"{file}: {entry['rows']} rows, {size} bytes, SHA-256 verified")
