"""What the JSON formats of tools share: named texts, labels of any number, and files of which the texts alone count."""

import json

import pytest

from tests.files.formats.argilla_samples import record
from tests.files.formats.label_studio_samples import annotated, task
from tests.files.formats.mistral_samples import SEVERAL_TARGETS
from tests.files.formats.openai_samples import chat
from tests.files.formats.prodigy_samples import BINARY
from tests.files.formats.reading import opened, told
from windrow.domain.read_options import ReadOptions
from windrow.files.formats.registry import format_called
from windrow.files.formats.row_parts import (
    NoExample,
    fitting_labels,
    labels_of,
    parsed_cell,
    text_asked,
    value_at,
)

SPANS = '{"id": 1, "text": "Anna", "label": [[0, 4, "PERSON"]]}\n'
RESPONSES = {name: [{"value": "A", "user_id": "u"}] for name in ("topic", "mood")}
BOTH = annotated("A")
BOTH["result"] += annotated("B", control="priority")["result"]
PROSE = "You can change that in your profile, right below your picture."
CSV_OF_TWO = "annotation_id,annotator,lead_time,mood,priority,text\n1,1,2.0,A,B,hello\n"


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("label_studio", json.dumps([task(1, "a", BOTH), task(2, "b", annotated("A", was_cancelled=True))]), "a b"),
        ("label_studio", CSV_OF_TWO, "hello"),
        ("doccano", SPANS, "Anna"),
        ("prodigy", BINARY.splitlines()[1], "The_box_was_empty"),
        ("argilla", json.dumps([record(1, "a", responses=RESPONSES)]), "a"),
        ("openai", json.dumps([chat("a", PROSE), chat("b", "x", weight=0)]), "a b"),
        ("mistral", SEVERAL_TARGETS.splitlines()[1], "Refund_please"),
        ("spacy", '{"text": "a", "cats": "none"}', "a"),
        ("system_one", '{"state": "a", "questions": {"q": {"label": 1}, "r": {"label": 2}}}', "a"),
        ("cohere", '{"text": "a", "label": {}}', "a"),
    ],
)
def test_where_texts_alone_are_wanted_nothing_is_asked_or_refused_about_labels(
    name: str, content: str, texts: str
) -> None:
    format_ = format_called(name)
    assert format_ is not None
    with opened(content.encode()) as document:
        document.wants_labels = False
        rows = list(format_.read(document).rows)
    assert told(rows) == [(text.replace("_", " "), None) for text in texts.split()]


def test_a_path_is_a_key_or_keys_with_dots_between() -> None:
    row = {"a": {"b": 1}, "a.c": 2}
    assert [value_at(row, path) for path in ("a.b", "a.c", "a.d", "a.b.c", "x")] == [1, 2, None, None, None]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (("body",), "b"),
        (("subject", "body"), "s\n\nb"),
        (("subject,body",), "s\n\nb"),
        (("subject, blank,body",), "s\n\nb"),
        (("subject", "none"), "s"),
        (("in.text", "body"), "t\n\nb"),
        (("none",), None),
        (("number", "body"), 3),
        (("x,y",), "with a comma"),
    ],
)
def test_named_texts_are_joined_by_a_blank_line(asked: tuple[str, ...], text: object) -> None:
    row = {"subject": "s", "body": "b", "blank": " ", "number": 3, "in": {"text": "t"}, "x,y": "with a comma"}
    assert text_asked(row, ReadOptions(text_column=asked)) == text


def test_labels_are_distinct_and_without_blanks_around_them() -> None:
    assert labels_of(["A ", "B", " A", 3]) == ["A", "B", "3"]
    assert labels_of("A") == ["A"]


@pytest.mark.parametrize("value", [None, " ", [None], [["A"]], {"A": 1}, True, 0.5])
def test_what_is_no_label_makes_a_row_wrong(value: object) -> None:
    with pytest.raises(NoExample) as raised:
        labels_of(value)
    assert raised.value.is_wrong


def test_how_many_labels_a_row_may_have_the_options_say() -> None:
    assert fitting_labels(["A", "B"], ReadOptions(), why_none="none") == ["A", "B"]
    assert fitting_labels([], ReadOptions(labels_column="x"), why_none="none") == []
    for labels, options in (([], ReadOptions()), (["A", "B"], ReadOptions(label_column="x"))):
        with pytest.raises(NoExample):
            fitting_labels(labels, options, why_none="none")


def test_a_cell_is_json_only_where_it_is_an_object_or_a_list() -> None:
    cells = ['{"choices": ["A"]}', '["A"]', "A", "3", "{A", "[" * 5_000, None]
    assert [parsed_cell(cell) for cell in cells] == [{"choices": ["A"]}, ["A"], *cells[2:]]
