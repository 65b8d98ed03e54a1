"""A job as it arrives: decoded, held against the chip's rules, and brought to the form that is sampled."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from annealnn.models import Structure
from annealnn.samplers._tiles import Tiles
from annealnn.standin._chip import Chip
from annealnn.standin._parameters import RefusedError, checked_parameters
from annealnn.standin._timing import qpu_timing
from annealnn.typing import Floats, Indices, Spins

# of auto-scaling and of range checks: rounding on the way is no breach
_SLACK = 1e-9


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A checked problem, in dimod's sign.

    Parameters
    ----------
    kind : "ising" or "qubo"
    qubits : (num_active,)
        Active qubits, rising.
    linear : (num_active,)
        As submitted, for spins or bits by `kind`.
    edges : (num_edges, 2)
        Couplers between active qubits, as positions in `qubits`.
    quadratic : (num_edges,)
    fields, couplings : (num_active,), (num_edges,)
        Of spins, scaled if the job asked for it: what the chip is programmed with.
    parameters : mapping
        Checked, with `num_reads`, `answer_mode` and `auto_scale` filled in.
    timing : mapping
        Microseconds, SIMULATED.
    """

    kind: str
    qubits: Indices
    linear: Floats
    edges: Indices
    quadratic: Floats
    fields: Floats
    couplings: Floats
    parameters: Mapping[str, Any]
    timing: Mapping[str, float]

    @property
    def num_reads(self) -> int:
        """Number of reads."""
        return int(self.parameters["num_reads"])

    @cached_property
    def structure(self) -> Structure:
        """The graph of all active qubits and couplers."""
        return Structure(len(self.qubits), self.edges)

    def energies(self, spins: Spins) -> Floats:
        """Return the energy as submitted, without its offset, of rows of spins (num_rows, num_active): (num_rows,)."""
        fields, couplings, offset = _spin_form(self.kind, self.linear, self.edges, self.quadratic)
        tiles = Tiles(spins, np.zeros((len(spins), 4), np.uint32))
        return offset + tiles.exact_energies(fields, *self.structure.ends, couplings)


def decode_problem(chip: Chip, kind: Any, data: Any, given: Any) -> Problem:
    """Return the problem of a job.

    Parameters
    ----------
    chip : Chip
    kind : str
        The job's `type`.
    data, given : mapping
        The job's `data` and `params`.

    Raises
    ------
    RefusedError
        If the job breaks one of the chip's rules.
    """
    if kind not in ("ising", "qubo"):
        msg = f"Problem types of this solver are ising and qubo; got {kind!r}"
        raise RefusedError(400, msg)
    if not isinstance(data, Mapping) or data.get("format") != "qp":
        msg = "Problem data is an object of format 'qp'"
        raise RefusedError(400, msg)
    lin = _numbers(data, "lin", len(chip.qubits))
    active = ~np.isnan(lin)
    if not active.any():
        raise RefusedError(400, "A problem has at least one active qubit")
    inside = active[np.searchsorted(chip.qubits, chip.couplers)].all(axis=1)
    quad = _numbers(data, "quad", int(inside.sum()))
    if not (np.isfinite(lin[active]).all() and np.isfinite(quad).all()):
        raise RefusedError(400, "Biases are finite numbers")
    qubits, linear = chip.qubits[active], lin[active]
    edges = np.searchsorted(qubits, chip.couplers[inside])
    parameters = checked_parameters(chip, kind, given)
    fields, couplings, _ = _spin_form(kind, linear, edges, quad)
    if parameters.get("fast_anneal") and fields.any():
        raise RefusedError(400, "A fast anneal takes no fields; set all of h to 0")
    fields, couplings = _in_range(chip, fields, couplings, edges, auto_scale=parameters["auto_scale"])
    timing = qpu_timing(chip.properties, parameters, len(qubits))
    _, longest = chip.properties["problem_run_duration_range"]
    if timing["qpu_access_time"] > longest:
        msg = (
            f"A job takes at most {longest:g} us, readout and delay included; {parameters['num_reads']} reads "
            f"would take {timing['qpu_access_time']:g} us. Ask for fewer reads or shorter anneals"
        )
        raise RefusedError(400, msg)
    return Problem(
        kind=kind,
        qubits=qubits,
        linear=linear,
        edges=edges,
        quadratic=quad,
        fields=fields,
        couplings=couplings,
        parameters=parameters,
        timing=timing,
    )


def _spin_form(kind: str, linear: Floats, edges: Indices, quadratic: Floats) -> tuple[Floats, Floats, float]:
    """Return (fields, couplings, offset) of a problem in spins or, if it is a QUBO, in bits (1 + s) / 2."""
    if kind == "ising":
        return linear, quadratic, 0.0
    offset = float(linear.sum() / 2 + quadratic.sum() / 4)
    return linear / 2 + _at_ends(edges, quadratic, len(linear)) / 4, quadratic / 4, offset


def _at_ends(edges: Indices, values: Floats, num_variables: int) -> Floats:
    """Return the sum at each variable of values along edges, (num_variables,)."""
    return np.bincount(edges.ravel(), np.repeat(values, 2), num_variables).astype(np.float64)


def _numbers(data: Mapping[str, Any], name: str, expected: int) -> Floats:
    try:
        numbers = np.frombuffer(base64.b64decode(data[name], validate=True), dtype="<f8")
    except (KeyError, TypeError, ValueError, binascii.Error):
        msg = f"Problem data has {name!r}, the base64 of 64-bit floats"
        raise RefusedError(400, msg) from None
    if len(numbers) != expected:
        msg = f"{name!r} has {expected} numbers on this working graph; got {len(numbers)}"
        raise RefusedError(400, msg)
    return numbers.astype(np.float64)


def _in_range(
    chip: Chip, fields: Floats, couplings: Floats, edges: Indices, *, auto_scale: bool
) -> tuple[Floats, Floats]:
    """Return fields and couplings that the chip can be programmed with: scaled to fill its ranges, or as they are.

    Scaled by what D-Wave documents of `auto_scale`: as much as h_range, j_range and the sums at a qubit allow. Without
    it couplings may be in extended_j_range.
    """
    stated = chip.properties
    limits = {
        "h_range": fields,
        "j_range" if auto_scale else "extended_j_range": couplings,
        "per_qubit_coupling_range": _at_ends(edges, couplings, len(fields)),
    }
    fill = max(
        max(values.max(initial=0.0) / stated[name][1], values.min(initial=0.0) / stated[name][0])
        for name, values in limits.items()
    )
    if auto_scale:
        return (fields / fill, couplings / fill) if fill > 0 else (fields, couplings)
    for name, values in limits.items():
        low, high = stated[name]
        wrong = (values < low - _SLACK * abs(low)) | (values > high + _SLACK * abs(high))
        if wrong.any():
            msg = f"{name} is {stated[name]}; got {values[wrong][0]:g}. Scale the problem, or set auto_scale"
            raise RefusedError(400, msg)
    return fields, couplings
