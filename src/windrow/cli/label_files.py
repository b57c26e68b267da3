"""Writes rows into a folder with one file for each label that was given, which appears whole."""

import os
import secrets
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, Final

from windrow.codec.values import ValidationError, from_json, to_json
from windrow.disk import reason
from windrow.domain.errors import InvalidParameter, StorageFailed
from windrow.domain.prediction import Prediction
from windrow.domain.prediction_summary import PredictionSummary
from windrow.files.reading import Record
from windrow.files.results import ENDINGS, ResultContext, ResultForm, close_writer
from windrow.files.text_form import TextForm
from windrow.files.writing import Gained, RowWriter

# Says which files of a folder are Windrow's, so that --overwrite replaces nothing else.
INDEX: Final = "_labels.json"
# Each one holds a file open until the end.
MAX_BINARY_LABELS: Final = 200
_MAX_NAME_CHARS: Final = 80
_MAX_NAME_BYTES: Final = 160
# What Windows gives to no file, with any ending.
_RESERVED: Final = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10)))
)


class NoLabel(Enum):
    """Why a row has no label; the name of its file."""

    ABSTAINED = "_abstained"
    NONE_FITS = "_none_of_the_labels"


# What a row goes by.
Key = str | NoLabel


def file_names(labels: Sequence[str], ending: str) -> dict[Key, str]:
    """Return a name for the file of each label, which any system takes, and of the rows without one.

    Args:
        labels: The labels.
        ending: What the names end with.
    """
    names: dict[Key, str] = {each: f"{each.value}{ending}" for each in NoLabel}
    taken = {Path(INDEX).stem, *(each.value for each in NoLabel)}
    for label in labels:
        stem = wanted = _safe(label)
        number = 1
        while _folded(stem) in taken:
            number += 1
            stem = f"{wanted}-{number}"
        taken.add(_folded(stem))
        names[label] = f"{stem}{ending}"
    return names


def _safe(label: str) -> str:
    kept = "".join(char if char.isalnum() or char in " ._-" else "_" for char in unicodedata.normalize("NFC", label))
    kept = " ".join(kept.split()).strip(" .")[:_MAX_NAME_CHARS]
    kept = kept.encode()[:_MAX_NAME_BYTES].decode("utf-8", "ignore").strip(" .")
    if not kept:
        return "label"
    return f"{kept}_" if kept.split(".")[0].casefold() in _RESERVED else kept


def _folded(stem: str) -> str:
    """Return a name as systems compare it that know no case, or compose characters."""
    return unicodedata.normalize("NFC", stem.casefold())


def check_label_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something else than what this writes, or what is not to be replaced.

    Raises:
        InvalidParameter: It holds something else, or must not be overwritten, or the folder around it is not there.
    """
    facts = {"parameter": "split_by_label", "folder": str(folder)}
    if not folder.parent.is_dir():
        raise InvalidParameter("There is no folder {folder}. Make it first.", {**facts, "folder": str(folder.parent)})
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidParameter("{folder} is a file. Name a folder.", facts)
    found = {each.name for each in folder.iterdir()}
    if not found:
        return
    if INDEX not in found:
        raise InvalidParameter(
            "{folder} holds files that no earlier run wrote, so nothing there is replaced. Name another folder.", facts
        )
    others = sorted(found - _files_of(folder))
    if others:
        raise InvalidParameter(
            "{folder} holds {other}, which the run before did not write, so nothing there is replaced. Move it, or "
            "name another folder.",
            {**facts, "other": others[0]},
        )
    if not overwrite:
        raise InvalidParameter(
            "{folder} holds the files of an earlier run. Name another folder, or add --overwrite.", facts
        )


def _files_of(folder: Path) -> set[str]:
    """Return the files that a run wrote to a folder."""
    try:
        summary = from_json(PredictionSummary, (folder / INDEX).read_bytes())
    except (OSError, ValidationError):
        return {INDEX}
    named = (summary.abstained_file, summary.without_labels_file, *(each.file for each in summary.labels))
    return {INDEX, *(name for name in named if name is not None)}


@dataclass(slots=True)
class LabelWriter:
    """Writes each row to the file of each of its labels.

    Args:
        folder: Where the files are written.
        form: How they are written.
        context: What is the same for all rows.
        names: The file of each label.
    """

    folder: Path
    form: ResultForm
    context: ResultContext
    names: Mapping[Key, str]
    _writers: dict[Key, RowWriter] = field(default_factory=dict)
    _open: list[BinaryIO] = field(default_factory=list)

    @property
    def remark(self) -> str:
        """What to do in a labelling tool."""
        return next((words for each in self._writers.values() if (words := getattr(each, "remark", ""))), "")

    @property
    def files(self) -> dict[Key, str]:
        """The files that there are, by label."""
        return {key: self.names[key] for key in self._writers}

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions."""
        rows: dict[Key, tuple[list[Record], list[Gained]]] = {}
        for record, gained in zip(records, predictions, strict=True):
            for key in _keys_of(gained):
                of_label = rows.setdefault(key, ([], []))
                of_label[0].append(record)
                of_label[1].append(gained)
        for key, (some, answers) in rows.items():
            self._writer(key).write(some, answers)

    def end(self) -> None:
        """Write the ends of all files."""
        for writer in self._writers.values():
            writer.end()

    def close(self) -> None:
        """Close what is open."""
        for writer in self._writers.values():
            close_writer(writer)
        for file in self._open:
            file.close()

    def _writer(self, key: Key) -> RowWriter:
        if key not in self._writers:
            path = self.folder / self.names[key]
            if self.form.is_binary:
                file = path.open("xb")
                self._open.append(file)
                self._writers[key] = self.context.binary_writer(self.form, file)
            else:
                appended: Any = _Appended(path, self.form.text)
                self._writers[key] = self.context.text_writer(self.form, appended)
        return self._writers[key]


def _keys_of(gained: Gained) -> tuple[Key, ...]:
    if not isinstance(gained, Prediction) or gained.abstained:
        return (NoLabel.ABSTAINED,)
    return gained.given or (NoLabel.NONE_FITS,)


@dataclass(slots=True)
class _Appended:
    """A file that is open only while something is written to it: there may be more labels than open files."""

    path: Path
    form: TextForm
    _parts: list[bytes] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Take text."""
        self._parts.append(text.encode(self.form.encoding, self.form.errors))

    def flush(self) -> None:
        """Write what was taken."""
        with self.path.open("ab") as file:
            file.write(b"".join(self._parts))
        self._parts.clear()


@dataclass(slots=True)
class LabelFolder:
    """A folder that is being written.

    Args:
        writer: Writes the rows.
        summary: What it says of itself; to be set before the end.
    """

    writer: LabelWriter
    summary: PredictionSummary | None = None


@contextmanager
def label_folder(folder: Path, form: ResultForm, context: ResultContext) -> Iterator[LabelFolder]:
    """Open a folder for rows; it gets its name at the end of the block, if nothing went wrong.

    Args:
        folder: The folder, which :func:`check_label_folder` has looked at.
        form: How its files are written.
        context: What is the same for all rows.

    Raises:
        InvalidParameter: There are too many labels for files of this kind.
        StorageFailed: It cannot be written.
    """
    labels = context.tool.labels
    if form.is_binary and len(labels) > MAX_BINARY_LABELS:
        raise InvalidParameter(
            "There are {found:,} labels, and no more than {limit} files of {to} are written at a time. Add --to csv.",
            {"parameter": "split_by_label", "found": len(labels), "limit": MAX_BINARY_LABELS, "to": form.format},
        )
    part = folder.with_name(f".windrow-{secrets.token_hex(8)}")
    try:
        part.mkdir()
        writer = LabelWriter(part, form, context, file_names(labels, ENDINGS[form.format]))
        opened = LabelFolder(writer)
        try:
            yield opened
        finally:
            writer.close()
        assert opened.summary is not None
        (part / INDEX).write_bytes(to_json(opened.summary) + b"\n")
        _sync(part)
        _take_place(part, folder)
    except OSError as error:
        raise StorageFailed(
            "{folder} cannot be written: {reason}. Make room, or name another place with --split-by-label.",
            {"folder": str(folder), "reason": reason(error)},
        ) from error
    finally:
        _remove(part)


def _sync(folder: Path) -> None:
    """Make sure that all files of a folder outlive a power cut."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _take_place(part: Path, folder: Path) -> None:
    """Give a folder its name; what was there, a run before wrote."""
    if not folder.exists():
        part.rename(folder)
        return
    before = folder.with_name(f".windrow-{secrets.token_hex(8)}")
    folder.rename(before)
    try:
        part.rename(folder)
    except OSError:
        before.rename(folder)
        raise
    _remove(before)


def _remove(folder: Path) -> None:
    """Remove a folder of files that were written here."""
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
