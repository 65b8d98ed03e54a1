"""Where reads begin: spins that were given, and random ones."""

from typing import Any, Literal, TypeAlias, final, get_args

import dimod
import numpy as np

from annealnn._validation import check_choice, check_count
from annealnn.samplers._compiled import SamplerState
from annealnn.typing import AnyArray, Spins

InitialStatesGenerator: TypeAlias = Literal["none", "tile", "random"]


@final
class InitialStates:
    """The keywords `initial_states`, `initial_states_generator` and `num_reads` of a sampler, checked.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
    initial_states : anything that `dimod.as_samples` takes, optional
        One row for each read, spins or bits, columns by label. Rows beyond `num_reads` are left out.
    initial_states_generator : "none", "tile" or "random"
        What reads without a row begin with: an error, the given rows again, or random spins.
    num_reads : int, optional
        If None, as many as `initial_states` has rows, else 1.

    Raises
    ------
    ValueError
        If an argument breaks its rule.
    """

    num_reads: int

    def __init__(
        self,
        bqm: dimod.BinaryQuadraticModel,
        initial_states: Any = None,
        initial_states_generator: InitialStatesGenerator = "random",
        num_reads: int | None = None,
    ) -> None:
        check_choice("initial_states_generator", initial_states_generator, get_args(InitialStatesGenerator))
        if num_reads is not None:
            check_count("num_reads", num_reads)
        empty = np.empty((0, bqm.num_variables), np.int8)
        given = empty if initial_states is None else _spins_of(initial_states, list(bqm.variables))
        self.num_reads = num_reads if num_reads is not None else max(1, len(given))
        self._given, self._tiled = given[: self.num_reads], initial_states_generator == "tile"
        if initial_states_generator == "none" and len(given) < self.num_reads:
            msg = (
                f"initial_states has a row for each of {self.num_reads} reads if initial_states_generator='none'; "
                f"got {len(given)}. Give more, ask for fewer reads, or use 'tile' or 'random'"
            )
            raise ValueError(msg)
        if self._tiled and not len(given):
            msg = "initial_states has at least one row if initial_states_generator='tile'; got none. Use 'random'"
            raise ValueError(msg)

    def put(self, state: SamplerState) -> SamplerState:
        """Write the given spins into a state of `num_reads` random reads, columns in the problem's order."""
        step = max(1, len(self._given))
        for start in range(0, self.num_reads if self._tiled else len(self._given), step):
            rows = state.spins[start : start + step]
            rows[:] = self._given[: len(rows)]
        return state


def _spins_of(initial_states: Any, labels: list[Any]) -> Spins:
    """Return rows of -1 and +1, columns in the order of `labels`."""
    try:
        values, named = dimod.as_samples(initial_states)
    except (TypeError, ValueError) as error:
        msg = (
            "initial_states are samples as dimod.as_samples takes them, each with a value for every variable; "
            f"got {type(initial_states).__name__}, which is not: {error or 'not all have the same variables'}"
        )
        raise ValueError(msg) from error
    names: list[Any] = list(named)
    place = {label: column for column, label in enumerate(names)}
    if len(place) < len(names):
        twice = next(label for k, label in enumerate(names) if place[label] != k)
        msg = f"initial_states names every variable once; got {twice!r} twice"
        raise ValueError(msg)
    if missing := [label for label in labels if label not in place]:
        msg = f"initial_states has a value for every variable of the problem; got none for {missing[0]!r}"
        raise ValueError(msg)
    if len(names) > len(labels):
        known = set(labels)
        stranger = next(label for label in names if label not in known)
        msg = f"initial_states names variables of the problem and no other; got {stranger!r}"
        raise ValueError(msg)
    _check_values(values)
    # 1 is spin +1 for spins and for bits
    return np.where(values[:, [place[label] for label in labels]] == 1, 1, -1).astype(np.int8)


def _check_values(values: AnyArray) -> None:
    up, down, zero = values == 1, values == -1, values == 0
    wrong = ~(up | down | zero)
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        msg = f"initial_states holds spins, -1 or 1, or bits, 0 or 1; got {values[where].item()!r} at {where}"
        raise ValueError(msg)
    if down.any() and zero.any():
        msg = "initial_states holds either spins, -1 or 1, or bits, 0 or 1; got both -1 and 0. Convert one of them"
        raise ValueError(msg)
