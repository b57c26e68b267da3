"""Copies of what is in an object store on this machine's disk, by digest, checked at each read and bounded in size."""

import hashlib
import os
import secrets
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from windrow.disk import PRIVATE_FILE, make_private


class ContentCache:
    """A folder of contents named by their SHA-256; thread-safe, and several processes may share it.

    What cannot be kept is not kept: a full disk costs requests, and nothing else.

    Args:
        folder: The folder, which nobody else writes to.
        max_bytes: What all contents may take; those that were not read for the longest time go first.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._size_bytes = -1  # unknown

    def get(self, sha256: str) -> bytes | None:
        """Return a content; ``None`` where it is not here, or was altered."""
        path = self._path(sha256)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
        self.remove((sha256,))
        return None

    def has(self, sha256: str) -> bool:
        """Whether a content is here, altered or not."""
        return self._path(sha256).exists()

    def put(self, sha256: str, content: bytes) -> None:
        """Keep a content, unless it is larger than all may be."""
        if len(content) > self._max_bytes:
            return
        path = self._path(sha256)
        staged = path.with_name(f".{secrets.token_hex(8)}")
        try:
            make_private(path.parent)
            with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
                file.write(content)
            staged.rename(path)
        except OSError:
            with suppress(OSError):
                staged.unlink()
            return
        with self._lock:
            if self._size_bytes >= 0:
                self._size_bytes += len(content)
            if not 0 <= self._size_bytes <= self._max_bytes:
                self._shrink()

    def remove(self, digests: Collection[str]) -> None:
        """Remove contents; those that are not here are no error."""
        has_removed = False
        for sha256 in digests:
            with suppress(OSError):
                self._path(sha256).unlink()
                has_removed = True
        if has_removed:  # else the next put would measure the folder for nothing
            with self._lock:
                self._size_bytes = -1

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove what is none of some contents, such as what was purged while this machine was off."""
        self.remove([path.name for path in self._files() if path.name not in digests])

    def _shrink(self) -> None:
        """Remove what was not read for the longest time, until there is room for a tenth more; the lock is held."""
        known = []
        for path in self._files():
            with suppress(OSError):
                status = path.stat()
                known.append((status.st_mtime_ns, status.st_size, path))
        self._size_bytes = sum(size for _, size, _ in known)
        if self._size_bytes <= self._max_bytes:
            return
        for _, size, path in sorted(known):
            if self._size_bytes <= self._max_bytes * 0.9:
                break
            with suppress(OSError):
                path.unlink()
            self._size_bytes -= size

    def _files(self) -> Iterator[Path]:
        with suppress(OSError):
            for folder in list(self._folder.iterdir()):
                with suppress(OSError):
                    yield from list(folder.iterdir())

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256
