"""Rows of a labelled file that are wrong: left out, or the reason why the file is refused."""

import io
import json

import pytest

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.bad_rows import MAX_COUNTED_ROWS, MAX_TOLD_ROWS, BadRows
from windrow.files.decoding import Source
from windrow.files.labelled_files import LabelledFile, read_labelled_source


def read(content: bytes, bad: BadRows, options: ReadOptions | None = None, name: str = "rows") -> LabelledFile:
    return read_labelled_source(Source(name, io.BytesIO(content)), options or ReadOptions(), bad)


def left_out(file: LabelledFile) -> list[tuple[int, str]]:
    return [(row.place, row.template) for row in file.left_out.rows]


def test_a_broken_first_line_is_left_out_like_any_other() -> None:
    content = b'{"text": "a"\n{"text": "b", "label": "c"}\n[1]\n{"text": "d", "label": 1.5}\n'
    file = read(content, BadRows(are_skipped=True), name="rows.jsonl")
    assert [each.line for each in file.examples] == [2]
    assert [place for place, _ in left_out(file)] == [1, 3, 4]
    assert (file.left_out.num_rows, file.left_out.num_bad) == (3, 3)


def test_a_label_that_is_too_long_is_left_out_where_lengths_are_looked_at() -> None:
    content = f"text,label\na,{'b' * 257}\nc,d\n".encode()
    assert len(read(content, BadRows(are_skipped=True)).examples) == 2
    file = read(content, BadRows(are_skipped=True, max_text_chars=10))
    assert left_out(file) == [(2, "the label has {chars} characters; a label has at most {limit}. Shorten it.")]


def test_wrong_rows_of_a_tool_stand_among_those_that_are_no_examples() -> None:
    rows = [
        {"text": "a", "label": "b", "answer": "accept", "_input_hash": 1},
        {"text": "c", "label": "b", "answer": "reject", "_input_hash": 2},
        {"text": " ", "label": "b", "answer": "accept", "_input_hash": 3},
    ]
    file = read("".join(f"{json.dumps(row)}\n" for row in rows).encode(), BadRows(are_skipped=True), name="a.jsonl")
    assert file.format == "prodigy"
    assert [place for place, _ in left_out(file)] == [2, 3]
    assert (file.left_out.num_rows, file.left_out.num_bad) == (2, 1)


def test_a_row_of_no_known_part_is_not_trained_on() -> None:
    content = b"text,label,part\na,b,train\nc,d,tomorrow\n"
    file = read(content, BadRows(are_skipped=True), ReadOptions(split_column="part"))
    assert [each.line for each in file.examples] == [2]
    assert file.left_out.num_bad == 1


def test_a_question_about_the_file_refuses_it_all_the_same() -> None:
    with pytest.raises(InvalidFile, match="label"):
        read(b"text,a,b\nc,d,e\n", BadRows(are_skipped=True))


def test_damage_behind_a_wrong_row_is_not_told_in_its_place() -> None:
    content = b"text,label\n,a\n" + b"b,c\n" * 40_000 + b"\xff,d\n"
    with pytest.raises(InvalidFile, match="rows, line 2: the text is blank") as refused:
        read(content, BadRows())
    assert isinstance(refused.value.__cause__, InvalidFile)
    with pytest.raises(InvalidFile, match="is not UTF-8"):
        read(content, BadRows(are_skipped=True))


def test_the_first_hundred_by_place_are_kept() -> None:
    bad = BadRows(are_skipped=True)
    for line in range(300, 0, -1):
        bad.note_problem(InvalidFile("{file}, line {line}: why.", {"file": "rows", "line": line}))
    assert [row.place for row in bad.rows] == list(range(1, MAX_TOLD_ROWS + 1))
    assert bad.num_rows == 300


def test_behind_a_wrong_row_a_bounded_number_of_rows_is_counted() -> None:
    wrong = b"text,label\na,b\n" + b",b\n" * (2 * MAX_COUNTED_ROWS)
    with pytest.raises(InvalidFile, match=f"At least {MAX_COUNTED_ROWS:,} more rows are wrong; pass skip_bad_rows"):
        read(wrong, BadRows())
    right = b"text,label\n,b\n" + b"a,b\n" * (2 * MAX_COUNTED_ROWS) + b",b\n"
    with pytest.raises(InvalidFile, match=r"remove that row\. Pass skip_bad_rows=True"):
        read(right, BadRows())
