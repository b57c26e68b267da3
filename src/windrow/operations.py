"""Operations: every verb of the product, once. ``Service`` does them here, a client over HTTP.

Owns the reference text of each verb; knows nothing of how any of them is done.
"""

from collections.abc import Callable
from typing import Protocol

from windrow.domain.classifier import FitRequest, Record
from windrow.domain.prediction import Prediction

OnStep = Callable[[int, int, float], None]


class Operations(Protocol):
    """What Windrow can do."""

    def fit(self, request: FitRequest, on_step: OnStep = ...) -> Record:
        """Train a classifier, save it, and return its record once it answers.

        Until the new revision is whole on disk, an existing classifier of that name goes on answering.

        Args:
            request: Name, rows and recipe.
            on_step: Called with step, number of steps and loss as contrastive training goes on.

        Raises:
            InvalidInput: A rule or limit is broken (name, rows, parameters, base model).
            NameTaken: Another classifier's name differs only in case.
            BaseModelUnavailable: The base model is not on this machine and cannot be downloaded.
            TrainingFailed: The training process failed; an earlier revision still answers.
            StorageFull: The disk is full; an earlier revision still answers.
            StorageFailed: The data directory cannot be written.
        """
        ...

    def predict(self, model_name: str, text: str) -> Prediction:
        """Classify one text.

        Raises:
            InvalidInput: The name or the text breaks a rule.
            ClassifierNotFound: No classifier has this name.
            ArtifactInvalid: The saved classifier is damaged.
        """
        ...

    def list_classifiers(self) -> tuple[Record, ...]:
        """Return the newest record of every classifier that is not deleted, sorted by name."""
        ...

    def delete(self, model_name: str) -> None:
        """Delete a classifier, at once and for every server on the same data directory.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: No classifier has this name.
        """
        ...
