"""A(s) and B(s): their rules, their files, and the beta they stand for."""

import copy
import pickle
import sys
import zipfile

import numpy as np
import openpyxl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from annealnn.exceptions import MissingDependencyError
from annealnn.schedules import Drive, EnergyScales
from annealnn.schedules._scales import thermal_rate

S, A, B = [0.0, 0.4, 1.0], [6.0, 1.5, 0.0], [0.1, 4.0, 12.5]
VENDOR_HEADS = ["s", "A(s) (GHz)", "B(s) (GHz)", "C (normalized)"]
VENDOR_ROWS = [[s, a, b, 0.25] for s, a, b in zip(S, A, B, strict=True)]


def as_csv(rows):
    return "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def write_book(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def assert_is_the_table(scales):
    assert_array_equal(scales.s, S)
    assert_allclose(scales.transverse, np.pi * np.array(A))
    assert_allclose(scales.problem, np.pi * np.array(B))
    assert scales.time_unit == "ns"


# -- the class ------------------------------------------------------------------------------------


def test_linear_is_one_minus_s_and_s():
    scales = EnergyScales.linear()
    transverse, problem = scales.at(np.linspace(0, 1, 11))
    assert_allclose(transverse, 1 - np.linspace(0, 1, 11))
    assert_allclose(problem, np.linspace(0, 1, 11))
    assert (scales.time_unit, scales.name) == ("1/energy", "linear")


def test_ghz_become_rad_per_ns():
    # H/hbar = 2 pi (A/2, B/2) rad/ns
    scales = EnergyScales.from_ghz(S, A, B, name="mine")
    assert_is_the_table(scales)
    assert scales.name == "mine"
    assert_allclose(scales.at(0.2), (np.pi * 3.75, np.pi * 2.05))
    assert [values.shape for values in scales.at(np.full((2, 3), 0.5))] == [(2, 3), (2, 3)]


def test_arrays_are_kept_apart_from_the_caller_s():
    given = np.array(A)
    scales = EnergyScales(s=S, transverse=given, problem=B)
    given[0] = 99
    assert scales.transverse[0] == 6
    with pytest.raises(ValueError, match="read-only"):
        scales.transverse[0] = 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"s": [0, 0.4, 0.9]}, "s runs from 0 to 1, both ends included; got 0 to 0.9"),
        ({"s": [0.1, 0.4, 1]}, "s runs from 0 to 1, both ends included; got 0.1 to 1"),
        ({"s": [0, 0, 1]}, "s rise from each point to the next; got 0 and then 0"),
        ({"s": [0, 1]}, "there are as many of s, transverse, problem; got 2 s, 3 transverse, 3 problem"),
        ({"s": [0]}, "s is a sequence of at least 2 numbers"),
        ({"transverse": [1, -0.5, 0]}, "transverse scales are at least 0; got -0.5 at s = 0.4"),
        ({"problem": [0, 1, -2]}, "problem scales are at least 0; got -2 at s = 1"),
        ({"problem": [0, 1j, 2]}, "problem holds real numbers; got complex"),
        ({"problem": [0, np.nan, 2]}, "problem holds finite numbers; got nan at 1"),
        ({"problem": [0, "high", 2]}, "problem holds numbers; got "),
        ({"problem": [[0, 1, 2]]}, r"problem is a sequence of at least 2 numbers; got an array of shape \(1, 3\)"),
        ({"time_unit": "us"}, "time_unit is one of '1/energy', 'ns'; got 'us'"),
    ],
)
def test_bad_scales(changed, message):
    with pytest.raises(ValueError, match=message):
        EnergyScales(**({"s": S, "transverse": A, "problem": B} | changed))


@pytest.mark.parametrize("s", [-0.1, 1.1, np.nan, [0.5, 2]])
def test_s_outside(s):
    with pytest.raises(ValueError, match="s is from 0 to 1; got"):
        EnergyScales.linear().at(s)


def test_beta_is_h_b_over_two_k_t():
    scales = EnergyScales.from_ghz(S, A, B)
    for s, b_ghz in [(0.4, 4.0), (1.0, 12.5), (0.7, 8.25)]:
        assert_allclose(scales.beta_at(s, 15.0), 47.99243 * b_ghz / (2 * 15.0), rtol=1e-6)
    # k_B T / hbar, by the constants themselves
    assert_allclose(thermal_rate(20.0), 1.380649e-23 * 20e-3 / 1.054571817e-34 * 1e-9, rtol=1e-8)


def test_beta_needs_a_processor_s_scales():
    with pytest.raises(ValueError, match="a temperature in mK goes with scales in GHz, those of from_ghz or load"):
        EnergyScales.linear().beta_at(0.5, 15.0)
    for temperature in (0, -3.0, np.inf):
        with pytest.raises(ValueError, match=f"temperature_mk is a finite number, above 0; got {temperature}"):
            EnergyScales.from_ghz(S, A, B).beta_at(0.5, temperature)
    with pytest.raises(ValueError, match="s is from 0 to 1; got"):
        EnergyScales.from_ghz(S, A, B).beta_at(1.5, 15.0)


@pytest.mark.parametrize(
    "build",
    [
        lambda last: EnergyScales(s=S, transverse=A, problem=[*B[:2], last]),
        lambda last: Drive(times=S, transverse=A, problem=[*B[:2], last]),
    ],
)
def test_compared_copied_and_pickled_by_value(build):
    one, same, other = build(1.0), build(1.0), build(1.5)
    assert one == same
    assert hash(one) == hash(same)
    assert build(0.0) == build(-0.0)
    assert hash(build(0.0)) == hash(build(-0.0))
    assert one != other
    assert one != "one"
    for twin in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one), copy.copy(one)):
        assert twin == one
        assert not twin.problem.flags.writeable


def test_scales_and_a_drive_of_the_same_numbers_differ():
    assert EnergyScales.linear() != Drive(times=[0, 1], transverse=[1, 0], problem=[0, 1])
    assert EnergyScales.linear() != EnergyScales(s=[0, 1], transverse=[1, 0], problem=[0, 1], name="custom")


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heads", "rows"),
    [
        (["s", "A(s) (GHz)", "B(s) (GHz)"], [row[:3] for row in VENDOR_ROWS]),
        (VENDOR_HEADS, VENDOR_ROWS),
        (["B(s) (GHz)", "note", " S ", "a(s) [ghz]"], [[b, "x", s, a] for s, a, b, _ in VENDOR_ROWS]),
        (["s", "A(s)", "B(s)"], VENDOR_ROWS),
    ],
)
def test_reads_csv_by_the_heads(tmp_path, heads, rows):
    path = tmp_path / "table.csv"
    path.write_text(as_csv([heads, *rows]), encoding="utf-8")
    scales = EnergyScales.load(path)
    assert_is_the_table(scales)
    assert scales.name == "table.csv"
    assert EnergyScales.load(str(path)) == scales


@pytest.mark.parametrize("title", ["", "Standard anneal,,,\n\n"])
def test_reads_csv_as_spreadsheets_save_it(tmp_path, title):
    """A byte-order mark, blank lines, carriage returns, quoted cells; perhaps a title."""
    path = tmp_path / "saved.CSV"
    text = title + as_csv([VENDOR_HEADS, VENDOR_ROWS[0], [None] * 4, *VENDOR_ROWS[1:]]) + ",,,\n\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("6.0", '"6.0"').replace("\n", "\r\n").encode())
    assert_is_the_table(EnergyScales.load(path))


def test_reads_a_spreadsheet(tmp_path):
    path = write_book(
        tmp_path / "table.xlsx",
        notes=[["Read me"], [], [3.5, None, "s"]],
        standard=[["of a processor"], [None, *VENDOR_HEADS], *([None, *row] for row in VENDOR_ROWS), []],
        fast=[VENDOR_HEADS, [0, 1, 2, 3], [1, 4, 5, 6]],
    )
    assert_is_the_table(EnergyScales.load(path))
    assert_is_the_table(EnergyScales.load(path, sheet="standard"))
    assert_allclose(EnergyScales.load(path, sheet="fast").problem, [2 * np.pi, 5 * np.pi])
    with pytest.raises(ValueError, match="sheet is one of 'notes', 'standard', 'fast'; got 'slow'"):
        EnergyScales.load(path, sheet="slow")
    with pytest.raises(ValueError, match=r"found none in .*table.xlsx"):
        EnergyScales.load(path, sheet="notes")


def test_a_spreadsheet_needs_openpyxl(tmp_path, monkeypatch):
    path = write_book(tmp_path / "table.xlsx", one=[VENDOR_HEADS, *VENDOR_ROWS])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingDependencyError, match=r"install annealnn\[dynamics\], or save .*table.xlsx as CSV"):
        EnergyScales.load(path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"columns headed s, A\(s\) \(GHz\) and B\(s\) \(GHz\); found none in .*table"),
        ([["s", "A(s) (GHz)"], [0, 1], [1, 0]], "found none in"),
        ([VENDOR_HEADS], r"at least 2 numbers; got an array of shape \(0,\), in the annealing table of .*table"),
        (
            [VENDOR_HEADS, [0, 1, 2], [0.5, "high", 3], [1, 0, 4]],
            "below the heads stand numbers; got 'high' in the row",
        ),
        (
            [VENDOR_HEADS, [0, 1, 2], [0.5, None, 3], [1, 0, 4]],
            "below the heads stand numbers; got (None|'') in the row",
        ),
        ([VENDOR_HEADS, [0, 1, 2], [0.5], [1, 0, 4]], "below the heads stand numbers; got None in the row"),
        ([VENDOR_HEADS, [0, 1, 2], [0.9, 0, 4]], "both ends included; got 0 to 0.9, in the annealing table of"),
        ([VENDOR_HEADS, [0, -1, 2], [1, 0, 4]], "transverse scales are at least 0; got -3.14"),
        ([["s", "A(s) (J)", "B(s) (J)"], [0, 1, 2], [1, 0, 4]], r"are in GHz; got the heads \['s', 'A\(s\) \(J\)'"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_bad_tables(tmp_path, rows, message, kind):
    path = tmp_path / f"table.{kind}"
    if kind == "csv":
        path.write_text(as_csv(rows), encoding="utf-8")
    else:
        write_book(path, one=rows)
    with pytest.raises(ValueError, match=message):
        EnergyScales.load(path)


def damaged(path):
    """A spreadsheet whose sheet breaks off."""
    write_book(path, one=[VENDOR_HEADS, *VENDOR_ROWS])
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)


def test_files_of_another_kind(tmp_path):
    message = "read from a CSV file in UTF-8 or from a spreadsheet .*neither, or damaged .* Save it anew"
    text, binary, empty_zip, broken = (tmp_path / name for name in ("a.xlsx", "b.xls", "c.xlsx", "d.xlsx"))
    text.write_text("s,A(s),B(s)\n0,1,2\n")
    binary.write_bytes(bytes(range(256)))
    empty_zip.write_bytes(b"PK\x05\x06" + bytes(18))
    damaged(broken)
    for path in (text, binary, empty_zip, broken):
        with pytest.raises(ValueError, match=message):
            EnergyScales.load(path)


@pytest.mark.parametrize("name", ["none.csv", "none.xlsx"])
def test_no_file(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        EnergyScales.load(tmp_path / name)


def test_a_sheet_of_a_csv_file(tmp_path):
    with pytest.raises(ValueError, match=r"sheet goes with a spreadsheet \(.xlsx\); got 'one' with .*table.csv"):
        EnergyScales.load(tmp_path / "table.csv", sheet="one")
