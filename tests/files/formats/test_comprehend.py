"""Files of AWS Comprehend: where the label stands, attributes of manifests, and what is refused."""

import json
from typing import Any

import pytest

from tests.files.formats.comprehend_samples import CSV, labelled, manifest, marked
from tests.files.formats.reading import opened, read_format, sniff_all, told
from tests.files.formats.telling import left_out, notes, refusal
from windrow.files.formats.comprehend import FORMAT

LAST = "I was charged twice,billing\nThe app crashes,technical\nRefund me please,billing\nError 500,technical\n"


def test_where_the_label_stands_is_told_with_the_reason() -> None:
    [note] = notes("comprehend", CSV.encode())
    assert "Column 1, the first one, is taken for the label: in 5 rows it has 3 different values" in note


def test_a_table_with_the_label_last_is_read_so_and_that_is_told() -> None:
    assert told(read_format("comprehend", LAST.encode()))[0] == ("I was charged twice", ("billing",))
    [note] = notes("comprehend", LAST.encode())
    assert "Column 2, the last one, is taken for the label" in note
    assert note.endswith("add label_column=1 text_column=2.")


def test_the_options_decide_where_the_label_stands() -> None:
    options: dict[str, Any] = {"label_column": "1", "text_column": ("2",)}
    assert told(read_format("comprehend", LAST.encode(), **options))[0] == ("billing", ("I was charged twice",))
    assert told(read_format("comprehend", LAST.encode(), text_column=("2",)))[0][0] == "billing"
    assert notes("comprehend", LAST.encode(), **options) == []


@pytest.mark.parametrize("column", ["3", "0", "label", "-1", "²", "1" * 5_000])
def test_a_column_that_is_none_is_refused(column: str) -> None:
    assert "its columns are called 1 to 2, and none is called" in refusal(
        "comprehend", CSV.encode(), label_column=column
    )


def test_a_first_line_that_names_the_columns_is_left_out() -> None:
    content = f"label,text\n{CSV}".encode()
    assert left_out("comprehend", content) == [(1, "it names the columns.", False)]
    assert len(told(read_format("comprehend", content))) == 5
    assert left_out("comprehend", content, header=False) == []
    assert len(left_out("comprehend", CSV.encode(), header=True)) == 1


def test_a_row_with_other_columns_or_a_blank_label_is_left_out() -> None:
    rows = left_out("comprehend", f"{CSV}a,b,c\nd\n,text\n|,text\n".encode())
    assert [(place, is_wrong) for place, _, is_wrong in rows] == [(6, True), (7, True), (8, True), (9, True)]
    assert rows[0][1].startswith("it has 3 columns; a row has two, a label and a text.")
    assert rows[1][1].startswith("it has 1 columns")
    assert rows[2][1] == rows[3][1] == "a label is blank. Correct or remove that row."


def test_a_row_with_more_columns_than_the_named_label_needs_is_left_out_alone() -> None:
    rows = read_format("comprehend", b"a,b,c\nsome text,x\nother text,y\n", label_column="2", text_column=("1",))
    assert told(rows) == [("some text", ("x",)), ("other text", ("y",))]
    assert "its columns are called 1 to 2" in refusal("comprehend", b"a,b,c\nsome text,x\n", label_column="3")


def test_documents_without_a_label_are_texts_where_no_labels_are_wanted() -> None:
    with opened(b"some text\nx,other text\n") as document:
        document.wants_labels = False
        assert told(FORMAT.read(document).rows) == [("some text", None), ("other text", ("x",))]


def test_labels_with_a_delimiter_are_told() -> None:
    assert "a label with | in it is several labels." in notes("comprehend", b"a|b,one two\na,three four\n")[-1]


def test_a_table_of_any_other_program_is_not_taken_for_one() -> None:
    assert "comprehend" not in sniff_all(CSV.encode(), "train.csv")


def test_of_several_jobs_one_is_to_be_named() -> None:
    both = {**labelled("a", 0, "x"), **{k.replace("films", "other"): v for k, v in marked("a", {1: "y"}).items()}}
    content = manifest(both)
    assert "several jobs have labelled its texts, tickets, other. Name one with label_column." in refusal(
        "comprehend", content
    )
    assert told(read_format("comprehend", content, label_column="tickets")) == [("a", ("x",))]
    assert told(read_format("comprehend", content, label_column="other")) == [("a", ("y",))]
    assert "none of its attributes holds labels of texts" in refusal("comprehend", content, label_column="nope")


def test_texts_in_a_bucket_are_refused_with_what_to_do() -> None:
    row = labelled("a", 0, "x")
    elsewhere = {**row, "source-ref": "s3://bucket/1.txt"}
    del elsewhere["source"]
    assert "its texts are files in S3, such as 's3://bucket/1.txt', which are not fetched." in refusal(
        "comprehend", manifest(row, elsewhere)
    )
    assert sniff_all(manifest(elsewhere), "output.manifest").get("comprehend") == 1.0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"source": None}, "the text is missing."),
        ({"source": ["a"]}, "the text is a list."),
        ({"films": [7]}, "a label is null, no text."),
        ({"films": [{}]}, "a label is null, no text."),
        ({"films-metadata": {"class-map": [], "type": "x"}}, "a label is null, no text."),
    ],
)
def test_a_broken_row_of_a_manifest_is_left_out_with_the_reason(change: dict[str, Any], why: str) -> None:
    rows = left_out("comprehend", manifest(marked("a", {0: "x"}), {**marked("b", {0: "x"}), **change}))
    assert [(place, is_wrong) for place, _, is_wrong in rows] == [(2, True)]
    assert rows[0][1].startswith(why)


def test_a_row_that_no_job_has_labelled_has_no_labels() -> None:
    content = manifest(labelled("a", 0, "x"), {"source": "b"}, {"source": "c", "tickets-metadata": 3})
    assert told(read_format("comprehend", content)) == [("a", ("x",)), ("b", None), ("c", None)]
    assert left_out("comprehend", content + b"[1]\n")[0][1].startswith("a row is a list; it must be an object.")


def test_a_first_row_without_attributes_is_refused() -> None:
    for first in ({"source": "a"}, {"source": "a", "x-metadata": {"type": "groundtruth/object-detection"}}):
        content = json.dumps(first).encode()
        assert "none of its attributes holds labels of texts" in refusal("comprehend", content)
