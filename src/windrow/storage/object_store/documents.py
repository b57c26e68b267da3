"""The documents of the log in an object store, as they are written and read back: commits and checkpoints."""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from windrow.domain.errors import InvalidArtifact, StorageFailed
from windrow.storage.format import Mismatch, check_format, is_newer, parse_object, read, write

# The contents of files.
CONTENTS: Final = "files"
# Of checkpoints, which have as many lines as there are files; it counts on its own.
CHECKPOINT_FORMAT: Final = 1
# Ten million files; a server that holds their index takes some 7 GB.
MAX_CHECKPOINT_BYTES: Final = 2**31
_MAX_HEAD_BYTES: Final = 1_000
_RESTORE: Final = "Restore it from a backup of the object store."
_LINE: Final = re.compile(rb"(\S+) ([0-9]{1,15}) ([0-9a-f]{64}) ([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a file's content is, and what it is."""

    size_bytes: int
    sha256: str
    """Of the content, in hexadecimal."""
    attempt: str
    """The attempt to commit that put it."""

    def object_key(self, key: str) -> str:
        """Return the key of the object that has the content of a file."""
        return f"{CONTENTS}/{key}.{self.attempt}"


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of the data directory."""

    number: int
    attempt: str
    """The attempt that made it; no other one has the same."""
    previous: str
    """The attempt that made the commit before; empty for the first one. It tells one log from another."""
    put: Mapping[str, StoredFile]
    """The files that came, by key."""
    removed: tuple[str, ...]
    """The keys of those that went."""
    checkpoint: int
    """The number of a checkpoint; 0 for the empty directory."""
    changed: Mapping[str, StoredFile | None]
    """What is otherwise than at that checkpoint, this commit included; ``None`` for what is gone."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All files after a commit."""

    number: int
    files: Mapping[str, StoredFile]


def commit_to_bytes(commit: Commit) -> bytes:
    """Return a commit as it is stored."""
    return write(commit)


def commit_from_bytes(key: str, data: bytes) -> Commit:
    """Return a commit.

    Args:
        key: Its object, for the error.
        data: The object's content.

    Raises:
        InvalidArtifact: It is damaged, or of a newer format.
    """
    try:
        return read(data, Commit)
    except Mismatch as error:
        raise damaged(key, str(error)) from error
    except InvalidArtifact as error:
        raise _named(key, error) from error


def checkpoint_to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as it is stored: gzipped, a line of JSON with the digest of the others, then one a file.

    Raises:
        StorageFailed: It is larger than what can be read again.
    """
    lines = b"".join(
        b"%b %d %b %b\n" % (key.encode(), file.size_bytes, file.sha256.encode(), file.attempt.encode())
        for key, file in sorted(checkpoint.files.items())
    )
    if len(lines) > MAX_CHECKPOINT_BYTES - _MAX_HEAD_BYTES:
        raise StorageFailed(
            "The data directory has {files} files, more than an object store can keep the index of. Remove some, such "
            "as by purging old revisions, or keep some classifiers in another data directory.",
            {"files": len(checkpoint.files)},
        )
    head = {"format": CHECKPOINT_FORMAT, "number": checkpoint.number, "sha256": hashlib.sha256(lines).hexdigest()}
    return gzip.compress(json.dumps(head).encode() + b"\n" + lines, mtime=0)


def checkpoint_from_bytes(key: str, data: bytes) -> Checkpoint:
    """Return a checkpoint.

    Args:
        key: Its object, for the error.
        data: The object's content.

    Raises:
        InvalidArtifact: It is damaged, or of a newer format.
    """
    try:
        unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        text = unpacking.decompress(data, MAX_CHECKPOINT_BYTES)
        first, _, lines = text.partition(b"\n")
        head = parse_object(first)
        _check_checkpoint_format(key, head.get("format"))
        if hashlib.sha256(lines).hexdigest() != head["sha256"]:
            raise damaged(key, "its sha256 is not the recorded one")
        files = {}
        for line in lines.splitlines():
            if (match := _LINE.fullmatch(line)) is None:
                raise damaged(key, "it has a line that is none of a file")
            name, size, sha256, attempt = match.groups()
            files[name.decode()] = StoredFile(int(size), sha256.decode(), attempt.decode())
        return Checkpoint(int(head["number"]), files)
    except (zlib.error, Mismatch, KeyError, TypeError, ValueError) as error:
        raise damaged(key, str(error)) from error


def damaged(key: str, why: str) -> InvalidArtifact:
    """Return the error for a commit or checkpoint that cannot be used."""
    return InvalidArtifact(
        "{object} in the object store cannot be read: {why}. {advice}", {"object": key, "why": why, "advice": _RESTORE}
    )


def _check_checkpoint_format(key: str, number: object) -> None:
    try:
        check_format(number, CHECKPOINT_FORMAT)
    except InvalidArtifact as error:
        raise _named(key, error) from error


def _named(key: str, error: InvalidArtifact) -> InvalidArtifact:
    """Return the error for a document, which says which object it is about."""
    template = f"{{object}} in the object store: {error.template}"
    if is_newer(error):
        template = (
            "{object} in the object store has format {format}, of a newer Windrow; this one reads up to format "
            "{newest_known_format}. Upgrade Windrow."
        )
    return InvalidArtifact(template, {**error.facts, "object": key})
