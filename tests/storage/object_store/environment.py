"""The environment of a process that uses an object store, with credentials that are easily told from anything else."""

import pytest

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAQWERTZUIOPASDFGH",
    "AWS_SECRET_ACCESS_KEY": "xQ7secretKeySecretKey",
    "AWS_SESSION_TOKEN": "sessionTokenSessionToken",
}


def set_environment(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Set what names a store that speaks like S3, and credentials for it.

    Args:
        monkeypatch: What sets it.
        endpoint: The store's own address.
    """
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
