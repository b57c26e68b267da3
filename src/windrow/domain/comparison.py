"""A comparison: several classifiers on the same rows, pair by pair, and what may be concluded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted
from windrow.domain.interval import Interval
from windrow.domain.labelled_rows import TestRows
from windrow.domain.names import ModelReference, read_reference
from windrow.domain.report import ClassificationMetrics, MajorityBaseline
from windrow.domain.values import Schema, Value, computed

COMPARED_RANGE = (2, 20)
# A difference that chance makes in less than one of twenty comparisons counts as shown.
SIGNIFICANT_P = 0.05
# From fewer rows that two classifiers answer differently, nothing can be foretold.
MIN_DISAGREEMENTS = 4
# Labelling more rows than that is not worth so small a difference.
MAX_ROWS_NEEDED = 1_000_000


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Classifiers to evaluate on the same rows."""

    model_names: Annotated[
        tuple[ModelReference, ...], Schema(minItems=COMPARED_RANGE[0], maxItems=COMPARED_RANGE[1], uniqueItems=True)
    ]
    """2 to 20 different classifiers: names, aliases, revisions (name@3) or task@latest. The first is the one in use,
    which the others must beat.
    """
    test_data: TestRows
    """Labelled rows that the classifiers were not trained on; at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult(ClassificationMetrics):
    """One of the classifiers that are compared, and how it did."""

    _summary = "reference correct total accuracy accuracy_interval macro_f1"
    _named_by = "reference"

    reference: str
    """The reference by which the request names it, which the other parts of the comparison use."""
    model_name: str
    """The classifier that answered, by its own name."""
    revision: int
    """Its revision that answered."""


@dataclass(frozen=True, slots=True)
class Pair(Value):
    """Two classifiers on the same rows. Made by ``learning.compare``."""

    first: str
    """The first classifier's reference."""
    second: str
    """The second classifier's reference."""
    fixed: int
    """Rows that only the second classified correctly."""
    broken: int
    """Rows that only the first classified correctly."""
    p_value: float
    """Of the exact McNemar test, two-sided: how often chance alone makes a difference of this size. It knows of this
    pair only; who looks at many pairs finds one in twenty below 0.05 by chance.
    """
    difference: float
    """Accuracy of the second less that of the first."""
    difference_interval: Interval
    """Bootstrap interval of 95 % of that difference. It knows of no row that was not drawn: where both place the same
    rows right, its ends are 0.
    """
    rows_needed: int | None
    """About how many rows like these, in all, would show a difference of this size; ``None`` where it is shown already,
    where there is none, or where more than ``MAX_ROWS_NEEDED`` would be needed.
    """
    total: int
    """Rows that they were compared on: those that neither was trained on, as far as can be told."""

    better: str | None = computed(lambda self: self.find_better(), None)
    """The better one's reference; ``None`` where the rows do not show a difference."""
    verdict: str = computed(lambda self: self.conclude(), "")
    """What may be concluded, in a sentence."""

    @property
    def is_significant(self) -> bool:
        """Whether the rows show a difference."""
        return self.p_value < SIGNIFICANT_P

    def find_better(self) -> str | None:
        """Return the better one (``better``)."""
        if not self.is_significant:
            return None
        return self.second if self.fixed > self.broken else self.first

    def conclude(self) -> str:
        """Return what may be concluded (``verdict``)."""
        if self.better is not None:
            return f"{self.better} is better ({_shown_p(self.p_value)})."
        if self.fixed == self.broken == 0:
            return "They place the same rows right, so these rows cannot tell them apart."
        if self.fixed == self.broken:
            return f"No difference is shown: {self.second} fixes {counted(self.fixed, 'row')} and breaks as many."
        if self.fixed + self.broken < MIN_DISAGREEMENTS:
            return (
                f"Not enough evidence: only {counted(self.fixed + self.broken, 'row differs', 'rows differ')}, too few "
                "to say how many more would be needed."
            )
        facts = f"{self.second} fixes {counted(self.fixed, 'row')} and breaks {self.broken} ({_shown_p(self.p_value)})"
        if self.rows_needed is None:
            needed = f"more than {MAX_ROWS_NEEDED:,}"
        else:
            needed = f"about {self.rows_needed - self.total:,} more"
        return (
            f"Not enough evidence: {facts}; {needed} rows like these would be needed to show it, if the difference is "
            "real."
        )


@dataclass(frozen=True, slots=True)
class Disagreement(Value):
    """A row that the classifiers label differently."""

    row: int
    """Its number in the test data, from 0."""
    text: str
    """Its text."""
    label: str
    """Its label."""
    predicted: Mapping[str, str]
    """Each classifier's answer, by its reference, in the order of the request."""


@dataclass(frozen=True, slots=True)
class Recommendation(Value):
    """Which classifier to promote."""

    model_name: str
    """The classifier's reference."""
    reason: str
    """Why, in a sentence or two."""


@dataclass(frozen=True, slots=True)
class Comparison(Value):
    """Several single-label classifiers on the same rows."""

    _summary = "models recommendation warnings"

    kind: Literal["single_label"] = field(default="single_label", kw_only=True)
    """That they give one label."""
    models: tuple[ModelResult, ...]
    """The classifiers in the order in which they were named."""
    pairs: tuple[Pair, ...]
    """Each pair of them, the earlier one first."""
    disagreements: tuple[Disagreement, ...]
    """The rows that they label differently, in their order."""
    recommendation: Recommendation
    """Which to promote."""
    majority_baseline: MajorityBaseline
    """The baseline beside them."""
    warnings: tuple[DataWarning, ...]
    """What makes the figures worth less."""
    test_data_sha256: str
    """SHA-256 of the rows, made like that of training rows."""


def check_compare_request(request: CompareRequest) -> None:
    """Refuse a request whose names cannot be compared; its rows are not looked at.

    Raises:
        InvalidName: A name breaks the grammar.
        InvalidParameter: There are too few names or too many, or one stands twice.
    """
    low, high = COMPARED_RANGE
    names = request.model_names
    if not low <= len(names) <= high:
        raise InvalidParameter(
            "A comparison takes {minimum} to {maximum} classifiers; {arg:model_names} has {count}. The first is the "
            "one in use, the others are those that may take its place.",
            {"parameter": "model_names", "count": len(names), "minimum": low, "maximum": high},
        )
    for name in names:
        read_reference(name)
        if names.count(name) > 1:
            raise InvalidParameter(
                "{arg:model_names} has {model_name} twice. Name each classifier once.",
                {"parameter": "model_names", "model_name": name},
            )


def recommend(references: Sequence[str], pairs: Sequence[Pair]) -> Recommendation:
    """Recommend the best of the classifiers that the rows show to beat the first one; the first one where none does.

    Looking at many rivals finds a lucky one sooner, so a rival's p is multiplied by their number (Bonferroni).

    Args:
        references: At least two, the one in use first.
        pairs: Each pair of them, the earlier one first.
    """
    in_use, rivals = references[0], len(references) - 1
    against = {pair.second: pair for pair in pairs if pair.first == in_use}
    # By the pairs, not by the outcomes: rows that one of them was trained on count in these only.
    ahead = [pair for pair in against.values() if pair.fixed > pair.broken]
    if not ahead:
        return Recommendation(in_use, f"Keep {in_use}: none of the others places more rows right.")
    leader = _furthest(ahead)
    shown = [pair for pair in ahead if pair.p_value * rivals < SIGNIFICANT_P]
    if not shown:
        facts = _facts(leader, rivals)
        return Recommendation(
            in_use,
            f"Keep {in_use}: {leader.second} places more rows right, but chance could do that too ({facts}).",
        )
    best = _furthest(shown)
    reason = f"Promote {best.second}: it beats {in_use} ({_facts(best, rivals)})."
    if leader.difference > best.difference:
        reason += (
            f" {leader.second} places more rows right still, but chance could do that too ({_facts(leader, rivals)})."
        )
    return Recommendation(best.second, reason)


def _furthest(pairs: Sequence[Pair]) -> Pair:
    return max(pairs, key=lambda pair: pair.difference)  # the first of equals


def _facts(pair: Pair, rivals: int) -> str:
    p_value = _shown_p(min(1.0, pair.p_value * rivals))
    corrected = f", corrected for {rivals} rivals" if rivals > 1 else ""
    return f"{counted(pair.fixed, 'row')} fixed, {pair.broken} broken, {p_value}{corrected}"


def _shown_p(p_value: float) -> str:
    # Three digits, so that what lies just below the border does not look like what lies just above.
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3g}"
