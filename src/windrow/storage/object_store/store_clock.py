"""The clock of an object store, which is the same for all servers."""

from datetime import datetime
from typing import Final

from windrow.domain.errors import DataDirectoryUnavailable
from windrow.storage.object_store.bucket import Bucket

RETENTION: Final = "retention"
# An empty object, whose time is the store's at that moment.
_NOW: Final = f"{RETENTION}/now"


def store_time(bucket: Bucket) -> datetime:
    """Return the time by the store's clock, which takes two requests.

    Raises:
        DataDirectoryUnavailable: The store does not answer, or lists not what was just put.
    """
    bucket.put(_NOW, b"")
    if (changed_at := time_of(bucket, _NOW)) is None:
        raise DataDirectoryUnavailable(
            "The object store does not list {object}, which was just put there, so its time is unknown. Try again; if "
            "that lasts, look whether its listings are up to date.",
            {"problem": "unreadable", "object": _NOW},
        )
    return changed_at


def time_of(bucket: Bucket, key: str) -> datetime | None:
    """Return when the store took an object, by its clock; ``None`` where there is none."""
    folder = key.rpartition("/")[0]
    return next((each.changed_at for each in bucket.objects(folder) if each.key == key), None)
