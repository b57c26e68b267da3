"""An output that is whole or not there: written under another name, renamed once whole, taken up where it broke off.

Owns ``<out>.partial`` and the note beside it; knows nothing of predictions beyond what makes two runs the same.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from windrow.cli.reading import Record, Table
from windrow.disk import reason
from windrow.domain.errors import InvalidParameter, StorageFailed


@dataclass(frozen=True, slots=True)
class Begun:
    """What decides what a row of an output looks like; kept beside an unfinished output.

    Args:
        asked: The classifier as the user named it.
        reference: The revision that answers, ``name@revision``.
        options: Everything else.
    """

    asked: str
    reference: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Kept:
    """What an unfinished output holds already.

    Args:
        rows: Whole rows.
        names: The names of its columns; ``None`` where there is no row.
        last: The last row's values by column.
    """

    rows: int = 0
    names: tuple[str, ...] | None = None
    last: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Partial:
    """An output that is being written.

    Args:
        file: Where to write.
        kept: What it held before.
        rows: Rows in it by now.
    """

    file: TextIO
    kept: Kept
    rows: int


def partial_path(out: Path) -> Path:
    """Return the name of an output that is not whole yet."""
    return out.with_name(f"{out.name}.partial")


def find_begun(out: Path, *, resume: bool, overwrite: bool) -> Begun | None:
    """Return what an unfinished output was begun with, if it is to be gone on with.

    Raises:
        InvalidParameter: Something is there that must not be overwritten, or that cannot be gone on with.
    """
    partial = partial_path(out)
    if not out.parent.is_dir():
        raise InvalidParameter("There is no folder {folder}. Make it first.", {"folder": str(out.parent)})
    if resume and partial.exists():
        return _read_begun(partial)
    if not overwrite and not resume and partial.exists():
        raise InvalidParameter(
            "{file} is left from a run that broke off. Go on with --resume, or begin anew with --overwrite.",
            {"file": str(partial)},
        )
    if not overwrite and out.exists():
        raise InvalidParameter("{file} exists. Choose another name, or add --overwrite.", {"file": str(out)})
    return None


def check_same(begun: Begun, wanted: Begun, out: Path) -> None:
    """Make sure that a run goes on as it began.

    Raises:
        InvalidParameter: It would answer otherwise.
    """
    if begun.asked != wanted.asked:
        difference = "by {begun}, not by {wanted}"
    elif begun.options != wanted.options:
        difference = "with another value of {changed:joined}"
    else:
        return
    keys = dict.fromkeys((*wanted.options, *begun.options))
    facts = {
        "file": str(partial_path(out)),
        "begun": begun.asked,
        "wanted": wanted.asked,
        "changed": [key for key in keys if begun.options.get(key) != wanted.options.get(key)],
    }
    raise InvalidParameter(
        f"{{file}} was begun {difference}. Go on as it was begun, or begin anew with --overwrite.", facts
    )


@contextmanager
def output_file(out: Path, begun: Begun, *, resume: bool) -> Iterator[Partial]:
    """Open an output for rows; it gets its name at the end of the block, if nothing went wrong.

    Args:
        out: Its name.
        begun: What decides what its rows look like.
        resume: Whether to go on behind the rows that are there.

    Raises:
        StorageFailed: It cannot be written.
        InvalidParameter: What is there cannot be gone on with.
    """
    path = partial_path(out)
    with _told_as_ours(path):
        is_csv = begun.options.get("format") == "csv"
        kept = _take_up(path, is_csv=is_csv) if resume and path.exists() else Kept()
        _note(path).write_text(json.dumps(asdict(begun)), encoding="utf-8")
        with _open_text(path, anew=not resume) as file:
            partial = Partial(file, kept, kept.rows)
            try:
                yield partial
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                if partial.rows == 0:
                    path.unlink()
                    _note(path).unlink()
                raise
        path.replace(out)
        _note(path).unlink()


def rest_of(table: Table, kept: Kept, skip: Callable[[int], None] | None = None) -> Iterator[Record]:
    """Yield a file's rows behind those that an output holds already.

    Args:
        table: The file.
        kept: What the output holds.
        skip: Is told the line of each row whose text is blank, which then is left out.

    Raises:
        InvalidParameter: The last of those is another row than the file has there.
    """
    records = table.records(skip)
    record = None
    for number in range(kept.rows):
        record = next(records, None)
        if record is None:
            words = "it has {found} rows, but the output has {kept} already."
            raise _is_another(table, words, found=number, kept=kept.rows)
    if record is not None and table.columns is not None and kept.last.get(table.columns.text) != record.text:
        words = "the output's row {kept} has another text than this row of the file."
        raise _is_another(table, words, record.line, kept=kept.rows)
    yield from records


def _is_another(table: Table, template: str, line: int | None = None, **facts: object) -> InvalidParameter:
    words = f"{template} Is it another file? Begin anew with --overwrite."
    return table.source.wrong(words, line, **facts, partial=True)


def _open_text(path: Path, *, anew: bool) -> TextIO:
    # Half of a surrogate pair, which no encoding has, is written as an escape that JSON understands.
    return path.open("w" if anew else "a", encoding="utf-8", newline="", errors="backslashreplace")


def _note(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read_begun(partial: Path) -> Begun:
    try:
        return Begun(**json.loads(_note(partial).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidParameter(
            "It is not known how {file} was begun, since {note} beside it cannot be read. Begin anew with --overwrite.",
            {"file": str(partial), "note": _note(partial).name},
        ) from error


def _take_up(path: Path, *, is_csv: bool) -> Kept:
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
        return Kept(count, tuple(values) or None, values)
    if not header:
        return Kept()
    names = tuple(_parsed_csv(header))
    return Kept(count - 1, names, dict(zip(names, _parsed_csv(last), strict=False)))


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
def _told_as_ours(path: Path) -> Iterator[None]:
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
