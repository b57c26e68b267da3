"""The room that is left on the data directory's disk, and how much of it trainings and imports must leave."""

import shutil
from contextlib import suppress
from pathlib import Path

from windrow.disk import reason
from windrow.domain.errors import StorageFailed, StorageFull


class FreeSpace:
    """The free room of a data directory's disk; of the local folder's where the data directory is in an object store.

    Args:
        root: The folder, which need not be there yet.
        min_free_bytes: Below this, nothing is saved that takes much room; 0 refuses nothing, as for an object store.

    Attributes:
        last_bytes: What was free at the last :meth:`update`, for monitors, who must not wait for a disk.
    """

    def __init__(self, root: Path, min_free_bytes: int) -> None:
        self._root = root
        self._min_free_bytes = min_free_bytes
        self.last_bytes = 0

    def update(self) -> None:
        """Look how much is free; where the disk does not say, what it said last holds."""
        with suppress(StorageFailed):
            self.last_bytes = free_bytes(self._root)

    def check(self) -> None:
        """Refuse what would take much room where too little is left.

        Raises:
            StorageFull: It is less than the least.
            StorageFailed: The disk does not say how much it is.
        """
        if self._min_free_bytes == 0:
            return
        free = free_bytes(self._root)
        if free < self._min_free_bytes:
            raise StorageFull(
                "{free_bytes} bytes are free on the data directory's disk, and trainings and imports leave it at least "
                "{min_free_bytes}. Free some, such as by purging what was deleted, or lower {setting}; predictions, "
                "deletions and purges go on.",
                {
                    "free_bytes": free,
                    "min_free_bytes": self._min_free_bytes,
                    "setting": "WINDROW_MIN_FREE_BYTES",
                },
            )


def free_bytes(root: Path) -> int:
    """Return the room that is left for this process on the disk of a folder, or of where it would be made.

    Raises:
        StorageFailed: The disk does not say.
    """
    try:
        there = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
        return shutil.disk_usage(there).free
    except OSError as error:
        raise StorageFailed(
            "The disk of the data directory {folder} does not say how much room is left ({why}). Check it, then try "
            "again.",
            {"folder": str(root), "why": reason(error)},
        ) from error
