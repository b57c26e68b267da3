"""Bytes to text: encodings, gzip, and where something is wrong."""

import codecs
import contextlib
import gzip
import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.files import decoding
from windrow.files.decoding import Source, open_source, text_blocks

TEXT = "naïve café\nzwei 😀 Zeilen\n"


def read(content: bytes, encoding: str | None = None) -> str:
    return "".join(text_blocks(Source("mails.txt", io.BytesIO(content), encoding=encoding)))


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT.encode("utf-16")),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16 le", "utf-16 be", "gzip", "gzip of utf-16"],
)
def test_utf_8_and_what_a_mark_says_is_read_also_from_gzip(content: bytes) -> None:
    assert read(content) == TEXT


@pytest.mark.parametrize("encoding", ["utf-16", "UTF-16-LE", "utf-8", "utf-8-sig"])
def test_a_named_encoding_does_not_keep_the_mark(encoding: str) -> None:
    content = TEXT.encode(encoding) if encoding != "UTF-16-LE" else codecs.BOM_UTF16_LE + TEXT.encode(encoding)
    assert read(content, encoding) == TEXT


def test_another_encoding_is_read_where_it_is_named() -> None:
    assert read("naïve €".encode("cp1252"), "cp1252") == "naïve €"


def test_a_byte_of_another_encoding_is_named_with_its_offset_and_line() -> None:
    with pytest.raises(InvalidFile) as refused:
        read(b"text\nna\xefve\n")
    assert refused.value.detail.startswith(
        "mails.txt, line 2: the byte 0xef at offset 7 is not UTF-8. As cp1252, the text there is 'naïve'. If that is "
        "right, add encoding=cp1252"
    )
    facts = {"file": "mails.txt", "line": 2, "byte": 0xEF, "offset": 7, "encoding": "UTF-8"}
    told = {"parameter": "encoding", "candidate": "cp1252", "reading": "naïve"}
    assert refused.value.facts == {**facts, **told}


def test_the_offset_counts_the_mark_and_earlier_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_BLOCK_BYTES", 4)
    content = codecs.BOM_UTF8 + "aé\nbé\nc".encode() + b"\xe9x"
    with pytest.raises(InvalidFile, match=f"line 3: the byte 0xe9 at offset {len(content) - 2} "):
        read(content)


def test_a_character_that_breaks_off_at_the_end_is_an_error() -> None:
    with pytest.raises(InvalidFile, match="line 1: the byte 0xc3 at offset 1 "):
        read(b"a\xc3")


def test_a_nul_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidFile, match=r"line 2: there is a NUL character.*encoding=utf-16-le"):
        read(b"a\nb\0")


def test_gzip_that_breaks_off_is_refused() -> None:
    with pytest.raises(InvalidFile, match="damaged gzip"):
        read(gzip.compress(TEXT.encode() * 100)[:-9])


@pytest.mark.parametrize("encoding", ["hex", "klingon", "rot13", ""])
def test_what_is_no_encoding_of_text_is_refused(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="is no encoding of text"), open_source(tmp_path / "any", encoding):
        pass


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="There is no file"), open_source(tmp_path / "none.csv"):
        pass
    with pytest.raises(InvalidParameter, match="is a folder"), open_source(tmp_path):
        pass


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    with open_source("-") as source:
        assert "".join(text_blocks(source)) == TEXT
        assert source.name == "standard input"


def test_the_bytes_that_were_read_are_counted(tmp_path: Path) -> None:
    (tmp_path / "mails.txt").write_text(TEXT, encoding="utf-8")
    with open_source(tmp_path / "mails.txt") as source:
        list(text_blocks(source))
        assert source.bytes_read == source.size_bytes == len(TEXT.encode())


@pytest.mark.parametrize("size", [1, 2, 3, 64])
def test_a_line_end_of_two_characters_stays_in_one_block(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_BLOCK_BYTES", size)
    blocks = list(text_blocks(Source("any", io.BytesIO(b"one\r\ntwo\rthree\r\n\r"))))
    assert "".join(blocks) == "one\r\ntwo\rthree\r\n\r"
    assert not any(block.endswith("\r") for block in blocks[:-1] if block != blocks[-2])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_without_its_mark_is_told_with_both_orders(encoding: str) -> None:
    with pytest.raises(InvalidFile, match=f"{encoding}-le, as Windows writes it, or encoding={encoding}-be"):
        read("naïve text".encode(f"{encoding}-le"), encoding)


@given(st.binary(), st.sampled_from(["utf-16", "utf-32", "utf-7", "punycode", "idna", "utf-8-sig", "shift_jis", "hz"]))
def test_no_error_of_a_codec_escapes(content: bytes, encoding: str) -> None:
    with contextlib.suppress(InvalidFile):
        read(content, encoding)


@pytest.mark.parametrize("beginning", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_spreadsheet_is_told_as_such(beginning: bytes) -> None:
    with pytest.raises(InvalidFile, match=r"list.xlsx: it is a spreadsheet .* Save it as CSV"):
        list(text_blocks(Source("list.xlsx", io.BytesIO(beginning + bytes(100)))))


@pytest.mark.parametrize(
    "content", [b"x\x9c\xed\xc6\xb1\t\x00", b"\x80\x02]q\x00X\x04\x00", b"\x80\x04\x95\x10\x00\x00"]
)
def test_what_a_program_packed_for_itself_is_told_as_such(content: bytes) -> None:
    with pytest.raises(InvalidFile, match=r"what a program packed for itself .* write its rows as JSONL or CSV"):
        list(text_blocks(Source("rows.spacy", io.BytesIO(content))))
