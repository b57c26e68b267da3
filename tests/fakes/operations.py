"""FakeOperations: the verbs in memory, true to the words of ``Operations``, and able to pause inside some of them."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from tests.fakes import judging
from tests.fakes.jobs import NOW, FakeJobs, forecast_of
from tests.fakes.judging import Judged
from tests.fakes.memory import Kept, KeptAlias, Name, answer_of, in_scope_of, scores_of, side_of, words_of
from windrow.domain.alias import (
    Alias,
    AliasChange,
    PromoteRequest,
    Promotion,
    Said,
    check_promote_request,
    check_said,
)
from windrow.domain.archive import Export, Imported, ImportRequest
from windrow.domain.base_models import BaseModelUse, StoredBaseModel, check_model_id, check_unused
from windrow.domain.checkup import Checkup, Finding
from windrow.domain.classifier import (
    AdapterReport,
    Candidate,
    Classifier,
    ClassifierDetails,
    Deletion,
    Estimate,
    FitRequest,
    FitResult,
    HeadReport,
    Notes,
    NotesChange,
    Origin,
    Record,
    ScoreReport,
    TrainingSummary,
)
from windrow.domain.comparison import CompareRequest, Comparison, check_compare_request
from windrow.domain.cross_validation import FOLDS_RANGE, CrossValidateRequest, CrossValidation
from windrow.domain.dataset import (
    Dataset,
    Row,
    check_rows,
    check_test_rows,
    data_sha256,
    find_data_warnings,
    report_data,
)
from windrow.domain.errors import (
    Abandoned,
    AliasNotFound,
    ArchiveInvalid,
    BaseModelInUse,
    BaseModelNotFound,
    ClassifierExists,
    ClassifierInUse,
    ClassifierNotFound,
    InvalidName,
    InvalidParameter,
    NameTaken,
    NotDeleted,
    NotFound,
    NothingToRollBack,
    RevisionNotFound,
    RowsNotKept,
)
from windrow.domain.interval import Interval
from windrow.domain.job import DEFAULT_JOBS, JOBS_RANGE, Forecast, Job, OnProgress, Progress, ignore_progress
from windrow.domain.listing import DEFAULT_PAGE_SIZE, Listing, Page, Selection, check_page, in_order
from windrow.domain.names import Reference, check_name, near_names, read_reference
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest, always, check_predict_request
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel, check_range, check_recipe
from windrow.domain.report import EvaluateRequest, Report, check_evaluate_request
from windrow.domain.reproduction import Reproduction
from windrow.domain.suggestion import Suggestions, SuggestRequest, check_suggest_request
from windrow.domain.usage import ClassifierUsage, Usage
from windrow.domain.versions import next_version, read_version
from windrow.domain.vitals import CacheVitals, Vitals
from windrow.service.gate import Side, check_recalled_labels, conditions_of, look, refusal
from windrow.settings import Settings
from windrow.wire.classifier import ModelRecord

SIZE_BYTES = 1_000
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
INSTALLED = StoredBaseModel(BaseModel(DEFAULT_BASE_MODEL, "0" * 64), "installed", 90, 10)
DOWNLOADED = StoredBaseModel(BaseModel("BAAI/bge-small-en-v1.5", "1" * 64, "5c38ec7"), "data_directory", 130, 20)
GARBAGE = Finding("garbage", "aside_file", ".aside/5f2b", "A write that never ended. Repairing removes it.")


@dataclass
class FakeOperations:
    """Scores a label by the words that a text shares with its rows.

    Every hook runs at the start of its verb, that of ``fit`` once it is the training's turn; ``at_step`` runs after
    each word of how a training goes on.
    """

    settings: Settings = field(default_factory=Settings)
    before_fit: Callable[[], None] = lambda: None
    at_step: Callable[[Progress], None] = lambda progress: None
    before_predict: Callable[[IsWanted], None] = lambda is_wanted: None
    before_fsck: Callable[[], None] = lambda: None
    is_instant: bool = False
    keeps_rows: bool = True
    shown: Vitals = VITALS
    findings: tuple[Finding, ...] = (GARBAGE,)
    stored: list[StoredBaseModel] = field(default_factory=lambda: [DOWNLOADED, INSTALLED])
    wanted: list[IsWanted] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    jobs: FakeJobs = field(init=False)
    _names: dict[str, Name] = field(default_factory=dict)
    _aliases: dict[str, KeptAlias] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.jobs = FakeJobs(self.settings)

    def start(self) -> None:
        self.started.set()

    def wait_for_jobs(self, timeout_s: float) -> None:
        self.jobs.wait(timeout_s)

    def close(self) -> None:
        self.jobs.close()
        self.closed.set()

    def vitals(self) -> Vitals:
        return self.shown

    def fit(self, request: FitRequest, on_progress: OnProgress = ignore_progress) -> FitResult:
        job, result = self.begin_fit(request, on_progress)
        try:
            return result.result()
        except KeyboardInterrupt:
            self.cancel_job(job.id)
            raise

    def start_fit(self, request: FitRequest) -> Job:
        return self.begin_fit(request)[0]

    def begin_fit(
        self, request: FitRequest, on_progress: OnProgress = ignore_progress
    ) -> "tuple[Job, Future[FitResult]]":
        dataset = self._check_fit(request)
        return self.jobs.begin(request, dataset, lambda tell: self._train(request, dataset, tell), on_progress)

    def forecast(self, request: FitRequest) -> Forecast:
        return forecast_of(request, self._check_fit(request))

    def list_jobs(self, limit: int = DEFAULT_JOBS) -> tuple[Job, ...]:
        check_range("limit", limit, JOBS_RANGE)
        return self.jobs.newest(limit)

    def job(self, job_id: str) -> Job:
        return self.jobs.get(job_id)

    def follow_job(self, job_id: str) -> Iterator[Job]:
        self.jobs.get(job_id)
        return self.jobs.follow(job_id)

    def cancel_job(self, job_id: str) -> Job:
        return self.jobs.cancel(job_id)

    def _check_fit(self, request: FitRequest) -> Dataset:
        check_name(request.model_name)
        dataset = check_rows(request.rows, self.settings.limits)
        check_recipe(request.recipe)
        request.notes.of(Notes())
        self._check_free(request.model_name, request.overwrite)
        return dataset

    def _train(self, request: FitRequest, dataset: Dataset, tell: OnProgress) -> FitResult:
        name = request.model_name
        tell(Progress("encoding", seconds_left=2.0))
        self.before_fit()
        is_tuned = request.recipe.num_iterations > 0
        adapter = ADAPTER if is_tuned else None
        self._go_on(tell, is_tuned)
        record = Record(
            name=name,
            revision=0,
            labels=dataset.labels,
            rows_per_label=dataset.rows_per_label,
            base_model=BaseModel(request.base_model, "0" * 64),
            recipe=request.recipe,
            data_sha256=data_sha256(dataset.rows),
            created_at=NOW,
            training_time_s=0.41234,
            summary=TrainingSummary(
                head=HeadReport(1.0, None, 0),
                adapter=adapter,
                estimate=Estimate(5, 6, 3, Interval(0.25, 1.0)) if request.recipe.cross_validate else None,
                scores=ScoreReport(1.25, "out_of_fold", 0.62, 0.11),
                versions={"numpy": "2.1.0"},
            ),
            data=report_data(dataset, truncated_rows=0),
            warnings=find_data_warnings(dataset),
        )
        kept = Kept(
            Classifier(record, Notes(), None, None, None, SIZE_BYTES, self.keeps_rows),
            [(row.label, words_of(row.text)) for row in dataset.rows],
            dataset.rows if self.keeps_rows else None,
        )
        tell(Progress("saving", seconds_left=0.1))
        classifier = self._save(kept, request.notes)
        return FitResult(classifier, next_version(name, [*self._names, *self._aliases]))

    def _go_on(self, tell: OnProgress, is_tuned: bool) -> None:
        steps = [Progress("training", 1, 2, 1.5, 1.5), Progress("training", 2, 2, 1.25, 1.0)]
        steps.append(Progress("judging", 1, 1, None, 0.5))
        for progress in [*steps * is_tuned, Progress("finishing", seconds_left=0.2)]:
            tell(progress)
            self.at_step(progress)

    def predict(self, request: PredictRequest, is_wanted: IsWanted = always) -> tuple[Prediction, ...]:
        self.before_predict(is_wanted)
        check_predict_request(request, self.settings.predict_limits)
        found = [self._find(name) for name in request.model_names]
        if request.top_k is not None:
            check_range("top_k", request.top_k, (1, max(len(kept.classifier.record.labels) for kept, _ in found)))
        if not is_wanted():
            raise Abandoned("The caller left, so nothing was computed. Ask again.")
        return tuple(answer_of(kept, alias, text, request) for kept, alias in found for text in request.texts)

    def start_predict(self, request: PredictRequest, is_wanted: IsWanted) -> "Future[tuple[Prediction, ...]]":
        answer: Future[tuple[Prediction, ...]] = Future()
        answer.set_result(self.predict(request, is_wanted))
        return answer

    def starts_at_once(self, request: PredictRequest) -> bool:
        return self.is_instant

    def evaluate(self, request: EvaluateRequest) -> Report:
        check_evaluate_request(request)
        check_test_rows("test_data", request.rows, self.settings.limits)
        judged = self._judged(request.model_name, request.rows)
        judging.check_known([judged], request.rows)
        name = self._names[judged.model_name]
        report = judging.report(judged, request, NOW, is_newest=name.current == judged.revision)
        if report.is_saved:
            was = name.kept.classifier
            name.kept.classifier = replace(was, test=report.score, threshold=report.threshold or was.threshold)
        return report

    def compare(self, request: CompareRequest) -> Comparison:
        check_compare_request(request)
        check_test_rows("test_data", request.rows, self.settings.limits)
        judged = [self._judged(name, request.rows) for name in request.model_names]
        judging.check_known(judged, request.rows)
        return judging.comparison(judged, request.rows)

    def cross_validate(self, request: CrossValidateRequest, is_wanted: IsWanted = always) -> CrossValidation:
        check_recipe(request.recipe)
        check_range("folds", request.folds, FOLDS_RANGE)
        dataset = check_rows(request.rows, self.settings.limits)
        self._wait_while_wanted(is_wanted)
        return judging.cross_validation(dataset, request)

    def suggest(self, request: SuggestRequest) -> Suggestions:
        check_suggest_request(request, self.settings.limits)
        kept, _ = self._find(request.model_name)
        scored = {text: (scores_of(kept, text), in_scope_of(kept, text)) for text in request.texts}
        record = kept.classifier.record
        found = judging.suggestions(request.texts, request.n, scored)
        return Suggestions(record.name, record.revision, found, len(scored))

    def list_classifiers(self, page: Page = Page()) -> Listing:
        check_page(page)
        there = [name.classifier for name in self._names.values() if (name.deleted_at is not None) == page.deleted]
        found = in_order([each for each in there if page.selection.has(each)], page.order)
        names = [each.record.name for each in found]
        start = 0
        if page.after is not None:
            start = names.index(page.after) + 1 if page.after in names else sum(name < page.after for name in names)
        end = len(found) if page.is_whole_list else start + (page.limit or DEFAULT_PAGE_SIZE)
        return Listing(tuple(found[start:end]), names[end - 1] if end < len(found) else None)

    def show(self, model_name: str) -> ClassifierDetails:
        record = self._find(model_name)[0].classifier.record
        name = self._names[record.name]
        targets = (Reference(record.name), Reference(record.name, record.revision))
        aliases = tuple(sorted(alias for alias, kept in self._aliases.items() if kept.points_to in targets))
        classifier = name.revisions[record.revision].classifier
        return ClassifierDetails(classifier, name.current == record.revision, tuple(sorted(name.revisions)), aliases)

    def describe(self, model_name: str, change: NotesChange) -> Classifier:
        name = self._living(check_name(model_name))
        name.kept.classifier = replace(name.kept.classifier, notes=change.of(name.kept.classifier.notes))
        return name.classifier

    def delete(self, model_name: str, *, purge: bool = False, force: bool = False) -> Deletion:
        reference = _fixed(model_name)
        if reference.revision is not None:
            return self._purge_revision(reference.name, reference.revision, purge, force)
        name = self._names.get(reference.name) if purge else self._living(reference.name)
        if name is None:
            raise self._not_found(reference.name)
        self._check_unused([reference.name], force)
        name.deleted_at = NOW
        freed_bytes = SIZE_BYTES * len(name.revisions) if purge else 0
        if purge:
            del self._names[reference.name]
        return Deletion((model_name,), freed_bytes, purge)

    def delete_all(
        self, selection: Selection, *, purge: bool = False, force: bool = False, dry_run: bool = False
    ) -> Deletion:
        if selection.is_everything:
            raise InvalidParameter("Nothing says which classifiers to delete. Send a prefix.", {"parameter": "prefix"})
        names = sorted(each.record.name for each in self.list_classifiers(Page(selection=selection)).classifiers)
        if dry_run:
            return Deletion(tuple(names), SIZE_BYTES * len(names) * purge, purge)
        self._check_unused(names, force)
        freed_bytes = sum(self.delete(name, purge=purge, force=True).freed_bytes for name in names)
        return Deletion(tuple(names), freed_bytes, purge)

    def restore(self, model_name: str) -> Classifier:
        reference = _fixed(model_name)
        name = self._names.get(reference.name)
        if name is None:
            raise self._not_found(reference.name)
        revision = reference.revision or name.current
        self._check_revision(name, reference.name, revision)
        if name.deleted_at is None and revision == name.current:
            raise NotDeleted(f"{model_name} answers already, so there is nothing to restore.")
        name.current, name.deleted_at = revision, None
        return name.classifier

    def promote(self, request: PromoteRequest) -> Promotion:
        check_promote_request(request, self.settings.limits)
        check_recalled_labels(request.require)
        asked = read_reference(request.model_name)
        candidate = self._find(request.model_name)[0]
        record = candidate.classifier.record
        for other in (*self._names, *self._aliases):
            if other.casefold() == request.alias.casefold() and (other in self._names or other != request.alias):
                raise NameTaken(f"{other} exists. Choose another name for the alias.")
        alias = self._aliases.get(request.alias, KeptAlias())
        must_pass = alias.must_pass if request.must_pass is None else request.must_pass
        target = Reference(record.name, asked.revision)
        conditions = conditions_of(request.require, must_pass)
        current: Side | str = "It points nowhere."
        if alias.points_to is not None and self._answers(alias.points_to):
            current = side_of(str(alias.points_to), self._find(request.alias)[0], conditions.texts)
        gate = look(conditions, side_of(str(target), candidate, conditions.texts), current)
        if not gate.passed:
            raise refusal(request.alias, str(target), gate)
        self._aliases[request.alias] = alias
        alias.must_pass = must_pass
        alias.before.append(alias.points_to)
        alias.change("promoted", target, request.said)
        return Promotion(self._alias(request.alias), gate)

    def rollback(self, alias: str, said: Said = Said()) -> Alias:
        check_said(said)
        kept = self._known_alias(check_name(alias))
        if not kept.before or (way := kept.before[-1]) is None or not self._answers(way):
            raise NothingToRollBack(f"{alias} has pointed nowhere else before. Promote it instead.")
        kept.before.pop()
        kept.change("rolled_back", way, said)
        return self._alias(alias)

    def remove_alias(self, alias: str, said: Said = Said()) -> None:
        check_said(said)
        kept = self._known_alias(check_name(alias))
        kept.before.clear()
        kept.must_pass = ()
        kept.change("removed", None, said)

    def list_aliases(self) -> tuple[Alias, ...]:
        return tuple(self._alias(name) for name in sorted(self._aliases) if self._aliases[name].points_to is not None)

    def alias_history(self, alias: str) -> tuple[AliasChange, ...]:
        if check_name(alias) not in self._aliases:
            raise self._no_alias(alias)
        return tuple(self._aliases[alias].changes)

    def export(self, model_name: str, *, training_rows: bool = False) -> Export:
        kept = self._find(model_name)[0]
        if training_rows and not kept.classifier.keeps_rows:
            raise RowsNotKept(f"The training rows of {model_name} were not kept. Export it without them.")
        shown = replace(kept.classifier, keeps_rows=training_rows)
        document = {"record": ModelRecord.of(shown).model_dump(), "words": kept.words}
        content = json.dumps(document).encode()
        return Export(f"{shown.record.name}.windrow", len(content), _pieces(content))

    def import_classifier(self, file: BinaryIO, request: ImportRequest = ImportRequest()) -> Imported:
        try:
            document = json.load(file)
        except ValueError as error:
            raise ArchiveInvalid("The file is no export. Export it again.", {"problem": "no_archive"}) from error
        there = ModelRecord.model_validate(document["record"]).to_domain()
        name = check_name(request.model_name or there.record.name)
        self._check_free(name, request.overwrite)
        origin = Origin(there.record.name, there.record.revision, NOW)
        classifier = replace(there, record=replace(there.record, name=name), origin=origin)
        kept = Kept(classifier, [(label, words) for label, words in document["words"]])
        if not request.dry_run:
            classifier = self._save(kept, NotesChange(there.notes.description, there.notes.tags))
        return Imported(classifier, (), not request.dry_run)

    def reproduce(
        self, model_name: str, on_progress: OnProgress = ignore_progress, is_wanted: IsWanted = always
    ) -> Reproduction:
        classifier = self._find(model_name)[0].classifier
        if not classifier.keeps_rows:
            raise RowsNotKept(f"The training rows of {model_name} were not kept. Train it again from your own copy.")
        self._wait_while_wanted(is_wanted)
        record = classifier.record
        self._go_on(on_progress, record.recipe.num_iterations > 0)
        return Reproduction(
            record.name, record.revision, "identical weights", 0.0, 0.0, 0, record.num_examples, (), (), 0.409
        )

    def base_models(self) -> tuple[BaseModelUse, ...]:
        used = [name.classifier.record.base_model.id for name in self._names.values()]
        return tuple(BaseModelUse(model, used.count(model.base_model.id), model is INSTALLED) for model in self.stored)

    def remove_base_model(self, base_model: str) -> int:
        check_model_id(base_model)
        use = {use.model.base_model.id: use for use in self.base_models()}.get(base_model)
        if use is None:
            raise BaseModelNotFound(f"{base_model} is not on this machine, so there is nothing to remove.")
        check_unused(use)
        if use.model.place == "installed":
            raise BaseModelInUse(f"{base_model} came with Windrow. Keep it.")
        self.stored.remove(use.model)
        return use.model.size_bytes + use.model.graph_bytes

    def usage(self) -> Usage:
        classifiers = tuple(
            ClassifierUsage(name, SIZE_BYTES * len(kept.revisions), len(kept.revisions), kept.deleted_at is not None)
            for name, kept in sorted(self._names.items())
        )
        return Usage(tuple(self.stored), classifiers, 4, 5_000)

    def fsck(self, *, repair: bool = False) -> Checkup:
        self.before_fsck()
        revisions = sum(len(name.revisions) for name in self._names.values())
        findings = tuple(replace(each, is_repaired=repair and each.severity == "garbage") for each in self.findings)
        return Checkup(len(self._names), revisions, revisions, SIZE_BYTES * revisions, findings)

    def _wait_while_wanted(self, is_wanted: IsWanted) -> None:
        """Take as long as the hook does, unless nobody wants that any more."""
        self.wanted.append(is_wanted)
        self.before_fit()
        if not is_wanted():
            raise Abandoned("The caller left, so the training was ended. Ask again.")

    def _check_free(self, name: str, overwrite: bool) -> None:
        for alias in self.list_aliases():
            if alias.name.casefold() == name.casefold():
                raise NameTaken(f"{alias.name} is an alias. Choose another name.")
        for other in self._names:
            if other != name and other.casefold() == name.casefold():
                raise NameTaken(f"{other} exists; names may not differ only in case. Choose another name.")
        if not overwrite and name in self._names and self._names[name].deleted_at is None:
            raise ClassifierExists(f"{name} exists. Choose another name, or overwrite it.", {"name": name})

    def _save(self, kept: Kept, change: NotesChange) -> Classifier:
        name = self._names.setdefault(kept.classifier.record.name, Name())
        notes = name.kept.classifier.notes if name.revisions else Notes()
        name.current, name.deleted_at = max(name.revisions, default=0) + 1, None
        record = replace(kept.classifier.record, revision=name.current)
        kept.classifier = replace(kept.classifier, record=record, notes=change.of(notes))
        name.revisions[name.current] = kept
        return name.classifier

    def _find(self, text: str) -> tuple[Kept, str | None]:
        """Return what a text refers to, and the alias by which it does."""
        reference = read_reference(text)
        alias = None
        if reference.is_latest:
            reference = Reference(self._latest(reference.name))
        elif reference.revision is None and (points_to := self._aliases.get(reference.name, KeptAlias()).points_to):
            alias, reference = reference.name, points_to
        name = self._living(reference.name)
        revision = reference.revision or name.current
        self._check_revision(name, reference.name, revision)
        return name.revisions[revision], alias

    def _judged(self, asked: str, rows: tuple[Row, ...]) -> Judged:
        kept, alias = self._find(asked)
        record = kept.classifier.record
        given = [scores_of(kept, row.text) for row in rows]
        return Judged(asked, record.name, record.revision, alias, record.labels, given)

    def _latest(self, task: str) -> str:
        living = (read_version(name) for name, kept in self._names.items() if kept.deleted_at is None)
        versions = [version for version in living if version is not None and version.task == task]
        if not versions:
            raise ClassifierNotFound(f"{task} has no versions. Train {task}_v1 first.", {"near_names": []})
        return f"{task}_v{max(versions).number}"

    def _living(self, name: str) -> Name:
        if name not in self._names or self._names[name].deleted_at is not None:
            raise self._not_found(name)
        return self._names[name]

    def _check_revision(self, name: Name, written: str, revision: int) -> None:
        if revision not in name.revisions:
            known = sorted(name.revisions)
            raise RevisionNotFound(f"{written} has no revision {revision}. It has {known}.", {"revisions": known})

    def _purge_revision(self, written: str, revision: int, purge: bool, force: bool) -> Deletion:
        if not purge:
            raise InvalidParameter("A single revision can only be purged. Send purge=true.", {"parameter": "purge"})
        name = self._living(written)
        self._check_revision(name, written, revision)
        if revision == name.current:
            raise ClassifierInUse("This revision answers. Delete the classifier as a whole.", {"aliases": []})
        self._check_unused([f"{written}@{revision}"], force)
        del name.revisions[revision]
        return Deletion((f"{written}@{revision}",), SIZE_BYTES, is_purged=True)

    def _check_unused(self, names: list[str], force: bool) -> None:
        pointing = {alias: kept.points_to for alias, kept in self._aliases.items() if kept.points_to is not None}
        aliases = sorted(alias for alias, target in pointing.items() if {target.name, str(target)} & set(names))
        if aliases and not force:
            raise ClassifierInUse(f"{aliases} point there. Point them elsewhere, or send force.", {"aliases": aliases})

    def _not_found(self, name: str) -> NotFound:
        near = near_names(name, self._names)
        return ClassifierNotFound(f"No classifier is named {name}. Train it first.", {"near_names": list(near)})

    def _no_alias(self, alias: str) -> NotFound:
        near = near_names(alias, self._aliases)
        return AliasNotFound(f"No alias is named {alias}. Promote it first.", {"near_names": list(near)})

    def _known_alias(self, alias: str) -> KeptAlias:
        if alias not in self._aliases or self._aliases[alias].points_to is None:
            raise self._no_alias(alias)
        return self._aliases[alias]

    def _alias(self, name: str) -> Alias:
        points_to, change = self._aliases[name].points_to, self._aliases[name].changes[-1]
        assert points_to is not None
        must_pass = self._aliases[name].must_pass
        return Alias(name, points_to, change.at, change.said, self._answers(points_to), must_pass)

    def _answers(self, target: Reference) -> bool:
        name = self._names.get(target.name)
        return name is not None and name.deleted_at is None and (target.revision or name.current) in name.revisions


def _fixed(model_name: str) -> Reference:
    reference = read_reference(model_name)
    if reference.is_latest:
        raise InvalidName(f"{model_name} means another classifier tomorrow. Name the version itself.")
    return reference


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 100):
        yield content[start : start + 100]
