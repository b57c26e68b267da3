"""The JSON shapes of a predict in its three forms, to and from the domain.

Owns the fields of questions and answers; knows nothing of HTTP, statuses or how an answer is computed.
"""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from windrow.domain.names import REFERENCE_GRAMMAR
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.wire.shapes import EXAMPLE_NAME, EXAMPLE_TEXT, Name, Wire

_SCORES = {"account": 0.08, "billing": 0.87, "technical": 0.05}
_TEXT_ANSWER = {"label": "billing", "scores": _SCORES, "truncated": False}
_WHO = {"model_name": EXAMPLE_NAME, "revision": 1, "alias": None}
_NAMED_ANSWER = {"label": "billing", "scores": _SCORES, **_WHO, "truncated": False}
# The three forms, each as a question and its answer.
EXAMPLES = {
    "one text": (
        {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT},
        _NAMED_ANSWER,
    ),
    "many texts": (
        {"model_name": EXAMPLE_NAME, "texts": [EXAMPLE_TEXT, "My invoice is wrong"], "top_k": None},
        {"predictions": [_TEXT_ANSWER, _TEXT_ANSWER], **_WHO},
    ),
    "many classifiers": (
        {"model_names": [EXAMPLE_NAME], "text": EXAMPLE_TEXT, "top_k": 1},
        {"predictions": [{**_NAMED_ANSWER, "scores": {"billing": 0.87}}]},
    ),
}

Label = Annotated[str, Field(description="The label with the highest score.", examples=["billing"])]
Scores = Annotated[
    dict[str, float],
    Field(
        description="Each label's score, from 0 to 1; they sum to 1. With top_k, only the best ones, the best first.",
        examples=[_SCORES],
    ),
]
Answerer = Annotated[Name, Field(description="The classifier that answered, by its own name.")]
AnswererRevision = Annotated[int, Field(description="Its revision that answered.", examples=[1])]
AskedAlias = Annotated[
    str | None,
    Field(description="The alias by which it was asked; null where it was asked by its own name.", examples=[None]),
]
Truncated = Annotated[
    bool,
    Field(
        description="Whether the text was longer than the encoder reads, so that its end was left out.",
        examples=[False],
    ),
]


class PredictBody(Wire):
    """What to classify: a text, many texts, or a text by many classifiers."""

    model_name: str | None = Field(
        default=None,
        description="The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version.",
        examples=[EXAMPLE_NAME],
        json_schema_extra={"pattern": f"^{REFERENCE_GRAMMAR}$"},
    )
    # One wrong entry is enough to refuse a list; pydantic would describe a million of them.
    model_names: list[str] | None = Field(
        default=None,
        description="In place of model_name, with one text: the names of many classifiers.",
        examples=[[EXAMPLE_NAME]],
        fail_fast=True,
    )
    text: str | None = Field(default=None, description="The text, at most 20,000 characters.", examples=[EXAMPLE_TEXT])
    texts: list[str] | None = Field(
        default=None,
        description="In place of text, with one classifier: many texts, at most 1,000.",
        examples=[[EXAMPLE_TEXT]],
        fail_fast=True,
    )
    top_k: int | None = Field(
        default=None,
        description="How many scores each answer holds, the best ones; null for all, in the order of the labels.",
        examples=[None, 1],
        json_schema_extra={"minimum": 1},
    )

    @model_validator(mode="after")
    def _choose_a_form(self) -> Self:
        if self.model_name is None and self.model_names is None:
            raise ValueError("model_name (or model_names) is missing")
        if self.text is None and self.texts is None:
            raise ValueError("text (or texts) is missing")
        if self.model_name is not None and self.model_names is not None:
            raise ValueError("Only one of model_name and model_names may be there")
        if self.text is not None and self.texts is not None:
            raise ValueError("Only one of text and texts may be there")
        if self.model_names is not None and self.texts is not None:
            raise ValueError("model_names goes with text, not with texts")
        return self

    def to_domain(self) -> PredictRequest:
        """Return the request; its values are not checked yet."""
        names = [self.model_name] if self.model_name is not None else self.model_names
        texts = [self.text] if self.text is not None else self.texts
        return PredictRequest(tuple(names or ()), tuple(texts or ()), self.top_k)

    def reply(self, predictions: Sequence[Prediction]) -> "PredictReply | TextsReply | ClassifiersReply":
        """Show the predictions in the form that was asked for."""
        if self.texts is not None:
            return TextsReply.of(predictions)
        if self.model_names is not None:
            return ClassifiersReply.of(predictions)
        return PredictReply.of(predictions[0])


class PredictReply(Wire):
    """One classifier's answer for one text."""

    label: Label
    scores: Scores
    model_name: Answerer
    revision: AnswererRevision
    alias: AskedAlias
    truncated: Truncated

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Show a prediction."""
        # Our own values need no validation, here and below.
        return cls.model_construct(
            label=prediction.label,
            scores=prediction.scores,
            model_name=prediction.model_name,
            revision=prediction.revision,
            alias=prediction.alias,
            truncated=prediction.truncated,
        )

    def to_domain(self) -> Prediction:
        """Return the prediction that was shown."""
        return Prediction(self.label, self.scores, self.model_name, self.revision, self.truncated, self.alias)


class TextAnswer(Wire):
    """The answer for one of many texts."""

    label: Label
    scores: Scores
    truncated: Truncated


class TextsReply(Wire):
    """One classifier's answers for many texts."""

    predictions: list[TextAnswer] = Field(description="One for each text, in the order of the texts.")
    model_name: Answerer
    revision: AnswererRevision
    alias: AskedAlias

    @classmethod
    def of(cls, predictions: Sequence[Prediction]) -> Self:
        """Show the predictions of one classifier."""
        answers = [
            TextAnswer.model_construct(label=one.label, scores=one.scores, truncated=one.truncated)
            for one in predictions
        ]
        first = predictions[0]
        return cls.model_construct(
            predictions=answers, model_name=first.model_name, revision=first.revision, alias=first.alias
        )

    def to_domain(self) -> tuple[Prediction, ...]:
        """Return the predictions that were shown."""
        return tuple(
            Prediction(one.label, one.scores, self.model_name, self.revision, one.truncated, self.alias)
            for one in self.predictions
        )


class ClassifiersReply(Wire):
    """Many classifiers' answers for one text."""

    predictions: list[PredictReply] = Field(description="One for each name, in the order of the names.")

    @classmethod
    def of(cls, predictions: Sequence[Prediction]) -> Self:
        """Show the predictions for one text."""
        return cls.model_construct(predictions=[PredictReply.of(one) for one in predictions])

    def to_domain(self) -> tuple[Prediction, ...]:
        """Return the predictions that were shown."""
        return tuple(one.to_domain() for one in self.predictions)
