"""A minor embedding on its topology, as a picture."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from annealnn.embeddings import EmbeddedStructure
from annealnn.embeddings._topology import family_of
from annealnn.typing import AnyArray

_PALE, _COUPLER, _FRAME = "#d9d9d9", "#ececec", "#222222"
# beyond these, names and couplers between chains would be a blot
_NAMED, _JOINED = 120, 6000


def embedding_figure(embedded: EmbeddedStructure, target: nx.Graph, *, title: str = "") -> Figure:
    """Draw an embedding: the whole chip to the left, its part in use to the right.

    Each chain has a colour and, on its middle qubit, the number of its variable; couplers inside chains are thick,
    those between chains thin. Qubits that are not used are grey; where the topology has a qubit that is not drawn, it
    does not work.

    Parameters
    ----------
    embedded : EmbeddedStructure
    target : networkx.Graph
        The working graph; a graph of dwave-graphs is laid out as its topology is, another one by springs.
    title : str
    """
    places = _layout(target)
    used = np.array([places[q] for q in embedded.physical.labels]).reshape(-1, 2)
    colours = _colours(embedded.source.num_variables)
    figure = Figure(figsize=(13, 6.2), layout="constrained")
    whole, part = figure.subplots(1, 2, width_ratios=[1, 1.3])
    dots = np.array(list(places.values()))
    low, high = (used.min(axis=0), used.max(axis=0)) if len(used) else (dots.min(axis=0), dots.max(axis=0))
    margin = 0.03 * float(max(high - low)) + 1e-3
    span = float(max(high - low)) + 2 * margin
    corner = (low + high - span) / 2
    for ax, zoomed in ((whole, False), (part, True)):
        _draw(ax, embedded, target, places, colours, span if zoomed else None, corner)
        ax.set_aspect("equal")
        ax.set_axis_off()
    whole.add_patch(Rectangle((corner[0], corner[1]), span, span, fill=False, ec=_FRAME, lw=0.8, zorder=5))
    part.set(xlim=(corner[0], corner[0] + span), ylim=(corner[1], corner[1] + span))
    whole.set_title(f"{target.number_of_nodes():,} qubits, {embedded.physical.num_variables:,} in use", fontsize=10)
    part.set_title(
        f"{embedded.source.num_variables} variables, chains of up to {embedded.embedding.longest_chain} qubits",
        fontsize=10,
    )
    if title:
        figure.suptitle(title, fontsize=12)
    return figure


def _draw(
    ax: Axes,
    embedded: EmbeddedStructure,
    target: nx.Graph,
    places: Mapping[Hashable, AnyArray],
    colours: AnyArray,
    span: float | None,
    corner: AnyArray,
) -> None:
    """Draw qubits, couplers and chains; `span` is the side of a close-up, None for the whole chip."""
    physical, chain_of = embedded.physical, embedded.chain_of
    in_use = set(physical.labels)
    shown = {q: xy for q, xy in places.items() if span is None or ((xy >= corner) & (xy <= corner + span)).all()}
    # a dot as large as the space between qubits allows
    dot = 1500.0 / max(1, len(shown)) ** 0.9 + 1.6
    if span is not None:
        lines = [(places[u], places[v]) for u, v in target.edges if u in shown and v in shown]
        ax.add_collection(LineCollection(lines, colors=_COUPLER, linewidths=0.3, zorder=1))
    idle = np.array([xy for q, xy in shown.items() if q not in in_use]).reshape(-1, 2)
    ax.scatter(idle[:, 0], idle[:, 1], s=dot, c=_PALE, lw=0, zorder=2)
    ends = [(places[physical.labels[a]], places[physical.labels[b]]) for a, b in physical.edges]
    inside = np.flatnonzero(embedded.in_chain)
    between = np.flatnonzero(~embedded.in_chain)
    if span is not None and len(between) <= _JOINED:
        ax.add_collection(LineCollection([ends[k] for k in between], colors="#555555", linewidths=0.25, zorder=2))
    ax.add_collection(
        LineCollection(
            [ends[k] for k in inside],
            colors=colours[chain_of[physical.edges[inside, 0]]],
            linewidths=1.0 if span is None else 2.4,
            zorder=3,
        )
    )
    used = np.array([places[q] for q in physical.labels]).reshape(-1, 2)
    ax.scatter(used[:, 0], used[:, 1], s=dot if span is None else 1.5 * dot, c=colours[chain_of], lw=0, zorder=4)
    if span is not None and len(chains := embedded.embedding.chains) <= _NAMED:
        for v, (x, y) in enumerate(_label_places([np.array([places[q] for q in c]) for c in chains], 0.035 * span)):
            ax.annotate(
                str(v),
                (x, y),
                ha="center",
                va="center",
                fontsize=7,
                zorder=6,
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": colours[v], "lw": 0.8},
            )


def _label_places(chains: Sequence[AnyArray], room: float) -> list[AnyArray]:
    """Return a qubit's place for the label of each chain: near its middle, but off the labels before."""
    placed: list[AnyArray] = []
    for at in chains:
        off_middle = np.linalg.norm(at - at.mean(axis=0), axis=1)
        gap = np.full(len(at), room)
        for other in placed:
            gap = np.minimum(gap, np.linalg.norm(at - other, axis=1))
        placed.append(at[np.lexsort((off_middle, -gap))[0]])
    return placed


def _layout(target: nx.Graph) -> dict[Hashable, AnyArray]:
    """Return a place for each qubit, (2,)."""
    family = family_of(target)
    if family is None:
        places: dict[Hashable, Any] = nx.spring_layout(target, seed=0)
    else:
        import dwave.graphs

        places = getattr(dwave.graphs, f"{family}_layout")(target)
    return {q: np.asarray(xy, dtype=np.float64) for q, xy in places.items()}


def _colours(count: int) -> AnyArray:
    """Return colours, (count, 3), of which neighbours in number are far apart in hue."""
    k = np.arange(count)
    hue = (k * 0.6180339887) % 1.0  # steps of the golden section spread over the circle
    return np.asarray(hsv_to_rgb(np.column_stack([hue, 0.65 + 0.3 * (k % 2), 0.6 + 0.3 * (k % 3) / 2])))
