"""What a failed request means, in each cloud's own words."""

import json
import string
from collections.abc import Iterator

import pytest

from tests.object_stores.proxy import Answer, Drop, Proxy, in_turn, proxy, when
from tests.storage.object_store.bucket_requests import LONG, REQUESTS, SHORT
from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed
from windrow.domain.store_url import SCHEMES, StoreUrl
from windrow.storage.files import KeyMissing
from windrow.storage.object_store.failures import Outcome, Reason, StoreFailure, error_of, failure_of, uncertain
from windrow.storage.object_store.obstore_bucket import ObstoreBucket


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("verb", ["create", "put", "get", "list", "remove"])
def test_each_error_is_one_sentence_of_what_happened_and_one_of_what_to_do(
    scheme: str, reason: Reason, verb: str
) -> None:
    error = error_of(StoreFailure(Outcome.FAILED, reason, 499), StoreUrl(scheme, "models", "team"), verb, "a/1")
    text = str(error)
    assert text.count(". ") == 1
    assert text.endswith(".")
    assert f"{scheme}://models/team" in text
    named = {name.split(":")[0] for _, name, _, _ in string.Formatter().parse(error.template) if name}
    assert named <= error.facts.keys()
    assert isinstance(error, DataDirectoryUnavailable) == ("problem" in error.facts)
    assert "{" not in text


def test_what_is_uncertain_says_where_to_look() -> None:
    assert str(uncertain(StoreUrl("s3", "models"), "a/1")) == (
        "The object store of s3://models did not say whether it took a/1, so that the change may hold. Look what is "
        "there before you repeat it."
    )


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("The specified blob does not exist.", StoreFailure(Outcome.ABSENT, Reason.NO_STORE, 404)),
        ("The specified container does not exist.", StoreFailure(Outcome.FAILED, Reason.NO_BUCKET, 404)),
    ],
)
def test_a_part_of_an_answer_of_azure_has_a_status_of_its_own(reason: str, expected: StoreFailure) -> None:
    text = f"Object at location a/1 not found: Bulk delete request failed for key a/1: {reason} (code: 404)"
    assert failure_of(FileNotFoundError(text)) == expected


@pytest.mark.parametrize("code", ["AKIAQWERTZUIOPASDFGH", "NoSuchBucketAtAll", ""])
def test_a_code_that_is_not_known_says_nothing(code: str) -> None:
    error = RuntimeError(f"Server returned non-2xx status code: 400 Bad Request: <Code>{code}</Code>")
    assert failure_of(error) == StoreFailure(Outcome.FAILED, Reason.OTHER, 400)


def test_what_the_store_says_is_not_taken_for_obstore_s_own_words() -> None:
    said = "status code: 200 kind: Connect token request //169.254.169.254/ builder error"
    error = RuntimeError(f"Error performing PUT - Server returned non-2xx status code: 503 Slow: {said}")
    assert failure_of(error) == StoreFailure(Outcome.UNKNOWN, Reason.BUSY, 503)


# The stores of other clouds, as far as their replies are made up here.


@pytest.fixture
def store() -> Iterator[Proxy]:
    with proxy(0) as made_up:
        yield made_up


@pytest.fixture(params=["gs", "az"])
def cloud(request: pytest.FixtureRequest, store: Proxy, monkeypatch: pytest.MonkeyPatch) -> tuple[ObstoreBucket, Proxy]:
    account = {"gcs_base_url": store.endpoint, "disable_oauth": True}
    account |= dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", store.endpoint)
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
    return ObstoreBucket(StoreUrl(request.param, "models", "team"), SHORT), store


ABSENT = {"gs": "NoSuchKey", "az": "BlobNotFound"}
NO_BUCKET = {"gs": "NoSuchBucket", "az": "ContainerNotFound"}


def test_an_object_that_is_absent_is_told_from_a_bucket_that_is(cloud: tuple[ObstoreBucket, Proxy]) -> None:
    bucket, store = cloud
    store.rules = [when(Answer(404, ABSENT[bucket._url.scheme]))]
    with pytest.raises(KeyMissing):
        bucket.get("a/1")
    bucket.remove("a/1")
    for name in ("create", "put", "objects", "names"):  # of which that makes no sense
        with pytest.raises(DataDirectoryUnavailable, match="no object store that Windrow knows"):
            REQUESTS[name](bucket)
    store.rules = [when(Answer(404, NO_BUCKET[bucket._url.scheme]))]
    for request_of in REQUESTS.values():
        with pytest.raises(DataDirectoryUnavailable, match=r"There is no (bucket|container) models"):
            request_of(bucket)


@pytest.mark.parametrize("status", [409, 412])
def test_an_object_that_exists_is_read_back(cloud: tuple[ObstoreBucket, Proxy], status: int) -> None:
    bucket, store = cloud
    bucket._patience = LONG
    store.rules = [
        in_turn(
            Answer(status, "BlobAlreadyExists"), Answer(404, ABSENT[bucket._url.scheme]), Answer(403, "AccessDenied")
        )
    ]
    with pytest.raises(StorageFailed, match="read-only"):
        bucket.create("a/1", b"")
    assert [method for method, _ in store.requests] == ["PUT", "GET", "PUT"]


def test_a_store_that_cuts_every_connection_is_unavailable(cloud: tuple[ObstoreBucket, Proxy]) -> None:
    bucket, store = cloud
    store.rules = [when(Drop())]
    for name in ("put", "get", "objects", "names", "remove"):
        with pytest.raises(DataDirectoryUnavailable, match="breaks off its answers"):
            REQUESTS[name](bucket)
