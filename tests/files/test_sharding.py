"""Files cut into shards: all rows once, in their order, whatever they hold and however they are written."""

import gzip
import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.files.formats.packing import zipped
from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files import sharding
from windrow.files.decoding import Source
from windrow.files.reading import Record, read_table
from windrow.files.sharding import FilePlan, ShardOptions, plan_shards, read_shard

# Encodings with characters of one, two and four bytes, with and without a byte-order mark.
ENCODINGS = {
    "utf-8": ("utf-8", None),
    "utf-8-sig": ("utf-8-sig", None),
    "utf-16": ("utf-16", None),
    "utf-16-be": ("utf-16-be", "utf-16-be"),
    "cp1252": ("cp1252", "cp1252"),
    "shift_jis": ("shift_jis", "shift_jis"),
}
CELLS = st.text(st.sampled_from('aé,;"\n\r\t x7€語\u2028 '), max_size=12)
FILLED = CELLS.map(lambda text: f"t{text}")


def no_rows(rows: int) -> None:
    """Take no notice of what is found."""


def shard_rows(content: bytes, name: str, options: ShardOptions) -> tuple[FilePlan, list[Record]]:
    """Return a file's plan, and the rows of all its shards, each of which is read alone."""
    plan = plan_shards(io.BytesIO(content), name, options, no_rows)
    rows: list[Record] = []
    for shard in plan.shards:
        own = list(read_shard(io.BytesIO(content), plan, shard, name, options)[1])
        assert len(own) == shard.rows <= options.shard_rows
        assert own == [] or own[0].line == shard.line
        rows += own
    return plan, rows


def whole_rows(content: bytes, name: str, options: ReadOptions) -> list[Record]:
    """Return the rows as they are read of the file as a whole."""
    source = Source(name, io.BytesIO(content), encoding=options.encoding)
    return list(read_table(source, name, options).records())


def as_csv(rows: Sequence[Sequence[str]], delimiter: str, end: str) -> str:
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) + end for row in rows]
    return "".join(quoted)


@given(
    rows=st.lists(st.tuples(FILLED, CELLS), max_size=12),
    written=st.sampled_from(sorted(ENCODINGS)),
    style=st.tuples(st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n", "\r"])),
    how=st.tuples(st.booleans(), st.integers(1, 5), st.booleans()),
)
def test_the_rows_of_all_shards_are_those_of_the_csv(
    rows: list[tuple[str, str]], written: str, style: tuple[str, str], how: tuple[bool, int, bool]
) -> None:
    has_header, most_rows, packed = how
    encoding, given_encoding = ENCODINGS[written]
    lines = [("text", "more"), *rows] if has_header else rows
    content = as_csv(lines, *style).encode(encoding, "replace")
    options = ReadOptions(
        header=has_header, text_column=() if has_header else ("1",), quoting="csv", encoding=given_encoding
    )
    if not lines:
        return
    try:
        expected = whole_rows(content, "mails.csv", options)
    except InvalidFile:
        return  # such as a quotation mark that seems to hold several rows together
    assert len(expected) == len(rows)
    stored = gzip.compress(content) if packed else content
    plan, found = shard_rows(stored, "mails.csv", ShardOptions(read=options, shard_rows=most_rows))
    assert found == expected
    assert plan.rows == len(rows)


@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["a", "b"]), CELLS | st.none() | st.integers()), max_size=12),
    blank=st.sampled_from(["", "\n", "  \r\n\n"]),
    shard_rows_=st.integers(1, 5),
    written=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
)
def test_the_rows_of_all_shards_are_those_of_the_json_lines(
    rows: list[dict[str, object]], blank: str, shard_rows_: int, written: str
) -> None:
    objects = [{**row, "text": f"é {n}"} for n, row in enumerate(rows)]
    texts = "".join(f"{json.dumps(each, ensure_ascii=False)}\n{blank}" for each in objects)
    if not rows:
        return
    encoding, given_encoding = ENCODINGS[written]
    content, options = texts.encode(encoding), ReadOptions(encoding=given_encoding)
    _, found = shard_rows(content, "mails.jsonl", ShardOptions(read=options, shard_rows=shard_rows_))
    assert found == whole_rows(content, "mails.jsonl", options)
    assert [row.values for row in found] == objects


def test_a_shard_starts_at_a_row_whatever_lines_end_within_one() -> None:
    content = b'text,id\n\n"one\nand\r\nmore",1\n\n\ntwo,2\n"three\n",3\nfour,4'
    plan, found = shard_rows(content, "a.csv", ShardOptions(read=ReadOptions(), shard_rows=1))
    assert [content[shard.start : shard.end].split(b",")[-1].strip() for shard in plan.shards] == [
        b"1",
        b"2",
        b"3",
        b"4",
    ]
    assert [(row.line, row.values["id"]) for row in found] == [(3, "1"), (8, "2"), (9, "3"), (11, "4")]


def test_blocks_of_a_large_file_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharding, "_ROWS_BETWEEN", 7)
    content = "text,id\n" + "".join(f'"é{"x" * (n % 3_000)}\n",{n}\n' for n in range(600))
    _, found = shard_rows(content.encode(), "a.csv", ShardOptions(read=ReadOptions(), shard_rows=50))
    assert [row.values["id"] for row in found] == [str(n) for n in range(600)]


def test_a_shard_of_long_rows_has_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharding, "MAX_SHARD_BYTES", 200_000)
    content = "text\n" + "".join(f"{n} {'x' * 100_000}\n" for n in range(10))
    plan, found = shard_rows(content.encode(), "a.csv", ShardOptions(read=ReadOptions(), shard_rows=1_000))
    assert len(plan.shards) > 2
    assert len(found) == 10


def test_a_file_with_a_header_alone_has_one_shard_without_rows() -> None:
    plan, found = shard_rows(b"text,id\n", "a.csv", ShardOptions(read=ReadOptions(), shard_rows=10))
    assert (plan.names, [shard.rows for shard in plan.shards], found) == (("text", "id"), [0], [])


def test_blank_texts_are_refused_with_their_line_or_kept() -> None:
    content = b"text,id\na,1\n ,2\nc,3\n"
    with pytest.raises(InvalidFile, match=r"a.csv, line 3 \(2\): the text is blank"):
        shard_rows(content, "a.csv", ShardOptions(read=ReadOptions(), shard_rows=1))
    options = ShardOptions(read=ReadOptions(), shard_rows=2, keep_blank=True)
    assert [row.text for row in shard_rows(content, "a.csv", options)[1]] == ["a", "", "c"]


@pytest.mark.parametrize(("name", "content"), [("a.json", b'[{"text": "a"}]'), ("a.txt", b"one text\nand another\n")])
def test_what_cannot_be_cut_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(InvalidFile, match="cannot be cut into shards"):
        shard_rows(content, name, ShardOptions(read=ReadOptions(), shard_rows=1))


def test_what_a_tool_wrote_without_a_column_of_texts_is_told_as_such() -> None:
    chat = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    lines = f"{json.dumps(chat)}\n".encode() * 2
    for name, content, found in (
        ("a.jsonl", lines, "OpenAI fine-tuning JSONL (chat, or prompt and completion)"),
        ("a.jsonl.gz", gzip.compress(lines), "OpenAI fine-tuning JSONL (chat, or prompt and completion)"),
        ("a.zip", zipped({"a.csv": "text\na\n"}), "a zip file"),
    ):
        with pytest.raises(InvalidFile) as refused:
            shard_rows(content, name, ShardOptions(read=ReadOptions(), shard_rows=1))
        assert str(refused.value) == (
            f"{name}: it is {found}, which cannot be cut into shards: a run that writes them reads CSV, TSV, JSONL and "
            "Parquet. Classify it as a whole, into one file, or make JSONL of it first, with windrow convert "
            "--texts-only."
        )
    nested = ReadOptions(text_column=("messages.0.content",))
    assert [row.text for row in shard_rows(lines, "a.jsonl", ShardOptions(read=nested, shard_rows=1))[1]] == ["a", "a"]
    broken = b'{"text": "a"}\n{"text"\n'
    with pytest.raises(InvalidFile, match="line 2: the JSON is broken"):
        shard_rows(broken, "a.jsonl", ShardOptions(read=ReadOptions(), shard_rows=1))


def test_an_encoding_with_states_is_refused_rather_than_cut_wrongly() -> None:
    content = "text\n日本\n語\n".encode("iso2022_jp") + "日".encode("iso2022_jp") + "本\n".encode("iso2022_jp")
    with pytest.raises(InvalidFile, match="no shards can be found"):
        shard_rows(content, "a.csv", ShardOptions(read=ReadOptions(encoding="iso2022_jp"), shard_rows=1))


def test_a_file_with_other_rows_than_its_plan_is_refused() -> None:
    options = ShardOptions(read=ReadOptions(), shard_rows=2)
    plan = plan_shards(io.BytesIO(b"text\na\nb\nc\n"), "a.csv", options, no_rows)
    with pytest.raises(InvalidFile, match=r"a.csv: it has other rows"):
        list(read_shard(io.BytesIO(b"text\naaaaaa\n"), plan, plan.shards[0], "a.csv", options)[1])


def test_what_a_tool_wrote_is_a_table_like_any_other_here_and_its_format_is_refused() -> None:
    rows = [{"text": "a", "label": "x", "answer": "accept", "_input_hash": 1, "_task_hash": 1}] * 2
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    plan = plan_shards(io.BytesIO(content), "a.jsonl", ShardOptions(read=ReadOptions(), shard_rows=10), no_rows)
    assert (plan.format, plan.rows) == ("jsonl", 2)
    how = ShardOptions(read=ReadOptions(format="prodigy"), shard_rows=10)
    with pytest.raises(InvalidFile, match="cannot be cut into shards"):
        plan_shards(io.BytesIO(content), "a.jsonl", how, no_rows)
