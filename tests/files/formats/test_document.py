"""A file as formats read it, whole or in parts, within limits."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.files.formats.reading import opened
from windrow.domain.errors import InvalidFile, LimitExceeded
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source
from windrow.files.formats import document as document_module
from windrow.files.formats import members as members_module
from windrow.files.formats.document import open_document
from windrow.files.formats.members import pack_folder


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b'{"a": 1}\n\n{"a": 2}\n', [(1, {"a": 1}), (3, {"a": 2})]),
        (b'[{"a": 1},\n{"a": 2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'[{"a": 1}, {"a": 2}]', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'{\n"a":\n[1, 2]}\n', [(1, {"a": [1, 2]})]),
        (b'{"a": [1, 2]}', [(1, {"a": [1, 2]})]),
        ("\ufeff[]".encode(), []),
        (gzip.compress(b'[{"a": 1}]'), [(1, {"a": 1})]),
    ],
)
def test_json_is_a_list_lines_or_one_object(content: bytes, values: list[tuple[int, Any]]) -> None:
    with opened(content) as document:
        assert list(document.values()) == values


def test_items_that_all_stand_in_one_line_are_counted_as_rows() -> None:
    with opened(b'[{"a": 1}, {"a": 2}]') as document:
        list(document.values())
        assert str(document.error("it is odd.", 2)) == "file, row 2: it is odd."
    with opened(b'[{"a": 1},\n{"a": 2}]') as document:
        list(document.values())
        assert str(document.error("it is odd.", 2)) == "file, line 2: it is odd."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'[{"a": 1}', "JSON is broken"),
        (b'[{"a": 1}] and more', "something follows the end"),
        (b'{"a": 1}\n{"a": \n', "line 2: the JSON is broken"),
        (b'{"a":\n1}\n{"a": 2}', "something follows the end"),
        (b"[" * 100_000, "nested more than 100 levels deep"),
        (b'[{"a": 1}, "\xff"]', "is not UTF-8"),
    ],
)
def test_broken_json_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(InvalidFile, match=words), opened(content) as document:
        list(document.values())


def test_lines_have_numbers_and_no_ends() -> None:
    with opened(b"one\r\n\r\ntwo\rthree") as document:
        assert list(document.lines()) == [(1, "one"), (3, "two"), (4, "three")]


@pytest.mark.parametrize(
    ("content", "delimiter", "cells"),
    [
        (b'a,"b\nc"\nd,e\n', None, [(1, ["a", "b\nc"]), (3, ["d", "e"])]),
        (b"sep=;\na;b\n", None, [(2, ["a", "b"])]),
        (b"a\tb, c\n", "\t", [(1, ["a", "b, c"])]),
    ],
)
def test_cells_are_those_of_each_row_the_first_one_too(
    content: bytes, delimiter: str | None, cells: list[tuple[int, list[str]]]
) -> None:
    with opened(content, quoting="csv") as document:
        assert list(document.rows(delimiter=delimiter)) == cells


def test_a_document_that_is_too_large_to_be_held_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_module, "MAX_TEXT_CHARS", 100)
    with pytest.raises(InvalidFile, match="more than 100 characters"), opened(b"a" * 101) as document:
        document.text()


def test_the_files_of_a_zip_file_are_its_members() -> None:
    content = packed({"b/two.txt": b"two", "one.txt": "einß".encode("cp1252"), "__MACOSX/x": b"", "dir/": b""})
    with opened(content, encoding="cp1252") as document:
        assert document.is_container
        assert document.member_names() == document.beginning.member_names == ("b/two.txt", "one.txt")
        assert document.member_text("one.txt") == "einß"
        with document.open_bytes("b/two.txt") as file:
            assert file.read() == b"two"
        with document.open_bytes() as whole:
            assert whole.read() == content


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../b", "C:\\x.txt", "..\\x.txt"])
def test_a_path_that_leads_outside_is_refused(name: str) -> None:
    with pytest.raises(InvalidFile, match="leads outside"), opened(packed({name: b""})):
        pass


def test_a_link_in_a_zip_file_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InvalidFile, match="leads outside"), opened(file.getvalue()):
        pass


def test_a_zip_file_in_a_zip_file_is_not_unpacked() -> None:
    with (
        pytest.raises(InvalidFile, match="packed once more"),
        opened(packed({"a.zip": packed({"b": b""})})) as document,
    ):
        document.member_text("a.zip")


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_module, "MAX_UNPACKED_BYTES", 1_000)
    with opened(packed({"a": b"x" * 600, "b": b"y" * 600, "bomb": b"z" * 10_000_000})) as document:
        assert document.member_text("a") == "x" * 600
        for name in ("b", "bomb"):
            with pytest.raises(InvalidFile, match=r"more than 1,?000 bytes, unpacked"):
                document.member_text(name)


def test_too_many_files_in_a_zip_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_module, "MAX_MEMBERS", 2)
    with pytest.raises(InvalidFile, match="there are 3 files in it"), opened(packed({"a": b"", "b": b"", "c": b""})):
        pass


def test_a_damaged_zip_file_is_refused_in_words() -> None:
    whole = packed({"a.txt": b"some text that is packed " * 20})
    for end in range(4, len(whole), 7):
        try:
            with opened(whole[:end]) as document:
                document.member_text("a.txt")
        except InvalidFile:
            continue
        pytest.fail(f"the first {end} bytes were taken for a whole file")


def test_the_files_of_a_folder_are_its_members_without_those_that_lead_outside(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    (folder / ".hidden").write_text("")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "around").symlink_to(folder, target_is_directory=True)
    with opened(folder) as document:
        assert document.is_container
        assert document.member_names() == ("sub/a.txt",)
        assert document.member_text("sub/a.txt") == "a"
        for name in ("../secret.txt", "link.txt", "none.txt"):
            with pytest.raises(InvalidFile, match="cannot be read"):
                document.member_text(name)
    assert zipfile.ZipFile(pack_folder(folder)).namelist() == ["sub/a.txt"]


def test_the_files_beside_a_file_are_its_members_only_where_it_lies_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text("{}")
    (tmp_path / "a.txt").write_text("a")
    with opened(tmp_path / "project.json") as document:
        assert not document.is_container
        assert document.member_names() == ("a.txt", "project.json")
    with opened(b"{}", "project.json") as document:
        assert document.member_names() == ()


class Pipe(io.RawIOBase):
    """Bytes that come once, in small pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = next(self.pieces, b"")
        self.taken += bool(piece)
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize(
    ("pieces", "taken"),
    [
        ([b"a line\n", b"and more\n", b"and more\n"], 1),
        ([b'{"a": 1}\n', b'{"a": 2}\n', b""], 1),
        ([b"[1,", b"2,", b"3]"], 1),
    ],
)
def test_no_more_is_read_of_a_slow_pipe_than_tells_what_it_is(pieces: list[bytes], taken: int) -> None:
    pipe = Pipe(iter(pieces))
    document = open_document(Source("pipe", io.BufferedReader(pipe, 16)), ReadOptions())
    assert pipe.taken <= 2
    assert document.beginning.text.startswith(pieces[0].decode()[:2])
    assert document.text() == b"".join(pieces).decode()


def test_a_first_value_is_found_however_long_it_is_up_to_a_million_characters() -> None:
    for chars, is_found in ((200_000, True), (2_000_000, False)):
        with opened(json.dumps([{"a": "x" * chars}, {"a": "y"}]).encode()) as document:
            assert (document.beginning.first is not None) is is_found
            assert len(document.beginning.text) <= 1 << 20
            assert [len(value["a"]) for _, value in document.values()] == [chars, 1]


def test_the_bytes_of_a_file_are_no_more_than_may_be_taken() -> None:
    source = Source("a", io.BytesIO(b"PAR1" + b"x" * 100), limit=(50, "SETTING"))
    document = open_document(source, ReadOptions())
    with pytest.raises(LimitExceeded, match="more than 50 bytes"):
        document.open_bytes()
