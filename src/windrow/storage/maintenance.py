"""The upkeep of a data directory, which depends on where it is: the interface, and that of a folder."""

from pathlib import Path
from typing import Protocol

from windrow.domain.integrity import IntegrityReport
from windrow.domain.usage import Usage
from windrow.encoders.inventory import Inventory
from windrow.storage.disk_usage import measure
from windrow.storage.fsck import check
from windrow.storage.namespace import Namespace
from windrow.storage.retention import LastCheck, LocalLastCheck


class Maintenance(Protocol):
    """Looks after a data directory."""

    def check(self, names: Namespace, *, repair: bool = False) -> IntegrityReport:
        """Read everything and return what is wrong with it, also while servers use it.

        Args:
            names: The namespace of the data directory.
            repair: Whether to remove garbage, and to finish purges that were begun.

        Raises:
            ConcurrentChange: Others have been changing the data directory for too long.
            StorageFailed: It cannot be read, or it is to be repaired and cannot be written.
        """
        ...

    def measure(self, names: Namespace, inventory: Inventory) -> Usage:
        """Return what everything takes.

        Args:
            names: The namespace of the data directory.
            inventory: The base models on this machine.

        Raises:
            StorageFailed: The data directory cannot be read, or does not say how much room is left.
        """
        ...

    def last_check(self) -> LastCheck:
        """Return what remembers when it was last looked for what to purge."""
        ...


class LocalMaintenance:
    """The upkeep of a data directory in a folder.

    Args:
        root: The folder.
        min_free_bytes: What trainings leave free on its disk.
    """

    def __init__(self, root: Path, min_free_bytes: int) -> None:
        self._root = root
        self._min_free_bytes = min_free_bytes

    def check(self, names: Namespace, *, repair: bool = False) -> IntegrityReport:
        """Check the folder. See ``Maintenance``."""
        return check(self._root, names, repair=repair)

    def measure(self, names: Namespace, inventory: Inventory) -> Usage:
        """Measure the folder. See ``Maintenance``."""
        return measure(self._root, names, inventory, self._min_free_bytes)

    def last_check(self) -> LastCheck:
        """Return a file in the folder. See ``Maintenance``."""
        return LocalLastCheck(self._root)
