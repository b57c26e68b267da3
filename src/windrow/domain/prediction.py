"""Predictions: the request, its rules, and the reply."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from windrow.domain.dataset import Text, check_texts, too_many
from windrow.domain.errors import InvalidParameter, InvalidRequest
from windrow.domain.explanation import Explanation
from windrow.domain.names import ModelReference, read_reference
from windrow.domain.values import PresentedList, Schema, Value, computed
from windrow.domain.words import render

# Called before anything costly is computed; false once the caller has disconnected and would not read the answer.
IsConnected = Callable[[], bool]
# What stands for an empty set of labels, which is an answer, and for none.
NONE_OF_THE_LABELS: Final = "none of the labels"
ABSTAINED: Final = "abstained"
# Whether a text has one of the labels, or any number of them.
Kind = Literal["single_label", "multi_label"]


def always_connected() -> bool:
    """Return true, for a caller that never disconnects."""
    return True


@dataclass(frozen=True, slots=True)
class PredictLimits:
    """The most that one request may bring."""

    max_texts: int = 1_000
    """Texts."""
    max_model_names: int = 1_000
    """Names of classifiers."""
    max_text_chars: int = 20_000
    """Characters (code points) of one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """What to classify: a text, many texts by one classifier, or a text by many classifiers."""

    model_name: ModelReference | None = None
    """The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version."""
    model_names: Annotated[tuple[ModelReference, ...], Schema(minItems=1)] | None = None
    """In place of ``model_name``, with one text: the names of many classifiers."""
    text: Text | None = None
    """The text, at most 20,000 characters."""
    texts: Annotated[tuple[Text, ...], Schema(minItems=1)] | None = None
    """In place of ``text``, with one classifier: many texts, at most 1,000."""
    top_k: Annotated[int | None, Schema(minimum=1)] = None
    """How many scores each answer holds, the best ones; ``None`` for all, in the order of the labels. The labels of a
    multi-label classifier are given whether their scores are among these or not.
    """
    abstain_below: Annotated[float | None, Schema(minimum=0, maximum=1)] = None
    """The best score, from 0 to 1, below which no label is given; of a multi-label classifier, the score below which a
    label is not given although it reaches its own threshold. ``None`` takes what is stored with the classifier, if
    anything is.
    """
    min_in_scope: Annotated[float | None, Schema(minimum=0, maximum=1)] = None
    """The likeness to the training data (in_scope), from 0 to 1, below which no label is given, nor where the
    classifier cannot tell; ``None`` gives one always.
    """
    explain: bool = False
    """Whether to say why; only with one text and one classifier. The text is then encoded again without each of its
    words.
    """

    @property
    def all_names(self) -> tuple[str, ...]:
        """The classifiers, however many they are."""
        return self.model_names or () if self.model_name is None else (self.model_name,)

    @property
    def all_texts(self) -> tuple[str, ...]:
        """The texts, however many they are."""
        return self.texts or () if self.text is None else (self.text,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Value):
    """A classifier's prediction for one text."""

    label: str | None
    """The label with the highest score; ``None`` where the classifier abstained, and always of a multi-label
    classifier.
    """
    labels: tuple[str, ...] | None = None
    """Of a multi-label classifier, the labels whose scores reach their thresholds, the highest score first; empty where
    none of the labels fits. ``None`` where it abstained, and always of a single-label classifier.
    """
    scores: Mapping[str, float]
    """Each label's score, from 0 to 1, in the order of the classifier's labels. Those of a single-label classifier sum
    to 1; of a multi-label classifier, each is the probability of that label alone. With ``top_k``, only the best ones,
    the best first.
    """
    truncated: bool
    """Whether the text was longer than the encoder reads, so that its end was left out."""
    abstained: bool = computed(lambda self: self.label is None and self.labels is None, False)
    """Whether no label was given: the best score, or the likeness to the training data, is too low. A multi-label
    classifier abstains where ``abstain_below`` leaves none of the labels that reach their thresholds, and where the
    likeness is too low.
    """
    in_scope: float | None = None
    """How like the training data the text is, from 0 to 1: the share of the training rows, each held out, that are
    less like the rows of the nearest label as a whole. It says nothing about the end of a text that was truncated, nor
    about how near the nearest single row is. ``None`` where the classifier cannot tell.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(Answer):
    """One classifier's answer for one text, and which classifier that is."""

    _summary = "label labels scores in_scope truncated model_name revision alias"

    kind: Kind = "single_label"
    """``single_label`` where the classifier gives one label, ``multi_label`` where it gives any number of them."""
    model_name: str
    """The classifier that answered, by its own name."""
    revision: int
    """Its revision that answered."""
    alias: str | None = None
    """The alias in the request; ``None`` if the request named the classifier itself."""
    explanation: Explanation | None = None
    """The explanation of the label, or of each of the labels; ``None`` if not requested."""

    @property
    def given(self) -> tuple[str, ...]:
        """The labels that it gives, however many they are; none where it abstained."""
        return self.labels or () if self.label is None else (self.label,)


class Predicted(tuple[Prediction, ...]):
    """Predictions, and how many tokens were read for them, which formats of other servers tell."""

    num_tokens: int
    """Tokens of the texts as encoders read them: of each text for each classifier, whether it was encoded now or not.
    """

    def __new__(cls, predictions: Iterable[Prediction], num_tokens: int) -> "Predicted":
        """Return the predictions, one for each text by each classifier."""
        made = super().__new__(cls, predictions)
        made.num_tokens = num_tokens
        return made

    def __getnewargs__(self) -> tuple[tuple[Prediction, ...], int]:
        """Return what a copy is made of."""
        return tuple(self), self.num_tokens


class Predictions(PresentedList[Prediction]):
    """PresentedList to a column of texts, in its order: a list that shows itself in a few words."""

    __slots__ = ()


def check_predict_request(request: PredictRequest, limits: PredictLimits) -> None:
    """Refuse a request that breaks a rule for which no classifier need be looked at.

    Raises:
        InvalidRequest: It has none of the three forms.
        InvalidName: A name breaks the grammar.
        InvalidText: A text is empty, blank or no valid Unicode; ``facts["index"]`` counts the texts from 0.
        InvalidParameter: There is no name or no text, a bound lies outside [0, 1], or an explanation is asked for more
            than one answer.
        LimitExceeded: Too many names, too many texts, or a text that is too long.
    """
    _check_form(request)
    names, texts = request.all_names, request.all_texts
    _check_count("model_names", len(names), limits.max_model_names)
    _check_count("texts", len(texts), limits.max_texts)
    for parameter, value in (("abstain_below", request.abstain_below), ("min_in_scope", request.min_in_scope)):
        check_share(parameter, value)
    if request.explain and len(names) * len(texts) != 1:
        raise InvalidParameter(
            "{arg:explain} goes with one text and one classifier. {Send} a single {arg:text} and {arg:model_name}, or "
            "leave {arg:explain} out.",
            {"parameter": "explain"},
        )
    for name in names:
        read_reference(name)
    check_texts(texts, limits.max_text_chars, "{place:texts}" if request.text is None else "The text")


def _check_form(request: PredictRequest) -> None:
    problem = None
    if request.model_name is None and request.model_names is None:
        problem = "{arg:model_name} (or {arg:model_names}) is missing"
    elif request.text is None and request.texts is None:
        problem = "{arg:text} (or {arg:texts}) is missing"
    elif request.model_name is not None and request.model_names is not None:
        problem = "Only one of {arg:model_name} and {arg:model_names} may be there"
    elif request.text is not None and request.texts is not None:
        problem = "Only one of {arg:text} and {arg:texts} may be there"
    elif request.model_names is not None and request.texts is not None:
        problem = "{arg:model_names} goes with {arg:text}, not with {arg:texts}"
    if problem is not None:
        raise InvalidRequest(
            problem + ". {Send} one {arg:text} with {arg:model_name} or {arg:model_names}, or {arg:texts} with one "
            "{arg:model_name}.",
            {"problems": [render(problem, {})], "num_problems": 1},
        )


def check_share(parameter: str, value: float | None, minimum: float = 0.0) -> None:
    """Refuse a share that does not lie between ``minimum`` and 1, both ends allowed; ``None`` is no share.

    Raises:
        InvalidParameter: It does not.
    """
    # Not the other way round: a NaN is no share either.
    if value is not None and not minimum <= value <= 1:
        raise InvalidParameter(
            "{arg:{parameter}} is {value}; it must lie between {minimum:g} and 1. {Send} such a share, or leave it "
            "out.",
            {"parameter": parameter, "value": value, "minimum": minimum, "maximum": 1},
        )


def _check_count(parameter: str, count: int, limit: int) -> None:
    if count == 0:
        raise InvalidParameter(
            "{arg:{parameter}} is empty. {Send} between 1 and {maximum}.",
            {"parameter": parameter, "minimum": 1, "maximum": limit},
        )
    if count > limit:
        raise too_many(parameter, count, "entries", limit, f"WINDROW_MAX_{parameter.upper()}")
