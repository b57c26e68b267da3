"""Writes an output to ``<out>.partial``, renames it once it is complete, and resumes it where a run broke off."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from windrow.disk import reason
from windrow.domain.errors import InvalidFile, InvalidParameter, StorageFailed
from windrow.domain.prediction import Kind
from windrow.files.reading import Record, Table


@dataclass(frozen=True, slots=True)
class RunFingerprint:
    """The options that determine an output; saved beside an unfinished output.

    Args:
        model_name: The classifier as the user named it.
        reference: The revision that answers, ``name@revision``.
        options: Everything else.
    """

    model_name: str
    reference: str
    options: Mapping[str, object]

    @property
    def kind(self) -> Kind:
        """The classifier's kind, which is an option where it is not the usual one."""
        return "multi_label" if self.options.get("kind") == "multi_label" else "single_label"


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """The rows that an unfinished output holds already.

    Args:
        rows: Whole rows.
        names: The names of its columns; ``None`` where there is no row.
        last: The last row's values by column.
    """

    rows: int = 0
    names: tuple[str, ...] | None = None
    last: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class ResumableOutput:
    """An output that is being written.

    Args:
        file: Where to write.
        written: What it held before.
        rows: The number of rows written so far.
    """

    file: TextIO
    written: WrittenRows
    rows: int


def partial_path(out: Path) -> Path:
    """Return the name of an output that is not whole yet."""
    return out.with_name(f"{out.name}.partial")


def find_fingerprint(out: Path, *, resume: bool, overwrite: bool) -> RunFingerprint | None:
    """Return what an unfinished output was begun with, if it is to be gone on with.

    Raises:
        InvalidParameter: Something is there that must not be overwritten, or that cannot be gone on with.
    """
    partial = partial_path(out)
    if not out.parent.is_dir():
        raise InvalidParameter("There is no folder {folder}. Make it first.", {"folder": str(out.parent)})
    if resume and partial.exists():
        return _read_fingerprint(partial)
    if not overwrite and not resume and partial.exists():
        raise InvalidParameter(
            "{file} is left from a run that broke off. Go on with --resume, or begin anew with --overwrite.",
            {"file": str(partial)},
        )
    if not overwrite and out.exists():
        raise InvalidParameter("{file} exists. Choose another name, or add --overwrite.", {"file": str(out)})
    return None


def check_same_run(fingerprint: RunFingerprint, wanted: RunFingerprint, out: Path) -> None:
    """Make sure that a run goes on as it began.

    Raises:
        InvalidParameter: It would answer otherwise.
    """
    if fingerprint.model_name != wanted.model_name:
        difference = "by {begun}, not by {wanted}"
    elif fingerprint.options != wanted.options:
        difference = "with another value of {changed:joined}"
    else:
        return
    keys = dict.fromkeys((*wanted.options, *fingerprint.options))
    facts = {
        "file": str(partial_path(out)),
        "begun": fingerprint.model_name,
        "wanted": wanted.model_name,
        "changed": [key for key in keys if fingerprint.options.get(key) != wanted.options.get(key)],
    }
    raise InvalidParameter(
        f"{{file}} was begun {difference}. Go on as it was begun, or begin anew with --overwrite.", facts
    )


@contextmanager
def output_file(out: Path, fingerprint: RunFingerprint, *, resume: bool) -> Iterator[ResumableOutput]:
    """Open an output for rows; it gets its name at the end of the block, if nothing went wrong.

    Args:
        out: Its name.
        fingerprint: What decides what its rows look like.
        resume: Whether to go on behind the rows that are there.

    Raises:
        StorageFailed: It cannot be written.
        InvalidParameter: What is there cannot be gone on with.
    """
    path = partial_path(out)
    with _output_errors(path):
        is_csv = fingerprint.options.get("format") == "csv"
        written = _recover(path, is_csv=is_csv) if resume and path.exists() else WrittenRows()
        _fingerprint_path(path).write_text(json.dumps(asdict(fingerprint)), encoding="utf-8")
        with _open_text(path, anew=not resume) as file:
            partial = ResumableOutput(file, written, written.rows)
            try:
                yield partial
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                if partial.rows == 0:
                    path.unlink()
                    _fingerprint_path(path).unlink()
                raise
        path.replace(out)
        _fingerprint_path(path).unlink()


def remaining_records(
    table: Table, written: WrittenRows, skip: Callable[[int], None] | None = None
) -> Iterator[Record]:
    """Yield a file's rows behind those that an output holds already.

    Args:
        table: The file.
        written: What the output holds.
        skip: Called with the line of each row with a blank text, which is then skipped; ``None`` to raise.

    Raises:
        InvalidParameter: The last of those is another row than the file has there.
    """
    records = table.records(skip)
    record = None
    for number in range(written.rows):
        record = next(records, None)
        if record is None:
            words = "it has {found} rows, but the output has {kept} already."
            raise _is_another(table, words, found=number, kept=written.rows)
    if record is not None and table.columns is not None and table.columns.text_of(written.last) != record.text:
        words = "the output's row {kept} has another text than this row of the file."
        raise _is_another(table, words, record.line, kept=written.rows)
    yield from records


def _is_another(table: Table, template: str, line: int | None = None, **facts: object) -> InvalidFile:
    words = f"{template} Is it another file? Begin anew with --overwrite."
    return table.source.error(words, line, **facts, partial=True)


def _open_text(path: Path, *, anew: bool) -> TextIO:
    # Half of a surrogate pair, which no encoding has, is written as an escape that JSON understands.
    return path.open("w" if anew else "a", encoding="utf-8", newline="", errors="backslashreplace")


def _fingerprint_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read_fingerprint(partial: Path) -> RunFingerprint:
    try:
        return RunFingerprint(**json.loads(_fingerprint_path(partial).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidParameter(
            "It is not known how {file} was begun, since {note} beside it cannot be read. Begin anew with --overwrite.",
            {"file": str(partial), "note": _fingerprint_path(partial).name},
        ) from error


def _recover(path: Path, *, is_csv: bool) -> WrittenRows:
    """Cut off a torn last row, and return what is left. We wrote it, so quotation marks in CSV come in pairs."""
    end, count, quotes = 0, 0, 0
    header, last, row = b"", b"", b""
    with path.open("r+b") as file:
        for line in file:
            row += line
            quotes += line.count(b'"') if is_csv else 0
            if not line.endswith(b"\n"):
                break
            if quotes % 2 == 0:
                header, last = header or row, row
                end, count, row, quotes = end + len(row), count + 1, b"", 0
        file.truncate(end)
    if not is_csv:
        values = _parsed_json(path, last) if last else {}
        return WrittenRows(count, tuple(values) or None, values)
    if not header:
        return WrittenRows()
    names = tuple(_parsed_csv(header))
    return WrittenRows(count - 1, names, dict(zip(names, _parsed_csv(last), strict=False)))


def _parsed_csv(row: bytes) -> list[str]:
    return next(csv.reader(row.decode("utf-8", "replace").splitlines(keepends=True)))


def _parsed_json(path: Path, line: bytes) -> dict[str, object]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    facts = {"partial": str(path)}
    raise InvalidParameter("The last row of {partial} is damaged. Begin anew with --overwrite.", facts)


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise StorageFailed(
            "{partial} cannot be written: {reason}. Make room or name another place with --out; what is written "
            "already can be gone on with by --resume.",
            {"partial": str(path), "reason": reason(error)},
        ) from error
