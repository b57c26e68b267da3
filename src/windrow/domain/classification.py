"""PresentedList without a classifier: the request, its rules, and the reply (zero-shot classification)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from windrow.domain.dataset import (
    MAX_LABEL_CHARS,
    MIN_LABELS,
    DataLimits,
    DataWarning,
    Label,
    Text,
    check_texts,
    text_problem,
    too_many,
)
from windrow.domain.errors import InvalidParameter, InvalidRequest
from windrow.domain.figures import counted, listed
from windrow.domain.label_descriptions import LabelDescriptions, check_label_descriptions
from windrow.domain.prediction import PredictLimits
from windrow.domain.values import PresentedList, Schema, Value
from windrow.domain.words import render

DEFAULT_TEMPLATE: Final = "This text is about {}"
MAX_TEMPLATE_CHARS: Final = 1_000
MAX_MODEL_CHARS: Final = 200
# The score above which a label is given where several may apply.
GIVEN_ABOVE: Final = 0.5
_PLACE: Final = "{}"
_NAMED_LABELS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyRequest:
    """What to classify without a classifier: a text or many texts, and the labels to choose from."""

    text: Text | None = None
    """The text, at most 20,000 characters."""
    texts: Annotated[tuple[Text, ...], Schema(minItems=1)] | None = None
    """In place of ``text``: many texts, at most 1,000."""
    labels: Annotated[tuple[Label, ...], Schema(minItems=1, uniqueItems=True)]
    """The labels to choose from, each once, at most 1,000: words that say what a text with that label is about. Where
    one label is to be chosen, at least two.
    """
    multi_label: bool = False
    """Whether any number of the labels may apply to a text, each with a score by itself; otherwise one is chosen."""
    hypothesis_template: Annotated[str, Schema(minLength=2, maxLength=MAX_TEMPLATE_CHARS, pattern=r"\{\}")] = (
        DEFAULT_TEMPLATE
    )
    """A sentence with ``{}`` once, in the place of the label, which is then compared with the text beside the label.
    The default one is left out, since labels alone are right more often.
    """
    model: Annotated[str, Schema(minLength=1, maxLength=MAX_MODEL_CHARS)] | None = None
    """Id of the base model that answers; ``None`` for the default one. In the place of one that this server does not
    have, the default one answers, and ``warnings`` says so.
    """
    label_descriptions: LabelDescriptions | None = None
    """What labels mean, by label, in a sentence each; not every label needs one."""

    @property
    def all_texts(self) -> tuple[str, ...]:
        """The texts, however many they are."""
        return self.texts or () if self.text is None else (self.text,)

    @property
    def own_template(self) -> str | None:
        """The template that the caller gave; ``None`` for the default one."""
        return None if self.hypothesis_template == DEFAULT_TEMPLATE else self.hypothesis_template


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChoice(Value):
    """The labels chosen for one text."""

    label: str | None
    """The label with the highest score; ``None`` where several may apply."""
    labels: tuple[str, ...] | None
    """Where several may apply, those with a score above 0.5, the highest first, and maybe none; otherwise ``None``."""
    scores: Mapping[str, float]
    """Each label's score, from 0 to 1, in the order of the request. They sum to 1, unless several labels may apply:
    then each says by itself how likely its label applies.
    """
    truncated: bool
    """Whether the text was longer than the encoder reads, so that its end was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification(LabelChoice):
    """The labels chosen for one text, and what chose them."""

    _summary = "label labels scores truncated model"

    model: str
    """Id of the base model that answered."""
    multi_label: bool
    """Whether several labels may apply."""
    warnings: tuple[DataWarning, ...] = ()
    """What a person should know: that another model answered than the request names, or that a description is longer
    than the encoder reads.
    """


class Classifications(PresentedList[Classification]):
    """PresentedList to a column of texts, in its order: a list that shows itself in a few words."""

    __slots__ = ()


def check_classify_request(request: ClassifyRequest, limits: PredictLimits, data_limits: DataLimits) -> None:
    """Refuse a request that breaks a rule.

    Args:
        request: The request.
        limits: How many texts there may be, and how long.
        data_limits: How many labels there may be.

    Raises:
        InvalidRequest: It has neither ``text`` nor ``texts``, or both.
        InvalidText: A text is empty, blank or no valid Unicode; ``facts["index"]`` counts the texts from 0.
        InvalidParameter: There is no text; a label is blank, too long, no valid Unicode, or there twice; there are too
            few labels; the template does not hold ``{}`` once; a description breaks a rule, or is of no label; or the
            model's name is empty or too long.
        LimitExceeded: Too many texts or labels, or a text that is too long.
    """
    _check_form(request)
    texts = request.all_texts
    if not texts:
        raise InvalidParameter(
            "{arg:{parameter}} is empty. {Send} between 1 and {maximum}.",
            {"parameter": "texts", "minimum": 1, "maximum": limits.max_texts},
        )
    if len(texts) > limits.max_texts:
        raise too_many("texts", len(texts), "entries", limits.max_texts, "WINDROW_MAX_TEXTS")
    _check_labels(request, data_limits)
    _check_template(request.hypothesis_template)
    if request.model is not None:
        _check_model(request.model)
    _check_descriptions(request, data_limits)
    check_texts(texts, limits.max_text_chars, "{place:texts}" if request.text is None else "The text")


def warn_of_other_model(asked: str, answered: str) -> DataWarning:
    """Return the warning that another model answered than was asked for.

    Args:
        asked: The model in the request.
        answered: The base model that answered.
    """
    return DataWarning(
        "other_model",
        f"This server has no base model {asked!r}, so {answered} answered: an encoder that compares the text with the "
        "labels, not a network for natural language inference.",
    )


def warn_of_truncated_labels(labels: Sequence[str], max_tokens: int) -> DataWarning:
    """Return the warning that the ends of some labels' texts were left out.

    Args:
        labels: The labels.
        max_tokens: How many tokens the encoder reads.
    """
    return DataWarning(
        "truncated_labels",
        f"What stands for these labels is longer than the {max_tokens} tokens that the encoder reads, so its end was "
        f"left out: {listed(map(repr, labels))}.",
    )


def _check_form(request: ClassifyRequest) -> None:
    problem = None
    if request.text is None and request.texts is None:
        problem = "{arg:text} (or {arg:texts}) is missing"
    elif request.text is not None and request.texts is not None:
        problem = "Only one of {arg:text} and {arg:texts} may be there"
    if problem is not None:
        raise InvalidRequest(
            problem + ". {Send} one {arg:text}, or several {arg:texts}.",
            {"problems": [render(problem, {})], "num_problems": 1},
        )


def _check_labels(request: ClassifyRequest, limits: DataLimits) -> None:
    labels, least = request.labels, 1 if request.multi_label else MIN_LABELS
    if len(labels) > limits.max_labels:
        raise too_many("labels", len(labels), "entries", limits.max_labels, "WINDROW_MAX_LABELS")
    if len(labels) < least:
        more = "" if request.multi_label else ", or {turn_on:multi_label} to ask whether a single one applies"
        raise InvalidParameter(
            f"{{arg:{{parameter}}}} has {counted(len(labels), 'entry', 'entries')}, and needs at least {{minimum}}. "
            f"{{Send}} more labels{more}.",
            {"parameter": "labels", "count": len(labels), "minimum": least},
        )
    seen: dict[str, int] = {}
    for index, label in enumerate(labels):
        if problem := text_problem(label):
            raise _label_refused(f"{problem}. Correct it or leave it out", index)
        if len(label) > MAX_LABEL_CHARS:
            what = "has {chars} characters; a label has at most {limit}. Shorten it"
            raise _label_refused(what, index, chars=len(label), limit=MAX_LABEL_CHARS)
        if label in seen:
            what = "is {label!r} again, which is entry {first} already. {Send} each label once"
            raise _label_refused(what, index, label=label, first=seen[label])
        seen[label] = index


def _label_refused(what: str, index: int, **facts: object) -> InvalidParameter:
    return InvalidParameter(
        f"Entry {{index}} of {{arg:{{parameter}}}} (from 0) {what}.", {"parameter": "labels", "index": index, **facts}
    )


def _check_template(template: str) -> None:
    problem = None
    if template.count(_PLACE) != 1:
        problem = "must hold {place} exactly once, in the place of the label, and holds it {count} times"
    elif len(template) > MAX_TEMPLATE_CHARS:
        problem = "has {chars} characters, and may have {limit} at most"
    elif wrong := text_problem(template):
        problem = wrong
    if problem is not None:
        facts = {"place": _PLACE, "count": template.count(_PLACE), "chars": len(template), "limit": MAX_TEMPLATE_CHARS}
        raise InvalidParameter(
            f"{{arg:{{parameter}}}} {problem}. {{Send}} a sentence such as {{example!r}}, or leave it out.",
            {"parameter": "hypothesis_template", "example": DEFAULT_TEMPLATE, **facts},
        )


def _check_model(model: str) -> None:
    problem = text_problem(model)
    if problem is None and len(model) > MAX_MODEL_CHARS:
        problem = "has more than {limit} characters"
    if problem is not None:
        raise InvalidParameter(
            f"{{arg:{{parameter}}}} {problem}. {{Send}} the id of a base model, or leave it out.",
            {"parameter": "model", "limit": MAX_MODEL_CHARS},
        )


def _check_descriptions(request: ClassifyRequest, limits: DataLimits) -> None:
    descriptions = request.label_descriptions or {}
    check_label_descriptions(descriptions, limits)
    known = set(request.labels)
    unknown = [label for label in descriptions if label not in known]
    if unknown:
        more = f" and {len(unknown) - _NAMED_LABELS} more" if len(unknown) > _NAMED_LABELS else ""
        raise InvalidParameter(
            f"{{arg:{{parameter}}}} describes what is not among {{arg:labels}}: {{labels:quoted}}{more}. Add it there, "
            "or leave its description out.",
            {"parameter": "label_descriptions", "labels": unknown[:_NAMED_LABELS]},
        )
