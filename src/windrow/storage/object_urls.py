"""Addresses of single objects of an object store, and of several by a pattern: ``s3://bucket/mails/*.csv``."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from windrow.domain.errors import InvalidParameter
from windrow.domain.store_url import SCHEMES, StoreUrl, without_secrets

if TYPE_CHECKING:
    from windrow.storage.object_store.obstore_bucket import ObstoreBucket

_WILD: Final = re.compile(r"[*?[]")
# The key may be anything, unlike that of a data directory; a bucket with an @ in it would be a password.
_URL: Final = re.compile(rf"({'|'.join(SCHEMES)})://([A-Za-z0-9][A-Za-z0-9._-]{{1,254}})(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ObjectUrl:
    """The address of an object, or of all whose keys begin with it or match it."""

    store: StoreUrl
    """The bucket."""
    key: str
    """The key in it, a part of one, or a pattern."""

    def __str__(self) -> str:
        return f"{self.store}/{self.key}"


def read_object_url(text: str, parameter: str) -> ObjectUrl:
    """Return the address that a text names.

    Args:
        text: The text.
        parameter: What it was given for.

    Raises:
        InvalidParameter: It names none.
    """
    match = _URL.fullmatch(text.strip())
    if match is None:
        raise InvalidParameter(
            "{value} is no file in an object store. Name one like s3://BUCKET/KEY, gs://BUCKET/KEY or "
            "az://CONTAINER/KEY; credentials are set in the environment, such as in AWS_ACCESS_KEY_ID.",
            {"parameter": parameter, "value": without_secrets(text)},
        )
    return ObjectUrl(StoreUrl(match[1], match[2]), match[3] or "")


@lru_cache(maxsize=16)
def bucket_of(store: StoreUrl) -> "ObstoreBucket":
    """Return a bucket, or a part of one; the same one each time, since it knows whether the store answers.

    Raises:
        StorageFailed: obstore is not installed.
        DataDirectoryUnavailable: What the environment says of the store is not valid.
    """
    from windrow.storage.object_store.obstore_bucket import ObstoreBucket

    return ObstoreBucket(store)


def is_pattern(text: str) -> bool:
    """Whether a path or a key stands for several."""
    return _WILD.search(text) is not None


def fixed_folder(pattern: str) -> str:
    """Return the folder in which everything lies that a pattern matches, without a slash at its end."""
    match = _WILD.search(pattern)
    return (pattern if match is None else pattern[: match.start()]).rpartition("/")[0]


def matcher(pattern: str) -> "re.Pattern[str]":
    """Return what matches the keys that a pattern stands for, as a shell does: ``**`` goes through folders, ``*`` not.

    Args:
        pattern: The pattern; ``?`` is any character but a slash, ``[a-c]`` one of several.
    """
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?\]?[^\]/]*\])", pattern)
    return re.compile("".join(map(_expression, parts)), re.DOTALL)


def _expression(part: str) -> str:
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if part in known:
        return known[part]
    if len(part) > 2 and part[0] == "[" and part[-1] == "]":
        inner = part[1:-1]
        negated, inner = ("^", inner[1:]) if inner.startswith("!") else ("", inner)
        return "[" + negated + re.sub(r"([\\\[\]^&~|])", r"\\\1", inner) + "]"
    return re.escape(part)
