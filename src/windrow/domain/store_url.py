"""Addresses of data directories in object stores."""

import re
from dataclasses import dataclass
from typing import Final

SCHEMES: Final = ("s3", "gs", "az")
# With one slash, it is an address that a path was made of, or a slip; a folder of this name would be made unasked.
_SCHEME: Final = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*://|(?:{'|'.join(SCHEMES)}):/")
# Where somebody puts credentials into an address; a secret key may have slashes in it.
_SECRET: Final = re.compile(r"(?<=://).*@|(?<=:/)[^/].*@|\?.*", re.DOTALL)
_URL: Final = re.compile(r"([a-z0-9]+)://([A-Za-z0-9][A-Za-z0-9._-]{1,254})((?:/[A-Za-z0-9][A-Za-z0-9._-]*)*)/?")


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where a data directory lies in an object store."""

    scheme: str
    """``s3``, ``gs`` or ``az``."""
    bucket: str
    """The bucket; Azure calls it a container."""
    prefix: str = ""
    """What all keys begin with, without slashes around it; empty where the bucket holds nothing else."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}{'/' if self.prefix else ''}{self.prefix}"


def is_store_url(text: str) -> bool:
    """Whether a text is to be an address of an object store, right or wrong, and no folder."""
    return _SCHEME.match(text.lstrip()) is not None


def read_store_url(text: str) -> StoreUrl:
    """Return the address that a text names.

    Raises:
        ValueError: It names none; the error says what is expected.
    """
    if without_secrets(text) != text:
        raise ValueError(
            "an address without credentials expected: those are set in the environment, such as in AWS_ACCESS_KEY_ID"
        )
    match = _URL.fullmatch(text.strip())
    if match is None or match[1] not in SCHEMES:
        raise ValueError("s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX expected")
    return StoreUrl(match[1], match[2], match[3].strip("/"))


def without_secrets(text: str) -> str:
    """Return a text as it may be shown: where it is an address of an object store, nothing of it that is secret.

    Args:
        text: What was to be a data directory.
    """
    return _SECRET.sub("…", text) if is_store_url(text) else text
