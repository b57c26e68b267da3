"""Aliases: second names that point at classifiers, and the history of their changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter
from windrow.domain.gate import (
    NOTHING_CHECKED,
    GateReport,
    MustPassRows,
    Requirement,
    check_must_pass,
    check_requirement,
)
from windrow.domain.labelled_rows import LabelledRows
from windrow.domain.names import ModelReference, Name, check_name, read_reference
from windrow.domain.values import ListValue, Schema, Value, computed

MAX_NOTE_CHARS = 500
Note = Annotated[str, Schema(maxLength=MAX_NOTE_CHARS)]

# What happened to an alias: it was pointed somewhere, pointed back, or removed, or rows that it keeps were erased.
AliasEvent = Literal["promoted", "rolled_back", "removed", "rows_erased"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeNote:
    """A note about a change: why, and by whom. Checked by :func:`check_note`."""

    reason: Note = ""
    """Why the change was made, at most 500 characters."""
    author: Note = ""
    """Who made the change, at most 500 characters, as the caller says; it is not verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNote(ChangeNote):
    """A note about a change that was made, and the API key that made it, which is verified."""

    key_name: str | None = None
    """The API key that acted; ``None`` where none was needed."""


@dataclass(frozen=True, slots=True)
class AliasRequest:
    """An alias."""

    alias: Name
    """The alias."""


@dataclass(frozen=True, slots=True)
class AliasChangeRequest(ChangeNote):
    """An alias to point back, or to remove."""

    alias: Name
    """The alias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias(KeptNote, Value):
    """An alias, and where it points."""

    _named_by = "alias"

    alias: str
    """The alias."""
    points_to: str
    """The classifier (then it follows the newest revision) or one revision of it, as predict takes it; never another
    alias.
    """
    model_name: str = computed(lambda self: read_reference(self.points_to).name, "")
    """The classifier that it points to."""
    revision: int | None = computed(lambda self: read_reference(self.points_to).revision, None)
    """The revision that it points to; ``None`` where it follows the newest one."""
    changed_at: datetime
    """When it was pointed there, UTC."""
    answers: bool
    """Whether what it points to exists, so that it answers."""
    protected: bool = False
    """Whether rows are checked on each promotion; said also to an API key that may not see them."""
    must_pass: LabelledRows = ()
    """Rows that are checked on each promotion; not shown to an API key without the scope ``rows``."""


@dataclass(frozen=True, slots=True)
class AliasList(ListValue[Alias]):
    """Every alias."""

    _items = "aliases"

    aliases: tuple[Alias, ...]
    """Sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasChange(KeptNote, Value):
    """One change of an alias."""

    number: int
    """Counts the changes, from 1."""
    event: AliasEvent
    """What happened: it was pointed somewhere, pointed back, or removed; or rows that it keeps were erased."""
    points_from: str | None
    """Where it pointed before; ``None`` for nowhere."""
    points_to: str | None
    """Where it pointed afterwards; ``None`` for nowhere."""
    at: datetime
    """When, UTC."""


@dataclass(frozen=True, slots=True)
class AliasHistory(ListValue[AliasChange]):
    """Every change of an alias, also of one that was removed."""

    _items = "changes"

    alias: str
    """The alias."""
    changes: tuple[AliasChange, ...]
    """The first one first."""


@dataclass(frozen=True, slots=True)
class AliasRemoval(Value):
    """An alias that was removed."""

    alias: str
    """The alias."""
    status: Literal["deleted"] = "deleted"
    """It means nothing now."""


@dataclass(frozen=True, slots=True)
class PromoteRequest(ChangeNote):
    """Where an alias is to point, and on what conditions."""

    alias: Name
    """The alias; a new one is made."""
    model_name: ModelReference
    """A classifier, by whose name the alias then follows what answers; or one revision (name@3); or task@latest, which
    stands for what it means now.
    """
    require: Requirement | None = None
    """Conditions that are checked first; unless each is met, nothing changes."""
    must_pass: MustPassRows | None = None
    """Rows to keep with the alias, at most 1,000: they must be classified correctly now and at each later promotion.
    Left out, those that it keeps stay; none at all removes them.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion(Alias):
    """An alias that was pointed somewhere."""

    status: Literal["promoted"] = "promoted"
    """It points there."""
    gate: GateReport = NOTHING_CHECKED
    """The results of the conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback(Alias):
    """An alias that was pointed back."""

    status: Literal["rolled_back"] = "rolled_back"
    """It points where it pointed before."""


def check_promote_request(request: PromoteRequest, limits: DataLimits) -> None:
    """Refuse a request that breaks a rule for which nothing that exists need be looked at.

    Raises:
        InvalidName: The alias breaks the grammar of names.
        InvalidParameter: The reason or the author is too long or no valid Unicode, or a condition cannot be checked.
        InvalidTestData: A row breaks a rule.
        LimitExceeded: There are too many rows, or a text is too long.
    """
    check_name(request.alias)
    check_note(request)
    if request.require is not None:
        check_requirement(request.require, limits)
    check_must_pass("must_pass", request.must_pass or (), limits)


def check_note(note: ChangeNote) -> None:
    """Refuse a note that cannot be kept.

    Raises:
        InvalidParameter: The reason or the author is too long or no valid Unicode.
    """
    for field, text in (("reason", note.reason), ("author", note.author)):
        if len(text) > MAX_NOTE_CHARS or not is_unicode(text):
            raise InvalidParameter(
                "{arg:{parameter}} must be valid Unicode of at most {limit} characters. Shorten it or leave it out.",
                {"parameter": field, "limit": MAX_NOTE_CHARS},
            )


def is_unicode(text: str) -> bool:
    """Return whether a text can be stored: it holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
