"""Outputs that are whole or not there, and gone on with where they broke off."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from windrow.cli.resumable_output import (
    RunFingerprint,
    WrittenRows,
    check_same_run,
    find_fingerprint,
    output_file,
    partial_path,
    remaining_records,
)
from windrow.domain.errors import InvalidFile, InvalidParameter, StorageFailed
from windrow.files.columns import Columns
from windrow.files.decoding import Source
from windrow.files.reading import Table

CSV = RunFingerprint("tickets", "tickets_v1@3", {"format": "csv", "top_k": None})
JSONL = RunFingerprint("tickets", "tickets_v1@3", {"format": "jsonl", "top_k": None})
HEADER = "text,score\n"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.csv"


def break_off(out: Path, content: str, fingerprint: RunFingerprint = CSV) -> None:
    def write() -> None:
        with output_file(out, fingerprint, resume=False) as partial:
            partial.file.write(content)
            partial.rows = 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()


def table(*texts: str) -> Table:
    rows: Iterator[tuple[int, dict[str, object]]] = ((line, {"text": text}) for line, text in enumerate(texts, 2))
    return Table(Source("mails.csv", io.BytesIO()), Columns(("text",)), ("text",), rows)


def test_an_output_appears_once_it_is_whole_and_nothing_is_left_beside_it(out: Path) -> None:
    with output_file(out, CSV, resume=False) as partial:
        partial.file.write(HEADER)
        assert not out.exists()
    assert out.read_text() == HEADER
    assert list(out.parent.iterdir()) == [out]


def test_what_broke_off_is_kept_and_gone_on_with(out: Path) -> None:
    break_off(out, HEADER + "a,1\n")
    assert not out.exists()
    assert find_fingerprint(out, resume=True, overwrite=False) == CSV
    with output_file(out, CSV, resume=True) as partial:
        assert partial.written == WrittenRows(1, ("text", "score"), {"text": "a", "score": "1"})
        partial.file.write("b,2\n")
    assert out.read_text() == HEADER + "a,1\nb,2\n"


def test_nothing_is_left_of_a_run_that_wrote_no_row(out: Path) -> None:
    with pytest.raises(InvalidParameter), output_file(out, CSV, resume=False):
        raise InvalidParameter("The first row is wrong.")
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("cut", range(len('text,score\n"a ""b"""\n,1\n"c\nd",2\n') + 1))
def test_wherever_it_was_torn_whole_rows_alone_are_kept(out: Path, cut: int) -> None:
    whole = 'text,score\n"a ""b""\n",1\n"c\nd",2\n'
    break_off(out, whole[:cut])
    with output_file(out, CSV, resume=True) as partial:
        written = partial.written
        expected = 2 if cut == len(whole) else 1 if cut >= whole.index('"c') else 0
        assert written.rows == expected
        assert written.last.get("text") == {0: None, 1: 'a "b"\n', 2: "c\nd"}[expected] or written.names is not None
        rest = (['"a ""b""\n",1\n', '"c\nd",2\n'])[expected:]
        partial.file.write("".join(rest) if written.names else whole)
    assert out.read_text() == whole


def test_a_torn_line_of_json_is_cut_off(out: Path) -> None:
    break_off(out, '{"text": "a"}\n{"text": "b', JSONL)
    with output_file(out, JSONL, resume=True) as partial:
        assert partial.written == WrittenRows(1, ("text",), {"text": "a"})
    assert out.read_text() == '{"text": "a"}\n'


def test_a_damaged_line_of_json_is_refused(out: Path) -> None:
    break_off(out, '{"text": "a"}\n\0\0\0\n', JSONL)
    with pytest.raises(InvalidParameter, match="is damaged"), output_file(out, JSONL, resume=True):
        pass


def test_half_of_a_surrogate_pair_is_written_as_an_escape(out: Path) -> None:
    with output_file(out, JSONL, resume=False) as partial:
        partial.file.write('{"text": "\ud800"}\n')
    assert out.read_bytes() == b'{"text": "\\ud800"}\n'


def test_what_is_there_is_not_overwritten_unasked(out: Path) -> None:
    out.write_text("mine")
    with pytest.raises(InvalidParameter, match=r"exists\. Choose another name, or add --overwrite"):
        find_fingerprint(out, resume=False, overwrite=False)
    assert find_fingerprint(out, resume=False, overwrite=True) is None
    out.unlink()
    break_off(out, HEADER)
    with pytest.raises(InvalidParameter, match="Go on with --resume, or begin anew with --overwrite"):
        find_fingerprint(out, resume=False, overwrite=False)
    assert find_fingerprint(out, resume=False, overwrite=True) is None


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="There is no folder"):
        find_fingerprint(tmp_path / "none" / "out.csv", resume=False, overwrite=False)


def test_a_partial_output_of_unknown_origin_is_not_gone_on_with(out: Path) -> None:
    partial_path(out).write_text(HEADER)
    with pytest.raises(InvalidParameter, match=r"It is not known how .* was begun"):
        find_fingerprint(out, resume=True, overwrite=False)


def test_a_run_goes_on_only_as_it_began(out: Path) -> None:
    check_same_run(CSV, CSV, out)
    with pytest.raises(InvalidParameter, match="begun by tickets, not by mails"):
        check_same_run(CSV, replace(CSV, model_name="mails"), out)
    with pytest.raises(InvalidParameter, match="with another value of top_k"):
        check_same_run(CSV, replace(CSV, options={"format": "csv", "top_k": 2}), out)


def test_the_rows_that_are_there_are_skipped() -> None:
    written = WrittenRows(2, ("text",), {"text": "b"})
    assert [record.text for record in remaining_records(table("a", "b", "c"), written)] == ["c"]
    assert [record.text for record in remaining_records(table("a"), WrittenRows())] == ["a"]


def test_another_file_is_not_gone_on_with() -> None:
    written = WrittenRows(2, ("text",), {"text": "b"})
    with pytest.raises(InvalidFile, match="line 3: the output's row 2 has another text"):
        list(remaining_records(table("a", "x", "c"), written))
    with pytest.raises(InvalidFile, match="it has 1 rows, but the output has 2 already"):
        list(remaining_records(table("a"), written))


def test_a_disk_that_cannot_be_written_is_told(out: Path) -> None:
    with pytest.raises(StorageFailed, match="cannot be written: No space left"), output_file(out, CSV, resume=False):
        raise OSError(28, "No space left on device")
