"""The JSON shapes of comparing classifiers on the same rows, to and from the domain.

Owns the fields of a comparison; knows nothing of HTTP or of what makes a difference count as shown.
"""

from dataclasses import asdict
from typing import Annotated, Self

from pydantic import Field

from windrow.domain.comparison import COMPARED_RANGE, CompareRequest, Comparison, Contender, Flip, Pair, Recommendation
from windrow.wire.prediction import Answerer, AnswererRevision
from windrow.wire.report import (
    MajorityEntry,
    OutcomeFields,
    ReportWarnings,
    RowLabel,
    RowNumber,
    RowText,
    TestData,
    TestDataSha256,
    outcome_fields,
)
from windrow.wire.reports import IntervalEntry, WarningEntry
from windrow.wire.rows import RowsBody, of_rows, to_rows
from windrow.wire.shapes import EXAMPLE_ALIAS, Wire

_ASKED = (EXAMPLE_ALIAS, "ticket_classifier_v2")
Asked = Annotated[str, Field(description="The name by which it was asked.", examples=[_ASKED[0]])]


class CompareBody(RowsBody):
    """Classifiers to judge by the same rows."""

    # As in a predict: one wrong entry is enough to refuse the list.
    model_names: list[str] = Field(
        description="2 to 20 different classifiers: names, aliases, revisions (name@3) or task@latest. The first is "
        "the one in use, which the others must beat.",
        examples=[list(_ASKED)],
        fail_fast=True,
        json_schema_extra={"minItems": COMPARED_RANGE[0], "maxItems": COMPARED_RANGE[1]},
    )
    test_data: TestData

    @classmethod
    def of(cls, request: CompareRequest) -> Self:
        """Send a request."""
        return cls.model_construct(model_names=list(request.model_names), test_data=of_rows(request.rows))

    def to_domain(self) -> CompareRequest:
        """Return the request; its values are not checked yet."""
        return CompareRequest(tuple(self.model_names), to_rows(self.test_data))


class ContenderEntry(OutcomeFields):
    """One of the classifiers that are compared, and how it did."""

    asked: Asked
    model_name: Answerer
    revision: AnswererRevision

    @classmethod
    def of(cls, contender: Contender) -> Self:
        """Show a classifier's outcome."""
        return cls(
            asked=contender.asked,
            model_name=contender.model_name,
            revision=contender.revision,
            **outcome_fields(contender.outcome),
        )

    def to_domain(self) -> Contender:
        """Return the classifier's outcome that was shown."""
        return Contender(self.asked, self.model_name, self.revision, self.to_outcome())


class PairEntry(Wire):
    """Two classifiers on the same rows."""

    first: Asked
    second: str = Field(description="The other one, likewise.", examples=[_ASKED[1]])
    fixed: int = Field(description="Rows that only the second placed right.", examples=[1])
    broken: int = Field(description="Rows that only the first placed right.", examples=[0])
    p_value: float = Field(
        description="Of the exact McNemar test, two-sided: how often chance alone makes a difference of this size. It "
        "is not corrected for the number of pairs.",
        examples=[1.0],
    )
    difference: float = Field(
        description="Accuracy of the second less that of the first, from -1 to 1.", examples=[0.1667]
    )
    difference_interval: IntervalEntry = Field(description="Where that difference lies on all rows like these.")
    rows_needed: int | None = Field(
        description="About how many rows like these, in all, would show a difference of this size; null where it is "
        "shown already, where there is none, or where more than 1,000,000 would be needed.",
        examples=[33],
    )
    total: int = Field(description="Rows in all.", examples=[6])
    better: str | None = Field(
        description="The better one, by the name by which it was asked; null where the rows do not show a difference.",
        examples=[None],
    )
    verdict: str = Field(
        description="What may be concluded, in a sentence.",
        examples=[
            f"Not enough evidence: {_ASKED[1]} fixes 1 row(s) and breaks 0 (p = 1); about 27 more rows like these "
            "would be needed."
        ],
    )

    @classmethod
    def of(cls, pair: Pair) -> Self:
        """Show a pair."""
        return cls(
            first=pair.first,
            second=pair.second,
            fixed=pair.fixed,
            broken=pair.broken,
            p_value=pair.p_value,
            difference=pair.difference,
            difference_interval=IntervalEntry.of(pair.difference_interval),
            rows_needed=pair.rows_needed,
            total=pair.total,
            better=pair.better,
            verdict=pair.verdict,
        )

    def to_domain(self) -> Pair:
        """Return the pair that was shown."""
        return Pair(
            self.first,
            self.second,
            self.fixed,
            self.broken,
            self.p_value,
            self.difference,
            self.difference_interval.to_domain(),
            self.rows_needed,
            self.total,
        )


class FlipEntry(Wire):
    """A row that the classifiers answer differently."""

    row: RowNumber
    text: RowText
    label: RowLabel
    predicted: dict[str, str] = Field(
        description="Each classifier's answer, by the name by which it was asked.",
        examples=[dict(zip(_ASKED, ("account", "technical"), strict=True))],
    )

    @classmethod
    def of(cls, flip: Flip) -> Self:
        """Show a row."""
        return cls(row=flip.row, text=flip.text, label=flip.label, predicted=dict(flip.predicted))

    def to_domain(self) -> Flip:
        """Return the row that was shown."""
        return Flip(self.row, self.text, self.label, self.predicted)


class RecommendationEntry(Wire):
    """Which classifier to promote."""

    model_name: str = Field(description="The name by which it was asked.", examples=[_ASKED[0]])
    reason: str = Field(
        description="Why, in a sentence or two.",
        examples=[
            f"Keep {_ASKED[0]}: {_ASKED[1]} places more rows right, but chance could do that too (1 row(s) fixed, 0 "
            "broken, p = 1)."
        ],
    )

    @classmethod
    def of(cls, recommendation: Recommendation) -> Self:
        """Show a recommendation."""
        return cls(**asdict(recommendation))

    def to_domain(self) -> Recommendation:
        """Return the recommendation that was shown."""
        return Recommendation(self.model_name, self.reason)


class CompareReply(Wire):
    """Several classifiers on the same rows."""

    models: list[ContenderEntry] = Field(description="The classifiers in the order in which they were named.")
    pairs: list[PairEntry] = Field(description="Each two of them, the earlier one first.")
    flips: list[FlipEntry] = Field(description="The rows that they answer differently, in their order.")
    recommendation: RecommendationEntry = Field(description="Which to promote.")
    majority_baseline: MajorityEntry = Field(description="What always giving the most frequent label would get right.")
    warnings: ReportWarnings
    test_data_sha256: TestDataSha256

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        """Show a comparison."""
        return cls(
            models=[ContenderEntry.of(each) for each in comparison.contenders],
            pairs=[PairEntry.of(pair) for pair in comparison.pairs],
            flips=[FlipEntry.of(flip) for flip in comparison.flips],
            recommendation=RecommendationEntry.of(comparison.recommendation),
            majority_baseline=MajorityEntry.of(comparison.majority),
            warnings=[WarningEntry.of(warning) for warning in comparison.warnings],
            test_data_sha256=comparison.data_sha256,
        )

    def to_domain(self) -> Comparison:
        """Return the comparison that was shown."""
        return Comparison(
            tuple(each.to_domain() for each in self.models),
            tuple(pair.to_domain() for pair in self.pairs),
            tuple(flip.to_domain() for flip in self.flips),
            self.recommendation.to_domain(),
            self.majority_baseline.to_domain(),
            tuple(warning.to_domain() for warning in self.warnings),
            self.test_data_sha256,
        )
