"""A(s) and B(s): how strong the two terms of H are along the path s."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

import numpy as np

from annealnn._validation import check_choice, check_number, check_real
from annealnn.exceptions import MissingDependencyError
from annealnn.schedules._checks import ByValue, check_lengths, check_rising, real_numbers
from annealnn.typing import Floats

TimeUnit: TypeAlias = Literal["1/energy", "ns"]

# of an annealing table, by the first word of the column's head: D-Wave writes "s", "A(s) (GHz)", "B(s) (GHz)"
_COLUMNS = ("s", "a(s)", "b(s)")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnergyScales(ByValue):
    """H(s) = -transverse(s) sum_i gamma_i X_i + problem(s) E(Z), hbar = 1: linear between points.

    Parameters
    ----------
    s : array of shape (num_points,)
        Rising from 0 to 1.
    transverse, problem : arrays of shape (num_points,)
        At least 0. Energy over hbar, 1/time.
    time_unit : "1/energy" or "ns"
        Of the time in which the Hamiltonian is integrated: the inverse of the model's own energy unit, or ns where
        the scales are in rad/ns.
    name : str
        What `info` says of where they come from.

    Raises
    ------
    ValueError
        If `s` does not rise from 0 to 1, the arrays differ in length, or a scale is negative, complex or not finite.
    """

    s: Floats
    transverse: Floats
    problem: Floats
    time_unit: TimeUnit = "1/energy"
    name: str = "custom"

    def __post_init__(self) -> None:
        for field in ("s", "transverse", "problem"):
            object.__setattr__(self, field, real_numbers(field, getattr(self, field)))
        check_choice("time_unit", self.time_unit, ["1/energy", "ns"])
        check_lengths(s=self.s, transverse=self.transverse, problem=self.problem)
        check_rising("s", self.s)
        if (self.s[0], self.s[-1]) != (0.0, 1.0):
            msg = f"s runs from 0 to 1, both ends included; got {self.s[0]:g} to {self.s[-1]:g}"
            raise ValueError(msg)
        for field in ("transverse", "problem"):
            values = getattr(self, field)
            if (values < 0).any():
                where = int(np.flatnonzero(values < 0)[0])
                msg = f"{field} scales are at least 0; got {values[where]:g} at s = {self.s[where]:g}"
                raise ValueError(msg)

    @classmethod
    def linear(cls) -> "EnergyScales":
        """Return transverse = 1 - s and problem = s, in the model's own energy unit."""
        return cls(s=[0, 1], transverse=[1, 0], problem=[0, 1], name="linear")  # type: ignore[arg-type]

    @classmethod
    def from_ghz(cls, s: Any, a_ghz: Any, b_ghz: Any, *, name: str = "custom") -> "EnergyScales":
        """Return the scales of a processor with H/h = A(s)/2 transverse + B(s)/2 problem, A and B in GHz.

        They are pi A and pi B, in rad/ns: times are in ns.
        """
        a, b = real_numbers("a_ghz", a_ghz), real_numbers("b_ghz", b_ghz)
        return cls(s=s, transverse=np.pi * a, problem=np.pi * b, time_unit="ns", name=name)

    @classmethod
    def load(cls, path: str | Path, *, sheet: str | None = None) -> "EnergyScales":
        """Read the table that a vendor publishes of a processor: columns s, A(s) (GHz) and B(s) (GHz).

        No table comes with this package. D-Wave's documentation offers one for each processor.

        Parameters
        ----------
        path : str or Path
            A CSV file, or a spreadsheet (.xlsx; needs the extra `dynamics`). A row whose cells hold these three heads
            stands above the numbers.
        sheet : str, optional
            Of a spreadsheet; None takes the first one that has such a table.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it cannot be read, there is no such table in it, the table's unit is another, or its numbers break the
            rules of this class.
        MissingDependencyError
            If a spreadsheet is given and openpyxl is not installed.
        """
        path = Path(path)
        if path.suffix.lower() == ".xlsx":
            tables = _spreadsheet(path, sheet)
        elif sheet is not None:
            msg = f"sheet goes with a spreadsheet (.xlsx); got {sheet!r} with {path}"
            raise ValueError(msg)
        else:
            tables = _csv(path)
        for rows in tables:
            if (found := _table(rows, path)) is not None:
                try:
                    return cls.from_ghz(*_numbers(found), name=path.name)
                except ValueError as error:
                    msg = f"{error}, in the annealing table of {path}"
                    raise ValueError(msg) from None
        msg = f"an annealing table has columns headed s, A(s) (GHz) and B(s) (GHz); found none in {path}"
        raise ValueError(msg)

    def at(self, s: Any) -> tuple[Any, Any]:
        """Return (transverse, problem) at `s`, a number or an array of any shape, from 0 to 1."""
        values = check_real("s", s)
        if not ((values >= 0) & (values <= 1)).all():
            msg = f"s is from 0 to 1; got {s!r}"
            raise ValueError(msg)
        return np.interp(values, self.s, self.transverse), np.interp(values, self.s, self.problem)

    def beta_at(self, s: float, temperature_mk: float) -> float:
        """Return beta of the problem in its own units at `s` and a temperature in mK: h B(s) / (2 k_B T).

        Raises
        ------
        ValueError
            If the scales are not a processor's, or the temperature is not above 0.
        """
        check_number("temperature_mk", temperature_mk, low=0.0, open_low=True)
        if self.time_unit != "ns":
            msg = "a temperature in mK goes with scales in GHz, those of from_ghz or load; got scales in 1/energy"
            raise ValueError(msg)
        return float(self.at(s)[1]) / thermal_rate(temperature_mk)


def thermal_rate(temperature_mk: float) -> float:
    """Return k_B T / hbar in rad/ns (h / k_B = 47.9924 mK/GHz, CODATA 2018)."""
    return 2 * np.pi * temperature_mk / 47.99243073


def _csv(path: Path) -> Iterator[list[Sequence[Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file, _naming_damage(path):
        rows: list[Sequence[Any]] = list(csv.reader(file))
    yield rows


def _spreadsheet(path: Path, sheet: str | None) -> Iterator[list[Sequence[Any]]]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        msg = f"a spreadsheet is read by openpyxl; install annealnn[dynamics], or save {path} as CSV"
        raise MissingDependencyError(msg) from None
    with path.open("rb") as file:
        with _naming_damage(path):
            # data_only: what formulas came to
            book = load_workbook(file, read_only=True, data_only=True)
        tables = {table.title: table for table in book.worksheets}
        if sheet is not None and sheet not in tables:
            msg = f"sheet is one of {', '.join(map(repr, tables))}; got {sheet!r}"
            raise ValueError(msg)
        for name in [sheet] if sheet is not None else tables:
            with _naming_damage(path):
                rows = list(tables[name].iter_rows(values_only=True))
            yield rows


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever a reader of files trips over in one that is none of its kind
        msg = (
            f"an annealing table is read from a CSV file in UTF-8 or from a spreadsheet (.xlsx); got {path}, which is "
            f"neither, or damaged ({type(error).__name__}: {error}). Save it anew as one of these"
        )
        raise ValueError(msg) from error


def _table(rows: list[Sequence[Any]], path: Path) -> list[list[Any]] | None:
    """Return rows of (s, A, B) below the heads, or None if there are none."""
    for number, row in enumerate(rows):
        words = [str(cell or "").strip().lower().partition(" ") for cell in row]
        heads = [head for head, _, _ in words]
        if all(head in heads for head in _COLUMNS):
            where = [heads.index(head) for head in _COLUMNS]
            units = [words[k][2] for k in where[1:]]
            if any(unit and "ghz" not in unit for unit in units):
                msg = (
                    f"A(s) and B(s) of an annealing table are in GHz; got the heads {[row[k] for k in where]} in {path}"
                )
                raise ValueError(msg)
            below = ([row[k] if k < len(row) else None for k in where] for row in rows[number + 1 :])
            return [cells for cells in below if any(cell not in (None, "") for cell in cells)]
    return None


def _numbers(rows: list[list[Any]]) -> Floats:
    for row in rows:
        for cell in row:
            try:
                float(cell)
            except (TypeError, ValueError):
                msg = f"below the heads stand numbers; got {cell!r} in the row {row!r}"
                raise ValueError(msg) from None
    return np.array([[float(cell) for cell in row] for row in rows]).reshape(-1, 3).T
