"""A comparison of multi-label classifiers on the same rows: by whole sets of labels, by F1, and label by label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from windrow.domain.comparison import Pair, Recommendation, recommend
from windrow.domain.dataset import DataWarning
from windrow.domain.figures import listed
from windrow.domain.interval import Interval
from windrow.domain.multi_label_report import MultiLabelBaseline, MultiLabelMetrics
from windrow.domain.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelResult(MultiLabelMetrics):
    """One of the multi-label classifiers that are compared, and how it did."""

    _summary = "reference correct total accuracy micro_f1 macro_f1"
    _named_by = "reference"

    reference: str
    """The reference by which the request names it, which the other parts of the comparison use."""
    model_name: str
    """The classifier that answered, by its own name."""
    revision: int
    """Its revision that answered."""


@dataclass(frozen=True, slots=True)
class LabelDifference(Value):
    """What two classifiers decide about one label, on rows about which they do not agree."""

    label: str
    """The label."""
    fixed: int
    """Rows for which only the second decided rightly whether they have the label."""
    broken: int
    """Rows for which only the first did."""
    first_f1: float | None
    """F1 of the first on this label; ``None`` where no row has or was given it."""
    second_f1: float | None
    """F1 of the second, likewise."""
    p_value: float
    """Of the exact McNemar test of these rows, two-sided, as if no other label had been looked at."""
    adjusted_p_value: float
    """The same, corrected for all the labels that the two do not agree about (Holm), at most 1."""
    better: str | None
    """The better one's reference; ``None`` where ``adjusted_p_value`` does not show a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelPair(Pair):
    """Two multi-label classifiers on the same rows. Made by ``learning.multi_label_compare``.

    A row is classified correctly where it is given its whole set of labels; ``better`` is by these rows, and ``None``
    also where F1 shows the opposite.
    """

    micro_f1_difference: float
    """F1 over all decisions, of the second less that of the first."""
    micro_f1_interval: Interval
    """Bootstrap interval of 95 % of that difference, by rows drawn anew for both at the same time."""
    labels: tuple[LabelDifference, ...]
    """The labels that they do not agree about, the one with the clearest difference first."""

    @property
    def better_by_f1(self) -> str | None:
        """The one with the better F1 over all decisions; ``None`` where the rows do not show a difference."""
        if self.micro_f1_interval.low > 0:
            return self.second
        return self.first if self.micro_f1_interval.high < 0 else None

    @property
    def f1_facts(self) -> str:
        """The difference of F1 with its interval, for a sentence."""
        interval = self.micro_f1_interval
        return f"{self.micro_f1_difference:+.3f} (95 % interval {interval.low:+.3f} to {interval.high:+.3f})"

    def find_better(self) -> str | None:
        """Return the better one (``better``)."""
        by_sets = Pair.find_better(self)
        return None if self.better_by_f1 not in (None, by_sets) else by_sets

    def conclude(self) -> str:
        """Return what may be concluded (``verdict``)."""
        by_sets, by_f1 = Pair.find_better(self), self.better_by_f1
        if by_sets is not None and by_f1 not in (None, by_sets):
            words = [f"No verdict: {by_sets} is better by whole sets ({self.fixed} fixed, {self.broken} broken)."]
        else:
            words = [f"By whole sets: {Pair.conclude(self)}"]
        shown = "no difference is shown" if by_f1 is None else f"{by_f1} is better"
        words.append(f"By F1 over all decisions, {shown}: {self.f1_facts}.")
        for name in (self.second, self.first):
            if own := [each.label for each in self.labels if each.better == name]:
                words.append(f"{name} is shown better at {listed(map(repr, own))}.")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class MultiLabelDisagreement(Value):
    """A row to which the classifiers give different sets of labels."""

    row: int
    """Its number in the test data, from 0."""
    text: str
    """Its text."""
    labels: tuple[str, ...]
    """Its labels, sorted."""
    predicted: Mapping[str, tuple[str, ...]]
    """Each classifier's labels, sorted, by its reference, in the order of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelComparison(Value):
    """Several multi-label classifiers on the same rows."""

    _summary = "models recommendation warnings"

    kind: Literal["multi_label"] = "multi_label"
    """That they give any number of labels."""
    models: tuple[MultiLabelResult, ...]
    """The classifiers in the order in which they were named."""
    pairs: tuple[MultiLabelPair, ...]
    """Each pair of them, the earlier one first."""
    disagreements: tuple[MultiLabelDisagreement, ...]
    """The rows to which they give different sets of labels, in their order."""
    recommendation: Recommendation
    """Which to promote."""
    majority_baseline: MultiLabelBaseline
    """The baseline beside them."""
    warnings: tuple[DataWarning, ...]
    """What makes the figures worth less."""
    test_data_sha256: str
    """SHA-256 of the rows, made like that of training rows."""


def recommend_multi_label(references: Sequence[str], pairs: Sequence[MultiLabelPair]) -> Recommendation:
    """Recommend as ``recommend`` does, by whole sets; none whose F1 is shown to be worse than that of the first one.

    Where F1 alone shows one to be better than what is recommended, the reason says so.

    Args:
        references: At least two, the one in use first.
        pairs: Each pair of them, the earlier one first.
    """
    in_use = references[0]
    rivals = {pair.second: pair for pair in pairs if pair.first == in_use}
    worse = [name for name, pair in rivals.items() if pair.better_by_f1 == in_use]
    if len(worse) == len(rivals):
        return Recommendation(in_use, f"Keep {in_use}: F1 over all decisions shows {_all_others(worse)} to be worse.")
    # All references count as rivals, since all of them were looked at.
    chosen = recommend(references, [pair for pair in pairs if pair.second not in worse])
    if worse:
        chosen = replace(chosen, reason=f"{chosen.reason} Left out: {', '.join(worse)}, shown to have a worse F1.")
    ahead = [pair for pair in rivals.values() if pair.better_by_f1 == pair.second]
    if chosen.model_name != in_use or not ahead:
        return chosen
    best = max(ahead, key=lambda pair: pair.micro_f1_difference)
    return replace(
        chosen,
        reason=f"{chosen.reason} F1 over all decisions is better with {best.second}, by {best.f1_facts}: promote it if "
        "single labels matter more to you than whole sets.",
    )


def _all_others(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else "each of the others"
