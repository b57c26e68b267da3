"""The JSON shapes of a training done again.

Owns their fields; knows nothing of HTTP or of how two classifiers are compared.
"""

from dataclasses import asdict
from typing import Self

from pydantic import Field

from windrow.domain.reproduction import EnvironmentChange, Reproduction, Verdict
from windrow.wire.shapes import Name, Wire


class ChangedEntry(Wire):
    """Something that decides how a training rounds, and is not what it was."""

    name: str = Field(description="What it is: a library, the processor.", examples=["torch"])
    then: str | None = Field(description="What the record says; null where it says nothing.", examples=["2.12.0"])
    now: str | None = Field(description="What it is now; null where it is no longer recorded.", examples=["2.13.0"])


class ReproduceReply(Wire):
    """What came of training a revision again. The new classifier was compared and thrown away."""

    model_name: Name
    revision: int = Field(description="The revision that was trained again.", examples=[1])
    verdict: Verdict = Field(
        description="identical weights: every number is equal. identical predictions: every training text gets the "
        "same label and, within 0.00001, the same scores. different: anything else.",
        examples=["identical weights"],
    )
    largest_weight_difference: float | None = Field(
        description="Between two numbers of the heads, or of what the adapters add to the encoder; null where they "
        "cannot be compared.",
        examples=[0.0],
    )
    largest_score_difference: float = Field(
        description="Between the two scores of a label for a training text, from 0 to 1.", examples=[0.0]
    )
    num_changed_labels: int = Field(description="Training texts that get another label.", examples=[0])
    num_texts: int = Field(description="Distinct training texts that were compared.", examples=[6])
    changes: list[ChangedEntry] = Field(description="What is different in the environment.")
    notes: list[str] = Field(description="Sentences to read beside the verdict.", examples=[[]])
    training_time_seconds: float = Field(description="Wall time of the new training, in seconds.", examples=[0.409])

    @classmethod
    def of(cls, reproduction: Reproduction) -> Self:
        """Show a reproduction."""
        return cls(
            model_name=reproduction.model_name,
            revision=reproduction.revision,
            verdict=reproduction.verdict,
            largest_weight_difference=reproduction.largest_weight_difference,
            largest_score_difference=reproduction.largest_score_difference,
            num_changed_labels=reproduction.num_changed_labels,
            num_texts=reproduction.num_texts,
            changes=[ChangedEntry(**asdict(change)) for change in reproduction.changes],
            notes=list(reproduction.notes),
            training_time_seconds=reproduction.training_time_s,
        )

    def to_domain(self) -> Reproduction:
        """Return the reproduction that was shown."""
        return Reproduction(
            self.model_name,
            self.revision,
            self.verdict,
            self.largest_weight_difference,
            self.largest_score_difference,
            self.num_changed_labels,
            self.num_texts,
            tuple(EnvironmentChange(change.name, change.then, change.now) for change in self.changes),
            tuple(self.notes),
            self.training_time_seconds,
        )
