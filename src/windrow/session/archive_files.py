"""What verbs give away and take in, as files of this machine."""

from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from windrow.disk import reason, whole_file
from windrow.domain.archive import Imported, ImportRequest
from windrow.domain.errors import InvalidParameter, StorageFailed
from windrow.domain.file_reply import FileReply
from windrow.operations import Operations


def write_file(reply: FileReply, path: str | Path) -> Path:
    """Write what a verb gave away into a file, whole or not at all, and return the file.

    Args:
        reply: What it gave away.
        path: The file, which is replaced if it exists, or a folder to put it in.

    Raises:
        StorageFailed: The file cannot be written; what stood there is untouched.
    """
    target = Path(path)
    target = target / reply.file_name if target.is_dir() else target
    try:
        with closing(reply), whole_file(target) as file:
            file.writelines(reply.chunks)
    except OSError as error:
        raise StorageFailed(
            "{file} cannot be written: {reason}. Choose another place.",
            {"file": str(target), "reason": reason(error)},
        ) from error
    return target


def import_path(operations: Operations, path: str | Path, request: ImportRequest) -> Imported:
    """Import a file by its path.

    Raises:
        InvalidParameter: There is no such file to read.
        WindrowError: What ``import_classifier`` raises.
    """
    with open_archive(path) as opened:
        return operations.import_classifier(opened, request)


def open_archive(path: str | Path) -> BinaryIO:
    """Open an exported classifier.

    Raises:
        InvalidParameter: There is no such file to read.
    """
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise InvalidParameter(
            "{file} cannot be read: {reason}. {Send} the path of an exported classifier.",
            {"parameter": "file", "file": str(path), "reason": reason(error)},
        ) from error
