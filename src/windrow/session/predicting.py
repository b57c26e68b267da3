"""Predicts one text, a column of any length, or an endless stream."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypedDict, TypeVar

from windrow.domain.batches import in_batches, renumbered
from windrow.domain.errors import InvalidParameter, InvalidText, LimitExceeded
from windrow.domain.prediction import Prediction, Predictions, PredictRequest
from windrow.operations import Operations
from windrow.session.arguments import check_known, read_int, request_of
from windrow.session.columns import read_texts

F = TypeVar("F", bound=Callable[..., Any])
# As many as a server takes unless its settings say otherwise (WINDROW_MAX_TEXTS).
BATCH_TEXTS = 1_000
# As JSON, also where each character takes twelve bytes, so much stays below what a server takes as one body.
BATCH_CHARS = 2_000_000


class PredictOptions(TypedDict, total=False):
    """How to answer: fields of ``PredictRequest``, for type checkers."""

    top_k: int | None
    abstain_below: float | None
    min_in_scope: float | None


def shows_options_of(request: Callable[..., Any], kind: type) -> Callable[[F], F]:
    """Return a decorator that lets ``help`` show each option of a method in place of ``**options``.

    Args:
        request: The class of the request, which has the defaults.
        kind: The ``TypedDict`` of the options, which has the types.
    """

    def shown(method: F) -> F:
        found = inspect.signature(method)
        own = [each for each in found.parameters.values() if each.kind is not each.VAR_KEYWORD]
        fields = inspect.signature(request).parameters
        options = [
            fields[name].replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hint)
            for name, hint in kind.__annotations__.items()
        ]
        method.__signature__ = found.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
        return method

    return shown


shows_options = shows_options_of(PredictRequest, PredictOptions)


def predict_request_of(verb: str, options: PredictOptions, **fields: object) -> PredictRequest:
    """Return a request, to which texts may be added.

    Args:
        verb: The verb that was given the options.
        options: How to answer.
        **fields: Further fields of the request.

    Raises:
        TypeError: An option is unknown.
        InvalidInput: A value is of the wrong type.
    """
    check_known(verb, options, PredictOptions.__annotations__)
    return request_of(PredictRequest, {**fields, **options})


def predict_column(
    operations: Operations, request: PredictRequest, texts: Iterable[Any], batch_size: int
) -> Iterator[Prediction] | Predictions:
    """Return the predictions for texts: lazily for an iterator, as a list for a column.

    Args:
        operations: Whom to ask.
        request: The request, without texts.
        texts: The texts.
        batch_size: The most texts in one request.

    Raises:
        InvalidInput: A text is none, or breaks a rule; ``facts["index"]`` counts all texts from 0.
    """
    batches = text_batches(texts, batch_size)
    if isinstance(texts, Iterator):
        return _predictions(operations, request, batches)
    return Predictions(_predictions(operations, request, batches))


def text_batches(texts: Iterable[Any], batch_size: int) -> Iterator[list[Any]]:
    """Return texts in batches, each of which is a request; an iterator's are not looked at yet.

    Raises:
        InvalidInput: There is no batch of that size; or the texts are no column of strings.
    """
    if (size := read_int("batch_size", batch_size)) < 1:
        raise InvalidParameter(
            "{arg:batch_size} is {value}; it must be at least {minimum}. {Send} such a number, or leave it out.",
            {"parameter": "batch_size", "value": size, "minimum": 1},
        )
    return in_batches(texts if isinstance(texts, Iterator) else read_texts(texts), size, BATCH_CHARS)


def read_text(text: object) -> str:
    """Return a single text.

    Raises:
        InvalidText: It is no string.
    """
    if not isinstance(text, str):
        facts = {"index": 0, "given_type": type(text).__name__}
        raise InvalidText("{arg:text} is of type {given_type}, not a string. {Send} one string.", facts)
    return str(text)


def _predictions(operations: Operations, request: PredictRequest, batches: Iterable[list[Any]]) -> Iterator[Prediction]:
    first = 0
    for batch in batches:
        texts = read_texts(batch, first)
        try:
            yield from operations.predict(replace(request, texts=tuple(texts)))
        except (InvalidText, LimitExceeded) as error:
            raise renumbered(error, first) from None
        first += len(texts)
