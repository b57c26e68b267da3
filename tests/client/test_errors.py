"""What is told of a connection that cannot be made."""

from windrow.client.errors import unreachable

URL = "https://windrow.example"


def test_a_certificate_that_is_not_trusted_is_told_with_what_to_set() -> None:
    reason = "[ssl: certificate_verify_failed] certificate verify failed: self-signed certificate (_ssl.c:1006)"
    error = unreachable(URL, reason)
    assert error.detail.startswith(f"The certificate of {URL} is not trusted: self-signed certificate. If it comes")
    assert "SSL_CERT_FILE" in error.detail
    assert error.facts == {"url": URL, "reason": "self-signed certificate"}


def test_a_server_without_tls_is_told_as_one() -> None:
    error = unreachable(URL, "[ssl: wrong_version_number] wrong version number (_ssl.c:1006)")
    assert "does not speak TLS" in error.detail
    assert "http://" in error.detail


def test_any_other_reason_is_told_as_it_is() -> None:
    assert unreachable(URL, "connection refused").detail.startswith(
        f"No Windrow server can be reached at {URL}: connection refused. Start it"
    )
