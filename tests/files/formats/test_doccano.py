"""Exports of doccano: where labels stand in its releases, what nobody labelled, and labels of parts of texts."""

import json

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.doccano_samples import JSON, JSONL, zipped
from tests.files.formats.reading import read_format, sniff_all, told
from windrow.domain.errors import InvalidFile

rows_of = reader_of("doccano")


def test_a_row_keeps_its_line_its_number_and_its_form() -> None:
    first, second, _ = rows_of(JSONL, "all.jsonl")
    assert [(row.place, row.id) for row in (first, second)] == [(1, "31"), (2, "32")]
    assert first.values == {"id": 31, "text": "The delivery was fast", "label": ["positive"], "Comments": []}


def test_a_row_without_labels_is_left_out_unless_rows_may_have_none() -> None:
    [(text, why, is_wrong)] = left_out(rows_of(JSONL))
    assert (text, is_wrong) == ("Nobody looked at this one", False)
    assert why.startswith("nobody has labelled it, or none of the labels fits. If a text may have any number")
    assert told(rows_of(JSONL, labels_column="label"))[-1] == ("Nobody looked at this one", ())


def test_several_labels_are_wrong_where_one_was_asked_for() -> None:
    [(_, why, is_wrong)] = left_out(rows_of([{"id": 1, "text": "a", "label": ["A", "B"]}], label_column="label"))
    assert is_wrong
    assert "'A', 'B'" in why


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "text": "Anna lives in Rome", "label": [[0, 4, "PERSON"], [14, 18, "PLACE"]]},
        {"id": 1, "text": "Anna lives in Rome", "labels": [[0, 4, "PERSON"]]},
        {"id": 1, "text": "Anna", "entities": [{"id": 1, "label": "PERSON", "start_offset": 0, "end_offset": 4}]},
        {"id": 1, "text": "Anna", "entities": [], "relations": [], "Comments": []},
    ],
)
def test_labels_of_parts_of_texts_are_refused_in_a_sentence(row: object) -> None:
    message, parameter = refused(rows_of, [row])
    assert "its labels mark parts of the texts (sequence labelling)" in message
    assert parameter is None


def test_a_file_of_spans_is_known_as_that_of_doccano_so_that_the_sentence_is_told() -> None:
    assert sniff_all(b'{"id": 1, "text": "Anna", "label": [[0, 4, "PERSON"]]}\n', "admin.jsonl")["doccano"] >= 0.8


@pytest.mark.parametrize(
    "row",
    [
        b'{"text": "a", "label": "A"}\n',
        b'{"text": "a", "label": ["A"]}\n',
        b'{"text": "a", "labels": ["A", "B"]}\n',
        b'{"id": 1, "text": "a", "label": "A"}\n',
        b'{"id": 1, "text": "a", "label": ["A"], "team": 3}\n',
    ],
)
def test_what_anybody_writes_is_not_taken_for_doccanos(row: bytes) -> None:
    assert sniff_all(row, "rows.jsonl").get("doccano", 0) < 0.6


def test_numbers_of_labels_in_place_of_their_names_are_refused() -> None:
    row = {"id": 1, "text": "a", "annotations": [{"label": 3, "user": 1}], "meta": {}, "annotation_approver": None}
    assert "numbers of labels without their names" in refused(rows_of, [row])[0]
    assert told(rows_of([{**row, "annotations": []}])) == [("a", None)]


def test_text_and_labels_may_be_named() -> None:
    rows = [{"id": 1, "text": "x", "body": "a", "label": ["A"], "team": "T", "Comments": []}]
    assert told(rows_of(rows, text_column=("body",), label_column="team")) == [("a", ("T",))]
    assert told(rows_of([{"id": 1, "data": "a", "label": ["A"]}])) == [("a", ("A",))]


def by(*labels: list[str]) -> str:
    """Return texts that somebody labelled, as JSONL."""
    return jsonl(*({"id": place, "text": f"text {place}", "label": each} for place, each in enumerate(labels, 1)))


def jsonl(*rows: object) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def test_what_several_people_labelled_counts_together() -> None:
    content = zipped(ann=by(["A"], ["A"], [], ["A"]), bob=by(["A"], ["B"], ["B"], []), cy=by(["B"], [], [], []))
    rows = read_format("doccano", content, "export.zip")
    assert told(rows) == [("text 1", ("A",)), ("text 3", ("B",)), ("text 4", ("A",))]
    assert left_out(rows) == [("text 2", "its 2 annotators differ, and no choice is that of most: A, B.", False)]
    rows = read_format("doccano", content, "export.zip", annotators="refuse")
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True, True]


def test_files_by_person_are_likely_doccanos_and_one_of_all_is() -> None:
    assert sniff_all(zipped(all=JSONL))["doccano"] >= 0.8
    assert 0.5 < sniff_all(zipped(ann=JSONL, bob=JSONL))["doccano"] < 0.8
    assert "doccano" not in sniff_all(zipped(**{"readme.txt": ""}))


@pytest.mark.parametrize("content", ["{", "[1", '{"id": 1} {}', "[" * 5_000])
def test_broken_json_in_a_zip_file_is_refused_with_its_line(content: str) -> None:
    with pytest.raises(InvalidFile) as raised:
        read_format("doccano", zipped(ann=f"{by(['A'])}\n{content}\n"))
    assert "the JSON in ann.jsonl, line 3, is broken" in str(raised.value)


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "label": ["A"]},
        {"id": 1, "text": None, "label": ["A"]},
        {"id": 1, "text": ["a"], "label": ["A"]},
        {"id": 1, "text": "", "label": ["A"]},
        {"id": 1, "text": "\ud800", "label": ["A"]},
        {"id": 1, "text": "a", "label": [None]},
        {"id": 1, "text": "a", "label": {"A": 1}},
        {"id": 1, "text": "a", "label": [True]},
        {"id": 1, "text": "a", "label": [[["A"]]]},
        {"id": 1, "text": "a", "label": [" "]},
        7,
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(row: object) -> None:
    rows = rows_of([row, JSON[1]])
    assert told(rows) == [("good morning", ("greeting",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]
