"""Writes what a verb gives away to a file or to standard output."""

import sys
from pathlib import Path
from typing import Final

from windrow.cli.call import Call
from windrow.cli.formats import size
from windrow.cli.output import naming_file, notes_console
from windrow.cli.progress import transfer_bar
from windrow.disk import whole_file
from windrow.domain.errors import InvalidParameter
from windrow.domain.file_reply import FileReply

DASH: Final = Path("-")


def check_destination(call: Call, out: Path | None) -> None:
    """Refuse a destination that something else is written to.

    Raises:
        InvalidParameter: Both the file and a JSON document would go to standard output.
    """
    if call.as_json and out == DASH:
        raise InvalidParameter("--json and -o - both write to standard output. Name a file with -o, or leave one out.")


def check_absent(path: Path, *, overwrite: bool) -> None:
    """Refuse a file that exists, unless it is to be replaced, and one in a folder that does not.

    Raises:
        InvalidParameter: It exists, or its folder does not.
    """
    if not path.parent.is_dir():
        raise InvalidParameter(
            "There is no folder {folder}. Create it, or name another file with -o.", {"folder": str(path.parent)}
        )
    if path.exists() and not path.is_dir() and not overwrite:
        raise InvalidParameter(
            "{file} exists. Name another file with -o, or replace it with --overwrite.", {"file": str(path)}
        )


def write_reply(call: Call, reply: FileReply, out: Path | None, *, overwrite: bool) -> None:
    """Write a file that a verb gave away, and say where it is.

    Args:
        call: The run of the command.
        reply: The file.
        out: Where to write it: a file, a folder, ``-`` for standard output, or ``None`` for its own name here.
        overwrite: Whether a file that exists is replaced.

    Raises:
        InvalidParameter: The file exists, or cannot be written.
    """
    if out == DASH:
        sys.stdout.buffer.writelines(reply.chunks)
        return
    path = out or Path(reply.file_name)
    if path.is_dir():
        path /= reply.file_name
    check_absent(path, overwrite=overwrite)
    size_bytes = _write(reply, path)
    written = {"file": str(path), "size_bytes": size_bytes}
    call.show(written, lambda _: notes_console().print(f"Wrote {path}, {size(size_bytes)}."))


def _write(reply: FileReply, path: Path) -> int:
    """Write a file, whole or not at all, and return its size in bytes."""
    with naming_file(path), whole_file(path) as file, transfer_bar("Writing the file", reply.size_bytes) as bars:
        for chunk in reply.chunks:
            file.write(chunk)
            bars.advance(bars.task_ids[0], len(chunk))
        return file.tell()
