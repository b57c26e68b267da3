"""A comparison: several classifiers on the same rows, pair by pair, and what may be concluded.

Owns the values, the rules for what is asked, and the words of a verdict; knows nothing of how a figure is computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from windrow.domain.dataset import DataWarning, Row
from windrow.domain.errors import InvalidParameter
from windrow.domain.interval import Interval
from windrow.domain.names import read_reference
from windrow.domain.report import Majority, Outcome

COMPARED_RANGE = (2, 20)
# A difference that chance makes in less than one of twenty comparisons counts as shown.
SIGNIFICANT_P = 0.05
# From fewer rows that two classifiers answer differently, nothing can be foretold.
MIN_FLIPS = 4
# Nobody labels more rows than that to settle a difference so small.
MAX_ROWS_NEEDED = 1_000_000


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Classifiers to judge by the same rows.

    Args:
        model_names: 2 to 20 different ones; the first is the one in use, which the others must beat.
        rows: Labelled test rows.
    """

    model_names: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Contender:
    """One of the classifiers that are compared.

    Args:
        asked: The name by which it was asked, which the other parts of a comparison use.
        model_name: The classifier that answered.
        revision: Its revision that answered.
        outcome: How it did.
    """

    asked: str
    model_name: str
    revision: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classifiers on the same rows. Made by ``learning.compare``.

    Args:
        first: The one, as it was asked.
        second: The other.
        fixed: Rows that only the second placed right.
        broken: Rows that only the first placed right.
        p_value: Of the exact McNemar test, two-sided: how often chance alone makes a difference of this size. It knows
            of this pair only; who looks at many pairs finds one in twenty below 0.05 by chance.
        difference: Accuracy of the second less that of the first.
        difference_interval: Bootstrap interval of 95 % of that difference. It knows of no row that was not drawn: where
            both place the same rows right, its ends are 0.
        rows_needed: About how many rows like these, in all, would show a difference of this size; ``None`` where it is
            shown already, where there is none, or where more than ``MAX_ROWS_NEEDED`` would be needed.
        total: Rows that they were compared on: those that neither was trained on, as far as can be told.
    """

    first: str
    second: str
    fixed: int
    broken: int
    p_value: float
    difference: float
    difference_interval: Interval
    rows_needed: int | None
    total: int

    @property
    def is_shown(self) -> bool:
        """Whether the rows show a difference."""
        return self.p_value < SIGNIFICANT_P

    @property
    def better(self) -> str | None:
        """The better one, as it was asked; ``None`` where the rows do not show a difference."""
        if not self.is_shown:
            return None
        return self.second if self.fixed > self.broken else self.first

    @property
    def verdict(self) -> str:
        """What may be concluded, in a sentence."""
        if self.better is not None:
            return f"{self.better} is better ({_shown_p(self.p_value)})."
        if self.fixed == self.broken == 0:
            return "They place the same rows right, so these rows cannot tell them apart."
        if self.fixed == self.broken:
            return f"No difference is shown: {self.second} fixes {self.fixed} row(s) and breaks as many."
        if self.fixed + self.broken < MIN_FLIPS:
            return (
                f"Not enough evidence: only {self.fixed + self.broken} row(s) differ, too few to say how many more "
                "would be needed."
            )
        facts = f"{self.second} fixes {self.fixed} row(s) and breaks {self.broken} ({_shown_p(self.p_value)})"
        if self.rows_needed is None:
            needed = f"more than {MAX_ROWS_NEEDED:,}"
        else:
            needed = f"about {self.rows_needed - self.total:,} more"
        return (
            f"Not enough evidence: {facts}; {needed} rows like these would be needed to show it, if the difference is "
            "real."
        )


@dataclass(frozen=True, slots=True)
class Flip:
    """A row that the classifiers answer differently.

    Args:
        row: Its number in the test data, from 0.
        text: Its text.
        label: Its label.
        predicted: Each classifier's answer, by the name by which it was asked, in the order of the names.
    """

    row: int
    text: str
    label: str
    predicted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Which classifier to promote.

    Args:
        model_name: As it was asked.
        reason: Why, in a sentence or two.
    """

    model_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several classifiers on the same rows.

    Args:
        contenders: The classifiers in the order in which they were named.
        pairs: Each two of them, the earlier one first.
        flips: The rows that they answer differently, in their order.
        recommendation: Which to promote.
        majority: The baseline beside them.
        warnings: What makes the figures worth less.
        data_sha256: Digest of the rows, made like that of training rows.
    """

    contenders: tuple[Contender, ...]
    pairs: tuple[Pair, ...]
    flips: tuple[Flip, ...]
    recommendation: Recommendation
    majority: Majority
    warnings: tuple[DataWarning, ...]
    data_sha256: str


def check_compare_request(request: CompareRequest) -> CompareRequest:
    """Return ``request`` unchanged if its names can be compared; its rows are not looked at.

    Raises:
        InvalidName: A name breaks the grammar.
        InvalidParameter: There are too few names or too many, or one stands twice.
    """
    low, high = COMPARED_RANGE
    names = request.model_names
    if not low <= len(names) <= high:
        raise InvalidParameter(
            f"model_names has {len(names)} entries; a comparison takes {low} to {high}. The first is the one in use, "
            "the others are those that may take its place.",
            {"parameter": "model_names", "minimum": low, "maximum": high},
        )
    for name in names:
        read_reference(name)
        if names.count(name) > 1:
            raise InvalidParameter(
                f"model_names has {name} twice. Name each classifier once.",
                {"parameter": "model_names", "model_name": name},
            )
    return request


def recommend(contenders: tuple[Contender, ...], pairs: tuple[Pair, ...]) -> Recommendation:
    """Recommend the best of the classifiers that the rows show to beat the first one; the first one where none does.

    Looking at many rivals finds a lucky one sooner, so a rival's p is multiplied by their number (Bonferroni).

    Args:
        contenders: At least two, the one in use first.
        pairs: Each two of them, the earlier one first.
    """
    in_use, rivals = contenders[0], len(contenders) - 1
    against = {pair.second: pair for pair in pairs if pair.first == in_use.asked}
    # By the pairs, not by the outcomes: rows that one of them was trained on count in these only.
    ahead = [pair for pair in against.values() if pair.fixed > pair.broken]
    if not ahead:
        return Recommendation(in_use.asked, f"Keep {in_use.asked}: none of the others places more rows right.")
    leader = _furthest(ahead)
    shown = [pair for pair in ahead if pair.p_value * rivals < SIGNIFICANT_P]
    if not shown:
        facts = _facts(leader, rivals)
        return Recommendation(
            in_use.asked,
            f"Keep {in_use.asked}: {leader.second} places more rows right, but chance could do that too ({facts}).",
        )
    best = _furthest(shown)
    reason = f"Promote {best.second}: it beats {in_use.asked} ({_facts(best, rivals)})."
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
    return f"{pair.fixed} row(s) fixed, {pair.broken} broken, {p_value}{corrected}"


def _shown_p(p_value: float) -> str:
    # Three digits, so that what lies just below the border does not look like what lies just above.
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3g}"
