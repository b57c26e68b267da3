"""The JSON shapes of a predict in its three forms, to and from the domain.

Owns the fields of questions and answers; knows nothing of HTTP, statuses or how an answer is computed.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from windrow.domain.explanation import MAX_EXPLAINED_WORDS, Explanation, NearRow, WordEffect
from windrow.domain.names import REFERENCE_GRAMMAR
from windrow.domain.prediction import Prediction, PredictLimits, PredictRequest, check_predict_request
from windrow.wire.shapes import EXAMPLE_NAME, EXAMPLE_ROWS, EXAMPLE_TEXT, Name, Wire, shown_range

_SCORES = {"account": 0.08, "billing": 0.87, "technical": 0.05}
_JUDGED = {"truncated": False, "abstained": False, "in_scope": 0.62}
_TEXT_ANSWER = {"label": "billing", "scores": _SCORES, **_JUDGED}
_WHO = {"model_name": EXAMPLE_NAME, "revision": 1, "alias": None}
_NAMED_ANSWER = {"label": "billing", "scores": _SCORES, **_WHO, **_JUDGED}
# The three forms, each as a question and its answer.
EXAMPLES = {
    "one text": (
        {"model_name": EXAMPLE_NAME, "text": EXAMPLE_TEXT},
        {**_NAMED_ANSWER, "explanation": None},
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

Label = Annotated[
    str | None,
    Field(
        description="The label with the highest score; null where the classifier abstained.",
        examples=["billing"],
    ),
]
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
Abstained = Annotated[
    bool,
    Field(
        description="Whether no label was given: the best score, or the likeness to the training data, is too low.",
        examples=[False],
    ),
]
InScope = Annotated[
    float | None,
    Field(
        description="How like the training data the text is, from 0 to 1: the share of texts of its kind that are less "
        "like it. Null where the classifier cannot tell.",
        examples=[0.62],
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
    abstain_below: float | None = Field(
        default=None,
        description="The best score, from 0 to 1, below which no label is given; null takes what is stored with the "
        "classifier, if anything is.",
        examples=[None, 0.6],
        json_schema_extra=shown_range((0, 1)),
    )
    min_in_scope: float | None = Field(
        default=None,
        description="The likeness to the training data (in_scope), from 0 to 1, below which no label is given; null "
        "gives one always.",
        examples=[None, 0.05],
        json_schema_extra=shown_range((0, 1)),
    )
    explain: bool = Field(
        default=False,
        description="Whether to say why; only with one text and one classifier. The text is then encoded "
        "again without each of its words.",
        examples=[False],
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

    @classmethod
    def of(cls, request: PredictRequest) -> Self:
        """Send a question in the form that it has.

        Raises:
            InvalidInput: It has none of the three forms.
        """
        names, texts = request.model_names, request.texts
        if len(texts) != 1 and len(names) != 1:
            check_predict_request(request, PredictLimits())
        by_one, of_one = len(names) == 1, len(texts) == 1
        return cls.model_construct(
            model_name=names[0] if by_one else None,
            model_names=None if by_one else list(names),
            text=texts[0] if of_one else None,
            texts=None if of_one else list(texts),
            top_k=request.top_k,
            abstain_below=request.abstain_below,
            min_in_scope=request.min_in_scope,
            explain=request.explain,
        )

    def to_domain(self) -> PredictRequest:
        """Return the request; its values are not checked yet."""
        names = [self.model_name] if self.model_name is not None else self.model_names
        texts = [self.text] if self.text is not None else self.texts
        return PredictRequest(
            model_names=tuple(names or ()),
            texts=tuple(texts or ()),
            top_k=self.top_k,
            abstain_below=self.abstain_below,
            min_in_scope=self.min_in_scope,
            explain=self.explain,
        )

    def reply(self, predictions: Sequence[Prediction]) -> "PredictReply | TextsReply | ClassifiersReply":
        """Show the predictions in the form that was asked for."""
        if self.texts is not None:
            return TextsReply.of(predictions)
        if self.model_names is not None:
            return ClassifiersReply.of(predictions)
        return PredictReply.of(predictions[0])


class NearRowEntry(Wire):
    """A training row that is like the text."""

    row: int = Field(description="Its number in the training data, from 0.", examples=[0])
    text: str = Field(description="Its text.", examples=[EXAMPLE_ROWS[0][0]])
    label: str = Field(description="Its label.", examples=[EXAMPLE_ROWS[0][1]])
    similarity: float = Field(
        description="Cosine of the two, from -1 to 1, as this classifier sees them.", examples=[0.71]
    )


class WordEntry(Wire):
    """What one word does for the answer."""

    word: str = Field(description="The word as it stands in the text.", examples=["billed"])
    start: int = Field(description="Where it starts in the text, in characters (code points) from 0.", examples=[12])
    effect: float = Field(
        description="By how much the label's score would fall without it; negative where it would rise.",
        examples=[0.31],
    )


class ExplanationEntry(Wire):
    """Why a classifier answered as it did."""

    label: str = Field(
        description="The label with the highest score, which is explained even where it was not given.",
        examples=["billing"],
    )
    nearest_rows: list[NearRowEntry] | None = Field(
        description="The training rows most like the text, the nearest first; null where rows were not kept."
    )
    words: list[WordEntry] = Field(
        description=f"The words in the order of the text, at most {MAX_EXPLAINED_WORDS}; none for a single word. Where "
        "a script puts no spaces between words, short pieces."
    )

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """Show an explanation."""
        near = explanation.nearest
        return cls(
            label=explanation.label,
            nearest_rows=None if near is None else [NearRowEntry(**asdict(each)) for each in near],
            words=[WordEntry(**asdict(each)) for each in explanation.words],
        )

    def to_domain(self) -> Explanation:
        """Return the explanation that was shown."""
        near = self.nearest_rows
        return Explanation(
            label=self.label,
            nearest=None if near is None else tuple(NearRow(**each.model_dump()) for each in near),
            words=tuple(WordEffect(**each.model_dump()) for each in self.words),
        )


class NamedAnswer(Wire):
    """One classifier's answer for one text, among those of others."""

    label: Label
    scores: Scores
    model_name: Answerer
    revision: AnswererRevision
    alias: AskedAlias
    truncated: Truncated
    abstained: Abstained
    in_scope: InScope

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Show a prediction."""
        # Our own values need no validation, here and below.
        return cls.model_construct(**_shown(prediction))

    def to_domain(self) -> Prediction:
        """Return the prediction that was shown."""
        return Prediction(
            label=self.label,
            scores=self.scores,
            model_name=self.model_name,
            revision=self.revision,
            truncated=self.truncated,
            alias=self.alias,
            in_scope=self.in_scope,
        )


class PredictReply(NamedAnswer):
    """One classifier's answer for one text."""

    explanation: ExplanationEntry | None = Field(description="Why; null where it was not asked for.")

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Show a prediction."""
        why = prediction.explanation
        return cls.model_construct(**_shown(prediction), explanation=None if why is None else ExplanationEntry.of(why))

    def to_domain(self) -> Prediction:
        """Return the prediction that was shown."""
        why = None if self.explanation is None else self.explanation.to_domain()
        return replace(super().to_domain(), explanation=why)


class TextAnswer(Wire):
    """The answer for one of many texts."""

    label: Label
    scores: Scores
    truncated: Truncated
    abstained: Abstained
    in_scope: InScope

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Show a prediction without who made it."""
        return cls.model_construct(
            label=prediction.label,
            scores=prediction.scores,
            truncated=prediction.truncated,
            abstained=prediction.abstained,
            in_scope=prediction.in_scope,
        )


class TextsReply(Wire):
    """One classifier's answers for many texts."""

    predictions: list[TextAnswer] = Field(description="One for each text, in the order of the texts.")
    model_name: Answerer
    revision: AnswererRevision
    alias: AskedAlias

    @classmethod
    def of(cls, predictions: Sequence[Prediction]) -> Self:
        """Show the predictions of one classifier."""
        first = predictions[0]
        return cls.model_construct(
            predictions=[TextAnswer.of(one) for one in predictions],
            model_name=first.model_name,
            revision=first.revision,
            alias=first.alias,
        )

    def to_domain(self) -> tuple[Prediction, ...]:
        """Return the predictions that were shown."""
        return tuple(
            Prediction(one.label, one.scores, self.model_name, self.revision, one.truncated, self.alias, one.in_scope)
            for one in self.predictions
        )


class ClassifiersReply(Wire):
    """Many classifiers' answers for one text."""

    predictions: list[NamedAnswer] = Field(description="One for each name, in the order of the names.")

    @classmethod
    def of(cls, predictions: Sequence[Prediction]) -> Self:
        """Show the predictions for one text."""
        return cls.model_construct(predictions=[NamedAnswer.of(one) for one in predictions])

    def to_domain(self) -> tuple[Prediction, ...]:
        """Return the predictions that were shown."""
        return tuple(one.to_domain() for one in self.predictions)


def _shown(prediction: Prediction) -> dict[str, Any]:
    return {
        "label": prediction.label,
        "scores": prediction.scores,
        "model_name": prediction.model_name,
        "revision": prediction.revision,
        "alias": prediction.alias,
        "truncated": prediction.truncated,
        "abstained": prediction.abstained,
        "in_scope": prediction.in_scope,
    }
