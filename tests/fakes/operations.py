"""FakeOperations: the verbs in memory, true to the words of ``Operations``, and able to pause inside a fit."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windrow.domain.classifier import AdapterReport, Candidate, FitRequest, HeadReport, Record, TrainingSummary
from windrow.domain.dataset import check_rows, data_sha256, find_data_warnings
from windrow.domain.errors import Abandoned, ClassifierNotFound, NameTaken
from windrow.domain.listing import DEFAULT_PAGE_SIZE, Listing, Page, check_page
from windrow.domain.names import check_name, near_names
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest, always, check_predict_request
from windrow.domain.recipe import BaseModel, check_range, check_recipe
from windrow.domain.vitals import CacheVitals, Vitals
from windrow.execution.runner import ignore_steps
from windrow.operations import OnStep
from windrow.settings import Settings

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
VITALS = Vitals(
    waiting_requests=1,
    waiting_texts=2,
    running_batches=3,
    batches=4,
    tokens=5,
    refused=6,
    abandoned=7,
    fits_running=8,
    fits_waiting=9,
    classifiers=CacheVitals(entries=10, size_bytes=11, max_bytes=12, hits=13, misses=14),
    texts=CacheVitals(entries=15, size_bytes=16, max_bytes=17, hits=18, misses=19),
)


@dataclass
class FakeOperations:
    """Scores a label by the words that a text shares with its rows. Every hook runs at the start of its verb."""

    settings: Settings = field(default_factory=Settings)
    before_fit: Callable[[], None] = lambda: None
    before_predict: Callable[[IsWanted], None] = lambda is_wanted: None
    is_instant: bool = False
    shown: Vitals = VITALS
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
        dataset = check_rows(request.rows, self.settings.limits)
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

    def predict(self, request: PredictRequest, is_wanted: IsWanted = always) -> tuple[Prediction, ...]:
        self.before_predict(is_wanted)
        check_predict_request(request, self.settings.predict_limits)
        kept = [self._find(name) for name in request.model_names]
        if request.top_k is not None:
            check_range("top_k", request.top_k, (1, max(len(record.labels) for record, _ in kept)))
        if not is_wanted():
            raise Abandoned("The caller left, so nothing was computed. Ask again.")
        return tuple(_answer(*each, text, request.top_k) for each in kept for text in request.texts)

    def start_predict(self, request: PredictRequest, is_wanted: IsWanted) -> "Future[tuple[Prediction, ...]]":
        answer: Future[tuple[Prediction, ...]] = Future()
        answer.set_result(self.predict(request, is_wanted))
        return answer

    def starts_at_once(self, request: PredictRequest) -> bool:
        return self.is_instant

    def list_classifiers(self, page: Page = Page()) -> Listing:
        check_page(page)
        names = [name for name in sorted(self._kept) if page.after is None or name > page.after]
        limit = len(names) if page.is_whole_list else page.limit or DEFAULT_PAGE_SIZE
        records = tuple(self._kept[name][0] for name in names[:limit])
        return Listing(records, records[-1].name if len(names) > limit else None)

    def delete(self, model_name: str) -> None:
        self._find(check_name(model_name))
        del self._kept[model_name]

    def vitals(self) -> Vitals:
        return self.shown

    def _find(self, name: str) -> tuple[Record, FitRequest]:
        if name not in self._kept:
            near = near_names(name, self._kept)
            raise ClassifierNotFound(f"No classifier is named {name}. Train it first.", {"near_names": list(near)})
        return self._kept[name]


def _answer(record: Record, request: FitRequest, text: str, top_k: int | None) -> Prediction:
    words = text.split()
    votes = dict.fromkeys(record.labels, 1)
    for row in request.rows:
        votes[row.label] += len(set(words).intersection(row.text.split()))
    total = sum(votes.values())
    best = record.labels if top_k is None else sorted(votes, key=lambda label: -votes[label])[:top_k]
    scores = {label: votes[label] / total for label in best}
    return Prediction(max(scores, key=scores.__getitem__), scores, record.name, truncated=len(words) > 256)
