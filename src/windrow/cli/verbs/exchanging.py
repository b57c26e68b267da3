"""Verbs that give a classifier away as a file, and take one in: export, import.

Owns their options, and that no half a file stands under its name; knows nothing of what is in it.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from windrow.cli.connect import connected
from windrow.cli.formats import counted, file_problem, size
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import notes_console, print_json, writing_data
from windrow.cli.progress import transfer_bar
from windrow.cli.words import in_options
from windrow.domain.archive import Export, Imported, ImportRequest
from windrow.domain.errors import InvalidParameter
from windrow.session.whole_file import whole_file

verbs = typer.Typer()

_DASH = Path("-")


@verbs.command(epilog="Example: windrow export tickets_v2 -o tickets.windrow")
def export(  # noqa: PLR0913 - Typer makes an option of each parameter
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A classifier, an alias, or a revision like NAME@3.")],
    url: Url = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to write it: by default NAME.windrow; - for stdout."),
    ] = None,
    training_rows: Annotated[
        bool, typer.Option("--training-rows", help="Send the training texts along; otherwise none is in the file.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a classifier into one file.

    `windrow import` takes it in, here or elsewhere.
    """
    if as_json and out == _DASH:
        raise InvalidParameter("--json and -o - both write to standard output. Name a file with -o, or leave one out.")
    with connected(url, data_dir) as operations:
        exported = operations.export(model, training_rows=training_rows)
        if out == _DASH:
            with writing_data():
                for chunk in exported.chunks:
                    sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
            return
        path = out or Path(exported.file_name)
        if path.is_dir():
            path /= exported.file_name
        if path.exists() and not overwrite:
            raise InvalidParameter(f"{path} exists. Name another file with -o, or replace it with --overwrite.")
        try:
            with whole_file(path) as file:
                file.writelines(_shown(exported))
                size_bytes = file.tell()
        except OSError as error:
            raise file_problem(path, error) from error
    if as_json:
        print(json.dumps({"file": str(path), "size_bytes": size_bytes}, ensure_ascii=False))
    else:
        notes_console().print(f"Wrote {path}, {size(size_bytes)}.")


def _shown(exported: Export) -> Iterator[bytes]:
    with transfer_bar("Exporting", exported.size_bytes) as bars:
        for chunk in exported.chunks:
            yield chunk
            bars.advance(bars.task_ids[0], len(chunk))


@verbs.command("import", epilog="Example: windrow import tickets.windrow --name tickets_v3")
def import_classifier(  # noqa: PLR0913 - Typer makes an option of each parameter
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `windrow export` wrote; - for stdin.")],
    url: Url = None,
    data_dir: DataDir = None,
    name: Annotated[str | None, typer.Option("--name", help="Its name here; by default the one that it had.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make it the next revision of an existing name.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, and save nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in a classifier that was exported. Everything is checked before anything is saved."""
    request = ImportRequest(name, overwrite, dry_run)
    with _opened(file) as opened, connected(url, data_dir, may_create=not dry_run) as operations:
        imported = operations.import_classifier(opened, request)
    if as_json:
        from windrow.wire.archive import ImportReply

        print_json(ImportReply.of(imported))
    else:
        _print_imported(imported)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file or standard input for reading at any place."""
    if path == _DASH:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield copy
        return
    try:
        opened = path.open("rb")
    except OSError as error:
        raise file_problem(path, error) from error
    with opened:
        yield opened


def _print_imported(imported: Imported) -> None:
    record = imported.classifier.record
    done = "Imported" if imported.is_saved else "Sound; would import"
    labels, rows = counted(len(record.labels), "label"), counted(record.num_examples, "training row")
    print(f"{done} {record.name}, revision {record.revision}: {labels}, {rows}.")
    for warning in imported.warnings:
        notes_console().print(f"Warning: {in_options(warning.message)}")
