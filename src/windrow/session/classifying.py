"""Classifies one text or a column of any length without a classifier."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypedDict

from windrow.domain.batches import renumbered
from windrow.domain.classification import Classification, Classifications, ClassifyRequest
from windrow.domain.errors import InvalidParameter, InvalidTestData, InvalidText, LimitExceeded
from windrow.operations import Operations
from windrow.session.arguments import check_known, request_of
from windrow.session.columns import read_texts
from windrow.session.predicting import shows_options_of, text_batches
from windrow.session.reply_warnings import warn_of


class ClassifyOptions(TypedDict, total=False):
    """How to answer: fields of ``ClassifyRequest``, for type checkers."""

    multi_label: bool
    hypothesis_template: str
    model: str | None
    label_descriptions: Mapping[str, str] | None


shows_classify_options = shows_options_of(ClassifyRequest, ClassifyOptions)


def classify_request_of(labels: Iterable[str], options: ClassifyOptions) -> ClassifyRequest:
    """Return a request, to which texts are to be added.

    Args:
        labels: The labels to choose from.
        options: How to answer.

    Raises:
        TypeError: An option is unknown.
        InvalidInput: A value is of the wrong type.
    """
    check_known("classify", options, ClassifyOptions.__annotations__)
    try:
        return request_of(ClassifyRequest, {"labels": labels, **options})
    except InvalidTestData as error:  # as which any other column than that of texts is refused
        raise InvalidParameter(error.template, error.facts) from None


def classify_column(
    operations: Operations, request: ClassifyRequest, texts: Iterable[Any], batch_size: int
) -> Classifications:
    """Return the answers for a column of texts; what they warn of is shown once.

    Args:
        operations: Whom to ask.
        request: The request, without texts.
        texts: The texts.
        batch_size: The most texts in one request.

    Raises:
        InvalidInput: A text is none, or breaks a rule; ``facts["index"]`` counts all texts from 0.
    """
    found: list[Classification] = []
    for batch in text_batches(texts, batch_size):
        own = batch_request(request, batch, len(found))
        try:
            found += operations.classify(own)
        except (InvalidText, LimitExceeded) as error:
            raise renumbered(error, len(found)) from None
    return warned(found)


def batch_request(request: ClassifyRequest, batch: list[Any], first: int) -> ClassifyRequest:
    """Return the request for a batch of texts.

    Args:
        request: The request, without texts.
        batch: The texts.
        first: The number of the first one among all, from 0.

    Raises:
        InvalidText: A text is none.
    """
    return replace(request, texts=tuple(read_texts(batch, first)))


def warned(found: list[Classification]) -> Classifications:
    """Return answers as one list, and show what the first one warns of, as the others do."""
    for each in found[:1]:
        warn_of(each)
    return Classifications(found)
