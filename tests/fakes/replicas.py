"""Replicas in one process: toys on one object store, each with what a server of its own would have."""

from pathlib import Path

from tests.fakes.bucket import MemoryBucket
from windrow.bootstrap import OpenedFiles
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.store_directory import StoreDirectory


def opened(bucket: MemoryBucket, cache: Path) -> OpenedFiles:
    """Return the files of a bucket, as another server opens them.

    Args:
        bucket: The bucket.
        cache: Where that server keeps its copies.
    """
    files = ObjectFiles(bucket, ContentCache(cache, 10**9))
    files.open()
    return OpenedFiles(files, files.transaction, StoreDirectory(files), bucket)
