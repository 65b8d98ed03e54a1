"""`annealnn qpu standin`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer
from rich.console import Console

if TYPE_CHECKING:
    from annealnn.standin import Physics, Served

_Physics: TypeAlias = Literal["thermal", "path-integral", "anneal", "anneal-quantum"]


def standin(
    topology: Annotated[str, typer.Option(help="chimera-M, pegasus-M or zephyr-M.")] = "zephyr-4",
    dead: Annotated[float, typer.Option(help="Dead qubits: a number of them, or a share below 1.")] = 0,
    dead_couplers: Annotated[float, typer.Option(help="Dead couplers: a number of them, or a share below 1.")] = 0,
    physics: Annotated[
        _Physics,
        typer.Option(help="Thermal at --beta; quantum, frozen at --freeze-at; or Monte Carlo along the anneal."),
    ] = "thermal",
    beta: Annotated[float, typer.Option(help="Hidden inverse temperature of thermal physics.")] = 3.0,
    num_sweeps: Annotated[int, typer.Option(help="Of thermal and path-integral physics, for each read.")] = 200,
    freeze_at: Annotated[float, typer.Option(help="s at which path-integral physics freezes.")] = 0.4,
    scales: Annotated[
        Path | None, typer.Option(help="A(s) and B(s) in GHz, the vendor's table; made-up ones if left out.")
    ] = None,
    temperature_mk: Annotated[float, typer.Option(help="Of path-integral and anneal physics.")] = 18.0,
    property_: Annotated[
        list[str] | None,
        typer.Option("--property", help="Of the solver, such as h_range=[-2,2] or problem_run_duration_range=[0,5e5]."),
    ] = None,
    noise: Annotated[float, typer.Option(help="Control error of h and J, as a share of the range.")] = 0.0,
    readout_error: Annotated[float, typer.Option(help="Chance that a read of a qubit is flipped.")] = 0.0,
    drift: Annotated[float, typer.Option(help="Slow drift of fields, as a share of the range.")] = 0.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="What goes wrong on purpose, such as submit:drop:probability=0.1:accepted, or a JSON file of it."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Reads follow from it and a job's label, in any order.")] = None,
    latency: Annotated[float, typer.Option(help="Seconds that a job takes at least.")] = 0.0,
    inline: Annotated[bool, typer.Option("--inline", help="Answer at once, with the reads.")] = False,
    port: Annotated[int, typer.Option(help="On loopback; 0 takes a free one.")] = 0,
    token: Annotated[str | None, typer.Option(help="What clients must bring; a fresh one if left out.")] = None,
) -> None:
    """Serve a SIMULATED processor to Ocean's own client, on this machine, until Ctrl-C."""
    from annealnn.embeddings import topology_graph
    from annealnn.schedules import EnergyScales
    from annealnn.standin import (
        AnnealPhysics,
        Fault,
        Noise,
        PathIntegralPhysics,
        StandIn,
        ThermalPhysics,
        serve,
        simulated_scales,
    )

    graph = topology_graph(topology)
    ab = simulated_scales() if scales is None else EnergyScales.load(scales)
    chosen: Physics
    if physics == "thermal":
        chosen = ThermalPhysics(beta=beta, num_sweeps=num_sweeps)
    elif physics == "path-integral":
        chosen = PathIntegralPhysics(s=freeze_at, scales=ab, temperature_mk=temperature_mk, num_sweeps=num_sweeps)
    else:
        dynamics: Literal["classical", "quantum"] = "quantum" if physics == "anneal-quantum" else "classical"
        chosen = AnnealPhysics(dynamics=dynamics, scales=ab, temperature_mk=temperature_mk)
    faults = [
        one for given in fault or [] for one in (Fault.load(given) if given.endswith(".json") else [Fault.parse(given)])
    ]
    simulated = StandIn(
        graph,
        num_dead_qubits=_number("dead", dead, len(graph)),
        num_dead_couplers=_number("dead-couplers", dead_couplers, graph.number_of_edges()),
        physics=chosen,
        noise=Noise(h=noise, j=noise, readout=readout_error, drift=drift),
        faults=faults,
        seed=seed,
        latency_s=latency,
        inline=inline,
        token=token,
        properties=dict(_assigned(text) for text in property_ or []),
    )
    serve(simulated, port=port, say=_say)


def _assigned(text: str) -> tuple[str, object]:
    """Return (name, value) of a text such as "h_range=[-2,2]"."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        msg = f"--property is NAME=VALUE, the value JSON; got {text!r}"
        raise ValueError(msg) from None


def _number(name: str, given: float, of: int) -> int:
    """Return how many of `of` a number, or a share below 1, stands for."""
    if 0 < given < 1:
        return round(given * of)
    if given < 0 or given != int(given):
        msg = f"--{name} is a whole number of at least 0, or a share below 1; got {given:g}"
        raise ValueError(msg)
    return int(given)


def _say(served: "Served") -> None:
    chip = served.standin.chip
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print("SIMULATION: no quantum processor is behind this service, and its times are made up.")
    console.print(f"solver {chip.name}: {len(chip.qubits)} qubits, {len(chip.couplers)} couplers")
    console.print("Point Ocean at it:")
    console.print(f"export DWAVE_API_ENDPOINT={served.endpoint}")
    console.print(f"export DWAVE_API_TOKEN={served.token}")
    console.print(f"accounts: GET {served.admin}stats; Ctrl-C ends it")
