"""Plan which texts to encode for questions about one text, and compute the answers from the features.

Each question is answered by itself, so that no other question, no order and no name changes its answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from windrow.arrays import Floats
from windrow.domain.decision import Decision, Decisions, Option, Question
from windrow.domain.errors import InvalidBaseModel
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.prediction_plan import (
    AsEncoder,
    EncodedText,
    LoadedClassifier,
    PredictionPlan,
    TextKey,
    text_digest,
)
from windrow.execution.zero_shot_plan import FrozenEncoder
from windrow.learning.head import scores_of_logits
from windrow.learning.model_selection import label_name_texts
from windrow.learning.zero_shot import (
    BACKGROUND_TOPICS,
    cosine_scale,
    label_vectors,
    multi_label_logits,
    two_sided_logits,
    zero_shot_logits,
)
from windrow.storage.catalog import ResolvedModel

# Computes the answers, once all texts are encoded: of many questions, that is no work for the encoder's threads.
DecisionAnswer = Callable[[], Decisions]
# Words that stand for true and for false where they are the two answers, in lower case.
YES_WORDS: Final = frozenset(("yes", "true", "positive", "1"))
NO_WORDS: Final = frozenset(("no", "false", "negative", "0"))


@dataclass(frozen=True, slots=True)
class PlannedQuestion:
    """A question, and what answers it.

    Args:
        question: The question.
        number: Of the classifier among those of the plan; ``None`` for none.
        labels: For each option, the label that stands for it, or ``None`` where the classifier knows none; of a
            predicate, the label that stands for true, alone. Empty without a classifier.
    """

    question: Question
    number: int | None = None
    labels: tuple[str | None, ...] = ()

    @property
    def is_zero_shot(self) -> bool:
        """Whether an encoder without a classifier takes part."""
        return self.number is None or None in self.labels


@dataclass(frozen=True)
class DecisionPlan:
    """The answers to questions about one text.

    Args:
        text: The text.
        questions: The questions, and what answers them.
        revisions: The revisions of the classifiers, each once.
        loaded: The loaded classifiers of the revisions.
        encoder: What answers without a classifier; ``None`` where no question needs it.
        encoded: The encoded texts; filled as they are encoded.
        new: The keys of the texts that were not known before.
    """

    text: str
    questions: Sequence[PlannedQuestion]
    revisions: Sequence[ResolvedModel]
    loaded: Sequence[LoadedClassifier]
    encoder: TextEncoder | None
    encoded: dict[TextKey, EncodedText] = field(default_factory=dict)
    new: list[TextKey] = field(default_factory=list)

    @property
    def classifiers(self) -> Sequence[AsEncoder]:
        """What encodes the texts."""
        return (*self.loaded, *(() if self.encoder is None else (FrozenEncoder(self.encoder),)))

    @cached_property
    def text_digest(self) -> bytes:
        """The digest of the text that the questions are about."""
        return text_digest(self.text)

    @cached_property
    def texts(self) -> Mapping[bytes, str]:
        """All texts to encode, by their digests."""
        return {text_digest(each): each for each in (self.text, *self._option_texts, *self._topics)}

    def keys(self) -> list[TextKey]:
        """Return the keys of all texts to encode, each once."""
        own = self.text_digest
        keys = dict.fromkeys((each.digest, own) for each in self.loaded)
        if self.encoder is not None:
            keys |= dict.fromkeys((self._digest, digest) for digest in self.texts)
        return list(keys)

    def answers(self) -> DecisionAnswer:
        """Return what computes the answers; it raises as :meth:`decisions`."""
        return self.decisions

    def decisions(self) -> Decisions:
        """Return the answers, in the order of the questions.

        Raises:
            InvalidArtifact: A classifier's scores are no numbers, or
            InvalidBaseModel: those of a base model are none.
        """
        predictions = self._predictions()
        decisions = tuple(
            self._decision(each, texts, predictions) for each, texts in zip(self.questions, self._compared, strict=True)
        )
        tokens = {key: self.encoded[key].num_tokens for key in self.keys()}
        new = sum(tokens[key] for key in self.new)
        own = self.text_digest
        truncated = any(self.encoded[key].truncated for key in tokens if key[1] == own)
        total = sum(tokens.values())
        return Decisions(decisions=decisions, input_tokens=total, cached_tokens=total - new, truncated=truncated)

    def _predictions(self) -> Sequence[Prediction]:
        if not self.revisions:
            return ()
        request = PredictRequest(text=self.text)
        return PredictionPlan(self.revisions, self.loaded, [self.text_digest], request, self.encoded).answers()

    def _decision(
        self, planned: PlannedQuestion, texts: Sequence[Sequence[str]], predictions: Sequence[Prediction]
    ) -> Decision:
        if planned.number is None:
            assert self.encoder is not None
            shares = self._zero_shot(planned.question, texts)
            return Decision(probabilities=shares, answered_by="zero_shot", answerer=self.encoder.folder.base_model.id)
        prediction = predictions[planned.number]
        return Decision(
            probabilities=self._by_classifier(planned, texts, prediction.scores),
            answered_by="classifier_and_zero_shot" if planned.is_zero_shot else "classifier",
            answerer=f"{prediction.model_name}@{prediction.revision}",
            abstained=prediction.abstained,
        )

    def _by_classifier(
        self, planned: PlannedQuestion, texts: Sequence[Sequence[str]], scores: Mapping[str, float]
    ) -> tuple[float, ...]:
        """Return the shares of the options by the labels' scores, without those of labels that are no options."""
        if planned.question.kind == "predicate":
            (label,) = planned.labels
            assert label is not None
            return (scores[label], 1 - scores[label])
        known = _shares([0.0 if each is None else scores[each] for each in planned.labels], planned.labels)
        if not planned.is_zero_shot:
            return known
        # Without a classifier, all options are compared; what falls to those that it knows, it divides among them.
        compared = self._zero_shot(planned.question, texts)
        of_known = sum(share for share, label in zip(compared, planned.labels, strict=True) if label is not None)
        pairs = zip(compared, known, planned.labels, strict=True)
        return tuple(share if label is None else own * of_known for share, own, label in pairs)

    def _zero_shot(self, question: Question, texts: Sequence[Sequence[str]]) -> tuple[float, ...]:
        number = statement_number(question, texts)
        if number is None:
            features = [self._last_layer(own) for own in texts]
            vectors = label_vectors(features, self._hidden, [_is_described(each) for each in question.options])
            scores = scores_of_logits(zero_shot_logits(self._own, vectors, self._scale), "single_label")
            return self._checked(scores[0].tolist())
        # A statement applies or not, beside what texts are often about.
        stated, *opposite = (
            label_vectors([self._last_layer(own)], self._hidden) for own in (texts[number], texts[1 - number]) if own
        )
        if opposite:
            logits = two_sided_logits(self._own, stated, opposite[0], self._topic_vectors, self._scale)
        else:
            logits = multi_label_logits(self._own, stated, self._topic_vectors)
        share = float(scores_of_logits(logits, "multi_label")[0, 0])
        return self._checked((1 - share, share) if number else (share, 1 - share))

    def _checked(self, scores: Sequence[float]) -> tuple[float, ...]:
        if not np.isfinite(scores).all():
            assert self.encoder is not None
            raise InvalidBaseModel(
                "The base model {base_model} computed scores that are no numbers, so there is no answer. Check the "
                "data directory with windrow fsck and restart the server, which builds its graphs anew where they are "
                "damaged.",
                {"base_model": self.encoder.folder.base_model.id},
            )
        return tuple(scores)

    @cached_property
    def _compared(self) -> Sequence[Sequence[Sequence[str]]]:
        """The texts of each question's options; none where an encoder without a classifier takes no part."""
        return [zero_shot_texts(each.question) if each.is_zero_shot else () for each in self.questions]

    @property
    def _option_texts(self) -> list[str]:
        return [text for texts in self._compared for own in texts for text in own]

    @cached_property
    def _topics(self) -> Sequence[str]:
        """The topics, where they matter: beside a statement, or for the scale of the cosines."""
        pairs = zip(self.questions, self._compared, strict=True)
        asked = [(each.question, texts) for each, texts in pairs if texts]
        is_needed = any(statement_number(*each) is not None for each in asked) or (bool(asked) and not self._is_usual)
        return BACKGROUND_TOPICS if is_needed else ()

    @cached_property
    def _topic_vectors(self) -> Floats:
        return label_vectors([self._last_layer([topic]) for topic in self._topics], self._hidden)

    @cached_property
    def _scale(self) -> float:
        return 1.0 if self._is_usual else cosine_scale(self._topic_vectors)

    @property
    def _is_usual(self) -> bool:
        return self.encoder is not None and self.encoder.folder.base_model.id == DEFAULT_BASE_MODEL

    @property
    def _digest(self) -> str:
        assert self.encoder is not None
        return self.encoder.folder.base_model.digest

    @property
    def _hidden(self) -> int:
        assert self.encoder is not None
        return self.encoder.folder.hidden_size

    @cached_property
    def _own(self) -> Floats:
        """The text's features that count; shape [1, hidden], float32."""
        return self._last_layer([self.text])

    def _last_layer(self, texts: Sequence[str]) -> Floats:
        """Return the features that count; shape [texts, hidden], float32."""
        return np.array([self.encoded[self._digest, text_digest(text)].features[-self._hidden :] for text in texts])


def zero_shot_texts(question: Question) -> list[list[str]]:
    """Return the texts that stand for each option; of a statement without an opposite, the other list is empty.

    The instructions stand for what is true, unless a description says that; where options say something themselves,
    instructions would only make them more alike.

    Args:
        question: A checked question.
    """
    if question.kind == "predicate" or _is_yes_or_no(question.options):
        yes, no = question.options if len(question.options) == 2 else (Option(""), Option(""))
        if question.kind != "predicate" and yes.label.lower() in NO_WORDS:
            return _statement(question, no, yes)[::-1]
        return _statement(question, yes, no)
    return [_texts_of(each) for each in question.options]


def statement_number(question: Question, texts: Sequence[Sequence[str]]) -> int | None:
    """Return which option is a statement that applies to the text or not; ``None`` where the options are compared.

    Args:
        question: A checked question.
        texts: From :func:`zero_shot_texts`.
    """
    if not all(texts):
        return 0 if texts[0] else 1
    if question.kind != "predicate" and not _is_yes_or_no(question.options):
        return None
    if not any(each.description for each in question.options):
        return None  # words like yes and no say nothing to hold against a text
    return 1 if question.kind != "predicate" and question.options[0].label.lower() in NO_WORDS else 0


def _statement(question: Question, yes: Option, no: Option) -> list[list[str]]:
    is_true = yes.description or question.instructions
    texts = [[is_true] if is_true else [], [no.description] if no.description else []]
    return texts if any(texts) else [_texts_of(yes), _texts_of(no)]


def _is_yes_or_no(options: Sequence[Option]) -> bool:
    labels = {each.label.lower() for each in options}
    return len(options) == len(labels) == 2 and bool(labels & YES_WORDS) and bool(labels & NO_WORDS)


def _texts_of(option: Option) -> list[str]:
    if option.examples:
        return [*option.examples]
    name = label_name_texts([option.label]) if option.label else []
    return [*name, option.description] if option.description else name


def _is_described(option: Option) -> bool:
    """Whether the last text of an option is its description."""
    return bool(option.description) and not option.examples


def _shares(scores: Sequence[float], labels: Sequence[str | None]) -> tuple[float, ...]:
    """Return scores as shares of their sum; of labels none of which is likely at all, equal ones."""
    total = sum(scores)
    if total > 0:
        return tuple(score / total for score in scores)
    num_known = sum(label is not None for label in labels)
    return tuple(0.0 if label is None else 1 / num_known for label in labels)
