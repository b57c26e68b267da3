"""What a classifier answers. Owns the value alone; knows nothing of how it was computed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer for one text.

    Args:
        label: The label with the highest score.
        scores: Each label's score in [0, 1], in the order of the classifier's labels; they sum to 1.
        model_name: The classifier that answered.
        truncated: Whether the text was longer than the encoder reads, so that its end was left out.
    """

    label: str
    scores: Mapping[str, float]
    model_name: str
    truncated: bool
