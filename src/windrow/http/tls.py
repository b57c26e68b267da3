"""TLS: the server's certificate, and its renewal while connections go on."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import structlog

from windrow.domain.errors import InvalidParameter
from windrow.settings import Settings

WATCH_INTERVAL_S: Final = 1.0
_Token = tuple[tuple[int, int, int], ...]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a certificate and its private key are.

    Args:
        certificate: PEM, with those between it and the root.
        key: PEM, not encrypted.
    """

    certificate: str
    key: str

    def token(self) -> _Token | None:
        """Return what changes with the files; ``None`` while one of them is not there."""
        try:
            found = [Path(path).stat() for path in (self.certificate, self.key)]
        except OSError:
            return None
        return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)

    def load(self) -> ssl.SSLContext:
        """Return a context that serves them.

        Raises:
            InvalidParameter: They cannot be read, or do not belong together.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key, password=_refuse_password)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise InvalidParameter(
                "The certificate {certificate} and the key {key} cannot be used: {why}. Name a certificate with "
                "--tls-cert and its own, unencrypted key with --tls-key, both as PEM.",
                {"parameter": "tls_cert", "certificate": self.certificate, "key": self.key, "why": _why(error)},
            ) from None
        return context


class RenewableCertificate:
    """A certificate that is read again when its files change; connections that are open keep the one that they have.

    Args:
        files: Where it is.

    Attributes:
        context: For the server.

    Raises:
        InvalidParameter: The files cannot be used.
    """

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files
        self._token = files.token()
        self._failed: _Token | None = None
        self._newest = self.context = files.load()
        # Called at each handshake. So a context that is in use never changes, and never holds halves of two pairs.
        self.context.sni_callback = self._choose

    def update(self) -> None:
        """Read the files again if they have changed; while they do not fit together, the former ones are served."""
        token = self._files.token()
        if token is None or token == self._token:
            return
        try:
            self._newest, self._token = self._files.load(), token
        except InvalidParameter as error:
            # Certificate and key change one after the other: what fails twice without a change is wrong.
            if self._failed == token:
                _log.error("certificate_not_renewed", detail=error.detail)
                self._token = token
            self._failed = token
            return
        _log.info("certificate_renewed", certificate=self._files.certificate)

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._newest


def certificate_of(settings: Settings) -> RenewableCertificate | None:
    """Return the certificate that the settings name; ``None`` where they name none.

    Raises:
        InvalidParameter: It cannot be used, or there is only a key.
    """
    if settings.tls_key and not settings.tls_cert:
        raise InvalidParameter(
            "--tls-key names a private key, and nothing names its certificate. Name that with --tls-cert.",
            {"parameter": "tls_cert"},
        )
    if not settings.tls_cert:
        return None
    return RenewableCertificate(CertificateFiles(settings.tls_cert, settings.tls_key or settings.tls_cert))


def _refuse_password() -> NoReturn:
    raise ValueError("the key is encrypted, and nobody is there to type its password")


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return {"KEY_VALUES_MISMATCH": "they do not belong together"}.get(
            error.reason or "", "they are no such PEM files"
        )
    return str(getattr(error, "strerror", None) or error).lower()
