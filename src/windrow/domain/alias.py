"""Aliases: second names that point at classifiers, and every change of where they pointed.

Owns the values and the limits on what is said about a change; knows nothing of where they are kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from windrow.domain.dataset import DataLimits, Row
from windrow.domain.errors import InvalidParameter
from windrow.domain.gate import (
    NOTHING_CHECKED,
    NOTHING_REQUIRED,
    GateReport,
    Requirement,
    check_must_pass,
    check_requirement,
)
from windrow.domain.names import Reference, check_name

MAX_SAID_CHARS = 500

# What happened to an alias: it was pointed somewhere, pointed back, or taken away.
AliasEvent = Literal["promoted", "rolled_back", "removed"]


@dataclass(frozen=True, slots=True)
class Said:
    """What people say about a change. Checked by :func:`check_said`.

    Args:
        reason: Why, at most 500 characters.
        by: Who, at most 500 characters; as they say themselves, nobody checks it.
    """

    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """Where an alias points.

    Args:
        name: The alias.
        points_to: The classifier, or one revision of it; never another alias.
        changed_at: When it was pointed there, UTC, whole seconds.
        said: Why and by whom.
        answers: Whether what it points to exists, so that it answers.
        must_pass: Rows that are checked on each promotion.
    """

    name: str
    points_to: Reference
    changed_at: datetime
    said: Said
    answers: bool
    must_pass: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class AliasChange:
    """One change of an alias.

    Args:
        number: Counts the changes, from 1.
        event: What happened.
        points_from: Where it pointed before; ``None`` for nowhere.
        points_to: Where it pointed afterwards; ``None`` for nowhere.
        at: When, UTC, whole seconds.
        said: Why and by whom.
    """

    number: int
    event: AliasEvent
    points_from: Reference | None
    points_to: Reference | None
    at: datetime
    said: Said


@dataclass(frozen=True, slots=True)
class PromoteRequest:
    """Where an alias is to point.

    Args:
        alias: Its name; a new one is made.
        model_name: A classifier (then the alias follows its newest revision), ``name@revision`` or ``task@latest``
            (then it points at what that means now).
        said: Why and by whom.
        require: What the classifier must meet first.
        must_pass: Rows to keep with the alias, and to check now and on each later promotion, in place of those that it
            keeps; ``None`` leaves those as they are.
    """

    alias: str
    model_name: str
    said: Said = Said()
    require: Requirement = NOTHING_REQUIRED
    must_pass: tuple[Row, ...] | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """An alias that points where it was to point.

    Args:
        alias: The alias.
        gate: What came of the conditions.
    """

    alias: Alias
    gate: GateReport = NOTHING_CHECKED


def check_promote_request(request: PromoteRequest, limits: DataLimits) -> PromoteRequest:
    """Return ``request`` unchanged if it follows every rule that needs no look at what exists.

    Raises:
        InvalidName: The alias breaks the grammar of names.
        InvalidParameter: Reason or name of a person is too long or no valid Unicode, or a condition cannot be looked
            at.
        InvalidTestData: A row breaks a rule.
        LimitExceeded: There are too many rows, or a text is too long.
    """
    check_name(request.alias)
    check_said(request.said)
    check_requirement(request.require, limits)
    check_must_pass("must_pass", request.must_pass or (), limits)
    return request


def check_said(said: Said) -> Said:
    """Return ``said`` unchanged if it can be kept.

    Raises:
        InvalidParameter: Something is too long or no valid Unicode.
    """
    for field, text in (("reason", said.reason), ("by", said.by)):
        if len(text) > MAX_SAID_CHARS or not _is_unicode(text):
            raise InvalidParameter(
                f"{field} must be valid Unicode of at most {MAX_SAID_CHARS} characters. Shorten it or leave it out.",
                {"parameter": field},
            )
    return said


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
