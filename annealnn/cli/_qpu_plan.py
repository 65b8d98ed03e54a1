"""`annealnn qpu plan`."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def plan(
    reads: Annotated[int, typer.Option(help="Reads of a problem, in all gauges together.")] = 1000,
    qubits: Annotated[
        int | None, typer.Option(help="Active qubits of the problem; all of the solver's if left out.")
    ] = None,
    gauges: Annotated[int, typer.Option(help="Random gauges that reads are shared out among.")] = 1,
    problems: Annotated[
        int,
        typer.Option(help="Problems of a step: rows that are held. Those that share a chip count once."),
    ] = 1,
    iterations: Annotated[int, typer.Option(help="Steps of a training.")] = 1,
    reuse_steps: Annotated[int, typer.Option(help="For how many steps reads are used.")] = 1,
    annealing_time: Annotated[
        float | None, typer.Option(help="Microseconds; the solver's default if left out.")
    ] = None,
    budget_us: Annotated[float | None, typer.Option(help="QPU access time there is, microseconds.")] = None,
    profile: Annotated[str | None, typer.Option(help="Of D-Wave's configuration file.")] = None,
    solver: Annotated[str | None, typer.Option(help="A solver's name.")] = None,
    region: Annotated[str | None, typer.Option(help="Of Leap.")] = None,
) -> None:
    """Say which jobs a sampling or a training sends to the configured solver, and their QPU access time. Sends none."""
    from annealnn.qpu import Connection
    from annealnn.qpu import plan as make_plan

    with Connection.open(profile=profile, solver=solver, region=region) as connection:
        definition = connection.definition
    made = make_plan(
        reads,
        num_qubits=len(definition.nodelist) if qubits is None else qubits,
        properties=definition.properties,
        parameters={} if annealing_time is None else {"annealing_time": annealing_time},
        num_gauges=gauges,
        num_problems=problems,
        num_steps=iterations,
        reuse_steps=reuse_steps,
        budget_us=budget_us,
    )
    console = Console(highlight=False)
    console.print(
        f"{definition.solver}, {len(definition.nodelist)} qubits{', SIMULATED' if definition.simulated else ''}; "
        "nothing was sent",
        soft_wrap=True,
    )
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, text in made.table():
        table.add_row(name, text)
    console.print(table)
