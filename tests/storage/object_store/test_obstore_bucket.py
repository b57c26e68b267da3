"""A bucket through obstore: what each store must do, and every way in which one fails."""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from socket import socket

import pytest

from tests.fakes.bucket import MemoryBucket
from tests.storage.object_store.lossy_store import LossyStore, Lost, Reply, lossy_store
from tests.storage.object_store.moto_store import SECRETS, make_bucket, moto_store, set_environment
from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed, StorageFull, StorageUncertain, WindrowError
from windrow.domain.store_url import StoreUrl
from windrow.storage.files import KeyMissing
from windrow.storage.object_store import obstore_bucket
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.obstore_bucket import ObstoreBucket, Patience

pytestmark = pytest.mark.slow

SHORT = Patience(create_s=0.5, other_s=0.5, request_s=5.0)
REQUESTS: dict[str, Callable[[Bucket], object]] = {
    "create": lambda bucket: bucket.create("a/1", b"own"),
    "put": lambda bucket: bucket.put("a/1", b"own"),
    "get": lambda bucket: bucket.get("a/1"),
    "objects": lambda bucket: list(bucket.objects("a")),
    "names": lambda bucket: bucket.names("a"),
    "remove": lambda bucket: bucket.remove("a/1"),
}
every_request = pytest.mark.parametrize("request_of", REQUESTS.values(), ids=REQUESTS.keys())
every_read = pytest.mark.parametrize("name", ["get", "objects", "names"])
every_write = pytest.mark.parametrize("name", ["create", "put", "remove"])


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_store() as store:
        yield store


@pytest.fixture
def lossy(moto: str) -> Iterator[LossyStore]:
    with lossy_store(moto) as store:
        yield store


@pytest.fixture
def url(moto: str) -> StoreUrl:
    return make_bucket(moto)


@pytest.fixture(params=["memory", "moto"])
def bucket(request: pytest.FixtureRequest, moto: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    if request.param == "memory":
        return MemoryBucket()
    set_environment(monkeypatch, f"http://{moto}")
    return ObstoreBucket(make_bucket(moto))


@pytest.fixture
def direct(moto: str, url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> ObstoreBucket:
    """The bucket that ``failing`` reaches too, when it does."""
    set_environment(monkeypatch, f"http://{moto}")
    return ObstoreBucket(url)


@pytest.fixture
def failing(direct: ObstoreBucket, lossy: LossyStore, url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> ObstoreBucket:
    set_environment(monkeypatch, lossy.url)
    return ObstoreBucket(url, SHORT)


# What every bucket does.


def test_what_is_created_is_there_and_stays_what_it_is(bucket: Bucket) -> None:
    assert bucket.create("a/1", b"first")
    assert not bucket.create("a/1", b"second")
    assert bucket.create("a/1", b"first")  # it is what the key has
    assert bucket.get("a/1") == b"first"


def test_what_is_put_takes_the_place_of_what_was_there(bucket: Bucket) -> None:
    bucket.put("a/1", b"first")
    bucket.put("a/1", b"")
    assert bucket.get("a/1") == b""


def test_what_is_large_is_put_whole(bucket: Bucket) -> None:
    data = bytes(range(256)) * 50_000
    bucket.put("a/large", data)
    assert bucket.get("a/large") == data
    assert bucket.create("a/created", data)
    assert bucket.get("a/created") == data


def test_what_is_not_there_is_missing_and_can_be_removed(bucket: Bucket) -> None:
    bucket.remove("a/1")
    with pytest.raises(KeyMissing):
        bucket.get("a/1")
    bucket.put("a/1", b"")
    bucket.remove("a/1")
    with pytest.raises(KeyMissing):
        bucket.get("a/1")


def test_objects_are_listed_by_their_keys_behind_any_of_them(bucket: Bucket) -> None:
    for key in ("a/b/2", "a/10", "a/9", "a.json", "ab/1", "a/b.c"):
        bucket.put(key, key.encode())
    assert [each.key for each in bucket.objects("a")] == ["a/10", "a/9", "a/b.c", "a/b/2"]
    assert [each.key for each in bucket.objects("a", "a/9")] == ["a/b.c", "a/b/2"]
    assert [each.key for each in bucket.objects("a", "a/b/3")] == []
    assert [each.key for each in bucket.objects("none")] == []
    (each,) = bucket.objects("a/b")
    assert each.size_bytes == 5
    assert abs(each.changed_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_names_are_those_directly_below_a_prefix(bucket: Bucket) -> None:
    for key in ("a/b/2", "a/b/3/4", "a/10", "ab/1", "a/b.c"):
        bucket.put(key, b"")
    assert bucket.names("a") == ["10", "b", "b.c"]
    assert bucket.names("a/b") == ["2", "3"]
    assert bucket.names("none") == []


def test_of_sixteen_that_create_one_object_exactly_one_wins(bucket: Bucket) -> None:
    start = threading.Barrier(16)

    def create(writer: int) -> list[bool]:
        won = []
        for key in range(20):
            start.wait(60)
            won.append(bucket.create(f"race/{key}", f"{writer}".encode()))
        return won

    with ThreadPoolExecutor(16) as writers:
        won_by = list(writers.map(create, range(16)))
    for key in range(20):
        winners = [writer for writer, won in enumerate(won_by) if won[key]]
        assert [f"{writer}".encode() for writer in winners] == [bucket.get(f"race/{key}")]


# What a listing costs.


def test_a_listing_asks_for_no_more_pages_than_are_read(direct: ObstoreBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obstore_bucket, "_PAGE", 3)
    for number in range(8):
        direct.put(f"a/{number}", b"")
    direct.requests.clear()
    objects = direct.objects("a")
    assert direct.requests["list"] == 0
    assert [next(objects).key for _ in range(3)] == ["a/0", "a/1", "a/2"]
    assert direct.requests["list"] == 1
    assert [each.key for each in objects] == ["a/3", "a/4", "a/5", "a/6", "a/7"]
    assert direct.requests == {"list": 3}


def test_a_listing_that_breaks_off_goes_on_behind_its_last_object(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obstore_bucket, "_PAGE", 3)
    for number in range(8):
        direct.put(f"a/{number}", b"")
    objects = failing.objects("a")
    found = [next(objects).key for _ in range(4)]
    lossy.first(Lost(), Reply(503), Lost(reaches=False))
    assert [*found, *(each.key for each in objects)] == [f"a/{number}" for number in range(8)]


def test_requests_are_counted_by_verb(direct: ObstoreBucket) -> None:
    for request in REQUESTS.values():
        request(direct)
    direct.create("a/2", b"")
    direct.create("a/2", b"other")
    assert direct.requests == {"create": 3, "put": 1, "get": 2, "list": 2, "remove": 1}


# Replies that are lost.


def test_an_own_object_whose_reply_is_lost_is_created(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore
) -> None:
    lossy.first(Lost())
    assert failing.create("a/1", b"own")
    assert direct.get("a/1") == b"own"


def test_an_own_object_that_a_proxy_has_repeated_is_created(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore
) -> None:
    direct.create("a/1", b"own")
    lossy.first(Reply(412, "PreconditionFailed"))
    assert failing.create("a/1", b"own")


def test_an_object_of_another_one_is_told_from_an_own_one_whose_reply_is_lost(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore
) -> None:
    direct.create("a/1", b"other")
    lossy.first(Lost(reaches=False))
    assert not failing.create("a/1", b"own")
    lossy.first(Lost())
    assert not failing.create("a/1", b"own")
    assert direct.get("a/1") == b"other"


def test_a_create_that_arrives_late_takes_nothing_from_anybody(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore
) -> None:
    lossy.first(Lost(after_s=0.5))
    assert failing.create("a/1", b"own")
    lossy.first(Lost(after_s=0.5))
    assert failing.create("a/2", b"own")
    for timer in lossy.late:
        timer.join()
    assert direct.get("a/1") == direct.get("a/2") == b"own"


@pytest.mark.parametrize("reaches", [True, False])
def test_a_create_of_which_no_reply_arrives_is_uncertain(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore, reaches: bool
) -> None:
    lossy.always(Lost(reaches))
    with pytest.raises(StorageUncertain, match=r"may hold\. Look what is there before you repeat it\.$"):
        failing.create("a/1", b"own")
    lossy.always(Lost(reaches), "PUT")
    if reaches:
        assert failing.create("a/1", b"own")
    else:
        # Nothing is there at the last look either, which says nothing of what is still on its way.
        with pytest.raises(StorageUncertain):
            failing.create("a/1", b"own")


def test_a_create_that_is_refused_once_it_may_have_arrived_is_uncertain(
    failing: ObstoreBucket, lossy: LossyStore
) -> None:
    lossy.first(Lost(reaches=False), None, Reply(403, "AccessDenied"))
    with pytest.raises(StorageUncertain):
        failing.create("a/1", b"own")


def test_an_object_that_exists_and_cannot_be_read_may_be_the_own_one(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore
) -> None:
    direct.create("a/1", b"own")
    lossy.always(Reply(503), "GET")
    with pytest.raises(StorageUncertain):
        failing.create("a/1", b"own")


@pytest.mark.parametrize("status", [409, 429])
def test_a_create_that_was_always_refused_changed_nothing(
    failing: ObstoreBucket, lossy: LossyStore, status: int
) -> None:
    lossy.always(Reply(status, "SlowDown"), "PUT")
    with pytest.raises(DataDirectoryUnavailable, match=f"status {status}.*nothing is changed"):
        failing.create("a/1", b"own")
    assert failing.requests["create"] > 2


def test_many_writers_whose_replies_are_lost_agree_on_one_winner(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: LossyStore
) -> None:
    counts = iter(range(1_000_000))
    lossy.answer = lambda method, path: (None, None, Lost(), Reply(503), Lost(reaches=False))[next(counts) % 5]
    patient = ObstoreBucket(failing._url, Patience(create_s=30))

    def create(writer: int) -> list[bool]:
        return [patient.create(f"race/{key}", f"{writer}".encode()) for key in range(10)]

    with ThreadPoolExecutor(8) as writers:
        won_by = list(writers.map(create, range(8)))
    for key in range(10):
        winners = [f"{writer}".encode() for writer, won in enumerate(won_by) if won[key]]
        assert winners == [direct.get(f"race/{key}")]


# Stores that are busy, gone, or none.


@every_request
@pytest.mark.parametrize("trouble", [Reply(503, "SlowDown"), Reply(429), Reply(500), Reply(409), Lost()])
def test_a_request_is_made_again_when_the_store_is_in_trouble(
    failing: ObstoreBucket,
    direct: ObstoreBucket,
    lossy: LossyStore,
    request_of: Callable[[Bucket], object],
    trouble: Reply | Lost,
) -> None:
    direct.put("a/1", b"own")
    expected = request_of(direct)
    direct.put("a/1", b"own")
    lossy.first(trouble, trouble)
    found = request_of(failing)
    assert found == expected or request_of is REQUESTS["objects"]


@every_request
def test_a_store_that_nothing_connects_to_is_unavailable(
    url: StoreUrl, monkeypatch: pytest.MonkeyPatch, request_of: Callable[[Bucket], object]
) -> None:
    with socket() as closed:
        closed.bind(("127.0.0.1", 0))
        set_environment(monkeypatch, f"http://127.0.0.1:{closed.getsockname()[1]}")
        bucket = ObstoreBucket(url, SHORT)
        started_s = time.monotonic()
        with pytest.raises(DataDirectoryUnavailable, match=r"No connection.*AWS_ENDPOINT_URL is right") as error:
            request_of(bucket)
    assert error.value.facts["problem"] == "missing"
    assert time.monotonic() - started_s < 5


@every_request
def test_a_store_that_never_answers_is_given_up(
    url: StoreUrl, monkeypatch: pytest.MonkeyPatch, request_of: Callable[[Bucket], object]
) -> None:
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        set_environment(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        bucket = ObstoreBucket(url, Patience(create_s=0.2, other_s=0.2, request_s=0.3))
        with pytest.raises(StorageFailed, match=r"does not answer|may hold") as error:
            request_of(bucket)
    assert isinstance(error.value, StorageUncertain) == (request_of is REQUESTS["create"])


@every_request
def test_a_bucket_that_does_not_exist_is_never_taken_for_an_empty_one(
    direct: ObstoreBucket, request_of: Callable[[Bucket], object]
) -> None:
    bucket = ObstoreBucket(StoreUrl("s3", "no-such-bucket", "team"), SHORT)
    with pytest.raises(DataDirectoryUnavailable, match=r"There is no bucket no-such-bucket .* Make it") as error:
        request_of(bucket)
    assert error.value.facts["problem"] == "missing"
    assert sum(bucket.requests.values()) == 1


@every_request
def test_what_a_proxy_answers_in_the_store_s_place_is_never_taken_for_an_absent_object(
    failing: ObstoreBucket, lossy: LossyStore, request_of: Callable[[Bucket], object]
) -> None:
    lossy.always(Reply(404))
    with pytest.raises(DataDirectoryUnavailable, match="is no object store that Windrow knows"):
        request_of(failing)


@every_request
@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(403, "InvalidAccessKeyId"), "does not know the credentials. Correct AWS_ACCESS_KEY_ID and AWS_SECRET"),
        (Reply(403, "SignatureDoesNotMatch"), "does not know the credentials"),
        (Reply(400, "ExpiredToken"), "does not know the credentials"),
        (Reply(401), "does not know the credentials"),
        (Reply(403, "RequestTimeTooSkewed"), "differ too much. Set the clock"),
        (Reply(301, "PermanentRedirect"), "in another region.*Set AWS_REGION and AWS_ENDPOINT_URL"),
        (Reply(400, "AuthorizationHeaderMalformed"), "in another region"),
    ],
)
def test_wrong_settings_are_told_from_a_store_that_is_gone(
    failing: ObstoreBucket, lossy: LossyStore, request_of: Callable[[Bucket], object], reply: Reply, told: str
) -> None:
    lossy.always(reply)
    with pytest.raises(DataDirectoryUnavailable, match=told) as error:
        request_of(failing)
    assert error.value.facts["problem"] == "unreadable"
    assert len(lossy.requests) == 1  # it would not become better


@every_write
def test_credentials_that_may_only_read_are_told_so(failing: ObstoreBucket, lossy: LossyStore, name: str) -> None:
    lossy.always(Reply(403, "AccessDenied"))
    with pytest.raises(StorageFailed, match="may be read-only there") as error:
        REQUESTS[name](failing)
    assert not isinstance(error.value, DataDirectoryUnavailable)


@every_read
def test_credentials_that_may_not_read_make_the_directory_unavailable(
    failing: ObstoreBucket, lossy: LossyStore, name: str
) -> None:
    lossy.always(Reply(403, "AccessDenied"))
    with pytest.raises(DataDirectoryUnavailable, match=r"does not let these credentials (read|list)"):
        REQUESTS[name](failing)


def test_a_store_without_conditional_writes_is_told_from_one_in_trouble(
    failing: ObstoreBucket, lossy: LossyStore
) -> None:
    lossy.always(Reply(501, "NotImplemented"))
    with pytest.raises(StorageFailed, match="Use one that has conditional writes: Amazon S3") as error:
        failing.create("a/1", b"")
    assert not isinstance(error.value, DataDirectoryUnavailable)


@pytest.mark.parametrize("reply", [Reply(507, "XMinioStorageFull"), Reply(403, "QuotaExceeded")])
def test_a_full_store_is_a_full_disk(failing: ObstoreBucket, lossy: LossyStore, reply: Reply) -> None:
    lossy.always(reply)
    with pytest.raises(StorageFull, match="Free some space"):
        failing.put("a/1", b"")


def test_a_store_that_lists_in_no_order_is_refused(failing: ObstoreBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    page = [{"path": path, "size": 1, "last_modified": datetime.now(UTC)} for path in ("a/2", "a/1")]
    monkeypatch.setattr(failing._obstore, "list", lambda *_, **__: iter([page]))
    with pytest.raises(StorageFailed, match="in no order"):
        list(failing.objects("a"))


# What is wrong before any request.


def test_without_obstore_the_error_says_how_to_install_it(url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StorageFailed, match=r'pip install "windrow\[object-store\]"\.$'):
        ObstoreBucket(url)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("AWS_ALLOW_HTTP", "maybe"), ("AWS_ALLOW_HTTP", "false"), ("AWS_ENDPOINT_URL", "not an address")],
)
def test_an_environment_that_is_not_valid_is_told(
    direct: ObstoreBucket, url: StoreUrl, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(DataDirectoryUnavailable, match=r"is not valid.*AWS_ALLOW_HTTP=true if"):
        ObstoreBucket(url, SHORT).get("a/1")


def test_half_of_the_credentials_are_none(
    direct: ObstoreBucket, url: StoreUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(DataDirectoryUnavailable, match=r"No credentials .* were found\. Set AWS_ACCESS_KEY_ID and"):
        ObstoreBucket(url, SHORT)


def test_credentials_that_the_machine_would_have_to_give_are_none(
    lossy: LossyStore, url: StoreUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", lossy.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", lossy.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    lossy.always(Reply(404, "NoSuchKey"))
    with pytest.raises(DataDirectoryUnavailable, match="No credentials"):
        ObstoreBucket(url, SHORT).get("a/1")


@pytest.mark.parametrize(
    ("scheme", "variable"), [("gs", "GOOGLE_APPLICATION_CREDENTIALS"), ("az", "AZURE_STORAGE_ACCOUNT_NAME")]
)
def test_other_clouds_have_variables_of_their_own(monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")
    with pytest.raises(DataDirectoryUnavailable, match=f"is not valid.*{variable}"):
        ObstoreBucket(StoreUrl(scheme, "bucket"))


# Nothing secret is ever shown.


@every_request
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 412, 418, 429, 500, 501, 503])
def test_no_secret_is_in_an_error_nor_in_what_it_came_from(
    failing: ObstoreBucket,
    lossy: LossyStore,
    request_of: Callable[[Bucket], object],
    status: int,
    capfd: pytest.CaptureFixture[str],
) -> None:
    failing._patience = Patience(create_s=0.05, other_s=0.05)
    said = " ".join((*SECRETS.values(), "https://store.example/?X-Amz-Signature=abcdef0123456789"))
    lossy.always(Reply(status, SECRETS["AWS_ACCESS_KEY_ID"], said))
    with pytest.raises(WindrowError) as raised:
        request_of(failing)
    error = raised.value
    shown = [str(error), repr(error), repr(error.facts), error.template, *traceback.format_exception(error)]
    assert error.__cause__ is None
    assert error.__context__ is None  # which some loggers show, too
    text = "".join([*shown, repr(failing), *capfd.readouterr()])
    assert [secret for secret in (*SECRETS.values(), "X-Amz-Signature", "abcdef01") if secret in text] == []


def test_a_bucket_shows_its_address_alone(direct: ObstoreBucket, url: StoreUrl) -> None:
    assert repr(direct) == f"ObstoreBucket({str(url)!r})"
    assert not any(secret in repr(vars(direct)) for secret in SECRETS.values())
