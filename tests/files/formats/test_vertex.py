"""Files of Vertex AI: uses, texts elsewhere, and what is left out."""

from typing import Any

import pytest

from tests.files.formats.reading import read_format, sniff_all, told
from tests.files.formats.telling import left_out, notes
from tests.files.formats.vertex_samples import USE, lines, one, row, several


def test_snake_case_is_read_as_well() -> None:
    given = {
        "text_content": "a",
        "classification_annotation": {"display_name": "x"},
        "data_item_resource_labels": {USE: "TEST"},
    }
    assert told(read_format("vertex", lines(given))) == [("a", ("x",), "test")]
    assert sniff_all(lines(given), "data.jsonl")["vertex"] == 1.0


def test_a_text_in_a_bucket_is_left_out_with_its_address() -> None:
    why = "its text is a file in a bucket, 'gs://b/1.txt', which is not fetched. Write the text in its place."
    assert left_out("vertex", lines(row("a", **one("x")), {"textGcsUri": "gs://b/1.txt", **one("x")})) == [
        (2, why, True)
    ]
    assert left_out("vertex", b"TRAIN,gs://b/1.txt,x\nTEST,some text,y\n") == [(1, why, True)]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (row("a", "holdout", **one("x")), "its ml_use is 'holdout', none of training, validation and test."),
        ({**one("x")}, "the text is missing."),
        ({"textContent": {}, **one("x")}, "the text is an object."),
        ({"textContent": "a", "textGcsUri": "b", "classificationAnnotation": []}, "a label is null, no text."),
        ({"textContent": "a", "classificationAnnotation": {"displayName": 1.5}}, "a label is a number, no text."),
        ({"textContent": "a", "classificationAnnotations": {}}, "a label is an object, no text."),
        ({"textContent": "a", "classificationAnnotations": [3]}, "a label is null, no text."),
    ],
)
def test_a_broken_row_is_left_out_with_the_reason(given: dict[str, Any], why: str) -> None:
    [(place, told_why, is_wrong)] = left_out("vertex", lines(row("a", **one("x")), given))
    assert (place, is_wrong) == (2, True)
    assert told_why.startswith(why)


def test_labels_of_resources_that_are_no_object_say_nothing() -> None:
    given = {"textContent": "a", "dataItemResourceLabels": ["test"], **several("x")}
    assert told(read_format("vertex", lines(given))) == [("a", ("x",))]
    assert left_out("vertex", lines(given) + b"3\n")[0][1] == (
        "a row is a number; it must be an object. Correct or remove it."
    )


def test_a_row_of_a_table_without_its_use_is_left_out() -> None:
    content = b"TRAIN,a b c,x\n" * 1_001 + b"HOLDOUT,d e f,x\n"
    assert left_out("vertex", content)[0][1].startswith("it begins with 'HOLDOUT', none of TRAIN, VALIDATION")


def test_a_text_without_labels_is_one_that_nobody_labelled() -> None:
    assert told(read_format("vertex", b"TRAIN,some text,\nTEST,other text,y\n")) == [
        ("some text", None, "train"),
        ("other text", ("y",), "test"),
    ]


def test_in_a_table_of_two_columns_the_place_of_the_label_is_told() -> None:
    content = b"some text,x\nother text,y\nmore text,x\n"
    assert told(read_format("vertex", content))[0] == ("some text", ("x",))
    assert "Column 2, the last one, is taken for the label" in notes("vertex", content)[0]
    assert notes("vertex", b"TRAIN,some text,x\n") == []


def test_rows_with_a_blank_use_do_not_make_a_label_of_the_text() -> None:
    content = b"TRAIN,some text,x\n,more text,y\nTEST,other text,y\n"
    assert told(read_format("vertex", content)) == [
        ("some text", ("x",), "train"),
        ("more text", ("y",)),
        ("other text", ("y",), "test"),
    ]


def test_a_row_that_lacks_its_use_is_left_out_and_the_others_keep_their_texts() -> None:
    content = b"TRAIN,some text,x\nmore text,y\nTEST,other text,y\n"
    assert told(read_format("vertex", content)) == [("some text", ("x",), "train"), ("other text", ("y",), "test")]
    [(place, why, is_wrong)] = left_out("vertex", content)
    assert (place, is_wrong) == (2, True)
    assert why.startswith("it begins with 'more text', none of TRAIN")
