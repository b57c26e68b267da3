"""Predicting from a notebook: one text, a column of any length, or a stream that never ends.

Owns how many texts go into a request and how a text is numbered over all of them; knows nothing of how it is answered.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Unpack, overload

from windrow.domain.errors import InvalidParameter, InvalidText, LimitExceeded
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.suggestion import DEFAULT_SUGGESTIONS, Suggestions, SuggestRequest
from windrow.session.columns import in_batches, read_name, read_names, read_texts
from windrow.session.options import PredictOptions, predict_request, whole
from windrow.session.parts import Parts

# As many as a server takes unless its settings say otherwise (WINDROW_MAX_TEXTS).
BATCH_TEXTS = 1_000
# As JSON, also where each character takes twelve bytes, so much stays below what a server takes as one body.
BATCH_CHARS = 2_000_000


class Predicting(Parts):
    """The verbs that answer."""

    __slots__ = ()

    # The house wants a docstring everywhere, and editors show that of the form that is used.
    @overload
    def predict(  # noqa: D418
        self, model_name: str, texts: str, batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> Prediction:
        """Classify one text."""

    @overload
    def predict(  # type: ignore[overload-overlap]  # noqa: D418 - an iterator is answered as one
        self, model_name: str, texts: Iterator[Any], batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> Iterator[Prediction]:
        """Classify texts as they come."""

    @overload
    def predict(  # noqa: D418
        self, model_name: str, texts: Iterable[Any], batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> list[Prediction]:
        """Classify a column of texts."""

    def predict(
        self,
        model_name: str,
        texts: str | Iterable[Any],
        batch_size: int = BATCH_TEXTS,
        **options: Unpack[PredictOptions],
    ) -> Prediction | list[Prediction] | Iterator[Prediction]:
        """Classify texts: one, all of a column, or one after the other as they come.

        A column and an iterator may have any length: they are cut into batches, each of which is answered by one
        revision. From an iterator, texts are taken batch by batch as answers are asked for, so memory does not grow.

        Args:
            model_name: A classifier, an alias, a revision (``tickets_v2@3``) or a task's highest version
                (``tickets@latest``).
            texts: A string; or a column of strings (a list, an array, a column of pandas or polars); or an iterator,
                such as a generator or an open file.
            batch_size: The most texts in one request, at least 1; at most what the server takes.
            **options: How to answer: :class:`PredictOptions`.

        Returns:
            For a string its answer; for a column a list of answers, in its order; for an iterator an iterator of
            answers.

        Raises:
            InvalidInput: The name, a text or an option breaks a rule; ``facts["index"]`` counts all texts from 0. For
                an iterator, when the answer is asked for.
            NotFound: The name means nothing.
            ArtifactInvalid: The saved classifier is damaged.
            Overloaded: Too many requests wait already.
        """
        names = (read_name(model_name),)
        if isinstance(texts, str):
            return self._operations.predict(predict_request(names, (texts,), options))[0]
        if whole("batch_size", batch_size) < 1:
            raise InvalidParameter(
                f"batch_size is {batch_size}; it must be at least 1. Pass such a number, or leave it out.",
                {"parameter": "batch_size", "minimum": 1},
            )
        # Made without texts here, so that a wrong option is refused now and not when the first answer is asked for.
        asked = predict_request(names, (), options)
        if isinstance(texts, Iterator):
            return self._answers(asked, in_batches(texts, batch_size, BATCH_CHARS))
        return list(self._answers(asked, in_batches(iter(read_texts(texts)), batch_size, BATCH_CHARS)))

    def explain(self, model_name: str, text: str, **options: Unpack[PredictOptions]) -> Prediction:
        """Classify a text and say why: the words that count, and the training rows most like it.

        Args:
            model_name: As in :meth:`predict`.
            text: The text.
            **options: As in :meth:`predict`.

        Returns:
            The answer; its ``explanation`` is never ``None``.

        Raises:
            InvalidInput: The name, the text or an option breaks a rule.
            NotFound: The name means nothing.
            ArtifactInvalid: The saved classifier is damaged.
        """
        asked = predict_request((read_name(model_name),), (_one(text),), options)
        return self._operations.predict(_of(asked, asked.texts, explain=True))[0]

    def predict_with(
        self, model_names: Iterable[str], text: str, **options: Unpack[PredictOptions]
    ) -> dict[str, Prediction]:
        """Classify one text by several classifiers.

        Args:
            model_names: The classifiers, as in :meth:`predict`.
            text: The text.
            **options: As in :meth:`predict`.

        Returns:
            Each one's answer, by the name by which it was asked, in their order.

        Raises:
            InvalidInput: A name, the text or an option breaks a rule.
            NotFound: One of the names means nothing.
            ArtifactInvalid: A saved classifier is damaged.
        """
        names = read_names(model_names)
        answers = self._operations.predict(predict_request(names, (_one(text),), options))
        return dict(zip(names, answers, strict=True))

    def suggest(self, model_name: str, texts: Iterable[Any], n: int = DEFAULT_SUGGESTIONS) -> Suggestions:
        """Choose those of many texts that are worth labelling.

        Args:
            model_name: The classifier that is to learn from them.
            texts: A column of strings without labels.
            n: How many to choose, 1 to 1,000.

        Raises:
            InvalidInput: The name, the number or a text breaks a rule.
            NotFound: The name means nothing.
            ArtifactInvalid: The classifier is damaged.
        """
        request = SuggestRequest(read_name(model_name), tuple(read_texts(texts)), whole("n", n))
        return self._operations.suggest(request)

    def _answers(self, asked: PredictRequest, batches: Iterator[list[Any]]) -> Iterator[Prediction]:
        first = 0
        for batch in batches:
            texts = read_texts(batch, first)
            try:
                yield from self._operations.predict(_of(asked, tuple(texts)))
            except (InvalidText, LimitExceeded) as error:
                raise _renumbered(error, first) from None
            first += len(texts)


def _of(asked: PredictRequest, texts: tuple[str, ...], explain: bool = False) -> PredictRequest:
    return PredictRequest(asked.model_names, texts, asked.top_k, asked.abstain_below, asked.min_in_scope, explain)


def _one(text: str) -> str:
    if not isinstance(text, str):
        raise InvalidText(f"text is of type {type(text).__name__}, not a string. Pass one string.", {"index": 0})
    return text


def _renumbered(error: InvalidText | LimitExceeded, first: int) -> InvalidText | LimitExceeded:
    """Return an error about a text of one request with the text's number among all texts."""
    index = error.facts.get("index")
    if not isinstance(index, int):
        return error
    place = f"texts[{first + index}]"
    detail = error.detail.replace(f"texts[{index}]", place, 1)
    if detail.startswith("The text "):
        detail = detail.replace("The text", place, 1)
    return type(error)(detail, {**error.facts, "index": first + index})
