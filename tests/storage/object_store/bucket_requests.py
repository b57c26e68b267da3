"""One of each request that a bucket takes."""

from collections.abc import Callable

import pytest

from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.obstore_bucket import Patience

SHORT = Patience(create_s=0.5, other_s=0.5, request_s=5.0, pause_s=0)
REQUESTS: dict[str, Callable[[Bucket], object]] = {
    "create": lambda bucket: bucket.create("a/1", b"own"),
    "put": lambda bucket: bucket.put("a/1", b"own"),
    "get": lambda bucket: bucket.get("a/1"),
    "objects": lambda bucket: list(bucket.objects("a")),
    "names": lambda bucket: bucket.names("a"),
    "remove": lambda bucket: bucket.remove("a/1"),
}
every_request = pytest.mark.parametrize("request_of", REQUESTS.values(), ids=REQUESTS.keys())
