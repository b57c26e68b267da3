"""Zips: any tool opens what is written, and what any tool wrote plainly is read."""

import io
import stat
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.domain.errors import InvalidArchive
from windrow.storage.zip_file import read_zip, refused, write_zip

CONTENTS = {"one.json": b"{}", "two.bin": bytes(range(256)) * 3_000, "none": b""}
LIMITS = dict.fromkeys(CONTENTS, 2**20)
any_contents = st.dictionaries(st.sampled_from(list(CONTENTS)), st.binary(max_size=200))


def written(contents: dict[str, bytes]) -> bytes:
    return b"".join(write_zip(contents).chunks)


@settings(deadline=None)
@given(any_contents)
def test_what_is_written_reads_back(contents: dict[str, bytes]) -> None:
    assert read_zip(io.BytesIO(written(contents)), LIMITS, 2**20) == contents


@settings(deadline=None)
@given(any_contents)
def test_a_zip_says_its_size_before_it_is_sent(contents: dict[str, bytes]) -> None:
    assert write_zip(contents).size_bytes == len(written(contents))


def test_a_zip_comes_in_pieces_that_need_little_memory() -> None:
    assert max(map(len, write_zip(CONTENTS).chunks)) == 2**18


def test_another_tool_reads_what_is_written() -> None:
    with zipfile.ZipFile(io.BytesIO(written(CONTENTS))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == CONTENTS
        for info in archive.infolist():
            assert stat.S_ISREG(info.external_attr >> 16)
            assert info.flag_bits == 0


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_another_tool_writes_is_read(method: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in reversed(CONTENTS.items()):
            archive.writestr(name, content)
    assert read_zip(file, LIMITS, 2**20) == CONTENTS


def test_the_limits_are_the_last_that_are_allowed() -> None:
    file = io.BytesIO(written(CONTENTS))
    size_bytes = len(file.getvalue())
    exact = {name: len(content) for name, content in CONTENTS.items()}
    assert read_zip(file, exact, size_bytes) == CONTENTS
    with pytest.raises(InvalidArchive) as caught:
        read_zip(file, exact, size_bytes - 1)
    assert caught.value.facts == {
        "problem": "too_large",
        "why": f"has {size_bytes} bytes, or unpacks to them; at most {size_bytes - 1} may be",
        "advice": "Raise WINDROW_MAX_IMPORT_BYTES where it is to be imported.",
        "limit": size_bytes - 1,
        "setting": "WINDROW_MAX_IMPORT_BYTES",
    }
    with pytest.raises(InvalidArchive, match=r"holds two\.bin of 768000 bytes; at most 767999 may be"):
        read_zip(file, {**exact, "two.bin": exact["two.bin"] - 1}, size_bytes)


def test_what_is_packed_counts_with_its_true_size() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.json", bytes(1_000))
    assert len(file.getvalue()) < 1_000 == len(read_zip(file, LIMITS, 1_000)["one.json"])
    with pytest.raises(InvalidArchive, match="has 1000 bytes, or unpacks to them; at most 999 may be"):
        read_zip(file, LIMITS, 999)


def test_a_refusal_shows_a_strangers_words_in_short_and_as_text() -> None:
    error = refused("bad", "says " + "\ud800" * 10_000, "Stop.")
    assert error.detail.encode().startswith(b"The file says \\ud800")
    assert error.detail.endswith("\N{HORIZONTAL ELLIPSIS}. Stop.")
    assert len(error.detail) < 400
