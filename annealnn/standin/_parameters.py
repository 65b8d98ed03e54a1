"""The parameters of a job, held against what the chip states."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, final

from annealnn.standin._chip import Chip


@final
class RefusedError(Exception):
    """A request breaks a rule of the service.

    Parameters
    ----------
    code : int
        As an HTTP status.
    message : str
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def checked_parameters(chip: Chip, kind: str, given: Any) -> dict[str, Any]:
    """Return parameters that hold, with defaults for `num_reads`, `answer_mode` and `auto_scale`.

    Raises
    ------
    RefusedError
        If one is unknown, has a wrong value, or does not go with another.
    """
    if not isinstance(given, Mapping):
        raise RefusedError(400, "params is an object")
    # those that begin with "x_" are experimental, and let pass
    parameters = {name: value for name, value in given.items() if value is not None and not name.startswith("x_")}
    for name, value in parameters.items():
        if name not in chip.properties["parameters"]:
            msg = f"Unknown parameter {name!r}; this solver's are {', '.join(chip.properties['parameters'])}"
            raise RefusedError(400, msg)
        rule, holds = _RULES[name]
        if not holds(value, chip):
            msg = f"{name} is {rule.format(**_ranges(chip))}; got {_shortened(value)}"
            raise RefusedError(400, msg)
    _check_together(chip, kind, parameters)
    return {"num_reads": 1, "answer_mode": "histogram", "auto_scale": True} | parameters


def _check_together(chip: Chip, kind: str, parameters: Mapping[str, Any]) -> None:
    schedule, fast = parameters.get("anneal_schedule"), bool(parameters.get("fast_anneal"))
    if schedule and parameters.get("annealing_time"):
        raise RefusedError(400, "annealing_time and anneal_schedule exclude each other; got both")
    if fast and schedule:
        raise RefusedError(400, "fast_anneal goes with annealing_time; got anneal_schedule")
    longest = "fast_anneal_time_range" if fast else "annealing_time_range"
    low, high = chip.properties[longest]
    duration = schedule[-1][0] if schedule else parameters.get("annealing_time")
    if duration is not None and not low <= duration <= high:
        msg = f"{longest} is {[low, high]} us; got {duration:g}"
        raise RefusedError(400, msg)
    for (t0, s0), (t1, s1) in pairwise(schedule or []):
        # as D-Wave's: no steeper than the shortest anneal
        slope = abs(s1 - s0) / (t1 - t0)
        if slope > (1 + 1e-9) / low:
            msg = f"anneal_schedule has slopes up to {1 / low:g} per us; got {slope:g} from {t0:g} us"
            raise RefusedError(400, msg)
    is_reverse = schedule is not None and schedule[0][1] == 1
    state = parameters.get("initial_state")
    if is_reverse != (state is not None):
        raise RefusedError(400, "initial_state goes with an anneal_schedule that begins at s = 1; got one alone")
    if state is not None and not set(state) <= {3, 1, -1 if kind == "ising" else 0}:
        msg = f"initial_state of a problem of type {kind} holds {'-1' if kind == 'ising' else '0'}, 1, and 3 for none"
        raise RefusedError(400, msg)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _between(name: str) -> Callable[[Any, Chip], bool]:
    return lambda value, chip: _is_number(value) and chip.properties[name][0] <= value <= chip.properties[name][1]


def _is_flag(value: Any, _chip: Chip) -> bool:
    return isinstance(value, bool)


def _is_schedule(value: Any, chip: Chip) -> bool:
    """Whether `value` is points of rising time from 0, s in [0, 1] from 0 or 1 to 1."""
    if not isinstance(value, list) or not 2 <= len(value) <= chip.properties["max_anneal_schedule_points"]:
        return False
    if not all(isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in value):
        return False
    times, s = zip(*value, strict=True)
    rising = all(before < after for before, after in pairwise(times))
    return times[0] == 0 and rising and s[0] in (0, 1) and s[-1] == 1 and all(0 <= x <= 1 for x in s)


_RULES: Mapping[str, tuple[str, Callable[[Any, Chip], bool]]] = {
    "anneal_schedule": (
        "2 to {max_anneal_schedule_points} points [time, s], times rising from 0, s in [0, 1] from 0 or 1 to 1",
        _is_schedule,
    ),
    "annealing_time": ("a number above 0", lambda value, _: _is_number(value) and value > 0),
    "answer_mode": ("'histogram' or 'raw'", lambda value, _: value in ("histogram", "raw")),
    "auto_scale": ("true or false", _is_flag),
    "fast_anneal": ("true or false", _is_flag),
    "flux_biases": (
        "{num_qubits} numbers",
        lambda value, chip: (
            isinstance(value, list) and len(value) == chip.num_qubits and all(_is_number(one) for one in value)
        ),
    ),
    "flux_drift_compensation": ("true or false", _is_flag),
    "initial_state": (
        "{num_qubits} values, 3 for an unused qubit",
        lambda value, chip: (
            isinstance(value, list) and len(value) == chip.num_qubits and all(one in (-1, 0, 1, 3) for one in value)
        ),
    ),
    "label": ("a string", lambda value, _: isinstance(value, str)),
    "max_answers": ("a whole number of at least 1", lambda value, _: type(value) is int and value >= 1),
    "num_reads": (
        "a whole number in {num_reads_range}",
        lambda value, chip: type(value) is int and _between("num_reads_range")(value, chip),
    ),
    "programming_thermalization": (
        "in {programming_thermalization_range}",
        _between("programming_thermalization_range"),
    ),
    "readout_thermalization": ("in {readout_thermalization_range}", _between("readout_thermalization_range")),
    "reduce_intersample_correlation": ("true or false", _is_flag),
    "reinitialize_state": ("true or false", _is_flag),
}


def _ranges(chip: Chip) -> Mapping[str, Any]:
    return {k: v for k, v in chip.properties.items() if k.endswith("_range") or k.startswith(("max_", "num_"))}


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
