"""A number and its error."""

from typing import NamedTuple


class ValueWithError(NamedTuple):
    """A number and one standard error of it. It unpacks as a pair."""

    value: float
    standard_error: float

    def __str__(self) -> str:
        return f"{self.value:.4g} +- {self.standard_error:.2g}"
