"""LocalOperations: the verbs on this machine, and what a server needs beside them."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.classifier import FitRequest, FitResult
from windrow.domain.decision import DecideRequest, Decisions
from windrow.domain.job import Job, OnProgress, ignore_progress
from windrow.domain.prediction import IsConnected, Predicted, PredictRequest
from windrow.domain.server_stats import ServerStats
from windrow.operations import Operations


class BegunOperations(Protocol):
    """Verbs that begin in the calling thread and end in another one, so that none waits for them."""

    def begin_fit(
        self, request: FitRequest, on_progress: OnProgress = ignore_progress
    ) -> "tuple[Job, Future[FitResult]]":
        """Begin :meth:`fit` and return its job and a future of its result, whose callbacks run in another thread.

        Raises:
            WindrowError: What :meth:`start_fit` raises; from the future, what ``fit`` raises.
        """
        ...

    def start_predict(self, request: PredictRequest, is_connected: IsConnected) -> "Future[Predicted]":
        """Begin :meth:`predict` and return a future of its predictions, whose callbacks run in another thread.

        Raises:
            WindrowError: What ``predict`` raises, here or from the future.
        """
        ...

    def start_predict_in_memory(self, request: PredictRequest, is_connected: IsConnected) -> "Future[Predicted] | None":
        """Do :meth:`start_predict` if the disk is not needed for it; with one text, that is a matter of microseconds.

        Returns:
            ``None`` where the disk is needed, so that a thread which may wait for it must call ``start_predict``.

        Raises:
            WindrowError: What ``predict`` raises, here or from the future.
        """
        ...

    def start_classify(
        self, request: ClassifyRequest, is_connected: IsConnected
    ) -> "Future[Callable[[], tuple[Classification, ...]]]":
        """Begin :meth:`classify` and return a future of what computes its answers, once the texts are encoded.

        The future's callbacks run in a thread of the encoder, and are no place to compute the answers of many texts.

        Raises:
            WindrowError: What ``classify`` raises, here, from the future or from what it holds.
        """
        ...

    def start_classify_in_memory(
        self, request: ClassifyRequest, is_connected: IsConnected
    ) -> "Future[Callable[[], tuple[Classification, ...]]] | None":
        """Do :meth:`start_classify` if the disk is not needed for it.

        Returns:
            ``None`` where the disk is needed, so that a thread which may wait for it must call ``start_classify``.

        Raises:
            WindrowError: What ``classify`` raises, here, from the future or from what it holds.
        """
        ...


class QuestionOperations(Protocol):
    """Answers to questions, which other servers' formats alone ask for."""

    def start_decide(self, request: DecideRequest, is_connected: IsConnected) -> "Future[Callable[[], Decisions]]":
        """Begin to answer questions about a text; the future holds what computes the answers, once all is encoded.

        The future's callbacks run in a thread of the encoder, and are no place to compute the answers of many
        questions.

        Raises:
            InvalidText: The text is empty, blank or no valid Unicode.
            InvalidParameter: A question breaks a rule, or offers options for which its classifier has no label.
            LimitExceeded: The text is too long, or there are too many questions, options or characters.
            NotFound: The name of the request means no classifier.
            WindrowError: What ``predict`` and ``classify`` raise besides, here, from the future or from what it holds.
        """
        ...

    def start_decide_in_memory(
        self, request: DecideRequest, is_connected: IsConnected
    ) -> "Future[Callable[[], Decisions]] | None":
        """Do :meth:`start_decide` if the disk is not needed for it.

        Returns:
            ``None`` where the disk is needed, so that a thread which may wait for it must call ``start_decide``.

        Raises:
            WindrowError: What :meth:`start_decide` raises.
        """
        ...


class LocalOperations(Operations, BegunOperations, QuestionOperations, Protocol):
    """Operations on this machine: what a server needs beside the verbs."""

    def check_ready(self) -> None:
        """Check, without asking the disk, that the data directory was there when it was last looked at.

        Raises:
            DataDirectoryUnavailable: It was not, or it does not answer.
        """
        ...

    def server_stats(self) -> ServerStats:
        """Return the present statistics."""
        ...
