"""The few replies whose JSON is flatter or shorter than the value of the verb, in one place for server and client.

Predictions have three forms, one for each form of the request, and answers without a classifier two; common values are
given once. A list of
classifiers is short unless whole records are requested, and has a cursor only where it is a page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from windrow import __version__
from windrow.codec.values import from_json, to_json
from windrow.domain.classification import Classification, ClassifyRequest, LabelChoice
from windrow.domain.classifier import Classifier
from windrow.domain.comparison import Comparison
from windrow.domain.cross_validation import CrossValidation
from windrow.domain.dataset import DataWarning
from windrow.domain.interval import Interval
from windrow.domain.listing import Listing, ListRequest
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.prediction import Answer, Kind, Prediction, PredictRequest
from windrow.domain.report import Report
from windrow.domain.values import recast


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAnswer(Answer):
    """One classifier's answer for one text, among those of others."""

    kind: Kind = "single_label"
    model_name: str
    revision: int
    alias: str | None


@dataclass(frozen=True, slots=True)
class TextsReply:
    """One classifier's answers for many texts."""

    predictions: tuple[Answer, ...]
    """One for each text, in the order of the texts."""
    kind: Kind = field(default="single_label", kw_only=True)
    model_name: str
    revision: int
    alias: str | None


@dataclass(frozen=True, slots=True)
class ClassifiersReply:
    """Many classifiers' answers for one text."""

    predictions: tuple[NamedAnswer, ...]
    """One for each classifier, in the order of the names."""


@dataclass(frozen=True, slots=True)
class ClassifiedTexts:
    """What was chosen for many texts."""

    classifications: tuple[LabelChoice, ...]
    """One for each text, in the order of the texts."""
    model: str
    multi_label: bool
    warnings: tuple[DataWarning, ...]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A classifier in a list."""

    name: str
    labels: tuple[str, ...]
    base_model: str
    num_examples: int
    created_at: datetime
    kind: Kind
    revision: int
    description: str
    tags: tuple[str, ...]
    test_accuracy: float | None
    test_interval: Interval | None
    estimated_accuracy: float | None
    estimated_interval: Interval | None
    size_bytes: int
    last_used_at: datetime | None
    recent_predictions: int
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ModelList:
    """Every classifier."""

    models: tuple[ModelEntry, ...]


@dataclass(frozen=True, slots=True)
class ModelPage(ModelList):
    """A page of the list of classifiers."""

    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """The server answers."""

    status: Literal["ok"] = "ok"
    """The server answers."""
    version: str = __version__
    """Windrow's version."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was refused (RFC 9457); more members follow, such as ``row``, ``limit`` or ``near_names``."""

    type: str
    """A URI for the code."""
    title: str
    """The code in words."""
    status: int
    """The HTTP status."""
    code: str
    """Stable, for programs."""
    detail: str
    """What went wrong and what to do next."""
    request_id: str
    """Find this request in the server's log by it."""
    template: str = ""
    """The detail with places for the other members, where it names parameters or requests: for a client that tells it
    in other words.
    """


# Where the fields of these classes are described, unless they are above.
DESCRIBED_LIKE: Final[Mapping[type, type]] = {
    NamedAnswer: Prediction,
    TextsReply: Prediction,
    ClassifiedTexts: Classification,
    ModelEntry: Classifier,
    ModelList: Listing,
    ModelPage: Listing,
}
# The forms of a reply, where it has several; that with most members first, so that a reader finds the right one.
FORMS: Final[Mapping[str, tuple[type, ...]]] = {
    "predict": (Prediction, TextsReply, ClassifiersReply),
    "classify": (Classification, ClassifiedTexts),
    "list_classifiers": (Listing, ModelPage, ModelList),
    "evaluate": (Report, MultiLabelReport),
    "compare": (Comparison, MultiLabelComparison),
    "cross_validate": (CrossValidation, MultiLabelCrossValidation),
}


def write_reply(verb: str, request: Any, reply: object) -> bytes:
    """Return a verb's reply as the JSON that answers a request."""
    return _WRITERS[verb](request, reply) if verb in _WRITERS else to_json(reply)


def read_predictions(request: PredictRequest, content: bytes) -> tuple[Prediction, ...]:
    """Return the predictions of a reply to a request; fields that a newer server adds are left out.

    Raises:
        ValueError: It is no such reply.
    """
    if request.texts is not None:
        shared = from_json(TextsReply, content, extra="ignore")
        return tuple(recast(Prediction, one, shared) for one in shared.predictions)
    if request.model_names is not None:
        named = from_json(ClassifiersReply, content, extra="ignore")
        return tuple(recast(Prediction, one) for one in named.predictions)
    return (from_json(Prediction, content, extra="ignore"),)


def read_classifications(request: ClassifyRequest, content: bytes) -> tuple[Classification, ...]:
    """Return the answers of a reply to a request without a classifier; fields that a newer server adds are left out.

    Raises:
        ValueError: It is no such reply.
    """
    if request.texts is None:
        return (from_json(Classification, content, extra="ignore"),)
    shared = from_json(ClassifiedTexts, content, extra="ignore")
    return tuple(recast(Classification, one, shared) for one in shared.classifications)


def _write_classifications(request: ClassifyRequest, classifications: tuple[Classification, ...]) -> bytes:
    if request.texts is None:
        return to_json(classifications[0])
    choices = tuple(recast(LabelChoice, one) for one in classifications)
    return to_json(recast(ClassifiedTexts, classifications[0], classifications=choices))


def _write_predictions(request: PredictRequest, predictions: tuple[Prediction, ...]) -> bytes:
    if request.texts is not None:
        answers = tuple(recast(Answer, one) for one in predictions)
        return to_json(recast(TextsReply, predictions[0], predictions=answers))
    if request.model_names is not None:
        return to_json(ClassifiersReply(tuple(recast(NamedAnswer, one) for one in predictions)))
    return to_json(predictions[0])


def _write_listing(request: ListRequest, listing: Listing) -> bytes:
    if request.full:
        return to_json(listing)
    entries = tuple(recast(ModelEntry, one) for one in listing.models)
    return to_json(ModelList(entries) if request.is_whole_list else ModelPage(entries, listing.next_cursor))


_WRITERS: Final[Mapping[str, Callable[[Any, Any], bytes]]] = {
    "predict": _write_predictions,
    "classify": _write_classifications,
    "list_classifiers": _write_listing,
}
