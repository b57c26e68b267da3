"""TLS on real sockets: which pairs are served, and how one is renewed without a connection that breaks."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from tests.client.serving import serving
from tests.http.certificates import Authority
from tests.toy import Toy
from windrow.domain.errors import InvalidParameter
from windrow.http.tls import RenewableCertificate, certificate_of
from windrow.settings import Settings

REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def certificate(authority: Authority) -> RenewableCertificate:
    return RenewableCertificate(authority.files)


@pytest.fixture
def port(certificate: RenewableCertificate) -> Iterator[int]:
    """The port of a server with the certificate."""
    toy = Toy()
    with serving(toy, Settings(), certificate) as url:
        yield int(url.rpartition(":")[2])
    toy.close()


def connect(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30), server_hostname="127.0.0.1")


def ask(connection: ssl.SSLSocket) -> bytes:
    """Return the answer to a request, of which each part may come by itself."""
    connection.sendall(REQUEST)
    received = b""
    while not received.endswith(b"}\n") and (chunk := connection.recv(65_536)):
        received += chunk
    return received


def test_a_server_with_a_certificate_speaks_tls_of_a_present_version(port: int, authority: Authority) -> None:
    with connect(port, authority.client_context()) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")
        assert ask(connection).startswith(b"HTTP/1.1 200 OK")


def test_an_old_version_of_tls_is_refused(port: int, authority: Authority) -> None:
    context = authority.client_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        connect(port, context)


def test_a_renewed_certificate_is_served_to_new_connections_while_old_ones_go_on(
    port: int, authority: Authority, certificate: RenewableCertificate
) -> None:
    context = authority.client_context()
    with connect(port, context) as first:
        before = first.getpeercert(binary_form=True)
        assert ask(first).startswith(b"HTTP/1.1 200 OK")
        renewed = authority.issue()
        certificate.update()
        with connect(port, context) as second:
            assert second.getpeercert(binary_form=True) == renewed != before
            assert ask(second).startswith(b"HTTP/1.1 200 OK")
        assert ask(first).startswith(b"HTTP/1.1 200 OK")


def test_half_a_renewal_changes_nothing_and_is_told_if_the_other_half_does_not_come(
    port: int, authority: Authority, certificate: RenewableCertificate
) -> None:
    structlog.reset_defaults()
    context = authority.client_context()
    with connect(port, context) as first:
        before = first.getpeercert(binary_form=True)
    authority.issue(key=False)
    with capture_logs() as told:
        certificate.update()
        assert told == []
        certificate.update()
        certificate.update()
    assert [each["event"] for each in told] == ["certificate_not_renewed"]
    assert "do not belong together" in told[0]["detail"]
    with connect(port, context) as still:
        assert still.getpeercert(binary_form=True) == before
    authority.key.unlink()
    certificate.update()
    renewed = authority.issue()
    certificate.update()
    with connect(port, context) as second:
        assert second.getpeercert(binary_form=True) == renewed


def test_what_is_no_tls_ends_its_own_connection_alone(port: int, authority: Authority) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.sendall(REQUEST)
        assert not plain.recv(65_536).startswith(b"HTTP")
    with connect(port, authority.client_context()) as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200 OK")


def test_without_a_certificate_there_is_no_tls() -> None:
    assert certificate_of(Settings()) is None


def test_certificate_and_key_may_stand_in_one_file(authority: Authority, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(authority.key.read_bytes() + authority.certificate.read_bytes())
    assert certificate_of(Settings(tls_cert=str(both))) is not None


@pytest.mark.parametrize("fault", ["missing", "other key", "garbage", "encrypted", "key alone"])
def test_a_pair_that_cannot_be_served_is_refused_with_what_to_do(
    authority: Authority, tmp_path: Path, fault: str
) -> None:
    settings = Settings(tls_cert=str(authority.certificate), tls_key=str(authority.key))
    expected = "--tls-cert"
    if fault == "missing":
        authority.key.unlink()
        expected = "no such file"
    elif fault == "other key":
        authority.issue(certificate=False)
        expected = "do not belong together"
    elif fault == "garbage":
        authority.certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\nx\n")
        expected = "no such PEM files"
    elif fault == "encrypted":
        _encrypt(authority.key)
        expected = "encrypted"
    else:
        settings = Settings(tls_key=str(authority.key))
    with pytest.raises(InvalidParameter, match=expected) as caught:
        certificate_of(settings)
    assert "--tls-cert" in caught.value.detail
    assert "PRIVATE" not in caught.value.detail


def _encrypt(key: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
