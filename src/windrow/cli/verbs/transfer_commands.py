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
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import naming_file
from windrow.cli.written_files import DASH, check_destination, write_reply
from windrow.domain.archive import ExportRequest, Imported, ImportRequest
from windrow.domain.classifier import Copied, CopyRequest
from windrow.domain.figures import counted

verbs = typer.Typer()


@verbs.command(epilog="Example: windrow export tickets_v2 -o tickets.windrow")
@with_options(
    include_training_data=OptionSpec(help="Write the training texts too; otherwise none is in the file."),
    to=OptionSpec(
        help="A file for `windrow import`, or a zip that answers without Windrow: an ONNX graph and a program."
    ),
)
def export(
    call: Call,
    request: ExportRequest,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Where to write it: by default NAME.windrow or NAME.onnx.zip; - for stdout.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write a classifier into one file.

    `windrow import` takes it in, here or elsewhere. With `--to onnx`, it answers without Windrow.
    """
    check_destination(call, out)
    with call.connected() as operations, closing(operations.export(request)) as exported:
        write_reply(call, exported, out, overwrite=overwrite)


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
    if path == DASH:
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
    came = "" if imported.keeps_training_data or not imported.learned_from_rows else ", which the file does not hold"
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
