"""The ``convert`` command: the examples of any file as a plain table or JSON Lines."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from windrow.cli.call import Call
from windrow.cli.labelled_file import read_examples_of, read_texts_of, tell_file
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import naming_file, notes_console
from windrow.cli.written_files import DASH, check_absent, check_destination
from windrow.disk import whole_file
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import Format, LabelledReadOptions
from windrow.domain.values import Value
from windrow.files.labelled_files import FileExample, LabelledFile
from windrow.files.text_form import PLAIN
from windrow.files.writing import LABEL_SEPARATOR, check_labels_for_csv

verbs = typer.Typer()
ConvertedFormat = Literal["jsonl", "csv"]
_SUFFIXES: Final[dict[str, ConvertedFormat]] = {".jsonl": "jsonl", ".csv": "csv"}


@dataclass(frozen=True, slots=True)
class Output:
    """What is written, and where to."""

    to: str | None = None
    """What to write: jsonl or csv; what the name of the file says, or jsonl, if left out."""
    out: Path | None = None
    """Where to; - or nothing for standard output."""
    overwrite: bool = False
    """Replace a file that is there."""
    texts_only: bool = False
    """Write the text of each row, without labels, as it is to be classified: rows that nobody has labelled, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion(Value):
    """What became of a file."""

    _summary = "format rows out"

    format: Format | None
    """What it was."""
    rows: int
    """How many examples were written."""
    left_out: int
    """How many rows are no examples, or are wrong and were skipped."""
    unlabelled: int
    """How many more rows nobody has labelled."""
    out: str
    """Where they are."""


@verbs.command(
    epilog="Examples: windrow convert project.json -o rows.jsonl; windrow convert export.zip --format azure --to csv"
)
@with_options(leave_out=("splits",), to=OptionSpec(metavar="FORMAT"), out=OptionSpec("-o --out", metavar="FILE"))
def convert(
    call: Call,
    read_options: LabelledReadOptions,
    output: Output,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A table, JSON, or the file or folder of a labelling tool; - for standard input.",
        ),
    ],
) -> None:
    """Write the examples of a file of any format as JSON Lines or CSV that every tool reads.

    Each row has its text, its label or labels, and the part of the data and the id that the file gives it. Rows that
    are no examples are left out and told. With `--texts-only`, all rows with a text are written, to be classified.
    Nothing is trained.
    """
    out = output.out
    check_destination(call, out or DASH)
    form = _form_of(output.to, out)
    if out is not None and out != DASH:
        check_absent(out, overwrite=output.overwrite)
    found = (read_texts_of if output.texts_only else read_examples_of)(file, read_options)
    tell_file(found, call.words)
    content = _WRITERS[form](found, with_labels=not output.texts_only)
    if out is None or out == DASH:
        sys.stdout.writelines(content)
        return
    with naming_file(out), whole_file(out) as written:
        written.writelines(line.encode() for line in content)
    conversion = Conversion(
        format=found.format,
        rows=len(found.examples),
        left_out=found.left_out.num_rows,
        unlabelled=found.left_out.num_unlabelled,
        out=str(out),
    )
    call.show(conversion, lambda done: notes_console().print(f"Wrote {counted(done.rows, 'row')} to {done.out}."))


def _form_of(to: str | None, out: Path | None) -> ConvertedFormat:
    """Return what is to be written: what the user says, or the name of the file.

    Raises:
        InvalidParameter: It is neither JSON Lines nor CSV.
    """
    if to is None:
        return _SUFFIXES.get("" if out is None else out.suffix.lower(), "jsonl")
    if to in _SUFFIXES.values():
        return _SUFFIXES[f".{to}"]
    raise InvalidParameter("--to is {value}; it must be {known:or}.", {"value": to, "known": list(_SUFFIXES.values())})


def _as_jsonl(file: LabelledFile, *, with_labels: bool) -> Iterator[str]:
    for each in file.examples:
        labels: dict[str, object] = (
            {"labels": each.row.labels} if isinstance(each.row, MultiLabelRow) else {"label": each.row.label}
        )
        labels = labels if with_labels else {}
        more = {name: value for name, value in (("split", each.split), ("id", each.id)) if value}
        yield json.dumps({"text": each.row.text, **labels, **more}, ensure_ascii=False) + "\n"


def _as_csv(file: LabelledFile, *, with_labels: bool) -> Iterator[str]:
    check_labels_for_csv(sorted(set(_labels_in(file.examples))), "multi_label")
    is_several = any(isinstance(each.row, MultiLabelRow) for each in file.examples)
    label = "labels" if is_several else "label"
    columns = ["text", label] if with_labels else ["text"]
    columns += ["split"] if any(each.split for each in file.examples) else []
    columns += ["id"] if any(each.id for each in file.examples) else []
    yield PLAIN.rows([columns])
    for each in file.examples:
        labels = LABEL_SEPARATOR.join(each.row.labels) if isinstance(each.row, MultiLabelRow) else each.row.label
        values = {"text": each.row.text, label: labels, "split": each.split or "", "id": each.id}
        yield PLAIN.rows([[values[name] for name in columns]])


def _labels_in(examples: Iterable[FileExample]) -> Iterator[str]:
    for each in examples:
        yield from each.row.labels if isinstance(each.row, MultiLabelRow) else ()


_WRITERS: Final = {"jsonl": _as_jsonl, "csv": _as_csv}
