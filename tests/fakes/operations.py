"""FakeOperations: the verbs in memory, true to the words of ``Operations``, and able to pause inside a fit."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windrow.domain.classifier import AdapterReport, Candidate, FitRequest, HeadReport, Record, TrainingSummary
from windrow.domain.dataset import DataLimits, check_rows, check_text, data_sha256, find_data_warnings
from windrow.domain.errors import ClassifierNotFound, NameTaken
from windrow.domain.names import check_name, near_names
from windrow.domain.prediction import Prediction
from windrow.domain.recipe import BaseModel, check_recipe
from windrow.execution.runner import ignore_steps
from windrow.operations import OnStep

ADAPTER = AdapterReport(
    strength=0.75,
    reason="A share of the change is used: the encoder as it is misplaces 1 of 12 rows, each judged without itself.",
    candidates=(Candidate(0.0, 0.9167), Candidate(0.75, None)),
    layers=6,
    rank=8,
    passes=2,
    planned_steps=2,
    steps=2,
    texts=6,
    used_label_names=True,
    first_loss=1.5,
    last_loss=1.25,
)


@dataclass
class FakeOperations:
    """Scores a label by the words that a text shares with its rows. Every hook runs at the start of its verb."""

    limits: DataLimits = field(default_factory=DataLimits)
    before_fit: Callable[[], None] = lambda: None
    before_predict: Callable[[], None] = lambda: None
    started: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    _kept: dict[str, tuple[Record, FitRequest]] = field(default_factory=dict)
    _revisions: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        self.started.set()

    def close(self) -> None:
        self.closed.set()

    def fit(self, request: FitRequest, on_step: OnStep = ignore_steps) -> Record:
        name = check_name(request.model_name)
        for other in self._kept:
            if other != name and other.casefold() == name.casefold():
                raise NameTaken(f"{other} exists; names may not differ only in case. Choose another name.")
        dataset = check_rows(request.rows, self.limits)
        check_recipe(request.recipe)
        self.before_fit()
        adapter = None if request.recipe.num_iterations == 0 else ADAPTER
        if adapter is not None:
            on_step(1, 2, 1.5)
            on_step(2, 2, 1.25)
        self._revisions[name] = self._revisions.get(name, 0) + 1
        record = Record(
            name=name,
            revision=self._revisions[name],
            labels=dataset.labels,
            rows_per_label=dataset.rows_per_label,
            base_model=BaseModel(request.base_model, "0" * 64),
            recipe=request.recipe,
            data_sha256=data_sha256(dataset.rows),
            created_at=datetime(2025, 9, 15, 10, 30, tzinfo=UTC),
            training_time_s=0.41234,
            summary=TrainingSummary(HeadReport(1.0, None, 0), adapter, {}),
            warnings=find_data_warnings(dataset),
        )
        self._kept[name] = (record, request)
        return record

    def predict(self, model_name: str, text: str) -> Prediction:
        self.before_predict()
        check_text(text, self.limits.max_text_chars)
        record, request = self._find(check_name(model_name))
        words = text.split()
        votes = dict.fromkeys(record.labels, 1)
        for row in request.rows:
            votes[row.label] += len(set(words).intersection(row.text.split()))
        total = sum(votes.values())
        scores = {label: count / total for label, count in votes.items()}
        return Prediction(max(scores, key=scores.__getitem__), scores, model_name, truncated=len(words) > 256)

    def list_classifiers(self) -> tuple[Record, ...]:
        return tuple(self._kept[name][0] for name in sorted(self._kept))

    def delete(self, model_name: str) -> None:
        self._find(check_name(model_name))
        del self._kept[model_name]

    def _find(self, name: str) -> tuple[Record, FitRequest]:
        if name not in self._kept:
            near = near_names(name, self._kept)
            raise ClassifierNotFound(f"No classifier is named {name}. Train it first.", {"near_names": list(near)})
        return self._kept[name]
