"""A file that is not of the format that it is said to have: refused with what it looks like, for each pair of kinds."""

import gzip
import io
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.files.formats.packing import zipped
from tests.files.workbooks import workbook
from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import FORMATS, PLAIN_FORMATS, Format, ReadOptions
from windrow.domain.words import render
from windrow.files.bad_rows import BadRows
from windrow.files.format_mismatch import look_of
from windrow.files.formats.beginning import beginning_of
from windrow.files.labelled_files import read_labelled_file
from windrow.files.reading import read_rows

ROWS = [
    ("I was charged twice", "billing"),
    ("The app crashes", "technical"),
    ("Refund my invoice", "billing"),
    ("I get error 500", "technical"),
]
CSV = "text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS)
OBJECTS = [{"text": text, "label": label} for text, label in ROWS]
CHATS = [
    {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": label}]} for text, label in ROWS
]
CLU = {
    "projectFileVersion": "2022-05-01",
    "metadata": {"projectKind": "Conversation"},
    "assets": {"utterances": [{"text": text, "intent": label} for text, label in ROWS]},
}


def lines_of(values: list[dict[str, object]]) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def parquet() -> bytes:
    pyarrow, written = pytest.importorskip("pyarrow"), io.BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(OBJECTS), written)
    return written.getvalue()


# Each kind of content: what reads it, and what it is called; nothing where nothing reads it.
CONTENTS: dict[str, tuple[bytes, Format | None, str]] = {
    "csv": (CSV.encode(), "csv", "CSV"),
    "tsv": (CSV.replace(",", "\t").encode(), "tsv", "tab-separated values"),
    "jsonl": (lines_of([dict(each) for each in OBJECTS]), "jsonl", "JSON Lines"),
    "json": (json.dumps(OBJECTS, indent=1).encode(), "json", "a JSON document"),
    "text": ("".join(f"{text}\n" for text, _ in ROWS).encode(), "txt", "plain text"),
    "fastText": ("".join(f"__label__{label} {text}\n" for text, label in ROWS).encode(), "fasttext", "fastText"),
    "OpenAI": (lines_of([dict(each) for each in CHATS]), "openai", "OpenAI fine-tuning JSONL"),
    "CLU": (json.dumps(CLU).encode(), "clu", "Azure conversational language understanding (CLU)"),
    "Rasa": (
        b'version: "3.1"\nnlu:\n- intent: a\n  examples: |\n    - hi\n',
        "rasa",
        "Rasa training data",
    ),
    "workbook": (workbook([["text", "label"], *map(list, ROWS)]), "xlsx", "a workbook (.xlsx)"),
    "HTML": (b"<html><body><table><tr><td>text</td></tr></table></body></html>", None, "HTML or XML"),
    "zip": (zipped({"a.txt": "x", "b.txt": "y"}), None, ""),
    "gzip": (gzip.compress(CSV.encode()), "csv", "CSV"),
    "PDF": (b"%PDF-1.4\n%\xe2\xe3\n", None, "a PDF document"),
    "nothing": (b" \n", None, "there is nothing in it"),
}
# Formats that have no shape of their own read what another one is for, too.
TABLES = ("cohere", "comprehend", "vertex", "watson", "label_studio")
ALSO: dict[str, tuple[str, ...]] = {
    "csv": ("tsv",),
    "doccano": ("jsonl", "json"),
    "prodigy": ("jsonl", "json"),
    "cohere": ("csv", "tsv", "gzip", "jsonl", "json"),
    "comprehend": ("csv", "tsv", "gzip"),
    "label_studio": ("csv", "tsv", "gzip"),
    "vertex": ("csv", "tsv", "gzip"),
    "watson": ("csv", "tsv", "gzip"),
}
PAIRS = [
    pytest.param(name, kind, id=f"{kind} as {name}")
    for name in FORMATS
    for kind, (_, reads, _) in CONTENTS.items()
    if reads != name and kind not in ALSO.get(name, ())
]


def refusal(content: bytes, format_: Format, folder: Path) -> str:
    file = folder / "file"
    file.write_bytes(content)
    with pytest.raises(InvalidFile) as refused:
        read_labelled_file(file, ReadOptions(format=format_))
    return str(refused.value)


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_file_of_another_kind_is_refused_with_what_it_looks_like(name: Format, kind: str, tmp_path: Path) -> None:
    content, reads, title = CONTENTS[kind]
    words = refusal(content, name, tmp_path)
    assert words.endswith(".")
    assert "broken" not in words
    # A table of one column is any text; so is a text without labels.
    if (kind, name) == ("HTML", "txt") or (
        kind == "text" and name in ("csv", "tsv", "txt", "fasttext", "rasa", "snips", *TABLES)
    ):
        return
    assert title in words
    if reads is not None:
        assert f"ooks like {title}" in words
        assert f"Say what it is with format={reads}." in words


@pytest.mark.parametrize(("kind", "reads"), [(kind, reads) for kind, (_, reads, _) in CONTENTS.items() if reads])
def test_what_the_refusal_names_reads_the_file(kind: str, reads: Format, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENTS[kind][0])
    texts = [row.text for row in read_rows(file, ReadOptions(format=reads))]
    assert texts == (["hi"] if kind == "Rasa" else [text for text, _ in ROWS])


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
@pytest.mark.parametrize("name", [each for each in FORMATS if each != "hugging_face"])
def test_a_file_of_parquet_is_told_as_such(name: Format, tmp_path: Path) -> None:
    words = refusal(parquet(), name, tmp_path)
    assert "it looks like a file of Parquet, not like " in words
    assert words.endswith("Say what it is with format=hugging_face.")


@pytest.mark.parametrize(
    ("name", "content", "reads"),
    [
        ("mails.jsonl", CSV, "csv"),
        ("mails.json", CSV, "csv"),
        ("mails.csv", json.dumps(OBJECTS), "json"),
        ("mails.tsv", "".join(f"{json.dumps(each)}\n" for each in OBJECTS), "jsonl"),
        ("mails.json", "".join(f"{json.dumps(each)}\n" for each in OBJECTS), "jsonl"),
        ("mails.jsonl", json.dumps(OBJECTS, indent=1), "json"),
    ],
)
def test_a_name_that_says_another_format_is_told_too(name: str, content: str, reads: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(InvalidFile, match=rf"it looks like .*\. Say what it is with format={reads}\.$"):
        list(read_rows(file))


@pytest.mark.parametrize(
    "beginning",
    ['{"text": "broken\n', "# rows\n", "x\n", '["no object"]\n', "[]\n", "{\n"],
)
def test_broken_first_lines_make_json_lines_no_other_format(beginning: str, tmp_path: Path) -> None:
    file = tmp_path / "mails.jsonl"
    file.write_bytes(beginning.encode() + CONTENTS["jsonl"][0])
    if beginning == "{\n":
        with pytest.raises(InvalidFile, match="it looks like a JSON document, not like JSON Lines"):
            read_labelled_file(file, ReadOptions())
        return
    for format_ in (None, "jsonl"):
        read = read_labelled_file(file, ReadOptions(format=format_), BadRows(are_skipped=True))
        assert (len(read.examples), read.left_out.num_bad) == (4, 1)


@pytest.mark.parametrize("format_", ["csv", "openai", "jsonl"])
def test_the_only_file_of_a_zip_file_is_read_as_the_format_that_is_named(format_: Format, tmp_path: Path) -> None:
    kind = {"openai": "OpenAI"}.get(format_, format_)
    file = tmp_path / "rows.zip"
    file.write_bytes(zipped({"rows": CONTENTS[kind][0]}))
    assert [row.text for row in read_rows(file, ReadOptions(format=format_))] == [text for text, _ in ROWS]


def test_a_wrong_first_row_says_what_the_file_looks_like_where_wrong_rows_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENTS["jsonl"][0])
    read = read_labelled_file(file, ReadOptions(format="openai"), BadRows(are_skipped=True))
    assert (read.examples, read.left_out.num_bad) == ((), 4)
    told = render(read.left_out.rows[0].template, read.left_out.rows[0].facts)
    assert told.endswith("Correct or remove that row. It looks like JSON Lines. Say what it is with format=jsonl.")


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("[1] A text with a note\n", "txt"),
        ("{name} wrote to us\n", "txt"),
        ("Betreff;Text\na;b\n", "csv"),
        ("sep=;\na;b\n", "csv"),
        ("[\n", "json"),
        ("{", "json"),
        ('{"text": "a"', "jsonl"),
        ("[[1, 2]]", "json"),
        ("", "txt"),
    ],
)
def test_a_text_is_told_by_how_it_begins(text: str, reads: str) -> None:
    assert look_of(beginning_of("file", text)).format == reads


@pytest.mark.parametrize("cell", ["{}", "[]", "[1]", '[{""a"": 1}]'])
def test_a_cell_that_holds_json_on_a_line_of_its_own_makes_a_table_no_json(cell: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'text,label\n"My config is\n{cell}\nhelp",bug\nhello,ok\n')
    texts = [row.text for row in read_rows(tmp_path / "a.csv", ReadOptions(), labelled=True)]
    assert texts == [f"My config is\n{cell}\nhelp".replace('""', '"'), "hello"]


def test_every_plain_format_is_one_of_the_contents() -> None:
    assert {reads for _, reads, _ in CONTENTS.values()} >= set(PLAIN_FORMATS)
