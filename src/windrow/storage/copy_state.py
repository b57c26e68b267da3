"""What a copy of a data directory works on, and what it has done and found up to now."""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from windrow.domain.store_copy import CopyProblem
from windrow.storage.files import Files
from windrow.storage.lock import Lock
from windrow.storage.object_store.object_files import ObjectFiles


class Place(Protocol):
    """A data directory, in a folder or an object store."""

    @property
    def files(self) -> Files:
        """Its files."""
        ...

    @property
    def lock(self) -> Lock:
        """Lets one writer at a time change them."""
        ...


@dataclass(slots=True)
class CopyState:
    """What a copy has done and found up to now.

    Args:
        source: Where the data directory is.
        target: Where it is copied to.
        dry_run: Whether nothing is changed.
        readers: Read several files at the same time.
        placed: The keys that this copy has put, and their sizes.
        equal: The digests of the keys that are the same in both.
        problems: What was left out, by folder.
        left_out: The folders that were not copied at all.
        unfinished: The folders of jobs that wait or run.
        placed_bytes: The sum of the sizes in ``placed``.
        num_changes: How often the target was changed.
        num_removed: Files that were removed from it.
    """

    source: Place
    target: Place
    dry_run: bool
    readers: Executor
    placed: dict[str, int] = field(default_factory=dict)
    equal: dict[str, str] = field(default_factory=dict)
    problems: dict[str, list[CopyProblem]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    placed_bytes: int = 0
    num_changes: int = 0
    num_removed: int = 0

    def forget(self, folder: str) -> None:
        """Forget what was found in a folder, which is looked at again."""
        self.problems.pop(folder, None)
        self.left_out.discard(folder)
        self.unfinished.discard(folder)


class FolderChanged(Exception):  # noqa: N818 - an answer, after which the folder is looked at again
    """A folder was changed since it was listed."""


def known_digest(files: Files, key: str) -> str | None:
    """Return the SHA-256 of a file where the place knows it without reading; ``None`` where it does not."""
    return files.digest(key) if isinstance(files, ObjectFiles) else None


def take_over(files: Files) -> None:
    """Have a place show what others have committed; a folder does so by itself.

    Raises:
        DataDirectoryUnavailable: An object store does not answer.
    """
    if isinstance(files, ObjectFiles):
        files.follow()
