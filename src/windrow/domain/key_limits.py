"""How much an API key may use: requests, texts, trainings that wait, and what it keeps on the disk."""

from dataclasses import dataclass, fields
from typing import Annotated, Final

from windrow.domain.errors import InvalidParameter
from windrow.domain.names import Name, check_name
from windrow.domain.values import Schema

# The largest limit that can be set: JSON's largest whole number that every program reads alike has 16 digits.
MAX_LIMIT: Final = 10**15
# So many seconds of requests a key may save up while it sends none: the size of its bucket.
BURST_S: Final = 5
_Limit = Annotated[int, Schema(minimum=0, maximum=MAX_LIMIT)]


# Without slots, so that Python can lay out the classes that join it with another one.
@dataclass(frozen=True, kw_only=True)
class KeyLimits:
    """How much a key may use. ``None`` is what the server's setting says, and 0 is no limit."""

    requests_per_second: _Limit | None = None
    """Requests a second, with up to 5 seconds' worth at once after a pause; counted by each server for itself. ``None``
    for what the server's setting says, 0 for no limit, as with all limits.
    """
    requests_per_day: _Limit | None = None
    """Requests a day, UTC."""
    texts_per_day: _Limit | None = None
    """Texts a day, UTC, that are predicted, evaluated, compared or looked through for suggestions."""
    max_queued_fits: _Limit | None = None
    """Trainings that wait for their turn on one server."""
    max_stored_bytes: _Limit | None = None
    """Bytes on the disk of all revisions that it made."""
    max_revisions: _Limit | None = None
    """Revisions that it made and that are on the disk."""


# What is limited nowhere.
UNLIMITED: Final = KeyLimits(**{each.name: 0 for each in fields(KeyLimits)})
LIMITS: Final = tuple(each.name for each in fields(KeyLimits))


@dataclass(frozen=True, slots=True)
class Quota:
    """What a limit leaves of something."""

    name: str
    """The limit: a field of ``KeyLimits``."""
    size: int
    """How much there is in a window."""
    window_s: int
    """The window, in seconds."""
    remaining: int
    """How much of it is left."""
    reset_s: int
    """Seconds after which there is as much as there can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitKeyRequest(KeyLimits):
    """All limits of a key from now on: what is left out is what the server's setting says."""

    name: Name
    """What the key is called."""


def effective(limits: KeyLimits, defaults: KeyLimits) -> KeyLimits:
    """Return the limits that hold for a key, each of them a number; 0 for none.

    Args:
        limits: The key's own.
        defaults: What the settings say.
    """
    own = {name: getattr(limits, name) for name in LIMITS}
    return KeyLimits(
        **{name: (getattr(defaults, name) or 0) if limit is None else limit for name, limit in own.items()}
    )


def check_limits(limits: KeyLimits) -> None:
    """Refuse limits that cannot be.

    Raises:
        InvalidParameter: One is negative or too large.
    """
    for name in LIMITS:
        limit = getattr(limits, name)
        if limit is not None and not 0 <= limit <= MAX_LIMIT:
            raise InvalidParameter(
                "{arg:{parameter}} must lie between 0, for no limit, and {maximum}. {Send} such a number, or leave it "
                "out for what the server's setting says.",
                {"parameter": name, "maximum": MAX_LIMIT},
            )


def check_limit_key(request: LimitKeyRequest) -> None:
    """Refuse limits that cannot be set.

    Raises:
        InvalidName: The key's name breaks the grammar.
        InvalidParameter: A limit is negative or too large.
    """
    check_name(request.name)
    check_limits(request)
