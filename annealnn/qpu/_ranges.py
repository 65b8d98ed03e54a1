"""What a solver can be programmed with."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from annealnn._validation import check_number
from annealnn.typing import Floats, Indices

Range = tuple[float, float]
_ANY: Range = (-math.inf, math.inf)
_RANGES = ("h_range", "j_range", "extended_j_range")


class Problem(NamedTuple):
    """A problem on qubits, in dimod's sign, and how many reads of it are wanted."""

    qubits: Indices  #: (num_qubits,)
    fields: Floats  #: (num_qubits,)
    ends: tuple[Indices, Indices]  #: (num_couplers,) each: places in `qubits`
    couplings: Floats  #: (num_couplers,)
    num_reads: int
    seed: int  #: names the draw


class Ranges(NamedTuple):
    """Closed ranges of biases, in dimod's sign."""

    fields: Range
    couplings: Range
    of_qubit: Range  #: of the sum of the couplings at a qubit

    @classmethod
    def of(cls, properties: Mapping[str, Any], *, gauged: bool) -> "Ranges":
        """Return the ranges that a solver's properties state; what they do not state is not bounded.

        Gauged, as far as they are symmetric; then the limit on sums at a qubit, which is for couplings beyond the
        symmetric range, is left out.
        """
        if gauged:
            properties = {**properties, **symmetric(properties), "per_qubit_coupling_range": None}
        couplings = properties.get("extended_j_range") or properties.get("j_range") or _ANY
        fields, of_qubit = (properties.get(name) or _ANY for name in ("h_range", "per_qubit_coupling_range"))
        return cls(*((float(low), float(high)) for low, high in (fields, couplings, of_qubit)))

    def scale(self, problem: Problem) -> float:
        """Return the largest factor that leaves all of a problem's biases in range; infinity if they are all zero."""
        return min(_factor(values, bounds) for values, bounds in zip(self._values(problem), self, strict=True))

    def check(self, problem: Problem) -> None:
        """Check that all of a problem's biases are in range.

        Raises
        ------
        ValueError
            Naming the first bias that is not.
        """
        for k, (values, (low, high)) in enumerate(zip(self._values(problem), self, strict=True)):
            # sums of couplings that were clipped one by one round
            slack = 1e-9 if k == 2 else 0.0
            # NaN is in no range; sent, it would switch its qubit off
            wrong = np.flatnonzero(~((values >= low - slack) & (values <= high + slack)))
            if not len(wrong):
                continue
            at = int(wrong[0])
            if k == 1:
                name = f"the coupling of qubits {tuple(int(problem.qubits[ends[at]]) for ends in problem.ends)}"
            else:
                name = f"the {('field of', '', 'sum of the couplings at')[k]} qubit {problem.qubits[at]}"
            msg = (
                f"biases are in the solver's ranges, here {low:g} to {high:g} in dimod's sign; got {values[at]:.6g} as "
                f"{name} ({len(wrong)} such values). Scale the problem down, or pass auto_scale=True, which changes "
                "its temperature"
            )
            raise ValueError(msg)

    def _values(self, problem: Problem) -> tuple[Floats, Floats, Floats]:
        if self.of_qubit == _ANY:
            return problem.fields, problem.couplings, np.zeros(0)
        sums = np.zeros(len(problem.qubits))
        for ends in problem.ends:
            sums += np.bincount(ends, problem.couplings, len(sums))
        return problem.fields, problem.couplings, sums


def symmetric(properties: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return the ranges among properties, as far as they hold each value with its negative: a gauge flips signs."""
    found = {}
    for name in _RANGES:
        if properties.get(name):
            low, high = properties[name]
            bound = min(-low, high)
            found[name] = [-bound, bound]
    return found


def check_annealing_time(properties: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Check that the annealing time that a solver is told, if any, is in its range (microseconds).

    Raises
    ------
    ValueError
        If it is not.
    """
    kind = "fast_anneal_time_range" if told.get("fast_anneal") else "annealing_time_range"
    if told.get("annealing_time") is not None and properties.get(kind):
        low, high = properties[kind]
        check_number("annealing_time", told["annealing_time"], low=low, high=high)


def _factor(values: Floats, bounds: Range) -> float:
    low, high = bounds
    most, least = float(values.max(initial=0.0)), float(values.min(initial=0.0))
    return min(high / most if most else math.inf, low / least if least else math.inf)
