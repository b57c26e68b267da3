"""Stores the blobs of classifiers once, named by their digest, and checks the digest at each read."""

import logging
import re

from windrow.domain.errors import InvalidArtifact
from windrow.storage.files import Files, KeyExists, KeyMissing, KeyUnusable, no_change_yet
from windrow.storage.format import RESTORE
from windrow.storage.namespace import CLASSIFIERS
from windrow.storage.revision import BlobRef

FOLDER = "blobs"
FILE_NAME = re.compile(r"[0-9a-f]{64}(\.[a-z0-9]{1,16}){1,2}")

# Rows take the most, packed.
MAX_BLOB_BYTES = 2**30

_log = logging.getLogger("windrow.storage")


class Blobs:
    """The blobs in a place.

    Args:
        files: The place.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def keep(self, name: str, content: bytes, suffix: str, copied_from: str | None = None) -> BlobRef:
        """Keep a content for a classifier, unless it is there already, and return where.

        Args:
            name: The classifier.
            content: What to keep.
            suffix: Of its file's name.
            copied_from: A classifier that has the same content.

        Raises:
            StorageFull: The disk is full.
            StorageFailed: The disk failed, and the blob is of no use.
        """
        with no_change_yet():  # no record refers to it
            return self._keep(name, content, suffix, copied_from)

    def _keep(self, name: str, content: bytes, suffix: str, copied_from: str | None) -> BlobRef:
        ref = BlobRef.of(content, suffix)
        key = _key(name, ref.file_name)
        same_as = None if copied_from is None else _key(copied_from, ref.file_name)
        try:
            self._files.put_new(key, content, same_as)
            is_known = same_as is not None  # what was linked may have been damaged
        except KeyExists:
            is_known = True
        if is_known:
            try:
                self.read(name, ref)
            except InvalidArtifact:
                _log.warning("Replacing %s, which was damaged.", key)
                self._files.remove(key)
                return self._keep(name, content, suffix, None)
        return ref

    def read(self, name: str, ref: BlobRef) -> bytes:
        """Return a blob of a classifier.

        Raises:
            InvalidArtifact: It is missing or damaged.
        """
        key = _key(name, ref.file_name)
        try:
            content = self._files.get(key, min(ref.size_bytes, MAX_BLOB_BYTES))
        except KeyUnusable as error:
            raise _damaged(key, f"was altered: {error}") from error
        except KeyMissing as error:
            raise _damaged(key, "is missing") from error
        if BlobRef.of(content, ref.suffix) != ref:
            raise _damaged(key, "was altered: its size or sha256 is not the recorded one")
        return content

    def file_names(self, name: str) -> list[str]:
        """Return the names of a classifier's blobs, sorted, whether anything refers to them or not."""
        return [file for file in self._files.list(f"{CLASSIFIERS}/{name}/{FOLDER}") if FILE_NAME.fullmatch(file)]

    def remove(self, name: str, file_name: str) -> None:
        """Remove a blob for good."""
        self._files.remove(_key(name, file_name))


def _key(name: str, file_name: str) -> str:
    return f"{CLASSIFIERS}/{name}/{FOLDER}/{file_name}"


def _damaged(key: str, problem: str) -> InvalidArtifact:
    return InvalidArtifact("{file} {why}. {advice}", {"file": key, "why": problem, "advice": RESTORE})
