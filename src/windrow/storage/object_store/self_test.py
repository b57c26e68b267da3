"""Checks at the start that an object store holds to the one promise that everything is built on.

Some stores take a conditional write and ignore its condition. Two servers on such a store would overwrite each other's
commits, and neither would ever notice.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Final

from windrow.domain.errors import StorageFailed
from windrow.domain.store_url import StoreUrl
from windrow.storage.files import KeyMissing
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.failures import SAFE_STORES

SELF_TEST: Final = "selftest"
_LONGEST_WAIT_S: Final = 60.0


def check_store(bucket: Bucket, url: StoreUrl) -> None:
    """Check that of two that create one object at the same time exactly one wins, and that the object stays its own.

    That is five requests, two of them at the same time. A store that ignores conditions lets both win.

    Args:
        bucket: Where the data directory is to be.
        url: What it is called.

    Raises:
        StorageFailed: The store ignores the condition of a write, does not let these credentials write, or refuses.
        DataDirectoryUnavailable: It does not answer.
    """
    key = f"{SELF_TEST}/{secrets.token_hex(16)}"
    try:
        is_safe = _holds_its_promise(bucket, key)
    except BaseException:
        with suppress(StorageFailed):  # only garbage stays
            bucket.remove(key)
        raise
    bucket.remove(key)
    if not is_safe:
        raise StorageFailed(
            "The object store of {store} ignores the condition of a write, so that two servers on it would overwrite "
            f"each other's changes. Use one that has conditional writes: {SAFE_STORES}.",
            {"store": str(url)},
        )


def _holds_its_promise(bucket: Bucket, key: str) -> bool:
    first, second = (f"{name} {secrets.token_hex(16)}\n".encode() for name in ("first", "second"))
    start = Barrier(2)

    def create(data: bytes) -> bool:
        start.wait(_LONGEST_WAIT_S)
        return bucket.create(key, data)

    with ThreadPoolExecutor(2) as writers:
        has_first_won, has_second_won = writers.map(create, (first, second))
    if has_first_won == has_second_won:
        return False
    try:
        return bucket.get(key) == (first if has_first_won else second)
    except KeyMissing:
        return False
