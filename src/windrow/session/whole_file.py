"""Files that are written whole or not at all.

Owns that nothing half done ever bears a file's name; knows nothing of what is in it.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write, which takes its place at the end; where anything fails, what stood there stays.

    Args:
        path: The file, which is replaced if it exists.

    Raises:
        OSError: It cannot be written.
    """
    # Nobody else has this name, so nobody's file is lost, and two that write to one path do not meet.
    part = path.with_name(f".windrow-{secrets.token_hex(8)}")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
