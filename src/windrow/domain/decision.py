"""Decisions: closed questions about one text, each answered by a classifier or without one; the rules and the answers.

The formats of other servers (``api/foreign``) are translated to these values and from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from windrow.domain.dataset import check_texts, text_problem
from windrow.domain.errors import InvalidParameter, LimitExceeded
from windrow.domain.names import ModelReference
from windrow.domain.prediction import PredictLimits

MAX_QUESTIONS: Final = 400
# How many options a question may have, and how many levels a score.
OPTION_COUNTS: Final = (2, 255)
LEVEL_COUNTS: Final = (2, 10)
MAX_OPTION_CHARS: Final = 2_000
MAX_INSTRUCTION_CHARS: Final = 20_000
MAX_EXAMPLES: Final = 2_500
# What stands for no classifier in particular, so that each question finds its own.
ANY_MODEL: Final = ("windrow", "jev-latest")
# ``predicate``: how likely is it true? ``choice``: which of the options? ``score``: which of the ordered levels?
QuestionKind = Literal["predicate", "choice", "score"]
# What answered: a classifier, an encoder without one, or the latter for the options that the former does not know.
AnsweredBy = Literal["classifier", "zero_shot", "classifier_and_zero_shot"]


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers that a question offers."""

    label: str
    """What a classifier's label must be to stand for it; may be empty where ``description`` says it."""
    description: str = ""
    """When it applies, in words; may be empty."""
    examples: tuple[str, ...] = ()
    """Texts to which it applies; if there are any, they alone stand for it where no classifier answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question about the text."""

    kind: QuestionKind
    """What is asked."""
    name: str | None = None
    """What it is called, by which it may find its classifier."""
    instructions: str = ""
    """What is asked, in words."""
    options: tuple[Option, ...] = ()
    """Of a choice, what to choose from; of a score, the levels, the lowest first; of a predicate, what counts as true
    and what as false, of which either may have no description, or nothing.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRequest:
    """A text, and the questions about it."""

    text: str
    """What every question is about."""
    questions: tuple[Question, ...]
    """At least one, at most 400."""
    model_name: ModelReference | None = None
    """A classifier: its name, an alias, a revision (name@3) or task@latest; ``None`` where each question finds its own.
    """
    zero_shot_options: bool = False
    """Whether options that a classifier does not know are answered without one, beside those that it knows; otherwise
    they are refused.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one question."""

    probabilities: tuple[float, ...]
    """Of each option, in the order of the question, which sum to 1; of a predicate, that it is true and that it is
    false.
    """
    answered_by: AnsweredBy
    """What answered."""
    answerer: str
    """The revision of the classifier (``tickets_v2@3``), or else the id of the base model."""
    abstained: bool = False
    """Whether the classifier gives no label, since its best score is below its stored threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """The answers to all questions."""

    decisions: tuple[Decision, ...]
    """One for each question, in their order."""
    input_tokens: int
    """Tokens of the text and of the options' texts as the encoder reads them, each distinct text once for each encoder.
    """
    cached_tokens: int
    """How many of these were known already, so that they were not encoded again."""
    truncated: bool
    """Whether the text was longer than an encoder reads, so that its end was left out."""

    @property
    def answerers(self) -> tuple[str, ...]:
        """What answered, each once, in the order of the questions."""
        return tuple(dict.fromkeys(each.answerer for each in self.decisions))


def check_decide_request(request: DecideRequest, limits: PredictLimits) -> None:
    """Refuse a request that breaks a rule for which no classifier need be looked at.

    Args:
        request: The request.
        limits: How long a text may be.

    Raises:
        InvalidText: The text is empty, blank or no valid Unicode.
        InvalidParameter: There is no question; a question has too few options, says nothing, or an option is empty,
            blank or no valid Unicode.
        LimitExceeded: The text is too long, or there are too many questions, options or characters.
    """
    check_texts((request.text,), limits.max_text_chars, "The text")
    if not request.questions:
        raise InvalidParameter(
            "{arg:questions} is empty. {Send} between 1 and {maximum}.",
            {"parameter": "questions", "minimum": 1, "maximum": MAX_QUESTIONS},
        )
    if len(request.questions) > MAX_QUESTIONS:
        raise LimitExceeded(
            "There are {count} questions; one request has at most {limit}. {Send} them in several requests.",
            {"count": len(request.questions), "limit": MAX_QUESTIONS},
        )
    for number, question in enumerate(request.questions):
        _check_question(number, question, limits.max_text_chars)


def choice_confidence(probabilities: Sequence[float]) -> float:
    """Return how sure a choice is: 0 where all options are as likely, 1 where one is certain.

    Args:
        probabilities: At least two, which sum to 1.

    Source: the description of System One: (max p - 1/n) / (1 - 1/n).
    """
    least = 1 / len(probabilities)
    return min(1.0, max(0.0, (max(probabilities) - least) / (1 - least)))


def score_confidence(probabilities: Sequence[float]) -> float:
    """Return how sure a score is: 1 where one level is certain, and less the further away others are.

    Args:
        probabilities: Of at least two levels in their order, which sum to 1.

    Source: the description of System One: 1 - sum of p |i - mode|, over the same of a uniform distribution around its
    middle.
    """
    count = len(probabilities)
    mode = max(range(count), key=lambda level: probabilities[level])
    spread = sum(share * abs(level - mode) for level, share in enumerate(probabilities))
    uniform = sum(abs(level - (count - 1) / 2) for level in range(count)) / count
    return min(1.0, max(0.0, 1 - spread / uniform))


def expected_level(probabilities: Sequence[float]) -> float:
    """Return the mean level, counted from 0.

    Args:
        probabilities: Of the levels in their order, which sum to 1.
    """
    return sum(level * share for level, share in enumerate(probabilities))


def _check_question(number: int, question: Question, max_text_chars: int) -> None:
    if question.kind == "predicate":
        if not question.instructions and not any(each.description for each in question.options):
            raise _wrong(number, "neither says what is asked nor what counts as true or false. Say one of them")
    else:
        _check_options(number, question)
    examples = [text for each in question.options for text in each.examples]
    if len(examples) > MAX_EXAMPLES:
        raise LimitExceeded(
            "Question {index} (from 0) has {count} examples; at most {limit} are possible. {Send} fewer.",
            {"index": number, "count": len(examples), "limit": MAX_EXAMPLES},
        )
    check_texts(examples, max_text_chars, "An example")
    texts = (question.instructions, *(text for each in question.options for text in (each.label, each.description)))
    for limit, text in zip((MAX_INSTRUCTION_CHARS, *(MAX_OPTION_CHARS,) * len(texts)), texts, strict=False):
        if len(text) > limit:
            raise LimitExceeded(
                "Question {index} (from 0) has a text of {chars} characters; at most {limit} are possible there. "
                "Shorten it.",
                {"index": number, "chars": len(text), "limit": limit},
            )
        if text and (problem := text_problem(text)) is not None:
            raise _wrong(number, f"has a text that {problem}. Correct it")


def _check_options(number: int, question: Question) -> None:
    least, most = OPTION_COUNTS if question.kind == "choice" else LEVEL_COUNTS
    what = "options" if question.kind == "choice" else "levels"
    if not least <= len(question.options) <= most:
        raise _wrong(
            number, f"has {{count}} {what}, and may have {least} to {most}. Add or remove some", len(question.options)
        )
    if any(not each.label and not each.description for each in question.options):
        raise _wrong(number, f"has one of the {what} without a word. Say what it stands for")


def _wrong(number: int, problem: str, count: int | None = None) -> InvalidParameter:
    facts = {"parameter": "questions", "index": number} | ({} if count is None else {"count": count})
    return InvalidParameter(f"Question {{index}} (from 0) {problem}.", facts)
