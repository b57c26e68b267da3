"""A reproduction: how a classifier trained again compares with the stored one, and what changed in the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from windrow.domain.values import Value

# Identical weights: every tensor is equal bit by bit, so every answer is too.
# Identical predictions: the weights differ, but every compared text gets the same label, and no label's score for any
# of them differs by more than SCORE_TOLERANCE.
# Different: anything else.
Verdict = Literal["identical weights", "identical predictions", "different"]

# Serving one and the same classifier, a text's score was measured to vary by up to 1.3e-6 with what else is in its
# batch (float32 rounds at 6e-8, and it adds up), so a line much finer than this would not tell classifiers apart.
# Source: docs/explanation/training.md, "Train again".
SCORE_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class EnvironmentChange(Value):
    """Something that decides how a training rounds, and is not what it was."""

    name: str
    """What it is, as in ``Record.versions`` (``torch``, ``cpu``)."""
    then: str | None
    """What the record says; ``None`` where it says nothing."""
    now: str | None
    """What it is now; ``None`` where it is no longer recorded."""


@dataclass(frozen=True, slots=True)
class Reproduction(Value):
    """The result of training a revision again. The new classifier was compared and discarded."""

    model_name: str
    """The classifier's name."""
    revision: int
    """The revision that was trained again."""
    verdict: Verdict
    """How alike the two are."""
    largest_weight_difference: float | None
    """Between two numbers of the heads, or of what the adapters add to a map of the encoder (both factors multiplied:
    the sign of each alone is left to chance); ``None`` where the adapters change other maps, or only one of the two has
    an adapter.
    """
    largest_score_difference: float
    """Between the two scores, in [0, 1], of a label for a compared text."""
    num_changed_labels: int
    """Compared texts that get another label."""
    num_texts: int
    """Distinct training texts that were compared."""
    changes: tuple[EnvironmentChange, ...]
    """What is different in the environment."""
    notes: tuple[str, ...]
    """Sentences that a person should read beside the verdict."""
    training_time_seconds: float
    """Wall seconds that the new training took."""


def judge(has_same_weights: bool, num_changed_labels: int, largest_score_difference: float) -> Verdict:
    """Return the verdict on two classifiers.

    Args:
        has_same_weights: Whether every tensor is equal bit by bit.
        num_changed_labels: Compared texts that get another label.
        largest_score_difference: Between two scores of a compared text; what is no number makes them different.
    """
    if has_same_weights:
        return "identical weights"
    if num_changed_labels == 0 and largest_score_difference <= SCORE_TOLERANCE:
        return "identical predictions"
    return "different"


def find_changes(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[EnvironmentChange, ...]:
    """Return what differs between two environments, in the order of ``then``, and what is new behind it.

    Args:
        then: ``Record.versions`` of the first training.
        now: Those of the new one.
    """
    pairs = ((name, then.get(name), now.get(name)) for name in {**then, **now})
    return tuple(EnvironmentChange(name, before, after) for name, before, after in pairs if before != after)
