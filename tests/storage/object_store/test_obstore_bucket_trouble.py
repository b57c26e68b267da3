"""A bucket through obstore, of a store that is busy, gone, full or none: what is told, and that no secret is."""

import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from socket import socket

import pytest

from tests.object_stores.proxy import Answer, Fate, LoseReply, Proxy, in_turn, when
from tests.storage.object_store.bucket_requests import REQUESTS, SHORT, every_request
from tests.storage.object_store.environment import SECRETS, set_environment
from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed, StorageFull, StorageUncertain, WindrowError
from windrow.domain.store_url import StoreUrl
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.obstore_bucket import ObstoreBucket, Patience

pytestmark = pytest.mark.slow

every_read = pytest.mark.parametrize("name", ["get", "objects", "names"])
every_write = pytest.mark.parametrize("name", ["create", "put", "remove"])


# Stores that are busy, gone, or none.


@every_request
@pytest.mark.parametrize(
    "trouble", [Answer(503, "SlowDown"), Answer(429, ""), Answer(500, ""), Answer(409, ""), LoseReply()]
)
def test_a_request_is_made_again_when_the_store_is_in_trouble(
    recovering: ObstoreBucket,
    direct: ObstoreBucket,
    lossy: Proxy,
    request_of: Callable[[Bucket], object],
    trouble: Fate,
) -> None:
    direct.put("a/1", b"own")
    expected = request_of(direct)
    direct.put("a/1", b"own")
    lossy.rules = [in_turn(trouble, trouble)]
    found = request_of(recovering)
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
        with pytest.raises(
            DataDirectoryUnavailable, match=r"No connection.*check AWS_REGION and AWS_ENDPOINT_URL;"
        ) as error:
            request_of(bucket)
    assert error.value.facts["problem"] == "missing"
    assert time.monotonic() - started_s < 20  # a connection is waited for no longer


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
    failing: ObstoreBucket, lossy: Proxy, request_of: Callable[[Bucket], object]
) -> None:
    lossy.rules = [when(Answer(404, ""))]
    with pytest.raises(DataDirectoryUnavailable, match="is no object store that Windrow knows"):
        request_of(failing)


@every_request
@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Answer(403, "InvalidAccessKeyId"), "does not know the credentials. Correct AWS_ACCESS_KEY_ID and AWS_SECRET"),
        (Answer(403, "SignatureDoesNotMatch"), "does not know the credentials"),
        (Answer(400, "ExpiredToken"), "does not know the credentials"),
        (Answer(401, ""), "does not know the credentials"),
        (Answer(403, "RequestTimeTooSkewed"), "differ too much. Set the clock"),
        (Answer(301, "PermanentRedirect"), "in another region.*Set AWS_REGION and AWS_ENDPOINT_URL"),
        (Answer(400, "AuthorizationHeaderMalformed"), "in another region"),
    ],
)
def test_wrong_settings_are_told_from_a_store_that_is_gone(
    failing: ObstoreBucket, lossy: Proxy, request_of: Callable[[Bucket], object], reply: Answer, told: str
) -> None:
    lossy.rules = [when(reply)]
    with pytest.raises(DataDirectoryUnavailable, match=told) as error:
        request_of(failing)
    assert error.value.facts["problem"] == "unreadable"
    assert len(lossy.requests) == 1  # it would not become better


@every_write
def test_credentials_that_may_only_read_are_told_so(failing: ObstoreBucket, lossy: Proxy, name: str) -> None:
    lossy.rules = [when(Answer(403, "AccessDenied"))]
    with pytest.raises(StorageFailed, match="may be read-only there") as error:
        REQUESTS[name](failing)
    assert not isinstance(error.value, DataDirectoryUnavailable)


@every_read
def test_credentials_that_may_not_read_make_the_directory_unavailable(
    failing: ObstoreBucket, lossy: Proxy, name: str
) -> None:
    lossy.rules = [when(Answer(403, "AccessDenied"))]
    with pytest.raises(DataDirectoryUnavailable, match=r"does not let these credentials (read|list)"):
        REQUESTS[name](failing)


def test_a_store_without_conditional_writes_is_told_from_one_in_trouble(failing: ObstoreBucket, lossy: Proxy) -> None:
    lossy.rules = [when(Answer(501, "NotImplemented"))]
    with pytest.raises(StorageFailed, match="Use one that has conditional writes: Amazon S3") as error:
        failing.create("a/1", b"")
    assert not isinstance(error.value, DataDirectoryUnavailable)


@pytest.mark.parametrize("reply", [Answer(507, "XMinioStorageFull"), Answer(403, "QuotaExceeded")])
def test_a_full_store_is_a_full_disk(failing: ObstoreBucket, lossy: Proxy, reply: Answer) -> None:
    lossy.rules = [when(reply)]
    with pytest.raises(StorageFull, match="Free some space"):
        failing.put("a/1", b"")


@pytest.mark.parametrize("name", ["get", "objects", "names", "remove"])
def test_a_store_over_its_quota_that_refuses_to_read_or_remove_is_no_full_disk(
    failing: ObstoreBucket, lossy: Proxy, name: str
) -> None:
    """What was changed before holds, and no free room is needed."""
    lossy.rules = [when(Answer(403, "QuotaExceeded"))]
    with pytest.raises(DataDirectoryUnavailable, match="does not do what it is asked for"):
        REQUESTS[name](failing)


def test_a_store_that_lists_in_no_order_is_refused(failing: ObstoreBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    _list(failing, monkeypatch, "a/2", "a/1")
    with pytest.raises(StorageFailed, match="in no order"):
        list(failing.objects("a"))


def test_a_store_may_list_folder_by_folder(failing: ObstoreBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["a/b/1", "a/b/2", "a/b.c", "a/b.c.d", "a/c"]
    _list(failing, monkeypatch, *paths)
    assert [each.key for each in failing.objects("a")] == paths


def _list(bucket: ObstoreBucket, monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    """Let a store list so."""
    page = [{"path": path, "size": 1, "last_modified": datetime.now(UTC), "e_tag": None} for path in paths]
    monkeypatch.setattr(bucket._obstore, "list", lambda *_, **__: iter([page]))


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
    lossy: Proxy, url: StoreUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", lossy.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", lossy.endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    lossy.rules = [when(Answer(404, "NoSuchKey"))]
    with pytest.raises(DataDirectoryUnavailable, match="No credentials"):
        ObstoreBucket(url, SHORT).get("a/1")


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("gs", "is not valid.*GOOGLE_APPLICATION_CREDENTIALS"),
        ("az", r"No credentials .*\. Set AZURE_STORAGE_ACCOUNT_NAME and"),
    ],
)
def test_other_clouds_have_variables_of_their_own(monkeypatch: pytest.MonkeyPatch, scheme: str, message: str) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")
    with pytest.raises(DataDirectoryUnavailable, match=message):
        ObstoreBucket(StoreUrl(scheme, "bucket"))


# Nothing secret is ever shown.


@every_request
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 412, 418, 429, 500, 501, 503])
def test_no_secret_is_in_an_error_nor_in_what_it_came_from(
    failing: ObstoreBucket,
    lossy: Proxy,
    request_of: Callable[[Bucket], object],
    status: int,
    capfd: pytest.CaptureFixture[str],
) -> None:
    failing._patience = Patience(create_s=0.05, other_s=0.05)
    said = " ".join((*SECRETS.values(), "https://store.example/?X-Amz-Signature=abcdef0123456789"))
    lossy.rules = [when(Answer(status, SECRETS["AWS_ACCESS_KEY_ID"], said))]
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
