"""Measures the disk usage of a data directory in a folder, by kind of file."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from windrow.disk import open_plain
from windrow.domain.errors import InvalidArtifact, StorageFailed
from windrow.domain.names import is_name
from windrow.domain.usage import ClassifierUsage, Usage
from windrow.encoders.inventory import Inventory
from windrow.storage.files import is_forbidden
from windrow.storage.free_space import free_bytes
from windrow.storage.log import NUMBERED
from windrow.storage.namespace import CLASSIFIERS, Namespace
from windrow.storage.revision import TRAININGS

_BASE_MODELS = "base_models"
# How Windrow begins a numbered file; one that begins otherwise is read as a whole.
_BEGINNING = re.compile(rb'\{\s*"format":\s*[0-9]+,\s*("sha256":\s*"[0-9a-f]{64}",\s*)?"kind":\s*"(?P<kind>[a-z]+)"')
BEGINNING_BYTES = 192


def measure(root: Path, names: Namespace, inventory: Inventory, min_free_bytes: int) -> Usage:
    """Return what everything takes; no link is followed, and what cannot be listed counts as nothing.

    Args:
        root: The data directory.
        names: Its namespace.
        inventory: Its base models.
        min_free_bytes: What trainings leave free.

    Raises:
        StorageFailed: The disk does not say how much room is left.
    """
    classifiers = []
    other_bytes = inventory.leftover_bytes()
    for entry in _entries(root):
        if entry.name == CLASSIFIERS:
            for folder in _entries(entry):
                usage = _usage(names, folder)
                if usage is None:
                    other_bytes += _size_bytes(folder)
                else:
                    classifiers.append(usage)
        elif entry.name != _BASE_MODELS:
            other_bytes += _size_bytes(entry)
    return Usage(
        base_models=inventory.stored_base_models(),
        classifiers=tuple(sorted(classifiers, key=lambda each: each.name)),
        other_bytes=other_bytes,
        free_bytes=free_bytes(root),
        min_free_bytes=min_free_bytes,
    )


def _usage(names: Namespace, folder: os.DirEntry[str]) -> ClassifierUsage | None:
    """Return what a name takes; ``None`` where it is no classifier, not even a deleted one."""
    if not is_name(folder.name) or not folder.is_dir(follow_symlinks=False):
        return None
    inside = _entries(folder)
    plain = [entry for entry in inside if entry.is_file(follow_symlinks=False)]
    files = {int(match[1]): entry.path for entry in plain if (match := NUMBERED.fullmatch(entry.name))}
    kinds = [kind_of(names, folder.name, number, _beginning(files[number])) for number in sorted(files)]
    return usage_of(folder.name, sum(map(_size_bytes, inside)), kinds)


def usage_of(name: str, size_bytes: int, kinds: Sequence[str]) -> ClassifierUsage | None:
    """Return what a name takes; ``None`` where it is no classifier, not even a deleted one.

    Args:
        name: The name.
        size_bytes: The size of all its files.
        kinds: What its numbered files say, ascending; of :func:`kind_of`.
    """
    if not kinds or kinds[-1] == "purged":
        return None
    return ClassifierUsage(name, size_bytes, sum(kind in TRAININGS for kind in kinds), kinds[-1] == "deleted")


def kind_of(names: Namespace, name: str, number: int, beginning: bytes) -> str:
    """Return what a numbered file of a classifier says happened; nothing where it cannot be read.

    Args:
        names: The namespace, which reads the whole file where its beginning does not tell.
        name: The classifier.
        number: The file's number.
        beginning: Its first :data:`BEGINNING_BYTES`: reading all of 30,000 files takes seconds.
    """
    if match := _BEGINNING.match(beginning):
        return match["kind"].decode()
    try:
        value = names.classifiers.at(name, number)
    except StorageFailed as error:
        if not is_forbidden(error):
            raise
        return ""
    return "" if value is None or isinstance(value, InvalidArtifact) else value.kind


def _beginning(path: str) -> bytes:
    with suppress(OSError), open_plain(path) as file:
        return file.read(BEGINNING_BYTES)
    return b""


def _size_bytes(entry: os.DirEntry[str]) -> int:
    """Return the size of a file, or of all files below a folder; 0 for anything else."""
    if entry.is_dir(follow_symlinks=False):
        return sum(map(_size_bytes, _entries(entry)))
    with suppress(FileNotFoundError):  # it is gone meanwhile
        return entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else 0
    return 0


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []
