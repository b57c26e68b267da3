"""ObstoreBucket: a bucket of Amazon S3, of Google Cloud Storage, of Azure, or of a store that speaks like one of them.

Endpoint, region and credentials are in the environment, as the tools of these stores read them (``AWS_*``,
``GOOGLE_*``, ``AZURE_*``); obstore reads them itself, so that no secret is ever held here.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from windrow.domain.errors import StorageFailed
from windrow.domain.store_url import StoreUrl
from windrow.storage.files import KeyMissing
from windrow.storage.object_store.bucket import StoredObject
from windrow.storage.object_store.failures import Outcome, StoreFailure, error_of, failure_of, uncertain
from windrow.storage.object_store.outage import Outage

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import AzureStore, GCSStore, S3Store

Answer = TypeVar("Answer")

# As many as S3 and Google Cloud Storage answer at once.
_PAGE: Final = 1_000
# More would share a slow line so that no part of a large object is through before its time is up.
_MAX_PARTS_AT_ONCE: Final = 4
_MIN_PAUSE_S: Final = 0.05
_MAX_PAUSE_S: Final = 2.0
# These are not tried again.
_FINAL: Final = frozenset((Outcome.FAILED, Outcome.ABSENT))
# Of which it makes sense that there is none; who says so of a listing is no store.
_OF_AN_OBJECT: Final = frozenset(("get", "remove"))
# Whatever obstore raises is a failure of the store, but for these.
_NOT_OF_THE_STORE: Final = (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store is waited for, in seconds.

    Args:
        create_s: Within which a create is tried again.
        other_s: Within which any other request is, and each page of a listing.
        request_s: For one request with its answer.
        connect_s: Of these, for its connection.
        pause_s: How long one that did not answer is left alone.
    """

    create_s: float = 20.0
    other_s: float = 10.0
    request_s: float = 30.0
    connect_s: float = 5.0
    pause_s: float = 2.0


_PATIENCE: Final = Patience()


class ObstoreBucket:
    """A bucket, through obstore. Counts requests by verb in ``requests``; a listing counts for each page.

    Nothing that obstore says reaches an error: its messages may hold what is signed with the credentials.

    Args:
        url: Where it is.
        patience: How long it is waited for.

    Raises:
        StorageFailed: obstore is not installed.
        DataDirectoryUnavailable: What the environment says of the store is not valid.
    """

    def __init__(self, url: StoreUrl, patience: Patience = _PATIENCE) -> None:
        self.requests: Counter[str] = Counter()
        self._url = url
        self._patience = patience
        self._counting = threading.Lock()
        self._outage = Outage(patience.pause_s)
        try:
            import obstore
        except ImportError as error:
            raise StorageFailed(
                "{store} is in an object store, and obstore, which reads those, is not installed. Install it with: "
                'pip install "windrow[object-store]".',
                {"store": str(url)},
            ) from error
        self._obstore = obstore
        opened = _attempt(lambda: _open(url, patience))
        if isinstance(opened, StoreFailure):
            raise error_of(opened, url, "list", url.prefix or "objects")
        self._store = opened

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._url)!r})"

    def create(self, key: str, data: bytes) -> bool:
        """Create, and read back what is there where the answer does not tell. See ``Bucket``."""
        with self._outage.trying() as known:
            if known is not None:
                raise error_of(known, self._url, "create", key)
            return self._create(key, data)

    def _create(self, key: str, data: bytes) -> bool:
        may_hold = False
        for _ in _attempts(self._patience.create_s):
            done = self._ask(
                "create", lambda: self._obstore.put(self._store, key, data, mode="create", use_multipart=False)
            )
            if not isinstance(done, StoreFailure):
                return True
            failure = done
            if failure.outcome is Outcome.UNKNOWN:
                may_hold = True
            if failure.outcome in (Outcome.UNKNOWN, Outcome.EXISTS):
                # An object that exists may be the own one: of an attempt before, or of one that a proxy has repeated.
                held = self._ask("get", lambda: self._read(key))
                if not isinstance(held, StoreFailure):
                    return held == data
                if held.outcome is not Outcome.ABSENT:
                    may_hold, failure = True, held
            if failure.outcome in _FINAL:
                break
        self._outage.begin(failure)
        # That nothing was there at the last look says nothing: a request that was given up may still arrive.
        raise uncertain(self._url, key) if may_hold else error_of(failure, self._url, "create", key)

    def put(self, key: str, data: bytes) -> None:
        """Put, in several parts where it is large. See ``Bucket``."""
        self._answer("put", key, lambda: self._obstore.put(self._store, key, data, max_concurrency=_MAX_PARTS_AT_ONCE))

    def get(self, key: str) -> bytes:
        """Read an object. See ``Bucket``."""
        return self._answer("get", key, lambda: self._read(key))

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of an object from ``start`` on, up to ``end``, which is no part of them.

        Raises:
            KeyMissing: There is no such object.
        """
        return self._answer("get", key, lambda: bytes(self._obstore.get_range(self._store, key, start=start, end=end)))

    def describe(self, key: str) -> StoredObject:
        """Return what the store says of an object.

        Raises:
            KeyMissing: There is no such object.
        """
        # A question for the description alone has no text in its answer that tells a missing object from no store.
        return _described(self._answer("get", key, lambda: self._obstore.get(self._store, key).meta))

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """List objects, page by page as they are asked for. See ``Bucket``."""
        pages: Iterator[Any] | None = None
        last = after

        def next_page() -> "list[ObjectMeta]":
            nonlocal pages
            # A listing that broke off goes on behind the last object that it gave.
            listing = pages or iter(self._obstore.list(self._store, prefix, offset=last or None, chunk_size=_PAGE))
            pages = None
            page = list(next(listing, ()))
            pages = listing
            return page

        page_size = _PAGE
        while page_size == _PAGE:
            page = self._answer("list", prefix, next_page)
            page_size = len(page)
            for each in page:
                if not _is_behind(each["path"], last):
                    raise self._unsorted()
                last = each["path"]
                yield _described(each)

    def names(self, prefix: str) -> list[str]:
        """List what is directly below a prefix. See ``Bucket``."""
        found = self._answer("list", prefix, lambda: self._obstore.list_with_delimiter(self._store, prefix))
        paths = [*found["common_prefixes"], *(each["path"] for each in found["objects"])]
        return sorted({path.removeprefix(f"{prefix}/") for path in paths})

    def remove(self, key: str) -> None:
        """Remove an object. See ``Bucket``."""
        with suppress(KeyMissing):
            self._answer("remove", key, lambda: self._obstore.delete(self._store, key))

    def _read(self, key: str) -> bytes:
        return bytes(self._obstore.get(self._store, key).bytes())

    def _answer(self, verb: str, key: str, request: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer.

        Raises:
            KeyMissing: There is no such object.
            StorageFailed: The store refuses.
            DataDirectoryUnavailable: It does not answer.
        """
        with self._outage.trying() as known:
            if known is not None:
                raise error_of(known, self._url, verb, key)
            for _ in _attempts(self._patience.other_s):
                done = self._ask(verb, request)
                if not isinstance(done, StoreFailure):
                    return done
                failure = done
                if failure.outcome is Outcome.ABSENT and verb in _OF_AN_OBJECT:
                    raise KeyMissing(key)
                if failure.outcome in _FINAL:
                    break
            self._outage.begin(failure)
            raise error_of(failure, self._url, verb, key)

    def _ask(self, verb: str, request: Callable[[], Answer]) -> Answer | StoreFailure:
        with self._counting:
            self.requests[verb] += 1
        done = _attempt(request)
        if not isinstance(done, StoreFailure) or done.status:
            self._outage.end()
        return done

    def _unsorted(self) -> StorageFailed:
        return StorageFailed(
            "The object store of {store} lists its objects in no order, as directory buckets of Amazon S3 do, so the "
            "newest one cannot be told. Use a store or a bucket that sorts them by their keys.",
            {"store": str(self._url)},
        )


def _described(found: "ObjectMeta") -> StoredObject:
    # Azure puts quotation marks around it in the answer of one object, and none in a listing.
    etag = (found["e_tag"] or "").removeprefix("W/").strip('"')
    return StoredObject(found["path"], found["size"], found["last_modified"], etag)


def _is_behind(key: str, last: str) -> bool:
    """Whether a key comes after another one: by its letters, or, as where a store has folders, part by part."""
    return key > last or key.split("/") > last.split("/")


def _attempt(request: Callable[[], Answer]) -> Answer | StoreFailure:
    """Return the answer to a request, or how it failed; what is raised in its place then has no trace of the store's.

    Args:
        request: The request.
    """
    try:
        return request()
    except _NOT_OF_THE_STORE:
        raise
    except BaseException as error:  # noqa: BLE001 - what goes wrong within obstore is no Exception
        return failure_of(error)


def _attempts(seconds: float) -> Iterator[None]:
    """Yield for each attempt, the first one at once, with longer and longer pauses of random length in between.

    Args:
        seconds: After which there is no further one.
    """
    deadline_s, longest_s = time.monotonic() + seconds, _MIN_PAUSE_S
    while True:
        yield
        pause_s = random.uniform(0, longest_s)  # noqa: S311 - so that two do not meet again
        if time.monotonic() + pause_s > deadline_s:
            return
        time.sleep(pause_s)
        longest_s = min(2 * longest_s, _MAX_PAUSE_S)


def _open(url: StoreUrl, patience: Patience) -> "S3Store | GCSStore | AzureStore":
    """Return obstore's client of a store, which has sent nothing yet."""
    from obstore.store import AzureStore, GCSStore, S3Store

    # As settings of the store: among obstore's `client_options`, they would put AWS_ALLOW_HTTP out of force.
    config: Any = {"timeout": f"{patience.request_s}s", "connect_timeout": f"{patience.connect_s}s"}
    # A repetition by the library would hide what became of the first request, and how many there were.
    options: Any = {
        "prefix": url.prefix or None,
        "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=patience.request_s)},
    }
    if url.scheme == "s3":
        # The plain way to remove one object, which more stores have than the one for many.
        config |= {"conditional_put": "etag", "disable_bulk_delete": "true"}
        return S3Store(url.bucket, config=config, **options)
    if url.scheme == "gs":
        return GCSStore(url.bucket, config=config, **options)
    return AzureStore(url.bucket, config=config, **options)
