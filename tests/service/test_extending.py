"""Fits that extend a revision: its kept rows are added here, whoever may see them, and the record says so."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.runner import InlineRunner
from tests.service.examples import REQUEST, ROWS, SHOUTING, Open, alter, ask, blob_of, fit, listed, show
from windrow.domain.alias import PromoteRequest
from windrow.domain.archive import ExportRequest, ImportRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import CopyRequest, DeleteRequest, FitRequest, ModelRequest
from windrow.domain.dataset import DataLimits, Dataset, Row
from windrow.domain.erasure import ForgetRequest
from windrow.domain.errors import (
    ClassifierNotFound,
    InvalidArtifact,
    InvalidTrainingData,
    LimitExceeded,
    RevisionNotFound,
    TrainingDataNotKept,
)
from windrow.domain.job import JobListRequest, JobRequest, OnStep
from windrow.domain.labelled_rows import LabelledRows, labels_of
from windrow.execution.control import TrainingControl
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.tasks import Task
from windrow.service.service import Service
from windrow.storage import blobs
from windrow.storage.revision import BlobRef

CORRECTION = Row(ROWS[0].text, "refund")
TRAIN = Caller("trainer", frozenset({"train"}))


def extending(what: str | None, *rows: Row, name: str = "tickets_v2", **more: Any) -> FitRequest:
    return replace(REQUEST, model_name=name, training_data=rows, extends=what, **more)


def kept(service: Service, name: str) -> LabelledRows:
    entry = service.dependencies.store.find(name).entry
    return tuple(service.dependencies.store.training_rows(entry) or ())


@pytest.fixture
def trained(service: Service) -> Service:
    fit(service)
    return service


def test_one_row_is_enough_to_correct_a_classifier(trained: Service) -> None:
    made = trained.fit(extending("tickets_v1", CORRECTION))
    assert (made.extends, made.taken_over_rows, made.replaced_rows) == ("tickets_v1@1", 7, 1)
    assert made.rows_per_label == {"billing": 3, "bug": 4, "refund": 1}
    assert kept(trained, "tickets_v2") == (*ROWS[1:], CORRECTION)
    record = show(trained, "tickets_v2")
    assert (record.extends, record.taken_over_rows, record.replaced_rows) == ("tickets_v1@1", 7, 1)
    assert record.training_data_sha256 == Dataset((*ROWS[1:], CORRECTION)).sha256
    assert ask(trained, "tickets_v2", CORRECTION.text).label == "refund"


def test_a_fit_that_extends_is_the_same_as_one_of_all_rows(trained: Service) -> None:
    trained.fit(extending("tickets_v1", CORRECTION))
    fit(trained, "whole_v1", (*ROWS[1:], CORRECTION))
    answers = [ask(trained, name, "charged twice invoice").scores for name in ("tickets_v2", "whole_v1")]
    assert answers[0] == answers[1]
    assert (show(trained, "whole_v1").extends, show(trained, "whole_v1").taken_over_rows) == (None, 0)


@pytest.mark.parametrize("what", ["tickets_v1", "tickets_v1@1", "tickets@latest", "live"])
def test_any_reference_is_resolved_to_one_revision(trained: Service, what: str) -> None:
    trained.promote(PromoteRequest("live", "tickets_v1"))
    made = trained.fit(extending(what, CORRECTION, name="others_v1"))
    assert made.extends == "tickets_v1@1"
    fit(trained, rows=SHOUTING)
    assert show(trained, "others_v1").extends == "tickets_v1@1"


def test_a_classifier_can_extend_its_own_former_revision(trained: Service) -> None:
    for number in (1, 2, 3):
        row = Row(f"refund please {number}", "refund")
        made = trained.fit(extending("tickets_v1", row, name="tickets_v1"))
        assert (made.extends, made.taken_over_rows) == (f"tickets_v1@{number}", len(ROWS) + number - 1)
    assert [labels_of(row) for row in kept(trained, "tickets_v1")].count(("refund",)) == 3


def test_nothing_but_the_kept_rows_can_be_trained_anew(trained: Service) -> None:
    made = trained.fit(extending("tickets_v1", seed=3))
    assert (made.num_examples, made.taken_over_rows, made.replaced_rows) == (8, 8, 0)
    with pytest.raises(InvalidTrainingData):
        trained.fit(extending(None))


def test_an_estimate_tells_what_the_rows_would_be_and_trains_nothing(trained: Service) -> None:
    estimate = trained.estimate_fit(extending("tickets_v1", CORRECTION))
    assert estimate.rows_per_label == {"billing": 3, "bug": 4, "refund": 1}
    assert (estimate.extends, estimate.taken_over_rows, estimate.replaced_rows) == ("tickets_v1@1", 7, 1)
    assert estimate.num_examples == 8
    assert [each.name for each in listed(trained)] == ["tickets_v1"]
    plain = trained.estimate_fit(REQUEST)
    assert (plain.rows_per_label, plain.extends) == ({"billing": 4, "bug": 4}, None)


def test_an_estimate_warns_of_the_rows_as_the_training_does(trained: Service) -> None:
    again = Row(CORRECTION.text, "other")
    for request in (extending("tickets_v1", CORRECTION, again), replace(REQUEST, training_data=(*ROWS, ROWS[0]))):
        told = trained.estimate_fit(request).warnings
        assert told
        assert told == trained.fit(request).warnings[: len(told)]
    assert {each.code for each in told} == {"duplicate_rows"}


def test_a_job_tells_it_as_long_as_it_is_kept(trained: Service, opened: Open) -> None:
    job = trained.start_fit(extending("tickets_v1", CORRECTION))
    *_, last = trained.follow_job(JobRequest(job.id))
    assert last.state == "succeeded"
    for each in (job, last, opened().job(JobRequest(job.id))):
        assert (each.extends, each.taken_over_rows, each.replaced_rows) == ("tickets_v1@1", 7, 1)
        assert (each.num_examples, each.training_data_sha256) == (8, Dataset((*ROWS[1:], CORRECTION)).sha256)


class WaitingRunner(InlineRunner):
    """Lets no training go on before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        with (control or TrainingControl()).on_cancel(self.may_go_on.set):
            assert self.may_go_on.wait(30)
        return super().run(task, on_step, control)


def test_equal_fits_are_one_job_however_they_call_what_they_extend_but_not_once_it_means_another(opened: Open) -> None:
    runner = WaitingRunner()
    runner.may_go_on.set()
    service = opened(runner=runner)
    fit(service)
    fit(service, rows=ROWS)
    runner.may_go_on.clear()
    by_name = service.start_fit(extending("tickets_v1", CORRECTION))
    assert service.start_fit(extending("tickets_v1@2", CORRECTION)).id == by_name.id
    assert service.start_fit(extending("tickets@latest", CORRECTION)).id == by_name.id
    # The same rows of another revision are another origin, and the record tells it.
    assert service.start_fit(extending("tickets_v1@1", CORRECTION)).id != by_name.id
    assert service.start_fit(replace(REQUEST, model_name="tickets_v2")).id != by_name.id
    runner.may_go_on.set()
    for job in service.list_jobs(JobListRequest()):
        list(service.follow_job(JobRequest(job.id)))


def test_what_is_published_while_a_fit_waits_changes_nothing_of_it(opened: Open) -> None:
    runner = WaitingRunner()
    runner.may_go_on.set()
    service, other = opened(runner=runner), opened()
    fit(service)
    runner.may_go_on.clear()
    _, result = service.begin_fit(extending("tickets_v1", CORRECTION))
    fit(other, rows=SHOUTING)
    other.delete(DeleteRequest("tickets_v1", purge=True))
    runner.may_go_on.set()
    assert result.result(30).extends == "tickets_v1@1"
    assert kept(service, "tickets_v2") == (*ROWS[1:], CORRECTION)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("nothing_v1", ClassifierNotFound),
        ("tickets_v1@7", RevisionNotFound),
        ("nothing@latest", ClassifierNotFound),
        ("gone_v1", ClassifierNotFound),
    ],
)
def test_what_is_not_there_cannot_be_extended(trained: Service, what: str, error: type[Exception]) -> None:
    fit(trained, "gone_v1")
    trained.delete(DeleteRequest("gone_v1"))
    for verb in (trained.fit, trained.start_fit, trained.estimate_fit):
        act: Callable[[FitRequest], object] = verb
        with pytest.raises(error):
            act(extending(what, CORRECTION))
    assert "tickets_v2" not in [each.name for each in listed(trained)]


def test_without_kept_rows_it_says_what_to_do(opened: Open) -> None:
    service = opened(keep_training_data=False)
    fit(service)
    with pytest.raises(TrainingDataNotKept) as caught:
        service.fit(extending("tickets_v1", CORRECTION))
    assert caught.value.facts == {"model_name": "tickets_v1", "extends": "tickets_v1@1"}
    assert caught.value.detail == (
        "No training rows of tickets_v1@1 are kept here, so that no training can take them over. Pass all rows from "
        "your own copy, and leave extends out."
    )


def test_where_rows_are_no_longer_kept_those_that_are_can_still_be_taken_over(trained: Service, opened: Open) -> None:
    later = opened(keep_training_data=False)
    made = later.fit(extending("tickets_v1", CORRECTION))
    assert (made.taken_over_rows, show(later, "tickets_v2").keeps_training_data) == (7, False)


def test_limits_hold_for_all_rows(trained: Service, opened: Open) -> None:
    limited = opened(max_rows=8)
    assert limited.dependencies.settings.limits == DataLimits(max_rows=8)
    limited.fit(extending("tickets_v1", CORRECTION))
    with pytest.raises(LimitExceeded) as caught:
        limited.fit(extending("tickets_v1", Row("new", "bug")))
    assert (caught.value.facts["count"], caught.value.facts["limit"]) == (9, 8)


def test_a_server_takes_no_more_in_all_than_one_request_could_bring(trained: Service, opened: Open) -> None:
    limited = opened(max_body_bytes=len(Dataset(ROWS).jsonl))
    by_request = Caller(request_id="a1")
    with calling(by_request):
        limited.fit(extending("tickets_v1"))
        with pytest.raises(LimitExceeded, match=r"kept rows of tickets_v1@1, .* or raise WINDROW_MAX_BODY_BYTES"):
            limited.fit(extending("tickets_v1", Row("new", "bug")))
    limited.fit(extending("tickets_v1", Row("new", "bug")))


def test_erased_rows_are_not_there_any_more(trained: Service) -> None:
    trained.forget(ForgetRequest(texts=(ROWS[1].text,), action="remove_rows"))
    made = trained.fit(extending("tickets_v1", CORRECTION))
    assert (made.taken_over_rows, made.replaced_rows) == (6, 1)
    assert kept(trained, "tickets_v2") == (*ROWS[2:], CORRECTION)
    trained.forget(ForgetRequest(texts=tuple(row.text for row in ROWS), action="remove_rows"))
    with pytest.raises(TrainingDataNotKept):
        trained.fit(extending("tickets_v1", CORRECTION, name="tickets_v3"))


def test_rows_that_are_erased_between_finding_and_reading_are_read_as_they_are_then(
    trained: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = blobs.Blobs.read
    seen: list[BlobRef] = []

    def read(self: blobs.Blobs, name: str, ref: BlobRef) -> bytes:
        if not seen and ref.suffix == ".jsonl.gz":
            seen.append(ref)
            trained.forget(ForgetRequest(texts=(ROWS[1].text,), action="remove_rows"))
        return real(self, name, ref)

    monkeypatch.setattr(blobs.Blobs, "read", read)
    assert trained.fit(extending("tickets_v1", CORRECTION)).taken_over_rows == 6
    assert seen


def test_trainings_that_have_read_rows_which_are_erased_then_are_named_until_they_were_looked_at(opened: Open) -> None:
    runner = WaitingRunner()
    runner.may_go_on.set()
    service = opened(runner=runner)
    fit(service)
    erase = ForgetRequest(texts=(ROWS[1].text,), action="remove_rows")
    runner.may_go_on.clear()
    job, result = service.begin_fit(extending("tickets_v1"))
    # Who runs it knows its rows; any other process does not.
    another = ForgetRequest(texts=("another text",))
    assert service.forget(another).unsearched_jobs == ()
    assert service.forget(replace(erase, action="find")).unsearched_jobs == (job.id,)
    assert opened().forget(another).unsearched_jobs == (job.id,)
    assert opened().forget(erase).unsearched_jobs == (job.id,)
    runner.may_go_on.set()
    result.result(30)
    list(service.follow_job(JobRequest(job.id)))
    assert ROWS[1] in kept(service, "tickets_v2")
    again = service.forget(erase)
    assert ([each.model_name for each in again], again.complete) == (["tickets_v2"], True)
    assert again.unsearched_jobs == ()
    assert ROWS[1] not in kept(service, "tickets_v2")


def test_a_training_that_ends_while_texts_are_looked_for_is_named(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = opened()
    fit(service)
    real = service.dependencies.jobs.newest
    ended: list[str] = []

    def newest(*args: Any) -> Any:
        job = service.start_fit(extending("tickets_v1", CORRECTION))
        ended.append(list(service.follow_job(JobRequest(job.id)))[-1].id)
        return real(*args)

    monkeypatch.setattr(service.dependencies.jobs, "newest", newest)
    found = service.forget(ForgetRequest(texts=(ROWS[1].text,))).unsearched_jobs
    before, meanwhile = ended
    assert (before not in found, found) == (True, (meanwhile,))


def test_damaged_rows_are_told_as_damaged(trained: Service) -> None:
    alter(blob_of(trained, "tickets_v1", "rows"))
    with pytest.raises(InvalidArtifact):
        trained.fit(extending("tickets_v1", CORRECTION))


def test_it_can_be_reproduced_from_its_own_rows_when_what_it_extends_is_gone(trained: Service) -> None:
    trained.fit(extending("tickets_v1", CORRECTION))
    trained.delete(DeleteRequest("tickets_v1", purge=True))
    assert trained.reproduce(ModelRequest("tickets_v2")).verdict == "identical weights"
    assert show(trained, "tickets_v2").extends == "tickets_v1@1"


def test_a_key_needs_no_right_to_see_rows_but_must_know_the_name(trained: Service) -> None:
    with calling(TRAIN):
        assert trained.fit(extending("tickets_v1", CORRECTION)).taken_over_rows == 7
    with calling(replace(TRAIN, only=("shop_*", "live"))):
        told = []
        for name in ("tickets_v1", "tickets_v9"):
            with pytest.raises(ClassifierNotFound) as caught:
                trained.fit(extending(name, CORRECTION, name="shop_v1"))
            told.append(caught.value.detail.replace(name, "NAME"))
        assert told[0] == told[1]
        with pytest.raises(ClassifierNotFound):
            trained.estimate_fit(extending("tickets@latest", CORRECTION, name="shop_v1"))


def test_what_an_alias_of_a_key_extends_is_told_at_once_and_hidden_where_the_name_is_unknown(trained: Service) -> None:
    trained.promote(PromoteRequest("live", "tickets_v1"))
    shop = Caller("shop", frozenset({"train", "read"}), only=("shop_*", "live"))
    with calling(shop):
        job, result = trained.begin_fit(extending("live", CORRECTION, name="shop_v1"))
        assert result.result(30).extends == "tickets_v1@1"
        shown = trained.job(JobRequest(job.id))
        assert (shown.extends, shown.taken_over_rows) == (None, 7)
        assert [each.extends for each in trained.list_jobs(JobListRequest())] == [None]
        assert (show(trained, "shop_v1").extends, show(trained, "shop_v1").taken_over_rows) == (None, 7)
        assert [each.extends for each in listed(trained)] == [None]
        exported = b"".join(trained.export(ExportRequest("shop_v1")).chunks)
    assert b"tickets_v1" not in exported
    assert show(trained, "shop_v1").extends == "tickets_v1@1"
    back = trained.import_classifier(io.BytesIO(exported), ImportRequest("back_v1"))
    assert (back.extends, back.taken_over_rows, back.replaced_rows) == (None, 7, 1)


def test_copies_and_exports_tell_it_too(trained: Service, opened: Open, tmp_path: Any) -> None:
    trained.fit(extending("tickets_v1", CORRECTION))
    assert trained.copy(CopyRequest("tickets_v2", "twin_v1")).extends == "tickets_v1@1"
    exported = b"".join(trained.export(ExportRequest("tickets_v2")).chunks)
    elsewhere = opened(tmp_path / "elsewhere")
    taken_in = elsewhere.import_classifier(io.BytesIO(exported), ImportRequest())
    assert (taken_in.extends, taken_in.taken_over_rows, taken_in.replaced_rows) == ("tickets_v1@1", 7, 1)
    with calling(Caller("shop", frozenset({"read"}), only=("tickets_v2",))):
        assert show(elsewhere, "tickets_v2").extends is None


SPELT = (*ROWS, Row("charged wrongly", "Billing"), Row("invoice wrong", "billing "))


def test_labels_that_look_alike_are_merged_where_that_is_asked_for_alone(service: Service) -> None:
    asked = replace(REQUEST, training_data=SPELT)
    (alike,) = (each for each in service.fit(asked).warnings if each.code == "labels_alike")
    assert "merge_labels (on the command line --merge-labels)" in alike.message
    merging = replace(asked, merge_labels=True, label_descriptions={"Billing": "money"})
    assert service.estimate_fit(merging).rows_per_label == {"billing": 6, "bug": 4}
    made = service.fit(merging)
    assert (made.rows_per_label, made.label_descriptions) == ({"billing": 6, "bug": 4}, {"billing": "money"})
    assert [each.code for each in made.warnings if each.code.startswith("labels")] == ["labels_merged"]
    record = service.show(ModelRequest("tickets_v1"))
    assert "'Billing' (1 row), 'billing ' (1 row) into 'billing' (4 rows)" in record.warnings[0].message
    assert service.reproduce(ModelRequest("tickets_v1")).verdict == "identical weights"


def test_kept_rows_and_given_ones_are_merged_together(service: Service) -> None:
    service.fit(REQUEST)
    more = (Row("charged wrongly", "BILLING"),)
    made = service.fit(FitRequest("more_v1", more, extends="tickets_v1", merge_labels=True, num_iterations=0))
    assert (made.labels, made.taken_over_rows, made.num_examples) == (("billing", "bug"), 8, 9)


def test_rows_whose_labels_are_all_one_once_they_are_merged_are_refused(service: Service) -> None:
    alike = (Row("a", "x"), Row("b", "X"))
    with pytest.raises(InvalidTrainingData, match="label"):
        service.fit(FitRequest("one_v1", alike, merge_labels=True, num_iterations=0))
