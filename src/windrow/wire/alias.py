"""The JSON shapes of aliases: where each points, on what conditions, what changed, and what people say about it.

Owns their fields; knows nothing of HTTP or of how a change is made atomic.
"""

from dataclasses import asdict
from typing import Any, Literal, Self

from pydantic import Field

from windrow.domain.alias import Alias, AliasChange, AliasEvent, PromoteRequest, Promotion, Said
from windrow.domain.dataset import DataLimits
from windrow.domain.gate import NOTHING_REQUIRED, Check, FailedRow, GateReport, Requirement, SideReport
from windrow.domain.names import REFERENCE_GRAMMAR, Reference, read_reference
from windrow.wire.queries import Query, text
from windrow.wire.rows import EXAMPLE_DATA, LabelledRow, of_rows, to_rows, trim_rows
from windrow.wire.shapes import EXAMPLE_ALIAS, EXAMPLE_NAME, EXAMPLE_TIME, Name, Wire, from_utc, utc

_ROW_FIELDS = ("require.test_data", "require.must_pass", "must_pass")
_SHOWN_WRONG_RECALLS = 10

_REASON, _BY = "Why, at most 500 characters.", "Who, at most 500 characters; nobody checks it."
SAID = (text("reason", _REASON), text("by", _BY))


class SaidBody(Wire):
    """What people say about a change; all of it may be left out."""

    reason: str = Field(default="", description=_REASON, examples=["It took refunds for bills."])
    by: str = Field(default="", description=_BY, examples=["ana"])

    @classmethod
    def of(cls, said: Said) -> Self:
        """Send what is said."""
        return cls.model_construct(reason=said.reason, by=said.by)

    def to_domain(self) -> Said:
        """Return what is said; it is not checked yet."""
        return Said(self.reason, self.by)


class RequireBody(Wire):
    """What a classifier must meet before an alias points to it; all of it may be left out."""

    test_data: list[LabelledRow] = Field(
        default=[], description="Labelled rows for not_worse and min_recall.", examples=[EXAMPLE_DATA]
    )
    not_worse: bool = Field(
        default=False,
        description="Whether at least as many of the rows must be placed right as by what the alias points to now.",
        examples=[True],
    )
    must_pass: list[LabelledRow] = Field(
        default=[],
        description="Rows that must be placed right, this time; at most 1,000.",
        examples=[EXAMPLE_DATA[:1]],
    )
    min_recall: dict[str, float] = Field(
        default={},
        description="The least recall on the rows, from 0 to 1, by label. Each label must have a row.",
        examples=[{"billing": 0.9}],
    )

    @classmethod
    def of(cls, requirement: Requirement) -> Self:
        """Send a requirement."""
        return cls.model_construct(
            test_data=of_rows(requirement.rows),
            not_worse=requirement.not_worse,
            must_pass=of_rows(requirement.must_pass),
            min_recall=dict(requirement.min_recall),
        )

    def to_domain(self) -> Requirement:
        """Return the requirement; it is not checked yet."""
        return Requirement(to_rows(self.test_data), self.not_worse, to_rows(self.must_pass), self.min_recall)


class PromoteBody(Wire):
    """Where an alias is to point, and on what conditions."""

    model_name: str = Field(
        description="A classifier, by whose name the alias then follows what answers; or one revision (name@3); or "
        "task@latest, which stands for what it means now.",
        examples=[EXAMPLE_NAME],
        json_schema_extra={"pattern": f"^{REFERENCE_GRAMMAR}$"},
    )
    reason: str = Field(default="", description=_REASON, examples=["4 points better on the May tickets."])
    by: str = Field(default="", description=_BY, examples=["ana"])
    require: RequireBody | None = Field(
        default=None, description="Conditions that are looked at first; unless each is met, nothing changes."
    )
    must_pass: list[LabelledRow] | None = Field(
        default=None,
        description="Rows to keep with the alias, at most 1,000: they must be placed right now and at each later "
        "promotion. Left out or null, those that it keeps stay; an empty list removes them.",
        examples=[EXAMPLE_DATA[1:2]],
    )

    @classmethod
    def read(cls, document: object, limits: DataLimits) -> Self:
        """Read a parsed JSON document.

        Raises:
            LimitExceeded: There are too many rows.
            pydantic.ValidationError: The document has another shape.
        """
        for field in _ROW_FIELDS:
            document = trim_rows(document, field, limits)
        return cls.model_validate(_trim_recalls(document))

    @classmethod
    def of(cls, request: PromoteRequest) -> Self:
        """Send a request; its alias stands elsewhere."""
        return cls.model_construct(
            model_name=request.model_name,
            reason=request.said.reason,
            by=request.said.by,
            require=RequireBody.of(request.require),
            must_pass=None if request.must_pass is None else of_rows(request.must_pass),
        )

    def to_domain(self, alias: str) -> PromoteRequest:
        """Return the request; its values are not checked yet.

        Args:
            alias: The alias that the request is for.
        """
        require = NOTHING_REQUIRED if self.require is None else self.require.to_domain()
        must_pass = None if self.must_pass is None else to_rows(self.must_pass)
        return PromoteRequest(alias, self.model_name, Said(self.reason, self.by), require, must_pass)


class AliasFields(Wire):
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
    must_pass: list[LabelledRow] = Field(
        description="Rows that are checked on each promotion.", examples=[[], EXAMPLE_DATA[1:2]]
    )

    def to_alias(self) -> Alias:
        """Return the alias that was shown."""
        points_to, said = Reference(self.model_name, self.revision), Said(self.reason, self.by)
        must_pass = to_rows(self.must_pass)
        return Alias(self.alias, points_to, from_utc(self.changed_at), said, self.answers, must_pass)


class AliasEntry(AliasFields):
    """An alias, and where it points."""

    @classmethod
    def of(cls, alias: Alias) -> Self:
        """Show an alias."""
        return cls(**_fields(alias))

    def to_domain(self) -> Alias:
        """Return the alias that was shown."""
        return self.to_alias()


class ConditionEntry(Wire):
    """A condition that was looked at."""

    condition: Literal["must_pass", "not_worse", "min_recall"] = Field(
        description="Which one; min_recall once for each label.", examples=["not_worse"]
    )
    passed: bool = Field(description="Whether it is met.", examples=[True])
    detail: str = Field(
        description="What was found, in a sentence or two.",
        examples=["ticket_classifier_v1 places 6 of 6 test rows right, against 6 of 6 by ticket_classifier_v2."],
    )

    @classmethod
    def of(cls, check: Check) -> Self:
        """Show a condition."""
        return cls.model_validate(asdict(check))

    def to_domain(self) -> Check:
        """Return the condition that was shown."""
        return Check(self.condition, self.passed, self.detail)


class FailedRowEntry(Wire):
    """A row that had to be placed right and was not."""

    text: str = Field(description="Its text.", examples=["Please refund my last invoice"])
    label: str = Field(description="Its label.", examples=["billing"])
    predicted: str = Field(description="What it was given.", examples=["account"])

    @classmethod
    def of(cls, row: FailedRow) -> Self:
        """Show a row."""
        return cls(**asdict(row))

    def to_domain(self) -> FailedRow:
        """Return the row that was shown."""
        return FailedRow(self.text, self.label, self.predicted)


class SideEntry(Wire):
    """How one of the two classifiers did on the test rows."""

    accuracy: float = Field(description="Share of rows that it placed right, from 0 to 1.", examples=[1.0])
    correct: int = Field(description="Rows that it placed right.", examples=[6])
    total: int = Field(description="Rows in all.", examples=[6])
    recall: dict[str, float] = Field(
        description="Share of each label's rows that it placed right, from 0 to 1.",
        examples=[{"account": 1.0, "billing": 1.0, "technical": 1.0}],
    )

    @classmethod
    def of(cls, side: SideReport) -> Self:
        """Show how a classifier did."""
        return cls(accuracy=side.accuracy, correct=side.correct, total=side.total, recall=dict(side.recall))

    def to_domain(self) -> SideReport:
        """Return what was shown."""
        return SideReport(self.correct, self.total, self.recall)


class GateEntry(Wire):
    """What came of a promotion's conditions."""

    passed: bool = Field(description="Whether each one is met.", examples=[True])
    checks: list[ConditionEntry] = Field(description="Each condition; none where none was set.")
    failed_rows: list[FailedRowEntry] = Field(
        description="Rows of must_pass that were placed wrong: none, unless the promotion is refused.", examples=[[]]
    )
    candidate: SideEntry | None = Field(
        description="How the classifier that was to be promoted did on the test rows; null without such rows."
    )
    current: SideEntry | None = Field(
        description="How what the alias pointed to did on them; null also where it pointed nowhere, or to what does "
        "not answer."
    )

    @classmethod
    def of(cls, report: GateReport) -> Self:
        """Show what came of the conditions."""
        return cls(
            passed=report.passed,
            checks=[ConditionEntry.of(check) for check in report.checks],
            failed_rows=[FailedRowEntry.of(row) for row in report.failed_rows],
            candidate=None if report.candidate is None else SideEntry.of(report.candidate),
            current=None if report.current is None else SideEntry.of(report.current),
        )

    def to_domain(self) -> GateReport:
        """Return what was shown."""
        return GateReport(
            tuple(check.to_domain() for check in self.checks),
            tuple(row.to_domain() for row in self.failed_rows),
            None if self.candidate is None else self.candidate.to_domain(),
            None if self.current is None else self.current.to_domain(),
        )


class PromoteReply(AliasFields):
    """An alias that was pointed somewhere."""

    status: Literal["promoted"] = Field(default="promoted", description="It points there.", examples=["promoted"])
    gate: GateEntry = Field(description="What came of the conditions.")

    @classmethod
    def of(cls, promotion: Promotion) -> Self:
        """Show a promotion."""
        return cls(**_fields(promotion.alias), gate=GateEntry.of(promotion.gate))

    def to_domain(self) -> Promotion:
        """Return the promotion that was shown."""
        return Promotion(self.to_alias(), self.gate.to_domain())


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


def _fields(alias: Alias) -> dict[str, Any]:
    return {
        "alias": alias.name,
        "model_name": alias.points_to.name,
        "revision": alias.points_to.revision,
        "points_to": str(alias.points_to),
        "changed_at": utc(alias.changed_at),
        "reason": alias.said.reason,
        "by": alias.said.by,
        "answers": alias.answers,
        "must_pass": of_rows(alias.must_pass),
    }


def _trim_recalls(document: object) -> object:
    """Return a document with a few wrong values of ``min_recall`` at most, for the reason of :func:`trim_rows`."""
    match document:
        case {"require": {"min_recall": dict(recalls), **conditions}, **fields}:
            wrong = [label for label, recall in recalls.items() if type(recall) not in (int, float)]
            left_out = set(wrong[_SHOWN_WRONG_RECALLS:])
            kept = {label: recall for label, recall in recalls.items() if label not in left_out}
            return {**fields, "require": {**conditions, "min_recall": kept}}
    return document
