"""Operations: every verb of the product, once. ``Service`` does them here, a client over HTTP.

Owns the reference text of each verb; knows nothing of how any of them is done.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from windrow.domain.classifier import FitRequest, Record
from windrow.domain.listing import Listing, Page
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest, always
from windrow.domain.vitals import Vitals

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

    def predict(self, request: PredictRequest, is_wanted: IsWanted = always) -> tuple[Prediction, ...]:
        """Classify texts: several by one classifier, or one by several classifiers. All of it is answered, or nothing.

        Args:
            request: Names, texts and how many scores to give.
            is_wanted: Asked, from any thread, before something is computed.

        Returns:
            An answer for each text, or for each name, in their order.

        Raises:
            InvalidInput: A name, a text, their number or ``top_k`` breaks a rule.
            ClassifierNotFound: No classifier has one of the names.
            ArtifactInvalid: A saved classifier is damaged.
            Overloaded: Too many requests wait already.
            Abandoned: ``is_wanted`` said no.
        """
        ...

    def list_classifiers(self, page: Page = Page()) -> Listing:
        """Return the newest record of every classifier that is not deleted, sorted by name, or a page of them.

        Args:
            page: Which part of the list; by default all of it.

        Raises:
            InvalidInput: The page breaks a rule.
        """
        ...

    def delete(self, model_name: str) -> None:
        """Delete a classifier, at once and for every server on the same data directory.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: No classifier has this name.
        """
        ...


class LocalOperations(Operations, Protocol):
    """Operations on this machine: what a server needs beside the verbs."""

    def start_predict(self, request: PredictRequest, is_wanted: IsWanted) -> "Future[tuple[Prediction, ...]]":
        """Begin :meth:`predict` and return its answer to come, whose callbacks run in another thread.

        Raises:
            WindrowError: What ``predict`` raises, here or from the future.
        """
        ...

    def starts_at_once(self, request: PredictRequest) -> bool:
        """Whether :meth:`start_predict` is a matter of microseconds, so that an event loop may call it."""
        ...

    def vitals(self) -> Vitals:
        """Return what goes on."""
        ...
