"""Addresses of data directories in object stores: what is one, and that nothing secret in one is shown."""

import pytest

from windrow.domain.store_url import StoreUrl, is_store_url, read_store_url, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://models", StoreUrl("s3", "models")),
        ("s3://models/", StoreUrl("s3", "models")),
        ("s3://models/team/windrow", StoreUrl("s3", "models", "team/windrow")),
        (" gs://my_models.example/v1.0/ ", StoreUrl("gs", "my_models.example", "v1.0")),
        ("az://container/a", StoreUrl("az", "container", "a")),
    ],
)
def test_an_address_names_a_bucket_and_what_all_keys_begin_with(text: str, expected: StoreUrl) -> None:
    assert is_store_url(text)
    assert read_store_url(text) == expected
    assert read_store_url(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3:///prefix",
        "s3://b",
        "s3://bucket//prefix",
        "s3://bucket/../other",
        "s3://bucket/.",
        "s3://bucket/a b",
        "s3://bucket/%2e%2e",
        "s3://bucket:9000/prefix",
        "s3://bucket/prefix#part",
        "S3://bucket",
        "gcs://bucket",
        "s3:/bucket/prefix",
        "gs:/bucket",
        "https://bucket.example",
        "file:///data",
        "s3://bucket/prefix\nmore",
    ],
)
def test_what_is_no_address_is_refused_and_taken_for_no_folder(text: str) -> None:
    assert is_store_url(text)
    with pytest.raises(ValueError, match=r"s3://BUCKET/PREFIX, .* expected$"):
        read_store_url(text)


@pytest.mark.parametrize("text", ["data", "/srv/data", "./s3:/bucket", "s3:bucket", "", "C:/data"])
def test_a_folder_is_no_address(text: str) -> None:
    assert not is_store_url(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://key:sec/ret@bucket/prefix", "s3://…bucket/prefix"),
        (" s3://key:a@b@bucket", " s3://…bucket"),
        ("s3:/key:secret@bucket", "s3:/…bucket"),
        ("s3://bucket/prefix?X-Amz-Signature=secret", "s3://bucket/prefix…"),
        ("az://sec\nret@container?sig=secret", "az://…container…"),
    ],
)
def test_credentials_in_an_address_are_refused_and_never_shown(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    with pytest.raises(ValueError, match="without credentials") as refused:
        read_store_url(text)
    assert "sec" not in str(refused.value)


@pytest.mark.parametrize("text", ["s3://bucket/prefix", "/srv/me@work", "data?"])
def test_what_holds_nothing_secret_is_shown_as_it_is(text: str) -> None:
    assert without_secrets(text) == text
