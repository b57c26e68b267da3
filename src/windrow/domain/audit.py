"""The audit trail: who did what, when, and how it ended."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from windrow.domain.errors import InvalidParameter
from windrow.domain.recipe import check_range
from windrow.domain.values import ListValue, Schema, Value

AUDIT_RANGE: Final = (1, 10_000)
DEFAULT_AUDIT_LINES: Final = 100
OK: Final = "ok"
# Microseconds since 1970, and a salt.
LINE_ID: Final = re.compile("[0-9a-f]{14}-[0-9a-f]{6}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
Moment = Annotated[str, Schema(pattern=f"^{_TIME.pattern}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest:
    """Which lines of the audit trail to list: those to which everything applies that is not ``None``."""

    since: Moment | None = None
    """Only what happened then or later: a day (2025-09-15), or a time (2025-09-15T10:30:00Z), UTC."""
    key_name: Annotated[str | None, Schema(minLength=1)] = None
    """Only what this API key did, or was refused."""
    target: Annotated[str | None, Schema(minLength=1)] = None
    """Only what was done to this classifier, alias, API key or base model."""
    verb: Annotated[str | None, Schema(minLength=1)] = None
    """Only what was done, or refused, by this verb, as lines name it (``promote``)."""
    limit: Annotated[int, Schema(minimum=AUDIT_RANGE[0], maximum=AUDIT_RANGE[1])] = DEFAULT_AUDIT_LINES
    """The most lines, 1 to 10,000."""
    cursor: Annotated[str | None, Schema(pattern=f"^{LINE_ID.pattern}$")] = None
    """The ``next_cursor`` of the page before, with the same other parameters."""

    @property
    def begins_at(self) -> datetime | None:
        """The time of ``since``; ``None`` where it says nothing.

        Raises:
            InvalidParameter: It is no time.
        """
        return None if self.since is None else _read_time(self.since)

    def has(self, line: "AuditLine") -> bool:
        """Whether a line is meant, wherever the page begins."""
        return (
            self.key_name in (None, line.key_name)
            and self.target in (None, line.target, line.target.partition("@")[0])
            and self.verb in (None, line.verb)
            and (self.begins_at is None or line.at >= self.begins_at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine(Value):
    """One change, or requests that were refused."""

    _summary = "at key_name verb target outcome"
    _named_by = "id"

    id: str
    """Names the line; ids sort by time."""
    at: datetime
    """When it ended, UTC."""
    key_name: str | None
    """The API key; ``None`` where none was needed, or a valid one was lacking."""
    address: str
    """The network address that the request came from; empty without a server, and for what is counted together."""
    user: str | None = None
    """The user of the operating system, where it was done without a request: on the data directory itself, or by the
    server of its own accord.
    """
    verb: str
    """What was done, as in the reference of the verbs (``promote``); empty for a request that was refused before that
    was known.
    """
    target: str = ""
    """The classifier, revision, alias, API key or base model that it was done to, or that classified files; empty for
    none.
    """
    job_id: str | None = None
    """The job of a training or of a prediction of files, also for its cancellation."""
    revision_before: int | None = None
    """The revision that answered by the classifier's name before; ``None`` for none, or where that does not apply."""
    revision_after: int | None = None
    """The revision that has answered since; likewise."""
    points_from: str | None = None
    """Where the alias pointed before; ``None`` for nowhere, or where that does not apply."""
    points_to: str | None = None
    """Where it has pointed since; likewise. For a prediction of files, the place where it writes."""
    outcome: str = OK
    """``ok``, or the code of the error."""
    count: int = 1
    """How many equal attempts within a minute it stands for; changes have a line each."""
    request_id: str = ""
    """Names the request in the server's log; empty without a server."""


@dataclass(frozen=True, slots=True)
class AuditTrail(ListValue[AuditLine]):
    """A part of the audit trail."""

    _items = "lines"

    lines: tuple[AuditLine, ...]
    """The newest one first."""
    unreadable_files: int = 0
    """Files of those days that cannot be read, so that lines are missing; a check of the data directory names them."""
    next_cursor: str | None = None
    """Send it as ``cursor`` to get older lines; ``None`` where there are none."""


def check_audit_request(request: AuditRequest) -> None:
    """Refuse a part of the audit trail that cannot be.

    Raises:
        InvalidParameter: A text is empty, the time or the cursor is none, or the limit lies outside its range.
    """
    check_range("limit", request.limit, AUDIT_RANGE)
    for name in ("key_name", "target", "verb"):
        if getattr(request, name) == "":  # of a script's variable that is unset
            raise InvalidParameter("{arg:{parameter}} is empty. Give it a value, or leave it out.", {"parameter": name})
    _ = request.begins_at
    if request.cursor is not None and LINE_ID.fullmatch(request.cursor) is None:
        raise InvalidParameter(
            "{arg:cursor} is none that this server gave. {Send} the next_cursor of another page, or leave it out.",
            {"parameter": "cursor"},
        )


def _read_time(text: str) -> datetime:
    try:
        if _TIME.fullmatch(text) is not None:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise InvalidParameter(
        "{arg:since} is no day like 2025-09-15, and no time like 2025-09-15T10:30:00Z. {Send} one, or leave it out.",
        {"parameter": "since"},
    )
