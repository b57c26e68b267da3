"""API keys: what each may do, to which names, and what a request must be allowed to do."""

import fnmatch
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, Literal, get_args

from windrow.domain.errors import InvalidParameter
from windrow.domain.key_limits import KeyLimits, check_limits
from windrow.domain.names import Name, check_name
from windrow.domain.values import ListValue, Schema, Value

# What a key may do. None contains another one.
Scope = Literal["predict", "read", "rows", "train", "promote", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
# A recognisable beginning, so that scanners of source code find a key that was committed by mistake.
KEY_PREFIX: Final = "wdr_"
MAX_KEY_DAYS: Final = 36_500
MAX_PATTERNS: Final = 100
# Of so many different keys, the patterns are kept ready to match.
MAX_COMPILED: Final = 1_024
# What a pattern is made of: characters of names, and what stands for some of them.
PATTERN_GRAMMAR: Final = "[A-Za-z0-9._*?-]{1,128}"

ScopeName = Annotated[str, Schema(enum=list(SCOPES))]
NamePattern = Annotated[str, Schema(pattern=f"^{PATTERN_GRAMMAR}$")]
KeyState = Literal["active", "expired", "revoked"]
_PATTERN = re.compile(PATTERN_GRAMMAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRestrictions:
    """What a key may do, and to which names."""

    scopes: Annotated[tuple[ScopeName, ...], Schema(minItems=1, uniqueItems=True)]
    """What it may do, at least one of ``predict``, ``read``, ``rows``, ``train``, ``promote`` and ``admin``; none
    contains another one.
    """
    only: Annotated[tuple[NamePattern, ...], Schema(maxItems=MAX_PATTERNS)] = ()
    """Patterns of the classifiers and aliases that it knows, where * stands for any characters and ? for one; none
    stands for every name.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKeyRequest(KeyLimits, KeyRestrictions):
    """A key to create."""

    name: Name
    """What it is called, in lists and in the audit trail; no key, also a revoked one, has had this name."""
    expires_in_days: Annotated[int | None, Schema(minimum=1, maximum=MAX_KEY_DAYS)] = None
    """Days from now for which it is valid; ``None`` for as long as it is not revoked."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key."""

    name: Name
    """What it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(KeyLimits, KeyRestrictions, Value):
    """What is known about a key; the key itself is kept nowhere."""

    _named_by = "name"

    name: str
    """What it is called."""
    hint: str
    """How it begins, to tell it from others."""
    created_at: datetime
    """When it was created, UTC."""
    created_by: str | None = None
    """The key that created it; ``None`` for whoever has the data directory."""
    expires_at: datetime | None = None
    """When it stops being valid, UTC; ``None`` for never."""
    revoked_at: datetime | None = None
    """When it was revoked, UTC; ``None`` if it was not."""

    def state(self, now: datetime) -> KeyState:
        """Return whether it is valid.

        Args:
            now: The present time.
        """
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey(ApiKey):
    """A key that was created."""

    # Whoever wants to see the key asks for it: what is shown may stay in a notebook or a log.
    _summary = "name scopes only hint created_at expires_at status"

    key: str
    """The key: keep it safe, for nothing gives it a second time."""
    status: Literal["created"] = "created"
    """It is valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevocation(ApiKey):
    """A key that was revoked."""

    status: Literal["revoked"] = "revoked"
    """It is valid no more, on any server of the data directory, within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitedKey(ApiKey):
    """A key whose limits were set."""

    status: Literal["limited"] = "limited"
    """They hold on every server of the data directory, within a second."""


@dataclass(frozen=True, slots=True)
class KeyList(ListValue[ApiKey]):
    """Every key, also those that are no longer valid."""

    _items = "keys"

    keys: tuple[ApiKey, ...]
    """Sorted by name."""


def matches(name: str, patterns: Collection[str]) -> bool:
    """Whether a name is one of those that patterns stand for; no pattern stands for every name.

    Args:
        name: Of a classifier or an alias.
        patterns: As ``KeyRestrictions.only`` has them.
    """
    return not patterns or _expression(tuple(patterns)).match(name) is not None


def check_create_key(request: CreateKeyRequest) -> None:
    """Refuse a key that cannot be created.

    Raises:
        InvalidName: Its name breaks the grammar.
        InvalidParameter: It has no scope, a repeated one, a malformed pattern, or it expires outside the range; it has
            the scope ``admin`` and patterns; or a limit lies outside the range.
    """
    check_name(request.name)
    if not request.scopes or len(set(request.scopes)) != len(request.scopes) or set(request.scopes) - set(SCOPES):
        raise InvalidParameter(
            "A key has at least one scope, each once, of {scopes:joined}. {Send} those that it needs.",
            {"parameter": "scopes", "scopes": list(SCOPES)},
        )
    if len(request.only) > MAX_PATTERNS or not all(_is_pattern(pattern) for pattern in request.only):
        raise InvalidParameter(
            "{arg:only} has at most {limit} patterns, each of 1 to 128 letters, digits, '.', '_', '-', '*' and '?'. "
            "{Send} such ones, like tickets_*.",
            {"parameter": "only", "limit": MAX_PATTERNS},
        )
    if request.only and "admin" in request.scopes:
        raise InvalidParameter(
            "A key with the scope admin can create keys for every name, so {arg:only} would not restrict it. Leave one "
            "of the two out.",
            {"parameter": "only"},
        )
    if request.expires_in_days is not None and not 1 <= request.expires_in_days <= MAX_KEY_DAYS:
        raise InvalidParameter(
            "{arg:expires_in_days} must lie between 1 and {maximum}. {Send} such a number, or leave it out.",
            {"parameter": "expires_in_days", "maximum": MAX_KEY_DAYS},
        )
    check_limits(request)


@lru_cache(MAX_COMPILED)
def _expression(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)))


def _is_pattern(text: str) -> bool:
    return _PATTERN.fullmatch(text) is not None
