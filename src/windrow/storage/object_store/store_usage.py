"""Measures what a data directory in an object store takes, by kind of file."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Final

from windrow.domain.names import is_name
from windrow.domain.usage import ClassifierUsage, Usage
from windrow.encoders.inventory import Inventory
from windrow.storage.disk_usage import BEGINNING_BYTES, kind_of, usage_of
from windrow.storage.files import KeyMissing
from windrow.storage.log import NUMBERED
from windrow.storage.namespace import CLASSIFIERS, Namespace
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.documents import StoredFile
from windrow.storage.object_store.object_files import ObjectFiles

# Numbered files that are fetched together.
_BATCH: Final = 1_000

_Entry = tuple[str, StoredFile]


def measure(files: ObjectFiles, bucket: Bucket, names: Namespace, inventory: Inventory) -> Usage:
    """Return what everything takes in an object store, and the base models on this machine.

    Sizes are those of the index. All objects are listed for the rest, and numbered files are read that are not on this
    machine yet.

    Args:
        files: The files in the store.
        bucket: Where they are.
        names: Their namespace.
        inventory: The base models on this machine.

    Raises:
        StorageFailed: The store refuses.
        DataDirectoryUnavailable: It does not answer.
    """
    files.follow()
    entries = files.stored(CLASSIFIERS)
    _fetch(files, entries)
    found = (_usage(files, names, name, list(own)) for name, own in groupby(entries, _name))
    classifiers = tuple(usage for usage in found if usage is not None)
    all_bytes = sum(each.size_bytes for root in bucket.names("") for each in bucket.objects(root))
    # Others may have removed something between the look at the index and the listing.
    other_bytes = max(0, all_bytes - sum(each.size_bytes for each in classifiers))
    return Usage(
        base_models=inventory.stored_base_models(),
        classifiers=classifiers,
        other_bytes=other_bytes + inventory.leftover_bytes(),
        free_bytes=None,
        min_free_bytes=0,
    )


def _name(entry: _Entry) -> str:
    return entry[0].split("/")[1]


def _number(key: str) -> int:
    """Return the number of a classifier's file; 0 where it has none."""
    parts = key.split("/")
    match = NUMBERED.fullmatch(parts[2]) if len(parts) == 3 else None
    return 0 if match is None else int(match[1])


def _fetch(files: ObjectFiles, entries: Sequence[_Entry]) -> None:
    numbered = [key for key, _ in entries if _number(key)]
    for first in range(0, len(numbered), _BATCH):
        files.prefetch(numbered[first : first + _BATCH])


def _usage(files: ObjectFiles, names: Namespace, name: str, entries: Sequence[_Entry]) -> ClassifierUsage | None:
    if not is_name(name):
        return None
    numbered = sorted((number, key) for key, _ in entries if (number := _number(key)))
    kinds = [kind_of(names, name, number, _beginning(files, key)) for number, key in numbered]
    return usage_of(name, sum(file.size_bytes for _, file in entries), kinds)


def _beginning(files: ObjectFiles, key: str) -> bytes:
    with suppress(KeyMissing):
        return files.get(key)[:BEGINNING_BYTES]
    return b""
