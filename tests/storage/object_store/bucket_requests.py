"""One of each request that a bucket takes."""

from collections.abc import Callable

import pytest

from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.obstore_bucket import Patience

# For what never comes right, and for what comes right once it is asked for again, however busy this machine is.
SHORT = Patience(create_s=0.5, other_s=0.5, pause_s=0)
LONG = Patience(create_s=120, other_s=120, pause_s=0)
REQUESTS: dict[str, Callable[[Bucket], object]] = {
    "create": lambda bucket: bucket.create("a/1", b"own"),
    "put": lambda bucket: bucket.put("a/1", b"own"),
    "get": lambda bucket: bucket.get("a/1"),
    "objects": lambda bucket: list(bucket.objects("a")),
    "names": lambda bucket: bucket.names("a"),
    "remove": lambda bucket: bucket.remove("a/1"),
}
every_request = pytest.mark.parametrize("request_of", REQUESTS.values(), ids=REQUESTS.keys())
