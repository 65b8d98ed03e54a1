"""The problems that the samplers are compared on. Every draw has a fixed seed."""

from typing import NamedTuple

import dimod
import dwave.graphs
import numpy as np

from annealnn.models import Parameters, Structure, terms_of_bqm


class Machine(NamedTuple):
    """A restricted Boltzmann machine in spin form, visibles first, in the sign of Eq. (1): larger weights align."""

    structure: Structure
    parameters: Parameters
    num_visible: int

    def as_bits(self):
        """Return visible biases, hidden biases and weights (hidden, visible) of the same machine over bits."""
        n, (fields, couplings) = self.num_visible, self.parameters
        weights = self.structure.dense(couplings)[:n, n:]
        # s = 2x - 1 in each field and coupling
        return 2 * (fields[:n] - weights.sum(1)), 2 * (fields[n:] - weights.sum(0)), 4 * weights.T


def on_edges(graph, draw):
    """Return the problem with a coupling from `draw()` on each edge of `graph` and no fields."""
    return dimod.BQM.from_ising({}, {edge: float(draw()) for edge in graph.edges})


def pegasus(weights):
    """An instance on Pegasus P16: couplings Gaussian, or +-1."""
    rng = np.random.default_rng(0)
    return on_edges(
        dwave.graphs.pegasus_graph(16), rng.normal if weights == "gaussian" else lambda: rng.choice([-1.0, 1.0])
    )


def zephyr(weights):
    """An instance on Zephyr Z6, 1,248 spins: couplings +-1, or Gaussian with a standard deviation of 1/4 or 1/10."""
    rng = np.random.default_rng(0)
    scales = {"gaussian": 1 / 4, "weak": 1 / 10}
    return on_edges(
        dwave.graphs.zephyr_graph(6),
        lambda: rng.choice([-1.0, 1.0]) if weights == "signs" else rng.normal() * scales[weights],
    )


def sherrington_kirkpatrick(n):
    """J ~ N(0, 1/n) on all pairs."""
    rng = np.random.default_rng(0)
    return dimod.BQM.from_ising({}, {(i, j): float(rng.normal() / n**0.5) for i in range(n) for j in range(i)})


def restricted_machine(num_visible, num_hidden):
    """Weights and biases ~ N(0, 0.05^2) in spin form, weights of standard deviation 0.2 over bits."""
    rng = np.random.default_rng(0)
    n = num_visible + num_hidden
    visible, hidden = np.meshgrid(np.arange(num_visible), np.arange(num_visible, n), indexing="ij")
    structure = Structure(n, np.column_stack([visible.ravel(), hidden.ravel()]))
    return Machine(
        structure, Parameters(0.05 * rng.normal(size=n), 0.05 * rng.normal(size=structure.num_edges)), num_visible
    )


def zephyr_colours():
    """Return each spin of Zephyr Z6's colour, of four: no two neighbours have the same."""
    coordinates = dwave.graphs.zephyr_coordinates(6)
    return {
        qubit: dwave.graphs.zephyr_four_color(coordinates.linear_to_zephyr(qubit))
        for qubit in dwave.graphs.zephyr_graph(6)
    }


def write_arrays(path, bqm, colours):
    """Write a problem for a process without dimod: fields, couplings (dimod's sign), edges, and each spin's colour."""
    structure, parameters, _ = terms_of_bqm(bqm)
    np.savez(
        path,
        fields=-parameters.fields,
        couplings=-parameters.couplings,
        edges=structure.edges,
        colours=np.array([colours[label] for label in structure.labels]),
    )
