"""What a FakeOperations keeps of its classifiers and aliases, and how it scores by the words that texts share."""

import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from tests.fakes import judging
from tests.fakes.jobs import NOW
from windrow.domain.alias import AliasChange, AliasEvent, Said
from windrow.domain.classifier import Classifier
from windrow.domain.dataset import Row
from windrow.domain.names import Reference
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.execution.examination import Answers
from windrow.service.gate import Side


@dataclass
class Kept:
    """One revision, with its rows' words as numbers, so that no text is in an export."""

    classifier: Classifier
    words: list[tuple[str, list[int]]]
    rows: tuple[Row, ...] | None = None


@dataclass
class Name:
    revisions: dict[int, Kept] = field(default_factory=dict)
    current: int = 0
    deleted_at: datetime | None = None

    @property
    def kept(self) -> Kept:
        return self.revisions[self.current]

    @property
    def classifier(self) -> Classifier:
        return replace(self.kept.classifier, deleted_at=self.deleted_at)


@dataclass
class KeptAlias:
    points_to: Reference | None = None
    before: list[Reference | None] = field(default_factory=list)
    changes: list[AliasChange] = field(default_factory=list)
    must_pass: tuple[Row, ...] = ()

    def change(self, event: AliasEvent, points_to: Reference | None, said: Said) -> None:
        self.changes.append(AliasChange(len(self.changes) + 1, event, self.points_to, points_to, NOW, said))
        self.points_to = points_to


def words_of(text: str) -> list[int]:
    return sorted({zlib.crc32(word.encode()) for word in text.split()})


def scores_of(kept: Kept, text: str) -> dict[str, float]:
    votes = dict.fromkeys(kept.classifier.record.labels, 1)
    for label, words in kept.words:
        votes[label] += len(set(words).intersection(words_of(text)))
    return {label: count / sum(votes.values()) for label, count in votes.items()}


def in_scope_of(kept: Kept, text: str) -> float:
    """Return the share of a text's words that stand in training rows."""
    known = {word for _, words in kept.words for word in words}
    words = words_of(text)
    return len(known.intersection(words)) / len(words)


def answer_of(kept: Kept, alias: str | None, text: str, request: PredictRequest) -> Prediction:
    record, threshold = kept.classifier.record, kept.classifier.threshold
    scores, in_scope = scores_of(kept, text), in_scope_of(kept, text)
    best = sorted(scores, key=lambda label: -scores[label])
    least = 0.0 if threshold is None else threshold.abstain_below
    if request.abstain_below is not None:
        least = request.abstain_below
    explanation = None
    if request.explain:
        shortened = [scores_of(kept, each) for each in judging.shortened(text)]
        explanation = judging.explanation(text, scores, kept.rows, shortened)
    return Prediction(
        label=None if scores[best[0]] < least or in_scope < (request.min_in_scope or 0) else best[0],
        scores=scores if request.top_k is None else {label: scores[label] for label in best[: request.top_k]},
        model_name=record.name,
        revision=record.revision,
        truncated=len(text.split()) > 256,
        alias=alias,
        in_scope=in_scope,
        explanation=explanation,
    )


def side_of(name: str, kept: Kept, texts: list[str]) -> Side:
    labels = kept.classifier.record.labels
    given = [scores_of(kept, text) for text in texts]
    scores = np.array([[each[label] for label in labels] for each in given], np.float32).reshape(-1, len(labels))
    return Side(name, Answers(labels, scores, None, np.zeros(len(texts), np.bool_)))
