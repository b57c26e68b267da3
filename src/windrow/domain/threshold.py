"""A classifier's threshold: the score below which it gives no label, who changed it, and what measurements propose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal

from windrow.domain.alias import ChangeNote, KeptNote, check_note
from windrow.domain.dataset import DataWarning
from windrow.domain.names import ImmutableReference
from windrow.domain.prediction import check_share
from windrow.domain.values import Schema, Value, computed

# Of older ones nothing is left, so that no record grows without end.
MAX_THRESHOLD_CHANGES: Final = 100
# From which score a label is given where nothing else was chosen.
DEFAULT_LABEL_THRESHOLD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Threshold(Value):
    """The score below which a classifier gives no label."""

    abstain_below: float
    """The lowest best score that is answered with a label, from 0 to 1."""
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
    """The threshold that it had; ``None`` where it always gave a label."""
    after: Threshold | None
    """The threshold that it has since; ``None`` where it always gives a label."""


@dataclass(frozen=True, slots=True)
class ProposedThreshold(Value):
    """A threshold that test rows speak for; nothing is changed by it."""

    abstain_below: float
    """The lowest best score that is answered with a label: halfway between the lowest test row that is answered and the
    next one; 0 where all are.
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
    """A classifier, and the score below which it is to give no label."""

    model_name: ImmutableReference
    """The classifier's name; or its revision that answers (name@3), and then nothing changes if another one answers by
    now.
    """
    abstain_below: Annotated[float | None, Schema(minimum=0, maximum=1)]
    """The lowest best score that is answered with a label, from 0 to 1; ``None`` clears the threshold: there always is
    a label.
    """


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
    """The score below which it gives no label from now on; ``None`` where it always gives one."""
    before: Threshold | None
    """The same before the change."""
    aliases: tuple[str, ...]
    """The aliases that point to it, sorted: they answer with this threshold from now on."""
    warnings: tuple[DataWarning, ...]
    """Whose answers change."""


def check_set_threshold_request(request: SetThresholdRequest) -> None:
    """Refuse a request that breaks a rule for which nothing that exists need be looked at.

    Raises:
        InvalidParameter: The score lies outside its range, or the reason or the author is too long or no valid Unicode.
    """
    check_share("abstain_below", request.abstain_below, 0)
    check_note(request)


def affected_aliases(aliases: tuple[str, ...], threshold: Threshold | None) -> tuple[DataWarning, ...]:
    """Return a warning about the aliases whose answers a change of a threshold changes; none where there are none."""
    if not aliases:
        return ()
    what = (
        "gives a label for every text"
        if threshold is None
        else f"gives no label where the best score is below {threshold.abstain_below:.3g}"
    )
    message = f"Whoever asks by an alias gets other answers from now on: by {', '.join(aliases)} it {what}."
    return (DataWarning("aliases_affected", message),)
