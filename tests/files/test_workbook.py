"""Workbooks: which sheet is read, what its cells say, and what is told of it."""

import datetime
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.files.formats.label_studio_samples import annotated, task
from tests.files.workbooks import Cell, date, fault, formula, sheet_xml, workbook
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.inspection import InspectRequest
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source
from windrow.files.inspecting import InspectionLimits, inspect_file
from windrow.files.reading import open_table, read_rows
from windrow.files.workbook import cell_text, read_workbook
from windrow.settings import Settings

ROWS: list[list[Cell]] = [["text", "label"], ["I was charged twice", "billing"], ["The app crashes", "technical"]]


def saved(folder: Path, content: bytes, name: str = "mails.xlsx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(content: bytes, options: ReadOptions | None = None) -> list[list[str]]:
    source = Source("mails.xlsx", io.BytesIO(content))
    sheet = None if options is None else options.sheet
    return [row for _, row in read_workbook(source, sheet, lambda names: "text" in names)]


def test_a_workbook_is_read_as_a_table_of_texts_and_labels(tmp_path: Path) -> None:
    rows = list(read_rows(saved(tmp_path, workbook(ROWS)), labelled=True))
    assert [(row.line, row.text, row.label) for row in rows] == [
        (2, "I was charged twice", "billing"),
        (3, "The app crashes", "technical"),
    ]


def test_a_workbook_is_told_by_its_bytes_whatever_it_is_called(tmp_path: Path) -> None:
    for name in ("mails.csv", "mails.xls", "mails", "mails.txt"):
        with open_table(saved(tmp_path, workbook(ROWS), name)) as table:
            assert (table.format, table.names) == ("xlsx", ("text", "label"))


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    options = ReadOptions(header=False, text_column=("1",), label_column="2")
    rows = list(read_rows(saved(tmp_path, workbook(ROWS[1:])), options, labelled=True))
    assert [row.label for row in rows] == ["billing", "technical"]


def test_cells_say_what_excel_shows() -> None:
    sheet: list[list[Cell]] = [
        [1.0, 2.5, 0.1 + 0.2, -3.0, 12345678901.0],
        [True, False, date(45000), date(45000.75, 2), date(0.25, 3)],
        [formula("1+1", "2", "n"), formula('"a"&"b"', "ab"), fault("#N/A"), " a b ", "two\nlines"],
    ]
    assert read(workbook(sheet)) == [
        ["1", "2.5", "0.3", "-3", "12345678901"],
        ["TRUE", "FALSE", "2023-03-15", "2023-03-15 18:00:00", "06:00:00"],
        ["2", "ab", "#N/A", " a b ", "two\nlines"],
    ]


def test_a_formula_that_was_never_worked_out_is_a_blank_cell() -> None:
    assert read(workbook([["text", "n"], ["one", formula("A1")]])) == [["text", "n"], ["one", ""]]


def test_durations_and_large_numbers_have_texts() -> None:
    assert cell_text(datetime.timedelta(hours=26, minutes=3)) == "1 day, 2:03:00"
    assert cell_text(1e300) == "1e+300"
    assert cell_text(None) == ""


def test_empty_rows_and_columns_around_a_table_are_left_out(tmp_path: Path) -> None:
    padded: list[list[Cell]] = [[], [], [None, *ROWS[0]], [], [None, *ROWS[1]], [None, None, None], [None, *ROWS[2]]]
    rows = list(read_rows(saved(tmp_path, workbook(padded)), labelled=True))
    assert [(row.line, row.label) for row in rows] == [(5, "billing"), (7, "technical")]


def test_a_merged_cell_holds_its_value_once_as_excel_saves_it_as_csv(tmp_path: Path) -> None:
    merged = workbook(
        sheet_xml(
            [*ROWS[:2], ["The invoice is wrong", None]],
            tail='<mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>',
        )
    )
    with pytest.raises(InvalidFile, match=r"mails\.xlsx, row 3: the label is blank"):
        list(read_rows(saved(tmp_path, merged), labelled=True))


def test_the_only_sheet_with_rows_is_read_and_hidden_ones_are_not() -> None:
    content = workbook([], ROWS, ROWS, names=["Empty", "Mails", "Old"], hidden=["Old"])
    assert len(read(content)) == 3


def test_of_several_sheets_the_only_one_with_the_columns_is_read(tmp_path: Path) -> None:
    notes: list[list[Cell]] = [["How this was made"], ["By hand"]]
    rows = list(read_rows(saved(tmp_path, workbook(notes, ROWS)), labelled=True))
    assert [row.label for row in rows] == ["billing", "technical"]


def test_several_sheets_with_the_columns_are_asked_about(tmp_path: Path) -> None:
    path = saved(tmp_path, workbook(ROWS, ROWS[:2], [["other"]], names=["May", "June", "Notes"]))
    with pytest.raises(InvalidFile, match=r"several sheets with rows, 'May', 'June'\. Name the one") as refused:
        list(read_rows(path, labelled=True))
    assert refused.value.facts["parameter"] == "sheet"
    assert len(list(read_rows(path, ReadOptions(sheet="june"), labelled=True))) == 1


def test_a_sheet_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidFile, match=r"there is no sheet 'Mai'\. Its sheets are 'May'"):
        read(workbook(ROWS, names=["May"]), ReadOptions(sheet="Mai"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("rows.csv", "text,label\na,A\n"), ("tasks.json", json.dumps([task(1, "a", annotated("A"))]))],
)
def test_a_sheet_of_what_is_no_workbook_is_refused(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InvalidFile, match="no workbook, so it has no sheet May") as refused:
        list(read_rows(path, ReadOptions(sheet="May"), labelled=True))
    assert refused.value.facts["parameter"] == "sheet"


def test_a_sheet_of_a_tools_folder_is_refused(tmp_path: Path) -> None:
    for intent in ("greet", "leave"):
        content = f'version: "3.1"\nnlu:\n- intent: {intent}\n  examples: |\n    - {intent} you\n'
        (tmp_path / f"{intent}.yml").write_text(content)
    assert [row.label for row in read_rows(tmp_path, ReadOptions(format="rasa"), labelled=True)] == ["greet", "leave"]
    with pytest.raises(InvalidFile, match="no workbook, so it has no sheet May"):
        list(read_rows(tmp_path, ReadOptions(format="rasa", sheet="May"), labelled=True))


def test_a_hidden_sheet_is_read_where_it_is_named() -> None:
    assert len(read(workbook(ROWS, ROWS[:1], names=["A", "B"], hidden=["B"]), ReadOptions(sheet="B"))) == 1


def test_an_error_of_a_formula_is_no_text_and_no_label(tmp_path: Path) -> None:
    path = saved(tmp_path, workbook([*ROWS, ["A text", fault("#REF!")]]))
    with pytest.raises(InvalidFile, match=r"row 4: the label is #REF!, which Excel shows"):
        list(read_rows(path, labelled=True))


def test_a_workbook_without_rows_is_refused() -> None:
    with pytest.raises(InvalidFile, match=r"there is nothing in it\. Name a file with rows"):
        read(workbook([]))


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(InvalidParameter, match=r'pip install "windrow\[xlsx\]"'):
        read(workbook(ROWS))


def inspected(content: bytes, **options: object) -> object:
    request = InspectRequest(filename="mails.xlsx", **options)  # type: ignore[arg-type]
    return inspect_file(io.BytesIO(content), request, InspectionLimits(Settings().limits, 1_000_000, "X"))


def test_an_inspection_tells_the_sheets_and_asks_which_one_is_meant() -> None:
    content = workbook(ROWS, ROWS, names=["May", "June"])
    found = inspected(content)
    assert [each.parameter for each in found.questions] == ["sheet"]  # type: ignore[attr-defined]
    assert (found.sheets, found.sheet, found.rows) == (("May", "June"), None, ())  # type: ignore[attr-defined]
    answered = inspected(content, sheet="June")
    assert (answered.format, answered.sheet, answered.questions) == ("xlsx", "June", ())  # type: ignore[attr-defined]
    assert answered.rows_per_label == {"billing": 1, "technical": 1}  # type: ignore[attr-defined]


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9).map(float),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="_"), min_size=1, max_size=8),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_what_is_written_is_read_again(rows: Sequence[Sequence[Cell]]) -> None:
    shown = [[cell_text(cell) for cell in row] for row in rows]
    wanted = [row for row in shown if any(row)]
    if not wanted:
        return
    first = min(place for row in wanted for place, cell in enumerate(row) if cell)
    last = max(place for row in wanted for place, cell in enumerate(row) if cell)
    assert read(workbook(rows)) == [row[first : last + 1] for row in wanted]
