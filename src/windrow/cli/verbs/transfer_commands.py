"""Verbs that give a classifier away as a file, take one in, or put one under a second name: export, import, copy."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from windrow.cli.call import Call
from windrow.cli.formats import size
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import naming_file, notes_console
from windrow.cli.progress import transfer_bar
from windrow.disk import whole_file
from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest
from windrow.domain.classifier import Copied, CopyRequest
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted

verbs = typer.Typer()

_DASH = Path("-")


@verbs.command(epilog="Example: windrow export tickets_v2 -o tickets.windrow")
@with_options(include_training_data=OptionSpec(help="Write the training texts too; otherwise none is in the file."))
def export(
    call: Call,
    request: ExportRequest,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to write it: by default NAME.windrow; - for stdout."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write a classifier into one file.

    `windrow import` takes it in, here or elsewhere.
    """
    if call.as_json and out == _DASH:
        raise InvalidParameter("--json and -o - both write to standard output. Name a file with -o, or leave one out.")
    with call.connected() as operations, closing(operations.export(request)) as exported:
        if out == _DASH:
            sys.stdout.buffer.writelines(exported.chunks)
            return
        path = out or Path(exported.file_name)
        if path.is_dir():
            path /= exported.file_name
        if path.exists() and not overwrite:
            raise InvalidParameter(
                "{file} exists. Name another file with -o, or replace it with --overwrite.", {"file": str(path)}
            )
        size_bytes = _write(exported, path)
    written = {"file": str(path), "size_bytes": size_bytes}
    call.show(written, lambda _: notes_console().print(f"Wrote {path}, {size(size_bytes)}."))


def _write(exported: Export, path: Path) -> int:
    """Write an export to a file, and return its size in bytes."""
    with naming_file(path), whole_file(path) as file, transfer_bar("Exporting", exported.size_bytes) as bars:
        for chunk in exported.chunks:
            file.write(chunk)
            bars.advance(bars.task_ids[0], len(chunk))
        return file.tell()


@verbs.command("import", epilog="Example: windrow import tickets.windrow --model-name tickets_v3")
@with_options(
    model_name=OptionSpec(metavar="NAME"),
    overwrite=OptionSpec(help="Let it become the next revision of an existing name."),
    dry_run=OptionSpec(help="Check everything and save nothing."),
)
def import_classifier(
    call: Call,
    request: ImportRequest,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `windrow export` wrote; - for stdin.")],
) -> None:
    """Take in a classifier that was exported. Everything is checked before anything is saved."""
    with _opened(file) as opened, call.connected(may_create=not request.dry_run) as operations:
        call.show(operations.import_classifier(opened, request), lambda imported: _print_imported(call, imported))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file or standard input for reading at any place."""
    if path == _DASH:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield copy
        return
    with naming_file(path):
        opened = path.open("rb")
    with opened:
        yield opened


def _print_imported(call: Call, imported: Imported) -> None:
    done = "Imported" if imported.status == "imported" else "Sound; would import"
    labels, rows = counted(len(imported.labels), "label"), counted(imported.num_examples, "row")
    came = "" if imported.keeps_training_data else ", which the file does not hold"
    print(f"{done} {imported.name}, revision {imported.revision}: {labels}, trained on {rows}{came}.")
    call.warn(imported.import_warnings)


@verbs.command(epilog="Example: windrow copy tickets_v2 mails_v1")
@with_options(
    new_name=OptionSpec(metavar="NEW_NAME"),
    overwrite=OptionSpec(help="Let the copy become the next revision of an existing name."),
)
def copy(call: Call, request: CopyRequest) -> None:
    """Put a classifier under a second name. Each of the two goes its own way from then on."""
    with call.connected() as operations:
        call.show(operations.copy(request), _print_copied)


def _print_copied(copied: Copied) -> None:
    # Without a name where the API key does not know it, but an alias of it.
    of = "" if copied.origin is None else f": a copy of {copied.origin.name}@{copied.origin.revision}"
    print(f"{copied.name}, revision {copied.revision}, answers{of}.")
