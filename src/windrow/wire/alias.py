"""The JSON shapes of aliases: where each points, what changed, and what people say about it.

Owns their fields; knows nothing of HTTP or of how a change is made atomic.
"""

from typing import Literal, Self

from pydantic import Field

from windrow.domain.alias import Alias, AliasChange, AliasEvent, PromoteRequest, Said
from windrow.domain.names import REFERENCE_GRAMMAR, Reference, read_reference
from windrow.wire.queries import Query, text
from windrow.wire.shapes import EXAMPLE_ALIAS, EXAMPLE_NAME, EXAMPLE_TIME, Name, Wire, from_utc, utc

_REASON, _BY = "Why, at most 500 characters.", "Who, at most 500 characters; nobody checks it."
SAID = (text("reason", _REASON), text("by", _BY))


class SaidBody(Wire):
    """What people say about a change; all of it may be left out."""

    reason: str = Field(default="", description=_REASON, examples=["It took refunds for bills."])
    by: str = Field(default="", description=_BY, examples=["ana"])

    def to_domain(self) -> Said:
        """Return what is said; it is not checked yet."""
        return Said(self.reason, self.by)


class PromoteBody(Wire):
    """Where an alias is to point."""

    model_name: str = Field(
        description="A classifier, by whose name the alias then follows what answers; or one revision (name@3); or "
        "task@latest, which stands for what it means now.",
        examples=[EXAMPLE_NAME],
        json_schema_extra={"pattern": f"^{REFERENCE_GRAMMAR}$"},
    )
    reason: str = Field(default="", description=_REASON, examples=["4 points better on the May tickets."])
    by: str = Field(default="", description=_BY, examples=["ana"])

    def to_domain(self, alias: str) -> PromoteRequest:
        """Return the request; its values are not checked yet.

        Args:
            alias: The alias that the request is for.
        """
        return PromoteRequest(alias, self.model_name, Said(self.reason, self.by))


class AliasEntry(Wire):
    """An alias, and where it points."""

    alias: Name = Field(description="The alias.", examples=[EXAMPLE_ALIAS])
    model_name: Name = Field(description="The classifier that it points to.", examples=[EXAMPLE_NAME])
    revision: int | None = Field(
        description="The revision that it points to; null where it follows the newest one.", examples=[None, 3]
    )
    points_to: str = Field(description="Both in one, as predict takes it.", examples=[EXAMPLE_NAME])
    changed_at: str = Field(description="When it was pointed there, UTC.", examples=[EXAMPLE_TIME])
    reason: str = Field(description="Why.", examples=["4 points better on the May tickets."])
    by: str = Field(description="Who, as they said themselves.", examples=["ana"])
    answers: bool = Field(description="Whether what it points to exists, so that it answers.", examples=[True])

    @classmethod
    def of(cls, alias: Alias) -> Self:
        """Show an alias."""
        return cls(
            alias=alias.name,
            model_name=alias.points_to.name,
            revision=alias.points_to.revision,
            points_to=str(alias.points_to),
            changed_at=utc(alias.changed_at),
            reason=alias.said.reason,
            by=alias.said.by,
            answers=alias.answers,
        )

    def to_domain(self) -> Alias:
        """Return the alias that was shown."""
        points_to = Reference(self.model_name, self.revision)
        return Alias(self.alias, points_to, from_utc(self.changed_at), Said(self.reason, self.by), self.answers)


class PromoteReply(AliasEntry):
    """An alias that was pointed somewhere."""

    status: Literal["promoted"] = Field(default="promoted", description="It points there.", examples=["promoted"])


class RollbackReply(AliasEntry):
    """An alias that was pointed back."""

    status: Literal["rolled_back"] = Field(
        default="rolled_back", description="It points where it pointed before.", examples=["rolled_back"]
    )


class AliasList(Wire):
    """Every alias."""

    aliases: list[AliasEntry] = Field(description="Sorted by name.")

    @classmethod
    def of(cls, aliases: tuple[Alias, ...]) -> Self:
        """Show all aliases."""
        return cls(aliases=[AliasEntry.of(alias) for alias in aliases])

    def to_domain(self) -> tuple[Alias, ...]:
        """Return the aliases that were shown."""
        return tuple(entry.to_domain() for entry in self.aliases)


class ChangeEntry(Wire):
    """One change of an alias."""

    number: int = Field(description="Counts the changes, from 1.", examples=[2])
    event: AliasEvent = Field(
        description="What happened: it was pointed somewhere, pointed back, or taken away.", examples=["promoted"]
    )
    points_from: str | None = Field(
        alias="from", description="Where it pointed before; null for nowhere.", examples=[EXAMPLE_NAME]
    )
    points_to: str | None = Field(
        alias="to", description="Where it pointed afterwards; null for nowhere.", examples=["ticket_classifier_v2"]
    )
    at: str = Field(description="When, UTC.", examples=[EXAMPLE_TIME])
    reason: str = Field(description="Why.", examples=["4 points better on the May tickets."])
    by: str = Field(description="Who, as they said themselves.", examples=["ana"])

    @classmethod
    def of(cls, change: AliasChange) -> Self:
        """Show a change."""
        values = {
            "number": change.number,
            "event": change.event,
            "from": None if change.points_from is None else str(change.points_from),
            "to": None if change.points_to is None else str(change.points_to),
            "at": utc(change.at),
            "reason": change.said.reason,
            "by": change.said.by,
        }
        return cls.model_validate(values)

    def to_domain(self) -> AliasChange:
        """Return the change that was shown."""
        points_from = None if self.points_from is None else read_reference(self.points_from)
        points_to = None if self.points_to is None else read_reference(self.points_to)
        return AliasChange(
            self.number, self.event, points_from, points_to, from_utc(self.at), Said(self.reason, self.by)
        )


class AliasHistory(Wire):
    """Every change of an alias."""

    alias: Name = Field(description="The alias.", examples=[EXAMPLE_ALIAS])
    changes: list[ChangeEntry] = Field(description="The first one first.")

    @classmethod
    def of(cls, alias: str, changes: tuple[AliasChange, ...]) -> Self:
        """Show an alias's changes."""
        return cls(alias=alias, changes=[ChangeEntry.of(change) for change in changes])

    def to_domain(self) -> tuple[AliasChange, ...]:
        """Return the changes that were shown."""
        return tuple(entry.to_domain() for entry in self.changes)


class AliasDeleted(Wire):
    """An alias was taken away."""

    status: Literal["deleted"] = Field(default="deleted", description="It means nothing now.", examples=["deleted"])
    alias: Name = Field(description="The alias.", examples=[EXAMPLE_ALIAS])


def read_said(query: Query) -> Said:
    """Return what a query says about a change; it is not checked yet.

    Args:
        query: The parameters of :data:`SAID`.
    """
    return Said(query.get("reason", ""), query.get("by", ""))
