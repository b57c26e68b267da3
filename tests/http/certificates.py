"""Certificates for the tests of TLS, of an authority that is made for the test that runs."""

import ssl
from pathlib import Path

import trustme

from windrow.http.tls import CertificateFiles


class Authority:
    """Issues certificates for 127.0.0.1 into two files, which a renewal replaces.

    Args:
        folder: Where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        self.root = folder / "root.pem"
        self._ca.cert_pem.write_to_path(self.root)
        self.issue()

    @property
    def files(self) -> CertificateFiles:
        return CertificateFiles(str(self.certificate), str(self.key))

    def issue(self, *, certificate: bool = True, key: bool = True) -> bytes:
        """Issue a new pair, write all of it or a part, and return the certificate as a client sees it."""
        pair = self._ca.issue_cert("127.0.0.1", "localhost")
        (pem,) = pair.cert_chain_pems
        if key:
            _replace(self.key, pair.private_key_pem.bytes())
        if certificate:
            _replace(self.certificate, pem.bytes())
        return ssl.PEM_cert_to_DER_cert(pem.bytes().decode())

    def client_context(self) -> ssl.SSLContext:
        """Return what a client that trusts this authority uses."""
        return ssl.create_default_context(cafile=str(self.root))


def _replace(path: Path, data: bytes) -> None:
    """Write a file as renewals do: another one takes its place."""
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.replace(path)
