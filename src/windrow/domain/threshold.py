"""A classifier's threshold: from which score it gives a label, who changed it, and what measurements propose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal

from windrow.domain.alias import ChangeNote, KeptNote, check_note
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter
from windrow.domain.names import ImmutableReference
from windrow.domain.prediction import Kind, check_share
from windrow.domain.values import Schema, Value, computed

# Of older ones nothing is left, so that no record grows without end.
MAX_THRESHOLD_CHANGES: Final = 100
# From which score a label is given where nothing else was chosen.
DEFAULT_LABEL_THRESHOLD: Final = 0.5
# Of a classifier's labels, so many are named where one that it has not was.
_NAMED_LABELS: Final = 20


@dataclass(frozen=True, slots=True)
class Threshold(Value):
    """The score below which a classifier gives no label, and those from which it gives each label."""

    abstain_below: float
    """The lowest best score that is answered with a label, from 0 to 1; 0 where there always is one. A multi-label
    classifier gives no label whose score is below it.
    """
    label_thresholds: Mapping[str, float] = field(default_factory=dict)
    """Of a multi-label classifier, the score from which each of these labels is given, in place of what its training
    chose.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdChange(KeptNote, Value):
    """One change of a classifier's threshold."""

    at: datetime
    """When, UTC."""
    before: Threshold | None
    """The threshold that it had; ``None`` for that of its training: it always gave a label, or each label from its own
    threshold on.
    """
    after: Threshold | None
    """The threshold that it has since; ``None`` likewise."""


@dataclass(frozen=True, slots=True)
class ProposedThreshold(Value):
    """A threshold that test rows speak for; nothing is changed by it."""

    abstain_below: float
    """The lowest best score that is answered with a label: about halfway between the lowest test row that is
    answered and the next one; 0 where all are.
    """
    target_precision: float
    """The requested precision, from 0.5 to 1."""
    correct: int
    """Test rows that are answered, and rightly."""
    answered: int
    """Test rows whose best score reaches it, at least 1."""
    total: int
    """Test rows in all."""
    precision: float = computed(lambda self: self.correct / max(1, self.answered), 0.0)
    """Share of right answers on the test rows that are answered."""
    coverage: float = computed(lambda self: self.answered / max(1, self.total), 0.0)
    """Share of the test rows that are answered."""


@dataclass(frozen=True, slots=True)
class SetThresholdRequest(ChangeNote):
    """A classifier, and its whole threshold from now on: what is left out of it returns to what the training chose."""

    model_name: ImmutableReference
    """The classifier's name; or its revision that answers (name@3), and then nothing changes if another one answers by
    now.
    """
    abstain_below: Annotated[float | None, Schema(minimum=0, maximum=1)]
    """The lowest best score that is answered with a label, from 0 to 1; ``None`` clears it: there always is a label.
    A multi-label classifier then gives no label whose score is below it.
    """
    label_thresholds: Annotated[
        Mapping[str, float] | None,
        Schema(additionalProperties={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
    ] = field(default=None, kw_only=True)
    """Of a multi-label classifier, the score from which each of these labels is given, more than 0 and less than 1;
    other labels keep the threshold that the training chose. ``None`` returns to that for all labels.
    """

    @property
    def threshold(self) -> Threshold | None:
        """What it asks for; ``None`` for the threshold of the training."""
        if self.abstain_below is None and not self.label_thresholds:
            return None
        return Threshold(self.abstain_below or 0.0, dict(self.label_thresholds or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdUpdate(Value):
    """What became of a classifier's threshold."""

    model_name: str
    """The classifier."""
    revision: int
    """Its revision that answers, to which the threshold belongs."""
    status: Literal["set", "cleared", "unchanged"]
    """``unchanged`` where it had this threshold already; then no change is noted."""
    threshold: Threshold | None
    """Its threshold from now on; ``None`` for that of its training: it always gives a label, or each label from its own
    threshold on.
    """
    before: Threshold | None
    """The same before the change."""
    label_thresholds: Mapping[str, float] = field(default_factory=dict)
    """Of a multi-label classifier, the score from which each label is given from now on; otherwise empty."""
    aliases: tuple[str, ...]
    """The aliases that point to it, sorted: they answer with this threshold from now on."""
    warnings: tuple[DataWarning, ...]
    """Whose answers change, and what else it cleared."""


def check_set_threshold_request(request: SetThresholdRequest) -> None:
    """Refuse a request that breaks a rule for which nothing that exists need be looked at.

    Raises:
        InvalidParameter: A score lies outside its range, or the reason or the author is too long or no valid Unicode.
    """
    check_share("abstain_below", request.abstain_below, 0)
    for label, threshold in (request.label_thresholds or {}).items():
        # Not the other way round: a NaN is no threshold either.
        if not 0 < threshold < 1:
            raise InvalidParameter(
                "{arg:label_thresholds} has {value} for {label!r}; it must be more than 0 and less than 1. {Send} such "
                "a score, or leave the label out.",
                {"parameter": "label_thresholds", "label": label, "value": threshold},
            )
    check_note(request)


def check_label_thresholds(threshold: Threshold | None, kind: Kind, labels: Sequence[str]) -> None:
    """Refuse thresholds of labels that a classifier does not have, or has no thresholds for.

    Args:
        threshold: The threshold that it is to have.
        kind: The classifier's kind.
        labels: Its labels.

    Raises:
        InvalidParameter: It gives a single label, or has no such label.
    """
    if threshold is None or not threshold.label_thresholds:
        return
    if kind == "single_label":
        raise InvalidParameter(
            "{arg:label_thresholds} goes with a multi-label classifier, and this one gives a single label. Leave it "
            "out; {arg:abstain_below} is the score below which it gives none.",
            {"parameter": "label_thresholds"},
        )
    for label in threshold.label_thresholds:
        if label not in labels:
            more = f" and {len(labels) - _NAMED_LABELS:,} more" if len(labels) > _NAMED_LABELS else ""
            raise InvalidParameter(
                "{arg:label_thresholds} names {label!r}, which is none of the classifier's labels. {Send} labels that "
                f"it has: {{labels:quoted}}{more}.",
                {"parameter": "label_thresholds", "label": label, "labels": list(labels[:_NAMED_LABELS])},
            )


def cleared_parts(before: Threshold | None, after: Threshold | None) -> tuple[DataWarning, ...]:
    """Return a warning about what a change of one part of a threshold has cleared of the other one."""
    if before is None or after is None:
        return ()
    parts = []
    if before.abstain_below and not after.abstain_below:
        parts.append(f"the score of {before.abstain_below:.3g} below which it gave no label")
    if gone := [label for label in before.label_thresholds if label not in after.label_thresholds]:
        parts.append(f"the thresholds of {', '.join(map(repr, gone))}, which are those of its training again")
    if not parts:
        return ()
    message = f"A threshold is set as a whole, so this cleared {', and '.join(parts)}."
    return (DataWarning("threshold_parts_cleared", message),)


def affected_aliases(aliases: tuple[str, ...], threshold: Threshold | None, kind: Kind) -> tuple[DataWarning, ...]:
    """Return a warning about the aliases whose answers a change of a threshold changes; none where there are none."""
    if not aliases:
        return ()
    what = "gives a label for every text" if kind == "single_label" else "gives each label as its training chose"
    if threshold is not None:
        labels = ", ".join(f"{label!r} from {score:.3g} on" for label, score in threshold.label_thresholds.items())
        least = f"no label where the best score is below {threshold.abstain_below:.3g}"
        shown = (labels, least if threshold.abstain_below or not labels else "")
        what = f"gives {', and '.join(filter(None, shown))}"
    message = f"Whoever asks by an alias gets other answers from now on: by {', '.join(aliases)} it {what}."
    return (DataWarning("aliases_affected", message),)
